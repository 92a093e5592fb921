/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exception vectors of EL1. The IRQ vector takes the time stamp in which every interrupt latency ends with its fourth
 * instruction, as the payload did with which other hypervisors were measured: make room, save four registers, read the
 * counter. x18 carries it (-ffixed-x18: nothing else uses it). Nothing may be added in front.
 */
#include "asm.h"

.macro SAVE_FRAME_HEAD
	sub	sp, sp, #FRAME_SIZE
	stp	x0, x1, [sp, #0]
	stp	x2, x3, [sp, #16]
.endm

.macro SAVE_FRAME_REST
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	str	x30, [sp, #240]
	mrs	x0, elr_el1
	mrs	x1, spsr_el1
	stp	x0, x1, [sp, #FRAME_ELR]
.endm

.macro ENTRY_SYNC kind
	.balign 128
	SAVE_FRAME_HEAD
	SAVE_FRAME_REST
	mov	x1, #\kind
	b	sync_common
.endm

	.text
	.balign 2048
	.global vectors
vectors:
	/* Current EL with SP_EL0: never selected. */
	ENTRY_SYNC 0
	ENTRY_SYNC 1
	ENTRY_SYNC 2
	ENTRY_SYNC 3
	/* Current EL with SP_EL1. */
	ENTRY_SYNC 4
	.balign 128
	SAVE_FRAME_HEAD
	mrs	x18, cntvct_el0		/* the time stamp */
	SAVE_FRAME_REST
	b	irq_common
	ENTRY_SYNC 6
	ENTRY_SYNC 7
	/* Lower EL: el0_run(). */
	ENTRY_SYNC 8
	ENTRY_SYNC 9
	ENTRY_SYNC 10
	ENTRY_SYNC 11
	ENTRY_SYNC 12
	ENTRY_SYNC 13
	ENTRY_SYNC 14
	ENTRY_SYNC 15

LOCAL_FUNC(irq_common)
	mrs	x0, tpidr_el1
	str	x18, [x0, #CPU_IRQ_STAMP]
	bl	gic_handle_irq
	b	restore_frame
END(irq_common)

LOCAL_FUNC(sync_common)
	mov	x0, sp
	bl	trap_handle
	b	restore_frame
END(sync_common)

LOCAL_FUNC(restore_frame)
	ldp	x0, x1, [sp, #FRAME_ELR]
	msr	elr_el1, x0
	msr	spsr_el1, x1
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldr	x19, [sp, #152]
	ldp	x20, x21, [sp, #160]
	ldp	x22, x23, [sp, #176]
	ldp	x24, x25, [sp, #192]
	ldp	x26, x27, [sp, #208]
	ldp	x28, x29, [sp, #224]
	ldr	x30, [sp, #240]
	ldp	x0, x1, [sp, #0]
	add	sp, sp, #FRAME_SIZE
	eret
END(restore_frame)

/*
 * int trap_mark(struct trap_mark *m): 0 when set, 1 when trap_return(m) came back to it. x0 = m. What the ABI keeps
 * over a call, as setjmp.
 */
FUNC(trap_mark)
	stp	x19, x20, [x0, #0]
	stp	x21, x22, [x0, #16]
	stp	x23, x24, [x0, #32]
	stp	x25, x26, [x0, #48]
	stp	x27, x28, [x0, #64]
	stp	x29, x30, [x0, #80]
	mov	x1, sp
	str	x1, [x0, #96]
	mov	x0, #0
	ret
END(trap_mark)

FUNC(trap_return)
	ldp	x19, x20, [x0, #0]
	ldp	x21, x22, [x0, #16]
	ldp	x23, x24, [x0, #32]
	ldp	x25, x26, [x0, #48]
	ldp	x27, x28, [x0, #64]
	ldp	x29, x30, [x0, #80]
	ldr	x1, [x0, #96]
	mov	sp, x1
	mov	x0, #1
	ret
END(trap_return)
