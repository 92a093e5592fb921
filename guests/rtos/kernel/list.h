/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of tasks: circular, doubly linked through the task itself, so a task is in one list at most. The head is a
 * pointer to the first one; zero is empty, so static objects need no initialisation. Interrupts masked.
 */
#ifndef RTOS_KERNEL_LIST_H
#define RTOS_KERNEL_LIST_H

#include "rtos.h"

static inline void list_insert_before(struct rtos_task *place, struct rtos_task *task)
{
	task->next = place;
	task->prev = place->prev;
	place->prev->next = task;
	place->prev = task;
}

static inline void list_append(struct rtos_list *list, struct rtos_task *task)
{
	if (list->first) {
		list_insert_before(list->first, task);
		return;
	}
	task->next = task->prev = task;
	list->first = task;
}

static inline void list_prepend(struct rtos_list *list, struct rtos_task *task)
{
	list_append(list, task);
	list->first = task;
}

static inline void list_remove(struct rtos_list *list, struct rtos_task *task)
{
	struct rtos_task *next = task->next;

	if (next == task) {
		list->first = NULL;
		return;
	}
	next->prev = task->prev;
	task->prev->next = next;
	if (list->first == task)
		list->first = next;
}

/* Behind the last one that is as urgent: order of priority, then of arrival. Looks at the less urgent ones only. */
static inline void list_insert_by_priority(struct rtos_list *list, struct rtos_task *task)
{
	struct rtos_task *behind;

	if (!list->first || list->first->priority < task->priority) {
		list_prepend(list, task);
		return;
	}
	for (behind = list->first->prev; behind->priority < task->priority; behind = behind->prev)
		;
	if (behind->next == list->first)
		list_append(list, task);
	else
		list_insert_before(behind->next, task);
}

#endif
