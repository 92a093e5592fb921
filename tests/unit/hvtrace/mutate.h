/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Damage to a line, and what has to come out of the decoder nevertheless: no record that was never made, and every frame that came
 * through whole. For the unit test and the fuzzer.
 */
#ifndef HVTRACE_MUTATE_H
#define HVTRACE_MUTATE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Decodes a stream of several frames after damage that `script` says: each step takes four bytes (what, where, how much). The first
 * byte of the script chooses line and mode. Returns NULL, or what is wrong; counts what happened.
 */
struct mutate_counts {
	uint64_t inputs;
	uint64_t damaged; /* frames that were hit */
	uint64_t whole;   /* frames that weren't */
	uint64_t records;
};
const char *mutate_check(const uint8_t *script, size_t bytes, struct mutate_counts *counts);

#endif
