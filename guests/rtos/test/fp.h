/* SPDX-License-Identifier: Apache-2.0 */
/* fp.S */
#ifndef RTOS_TEST_FP_H
#define RTOS_TEST_FP_H

#include <stdint.h>

/*
 * Puts seed + n into both halves of q<n>, seed's lower bits into FPCR (rounding mode) and FPSR (flags), computes for
 * `rounds` loops, and returns how many of these 34 registers differ then.
 */
uint64_t fp_hold(uint64_t seed, uint64_t rounds);

/* Puts seed + n into d8 to d15, which calls preserve, and looks after each of `rounds` calls of rtos_yield(). */
uint64_t fp_yield(uint64_t seed, uint64_t rounds);

#endif
