/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A counted amount of work: a unit is exactly UNIT instructions, a microsecond under -icount shift=0. No exits: nothing here traps.
 */
#include "asm.h"

#define UNIT 1000
#define UNIT_REST 12		/* instructions of a unit but for its inner loop of two */

	.text

/* x0 units, x1 counter to stop at, x2 where to add. */
FUNC(load_burn)
	mov	x3, #0
1:	cmp	x3, x0
	b.hs	3f
	mrs	x4, cntvct_el0
	cmp	x4, x1
	b.hs	3f
	mov	x5, #((UNIT - UNIT_REST) / 2)
2:	subs	x5, x5, #1
	b.ne	2b
	ldr	x6, [x2]
	add	x6, x6, #1
	str	x6, [x2]
	nop
	add	x3, x3, #1
	b	1b
3:	mov	x0, x3
	ret
END(load_burn)
