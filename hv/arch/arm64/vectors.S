/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exception vectors of EL2, the way in from a guest and back.
 *
 * While a guest runs, SP_EL2 points to its vCPU's register array; entry saves there what C may clobber (x0 to x17, x30; x18
 * is fixed, C never uses it), then takes the CPU's stack. C answers with the vCPU to go on with, or NULL when work
 * is pending; only then x19 to x29 are saved too, and the slow path may come back with another vCPU. ELR_EL2 and
 * SPSR_EL2 stay in their registers: EL2 isn't preemptible.
 *
 * There are two tables, without and with the mitigation of branch-history injection (Arm: "Spectre-BHB", loops before any
 * indirect branch, whose number the errata table gives).
 */
#include <asm_offsets.h>

#include "asm_macros.h"
#include "exits.h"

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

	/* As many loops of three instructions as the CPU's data says, then a speculation barrier: 3 n + 4 instructions. */
	.macro	bhb, wanted
	.if	\wanted
	mrs	x0, tpidr_el2
	ldrb	w0, [x0, #PCPU_BHB_LOOPS]
77:	b	78f
78:	subs	x0, x0, #1
	b.ne	77b
	dsb	nsh
	isb
	.endif
	.endm

	/*
	 * The stay begins: x0 = struct arm64_vcpu, x5 = this CPU's data, SP = this CPU's stack.
	 */
	.macro	to_el2
	sub	x0, sp, #VCPU_X
	mrs	x5, tpidr_el2
	ldr	x2, [x0, #VCPU_STACK]
	mrs	x3, cntpct_el0
	mov	sp, x2
	str	x3, [x5, #PCPU_STAY_START]
	.endm

	.macro	count_exit class
	ldr	x2, [x5, #(PCPU_EXITS + 8 * \class)]
	add	x2, x2, #1
	str	x2, [x5, #(PCPU_EXITS + 8 * \class)]
	.endm

	/* Slots: synchronous, IRQ, FIQ, SError from one kind of lower exception level. */
	.macro	slot wanted, target
	.balign	128
	save_volatile
	bhb	\wanted
	to_el2
	b	\target
	.endm

	/* x3 = struct arm64_vcpu.x */
	.macro	save_callee
	str	x18, [x3, #144]
	stp	x19, x20, [x3, #152]
	stp	x21, x22, [x3, #168]
	stp	x23, x24, [x3, #184]
	stp	x25, x26, [x3, #200]
	stp	x27, x28, [x3, #216]
	.endm
	.macro	restore_callee
	ldr	x18, [x3, #144]
	ldp	x19, x20, [x3, #152]
	ldp	x21, x22, [x3, #168]
	ldp	x23, x24, [x3, #184]
	ldp	x25, x26, [x3, #200]
	ldp	x27, x28, [x3, #216]
	.endm

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

	/* In the second table each slot is a section, so that the linker script can fill it: see there. */
	.macro	slot_section n
	.section .vectors.bhb\n, "ax"
	.balign	128
	.endm

	.macro	vectors name, wanted
	.if	\wanted
	.section .vectors.bhb0, "ax"
	.else
	.section .vectors, "ax"
	.endif
	.balign	2048
	.global	\name
\name:
	/* current EL with SP_EL0 (never used), then with SP_EL2 */
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7
	.if	\wanted
	slot_section \n
	b	fault_entry_\n
	.else
	.balign	128
	fault_entry \n
	.endif
	.endr

	/* lower EL, AArch64; FIQ: none is ever routed here (group 1 only) */
	.if	\wanted
	slot_section 8
	.endif
	slot	\wanted, guest_sync
	slot	\wanted, guest_irq
	slot	\wanted, guest_irq
	slot	\wanted, guest_serror
	/*
	 * A level below that is AArch32: EL1 never is, and a guest's EL0 comes in above whatever it is (Arm ARM D1.3.1). There is room
	 * behind these branches, in one of the tables for the less frequent ways.
	 */
	.if	\wanted
	slot_section 9
	.endif
	.balign	128
	b	fault_entry_0
	.ifeq	\wanted
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
	.endif
	.if	\wanted
	slot_section 10
	.endif
	.balign	128
	b	fault_entry_1
	.ifeq	\wanted
	/* All registers are in the array, and the end is C's. */
sync_full:
	add	x3, x0, #VCPU_X
	save_callee
	blr	x6
	bl	trap_finish
	mrs	x0, tpidr_el2
	ldr	x0, [x0, #PCPU_CURRENT]
	add	x3, x0, #VCPU_X
	restore_callee
	b	leave
	.endif
	.if	\wanted
	slot_section 11
	.endif
	.balign	128
	b	fault_entry_2
	.ifeq	\wanted
leave_slow:
	ldr	x0, [x1, #PCPU_CURRENT]
	add	x3, x0, #VCPU_X
	save_callee
enter_slow:
	mrs	x0, tpidr_el2
	bl	vcpu_leave_slow
	add	x3, x0, #VCPU_X
	restore_callee
	b	leave
	.endif
	.if	\wanted
	slot_section 12
	.global	vectors_bhb_last
vectors_bhb_last:
	.endif
	.balign	128
	b	fault_entry_3
	.ifeq	\wanted
leave_seen:
	mov	x0, x2
	bl	trap_stay_end
	mrs	x0, tpidr_el2
	ldr	x0, [x0, #PCPU_CURRENT]
	b	restore
guest_serror:
	count_exit EXIT_SERROR
	bl	trap_serror
	b	leave
	.endif
	.endm

	vectors	vectors_plain, 0
	vectors	vectors_bhb, 1

	/* x6 = what handles class x4 */
	.macro	handler
	adr	x7, trap_handlers
	ldrsw	x6, [x7, x4, lsl #2]
	add	x6, x6, x7
	.endm

	.text
	/* Offsets rather than addresses: nothing to relocate. */
	.macro	class ec
	.if	\ec == EC_WFX
	.word	trap_wfx - trap_handlers
	.elseif	\ec == EC_FP
	.word	fpsimd_trap - trap_handlers
	.elseif	\ec == EC_SMC64
	.word	trap_smc - trap_handlers
	.elseif	\ec == EC_SYSREG
	.word	sysreg_trap - trap_handlers
	.elseif	\ec == EC_IABT_LOW
	.word	abort_instruction - trap_handlers
	.elseif	\ec == EC_DABT_LOW
	.word	abort_data - trap_handlers
	.elseif	\ec == EC_UNKNOWN || \ec == EC_PAUTH || \ec == EC_SVE || \ec == EC_SME || \
		(\ec >= EC_CP15_32 && \ec <= EC_CP14_LS) || \ec == EC_CP10_ID || \ec == EC_CP14_64
	.word	trap_hidden - trap_handlers
	.else
	.word	trap_unknown - trap_handlers
	.endif
	.endm

	.section .text.handlers, "ax"
	.balign	4
trap_handlers:
	.set	ec, 0
	.rept	64
	class	ec
	.set	ec, ec + 1
	.endr

	.text
guest_sync:
	mrs	x1, esr_el2
	lsr	x4, x1, #26
	add	x5, x5, x4, lsl #3
	ldr	x2, [x5, #PCPU_EXITS]
	add	x2, x2, #1
	str	x2, [x5, #PCPU_EXITS]
	cmp	x4, #EC_HVC64
	b.ne	1f
	bl	trap_hvc
	b	leave

	/*
	 * A target register of an access may be any. The array is complete up to x17; for the others, which C may hold
	 * in its own frames by then, and for classes without a target, the rest is saved first and restored afterwards.
	 */
1:	handler
	cmp	x4, #EC_DABT_LOW
	ubfx	x5, x1, #16, #5
	b.eq	2f
	cmp	x4, #EC_SYSREG
	ubfx	x5, x1, #5, #5
	b.ne	sync_full
2:	cmp	x5, #18
	mrs	x7, spsr_el2
	b.hs	sync_full
	tbnz	x7, #4, sync_full			/* AArch32: trap_finish() knows its instructions */
	blr	x6
	cmp	w0, #TRAP_IS_SKIP
	b.ne	3f
	mrs	x0, elr_el2
	add	x0, x0, #4
	msr	elr_el2, x0

	/* The common end: straight back when nothing is pending. */
leave:
	mrs	x1, tpidr_el2
	ldr	w2, [x1, #PCPU_WORK]
	cbnz	w2, leave_slow
	ldp	x3, x4, [x1, #PCPU_STAY_START]
	mrs	x2, cntpct_el0
	sub	x2, x2, x3
	ldr	x5, [x1, #PCPU_STAY_LIMIT]
	add	x4, x4, x2
	str	x4, [x1, #PCPU_STAY_TOTAL]
	cmp	x2, x5
	b.gt	leave_seen
	ldr	x0, [x1, #PCPU_CURRENT]
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

3:	cmp	w0, #TRAP_IS_UNHANDLED
	b.ne	leave
	bl	inject_undef
	b	leave

guest_irq:
	count_exit EXIT_IRQ
	msr	esr_el2, xzr				/* what the stay began with: no syndrome */
	bl	gic_handle_irqs
	b	leave

/* void enter_guests(void): the first way out, from the CPU's boot code. */
	.global	enter_guests
enter_guests:
	mrs	x0, tpidr_el2
	ldr	x1, [x0, #PCPU_STACK_TOP]
	mov	sp, x1
	mov	x29, xzr
	b	enter_slow
