/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Line reader and command table. Reads what the UART ring holds and returns; never waits for more.
 * Task context, except shell_received().
 */
#include "app/shell.h"

#include "app/report.h"
#include "kernel/arch.h"
#include "kernel/gic.h"
#include "kernel/psci.h"
#include "kernel/uart.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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
	printf("rtos: PSCI SYSTEM_OFF failed: %" PRId64 "\n", psci_system_off());
}

static void command_reset(void)
{
	printf("rtos: reset\n");
	printf("rtos: PSCI SYSTEM_RESET failed: %" PRId64 "\n", psci_system_reset());
}

static void command_stat(void)
{
	printf("rtos: stray-interrupts=%" PRIu32 " uart-overruns=%" PRIu32 "\n", gic_stray_count(),
	       uart_overrun_count());
}

/* Three ways to die, so that a test can see the record of each. */
static void command_crash_data(void)
{
	mmio_write32(8, 0); /* nothing is mapped below the devices */
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
	{ "stat", "counters that should be zero", command_stat },
	{ "reset", "restart this machine (PSCI)", command_reset },
	{ "off", "power this machine off (PSCI)", command_off },
	{ "crash data", "write to an unmapped address", command_crash_data },
	{ "crash undef", "execute an undefined instruction", command_crash_undef },
	{ "crash stack", "overflow the stack", command_crash_stack },
	{ "help", "this list", command_help },
};

static void command_help(void)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		printf("rtos: %-12s %s\n", commands[i].name, commands[i].help);
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
	uart_write("\n", 1);
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
			uart_write("\b \b", 3);
		}
	} else if (line_length == LINE_BYTES - 1) {
		line_too_long = true;
	} else if (c >= ' ' && c <= '~') {
		line[line_length++] = c;
		uart_write(&c, 1);
	}
	after_cr = c == '\r';
}

static void shell_run(const struct task_release *release)
{
	int c;

	(void)release;
	while ((c = uart_getc()) >= 0)
		line_put((char)c);
}

void shell_received(void)
{
	task_release(&shell_task);
}

struct task shell_task = { .name = "shell", .run = shell_run };
