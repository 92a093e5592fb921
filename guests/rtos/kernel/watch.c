/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hang watch: a deadline of its own looks whether the idle task has run since the last look. Looks, not time, are
 * counted, so a machine that stood still for a while (a debugger, a busy host) isn't taken for a hang.
 */
#include "arch/port.h"
#include "kernel/sched.h"

static struct rtos_deadline look;
static uint64_t look_ticks, idle_switches;
static uint32_t looks_max, looks_failed;

static uint64_t cpu_ticks_now(const struct rtos_task *task)
{
	return task->cpu_ticks + (task == sched.current ? port_now() - sched.charged_at : 0);
}

static void all_is_well(void)
{
	looks_failed = 0;
	for (uint32_t i = 0; i < sched.task_count; i++)
		sched.tasks[i]->watched_ticks = cpu_ticks_now(sched.tasks[i]);
}

/*
 * Who took most of the time since all was well: more urgent tasks may well run in between, the latest look included.
 */
static const struct rtos_task *suspect(void)
{
	const struct rtos_task *most = sched.current;
	uint64_t most_ticks = 0;

	for (uint32_t i = 1; i < sched.task_count; i++) {
		uint64_t ticks = cpu_ticks_now(sched.tasks[i]) - sched.tasks[i]->watched_ticks;

		if (ticks > most_ticks) {
			most = sched.tasks[i];
			most_ticks = ticks;
		}
	}
	return most;
}

static void look_expired(struct rtos_deadline *deadline)
{
	const struct rtos_task *idle = sched.tasks[0];

	if (sched.current == idle || idle->switch_count != idle_switches)
		all_is_well();
	else if (++looks_failed == looks_max)
		port_fatal_task("no idle time: hang", suspect());
	idle_switches = idle->switch_count;
	deadline_add(deadline, port_now() + look_ticks);
}

void rtos_hang_watch(uint64_t ticks, uint32_t checks)
{
	uint64_t saved = port_irq_save();

	deadline_remove(&look);
	look.expired = look_expired;
	look_ticks = ticks;
	looks_max = checks ? checks : 1;
	all_is_well();
	idle_switches = sched.tasks[0]->switch_count;
	if (ticks)
		deadline_add(&look, port_now() + ticks);
	port_irq_restore(saved);
}
