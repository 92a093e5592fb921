/* SPDX-License-Identifier: Apache-2.0 */
/* Assembler macros. */
#ifndef ARM64_ASM_MACROS_H
#define ARM64_ASM_MACROS_H

#ifdef __ASSEMBLER__
/* clang-format off */
	.macro	adr_l, reg, sym
	adrp	\reg, \sym
	add	\reg, \reg, :lo12:\sym
	.endm
/* clang-format on */
#endif

#endif
