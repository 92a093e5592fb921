/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mutexes with priority inheritance.
 *
 * The rule: a task's priority is the highest of its own and those of all who wait for a mutex that it owns. Whatever
 * changes one side of it (a waiter comes, leaves, or changes priority; a mutex is released) calls inherit(), which
 * restores the rule for one task and, if that changed, goes on to the task that this one waits for. A circle of
 * waiting tasks can't come into being: it is refused as a deadlock, so every walk ends after at most RTOS_TASK_MAX
 * tasks.
 *
 * An unlock hands the mutex to its first waiter: nobody overtakes, and the new owner need not compete for it.
 * Interrupts masked; tasks only.
 */
#include "kernel/mutex.h"

#include "arch/port.h"
#include "kernel/sched.h"

static uint8_t priority_owed(const struct rtos_task *task)
{
	uint8_t priority = task->base_priority;

	for (const struct rtos_mutex *mutex = task->held; mutex; mutex = mutex->held_next) {
		if (mutex->waiters.first && mutex->waiters.first->priority > priority)
			priority = mutex->waiters.first->priority;
	}
	return priority;
}

static void inherit(struct rtos_task *task)
{
	for (;;) {
		uint8_t priority = priority_owed(task);

		if (priority == task->priority)
			return;
		sched_set_priority(task, priority);
		if (!task->blocked_on)
			return;
		task = task->blocked_on->owner;
	}
}

void mutex_waiter_came(struct rtos_task *task)
{
	inherit(task->blocked_on->owner);
}

void mutex_waiter_gone(struct rtos_mutex *mutex)
{
	inherit(mutex->owner);
}

void mutex_priority_changed(struct rtos_task *task)
{
	inherit(task);
}

static void own(struct rtos_mutex *mutex, struct rtos_task *task)
{
	mutex->owner = task;
	mutex->held_next = task->held;
	task->held = mutex;
}

static void disown(struct rtos_mutex *mutex, struct rtos_task *task)
{
	struct rtos_mutex **link = &task->held;

	while (*link != mutex)
		link = &(*link)->held_next;
	*link = mutex->held_next;
	mutex->held_next = NULL;
}

/* Does the mutex's owner wait for `task`, perhaps by way of others? */
static bool would_deadlock(const struct rtos_mutex *mutex, const struct rtos_task *task)
{
	while (mutex) {
		if (mutex->owner == task)
			return true;
		mutex = mutex->owner->blocked_on;
	}
	return false;
}

void rtos_mutex_init(struct rtos_mutex *mutex)
{
	*mutex = (struct rtos_mutex){ 0 };
}

static int lock_contended(struct rtos_mutex *mutex, struct rtos_task *task, uint64_t deadline, uint64_t saved)
{
	int result;

	if (mutex->owner == task)
		return RTOS_EDEADLOCK;
	result = sched_may_wait(deadline, saved);
	if (result != RTOS_OK)
		return result;
	if (would_deadlock(mutex, task))
		return RTOS_EDEADLOCK;
	task->blocked_on = mutex;
	return sched_wait(&mutex->waiters, RTOS_TASK_WAIT_MUTEX, deadline);
}

int rtos_mutex_lock(struct rtos_mutex *mutex, uint64_t deadline)
{
	uint64_t saved = port_irq_save();
	struct rtos_task *task = sched.current;
	int result = RTOS_OK;

	if (sched.in_interrupt)
		result = RTOS_ECONTEXT;
	else if (!mutex->owner)
		own(mutex, task);
	else
		result = lock_contended(mutex, task, deadline, saved);
	port_irq_restore(saved);
	return result;
}

int rtos_mutex_unlock(struct rtos_mutex *mutex)
{
	uint64_t saved = port_irq_save();
	struct rtos_task *task = sched.current, *next = mutex->waiters.first;
	int result = RTOS_OK;

	if (sched.in_interrupt) {
		result = RTOS_ECONTEXT;
	} else if (mutex->owner != task) {
		result = RTOS_EOWNER;
	} else {
		disown(mutex, task);
		mutex->owner = NULL;
		if (next) {
			/*
			 * It inherits nothing from those who go on waiting: none of them is more urgent, or it weren't
			 * first.
			 */
			sched_wake(next, RTOS_OK);
			own(mutex, next);
			inherit(task);
			sched_resched(saved);
		}
	}
	port_irq_restore(saved);
	return result;
}
