/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Generic timer, EL1 virtual (DDI 0487, D12): CNTV_CVAL_EL0 holds an absolute deadline, so nothing drifts with the time
 * that handling takes. Level-triggered: the handler masks the output before the interrupt is ended.
 *
 * Called with interrupts masked, except the readers and conversions at the end.
 */
#include "kernel/timer.h"

#include "kernel/arch.h"
#include "kernel/gic.h"

#include "abi/platform.h"

#define CNTV_CTL_ENABLE 1u

#define NS_PER_S UINT64_C(1000000000)
#define US_PER_S UINT64_C(1000000)

static timer_expired_t *timer_expired;
static uint64_t hz;

static void timer_interrupt(uint64_t entry)
{
	timer_disarm();
	timer_expired(entry);
}

bool timer_init(timer_expired_t *expired)
{
	hz = sysreg_read(cntfrq_el0);
	if (hz == 0)
		return false;
	timer_expired = expired;
	timer_disarm();
	gic_attach(GUEST_PPI_VTIMER, GIC_PRIORITY_TIMER, timer_interrupt);
	return true;
}

void timer_arm(uint64_t deadline)
{
	sysreg_write(cntv_cval_el0, deadline);
	sysreg_write(cntv_ctl_el0, CNTV_CTL_ENABLE);
	isb();
}

void timer_disarm(void)
{
	sysreg_write(cntv_ctl_el0, 0);
	isb(); /* the line is down before the interrupt is ended */
}

uint64_t timer_now(void)
{
	isb(); /* else the counter may be read speculatively early (D12.2.1) */
	return sysreg_read(cntvct_el0);
}

uint64_t timer_hz(void)
{
	return hz;
}

/* Split, as ticks * 10^9 alone would overflow after 18 s at 1 GHz. */
uint64_t timer_ticks_to_ns(uint64_t ticks)
{
	return ticks / hz * NS_PER_S + ticks % hz * NS_PER_S / hz;
}

uint64_t timer_us_to_ticks(uint64_t us)
{
	return us / US_PER_S * hz + us % US_PER_S * hz / US_PER_S;
}
