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

/*
 * Wait for a device that counts seconds: asleep between two looks (idle time is skipped in deterministic runs), then,
 * where the device follows another clock than the counter, awake. IRQs masked; interrupts pending or not do not matter.
 * Uses the virtual timer.
 */
#define WAIT_ASLEEP(cond, us)                                                                                          \
	({                                                                                                             \
		uint64_t asleep_end = now() + us_to_ticks(us);                                                         \
		while (!(cond) && now() < asleep_end)                                                                  \
			timer_nap_us(10000);                                                                           \
		WAIT_FOR(cond, us);                                                                                    \
	})
void timer_nap_us(uint64_t us);

/* Off, and its interrupt enabled at this CPU's redistributor. */
void timer_setup(const struct timer *t);

#endif
