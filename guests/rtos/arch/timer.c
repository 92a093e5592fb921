/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Generic timer, EL1 virtual (DDI 0487, D12): CNTV_CVAL_EL0 holds an absolute deadline, so nothing drifts with the
 * time that handling takes. Level-triggered: deadline_run() sets it to a later time, or switches it off, before the
 * interrupt is ended.
 */
#include "arch/timer.h"

#include "arch/gic.h"
#include "kernel/deadline.h"

#include "abi/platform.h"

static uint64_t hz;

static void timer_interrupt(void *arg)
{
	(void)arg;
	deadline_run(timer_now());
}

bool timer_init(void)
{
	hz = sysreg_read(cntfrq_el0);
	if (hz == 0)
		return false;
	timer_disarm();
	gic_attach(GUEST_PPI_VTIMER, GIC_PRIORITY_TIMER, timer_interrupt, NULL);
	return true;
}

uint64_t timer_hz(void)
{
	return hz;
}
