/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entry: EL1, MMU off, x0 = device tree or 0. Turns the MMU on over a coarse constant map before the first store, so
 * that no memory is ever written uncached, then clears .bss and enters C, which builds the final map (mmu.c).
 *
 * Only CPU 0 runs; another CPU that comes here, or a start at another exception level, is parked.
 */
#include "abi/platform.h"
#include "arch/layout.h"

/* SCTLR_EL1 (DDI 0487, D19.2): RES1 bits, I, SA, C, M. mmu_switch adds WXN. */
#define SCTLR_MMU_OFF 0x30d00800
#define SCTLR_MMU_ON (SCTLR_MMU_OFF | (1 << 12) | (1 << 3) | (1 << 2) | (1 << 0))
#define SCTLR_WXN (1 << 19)

/* TCR_EL1: TTBR0 only, 4 GiB, 4 KiB granule, tables write-back cacheable and inner shareable, 32-bit output. */
#define TCR_VALUE ((1 << 23) | (3 << 12) | (1 << 10) | (1 << 8) | 32)

/* MAIR_EL1: 0 = Device-nGnRE, 1 = Normal write-back. mmu.c uses the same indices. */
#define MAIR_VALUE 0xff04

/* Descriptors (D8.3): block, attribute index, inner shareable, accessed, no execution at EL1 and EL0. */
#define BOOT_DEVICE 0x0060000000000401
#define BOOT_NORMAL 0x0000000000000705

	.macro mov32 reg, value
	movz	\reg, #((\value) & 0xffff)
	movk	\reg, #((\value) >> 16), lsl #16
	.endm

	.section .text.start, "ax"
	.globl	_start
	.type	_start, %function
_start:
	msr	daifset, #15
	mov	x20, x0
	mrs	x0, mpidr_el1
	mov	x1, #0x00ffffff		/* Aff2..Aff0 */
	movk	x1, #0xff, lsl #32	/* Aff3 */
	tst	x0, x1
	b.ne	park
	mrs	x0, currentel
	cmp	x0, #(1 << 2)
	b.ne	wrong_el

	mov32	x0, SCTLR_MMU_OFF
	msr	sctlr_el1, x0
	mov	x0, #(3 << 20)		/* CPACR_EL1.FPEN: tasks may use FP/SIMD registers */
	msr	cpacr_el1, x0
	adrp	x0, vectors
	add	x0, x0, :lo12:vectors
	msr	vbar_el1, x0

	mov	x0, #MAIR_VALUE
	msr	mair_el1, x0
	mov32	x0, TCR_VALUE
	msr	tcr_el1, x0
	adrp	x0, boot_level1
	add	x0, x0, :lo12:boot_level1
	mov	x1, #0
	bl	mmu_switch

	adrp	x0, stack_top
	add	sp, x0, :lo12:stack_top
	adrp	x0, bss_start
	add	x0, x0, :lo12:bss_start
	adrp	x1, bss_end
	add	x1, x1, :lo12:bss_end
1:	cmp	x0, x1
	b.hs	2f
	stp	xzr, xzr, [x0], #16
	b	1b
2:	mov	x0, x20
	mov	x29, #0			/* end of the frame chain */
	mov	x30, #0
	bl	boot_main		/* does not return */
park:	wfe
	b	park

wrong_el:
	mov32	x1, GUEST_UART_BASE
	adr	x2, wrong_el_text
1:	ldrb	w3, [x2], #1
	cbz	w3, park
	str	w3, [x1]
	b	1b
wrong_el_text:
	.asciz	"rtos: started at the wrong exception level, EL1 is needed (bare QEMU: no virtualization=on)\r\n"
	.balign	4
	.size	_start, . - _start

/*
 * void mmu_switch(uint64_t level1, uint64_t write_xor_execute)
 *
 * Translate by another table. It may change the size of the mapping that this very code runs in, which the
 * break-before-make rule (D8.14) forbids with the MMU on; hence off and on again. Touches no memory.
 */
	.globl	mmu_switch
	.type	mmu_switch, %function
mmu_switch:
	mov32	x2, SCTLR_MMU_OFF
	dsb	ish			/* table writes are complete */
	msr	sctlr_el1, x2
	isb
	msr	ttbr0_el1, x0
	tlbi	vmalle1
	ic	iallu
	dsb	nsh
	isb
	mov32	x2, SCTLR_MMU_ON
	cbz	x1, 1f
	orr	x2, x2, #SCTLR_WXN
1:	msr	sctlr_el1, x2
	isb
	ret
	.size	mmu_switch, . - mmu_switch

/* The boot map: the first GiB is devices, then 16 MiB of RAM. Constant, for the walker needs no write access. */
	.section .rodata.boot_map, "a"
	.balign	4096
boot_level2:
	.set	addr, LAYOUT_RAM_BASE
	.rept	(LAYOUT_RAM_LIMIT - LAYOUT_RAM_BASE) / LAYOUT_BLOCK_BYTES
	.quad	addr | BOOT_NORMAL
	.set	addr, addr + LAYOUT_BLOCK_BYTES
	.endr
	.fill	512 - (LAYOUT_RAM_LIMIT - LAYOUT_RAM_BASE) / LAYOUT_BLOCK_BYTES, 8, 0
boot_level1:
	.quad	BOOT_DEVICE
	.quad	boot_level2 + 3
	.quad	0, 0
