/* SPDX-License-Identifier: Apache-2.0 */
/* Bulk copy, CRC-32 and zeroing of images: 64 bytes a turn. CRC32 instructions (Armv8.0 option, mandatory from 8.1). */

	.arch	armv8-a+crc
	.section .text.arch_copy_crc32, "ax"

/* uint32_t arch_copy_crc32(void *dst, const void *src, size_t blocks, uint32_t crc): raw CRC state through ~ at both ends. */
	.global	arch_copy_crc32
arch_copy_crc32:
	mvn	w3, w3
	cbz	x2, 2f
1:	ldp	x4, x5, [x1]
	ldp	x6, x7, [x1, #16]
	ldp	x8, x9, [x1, #32]
	ldp	x10, x11, [x1, #48]
	add	x1, x1, #64
	stp	x4, x5, [x0]
	stp	x6, x7, [x0, #16]
	stp	x8, x9, [x0, #32]
	stp	x10, x11, [x0, #48]
	add	x0, x0, #64
	crc32x	w3, w3, x4
	crc32x	w3, w3, x5
	crc32x	w3, w3, x6
	crc32x	w3, w3, x7
	crc32x	w3, w3, x8
	crc32x	w3, w3, x9
	crc32x	w3, w3, x10
	crc32x	w3, w3, x11
	subs	x2, x2, #1
	b.ne	1b
2:	mvn	w0, w3
	ret

/* uint32_t arch_crc32(uint32_t crc, const void *data, size_t n) */
	.section .text.arch_crc32, "ax"
	.global	arch_crc32
arch_crc32:
	mvn	w0, w0
1:	cbz	x2, 3f
	tst	x1, #7
	b.ne	2f
	cmp	x2, #8
	b.lo	2f
	ldr	x3, [x1], #8
	crc32x	w0, w0, x3
	sub	x2, x2, #8
	b	1b
2:	ldrb	w3, [x1], #1
	crc32b	w0, w0, w3
	sub	x2, x2, #1
	b	1b
3:	mvn	w0, w0
	ret

/* void arch_zero(void *dst, size_t blocks): 64 bytes each. */
	.section .text.arch_zero, "ax"
	.global	arch_zero
arch_zero:
	cbz	x1, 2f
1:	stp	xzr, xzr, [x0]
	stp	xzr, xzr, [x0, #16]
	stp	xzr, xzr, [x0, #32]
	stp	xzr, xzr, [x0, #48]
	add	x0, x0, #64
	subs	x1, x1, #1
	b.ne	1b
2:	ret
