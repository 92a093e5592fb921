/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot order: from start.S, with the MMU on over the coarse map and interrupts masked, to the first task. The context
 * that boots becomes the idle task.
 */
#include "arch/fault.h"
#include "arch/fdt.h"
#include "arch/gic.h"
#include "arch/layout.h"
#include "arch/mmu.h"
#include "arch/timer.h"
#include "arch/uart.h"
#include "arch/watchdog.h"
#include "kernel/sched.h"
#include "libc/libc.h"

#include <stdio.h>

#define MAIN_STACK_BYTES 0x4000
#define STACK_IN_USE_WORDS 64 /* generously, by the loop that fills the rest */

extern char stack_guard[], stack_top[]; /* rtos.ld */

static struct fdt_facts facts;
static const char *tree_error;
static struct rtos_task idle, main_task;
RTOS_STACK_DEFINE(main_stack, MAIN_STACK_BYTES);

const char *rtos_bootargs(void)
{
	return facts.bootargs;
}

uint64_t rtos_ram_end(void)
{
	return facts.ram_end;
}

static void main_entry(void *arg)
{
	(void)arg;
	if (tree_error)
		printf("rtos: device tree not used: %s\n", tree_error);
	app_main();
}

/* What this context hasn't used yet, so that its high-water mark can be told. */
static void fill_stack(void)
{
	uint64_t *end = __builtin_frame_address(0);

	for (uint64_t *word = (uint64_t *)(void *)idle.stack_base; word < end - STACK_IN_USE_WORDS; word++)
		*word = STACK_PATTERN;
}

static _Noreturn void tasks_init(void)
{
	const struct rtos_task_config config = { .name = "main",
						 .priority = RTOS_PRIORITY_MAX,
						 .entry = main_entry,
						 .stack = main_stack,
						 .stack_bytes = sizeof(main_stack) };

	idle.name = "idle";
	idle.stack_base = (uint8_t *)stack_guard + LAYOUT_PAGE_BYTES;
	idle.stack_bytes = LAYOUT_STACK_BYTES;
	libc_idle_init(&idle);
	sched_init(&idle);
	fill_stack();
	if (rtos_task_create(&main_task, &config) != RTOS_OK)
		fault_stop("main task refused");
	sched_idle();
}

_Noreturn void boot_main(uint64_t tree);
_Noreturn void boot_main(uint64_t tree)
{
	const char *error;

	uart_init();
	tree_error = fdt_read(tree, &facts);
	facts.ram_end &= ~(uint64_t)(LAYOUT_BLOCK_BYTES - 1);
	if (facts.ram_end < LAYOUT_IMAGE_BASE + LAYOUT_IMAGE_BYTES)
		fault_stop("less than 4 MiB of RAM");
	mmu_init(facts.ram_end);
	libc_init(facts.ram_end);
	error = gic_init();
	if (error)
		fault_stop(error);
	if (!timer_init())
		fault_stop("CNTFRQ_EL0 is 0");
	watchdog_init(facts.watchdog_control, facts.watchdog_refresh);
	uart_listen();
	tasks_init();
}
