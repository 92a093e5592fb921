/* SPDX-License-Identifier: Apache-2.0 */
/* Assembler macros. */
#ifndef ARM64_ASM_MACROS_H
#define ARM64_ASM_MACROS_H

.macro adr_l, reg, sym adrp	\reg, \sym add	\reg, \reg, : lo12 :\sym.endm

#endif
