/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each vCPU did when: a boot's records, and between them the changes of vCPUs between running, waiting for a CPU, and blocked. For
 * the exporters.
 *
 * What a trace begins with, and what goes on after lost records, is taken from the records that follow, up to the next loss. What no record
 * tells stays unknown, as all does while the class sched is off: nothing is made up to fill a gap.
 */
#ifndef HVTRACE_EXPORT_STATES_H
#define HVTRACE_EXPORT_STATES_H

#include "reader.h"

enum run_state { RUN_UNKNOWN, RUN_RUNNING, RUN_QUEUED, RUN_BLOCKED, RUN_OFF };
#define RUN_NO_CLASS UINT32_MAX

/* A vCPU, or a CPU's idling (vcpu is TRACE_NOBODY), leaves a state. from == to: only its class is another one. */
struct run_change {
	uint64_t time;
	uint64_t since; /* when it came into `from` */
	uint32_t vcpu;  /* below TRACE_NOBODY, or TRACE_NOBODY */
	uint32_t cpu;   /* from or to running: where; else where it will run, or was seen last */
	uint32_t by;    /* CPU whose record says so */
	uint32_t class; /* until now; RUN_NO_CLASS: unknown */
	enum run_state from, to;
	bool found; /* to running: has run before; the trace, or what follows a gap, begins here */
	bool lost;  /* to unknown: records are lost from here on */
	bool doubt; /* to unknown: a record says that it has been otherwise for a while */
	bool last;  /* the trace ends: it stays as it is */
};

struct run_gap {
	uint64_t begin, end; /* time of the last record before, and of the first one after it */
	uint64_t missing;    /* records; 0: none, but the class sched was switched */
	uint32_t cpu;
	uint32_t next; /* who runs after it: a vCPU, TRACE_NOBODY; RUN_NOT_KNOWN */
};
#define RUN_NOT_KNOWN UINT32_MAX

/* In order of time, but for changes with `last`. A record comes before the changes that it makes; a gap when it is over. */
struct run_sink {
	void *ctx;
	void (*record)(void *ctx, const struct record *r);
	void (*change)(void *ctx, const struct run_change *c);
	void (*gap)(void *ctx, const struct run_gap *g);
};

void run_states(const struct boot *boot, const struct run_sink *sink);

/* Whether a word of kind vcpu names one. */
static inline bool run_is_vcpu(uint32_t word)
{
	return word < TRACE_NOBODY;
}

#endif
