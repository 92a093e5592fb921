/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory accesses of every kind, one per stub (x0 = address, x1 = value or scratch): which of them carry a syndrome
 * (ESR_EL2.ISV, DDI 0487 D24.2.40) decides how a hypervisor sees them. access.def is the list.
 */
#include "access.h"
#include "asm.h"

	.arch	armv8.5-a+memtag
	.arch_extension simd

#define LOAD ACCESS_LOAD
#define STORE ACCESS_STORE
#define RMW ACCESS_RMW
#define CACHE ACCESS_CACHE
#define NO_SYNDROME ACCESS_NO_SYNDROME
#define MAYBE ACCESS_MAYBE
#define RCPC ACCESS_RCPC
#define USER ACCESS_USER
#define EL1_ONLY ACCESS_EL1_ONLY
#define MTE ACCESS_MTE
#define ALIGNED ACCESS_ALIGNED

.macro ACCESS_ENTRY name, flags, bytes, insn:vararg
	.section .rodata.access_names, "a"
9000:	.asciz	"\name"
	.text
9001:	\insn
	ret
	.section .rodata.access_table, "a"
	.quad	9000b, 9001b, \flags, \bytes
.endm

	.section .rodata.access_table, "a"
	.balign 8
	.global access_table
access_table:
#define ACCESS(name, flags, bytes, ...) ACCESS_ENTRY name, flags, bytes, __VA_ARGS__
#include "access.def"

	.section .rodata.access_table, "a"
	.global access_table_end
access_table_end:

	.text

/* void access_execute(uint64_t addr): branch there; trap_handle() returns from the abort to the caller. */
FUNC(access_execute)
	stp	x29, x30, [sp, #-16]!
	blr	x0
	ldp	x29, x30, [sp], #16
	ret
END(access_execute)

/* uint64_t call_hvc_1(uint64_t fn) and relatives: one instruction and no register touched. */
.macro CALL_STUB name, insn, imm
FUNC(\name)
	\insn	#\imm
	ret
END(\name)
.endm

	CALL_STUB call_hvc_1, hvc, 1
	CALL_STUB call_hvc_ffff, hvc, 0xffff
	CALL_STUB call_hvc_4a48, hvc, 0x4a48
	CALL_STUB call_smc_1, smc, 1
	CALL_STUB call_smc_ffff, smc, 0xffff
	CALL_STUB call_hvc_0, hvc, 0
	CALL_STUB call_smc_0, smc, 0
