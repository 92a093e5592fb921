/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accessors of the virtual and the physical EL1 timer. No state; each CPU has its own timers.
 */
#include "timer.h"

#include "gic.h"

#define TIMER_OPS(prefix, counter, reg)                                                                                \
	static uint64_t prefix##_count(void)                                                                           \
	{                                                                                                              \
		isb();                                                                                                 \
		return sysreg_read(counter);                                                                           \
	}                                                                                                              \
	static uint64_t prefix##_cval(void)                                                                            \
	{                                                                                                              \
		return sysreg_read(reg##_cval_el0);                                                                    \
	}                                                                                                              \
	static void prefix##_set_cval(uint64_t value)                                                                  \
	{                                                                                                              \
		sysreg_write(reg##_cval_el0, value);                                                                   \
		isb();                                                                                                 \
	}                                                                                                              \
	static int32_t prefix##_tval(void)                                                                             \
	{                                                                                                              \
		return (int32_t)sysreg_read(reg##_tval_el0);                                                           \
	}                                                                                                              \
	static void prefix##_set_tval(int32_t value)                                                                   \
	{                                                                                                              \
		sysreg_write(reg##_tval_el0, (uint32_t)value);                                                         \
		isb();                                                                                                 \
	}                                                                                                              \
	static uint32_t prefix##_ctl(void)                                                                             \
	{                                                                                                              \
		isb();                                                                                                 \
		return (uint32_t)sysreg_read(reg##_ctl_el0);                                                           \
	}                                                                                                              \
	static void prefix##_set_ctl(uint32_t value)                                                                   \
	{                                                                                                              \
		sysreg_write(reg##_ctl_el0, value);                                                                    \
		isb();                                                                                                 \
	}                                                                                                              \
	const struct timer prefix = {                                                                                  \
		.name = #prefix,                                                                                       \
		.intid = prefix##_INTID,                                                                               \
		.count = prefix##_count,                                                                               \
		.cval = prefix##_cval,                                                                                 \
		.set_cval = prefix##_set_cval,                                                                         \
		.tval = prefix##_tval,                                                                                 \
		.set_tval = prefix##_set_tval,                                                                         \
		.ctl = prefix##_ctl,                                                                                   \
		.set_ctl = prefix##_set_ctl,                                                                           \
	}

#define vtimer_INTID GUEST_PPI_VTIMER
#define ptimer_INTID GUEST_PPI_PTIMER

TIMER_OPS(vtimer, cntvct_el0, cntv);
TIMER_OPS(ptimer, cntpct_el0, cntp);

uint64_t tick_hz;

/* With IRQs masked: the pending interrupt ends the WFI and is gone with the timer's condition. */
void timer_nap_us(uint64_t us)
{
	gic_enable(vtimer.intid);
	vtimer.set_cval(now() + us_to_ticks(us));
	vtimer.set_ctl(TIMER_ENABLE);
	wfi();
	vtimer.set_ctl(0);
	gic_disable(vtimer.intid);
	gic_clear_pending(vtimer.intid);
}

void timer_setup(const struct timer *t)
{
	t->set_ctl(0);
	gic_clear_pending(t->intid);
	gic_enable(t->intid);
}
