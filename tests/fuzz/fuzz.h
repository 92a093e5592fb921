/* SPDX-License-Identifier: Apache-2.0 */
/* What the fuzzers share: the entry point's prototype, input taken bit by bit, and a check that stays in every build. */
#ifndef FUZZ_H
#define FUZZ_H

#include "host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_input {
	const uint8_t *data;
	size_t left;
};

/* The next n bytes as a number; zeroes when the input is at its end. */
uint64_t fuzz_number(struct fuzz_input *in, unsigned int n);

#define FUZZ_CHECK(c) ((c) ? (void)0 : fuzz_fail(#c, __LINE__))
void fuzz_fail(const char *what, int line) __noreturn;

#endif
