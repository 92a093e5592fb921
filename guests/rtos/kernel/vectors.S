/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EL1 exception vectors. Interrupts go to irq_handle(), everything else is fatal and goes to fault_handle(): there is
 * no EL0, no demand paging, nothing that an exception could repair.
 *
 * A fault is recorded without trusting the stack: TPIDRRO_EL0 and TPIDR_EL0 hold the first two registers, the record is
 * a static frame, and fault_handle() runs on a stack of its own.
 */
#include "kernel/frame.h"

	.macro	vector_fault number
	.balign	128
	msr	tpidrro_el0, x0
	mov	x0, #\number
	b	fault_entry
	.endm

	.section .text.vectors, "ax"
	.balign	2048
	.globl	vectors
vectors:
	vector_fault 0			/* current EL with SP_EL0: never selected */
	vector_fault 1
	vector_fault 2
	vector_fault 3
	vector_fault 4			/* current EL with SP_EL1: synchronous */
	.balign	128
	b	irq_entry
	vector_fault 6			/* FIQ: all our interrupts are group 1 */
	vector_fault 7			/* SError */
	vector_fault 8			/* from EL0 */
	vector_fault 9
	vector_fault 10
	vector_fault 11
	vector_fault 12
	vector_fault 13
	vector_fault 14
	vector_fault 15
	.balign	128

/*
 * The counter is read as early as possible: it is what "handler entry" means in the task's lateness. Exception entry
 * synchronises the context, so the read needs no ISB.
 */
	.type	irq_entry, %function
irq_entry:
	sub	sp, sp, #FRAME_BYTES
	stp	x0, x1, [sp, #FRAME_X(0)]
	mrs	x1, cntvct_el0
	stp	x2, x3, [sp, #FRAME_X(2)]
	stp	x4, x5, [sp, #FRAME_X(4)]
	stp	x6, x7, [sp, #FRAME_X(6)]
	stp	x8, x9, [sp, #FRAME_X(8)]
	stp	x10, x11, [sp, #FRAME_X(10)]
	stp	x12, x13, [sp, #FRAME_X(12)]
	stp	x14, x15, [sp, #FRAME_X(14)]
	stp	x16, x17, [sp, #FRAME_X(16)]
	stp	x18, x19, [sp, #FRAME_X(18)]
	stp	x20, x21, [sp, #FRAME_X(20)]
	stp	x22, x23, [sp, #FRAME_X(22)]
	stp	x24, x25, [sp, #FRAME_X(24)]
	stp	x26, x27, [sp, #FRAME_X(26)]
	stp	x28, x29, [sp, #FRAME_X(28)]
	add	x2, sp, #FRAME_BYTES
	stp	x30, x2, [sp, #FRAME_X(30)]
	mrs	x2, elr_el1
	mrs	x3, spsr_el1
	stp	x2, x3, [sp, #FRAME_PC]
	mov	x0, sp
	bl	irq_handle
	ldp	x2, x3, [sp, #FRAME_PC]
	msr	elr_el1, x2
	msr	spsr_el1, x3
	ldp	x2, x3, [sp, #FRAME_X(2)]
	ldp	x4, x5, [sp, #FRAME_X(4)]
	ldp	x6, x7, [sp, #FRAME_X(6)]
	ldp	x8, x9, [sp, #FRAME_X(8)]
	ldp	x10, x11, [sp, #FRAME_X(10)]
	ldp	x12, x13, [sp, #FRAME_X(12)]
	ldp	x14, x15, [sp, #FRAME_X(14)]
	ldp	x16, x17, [sp, #FRAME_X(16)]
	ldp	x18, x19, [sp, #FRAME_X(18)]
	ldp	x20, x21, [sp, #FRAME_X(20)]
	ldp	x22, x23, [sp, #FRAME_X(22)]
	ldp	x24, x25, [sp, #FRAME_X(24)]
	ldp	x26, x27, [sp, #FRAME_X(26)]
	ldp	x28, x29, [sp, #FRAME_X(28)]
	ldr	x30, [sp, #FRAME_X(30)]
	ldp	x0, x1, [sp, #FRAME_X(0)]
	add	sp, sp, #FRAME_BYTES
	eret
	.size	irq_entry, . - irq_entry

	.type	fault_entry, %function
fault_entry:
	msr	tpidr_el0, x1
	adrp	x1, fault_frame
	add	x1, x1, :lo12:fault_frame
	stp	x2, x3, [x1, #FRAME_X(2)]
	mrs	x2, tpidrro_el0
	mrs	x3, tpidr_el0
	stp	x2, x3, [x1, #FRAME_X(0)]
	stp	x4, x5, [x1, #FRAME_X(4)]
	stp	x6, x7, [x1, #FRAME_X(6)]
	stp	x8, x9, [x1, #FRAME_X(8)]
	stp	x10, x11, [x1, #FRAME_X(10)]
	stp	x12, x13, [x1, #FRAME_X(12)]
	stp	x14, x15, [x1, #FRAME_X(14)]
	stp	x16, x17, [x1, #FRAME_X(16)]
	stp	x18, x19, [x1, #FRAME_X(18)]
	stp	x20, x21, [x1, #FRAME_X(20)]
	stp	x22, x23, [x1, #FRAME_X(22)]
	stp	x24, x25, [x1, #FRAME_X(24)]
	stp	x26, x27, [x1, #FRAME_X(26)]
	stp	x28, x29, [x1, #FRAME_X(28)]
	mov	x2, sp
	stp	x30, x2, [x1, #FRAME_X(30)]
	mrs	x2, elr_el1
	mrs	x3, spsr_el1
	stp	x2, x3, [x1, #FRAME_PC]
	adrp	x2, fault_stack_top
	add	sp, x2, :lo12:fault_stack_top
	b	fault_handle		/* (vector, frame), does not return */
	.size	fault_entry, . - fault_entry
