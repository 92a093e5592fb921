/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Task releases and the loop that runs what was released.
 *
 * Periodic releases keep to a grid of absolute deadlines; the timer always holds the earliest, so there is no tick.
 * The kernel's fields of struct task are touched with interrupts masked; task functions run with interrupts on.
 */
#include "kernel/task.h"

#include "kernel/arch.h"
#include "kernel/timer.h"

static struct task *const *table;
static size_t table_count;

/* Arms the timer for the earliest periodic deadline. */
static void arm_earliest(void)
{
	const struct task *earliest = NULL;

	for (size_t i = 0; i < table_count; i++) {
		if (table[i]->period_ticks && (!earliest || table[i]->next < earliest->next))
			earliest = table[i];
	}
	if (earliest)
		timer_arm(earliest->next);
}

/* A release that the task had no chance to serve in time is counted, never queued: the grid stays. */
static void release_periodic(struct task *task, uint64_t entry)
{
	uint64_t behind = (entry - task->next) / task->period_ticks;

	task->release.deadline = task->next;
	task->release.entry = entry;
	task->release.missed += behind + (task->ready || task->running);
	task->next += (behind + 1) * task->period_ticks;
	task->ready = true;
}

void task_timer_expired(uint64_t entry)
{
	for (size_t i = 0; i < table_count; i++) {
		if (table[i]->period_ticks && table[i]->next <= entry)
			release_periodic(table[i], entry);
	}
	arm_earliest();
}

void task_release(struct task *task)
{
	uint64_t daif = irq_save();

	task->ready = true;
	irq_restore(daif);
}

static struct task *task_pick(void)
{
	for (size_t i = 0; i < table_count; i++) {
		if (table[i]->ready)
			return table[i];
	}
	return NULL;
}

/* Takes the release and runs the task. Entered and left with interrupts masked. */
static void task_serve(struct task *task)
{
	struct task_release release = task->release;

	task->release.missed = 0;
	task->ready = false;
	task->running = true;
	irq_enable();
	task->run(&release);
	irq_disable();
	task->running = false;
}

_Noreturn void task_start(struct task *const tasks[], size_t count)
{
	uint64_t now;

	irq_disable();
	now = timer_now();
	for (size_t i = 0; i < count; i++)
		tasks[i]->next = now + tasks[i]->period_ticks;
	table = tasks;
	table_count = count;
	arm_earliest();

	for (;;) {
		struct task *task = task_pick();

		if (task) {
			task_serve(task);
			continue;
		}
		cpu_wfi();
		/* The pending interrupt is taken here; the ISB makes sure of it before it is masked again. */
		irq_enable();
		isb();
		irq_disable();
	}
}
