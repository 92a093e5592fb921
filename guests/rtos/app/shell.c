/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Line reader and command table. One task; waits for the console's input and for nothing else.
 */
#include "app/shell.h"

#include "app/report.h"
#include "rtos.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES 64u

struct command {
	const char *name;
	const char *help;
	void (*run)(void);
};

static char line[LINE_BYTES];
static size_t line_length;
static bool line_too_long;
static bool after_cr; /* CR LF is one end of line */

static void command_help(void);

static void command_off(void)
{
	printf("rtos: off\n");
	printf("rtos: PSCI SYSTEM_OFF failed: %" PRId64 "\n", rtos_off());
}

static void command_reset(void)
{
	printf("rtos: reset\n");
	printf("rtos: PSCI SYSTEM_RESET failed: %" PRId64 "\n", rtos_reset());
}

static void command_stat(void)
{
	printf("rtos: stray-interrupts=%" PRIu32 " uart-overruns=%" PRIu32 "\n", rtos_irq_stray_count(),
	       rtos_console_overrun_count());
}

/* Indexed by enum rtos_task_state. */
static const char *const states[] = { "ended", "ready", "sleep", "mutex", "sem", "send", "receive", "notify", "join" };

static void command_ps(void)
{
	static struct rtos_task_info info[RTOS_TASK_MAX];
	size_t count = rtos_task_list(info, RTOS_TASK_MAX);
	uint64_t now = rtos_now(), total = 0;

	for (size_t i = 0; i < count; i++)
		total += info[i].cpu_ticks;
	printf("rtos: task         state   prio cpu-ms    cpu%%  switches stack-used\n");
	for (size_t i = 0; i < count; i++) {
		uint64_t permille = total ? info[i].cpu_ticks / (total / 1000 + 1) : 0;

		printf("rtos: %-12s %-7s %2u/%-2u %-9" PRIu64 " %2" PRIu64 ".%" PRIu64 " %9" PRIu64 " %lu/%lu\n",
		       info[i].name, info[i].running ? "running" : states[info[i].state], info[i].priority,
		       info[i].base_priority, rtos_ticks_to_ns(info[i].cpu_ticks) / 1000000, permille / 10,
		       permille % 10, info[i].switch_count, (unsigned long)info[i].stack_used,
		       (unsigned long)info[i].stack_bytes);
	}
	printf("rtos: up for %" PRIu64 " ms\n", rtos_ticks_to_ns(now) / 1000000);
}

/* Ways to die, so that a test can see what is told about each. */
static void command_crash_data(void)
{
	/* Nothing is mapped below the devices; the compiler must not know the address. */
	__asm__ volatile("str wzr, [%0]" : : "r"(UINT64_C(8)) : "memory");
}

static void command_crash_assert(void)
{
	RTOS_ASSERT(rtos_hz() == 0);
}

static void command_crash_hang(void)
{
	/* Computes rather than waits: no YIELD, at which a simulator would turn to others. */
	for (volatile uint32_t n = 0;; n++)
		;
}

static void command_crash_undef(void)
{
	__asm__ volatile("udf #0");
}

static uint32_t overflow_stack(uint32_t depth)
{
	volatile uint32_t page[256];

	page[depth % 256] = depth;
	if (depth == UINT32_MAX)
		return 0;
	return overflow_stack(depth + 1) + page[depth % 256];
}

static void command_crash_stack(void)
{
	printf("rtos: %" PRIu32 "\n", overflow_stack(0));
}

static const struct command commands[] = {
	{ "jitter", "lateness since the start, with histogram", report_print_total },
	{ "ps", "tasks: state, priority (now/own), CPU time, most stack ever used", command_ps },
	{ "tasks", "the same", command_ps },
	{ "stat", "counters that should be zero", command_stat },
	{ "reset", "restart this machine (PSCI)", command_reset },
	{ "off", "power this machine off (PSCI)", command_off },
	{ "crash data", "write to an unmapped address", command_crash_data },
	{ "crash undef", "execute an undefined instruction", command_crash_undef },
	{ "crash stack", "overflow the stack", command_crash_stack },
	{ "crash assert", "fail an assertion", command_crash_assert },
	{ "crash hang", "leave no time to less urgent tasks", command_crash_hang },
	{ "help", "this list", command_help },
};

static void command_help(void)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		printf("rtos: %-12s %s\n", commands[i].name, commands[i].help);
}

static void echo(const char *text, size_t bytes)
{
	(void)write(STDOUT_FILENO, text, bytes);
}

static void line_execute(void)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(line, commands[i].name) == 0) {
			commands[i].run();
			return;
		}
	}
	printf("rtos: unknown command '%s', try help\n", line);
}

static void line_end(void)
{
	line[line_length] = '\0';
	echo("\n", 1);
	if (line_too_long)
		printf("rtos: line longer than %u bytes ignored\n", LINE_BYTES - 1);
	else if (line_length)
		line_execute();
	line_length = 0;
	line_too_long = false;
}

static void line_put(char c)
{
	if (c == '\r' || c == '\n') {
		if (c == '\r' || !after_cr)
			line_end();
	} else if (c == '\b' || c == 0x7f) {
		if (line_length) {
			line_length--;
			echo("\b \b", 3);
		}
	} else if (line_length == LINE_BYTES - 1) {
		line_too_long = true;
	} else if (c >= ' ' && c <= '~') {
		line[line_length++] = c;
		echo(&c, 1);
	}
	after_cr = c == '\r';
}

void shell_run(void *arg)
{
	char c;

	(void)arg;
	while (rtos_console_read(&c, 1, RTOS_FOREVER) == 1)
		line_put(c);
}
