/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notifications: bits of a task that others set and it fetches. While it waits, its member `item` points to the mask.
 */
#include "arch/port.h"
#include "kernel/sched.h"

static uint32_t fetch(struct rtos_task *task, uint32_t mask)
{
	uint32_t bits = task->notified & mask;

	task->notified &= ~mask;
	return bits;
}

int rtos_notify(struct rtos_task *task, uint32_t bits)
{
	uint64_t saved = port_irq_save();
	int result = RTOS_OK;

	if (!bits || task->state == RTOS_TASK_ENDED) {
		result = RTOS_EINVAL;
	} else {
		task->notified |= bits;
		if (task->state == RTOS_TASK_WAIT_NOTIFY && task->notified & *(const uint32_t *)task->item) {
			sched_wake(task, RTOS_OK);
			sched_resched(saved);
		}
	}
	port_irq_restore(saved);
	return result;
}

int rtos_notify_wait(uint32_t mask, uint32_t *bits, uint64_t deadline)
{
	uint64_t saved;
	struct rtos_task *task;
	int result = RTOS_OK;
	uint32_t fetched = 0;

	if (!mask)
		return RTOS_EINVAL;
	saved = port_irq_save();
	task = sched.current;
	if (sched.in_interrupt)
		result = RTOS_ECONTEXT;
	else if (!(task->notified & mask))
		result = sched_may_wait(deadline, saved);
	if (result == RTOS_OK && !(task->notified & mask)) {
		task->item = &mask;
		result = sched_wait(NULL, RTOS_TASK_WAIT_NOTIFY, deadline);
	}
	if (result == RTOS_OK)
		fetched = fetch(task, mask);
	port_irq_restore(saved);
	if (result == RTOS_OK && bits)
		*bits = fetched;
	return result;
}
