/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What assembly and C share: sizes, the exception frame's offsets, function markers.
 * C proves the offsets with _Static_assert (probe.h); nothing here may need C.
 */
#ifndef PROBE_ASM_H
#define PROBE_ASM_H

#define CPU_MAX 8
#define STACK_SHIFT 14

/* struct frame: x0..x30, sp_el0 (unused), elr, spsr */
#define FRAME_ELR 256
#define FRAME_SPSR 264
#define FRAME_SIZE 272

/* struct cpu: first member */
#define CPU_IRQ_STAMP 0

#ifdef __ASSEMBLY__
.macro FUNC_START name
	.balign 16
	.type \name, %function
\name:
.endm
#define FUNC(name) .global name; FUNC_START name
#define LOCAL_FUNC(name) FUNC_START name
#define END(name) .size name, . - name
#endif

#endif
