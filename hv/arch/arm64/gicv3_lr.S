/* SPDX-License-Identifier: Apache-2.0 */
/*
 * List registers are numbered in the instruction, ICH_LR<n>_EL2 (IHI 0069 12.4): an access of GIC_LR_CODE bytes each, called by
 * gic_lr_read() and gic_lr_write(). Values in x0.
 */
	.macro	each op
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7
	\op	s3_4_c12_c12_\n
	ret
	.endr
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7
	\op	s3_4_c12_c13_\n
	ret
	.endr
	.endm

	.macro	read reg
	mrs	x0, \reg
	.endm
	.macro	write reg
	msr	\reg, x0
	.endm

	.text
	.global	gicv3_lr_read, gicv3_lr_write
gicv3_lr_read:
	each	read
gicv3_lr_write:
	each	write
