/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Benchmarks: the registry, the loops around the events of bench_events.S, and the report. Samples go to memory
 * first; nothing is printed or computed while an event is measured.
 *
 * A registry entry has either an event (timed n times) or a run function that fills samples[] itself.
 */
#include "gic.h"
#include "psci.h"
#include "timer.h"

#define SAMPLES 2000

uint64_t event_empty(void);
uint64_t event_hvc_null(void);
uint64_t event_yield(void);
uint64_t event_hvc_psci_version(void);
uint64_t event_mmio_gicd(void);
uint64_t event_mmio_gicr_at(uint64_t redist);
uint64_t event_mmio_isenabler(void);
uint64_t event_mmio_uart(void);
uint64_t event_sysreg_pmccntr(void);
uint64_t event_sysreg_idreg(void);
uint64_t event_sysreg_cntp(void);
uint64_t event_sgi_start(uint64_t sgi1r);
uint64_t event_sgi_cross(uint64_t sgi1r, volatile uint64_t *start, volatile uint32_t *stage, uint32_t want);
void event_spin(volatile uint32_t *flag);
void event_spin_yield(volatile uint32_t *flag);
void event_sleep(volatile uint32_t *flag);

static uint64_t samples[SAMPLES];
static uint64_t send_samples[SAMPLES];
static volatile uint32_t flag;

static void sort(uint64_t *v, uint32_t n)
{
	/* Shell sort with Ciura's gaps: no recursion, fast enough for 2000. */
	static const uint16_t gaps[] = { 701, 301, 132, 57, 23, 10, 4, 1 };

	for (uint32_t g = 0; g < ARRAY_SIZE(gaps); g++) {
		uint32_t gap = gaps[g];

		for (uint32_t i = gap; i < n; i++) {
			uint64_t x = v[i];
			uint32_t j;

			for (j = i; j >= gap && v[j - gap] > x; j -= gap)
				v[j] = v[j - gap];
			v[j] = x;
		}
	}
}

static void report(const char *key, const char *suffix, uint64_t *v, uint32_t n)
{
	sort(v, n);
	print("probe: bench %s%s n=%u min=%lu p50=%lu p99=%lu max=%lu\n", key, suffix, n, ticks_to_ns(v[0]),
	      ticks_to_ns(v[(n - 1) / 2]), ticks_to_ns(v[(n - 1) * 99 / 100]), ticks_to_ns(v[n - 1]));
}

static void time_event(uint64_t (*event)(void), uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		samples[i] = event();
}

static enum outcome run_gicr(uint32_t n)
{
	uint64_t redist = gic_redist(0);

	CHECK(redist, "no redistributor for this CPU");
	for (uint32_t i = 0; i < n; i++)
		samples[i] = event_mmio_gicr_at(redist);
	return OUTCOME_OK;
}

/* A hypervisor that hides the PMU answers PMCCNTR_EL0 with UNDEF: then an ID register, whose read also traps. */
static enum outcome run_sysreg_trap(uint32_t n)
{
	trap_expect();
	(void)event_sysreg_pmccntr();
	if (trap_done()) {
		info("PMCCNTR_EL0 is UNDEF (ESR %lx); reading ID_AA64PFR0_EL1 instead", cpu_self()->trap_esr);
		time_event(event_sysreg_idreg, n);
	} else {
		time_event(event_sysreg_pmccntr, n);
	}
	return OUTCOME_OK;
}

static void on_flag_irq(struct cpu *c, uint32_t intid)
{
	(void)c;
	flag = 1;
	gic_eoi(intid);
}

static enum outcome run_sgi_self(uint32_t n)
{
	struct cpu *c = cpu_self();
	uint64_t sgi1r = (uint64_t)1 << 24 | 1ull << (c->mpidr & 0xf);

	c->on_irq = on_flag_irq;
	gic_enable(1);
	irq_enable();
	for (uint32_t i = 0; i < n; i++) {
		uint64_t start;

		flag = 0;
		start = event_sgi_start(sgi1r);
		event_spin(&flag);
		CHECK(flag, "SGI %u does not arrive", i);
		samples[i] = c->irq_stamp - start;
	}
	irq_disable();
	return OUTCOME_OK;
}

static const struct timer *bench_timer;

static void on_timer_irq(struct cpu *c, uint32_t intid)
{
	(void)c;
	bench_timer->set_ctl(0);
	flag = 1;
	gic_eoi(intid);
}

/* CNTPCT - CNTVCT. Three reads at equal distances: the middle one minus the mean of the others. */
static uint64_t virtual_offset(void)
{
	uint64_t v0, p, v1;

	__asm__ volatile("isb; mrs %0, cntvct_el0; mrs %1, cntpct_el0; mrs %2, cntvct_el0"
			 : "=r"(v0), "=r"(p), "=r"(v1)::"memory");
	return p - v0 - (v1 - v0) / 2;
}

/* Sample = stamp of the handler - programmed deadline. */
static enum outcome run_timer(const struct timer *t, uint32_t n, uint64_t ahead_us, void (*wait)(volatile uint32_t *))
{
	struct cpu *c = cpu_self();
	uint64_t ahead = us_to_ticks(ahead_us);
	/* The stamp is virtual time; the physical timer's deadline differs by the constant virtual offset. */
	uint64_t offset = t == &ptimer ? virtual_offset() : 0;

	bench_timer = t;
	c->on_irq = on_timer_irq;
	timer_setup(t);
	irq_enable();
	for (uint32_t i = 0; i < n; i++) {
		uint64_t deadline = t->count() + ahead;

		flag = 0;
		t->set_cval(deadline);
		t->set_ctl(TIMER_ENABLE);
		wait(&flag);
		CHECK(flag, "timer interrupt %u does not arrive", i);
		samples[i] = c->irq_stamp + offset - deadline;
	}
	irq_disable();
	return OUTCOME_OK;
}

static enum outcome run_vtimer_spin(uint32_t n)
{
	return run_timer(&vtimer, n, 200, event_spin);
}

static enum outcome run_vtimer_wfi(uint32_t n)
{
	return run_timer(&vtimer, n, 200, event_sleep);
}

static enum outcome run_vtimer_wfi_10ms(uint32_t n)
{
	return run_timer(&vtimer, n, 10000, event_sleep);
}

static enum outcome run_ptimer_spin(uint32_t n)
{
	return run_timer(&ptimer, n, 200, event_spin);
}

static enum outcome run_ptimer_wfi(uint32_t n)
{
	return run_timer(&ptimer, n, 200, event_sleep);
}

/* ---- SGI from CPU 0 to CPU 1 ---- */

static volatile uint32_t cross_flag;  /* written by the target's handler and, between samples, by the target */
static volatile uint32_t cross_round; /* target: number of the sample it waits for */
static volatile uint64_t cross_start;
static void (*cross_wait)(volatile uint32_t *);

static void on_cross_irq(struct cpu *c, uint32_t intid)
{
	(void)c;
	cross_flag = 1;
	gic_eoi(intid);
}

static void cross_target(struct cpu *c)
{
	c->on_irq = on_cross_irq;
	gic_enable(2);
	irq_enable();
	while (!cpu_stop && cross_round < SAMPLES) {
		cross_flag = 0;
		dsb();
		cross_round++;
		cross_wait(&cross_flag);
		dsb();
		c->stage = cross_round;
		/* The sender reads the stamp and starts the next round. */
		(void)WAIT_FOR(c->result[0] == cross_round || cpu_stop, PATIENCE_US);
	}
}

static enum outcome run_cross(uint32_t n, void (*wait)(volatile uint32_t *))
{
	struct cpu *target = &cpus[1];
	uint64_t mpidr = target->mpidr;
	uint64_t sgi1r = 2ull << 24 | (mpidr >> 8 & 0xff) << 16 | (mpidr >> 16 & 0xff) << 32 | 1ull << (mpidr & 0xf);

	cross_wait = wait;
	cross_round = 0;
	target->result[0] = 0;
	TRY(cpu_start(1, cross_target));
	for (uint32_t i = 0; i < n; i++) {
		CHECK(WAIT_FOR(cross_round == i + 1, PATIENCE_US), "target is not ready for SGI %u", i);
		delay_us(20); /* until it spins or sleeps */
		send_samples[i] = event_sgi_cross(sgi1r, &cross_start, &target->stage, i + 1);
		CHECK(target->stage == i + 1, "SGI %u does not arrive", i);
		samples[i] = target->irq_stamp - cross_start;
		if (i + 1 == n)
			cpu_stop = true;
		target->result[0] = i + 1;
		dsb();
	}
	TRY(cpu_join(1));
	cpu_stop = false;
	return OUTCOME_OK;
}

static enum outcome run_sgi_cross_spin(uint32_t n)
{
	return run_cross(n, event_spin_yield);
}

static enum outcome run_sgi_cross_wfi(uint32_t n)
{
	return run_cross(n, event_sleep);
}

/* ---- the registry ---- */

#define BENCH_NAMED_ONLY 1u /* not in bench=all: needs a partner VM */
#define BENCH_SENDS 2u      /* fills send_samples too */

static const struct bench {
	const char *key;
	uint32_t n;
	uint64_t (*event)(void);
	enum outcome (*run)(uint32_t n);
	uint8_t cpus;
	uint8_t flags;
} benches[] = {
	{ "empty", 2000, event_empty, NULL, 1, 0 },
	{ "hvc_null", 2000, event_hvc_null, NULL, 1, 0 },
	{ "hvc_psci_version", 2000, event_hvc_psci_version, NULL, 1, 0 },
	{ "mmio_gicd", 2000, event_mmio_gicd, NULL, 1, 0 },
	{ "mmio_gicr", 2000, NULL, run_gicr, 1, 0 },
	{ "mmio_isenabler", 2000, event_mmio_isenabler, NULL, 1, 0 },
	{ "mmio_uart", 2000, event_mmio_uart, NULL, 1, 0 },
	{ "sysreg_trap", 2000, NULL, run_sysreg_trap, 1, 0 },
	{ "sysreg_idreg", 2000, event_sysreg_idreg, NULL, 1, 0 },
	{ "sysreg_cntp", 2000, event_sysreg_cntp, NULL, 1, 0 },
	{ "sgi_self", 2000, NULL, run_sgi_self, 1, 0 },
	{ "vtimer_spin", 1000, NULL, run_vtimer_spin, 1, 0 },
	{ "vtimer_wfi", 1000, NULL, run_vtimer_wfi, 1, 0 },
	{ "vtimer_wfi_10ms", 300, NULL, run_vtimer_wfi_10ms, 1, 0 },
	{ "ptimer_spin", 1000, NULL, run_ptimer_spin, 1, 0 },
	{ "ptimer_wfi", 1000, NULL, run_ptimer_wfi, 1, 0 },
	/* SCHEDOP_yield with nobody else to run; yield_round is the same event with role=peer in a second VM. */
	{ "yield", 2000, event_yield, NULL, 1, 0 },
	{ "yield_round", 2000, event_yield, NULL, 1, BENCH_NAMED_ONLY },
	{ "sgi_cross_spin", 1000, NULL, run_sgi_cross_spin, 2, BENCH_SENDS },
	{ "sgi_cross_wfi", 1000, NULL, run_sgi_cross_wfi, 2, BENCH_SENDS },
};

static enum outcome bench_one(const struct bench *b, uint32_t n)
{
	if (b->cpus > cpu_count)
		return skip("needs %u CPUs", b->cpus);
	if (b->run)
		return b->run(n);
	time_event(b->event, n);
	return OUTCOME_OK;
}

static unsigned int unknown_keys(const char *list)
{
	unsigned int unknown = 0;
	char word[32];

	while (list_next(&list, word, sizeof(word))) {
		bool known = !strcmp(word, "all");

		for (size_t i = 0; i < ARRAY_SIZE(benches) && !known; i++)
			known = !strcmp(word, benches[i].key);
		if (!known) {
			print("probe: bench %s FAIL there is no such benchmark\n", word);
			unknown++;
		}
	}
	return unknown;
}

/* n= makes runs shorter, never longer than the buffers. */
static uint32_t samples_wanted(uint32_t n)
{
	uint64_t want = option_number("n", n);

	return want && want < n ? (uint32_t)want : n;
}

void bench_run(const char *list, unsigned int *failed)
{
	bool all = list_has(list, "all");

	*failed += unknown_keys(list);
	for (size_t i = 0; i < ARRAY_SIZE(benches); i++) {
		const struct bench *b = &benches[i];
		uint32_t n = samples_wanted(b->n);
		enum outcome outcome;

		if (!list_has(list, b->key) && !(all && !(b->flags & BENCH_NAMED_ONLY)))
			continue;
		case_name = b->key;
		if (!trap_mark(&trap_case_mark)) {
			trap_case_mark_valid = true;
			outcome = bench_one(b, n);
		} else {
			outcome = OUTCOME_FAIL; /* an exception; fail() has the reason */
		}
		trap_case_mark_valid = false;
		if (outcome == OUTCOME_OK) {
			report(b->key, "", samples, n);
			if (b->flags & BENCH_SENDS)
				report(b->key, "_send", send_samples, n);
		} else {
			print("probe: bench %s %s %s\n", b->key, outcome == OUTCOME_FAIL ? "FAIL" : "skip", case_why);
			*failed += outcome == OUTCOME_FAIL;
			(void)cpu_stop_all();
		}
		vtimer.set_ctl(0);
		ptimer.set_ctl(0);
		gic_reset();
	}
}
