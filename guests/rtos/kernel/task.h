/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tasks: functions that run to completion, released by time or by an event, the first ready one of a table first.
 *
 * Releases are exact (the interrupt handler stamps them); between releases a task is not preempted by another one, so
 * tasks share data without locks and must stay short. Only this header knows that.
 */
#ifndef RTOS_KERNEL_TASK_H
#define RTOS_KERNEL_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why a task runs now. */
struct task_release {
	uint64_t deadline; /* periodic: the time that the timer was set to */
	uint64_t entry;    /* periodic: the counter when the interrupt's handler was entered */
	uint64_t missed;   /* periodic: earlier releases that were skipped or not finished in time */
};

struct task {
	const char *name;
	void (*run)(const struct task_release *release);
	uint64_t period_ticks; /* 0: only task_release() */

	/* The kernel's, with interrupts masked. */
	uint64_t next;
	struct task_release release;
	bool ready;
	bool running;
};

/* From timer_init(). */
void task_timer_expired(uint64_t entry);

/* Makes a task ready; any context. */
void task_release(struct task *task);

/* Runs the table, most urgent first, for ever; the first period starts now. WFI when nothing is ready. */
_Noreturn void task_start(struct task *const tasks[], size_t count);

#endif
