/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registers that vectors.S saves at an exception. The offsets are used by assembly; the assertions keep both equal.
 *
 * An interrupt frame lies on the interrupted stack. It holds no FP/SIMD registers: the kernel is compiled without them
 * (-mgeneral-regs-only) and must not call the C library from an interrupt handler.
 */
#ifndef RTOS_KERNEL_FRAME_H
#define RTOS_KERNEL_FRAME_H

#define FRAME_X(n) ((n)*8)
#define FRAME_SP 248
#define FRAME_PC 256
#define FRAME_PSTATE 264
#define FRAME_BYTES 272

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

struct frame {
	uint64_t x[31];
	uint64_t sp;
	uint64_t pc;
	uint64_t pstate;
};

_Static_assert(offsetof(struct frame, sp) == FRAME_SP, "vectors.S: sp");
_Static_assert(offsetof(struct frame, pc) == FRAME_PC, "vectors.S: pc");
_Static_assert(offsetof(struct frame, pstate) == FRAME_PSTATE, "vectors.S: pstate");
_Static_assert(sizeof(struct frame) == FRAME_BYTES, "vectors.S: frame");
#endif

#endif
