/* SPDX-License-Identifier: Apache-2.0 */
/* Violations of the rules that TCG can't see: counted and printed, judged by the test. Single-threaded tests only. */
#include "host.h"

#include <stdarg.h>
#include <stdio.h>

static unsigned int count;
static char last[200];

void host_violation(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(last, sizeof(last), fmt, ap);
	va_end(ap);
	count++;
	(void)fprintf(stderr, "violation: %s\n", last);
}

unsigned int host_violations(void)
{
	return count;
}

const char *host_last_violation(void)
{
	return last;
}

unsigned int host_take_violations(void)
{
	unsigned int n = count;

	count = 0;
	return n;
}
