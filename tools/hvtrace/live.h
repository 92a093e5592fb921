/* SPDX-License-Identifier: Apache-2.0 */
/* What `hvtrace live` knows and shows of an interval: the analysis of its records, and the machine's own counts out of the statuses. */
#ifndef HVTRACE_LIVE_H
#define HVTRACE_LIVE_H

#include <stdio.h>

#include "analysis.h"
#include "stream.h"

struct live {
	struct stream stream;
	struct analysis *analysis;
	const char *source;
	uint64_t begin;       /* of the interval; ticks, 0: the first record's */
	uint64_t count_from;  /* what is older only tells who runs; 0: the time has come */
	uint64_t full_before; /* records that had found a ring full before the interval */
	/* The two latest statuses that have each CPU, before and in this interval. */
	struct status_cpu cpu_before[HVTRACE_CPUS], cpu_now[HVTRACE_CPUS];
	uint64_t before_at[HVTRACE_CPUS], now_at[HVTRACE_CPUS]; /* ticks; 0: none */
};

void live_start(struct live *l, enum decode_line line, const char *source);
void live_end(struct live *l);
/* by_trace: intervals begin with the first record; else with the first status, as what still is in the rings may be old. */
void live_status(struct live *l, const struct status *s, bool by_trace);
void live_record(struct live *l, const struct record *r, uint64_t missing);
void live_boot(struct live *l); /* another boot: nothing is known any more */
/* Tick up to which records are there. */
uint64_t live_now(const struct live *l);
/* The interval that ends now, as text or JSON. */
void live_text(struct live *l, FILE *out, uint64_t now);
void live_json(struct live *l, FILE *out, uint64_t now);
void live_next(struct live *l, uint64_t now); /* another one begins */

#endif
