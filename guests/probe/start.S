/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entry of the boot CPU and of the CPUs started by PSCI CPU_ON. EL1, MMU and caches off, interrupts masked.
 * Must not touch memory outside .bss and the stacks before C runs: the device tree lies in front of the image.
 */
#include "asm.h"

	.section .text.start, "ax"

/* x0 = device tree, or anything when the loader is not a Linux loader (C looks at the start of RAM then). */
FUNC(_start)
	msr	daifset, #15
	mov	x19, x0
	bl	cpu_init_el1

	adrp	x0, bss_start
	add	x0, x0, :lo12:bss_start
	adrp	x1, bss_end
	add	x1, x1, :lo12:bss_end
1:	cmp	x0, x1
	b.hs	2f
	stp	xzr, xzr, [x0], #16
	b	1b

2:	mov	x0, #0
	bl	cpu_stack_top
	mov	sp, x0
	mov	x0, x19
	bl	probe_main
3:	wfi
	b	3b
END(_start)

/* x0 = context of CPU_ON: the CPU's index. */
FUNC(secondary_start)
	mrs	x20, daif
	mrs	x21, sctlr_el1
	msr	daifset, #15
	mov	x19, x0
	bl	cpu_init_el1
	mov	x0, x19
	bl	cpu_stack_top
	mov	sp, x0
	mov	x0, x19
	mov	x1, x20
	mov	x2, x21
	bl	cpu_secondary_main
1:	wfi
	b	1b
END(secondary_start)

/* Known EL1 state: RES1 bits of SCTLR_EL1, MMU and caches off, FP/SIMD open, our vectors. Uses x1. */
LOCAL_FUNC(cpu_init_el1)
	mov	x1, #0x0800
	movk	x1, #0x30d0, lsl #16
	msr	sctlr_el1, x1
	mov	x1, #(3 << 20)
	msr	cpacr_el1, x1
	adrp	x1, vectors
	add	x1, x1, :lo12:vectors
	msr	vbar_el1, x1
	isb
	ret
END(cpu_init_el1)

/* x0 = index -> x0 = top of its stack. Uses x1. */
LOCAL_FUNC(cpu_stack_top)
	add	x0, x0, #1
	lsl	x0, x0, #STACK_SHIFT
	adrp	x1, stacks
	add	x1, x1, :lo12:stacks
	add	x0, x0, x1
	ret
END(cpu_stack_top)

	.bss
	.balign 16
stacks:
	.space	CPU_MAX << STACK_SHIFT
