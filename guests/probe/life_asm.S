/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ways to get stuck that C can't write: no usable vectors, no usable stack. None returns; all mask interrupts first.
 * Nothing here may touch the stack.
 */
#include "asm.h"

#define NOWHERE 0x0b000000	/* a hole in the guests' platform and in QEMU's `virt` */

	.text

/* Vectors where nothing is: the first exception is followed by fetch aborts at the vector, for ever, by way of EL2. */
FUNC(life_vbar_outside)
	msr	daifset, #15
	mov	x0, #NOWHERE
	msr	vbar_el1, x0
	isb
	.inst	0x00000000		/* UDF */
1:	b	1b
END(life_vbar_outside)

/* Vectors of undefined instructions: exceptions for ever that no hypervisor sees. */
FUNC(life_vbar_undef)
	msr	daifset, #15
	adrp	x0, undef_vectors
	add	x0, x0, :lo12:undef_vectors
	msr	vbar_el1, x0
	isb
	.inst	0x00000000
1:	b	1b
END(life_vbar_undef)

/* A stack where nothing is: the abort's handler pushes there and aborts itself. */
FUNC(life_sp_outside)
	msr	daifset, #15
	mov	x0, #NOWHERE
	add	sp, x0, #0x100
	str	x0, [sp, #-16]!
1:	b	1b
END(life_sp_outside)

FUNC(life_spin_masked)
	msr	daifset, #15
1:	b	1b
END(life_spin_masked)

	.balign 2048
undef_vectors:
	.zero	2048			/* all UDF #0 */
