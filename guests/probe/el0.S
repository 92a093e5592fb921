/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way to EL0; back is an exception (trap.c). Nothing here returns.
 */
#include "asm.h"

	.text

/* x0 = pc, x1 and x2 = its arguments, x3 = where its RET leads, x4 = SPSR. */
FUNC(el0_enter)
	msr	elr_el1, x0
	msr	spsr_el1, x4
	msr	sp_el0, xzr
	mov	x30, x3
	mov	x0, x1
	mov	x1, x2
	isb
	eret
END(el0_enter)

FUNC(el0_svc)
	svc	#0
	b	el0_svc
END(el0_svc)
