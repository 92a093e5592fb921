/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time: the system counter in ticks, and one deadline queue per physical CPU on the hypervisor's own timer.
 *
 * A timer belongs to one CPU's queue at a time. Its function runs on that CPU, interrupts masked, no lock held, after it
 * was taken off the queue; it may arm itself again. Arming and cancelling are allowed from any CPU; a cancel from another
 * CPU may return while the function is about to run there (functions check their object's state themselves).
 */
#ifndef CAMBER_TIME_H
#define CAMBER_TIME_H

#include "camber/lib.h"
#include "camber/spinlock.h"

#define TIME_NEVER UINT64_MAX

struct timer {
	struct list node;  /* points to itself while not queued */
	uint64_t deadline; /* arch_now() ticks */
	void (*fn)(struct timer *t);
	struct timer_queue *queue; /* whose queue it is on, or was last */
};

struct timer_queue {
	struct spinlock lock;
	struct list head;      /* by deadline, soonest first */
	uint64_t programmed;   /* deadline in the hardware, TIME_NEVER = off */
	struct timer *running; /* whose function is at work; never followed */
	unsigned int cpu;
};

/* Once, with the counter's frequency in Hz (1 MHz .. 10 GHz; panics otherwise). */
void time_init(uint64_t counter_hz);
uint64_t time_hz(void);
uint64_t time_ticks_to_ns(uint64_t ticks);
uint64_t time_ns_to_ticks(uint64_t ns); /* saturates at TIME_NEVER */

void timer_queue_init(struct timer_queue *q, unsigned int cpu);
void timer_init(struct timer *t, void (*fn)(struct timer *t));

/* Puts t on the queue of `q` for `deadline` (past ones fire at once); moves it if it was queued. */
void timer_arm(struct timer *t, struct timer_queue *q, uint64_t deadline);
void timer_cancel(struct timer *t);
/* The same, and the function doesn't run any more on return. No lock held that it takes. */
void timer_cancel_sync(struct timer *t);
static inline bool timer_armed(const struct timer *t)
{
	return !list_empty(&t->node);
}

/* The hypervisor timer's interrupt on the queue's own CPU: runs what is due, programs the next deadline. */
void timer_queue_run(struct timer_queue *q);

#endif
