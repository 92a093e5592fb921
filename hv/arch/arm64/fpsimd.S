/* SPDX-License-Identifier: Apache-2.0 */
/* FP/SIMD registers to and from struct fp_context: void fpsimd_save/fpsimd_load(struct fp_context *). */
	.arch_extension fp
	.arch_extension simd

	.macro	each op
	\op	q0, q1, [x0, #0]
	\op	q2, q3, [x0, #32]
	\op	q4, q5, [x0, #64]
	\op	q6, q7, [x0, #96]
	\op	q8, q9, [x0, #128]
	\op	q10, q11, [x0, #160]
	\op	q12, q13, [x0, #192]
	\op	q14, q15, [x0, #224]
	\op	q16, q17, [x0, #256]
	\op	q18, q19, [x0, #288]
	\op	q20, q21, [x0, #320]
	\op	q22, q23, [x0, #352]
	\op	q24, q25, [x0, #384]
	\op	q26, q27, [x0, #416]
	\op	q28, q29, [x0, #448]
	\op	q30, q31, [x0, #480]
	.endm

	.section .text.fpsimd_save, "ax"
	.global	fpsimd_save
fpsimd_save:
	each	stp
	mrs	x1, fpcr
	mrs	x2, fpsr
	add	x3, x0, #512
	stp	x1, x2, [x3]
	ret

	.section .text.fpsimd_load, "ax"
	.global	fpsimd_load
fpsimd_load:
	each	ldp
	add	x3, x0, #512
	ldp	x1, x2, [x3]
	msr	fpcr, x1
	msr	fpsr, x2
	ret
