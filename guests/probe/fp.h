/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FP/SIMD register file as memory; moved by fp.S only, C never touches these registers.
 */
#ifndef PROBE_FP_H
#define PROBE_FP_H

#include <stdint.h>

struct fp_state {
	uint64_t q[64]; /* q0..q31, low half first */
	uint64_t fpcr, fpsr;
} __attribute__((aligned(16)));

void fp_load(const struct fp_state *s);
void fp_store(struct fp_state *s);
/* A pattern that differs in each register, half and seed; FPCR and FPSR get legal values that differ too. */
void fp_pattern(struct fp_state *s, uint64_t seed);
/* Index of the first difference (0..65), or -1. */
int fp_compare(const struct fp_state *a, const struct fp_state *b);

#endif
