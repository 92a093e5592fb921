/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile stubs: calls that compare all registers, exception returns to where none may lead, accesses with the other
 * endianness.
 */
#include "asm.h"

	.text

/* uint64_t call_registers_<hvc|smc>(uint64_t function): mask of the registers x4 to x30 that changed; bit 31: SP. */
.macro CALL_REGISTERS name, insn
FUNC(\name)
	stp	x29, x30, [sp, #-96]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	mov	x2, sp
	adrp	x1, saved_sp
	str	x2, [x1, :lo12:saved_sp]
	.irp	n, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
	mov	x\n, #(0x5a00 + \n)
	.endr
	mov	x1, #0
	mov	x2, #0
	mov	x3, #0
	\insn	#0
	mov	x0, #0
	.irp	n, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
	mov	x1, #(0x5a00 + \n)
	cmp	x1, x\n
	cset	x1, ne
	orr	x0, x0, x1, lsl #\n
	.endr
	adrp	x1, saved_sp
	ldr	x2, [x1, :lo12:saved_sp]
	mov	x1, sp
	cmp	x1, x2
	cset	x1, ne
	orr	x0, x0, x1, lsl #31
	mov	sp, x2
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	x29, x30, [sp], #96
	ret
END(\name)
.endm
	CALL_REGISTERS call_registers_hvc, hvc
	CALL_REGISTERS call_registers_smc, smc

/*
 * void eret_to(uint64_t spsr): an exception return with this SPSR to the caller. An illegal one leaves PSTATE as it is but
 * for IL, and the next instruction is the illegal execution state exception.
 */
FUNC(eret_to)
	msr	spsr_el1, x0
	msr	elr_el1, x30
	isb
	eret
END(eret_to)

/* uint32_t read32_swapped(uint64_t addr): by a big-endian load (SCTLR_EL1.EE); no other access in between. */
FUNC(read32_swapped)
	mrs	x1, sctlr_el1
	orr	x2, x1, #(1 << 25)
	msr	sctlr_el1, x2
	isb
	ldr	w0, [x0]
	msr	sctlr_el1, x1
	isb
	ret
END(read32_swapped)

/*
 * Entry of a CPU that looks at what it was given, before anything else: x0 = where to put x1 to x30, 20 system registers and
 * q0 to q31 (struct first_state). Then it switches itself off.
 */
FUNC(first_state_entry)
	stp	x1, x2, [x0], #16
	stp	x3, x4, [x0], #16
	stp	x5, x6, [x0], #16
	stp	x7, x8, [x0], #16
	stp	x9, x10, [x0], #16
	stp	x11, x12, [x0], #16
	stp	x13, x14, [x0], #16
	stp	x15, x16, [x0], #16
	stp	x17, x18, [x0], #16
	stp	x19, x20, [x0], #16
	stp	x21, x22, [x0], #16
	stp	x23, x24, [x0], #16
	stp	x25, x26, [x0], #16
	stp	x27, x28, [x0], #16
	stp	x29, x30, [x0], #16
	mov	x1, sp
	str	x1, [x0], #8
	.irp	reg, sp_el0, elr_el1, spsr_el1, esr_el1, far_el1, afsr0_el1, afsr1_el1, par_el1, tpidr_el0, tpidrro_el0, \
		tpidr_el1, contextidr_el1, ttbr0_el1, ttbr1_el1, tcr_el1, mair_el1, amair_el1, vbar_el1, cntkctl_el1
	mrs	x1, \reg
	str	x1, [x0], #8
	.endr
	mov	x1, #(3 << 20)
	msr	cpacr_el1, x1
	isb
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, \
		29, 30, 31
	str	q\n, [x0], #16
	.endr
	dsb	sy
	mov	x0, #0x0002
	movk	x0, #0x8400, lsl #16		/* CPU_OFF */
	hvc	#0
1:	wfi
	b	1b
END(first_state_entry)

	.bss
	.balign 8
saved_sp:
	.space	8
