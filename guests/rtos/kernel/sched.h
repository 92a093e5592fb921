/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel's parts share: the ready queue, waiting and waking. Nothing here is for applications.
 *
 * The running task stays first in the ready list of its priority, so "who should run" is always the first task of the
 * highest list, and a switch is due whenever that isn't the running one. Everything with interrupts masked.
 */
#ifndef RTOS_KERNEL_SCHED_H
#define RTOS_KERNEL_SCHED_H

#include "arch/port.h"
#include "kernel/deadline.h"
#include "kernel/list.h"
#include "rtos.h"

#define PRIORITY_COUNT (RTOS_PRIORITY_MAX + 1u)

/* At the bottom of each stack, and what a fresh stack is filled with. A constant that one instruction makes. */
#define STACK_PATTERN UINT64_C(0x3c3c3c3c3c3c3c3c)

struct sched {
	struct rtos_task *current;
	uint32_t ready_map; /* bit n: ready[n] isn't empty; idle sees to it that it is never 0 */
	bool in_interrupt;
	uint64_t interrupt_entry; /* the counter when the latest interrupt was taken */
	uint64_t charged_at;      /* the counter at the last switch */
	uint64_t slice_ticks;
	struct rtos_deadline slice; /* when the running task's turn ends */
	struct rtos_list ready[PRIORITY_COUNT];
	struct rtos_task *tasks[RTOS_TASK_MAX]; /* all that exist; idle is the first */
	uint32_t task_count;
};

extern struct sched sched;

static inline void sched_ready_append(struct rtos_task *task)
{
	list_append(&sched.ready[task->priority], task);
	sched.ready_map |= 1u << task->priority;
}

static inline void sched_ready_remove(struct rtos_task *task)
{
	list_remove(&sched.ready[task->priority], task);
	if (!sched.ready[task->priority].first)
		sched.ready_map &= ~(1u << task->priority);
}

/* Who should run. */
static inline struct rtos_task *sched_top(void)
{
	return sched.ready[31 - __builtin_clz(sched.ready_map)].first;
}

/* Runs another task. Returns when the caller's is chosen again. */
void sched_switch(struct rtos_task *next);

/*
 * After anything that may have made another task the most urgent one; `saved` is what port_irq_save() returned. Where
 * interrupts were masked already the switch is put off: a handler's until it returns, a task's until
 * rtos_irq_restore().
 */
static inline void sched_resched(uint64_t saved)
{
	struct rtos_task *top = sched_top();

	if (top != sched.current && !port_irq_was_masked(saved))
		sched_switch(top);
}

/*
 * May the caller wait until `deadline`? RTOS_OK, RTOS_ETIMEDOUT (it has passed) or RTOS_ECONTEXT; `saved` is what
 * port_irq_save() returned. To be asked before anything is changed.
 */
int sched_may_wait(uint64_t deadline, uint64_t saved);

/*
 * The running task waits: in a list by priority (NULL: for time or its bits only), until somebody wakes it or the
 * deadline.
 */
int sched_wait(struct rtos_list *list, enum rtos_task_state state, uint64_t deadline);

/* While there are time slices: the running task may have got an equal, then they take turns from now on. */
void sched_slice_check(const struct rtos_task *task);

/*
 * Makes a waiting task ready, with this result of its wait. sched_resched() is the caller's. Inline: on every hot
 * path.
 */
static inline void sched_wake(struct rtos_task *task, int result)
{
	if (task->waiting_in) {
		list_remove(task->waiting_in, task);
		task->waiting_in = NULL;
	}
	task->blocked_on = NULL;
	deadline_remove(&task->deadline);
	task->result = (int8_t)result;
	task->state = RTOS_TASK_READY;
	sched_ready_append(task);
	if (sched.slice_ticks)
		sched_slice_check(task);
}

/* Changes the priority that counts, wherever the task is. sched_resched() is the caller's. */
void sched_set_priority(struct rtos_task *task, uint8_t priority);

/*
 * The calling context becomes the idle task; its stack's lowest word is kept as the mark of overflow. Once, at boot.
 */
void sched_init(struct rtos_task *idle);

/* A new task, its members set: known from now on, and ready. */
void sched_add(struct rtos_task *task);

/* The running task ends; whoever joined it is woken. */
_Noreturn void sched_end(void);

/* Entry of every task: from port_task_init(), interrupts masked. */
_Noreturn void sched_task_begin(void);

/*
 * How the idle task waits: by wait(), called with interrupts masked and the time that the timer is set to (RTOS_FOREVER: it
 * is off); it returns once an interrupt is pending, or for no reason. NULL: by port_wait_for_interrupt(). Any context.
 */
void sched_idle_wait(void (*wait)(uint64_t deadline));

/* The idle task's life, once everything is set up; enables interrupts. */
_Noreturn void sched_idle(void);

#endif
