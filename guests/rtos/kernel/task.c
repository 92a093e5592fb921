/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks' lives, and what can be told about them. */
#include "arch/port.h"
#include "kernel/mutex.h"
#include "kernel/sched.h"

static bool task_is_known(const struct rtos_task *task)
{
	for (uint32_t i = 0; i < sched.task_count; i++) {
		if (sched.tasks[i] == task)
			return true;
	}
	return false;
}

static bool config_is_valid(const struct rtos_task_config *config)
{
	return config->name && config->entry && config->stack && config->priority >= RTOS_PRIORITY_MIN &&
	       config->priority <= RTOS_PRIORITY_MAX && (uintptr_t)config->stack % RTOS_PAGE_BYTES == 0 &&
	       config->stack_bytes >= RTOS_PAGE_BYTES + RTOS_STACK_MIN && config->stack_bytes % 16 == 0;
}

int rtos_task_create(struct rtos_task *task, const struct rtos_task_config *config)
{
	uint64_t saved;
	uint64_t *fill;
	int result = RTOS_OK;

	if (!config_is_valid(config))
		return RTOS_EINVAL;
	saved = port_irq_save();
	if (task_is_known(task))
		result = RTOS_EINVAL;
	else if (sched.task_count == RTOS_TASK_MAX)
		result = RTOS_EFULL;
	port_irq_restore(saved);
	if (result != RTOS_OK)
		return result;

	/* Long, and nobody else's yet: with interrupts enabled. */
	*task = (struct rtos_task){ .name = config->name,
				    .entry = config->entry,
				    .arg = config->arg,
				    .priority = (uint8_t)config->priority,
				    .base_priority = (uint8_t)config->priority,
				    .stack_base = (uint8_t *)config->stack + RTOS_PAGE_BYTES,
				    .stack_bytes = config->stack_bytes - RTOS_PAGE_BYTES };
	port_guard_page(config->stack);
	fill = (uint64_t *)(void *)task->stack_base;
	for (size_t i = 0; i < task->stack_bytes / sizeof(*fill); i++)
		fill[i] = STACK_PATTERN;
	port_task_init(task);

	saved = port_irq_save();
	if (sched.task_count == RTOS_TASK_MAX) {
		result = RTOS_EFULL;
	} else {
		sched_add(task);
		sched_resched(saved);
	}
	port_irq_restore(saved);
	return result;
}

_Noreturn void rtos_task_exit(void)
{
	struct rtos_task *task = sched.current;

	if (sched.in_interrupt || task == sched.tasks[0])
		port_fatal("rtos_task_exit() by a handler or the idle task");
	if (task->held)
		port_fatal("a task that holds a mutex ended");
	port_task_done(task);
	(void)port_irq_save();
	sched_end();
}

int rtos_task_join(struct rtos_task *task, uint64_t deadline)
{
	uint64_t saved = port_irq_save();
	int result = RTOS_OK;

	if (task == sched.current) {
		result = RTOS_EINVAL;
	} else if (task->state != RTOS_TASK_ENDED) {
		result = sched_may_wait(deadline, saved);
		if (result == RTOS_OK)
			result = sched_wait(&task->joiners, RTOS_TASK_WAIT_JOIN, deadline);
	}
	port_irq_restore(saved);
	return result;
}

int rtos_task_set_priority(struct rtos_task *task, uint32_t priority)
{
	uint64_t saved = port_irq_save();
	int result = RTOS_OK;

	if (!task)
		task = sched.current;
	if (priority < RTOS_PRIORITY_MIN || priority > RTOS_PRIORITY_MAX || task->state == RTOS_TASK_ENDED ||
	    task == sched.tasks[0]) {
		result = RTOS_EINVAL;
	} else {
		task->base_priority = (uint8_t)priority;
		mutex_priority_changed(task);
		sched_resched(saved);
	}
	port_irq_restore(saved);
	return result;
}

/* The stack grows down: what still has its first pattern at the lower end was never used. */
static size_t stack_used(const struct rtos_task *task)
{
	const uint64_t *word = (const uint64_t *)(const void *)task->stack_base;
	size_t count = task->stack_bytes / sizeof(*word), unused = 0;

	while (unused < count && word[unused] == STACK_PATTERN)
		unused++;
	return (count - unused) * sizeof(*word);
}

/*
 * Task by task, so that interrupts are masked briefly; a task that ends meanwhile may be shown as it was or not at
 * all.
 */
size_t rtos_task_list(struct rtos_task_info info[], size_t count)
{
	size_t filled = 0;

	for (uint32_t i = 0; filled < count; i++) {
		uint64_t saved = port_irq_save();
		const struct rtos_task *task = i < sched.task_count ? sched.tasks[i] : NULL;
		struct rtos_task copy;

		if (task) {
			copy = *task;
			if (task == sched.current)
				copy.cpu_ticks += port_now() - sched.charged_at;
		}
		port_irq_restore(saved);
		if (!task)
			break;
		info[filled++] = (struct rtos_task_info){ .name = copy.name,
							  .state = (enum rtos_task_state)copy.state,
							  .running = task == sched.current,
							  .priority = copy.priority,
							  .base_priority = copy.base_priority,
							  .cpu_ticks = copy.cpu_ticks,
							  .switch_count = copy.switch_count,
							  .stack_bytes = copy.stack_bytes,
							  .stack_used = stack_used(&copy) };
	}
	return filled;
}
