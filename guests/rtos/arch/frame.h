/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What vectors.S saves, where. The offsets are used by assembly; the assertions keep both equal.
 *
 *   interrupt_frame   at each interrupt, on the interrupted task's stack: what a call may change, but for FP/SIMD
 *                     registers, which are out of a handler's reach (CPACR_EL1)
 *   fp_frame          above it, only if the interrupted task is switched away from
 *   switch_frame      at each switch: what a call preserves, FP/SIMD registers included (AAPCS64 6.1.2)
 *   frame             at a fault, in a static variable: everything but FP/SIMD
 */
#ifndef RTOS_ARCH_FRAME_H
#define RTOS_ARCH_FRAME_H

/* struct rtos_task */
#define TASK_SP 0
#define TASK_LIBC 8

#define FRAME_X(n) ((n)*8)
#define FRAME_SP 248
#define FRAME_PC 256
#define FRAME_PSTATE 264

#define INTERRUPT_FRAME_X29 160 /* x0 to x19 before it */
#define INTERRUPT_FRAME_PC 176
#define INTERRUPT_FRAME_BYTES 192

#define FP_FRAME_Q(n) ((n)*16)
#define FP_FRAME_FPSR 512
#define FP_FRAME_BYTES 528

#define SWITCH_FRAME_X(n) (((n)-19) * 8) /* x19 to x30 */
#define SWITCH_FRAME_D(n) (96 + ((n)-8) * 8)
#define SWITCH_FRAME_FPCR 160
#define SWITCH_FRAME_BYTES 176

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

struct frame {
	uint64_t x[31];
	uint64_t sp;
	uint64_t pc;
	uint64_t pstate;
};

struct switch_frame {
	uint64_t x19_to_x28[10];
	uint64_t x29, x30;
	uint64_t d8_to_d15[8];
	uint64_t fpcr;
	uint64_t unused;
};

_Static_assert(offsetof(struct frame, sp) == FRAME_SP, "vectors.S: sp");
_Static_assert(offsetof(struct frame, pc) == FRAME_PC, "vectors.S: pc");
_Static_assert(offsetof(struct frame, pstate) == FRAME_PSTATE, "vectors.S: pstate");
_Static_assert(offsetof(struct switch_frame, x29) == SWITCH_FRAME_X(29), "vectors.S: x29");
_Static_assert(offsetof(struct switch_frame, d8_to_d15) == SWITCH_FRAME_D(8), "vectors.S: d8");
_Static_assert(offsetof(struct switch_frame, fpcr) == SWITCH_FRAME_FPCR, "vectors.S: fpcr");
_Static_assert(sizeof(struct switch_frame) == SWITCH_FRAME_BYTES, "vectors.S: switch_frame");
#endif

#endif
