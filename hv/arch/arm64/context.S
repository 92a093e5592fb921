/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EL1 context: what moves only when the vCPU changes, to and from struct el1_context, pair by pair in that structure's order.
 * Own CPU, no lock.
 *
 * A walk by the hardware while parts of two guests' contexts are in place could leave entries that mix them (Cortex-A57 and
 * A72 errata 1319537 and 1319367: it may even be speculative). So loading first forbids walks (TCR_EL1.EPD0, EPD1), and
 * the caller lets TCR_EL1 in last, when VTTBR_EL2 names the new guest too.
 */
#include <asm_offsets.h>

	/* Each line: two registers that are neighbours in struct el1_context. */
	.macro	each op
	\op	elr_el2, spsr_el2, 0
	\op	sctlr_el1, cpacr_el1, 16
	\op	ttbr0_el1, ttbr1_el1, 32
	\op	amair_el1, contextidr_el1, 48
	\op	vbar_el1, tpidr_el1, 64
	\op	tpidr_el0, tpidrro_el0, 80
	\op	sp_el0, sp_el1, 96
	\op	elr_el1, spsr_el1, 112
	\op	esr_el1, far_el1, 128
	\op	afsr0_el1, afsr1_el1, 144
	\op	par_el1, csselr_el1, 160
	\op	cntkctl_el1, mair_el1, 176
	.endm

	.macro	save a, b, at
	mrs	x1, \a
	mrs	x2, \b
	stp	x1, x2, [x0, #\at]
	.endm

	.macro	load a, b, at
	ldp	x1, x2, [x0, #\at]
	msr	\a, x1
	msr	\b, x2
	.endm

	.text
/* void el1_save(struct el1_context *c) */
	.global	el1_save
el1_save:
	each	save
	mrs	x1, tcr_el1
	str	x1, [x0, #EL1_TCR]
	ret

/* void el1_load(const struct el1_context *c): all but TCR_EL1, which is left forbidding walks; the caller ends that. */
	.global	el1_load
el1_load:
	mov	x1, #0x80			/* EPD0 */
	movk	x1, #0x80, lsl #16		/* EPD1 */
	msr	tcr_el1, x1
	isb
	each	load
	ret
