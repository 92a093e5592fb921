/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Common parts of the hostile cases (hostile.h).
 */
#include "hostile.h"

#include "dev.h"
#include "gic.h"
#include "timer.h"

uint64_t ram_end(void)
{
	return machine.ram_base + machine.ram_bytes;
}

enum outcome want_trap(const char *what, uint64_t esr, uint64_t far)
{
	struct cpu *c = cpu_self();
	uint32_t count = trap_done();

	CHECK(count == 1, "%s: %u exceptions, want 1 (ESR %lx)", what, count, c->trap_esr);
	CHECK(c->trap_esr == esr, "%s: ESR %lx, want %lx", what, c->trap_esr, esr);
	CHECK(far == FAR_ANY || c->trap_far == far, "%s: FAR %lx, want %lx", what, c->trap_far, far);
	return OUTCOME_OK;
}

enum outcome want_nothing(const char *what)
{
	uint32_t count = trap_done();

	CHECK(!count, "%s: ESR %lx FAR %lx, want no exception", what, cpu_self()->trap_esr, cpu_self()->trap_far);
	return OUTCOME_OK;
}

enum outcome want_exit(const char *what, const struct el0_exit *x, uint64_t esr, uint64_t far)
{
	CHECK(x->esr == esr, "%s at EL0: ESR %lx, want %lx", what, x->esr, esr);
	CHECK(far == FAR_ANY || x->far == far, "%s at EL0: FAR %lx, want %lx", what, x->far, far);
	return OUTCOME_OK;
}

static void on_timer(struct cpu *c, uint32_t intid)
{
	if (intid == vtimer.intid)
		vtimer.set_ctl(0);
	gic_irq_default(c, intid);
}

enum outcome still_sound(void)
{
	struct cpu *c = cpu_self();

	gic_reset();
	c->on_irq = on_timer;
	timer_setup(&vtimer);
	gic_setup_edge(3, 0x80);
	vtimer.set_cval(now() + us_to_ticks(50));
	vtimer.set_ctl(TIMER_ENABLE);
	gic_sgi(c->mpidr, 3);
	irq_enable();
	(void)WAIT_FOR(c->irq_count >= 2, PATIENCE_US);
	irq_disable();
	CHECK(c->irq_count == 2 && gic_log_count(c, 3) == 1 && gic_log_count(c, vtimer.intid) == 1,
	      "afterwards %u interrupts come (SGI %u times, timer %u), want 1 and 1", c->irq_count, gic_log_count(c, 3),
	      gic_log_count(c, vtimer.intid));
	CHECK(read32(GUEST_UART_BASE + UARTPERIPHID0) == 0x11, "afterwards UARTPeriphID0 is %x",
	      read32(GUEST_UART_BASE + UARTPERIPHID0));
	return OUTCOME_OK;
}

enum outcome others_start(void (*work)(struct cpu *c))
{
	for (uint32_t i = 1; i < cpu_count; i++) {
		TRY(cpu_start(i, work));
		CHECK(WAIT_FOR(cpus[i].stage == 1, PATIENCE_US), "cpu %u does not start", i);
	}
	return OUTCOME_OK;
}

enum outcome others_join(void)
{
	for (uint32_t i = 1; i < cpu_count; i++) {
		cpus[i].stage = 2;
		TRY(cpu_join(i));
	}
	return OUTCOME_OK;
}
