/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EL1 exception vectors, and the switch between tasks. Interrupts go to irq_handle(), everything else is fatal and
 * goes to fault_handle(): there is no EL0, no demand paging, nothing that an exception could repair.
 *
 * A fault is recorded without trusting the stack: TPIDRRO_EL0 and TPIDR_EL0 hold the first two registers, the record
 * is a static frame, and fault_handle() runs on a stack of its own.
 */
#include "arch/frame.h"

#define CPACR_FPEN (3 << 20)

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
	sub	sp, sp, #INTERRUPT_FRAME_BYTES
	stp	x0, x1, [sp, #FRAME_X(0)]
	mrs	x0, cntvct_el0		/* see irq_entry */
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
 * An interrupt: handled on the interrupts' stack. Then back to the interrupted task or, if irq_handle() says so, over
 * to a more urgent one; only then are FP/SIMD registers saved, all of them, for the interrupted code may be in the
 * middle of using any. The idle task uses none. Handlers that touch them fault: they would change a task's.
 *
 * The counter has been read by the vector, as soon as a register was free for it: it is what rtos_irq_entry_time() means.
 * Exception entry synchronises the context, so the read needs no ISB.
 */
	.type	irq_entry, %function
irq_entry:
	stp	x2, x3, [sp, #FRAME_X(2)]
	stp	x4, x5, [sp, #FRAME_X(4)]
	stp	x6, x7, [sp, #FRAME_X(6)]
	stp	x8, x9, [sp, #FRAME_X(8)]
	stp	x10, x11, [sp, #FRAME_X(10)]
	stp	x12, x13, [sp, #FRAME_X(12)]
	stp	x14, x15, [sp, #FRAME_X(14)]
	stp	x16, x17, [sp, #FRAME_X(16)]
	stp	x18, x19, [sp, #FRAME_X(18)]
	stp	x29, x30, [sp, #INTERRUPT_FRAME_X29]
	mrs	x2, elr_el1
	mrs	x3, spsr_el1
	stp	x2, x3, [sp, #INTERRUPT_FRAME_PC]
	msr	cpacr_el1, xzr
	isb
	mov	x19, sp
	adrp	x1, irq_stack_top
	add	x1, x1, :lo12:irq_stack_top
	mov	sp, x1
	bl	irq_handle
	mov	sp, x19
	mov	x1, #CPACR_FPEN
	msr	cpacr_el1, x1
	cbnz	x0, irq_switch
irq_return:
	ldp	x2, x3, [sp, #INTERRUPT_FRAME_PC]
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
	ldp	x29, x30, [sp, #INTERRUPT_FRAME_X29]
	ldp	x0, x1, [sp, #FRAME_X(0)]
	add	sp, sp, #INTERRUPT_FRAME_BYTES
	eret				/* makes CPACR_EL1 count, too */

irq_switch:				/* x0: to whom; bit 0: from the idle task */
	isb				/* CPACR_EL1 */
	tbnz	x0, #0, irq_switch_idle
	sub	sp, sp, #FP_FRAME_BYTES
	stp	q0, q1, [sp, #FP_FRAME_Q(0)]
	stp	q2, q3, [sp, #FP_FRAME_Q(2)]
	stp	q4, q5, [sp, #FP_FRAME_Q(4)]
	stp	q6, q7, [sp, #FP_FRAME_Q(6)]
	stp	q8, q9, [sp, #FP_FRAME_Q(8)]
	stp	q10, q11, [sp, #FP_FRAME_Q(10)]
	stp	q12, q13, [sp, #FP_FRAME_Q(12)]
	stp	q14, q15, [sp, #FP_FRAME_Q(14)]
	stp	q16, q17, [sp, #FP_FRAME_Q(16)]
	stp	q18, q19, [sp, #FP_FRAME_Q(18)]
	stp	q20, q21, [sp, #FP_FRAME_Q(20)]
	stp	q22, q23, [sp, #FP_FRAME_Q(22)]
	stp	q24, q25, [sp, #FP_FRAME_Q(24)]
	stp	q26, q27, [sp, #FP_FRAME_Q(26)]
	stp	q28, q29, [sp, #FP_FRAME_Q(28)]
	stp	q30, q31, [sp, #FP_FRAME_Q(30)]
	mrs	x1, fpsr
	str	x1, [sp, #FP_FRAME_FPSR]
	bl	sched_switch
	ldp	q0, q1, [sp, #FP_FRAME_Q(0)]
	ldp	q2, q3, [sp, #FP_FRAME_Q(2)]
	ldp	q4, q5, [sp, #FP_FRAME_Q(4)]
	ldp	q6, q7, [sp, #FP_FRAME_Q(6)]
	ldp	q8, q9, [sp, #FP_FRAME_Q(8)]
	ldp	q10, q11, [sp, #FP_FRAME_Q(10)]
	ldp	q12, q13, [sp, #FP_FRAME_Q(12)]
	ldp	q14, q15, [sp, #FP_FRAME_Q(14)]
	ldp	q16, q17, [sp, #FP_FRAME_Q(16)]
	ldp	q18, q19, [sp, #FP_FRAME_Q(18)]
	ldp	q20, q21, [sp, #FP_FRAME_Q(20)]
	ldp	q22, q23, [sp, #FP_FRAME_Q(22)]
	ldp	q24, q25, [sp, #FP_FRAME_Q(24)]
	ldp	q26, q27, [sp, #FP_FRAME_Q(26)]
	ldp	q28, q29, [sp, #FP_FRAME_Q(28)]
	ldp	q30, q31, [sp, #FP_FRAME_Q(30)]
	ldr	x1, [sp, #FP_FRAME_FPSR]
	msr	fpsr, x1
	add	sp, sp, #FP_FRAME_BYTES
	b	irq_return
irq_switch_idle:
	and	x0, x0, #~1
	bl	sched_switch
	b	irq_return
	.size	irq_entry, . - irq_entry

/*
 * void port_switch(struct rtos_task *from, struct rtos_task *to)
 *
 * FPSR holds sticky flags only, which a call may change; FPCR holds modes, which it may not.
 */
	.text
	.globl	port_switch
	.type	port_switch, %function
port_switch:
	sub	sp, sp, #SWITCH_FRAME_BYTES
	mrs	x2, fpcr
	stp	x19, x20, [sp, #SWITCH_FRAME_X(19)]
	stp	x21, x22, [sp, #SWITCH_FRAME_X(21)]
	stp	x23, x24, [sp, #SWITCH_FRAME_X(23)]
	stp	x25, x26, [sp, #SWITCH_FRAME_X(25)]
	stp	x27, x28, [sp, #SWITCH_FRAME_X(27)]
	stp	x29, x30, [sp, #SWITCH_FRAME_X(29)]
	stp	d8, d9, [sp, #SWITCH_FRAME_D(8)]
	stp	d10, d11, [sp, #SWITCH_FRAME_D(10)]
	stp	d12, d13, [sp, #SWITCH_FRAME_D(12)]
	stp	d14, d15, [sp, #SWITCH_FRAME_D(14)]
	str	x2, [sp, #SWITCH_FRAME_FPCR]
	mov	x3, sp
	str	x3, [x0, #TASK_SP]

	ldp	x3, x4, [x1, #TASK_SP]	/* TASK_LIBC behind it */
	mov	sp, x3
	adrp	x5, _impure_ptr		/* newlib: whose errno, streams, strtok... */
	str	x4, [x5, :lo12:_impure_ptr]
	ldr	x2, [sp, #SWITCH_FRAME_FPCR]
	ldp	x19, x20, [sp, #SWITCH_FRAME_X(19)]
	ldp	x21, x22, [sp, #SWITCH_FRAME_X(21)]
	ldp	x23, x24, [sp, #SWITCH_FRAME_X(23)]
	ldp	x25, x26, [sp, #SWITCH_FRAME_X(25)]
	ldp	x27, x28, [sp, #SWITCH_FRAME_X(27)]
	ldp	x29, x30, [sp, #SWITCH_FRAME_X(29)]
	ldp	d8, d9, [sp, #SWITCH_FRAME_D(8)]
	ldp	d10, d11, [sp, #SWITCH_FRAME_D(10)]
	ldp	d12, d13, [sp, #SWITCH_FRAME_D(12)]
	ldp	d14, d15, [sp, #SWITCH_FRAME_D(14)]
	msr	fpcr, x2
	add	sp, sp, #SWITCH_FRAME_BYTES
	ret
	.size	port_switch, . - port_switch

	.section .text.vectors, "ax"
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
