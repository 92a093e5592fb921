/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The application's table of contents: its tasks, their priorities and stacks, and the order in which they start. Copy
 * this file and replace the tasks; rtos.h says what a task may call.
 */
#include "app/health.h"
#include "app/options.h"
#include "app/report.h"
#include "app/shell.h"
#include "rtos.h"

#include <inttypes.h>
#include <stdio.h>

static struct options options;
static struct rtos_task measure, print, shell, health;

RTOS_STACK_DEFINE(measure_stack, 8192);
RTOS_STACK_DEFINE(print_stack, 8192);
RTOS_STACK_DEFINE(shell_stack, 16384);
RTOS_STACK_DEFINE(health_stack, 8192);

/* More urgent is higher. Nothing in `measure` waits for the console, so a slow one can't make it late. */
static const struct {
	struct rtos_task *task;
	struct rtos_task_config config;
} tasks[] = {
	{ &measure, { "measure", 24, report_measure, &options, measure_stack, sizeof(measure_stack) } },
	{ &print, { "print", 8, report_print, &options, print_stack, sizeof(print_stack) } },
	{ &shell, { "shell", 4, shell_run, NULL, shell_stack, sizeof(shell_stack) } },
	{ &health, { "health", 1, health_run, NULL, health_stack, sizeof(health_stack) } },
};

/* Runs as the most urgent task, so the others start when it returns. */
void app_main(void)
{
	options_parse(rtos_bootargs(), &options);
	if (!options.quiet)
		printf("rtos: start period=%" PRIu64 "us timer=%" PRIu64 "Hz ram-end=0x%" PRIx64 "\n",
		       options.period_us, rtos_hz(), rtos_ram_end());
	report_init();
	rtos_hang_watch(rtos_us(options.hang_ms * 1000 / HANG_LOOKS), HANG_LOOKS);
	for (size_t i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++)
		RTOS_ASSERT(rtos_task_create(tasks[i].task, &tasks[i].config) == RTOS_OK);
}
