/* SPDX-License-Identifier: Apache-2.0 */
/* FP/SIMD registers filled, held, compared: see fp.h. Saves what a call preserves. */
#define FPCR_RMODE_SHIFT 22
#define FPSR_FLAGS 0x1f

	.text
	.globl	fp_hold
	.type	fp_hold, %function
fp_hold:
	stp	d8, d9, [sp, #-80]!
	stp	d10, d11, [sp, #16]
	stp	d12, d13, [sp, #32]
	stp	d14, d15, [sp, #48]
	mrs	x5, fpcr
	str	x5, [sp, #64]
	and	x6, x0, #3
	lsl	x6, x6, #FPCR_RMODE_SHIFT
	msr	fpcr, x6
	and	x7, x0, #FPSR_FLAGS
	msr	fpsr, x7
	mov	x2, x0
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	dup	v\n\().2d, x2
	add	x2, x2, #1
	.endr
1:	subs	x1, x1, #1
	b.ne	1b
	mov	x2, x0
	mov	x0, #0
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	mov	x3, v\n\().d[0]
	mov	x4, v\n\().d[1]
	cmp	x3, x2
	ccmp	x4, x2, #0, eq
	cinc	x0, x0, ne
	add	x2, x2, #1
	.endr
	mrs	x3, fpcr
	cmp	x3, x6
	cinc	x0, x0, ne
	mrs	x3, fpsr
	cmp	x3, x7
	cinc	x0, x0, ne
	msr	fpcr, x5
	ldp	d10, d11, [sp, #16]
	ldp	d12, d13, [sp, #32]
	ldp	d14, d15, [sp, #48]
	ldp	d8, d9, [sp], #80
	ret
	.size	fp_hold, . - fp_hold

	.globl	fp_yield
	.type	fp_yield, %function
fp_yield:
	stp	x29, x30, [sp, #-112]!
	mov	x29, sp
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	d8, d9, [sp, #48]
	stp	d10, d11, [sp, #64]
	stp	d12, d13, [sp, #80]
	stp	d14, d15, [sp, #96]
	mov	x19, x0
	mov	x20, x1
	mov	x21, #0
	mov	x2, x19
	.irp	n, 8,9,10,11,12,13,14,15
	fmov	d\n, x2
	add	x2, x2, #1
	.endr
1:	bl	rtos_yield
	mov	x2, x19
	.irp	n, 8,9,10,11,12,13,14,15
	fmov	x3, d\n
	cmp	x3, x2
	cinc	x21, x21, ne
	add	x2, x2, #1
	.endr
	subs	x20, x20, #1
	b.ne	1b
	mov	x0, x21
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	d8, d9, [sp, #48]
	ldp	d10, d11, [sp, #64]
	ldp	d12, d13, [sp, #80]
	ldp	d14, d15, [sp, #96]
	ldp	x29, x30, [sp], #112
	ret
	.size	fp_yield, . - fp_yield
