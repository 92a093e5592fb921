/* SPDX-License-Identifier: Apache-2.0 */
/* What `hvtrace report` says of a boot: for people, or as JSON. */
#ifndef HVTRACE_REPORT_H
#define HVTRACE_REPORT_H

#include <stdio.h>

#include "analysis.h"
#include "filter.h"
#include "json.h"
#include "reader.h"

struct report {
	const struct reader *reader;
	const struct boot *boot;
	struct analysis *analysis;
	const struct filter *filter;
	uint64_t begin, end; /* ticks that it is about */
};

/* Feeds the boot's records to a new analysis, --from and --to obeyed; analysis_free() it. */
void report_make(struct report *r, const struct reader *t, const struct boot *b, const struct filter *f);
void report_text(FILE *out, struct report *r);
void report_json(struct json *j, struct report *r);

/* Whether the vCPU is wanted (--vm). */
bool report_wants(const struct report *r, uint32_t vcpu);

/* Bounds of a histogram's bars: 1, 2, 5, 10, ... ticks' worth of ns; the last one is above `max`. Returns how many. */
#define REPORT_BARS 64u
struct bar {
	uint64_t to_ns; /* values up to here, and above the bar before */
	uint64_t count;
};
unsigned int report_bars(struct samples *s, uint64_t hz, struct bar bars[REPORT_BARS]);

#endif
