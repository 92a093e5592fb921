/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue of deadlines: a binary heap, so each operation needs at most log2(DEADLINE_MAX) steps. The timer holds the
 * earliest one or, after a removal, an earlier time: that interrupt finds nothing to do and sets it right.
 * All with interrupts masked.
 */
#ifndef RTOS_KERNEL_DEADLINE_H
#define RTOS_KERNEL_DEADLINE_H

#include "rtos.h"

/* One a task, the time slice, the hang watch. */
#define DEADLINE_MAX (RTOS_TASK_MAX + 2u)

/* Calls expired() once, in the timer's interrupt, when that time has come. Not in the queue yet. */
void deadline_add(struct rtos_deadline *deadline, uint64_t at);

/* Takes out one that is in. */
void deadline_take(struct rtos_deadline *deadline);

/* Takes it out, if it is in. */
static inline void deadline_remove(struct rtos_deadline *deadline)
{
	if (deadline->slot)
		deadline_take(deadline);
}

/*
 * From the timer's interrupt: whatever has expired by `now`, then the timer anew. At most DEADLINE_MAX calls of
 * expired().
 */
void deadline_run(uint64_t now);

/* What the timer is set to; RTOS_FOREVER: nothing. */
uint64_t deadline_armed(void);

/* Forgets everything. */
void deadline_reset(void);

#endif
