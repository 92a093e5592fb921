/* SPDX-License-Identifier: Apache-2.0 */
/* The EL1 virtual counter and one armed deadline, in ticks of it; the queue of deadlines is kernel/deadline.c. */
#ifndef RTOS_ARCH_TIMER_H
#define RTOS_ARCH_TIMER_H

#include "arch/cpu.h"

/* CNTV_CTL_EL0 (DDI 0487, D19.12.20) */
#define CNTV_CTL_ENABLE 1u

/* False if the firmware left CNTFRQ_EL0 zero. After gic_init(), interrupts masked. */
bool timer_init(void);

uint64_t timer_hz(void);

/*
 * Interrupt at this count, at once if it has passed. Replaces an earlier deadline. Interrupts masked. The ISB is for
 * the interrupt's handler: the line is down before it is ended.
 */
static inline void timer_arm(uint64_t deadline)
{
	sysreg_write(cntv_cval_el0, deadline);
	sysreg_write(cntv_ctl_el0, CNTV_CTL_ENABLE);
	isb();
}

static inline void timer_disarm(void)
{
	sysreg_write(cntv_ctl_el0, 0);
	isb();
}

static inline uint64_t timer_now(void)
{
	isb(); /* else the counter may be read speculatively early (D12.2.1) */
	return sysreg_read(cntvct_el0);
}

#endif
