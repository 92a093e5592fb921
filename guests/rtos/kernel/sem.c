/* SPDX-License-Identifier: Apache-2.0 */
/* Counting semaphores. A give goes to the first waiter directly, so the count is above 0 only while nobody waits. */
#include "arch/port.h"
#include "kernel/sched.h"

int rtos_sem_init(struct rtos_sem *sem, uint32_t count, uint32_t limit)
{
	if (limit && count > limit)
		return RTOS_EINVAL;
	*sem = (struct rtos_sem){ .count = count, .limit = limit };
	return RTOS_OK;
}

int rtos_sem_take(struct rtos_sem *sem, uint64_t deadline)
{
	uint64_t saved = port_irq_save();
	int result = RTOS_OK;

	if (sem->count) {
		sem->count--;
	} else {
		result = sched_may_wait(deadline, saved);
		if (result == RTOS_OK)
			result = sched_wait(&sem->waiters, RTOS_TASK_WAIT_SEM, deadline);
	}
	port_irq_restore(saved);
	return result;
}

int rtos_sem_give(struct rtos_sem *sem)
{
	uint64_t saved = port_irq_save();
	int result = RTOS_OK;

	if (sem->waiters.first) {
		sched_wake(sem->waiters.first, RTOS_OK);
		sched_resched(saved);
	} else if (sem->count == (sem->limit ? sem->limit : UINT32_MAX)) {
		result = RTOS_EFULL;
	} else {
		sem->count++;
	}
	port_irq_restore(saved);
	return result;
}
