/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end: an exception, a broken assumption or an assertion is told on the console, with the task's name, and the
 * machine powered off. An exception gets a record: what, PC, ESR, FAR, registers, call chain.
 *
 * Uses nothing that may be broken: no C library, no heap, its own stack and frame (vectors.S). A second fault in here
 * ends the machine at once. Interrupts are masked, so there is nothing to lock.
 */
#include "arch/fault.h"

#include "arch/cpu.h"
#include "arch/frame.h"
#include "arch/layout.h"
#include "arch/psci.h"
#include "arch/uart.h"
#include "kernel/sched.h"

#include <stddef.h>

#define CHAIN_DEPTH 8u
#define EC_DATA_ABORT 0x25u /* from the same level */

extern char irq_stack_guard[], irq_stack_top[]; /* rtos.ld */

struct frame fault_frame; /* filled by vectors.S */
static bool fault_seen;

static void put_text(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	uart_write(text, length);
}

static void put_hex(const char *name, uint64_t value)
{
	char digits[16];

	for (int i = 15; i >= 0; i--, value >>= 4)
		digits[i] = "0123456789abcdef"[value & 0xf];
	put_text(name);
	uart_write(digits, sizeof(digits));
}

/* ESR_ELx.EC, DDI 0487 D19.2.37. */
static const char *exception_name(uint64_t ec)
{
	switch (ec) {
	case 0x00:
	case 0x18:
		return "undefined instruction";
	case 0x0e:
		return "illegal execution state";
	case 0x07:
		return "FP/SIMD register used";
	case 0x20:
	case 0x21:
		return "instruction abort";
	case 0x22:
		return "unaligned PC";
	case 0x24:
	case EC_DATA_ABORT:
		return "data abort";
	case 0x26:
		return "unaligned SP";
	case 0x3c:
		return "BRK instruction";
	default:
		return "synchronous exception";
	}
}

/* The task whose guard page an address lies in. */
static const struct rtos_task *guarded_task(uint64_t addr)
{
	for (uint32_t i = 0; i < sched.task_count; i++) {
		uint64_t base = (uint64_t)sched.tasks[i]->stack_base;

		if (addr < base && addr >= base - LAYOUT_PAGE_BYTES)
			return sched.tasks[i];
	}
	return NULL;
}

static void put_who(const char *before, const struct rtos_task *task)
{
	put_text(before);
	put_text("task '");
	put_text(task->name);
	put_text("'");
}

static void put_what(uint64_t vector, uint64_t esr, uint64_t far)
{
	uint64_t ec = esr >> 26 & 0x3f;
	const struct rtos_task *task = guarded_task(far);

	if ((vector & 3) == 1) {
		put_text("interrupt through the wrong vector");
	} else if ((vector & 3) == 2) {
		put_text("FIQ, but all interrupts are group 1");
	} else if ((vector & 3) == 3) {
		put_text("SError");
	} else if (ec == EC_DATA_ABORT && task) {
		put_who("stack overflow in ", task);
		return;
	} else if (ec == EC_DATA_ABORT && far >= (uint64_t)irq_stack_guard &&
		   far < (uint64_t)irq_stack_guard + LAYOUT_PAGE_BYTES) {
		put_text("stack overflow in an interrupt handler");
	} else {
		put_text(exception_name(ec));
	}
	if (sched.in_interrupt)
		put_text(" in an interrupt handler");
	else if (sched.current)
		put_who(" in ", sched.current);
}

/* Frame records (AAPCS64 6.4.6), as far as they lie on the current stack and go upwards. */
static void put_chain(const struct frame *frame)
{
	uint64_t fp = frame->x[29], base = (uint64_t)irq_stack_guard + LAYOUT_PAGE_BYTES, top = (uint64_t)irq_stack_top;

	if (!sched.in_interrupt && sched.current) {
		base = (uint64_t)sched.current->stack_base;
		top = base + sched.current->stack_bytes;
	}
	put_hex("rtos: fatal: called from ", frame->x[30]);
	for (uint32_t i = 0; i < CHAIN_DEPTH; i++) {
		const uint64_t *record = (const uint64_t *)fp;

		if (fp < base || fp > top - 16 || fp % 16)
			break;
		if (record[1] == 0)
			break;
		put_hex(" ", record[1]);
		if (record[0] <= fp)
			break;
		fp = record[0];
	}
	put_text("\n");
}

static _Noreturn void fault_off(void)
{
	psci_system_off();
	put_text("rtos: fatal: PSCI SYSTEM_OFF refused, halted\n");
	irq_disable();
	for (;;)
		cpu_wfi();
}

/* "rtos: fatal: <what>, in task 'x'", and off. */
static _Noreturn void fault_end(void)
{
	if (sched.in_interrupt)
		put_text(", in an interrupt handler");
	else if (sched.current)
		put_who(", in ", sched.current);
	put_text("\n");
	fault_off();
}

_Noreturn void fault_stop(const char *why)
{
	irq_disable();
	put_text("\nrtos: fatal: ");
	put_text(why);
	fault_end();
}

_Noreturn void fault_task(const char *why, const struct rtos_task *task)
{
	irq_disable();
	put_text("\nrtos: fatal: ");
	put_text(why);
	put_who(" in ", task);
	put_text("\n");
	fault_off();
}

_Noreturn void rtos_fatal(const char *why)
{
	fault_stop(why);
}

_Noreturn void rtos_assert_failed(const char *expression, const char *file, unsigned int line)
{
	char digits[10];
	uint32_t first = sizeof(digits);

	irq_disable();
	do {
		digits[--first] = (char)('0' + line % 10);
		line /= 10;
	} while (line);
	put_text("\nrtos: fatal: assertion '");
	put_text(expression);
	put_text("' failed at ");
	put_text(file);
	put_text(":");
	uart_write(digits + first, sizeof(digits) - first);
	fault_end();
}

/* From vectors.S. */
_Noreturn void fault_handle(uint64_t vector, const struct frame *frame);
_Noreturn void fault_handle(uint64_t vector, const struct frame *frame)
{
	uint64_t esr = sysreg_read(esr_el1), far = sysreg_read(far_el1);

	if (fault_seen) {
		put_text("\nrtos: fatal: fault while recording a fault\n");
		fault_off();
	}
	fault_seen = true;

	put_text("\nrtos: fatal: ");
	put_what(vector, esr, far);
	put_hex(" pc=", frame->pc);
	put_hex(" esr=", esr);
	put_hex(" far=", far);
	put_hex(" pstate=", frame->pstate);
	put_hex(" sp=", frame->sp);
	put_text("\n");
	for (int i = 0; i < 31; i++) {
		char name[] = " x00=";

		name[2] = (char)('0' + i / 10);
		name[3] = (char)('0' + i % 10);
		if (i % 4 == 0)
			put_text("rtos: fatal:");
		put_hex(name, frame->x[i]);
		if (i % 4 == 3 || i == 30)
			put_text("\n");
	}
	put_chain(frame);
	fault_off();
}
