/* SPDX-License-Identifier: Apache-2.0 */
/* What the fuzzers share; see fuzz.h. A panic is a finding: nothing that a guest or a file says may cause one. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

#include "camber/panic.h"

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fprintf(stderr, "\n");
	abort();
}

void panic_finish(void)
{
	abort();
}

void fuzz_fail(const char *what, int line)
{
	(void)fprintf(stderr, "line %d: not so: %s\n", line, what);
	abort();
}

uint64_t fuzz_number(struct fuzz_input *in, unsigned int n)
{
	uint64_t value = 0;

	for (; n && in->left; n--, in->left--)
		value = value << 8 | *in->data++;
	return value;
}
