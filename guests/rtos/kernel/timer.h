/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tickless time: the EL1 virtual counter and one armed deadline. Times are counter ticks; ns and us only for people.
 */
#ifndef RTOS_KERNEL_TIMER_H
#define RTOS_KERNEL_TIMER_H

#include <stdbool.h>
#include <stdint.h>

/* In the interrupt, masked, the timer disarmed: arm it again or leave it. entry: counter at exception entry. */
typedef void timer_expired_t(uint64_t entry);

/* False if the firmware left CNTFRQ_EL0 zero. After gic_init(), interrupts masked. */
bool timer_init(timer_expired_t *expired);

/* Interrupt at this count, at once if it has passed. Replaces an earlier deadline. Interrupts masked. */
void timer_arm(uint64_t deadline);
void timer_disarm(void);

uint64_t timer_now(void);
uint64_t timer_hz(void);
uint64_t timer_ticks_to_ns(uint64_t ticks);
uint64_t timer_us_to_ticks(uint64_t us);

#endif
