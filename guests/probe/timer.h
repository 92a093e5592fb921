/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two EL1 timers of a CPU (Arm DDI 0487, D11.2) behind one table, so that every case runs on both.
 */
#ifndef PROBE_TIMER_H
#define PROBE_TIMER_H

#include "abi/platform.h"
#include "probe.h"

#define TIMER_ENABLE 1u
#define TIMER_IMASK 2u
#define TIMER_ISTATUS 4u

struct timer {
	const char *name;
	uint32_t intid;
	uint64_t (*count)(void);
	uint64_t (*cval)(void);
	void (*set_cval)(uint64_t value);
	int32_t (*tval)(void);
	void (*set_tval)(int32_t value);
	uint32_t (*ctl)(void);
	void (*set_ctl)(uint32_t value);
};

extern const struct timer vtimer, ptimer;

/* Off, and its interrupt enabled at this CPU's redistributor. */
void timer_setup(const struct timer *t);

#endif
