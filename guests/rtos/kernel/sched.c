/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scheduler: who runs, waiting with a deadline, waking, time slices.
 *
 * Every operation takes constant time but for the deadline heap (logarithmic) and insertion into a list of waiters (as
 * many steps as there are less urgent ones in it). Never allocates. Interrupts are masked in all of it: that is the
 * only lock.
 */
#include "kernel/sched.h"

#include "arch/port.h"
#include "kernel/mutex.h"

struct sched sched;

static void (*idle_hook)(void);
static void (*idle_wait)(uint64_t deadline); /* NULL: for an interrupt */

/*
 * The running task's turn ends when it has computed for slice_ticks, with whatever pre-empts it in between: a turn
 * that began anew each time would keep its equals waiting for ever.
 */
static void slice_start(void)
{
	struct rtos_task *current = sched.current;

	deadline_remove(&sched.slice);
	if (current->next == current || !current->priority)
		return;
	if (current->turn_end <= current->cpu_ticks)
		current->turn_end = current->cpu_ticks + sched.slice_ticks;
	deadline_add(&sched.slice, sched.charged_at + current->turn_end - current->cpu_ticks);
}

/*
 * The turn is over: the next one of its list comes first. If a more urgent task is ready too, it runs before that one.
 */
static void slice_expired(struct rtos_deadline *deadline)
{
	struct rtos_list *list = &sched.ready[sched.current->priority];

	(void)deadline;
	sched.current->turn_end = 0;
	if (list->first == sched.current)
		list->first = sched.current->next;
}

void sched_slice_check(const struct rtos_task *task)
{
	if (sched.slice_ticks && !sched.slice.slot && task->priority == sched.current->priority)
		slice_start();
}

/* Checks and charges the running task; `next` is the running one from now on. Returns who was. */
static inline struct rtos_task *hand_over(struct rtos_task *next)
{
	struct rtos_task *previous = sched.current;
	uint64_t now = port_count();

	if (*(const uint64_t *)(const void *)previous->stack_base != STACK_PATTERN)
		port_fatal_task("stack overflow (its end is overwritten)", previous);
	previous->cpu_ticks += now - sched.charged_at;
	sched.charged_at = now;
	next->switch_count++;
	sched.current = next;
	return previous;
}

static __attribute__((noinline)) void switch_with_slice(struct rtos_task *next)
{
	struct rtos_task *previous = hand_over(next);

	slice_start();
	port_switch(previous, next);
}

/* Two ways, so that the common one is straight and needs no stack. */
void sched_switch(struct rtos_task *next)
{
	if (sched.slice_ticks)
		switch_with_slice(next);
	else
		port_switch(hand_over(next), next);
}

int sched_may_wait(uint64_t deadline, uint64_t saved)
{
	if (deadline == RTOS_NO_WAIT)
		return RTOS_ETIMEDOUT;
	if (port_irq_was_masked(saved) || sched.current == sched.tasks[0])
		return RTOS_ECONTEXT;
	if (deadline != RTOS_FOREVER && deadline <= port_now())
		return RTOS_ETIMEDOUT;
	return RTOS_OK;
}

static void wait_expired(struct rtos_deadline *deadline)
{
	struct rtos_task *task = (struct rtos_task *)((char *)deadline - offsetof(struct rtos_task, deadline));
	struct rtos_mutex *mutex = task->blocked_on;

	sched_wake(task, RTOS_ETIMEDOUT);
	if (mutex)
		mutex_waiter_gone(mutex);
}

int sched_wait(struct rtos_list *list, enum rtos_task_state state, uint64_t deadline)
{
	struct rtos_task *task = sched.current;

	sched_ready_remove(task);
	task->state = (uint8_t)state;
	task->waiting_in = list;
	if (list)
		list_insert_by_priority(list, task);
	if (deadline != RTOS_FOREVER)
		deadline_add(&task->deadline, deadline);
	if (state == RTOS_TASK_WAIT_MUTEX)
		mutex_waiter_came(task);
	sched_switch(sched_top());
	return task->result;
}

/* A running task that is lowered stays ahead of its equals: it was running before them. */
void sched_set_priority(struct rtos_task *task, uint8_t priority)
{
	if (task->state == RTOS_TASK_READY) {
		sched_ready_remove(task);
		task->priority = priority;
		sched_ready_append(task);
		if (task == sched.current)
			sched.ready[priority].first = task;
		sched_slice_check(task);
	} else if (task->waiting_in) {
		list_remove(task->waiting_in, task);
		task->priority = priority;
		list_insert_by_priority(task->waiting_in, task);
	} else {
		task->priority = priority;
	}
}

void sched_init(struct rtos_task *idle)
{
	sched = (struct sched){ .current = idle, .slice.expired = slice_expired, .charged_at = port_count() };
	*(uint64_t *)(void *)idle->stack_base = STACK_PATTERN;
	idle_hook = NULL;
	idle_wait = NULL;
	deadline_reset();
	sched_add(idle);
}

void sched_add(struct rtos_task *task)
{
	task->deadline.expired = wait_expired;
	task->state = RTOS_TASK_READY;
	sched.tasks[sched.task_count++] = task;
	sched_ready_append(task);
	sched_slice_check(task);
}

_Noreturn void sched_end(void)
{
	struct rtos_task *task = sched.current;
	uint32_t place = 0;

	while (sched.tasks[place] != task)
		place++;
	sched.tasks[place] = sched.tasks[--sched.task_count];
	sched_ready_remove(task);
	task->state = RTOS_TASK_ENDED;
	while (task->joiners.first)
		sched_wake(task->joiners.first, RTOS_OK);
	sched_switch(sched_top());
	port_fatal("a task ran after its end");
}

_Noreturn void sched_task_begin(void)
{
	struct rtos_task *task = sched.current;

	port_irq_enable();
	task->entry(task->arg);
	rtos_task_exit();
}

void rtos_yield(void)
{
	uint64_t saved = port_irq_save();
	struct rtos_task *task = sched.current;

	if (!port_irq_was_masked(saved) && task->next != task) {
		sched.ready[task->priority].first = task->next;
		sched_resched(saved);
	}
	port_irq_restore(saved);
}

void rtos_time_slice(uint64_t ticks)
{
	uint64_t saved = port_irq_save();

	deadline_remove(&sched.slice);
	sched.slice_ticks = ticks;
	if (ticks)
		slice_start();
	port_irq_restore(saved);
}

int rtos_sleep_until(uint64_t deadline)
{
	uint64_t saved = port_irq_save();
	int result = sched_may_wait(deadline, saved);

	if (result == RTOS_OK) {
		sched_wait(NULL, RTOS_TASK_SLEEPING, deadline);
		result = RTOS_OK;
	}
	port_irq_restore(saved);
	return result;
}

uint64_t rtos_irq_save(void)
{
	return port_irq_save();
}

/* The end of a section in which somebody more urgent may have been woken. */
void rtos_irq_restore(uint64_t saved)
{
	if (!port_irq_was_masked(saved))
		sched_resched(saved);
	port_irq_restore(saved);
}

struct rtos_task *rtos_task_self(void)
{
	return sched.current;
}

void rtos_idle_hook(void (*hook)(void))
{
	idle_hook = hook;
}

void sched_idle_wait(void (*wait)(uint64_t deadline))
{
	idle_wait = wait;
}

_Noreturn void sched_idle(void)
{
	if (sched_top() != sched.current)
		sched_switch(sched_top());
	port_irq_enable();
	for (;;) {
		if (idle_hook)
			idle_hook();
		if (!idle_wait) {
			port_wait_for_interrupt();
			continue;
		}
		port_irq_save();
		idle_wait(deadline_armed());
		port_irq_enable();
	}
}
