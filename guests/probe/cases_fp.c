/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FP/SIMD state over switches. To mean something, another VM on the same CPU must use the registers too
 * (role=fp-peer); alone the cases show that traps and sleeping keep them.
 */
#include "cases.h"

#include "fp.h"
#include "gic.h"
#include "psci.h"
#include "timer.h"

void fp_pattern(struct fp_state *s, uint64_t seed)
{
	uint64_t x = seed * 0x9e3779b97f4a7c15ull + 1;

	for (unsigned int i = 0; i < ARRAY_SIZE(s->q); i++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		s->q[i] = x;
	}
	s->fpcr = (x >> 3 & 0xf) << 22;                  /* RMode, FZ, DN */
	s->fpsr = (x >> 9 & 0x1f) | (x >> 17 & 1) << 27; /* IOC..IXC, QC */
}

int fp_compare(const struct fp_state *a, const struct fp_state *b)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(a->q); i++) {
		if (a->q[i] != b->q[i])
			return (int)i;
	}
	if (a->fpcr != b->fpcr)
		return 64;
	return a->fpsr != b->fpsr ? 65 : -1;
}

static enum outcome fp_check(const struct fp_state *want, uint64_t round)
{
	static struct fp_state got;
	int at;

	fp_store(&got);
	at = fp_compare(want, &got);
	CHECK(at != 64, "round %lu: FPCR %lx, want %lx", round, got.fpcr, want->fpcr);
	CHECK(at != 65, "round %lu: FPSR %lx, want %lx", round, got.fpsr, want->fpsr);
	CHECK(at < 0, "round %lu: q%d half %d is %lx, want %lx", round, at / 2, at & 1, got.q[at], want->q[at]);
	return OUTCOME_OK;
}

static void on_timer(struct cpu *c, uint32_t intid)
{
	vtimer.set_ctl(0);
	gic_irq_default(c, intid);
}

static void nap(uint64_t us)
{
	struct cpu *c = cpu_self();
	uint32_t before = c->irq_count;

	vtimer.set_cval(now() + us_to_ticks(us));
	vtimer.set_ctl(TIMER_ENABLE);
	while (c->irq_count == before) {
		wfi();
		irq_enable();
		isb();
		irq_disable();
	}
}

/*
 * Every round loads a new pattern, gives the CPU away once, twice or (each 64th) through WFI, and compares. Rounds
 * without a load in front check that a state which was only read comes back as well.
 */
enum outcome case_fpsimd(void)
{
	uint64_t rounds = option_number("switches", 100000);
	static struct fp_state want;

	cpu_self()->on_irq = on_timer;
	timer_setup(&vtimer);
	fp_pattern(&want, 0);
	fp_load(&want);
	for (uint64_t i = 0; i < rounds; i++) {
		if (i & 1) {
			fp_pattern(&want, i);
			fp_load(&want);
		}
		if (i % 64 == 63)
			nap(20);
		else
			vm_yield();
		if (i & 2)
			vm_yield();
		TRY(fp_check(&want, i));
	}
	info("rounds=%lu", rounds);
	return OUTCOME_OK;
}

/* All CPUs at once, each with its own state: vCPUs of one VM may share a CPU, too. */
#define CPUS_ROUNDS 2000u

static void fp_cpu(struct cpu *c)
{
	static struct fp_state want[CPU_MAX], got[CPU_MAX];
	uint32_t me = c->index;

	c->result[0] = 0;
	c->result[1] = 0;
	for (uint32_t i = 0; i < CPUS_ROUNDS && !cpu_stop; i++) {
		fp_pattern(&want[me], (uint64_t)me << 32 | i);
		fp_load(&want[me]);
		vm_yield();
		cpu_yield();
		fp_store(&got[me]);
		if (fp_compare(&want[me], &got[me]) >= 0)
			c->result[1]++;
		c->result[0]++;
	}
}

enum outcome case_fpsimd_cpus(void)
{
	for (uint32_t i = 1; i < cpu_count; i++)
		TRY(cpu_start(i, fp_cpu));
	fp_cpu(cpu_self());
	for (uint32_t i = 0; i < cpu_count; i++) {
		if (i)
			TRY(cpu_join(i));
		CHECK(cpus[i].result[0] == CPUS_ROUNDS && !cpus[i].result[1], "cpu %u: %lu of %lu rounds lost state", i,
		      cpus[i].result[1], cpus[i].result[0]);
	}
	return OUTCOME_OK;
}

/* The registers that an interrupt handler sees are those of the interrupted code, also when the VM was switched. */
enum outcome case_fpsimd_irq(void)
{
	static struct fp_state want;
	struct cpu *c = cpu_self();

	c->on_irq = on_timer;
	timer_setup(&vtimer);
	irq_enable();
	for (uint32_t i = 0; i < 200; i++) {
		uint32_t before = c->irq_count;

		fp_pattern(&want, 1000 + i);
		fp_load(&want);
		vtimer.set_cval(now() + us_to_ticks(50));
		vtimer.set_ctl(TIMER_ENABLE);
		CHECK(WAIT_FOR(c->irq_count != before, PATIENCE_US), "round %u: no timer interrupt", i);
		TRY(fp_check(&want, i));
	}
	irq_disable();
	return OUTCOME_OK;
}

/* CPACR_EL1.FPEN = 0 is the guest's own trap: it must reach the guest as EC 0x07, not be eaten by lazy switching. */
enum outcome case_fpsimd_cpacr(void)
{
	static struct fp_state s;
	uint32_t traps;

	fp_pattern(&s, 7);
	fp_load(&s);
	sysreg_write(cpacr_el1, 0);
	isb();
	trap_expect();
	fp_load(&s);
	traps = trap_done();
	sysreg_write(cpacr_el1, 3 << 20);
	isb();
	CHECK(traps == 18, "%u instructions trapped, want all 18", traps);
	CHECK(ESR_EC(cpu_self()->trap_esr) == 7, "exception class %x, want 7", ESR_EC(cpu_self()->trap_esr));
	TRY(fp_check(&s, 0));
	return OUTCOME_OK;
}
