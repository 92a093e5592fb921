/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exception vectors of EL2, the way in from a guest and back.
 *
 * While a guest runs, SP_EL2 points to its vCPU's register array; entry saves there what C may clobber (x0 to x17, x30; x18
 * is fixed, C never uses it), then takes the CPU's stack. C answers with the vCPU to go on with, or NULL when work
 * is pending; only then x19 to x29 are saved too, and the slow path may come back with another vCPU. ELR_EL2 and
 * SPSR_EL2 stay in their registers: EL2 isn't preemptible.
 *
 * There is one table per mitigation of branch-history injection (Arm: "Spectre-BHB", loops of the given length before any
 * indirect branch); the errata table chooses.
 */
#include <asm_offsets.h>

#include "asm_macros.h"

	.macro	save_volatile
	stp	x0, x1, [sp, #0]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x29, x30, [sp, #232]
	.endm

	/* k loops of three instructions, then a speculation barrier: 3 k + 3 instructions. */
	.macro	bhb, k
	.if	\k
	mov	x0, #\k
77:	b	78f
78:	subs	x0, x0, #1
	b.ne	77b
	dsb	nsh
	isb
	.endif
	.endm

	/* x0 = struct arm64_vcpu, SP = this CPU's stack. */
	.macro	to_c
	sub	x0, sp, #VCPU_X
	ldr	x2, [x0, #VCPU_STACK]
	mov	sp, x2
	.endm

	.macro	vectors name, k
	.section .vectors, "ax"
	.balign	2048
	.global	\name
\name:
	/* current EL with SP_EL0: never used */
	.balign	128
	b	fault_entry_0
	.balign	128
	b	fault_entry_1
	.balign	128
	b	fault_entry_2
	.balign	128
	b	fault_entry_3
	/* current EL with SP_EL2 */
	.balign	128
	b	fault_entry_4
	.balign	128
	b	fault_entry_5
	.balign	128
	b	fault_entry_6
	.balign	128
	b	fault_entry_7

	/* lower EL, AArch64: synchronous */
	.balign	128
	save_volatile
	bhb	\k
	to_c
	mrs	x1, esr_el2
	lsr	x3, x1, #26
	cmp	x3, #0x16
	b.ne	sync_not_hvc
	bl	trap_hvc
	b	leave

	/* IRQ */
	.balign	128
	save_volatile
	bhb	\k
	to_c
	bl	trap_irq
	b	leave

	/* FIQ: none is ever routed here (group 1 only) */
	.balign	128
	save_volatile
	bhb	\k
	to_c
	bl	trap_irq
	b	leave

	/* SError */
	.balign	128
	save_volatile
	bhb	\k
	to_c
	mrs	x1, esr_el2
	b	serror_from_guest

	/* lower EL, AArch32 (EL0 of a guest): the same events */
	.balign	128
	save_volatile
	bhb	\k
	to_c
	mrs	x1, esr_el2
	b	sync_not_hvc
	.balign	128
	save_volatile
	bhb	\k
	to_c
	bl	trap_irq
	b	leave
	.balign	128
	save_volatile
	bhb	\k
	to_c
	bl	trap_irq
	b	leave
	.balign	128
	save_volatile
	bhb	\k
	to_c
	mrs	x1, esr_el2
	b	serror_from_guest
	.endm

	vectors	vectors_plain, 0
	vectors	vectors_bhb8, 8
	vectors	vectors_bhb24, 24
	vectors	vectors_bhb32, 32

	.text
	/* A target register of MMIO or a system register access may be any: the array must be complete. */
sync_not_hvc:
	add	x3, x0, #VCPU_X
	stp	x19, x20, [x3, #152]
	stp	x21, x22, [x3, #168]
	stp	x23, x24, [x3, #184]
	stp	x25, x26, [x3, #200]
	stp	x27, x28, [x3, #216]
	str	x18, [x3, #144]
	bl	trap_sync
	cbz	x0, leave_slow_saved
	add	x3, x0, #VCPU_X
	ldr	x18, [x3, #144]
	ldp	x19, x20, [x3, #152]
	ldp	x21, x22, [x3, #168]
	ldp	x23, x24, [x3, #184]
	ldp	x25, x26, [x3, #200]
	ldp	x27, x28, [x3, #216]
	b	restore

serror_from_guest:
	bl	trap_serror
	/* falls through */
leave:
	cbz	x0, leave_slow
restore:
	/* x0 = struct arm64_vcpu; x18 to x28 are the guest's */
	add	sp, x0, #VCPU_X
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldp	x29, x30, [sp, #232]
	ldp	x0, x1, [sp, #0]
	eret
	/* No speculation past an exception return (straight-line speculation). */
	dsb	nsh
	isb

leave_slow:
	mrs	x0, tpidr_el2
	ldr	x0, [x0, #PCPU_CURRENT]
	add	x3, x0, #VCPU_X
	str	x18, [x3, #144]
	stp	x19, x20, [x3, #152]
	stp	x21, x22, [x3, #168]
	stp	x23, x24, [x3, #184]
	stp	x25, x26, [x3, #200]
	stp	x27, x28, [x3, #216]
leave_slow_saved:
	bl	trap_leave_slow
enter_vcpu:
	add	x3, x0, #VCPU_X
	ldr	x18, [x3, #144]
	ldp	x19, x20, [x3, #152]
	ldp	x21, x22, [x3, #168]
	ldp	x23, x24, [x3, #184]
	ldp	x25, x26, [x3, #200]
	ldp	x27, x28, [x3, #216]
	b	restore

/* void enter_guests(void): the first way out, from the CPU's boot code. */
	.global	enter_guests
enter_guests:
	mrs	x0, tpidr_el2
	ldr	x1, [x0, #PCPU_STACK_TOP]
	mov	sp, x1
	mov	x29, xzr
	b	leave_slow_saved

/*
 * EL2 faulted, or an interrupt came at EL2 where none may. The stack can be what is wrong, so the record goes to the
 * emergency stack. CNTHP_CVAL_EL2 serves as scratch: nothing returns from here.
 * Frame: x0..x30, SP, then the vector's number for C.
 */
	.macro	fault_entry n
fault_entry_\n:
	msr	cnthp_cval_el2, x0
	mrs	x0, tpidr_el2
	ldr	x0, [x0, #PCPU_EMERGENCY_TOP]
	sub	x0, x0, #256
	stp	x2, x3, [x0, #16]
	mov	x2, sp
	mov	sp, x0
	mov	x3, #\n
	b	fault_common
	.endm
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7
	fault_entry \n
	.endr
fault_common:
	str	x1, [sp, #8]
	mrs	x1, cnthp_cval_el2
	str	x1, [sp, #0]
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
	stp	x30, x2, [sp, #240]
	mov	x0, sp
	mov	x1, x3
	b	fault_el2
