/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entry from firmware: arm64 Linux boot protocol (Image header; MMU off, x0 = device tree), at EL2.
 *
 * Vectors come first, so that whatever goes wrong from then on prints a record. Then: relocate, clear .bss, a rough one-to-one
 * map (1 GiB blocks, the gigabytes of the image and of the tree cached, all else device), MMU and caches on, C. No
 * exclusive access happens before the MMU is on: on device memory it would fault.
 */
#include <asm_offsets.h>

#include "asm_macros.h"

#define SCTLR_RES1 0x30c50830
#define SCTLR_ON 0x30c51835		/* + M, C, I, SA */
#define MAIR 0x04ff			/* 0: normal WB RA WA, 1: device nGnRE */
#define TCR 0x80803519			/* T0SZ 25, WB WA inner shareable, 4 KiB; PS or'ed in */
#define BLOCK_NORMAL 0x701		/* AF, inner shareable, attribute 0 */
#define BLOCK_DEVICE 0x40000000000405	/* XN, AF, attribute 1 */

	.section .head, "ax"
	.global image_start
image_start:
	b	start
	.long	0
	.quad	0			/* text_offset */
	.quad	image_bytes		/* image_size */
	.quad	0xa			/* little endian, 4 KiB pages, anywhere in memory */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

	.text
start:
	msr	daifset, #0xf
	mrs	x1, CurrentEL
	cmp	x1, #(2 << 2)
	b.ne	not_el2
	mov	x20, x0
	adrp	x19, image_text			/* load address */
	adr_l	x1, vectors_plain
	msr	vbar_el2, x1
	adr_l	x1, arm64_pcpus
	msr	tpidr_el2, x1
	/* So that a fault finds its emergency stack (the per-CPU data lies in .data: clearing .bss spares it). */
	adr_l	x2, arm64_stacks
	mov	x3, #STACKS_TOP
	add	x3, x2, x3
	str	x3, [x1, #PCPU_STACK_TOP]
	mov	sp, x3
	mov	x3, #STACKS_EMERGENCY_TOP
	add	x3, x2, x3
	str	x3, [x1, #PCPU_EMERGENCY_TOP]
	mov	x29, xzr
	mov	x30, xzr
	ldr	x2, =SCTLR_RES1
	msr	sctlr_el2, x2
	isb

	/* R_AARCH64_RELATIVE is all that a static position-independent image has. */
	adr_l	x1, image_rela
	adr_l	x2, image_rela_end
1:	cmp	x1, x2
	b.hs	2f
	ldp	x3, x4, [x1], #16
	ldr	x5, [x1], #8
	cmp	w4, #1027
	b.ne	1b
	add	x5, x5, x19
	str	x5, [x3, x19]
	b	1b
2:
	adr_l	x1, image_bss
	adr_l	x2, image_end
3:	stp	xzr, xzr, [x1], #16
	cmp	x1, x2
	b.lo	3b

	/* The rough map: entry n of the one root table is gigabyte n. */
	adr_l	x1, boot_table
	ldr	x2, =BLOCK_DEVICE
	mov	x3, #0
4:	orr	x4, x2, x3, lsl #30
	str	x4, [x1, x3, lsl #3]
	add	x3, x3, #1
	cmp	x3, #512
	b.lo	4b
	mov	x5, #BLOCK_NORMAL
	lsr	x3, x20, #30
	and	x3, x3, #511
	orr	x4, x5, x3, lsl #30
	str	x4, [x1, x3, lsl #3]
	lsr	x3, x19, #30
	orr	x4, x5, x3, lsl #30
	str	x4, [x1, x3, lsl #3]

	/* What was written with the caches off must not be hidden by lines that firmware left (Arm ARM D7.5). */
	mrs	x3, ctr_el0
	ubfx	x3, x3, #16, #4
	mov	x4, #4
	lsl	x3, x4, x3
	adr_l	x4, image_rodata
	adr_l	x5, image_end
5:	dc	ivac, x4
	add	x4, x4, x3
	cmp	x4, x5
	b.lo	5b
	dsb	sy

	mov	x0, x1
	bl	mmu_values
	bl	el2_mmu_switch
	mov	x0, x20
	mov	x1, x19
	b	start_primary

/* x0 = table: the rest of el2_mmu_switch's arguments. */
mmu_values:
	ldr	x1, =TCR
	mrs	x2, id_aa64mmfr0_el1
	and	x2, x2, #7
	cmp	x2, #5
	mov	x3, #5
	csel	x2, x2, x3, ls
	orr	x1, x1, x2, lsl #16
	mov	x2, #MAIR
	ldr	x3, =SCTLR_ON
	ret

/* Not at EL2: nothing can be set up to tell it with but the early UART. */
not_el2:
	ldr	x1, =CONFIG_EARLY_UART_BASE
	cbz	x1, park
	adr	x2, msg_not_el2
1:	ldrb	w3, [x2], #1
	cbz	w3, park
	str	w3, [x1]
	b	1b
park:
	wfe
	b	park
msg_not_el2:
	.asciz	"camber: not started at EL2; firmware must enter at EL2 (QEMU: -M virt,virtualization=on)\r\n"
	.balign	4

/* Entered by firmware on another CPU, MMU off, x0 = its struct arm64_pcpu. */
	.global secondary_start
secondary_start:
	msr	daifset, #0xf
	msr	tpidr_el2, x0
	adr_l	x1, vectors_plain
	msr	vbar_el2, x1
	ldr	x2, =SCTLR_RES1
	msr	sctlr_el2, x2
	isb
	mov	x20, x0
	ldr	x1, [x0, #PCPU_STACK_TOP]
	mov	sp, x1
	mov	x29, xzr
	mov	x30, xzr
	adr_l	x0, el2_ttbr
	ldr	x0, [x0]
	bl	mmu_values
	bl	el2_mmu_switch
	mov	x0, x20
	b	start_secondary

/*
 * void el2_mmu_switch(ttbr, tcr, mair, sctlr): other tables, by way of MMU off. One-to-one maps, so the instruction
 * stream goes on; no data is touched in between; the tables were written with the cache on or off and are cleaned by
 * whoever wrote them. (Arm ARM D8.16: changing block sizes needs break-before-make; switching everything off is that.)
 */
	.global el2_mmu_switch
el2_mmu_switch:
	mrs	x4, sctlr_el2
	bic	x4, x4, #1
	dsb	sy
	msr	sctlr_el2, x4
	isb
	msr	ttbr0_el2, x0
	msr	tcr_el2, x1
	msr	mair_el2, x2
	isb
	tlbi	alle2
	ic	iallu
	dsb	nsh
	isb
	msr	sctlr_el2, x3
	isb
	ret

	.section .bss.page_aligned, "aw", @nobits
	.balign	4096
boot_table:
	.skip	4096
