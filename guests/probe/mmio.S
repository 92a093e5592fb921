/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory accesses of every kind, one per stub (x0 = address, x1 = value or scratch): which of them carry a syndrome
 * (ESR_EL2.ISV, DDI 0487 D24.2.40) decides how a hypervisor sees them. struct access in cases_trap.c reads the table.
 */
#include "asm.h"

	.arch	armv8.1-a
	.arch_extension simd

#define LOAD 0
#define STORE 1		/* ESR.WnR is 1 */
#define RMW 2		/* atomics: UNDEF on CPUs without them; WnR may be either */
#define CACHE 4		/* maintenance and hints: may do nothing; may report alignment instead */
#define NO_SYNDROME 8

.macro ACCESS name, flags, insn:vararg
	.section .rodata.access_names, "a"
9000:	.asciz	"\name"
	.text
9001:	\insn
	ret
	.section .rodata.access_table, "a"
	.quad	9000b, 9001b, \flags
.endm

	.section .rodata.access_table, "a"
	.balign 8
	.global access_table
access_table:
	ACCESS	ldrb, LOAD, ldrb w1, [x0]
	ACCESS	ldrh, LOAD, ldrh w1, [x0]
	ACCESS	ldr_w, LOAD, ldr w1, [x0]
	ACCESS	ldr_x, LOAD, ldr x1, [x0]
	ACCESS	ldrsb_x, LOAD, ldrsb x1, [x0]
	ACCESS	ldrsh_w, LOAD, ldrsh w1, [x0]
	ACCESS	ldrsw, LOAD, ldrsw x1, [x0]
	ACCESS	ldr_wzr, LOAD, ldr wzr, [x0]
	ACCESS	ldar, LOAD, ldar w1, [x0]
	ACCESS	ldtr, LOAD, ldtr w1, [x0]
	ACCESS	strb, STORE, strb w1, [x0]
	ACCESS	strh, STORE, strh w1, [x0]
	ACCESS	str_w, STORE, str w1, [x0]
	ACCESS	str_x, STORE, str x1, [x0]
	ACCESS	str_xzr, STORE, str xzr, [x0]
	ACCESS	stlr, STORE, stlr w1, [x0]
	ACCESS	sttr, STORE, sttr w1, [x0]
	ACCESS	ldr_post, LOAD | NO_SYNDROME, ldr w1, [x0], #4
	ACCESS	ldr_pre, LOAD | NO_SYNDROME, ldr w1, [x0, #0]!
	ACCESS	str_post, STORE | NO_SYNDROME, str w1, [x0], #4
	ACCESS	str_pre, STORE | NO_SYNDROME, str w1, [x0, #0]!
	ACCESS	ldp, LOAD | NO_SYNDROME, ldp x1, x2, [x0]
	ACCESS	ldp_w, LOAD | NO_SYNDROME, ldp w1, w2, [x0]
	ACCESS	ldpsw, LOAD | NO_SYNDROME, ldpsw x1, x2, [x0]
	ACCESS	ldnp, LOAD | NO_SYNDROME, ldnp x1, x2, [x0]
	ACCESS	stp, STORE | NO_SYNDROME, stp x1, x1, [x0]
	ACCESS	ldxr, LOAD | NO_SYNDROME, ldxr w1, [x0]
	ACCESS	ldaxr_x, LOAD | NO_SYNDROME, ldaxr x1, [x0]
	ACCESS	ldr_s, LOAD | NO_SYNDROME, ldr s0, [x0]
	ACCESS	ldr_q, LOAD | NO_SYNDROME, ldr q0, [x0]
	ACCESS	str_q, STORE | NO_SYNDROME, str q0, [x0]
	ACCESS	ldp_q, LOAD | NO_SYNDROME, ldp q0, q1, [x0]
	ACCESS	stp_q, STORE | NO_SYNDROME, stp q0, q1, [x0]
	ACCESS	ld1, LOAD | NO_SYNDROME, ld1 {v0.16b, v1.16b}, [x0]
	ACCESS	ld4, LOAD | NO_SYNDROME, ld4 {v0.4s, v1.4s, v2.4s, v3.4s}, [x0]
	ACCESS	st1, STORE | NO_SYNDROME, st1 {v0.16b}, [x0]
	ACCESS	ldadd, RMW | NO_SYNDROME, ldadd w1, w2, [x0]
	ACCESS	swp, RMW | NO_SYNDROME, swp w1, w2, [x0]
	ACCESS	cas, RMW | NO_SYNDROME, cas w1, w2, [x0]
	ACCESS	dc_zva, STORE | CACHE | NO_SYNDROME, dc zva, x0
	ACCESS	dc_ivac, CACHE | NO_SYNDROME, dc ivac, x0
	ACCESS	dc_civac, CACHE | NO_SYNDROME, dc civac, x0
	ACCESS	dc_cvac, CACHE | NO_SYNDROME, dc cvac, x0
	ACCESS	ic_ivau, CACHE | NO_SYNDROME, ic ivau, x0
	ACCESS	prfm, CACHE | NO_SYNDROME, prfm pldl1keep, [x0]

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
