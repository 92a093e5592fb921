/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EL1 timers and WFI. Every timer case runs on the virtual and on the physical timer through struct timer.
 */
#include "cases.h"

#include "gic.h"
#include "psci.h"
#include "timer.h"

/* How late an interrupt may be counted as "at once": other VMs may hold the CPU for a time slice. */
#define AT_ONCE_US SECOND_US
/* How long "never" is watched. */
#define NEVER_US 3000

static const struct timer *const timers[] = { &vtimer, &ptimer };

static enum outcome on_both(enum outcome (*one)(const struct timer *t, struct cpu *c))
{
	for (unsigned int i = 0; i < ARRAY_SIZE(timers); i++) {
		gic_reset();
		timer_setup(timers[i]);
		TRY(one(timers[i], cpu_self()));
		timers[i]->set_ctl(0);
	}
	return OUTCOME_OK;
}

/* Masks instead of disabling, so that ISTATUS stays readable. */
static void on_timer(struct cpu *c, uint32_t intid)
{
	const struct timer *t = intid == ptimer.intid ? &ptimer : &vtimer;

	gic_log(c, intid);
	t->set_ctl(TIMER_ENABLE | TIMER_IMASK);
	gic_eoi(intid);
}

static enum outcome past(const struct timer *t, struct cpu *c)
{
	const uint64_t values[] = { t->count() - 1, t->count() / 2, 1, 0 };

	c->on_irq = on_timer;
	irq_enable();
	for (unsigned int i = 0; i < ARRAY_SIZE(values); i++) {
		uint32_t before = c->irq_count;

		t->set_cval(values[i]);
		t->set_ctl(TIMER_ENABLE);
		CHECK(WAIT_FOR(c->irq_count != before, AT_ONCE_US), "%s: no interrupt for CVAL %lx (past)", t->name,
		      values[i]);
		CHECK(c->irq_log[before] == t->intid, "%s: interrupt %u, want %u", t->name, c->irq_log[before],
		      t->intid);
		CHECK(t->ctl() == (TIMER_ENABLE | TIMER_IMASK | TIMER_ISTATUS), "%s: CTL %x after the interrupt",
		      t->name, t->ctl());
		t->set_ctl(0);
	}
	CHECK(c->irq_count == ARRAY_SIZE(values), "%s: %u interrupts for %u deadlines", t->name, c->irq_count,
	      (unsigned int)ARRAY_SIZE(values));
	irq_disable();
	return OUTCOME_OK;
}

enum outcome case_timer_past(void)
{
	return on_both(past);
}

static enum outcome never(const struct timer *t, struct cpu *c)
{
	const uint64_t values[] = { ~0ull, ~0ull >> 1 };

	c->on_irq = on_timer;
	irq_enable();
	for (unsigned int i = 0; i < ARRAY_SIZE(values); i++) {
		t->set_cval(values[i]);
		t->set_ctl(TIMER_ENABLE);
		delay_us(NEVER_US);
		CHECK(c->irq_count == 0, "%s: interrupt with CVAL %lx", t->name, values[i]);
		CHECK(t->ctl() == TIMER_ENABLE, "%s: CTL %x with CVAL %lx", t->name, t->ctl(), values[i]);
	}
	/* Such a deadline must not have upset the next one. */
	t->set_cval(t->count() + us_to_ticks(100));
	CHECK(WAIT_FOR(c->irq_count == 1, AT_ONCE_US), "%s: no interrupt after the far deadline", t->name);
	irq_disable();
	return OUTCOME_OK;
}

enum outcome case_timer_never(void)
{
	return on_both(never);
}

static enum outcome masked(const struct timer *t, struct cpu *c)
{
	uint32_t ctl;

	c->on_irq = on_timer;
	irq_enable();
	t->set_cval(t->count() + us_to_ticks(50));
	t->set_ctl(TIMER_ENABLE | TIMER_IMASK);
	ctl = t->ctl();
	/* Another VM may have had the CPU until after the deadline. */
	CHECK(ctl == (TIMER_ENABLE | TIMER_IMASK) || t->count() >= t->cval(), "%s: CTL %x before the deadline", t->name,
	      ctl);
	delay_us(NEVER_US);
	CHECK(c->irq_count == 0, "%s: interrupt although IMASK is set", t->name);
	CHECK(t->ctl() == (TIMER_ENABLE | TIMER_IMASK | TIMER_ISTATUS), "%s: CTL %x, want ISTATUS", t->name, t->ctl());
	CHECK(!gic_is_pending(t->intid), "%s: masked, but the PPI is pending", t->name);
	t->set_ctl(TIMER_ENABLE);
	CHECK(WAIT_FOR(c->irq_count == 1, AT_ONCE_US), "%s: no interrupt when IMASK is cleared", t->name);
	irq_disable();
	return OUTCOME_OK;
}

enum outcome case_timer_masked(void)
{
	return on_both(masked);
}

static enum outcome disabled(const struct timer *t, struct cpu *c)
{
	c->on_irq = on_timer;
	t->set_cval(t->count() - us_to_ticks(50));
	irq_enable();
	delay_us(NEVER_US);
	CHECK(c->irq_count == 0, "%s: interrupt with ENABLE = 0", t->name);
	irq_disable();
	return OUTCOME_OK;
}

enum outcome case_timer_disabled(void)
{
	return on_both(disabled);
}

static void on_late_timer(struct cpu *c, uint32_t intid)
{
	gic_log(c, intid);
	gic_eoi(intid);
}

/*
 * Due while IRQs are masked, then disabled: on hardware the line falls and nothing is left. A hypervisor whose guest
 * disables the timer without a trap may already have the interrupt in a list register; then it comes once with
 * ISTATUS = 0, as a level that falls late does on hardware, and nothing may remain after it.
 */
static enum outcome taken_back(const struct timer *t, struct cpu *c)
{
	uint32_t late;

	c->on_irq = on_late_timer;
	for (uint32_t i = 0; i < 3; i++) {
		t->set_cval(t->count() - 1);
		t->set_ctl(TIMER_ENABLE);
		CHECK(WAIT_FOR(gic_is_pending(t->intid), AT_ONCE_US), "%s: due with IRQs masked, but not pending",
		      t->name);
		t->set_ctl(0);
		dsb();
		late = c->irq_count;
		irq_enable();
		delay_us(NEVER_US);
		irq_disable();
		late = c->irq_count - late;
		CHECK(late <= under_hypervisor(), "%s: %u interrupts although taken back", t->name, late);
		CHECK(!gic_is_pending(t->intid) && !gic_is_active(t->intid), "%s: pending %u, active %u for ever",
		      t->name, gic_is_pending(t->intid), gic_is_active(t->intid));
	}
	/* The next one comes as if nothing had been. */
	late = c->irq_count;
	c->on_irq = on_timer;
	t->set_cval(t->count() + us_to_ticks(50));
	t->set_ctl(TIMER_ENABLE);
	irq_enable();
	CHECK(WAIT_FOR(c->irq_count == late + 1, AT_ONCE_US), "%s: no interrupt afterwards", t->name);
	irq_disable();
	return OUTCOME_OK;
}

enum outcome case_timer_taken_back(void)
{
	return on_both(taken_back);
}

static enum outcome readback(const struct timer *t, struct cpu *c)
{
	static const uint64_t values[] = { 0, 1, 0x123456789abcdef0, ~0ull, 1ull << 63 };
	uint64_t before, after;
	int32_t tval;

	(void)c;
	for (unsigned int i = 0; i < ARRAY_SIZE(values); i++) {
		t->set_cval(values[i]);
		CHECK(t->cval() == values[i], "%s: CVAL reads %lx, wrote %lx", t->name, t->cval(), values[i]);
	}
	/* TVAL is CVAL - count, as 32 bits (DDI 0487, D11.2.4), whether the timer is on or not. */
	before = t->count();
	t->set_cval(before + us_to_ticks(1000));
	tval = t->tval();
	after = t->count();
	CHECK(tval <= (int32_t)us_to_ticks(1000) && tval >= (int32_t)(us_to_ticks(1000) - (after - before)),
	      "%s: TVAL %d for CVAL %lu ahead, %lu ticks passed", t->name, tval, us_to_ticks(1000), after - before);
	before = t->count();
	t->set_tval(-5);
	after = t->count();
	CHECK(t->cval() - (before - 5) <= after - before, "%s: CVAL %lx after TVAL = -5 between %lx and %lx", t->name,
	      t->cval(), before, after);
	before = t->count();
	t->set_tval(0x7fffffff);
	after = t->count();
	CHECK(t->cval() - (before + 0x7fffffff) <= after - before, "%s: CVAL %lx after TVAL = 2^31-1 at %lx", t->name,
	      t->cval(), before);
	for (uint32_t ctl = 0; ctl < 4; ctl += 2) {
		t->set_cval(~0ull);
		t->set_ctl(ctl);
		CHECK(t->ctl() == ctl, "%s: CTL reads %x, wrote %x", t->name, t->ctl(), ctl);
	}
	return OUTCOME_OK;
}

enum outcome case_timer_readback(void)
{
	return on_both(readback);
}

static void on_timer_leave(struct cpu *c, uint32_t intid)
{
	const struct timer *t = intid == ptimer.intid ? &ptimer : &vtimer;

	gic_log(c, intid);
	if (c->irq_count == 5)
		t->set_cval(~0ull); /* the condition goes away, so does the interrupt */
	gic_eoi(intid);
}

static enum outcome level(const struct timer *t, struct cpu *c)
{
	c->on_irq = on_timer_leave;
	t->set_cval(t->count() + us_to_ticks(20));
	t->set_ctl(TIMER_ENABLE);
	irq_enable();
	CHECK(WAIT_FOR(c->irq_count >= 5, AT_ONCE_US), "%s: came %u times while its line was high, want 5", t->name,
	      c->irq_count);
	delay_us(NEVER_US);
	CHECK(c->irq_count == 5, "%s: came %u times, 5 until CVAL moved away", t->name, c->irq_count);
	irq_disable();
	return OUTCOME_OK;
}

enum outcome case_timer_level(void)
{
	return on_both(level);
}

/* ---- none of many is lost ---- */

static struct keep {
	const struct timer *timer;
	uint64_t period;
	uint32_t left; /* still to be programmed */
	uint32_t programmed;
	uint32_t received;
	uint32_t early;
	uint64_t worst_late;
} keeps[2];

static void on_keep(struct cpu *c, uint32_t intid)
{
	struct keep *k = intid == ptimer.intid ? &keeps[1] : &keeps[0];
	uint64_t count = k->timer->count(), deadline = k->timer->cval();

	gic_log(c, intid);
	k->received++;
	if (count < deadline)
		k->early++;
	else if (count - deadline > k->worst_late)
		k->worst_late = count - deadline;
	if (k->left) {
		k->left--;
		k->programmed++;
		k->timer->set_cval(deadline + k->period);
	} else {
		k->timer->set_ctl(0);
	}
	gic_eoi(intid);
}

static void keep_begin(struct keep *k, const struct timer *t, uint32_t count, uint64_t period)
{
	*k = (struct keep){ .timer = t, .period = period, .left = count - 1, .programmed = 1 };
	cpu_self()->on_irq = on_keep;
	timer_setup(t);
	t->set_cval(t->count() + period);
	t->set_ctl(TIMER_ENABLE);
}

/* Every other interrupt is awaited in WFI. Ends when all came, or when none comes for a long time. */
static void keep_wait(const struct keep *k, uint32_t n)
{
	struct cpu *c = cpu_self();

	for (;;) {
		uint32_t seen = c->irq_count;
		bool all = true;

		for (uint32_t i = 0; i < n; i++)
			all &= k[i].received == k[i].programmed && !k[i].left;
		if (all)
			return;
		if (seen & 1) {
			irq_disable();
			if (c->irq_count == seen)
				wfi();
			irq_enable();
		}
		if (!WAIT_FOR(c->irq_count != seen, PATIENCE_US))
			return;
	}
}

static enum outcome keep_check(const struct keep *k, uint32_t count)
{
	info("%s programmed=%u received=%u early=%u worst_late_ns=%lu", k->timer->name, k->programmed, k->received,
	     k->early, ticks_to_ns(k->worst_late));
	CHECK(k->programmed == count && k->received == count, "%s: %u deadlines programmed of %u, %u interrupts",
	      k->timer->name, k->programmed, count, k->received);
	CHECK(!k->early, "%s: %u interrupts before their deadline", k->timer->name, k->early);
	return OUTCOME_OK;
}

static enum outcome keep_run(bool virtual, bool physical)
{
	uint32_t count = (uint32_t)option_number("count", 1000), first = virtual ? 0 : 1, n = virtual + physical;
	uint64_t period = us_to_ticks(option_number("period_us", 200));

	if (virtual)
		keep_begin(&keeps[0], &vtimer, count, period);
	if (physical)
		keep_begin(&keeps[1], &ptimer, count, virtual ? period * 3 / 4 : period);
	irq_enable();
	keep_wait(&keeps[first], n);
	/* One more than programmed would be as wrong. */
	delay_us(NEVER_US);
	irq_disable();
	for (uint32_t i = 0; i < n; i++)
		TRY(keep_check(&keeps[first + i], count));
	return OUTCOME_OK;
}

enum outcome case_timer_keep(void)
{
	return keep_run(true, false);
}

enum outcome case_ptimer_keep(void)
{
	return keep_run(false, true);
}

enum outcome case_timer_keep_both(void)
{
	return keep_run(true, true);
}

/* ---- all CPUs at once ---- */

#define CPUS_COUNT 300u

/* result[0] = next deadline, result[1] = still to come, result[2] = early ones; this CPU's own. */
static void on_cpus_timer(struct cpu *c, uint32_t intid)
{
	gic_log(c, intid);
	c->result[2] += vtimer.count() < c->result[0];
	if (intid == vtimer.intid && --c->result[1]) {
		c->result[0] += us_to_ticks(100);
		vtimer.set_cval(c->result[0]);
	} else {
		vtimer.set_ctl(0);
	}
	gic_eoi(intid);
}

static void cpus_timer(struct cpu *c)
{
	c->on_irq = on_cpus_timer;
	c->result[1] = CPUS_COUNT;
	c->result[2] = 0;
	timer_setup(&vtimer);
	gic_enable(15); /* cpu_stop_all's wake-up */
	c->result[0] = vtimer.count() + us_to_ticks(100);
	vtimer.set_cval(c->result[0]);
	vtimer.set_ctl(TIMER_ENABLE);
	while (c->result[1] && !cpu_stop) {
		wfi();
		irq_enable();
		isb();
		irq_disable();
	}
}

enum outcome case_timer_cpus(void)
{
	for (uint32_t i = 1; i < cpu_count; i++)
		TRY(cpu_start(i, cpus_timer));
	cpus_timer(cpu_self());
	for (uint32_t i = 0; i < cpu_count; i++) {
		if (i)
			TRY(cpu_join(i));
		CHECK(cpus[i].irq_count == CPUS_COUNT && !cpus[i].result[2],
		      "cpu %u: %u interrupts, want %u; %lu early", i, cpus[i].irq_count, CPUS_COUNT, cpus[i].result[2]);
	}
	return OUTCOME_OK;
}

/*
 * CPU 1 takes timer interrupts while this CPU asks for its pending and active state without pause. Whoever answers must not
 * lose what CPU 1 ends in that moment: an interrupt that stays active for ever comes no more.
 */
enum outcome case_timer_asked(void)
{
	uint64_t frame = GUEST_GICR_BASE + GUEST_GICR_STRIDE + GICR_SGI_FRAME;
	uint64_t asked = 0, seen = 0;

	TRY(cpu_start(1, cpus_timer));
	while (!cpus[1].done && !cpus[1].crashed && asked < 1000000) {
		seen |= read32(frame + GICD_ISACTIVER) | read32(frame + GICD_ISPENDR);
		asked++;
		__asm__ volatile("yield");
	}
	TRY(cpu_join(1));
	CHECK(cpus[1].irq_count == CPUS_COUNT, "%u interrupts, want %u, asked %lu times, saw %lx", cpus[1].irq_count,
	      CPUS_COUNT, asked, seen);
	return OUTCOME_OK;
}

/* ---- WFI and the counters ---- */

static enum outcome wfi_wakes(const struct timer *t, struct cpu *c)
{
	static const uint32_t ahead_us[] = { 1, 20, 200, 5000 };

	c->on_irq = on_timer;
	for (unsigned int i = 0; i < ARRAY_SIZE(ahead_us); i++) {
		uint64_t deadline = t->count() + us_to_ticks(ahead_us[i]);
		uint32_t wakes = 0;

		t->set_cval(deadline);
		t->set_ctl(TIMER_ENABLE);
		for (; c->irq_count == i; wakes++) {
			wfi();
			irq_enable();
			isb();
			irq_disable();
			CHECK(t->count() < deadline + us_to_ticks(PATIENCE_US), "%s: no wake-up %u us ahead", t->name,
			      ahead_us[i]);
		}
		CHECK(t->count() >= deadline, "%s: woken before the deadline %u us ahead", t->name, ahead_us[i]);
		t->set_ctl(0);
	}
	return OUTCOME_OK;
}

enum outcome case_wfi_wakes(void)
{
	return on_both(wfi_wakes);
}

/* A WFI with an interrupt pending returns although PSTATE masks it, as often as it is executed. */
enum outcome case_wfi_masked(void)
{
	struct cpu *c = cpu_self();

	gic_setup_edge(40, PRIO_DEFAULT);
	gic_set_pending(40);
	for (unsigned int i = 0; i < 3; i++)
		wfi();
	CHECK(c->irq_count == 0, "interrupt taken although PSTATE.I is set");
	CHECK(sysreg_read(isr_el1) & 1 << 7, "ISR_EL1 %lx: no IRQ shown pending", sysreg_read(isr_el1));
	gic_take_pending();
	CHECK(c->irq_count == 1 && c->irq_log[0] == 40, "%u interrupts, first %u; want one, 40", c->irq_count,
	      c->irq_log[0]);
	CHECK(!(sysreg_read(isr_el1) & 1 << 7), "ISR_EL1 %lx: still pending", sysreg_read(isr_el1));
	return OUTCOME_OK;
}

/* Counters never go back, over yields and WFIs too, and keep their distance. */
enum outcome case_counter(void)
{
	uint64_t last_v = vtimer.count(), last_p = ptimer.count(), offset = last_p - last_v, span;

	CHECK(tick_hz >= 1000000 && tick_hz <= 2000000000, "CNTFRQ_EL0 is %lu", tick_hz);
	for (unsigned int i = 0; i < 1000; i++) {
		uint64_t v0 = vtimer.count(), p = ptimer.count(), v1 = vtimer.count();

		CHECK(v0 >= last_v && v1 >= v0, "CNTVCT went back: %lx %lx %lx", last_v, v0, v1);
		CHECK(p >= last_p, "CNTPCT went back: %lx, then %lx", last_p, p);
		/* v0 <= p - offset <= v1, but for the first pair's own distance */
		span = v1 - v0 + us_to_ticks(AT_ONCE_US);
		CHECK(p - offset - v0 + us_to_ticks(AT_ONCE_US) <= 2 * span, "CNTPCT - CNTVCT moved: %lx, was %lx",
		      p - v0, offset);
		last_v = v1, last_p = p;
		if (i % 16 == 0)
			vm_yield();
	}
	return OUTCOME_OK;
}

static void report_time(struct cpu *c)
{
	c->result[0] = now();
	dsb();
	c->stage = 1;
}

/* All CPUs of a VM share one virtual time. */
enum outcome case_counter_cpus(void)
{
	for (uint32_t i = 1; i < cpu_count; i++) {
		uint64_t before = now(), there;

		TRY(cpu_start(i, report_time));
		TRY(cpu_join(i));
		there = cpus[i].result[0];
		CHECK(there >= before && there <= now(), "cpu %u read %lx, between %lx and %lx here", i, there, before,
		      now());
	}
	return OUTCOME_OK;
}
