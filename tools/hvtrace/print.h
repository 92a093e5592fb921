/* SPDX-License-Identifier: Apache-2.0 */
/* Records as lines: for people, or a JSON object each. */
#ifndef HVTRACE_PRINT_H
#define HVTRACE_PRINT_H

#include <stdio.h>

#include "reader.h"

struct print {
	FILE *out;
	bool json;
	uint64_t hz; /* 0: times are ticks */
	const struct vm_info *vms;
};

void print_record(const struct print *p, const struct record *r);
/* Records of this one's CPU are lost before it. */
void print_missing(const struct print *p, const struct record *r, uint64_t missing);
void print_note(const struct print *p, const char *text);
/* Before a boot's records: which one, what is missing. */
void print_boot(const struct print *p, const struct reader *t, const struct boot *b);

#endif
