/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot order of the real-time guest, and its task table. From start.S with the MMU on and interrupts masked.
 */
#include "app/options.h"
#include "app/report.h"
#include "app/shell.h"
#include "kernel/arch.h"
#include "kernel/fault.h"
#include "kernel/fdt.h"
#include "kernel/gic.h"
#include "kernel/layout.h"
#include "kernel/libc.h"
#include "kernel/mmu.h"
#include "kernel/task.h"
#include "kernel/timer.h"
#include "kernel/uart.h"

#include <inttypes.h>
#include <stdio.h>

extern char image_end[]; /* rtos.ld */

/* Most urgent first. */
static struct task *const tasks[] = { &report_measure_task, &report_print_task, &shell_task };

_Noreturn void main(uint64_t tree);
_Noreturn void main(uint64_t tree)
{
	struct options options;
	struct fdt_facts facts;
	const char *tree_error, *error;

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
	if (!timer_init(task_timer_expired))
		fault_stop("CNTFRQ_EL0 is 0");
	uart_listen(shell_received);
	irq_enable();

	if (tree_error)
		printf("rtos: device tree not used: %s\n", tree_error);
	options_parse(facts.bootargs, &options);
	if (!options.quiet)
		printf("rtos: start period=%" PRIu64 "us timer=%" PRIu64 "Hz ram-end=0x%" PRIx64 "\n",
		       options.period_us, timer_hz(), facts.ram_end);
	report_init(&options);
	task_start(tasks, sizeof(tasks) / sizeof(tasks[0]));
}
