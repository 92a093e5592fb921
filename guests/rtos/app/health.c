/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Below all other tasks: kicks the machine's watchdog, which this task can do only while every other one leaves it time;
 * and once a second, is a stack almost used up, or was input lost? Each is told once. Never waits for anything but
 * time and the console.
 */
#include "app/health.h"

#include "rtos.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define KICK_US UINT64_C(100000)
#define KICKS_PER_CHECK 10u

/* A stack is almost used up with less than an eighth of it left. */
static void check_stacks(void)
{
	static const char *told[RTOS_TASK_MAX];
	static uint32_t told_count;
	static struct rtos_task_info info[RTOS_TASK_MAX];
	size_t count = rtos_task_list(info, RTOS_TASK_MAX);

	for (size_t i = 0; i < count; i++) {
		uint32_t known = 0;

		if (info[i].stack_used <= info[i].stack_bytes / 8 * 7 || told_count == RTOS_TASK_MAX)
			continue;
		while (known < told_count && told[known] != info[i].name)
			known++;
		if (known < told_count)
			continue;
		told[told_count++] = info[i].name;
		printf("rtos: warning: task '%s' has used %lu of %lu bytes of its stack\n", info[i].name,
		       (unsigned long)info[i].stack_used, (unsigned long)info[i].stack_bytes);
	}
}

static void check_console(void)
{
	static uint32_t told;
	uint32_t count = rtos_console_overrun_count();

	if (count != told)
		printf("rtos: warning: %" PRIu32 " bytes of input lost\n", count - told);
	told = count;
}

void health_run(void *arg)
{
	uint64_t deadline = rtos_now();

	(void)arg;
	for (uint32_t kicks = 1;; kicks++) {
		deadline += rtos_us(KICK_US);
		if (rtos_sleep_until(deadline) != RTOS_OK)
			deadline = rtos_now();
		(void)rtos_watchdog_kick();
		if (kicks % KICKS_PER_CHECK)
			continue;
		check_stacks();
		check_console();
	}
}
