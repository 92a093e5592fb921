/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fatal exceptions: prints a record (what, PC, ESR, FAR, registers, call chain) and powers off.
 *
 * Uses nothing that may be broken: no C library, no heap, its own stack and frame (vectors.S). A second fault in here
 * ends the machine at once. Interrupts are masked, so there is nothing to lock.
 */
#include "kernel/fault.h"

#include "kernel/arch.h"
#include "kernel/frame.h"
#include "kernel/layout.h"
#include "kernel/psci.h"
#include "kernel/uart.h"

#include <stddef.h>

#define CHAIN_DEPTH 8u

extern char stack_guard[], stack_top[]; /* rtos.ld */

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
		return "FP/SIMD access trapped";
	case 0x20:
	case 0x21:
		return "instruction abort";
	case 0x22:
		return "unaligned PC";
	case 0x24:
	case 0x25:
		return "data abort";
	case 0x26:
		return "unaligned SP";
	case 0x3c:
		return "BRK instruction";
	default:
		return "synchronous exception";
	}
}

static const char *vector_name(uint64_t vector, uint64_t esr, uint64_t far)
{
	uint64_t ec = esr >> 26 & 0x3f;

	switch (vector & 3) {
	case 1:
		return "interrupt through the wrong vector";
	case 2:
		return "FIQ, but all interrupts are group 1";
	case 3:
		return "SError";
	default:
		break;
	}
	if (ec == 0x25 && far >= (uint64_t)stack_guard && far < (uint64_t)stack_guard + LAYOUT_PAGE_BYTES)
		return "stack overflow";
	return exception_name(ec);
}

/* Frame records (AAPCS64 6.4.6), as far as they lie on the task stack and go upwards. */
static void put_chain(const struct frame *frame)
{
	uint64_t fp = frame->x[29];

	put_hex("rtos: fatal: called from ", frame->x[30]);
	for (uint32_t i = 0; i < CHAIN_DEPTH; i++) {
		const uint64_t *record = (const uint64_t *)fp;

		if (fp < (uint64_t)stack_guard + LAYOUT_PAGE_BYTES || fp > (uint64_t)stack_top - 16 || fp % 16)
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

_Noreturn void fault_stop(const char *why)
{
	irq_disable();
	put_text("rtos: fatal: ");
	put_text(why);
	put_text("\n");
	fault_off();
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
	put_text(vector_name(vector, esr, far));
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
