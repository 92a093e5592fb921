/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of the trace: CPUs that make records, which are remembered; and a decoder, written from abi/trace.h alone, that
 * checks every record it gets against them: one that was never made, or another time or word, fails the test at once.
 */
#ifndef TRACE_UNIT_H
#define TRACE_UNIT_H

#include "support.h"

#include "camber/trace.h"

#define HZ UINT64_C(62500000)
#define UNIT_CPUS 4u
#define UNIT_RECORDS (1u << 18) /* per CPU and test, at most */
#define UNIT_KEPT (TRACE_RING_SLOTS - 2)

/* --- CPUs ----------------------------------------------------------------------------------------------------------- */

extern struct trace_cpu unit_trace_cpu[UNIT_CPUS];
extern struct trace_area *unit_area;

/* A machine that was switched on: rings empty, no stream, time 1 s. */
void unit_trace_reset(unsigned int cpus);
/* The same machine after a warm reset, its memory as it is; what was made goes to the previous boot's. */
void unit_trace_warm_reset(void);

/* Every event of the table in turn, its words random; or one whose words are random is given. */
void unit_make(unsigned int cpu);
void unit_make_many(unsigned int cpu, unsigned int count);
/* trace_set_classes(), which makes one, too. */
uint32_t unit_classes(unsigned int cpu, uint32_t classes);
/* All calls of unit_make() and such, whatever became of them. */
uint64_t unit_called(unsigned int cpu);

uint32_t unit_random(void); /* the same sequence every time */
extern uint64_t unit_seed;

/* --- decoder -------------------------------------------------------------------------------------------------------- */

struct unit_status {
	unsigned int seen; /* statuses with all CPUs */
	uint64_t hz, now, rate, kept, cpus, next_cpu;
	uint64_t classes;
	uint8_t flags, all_flags; /* of the last one; of all so far */
	uint64_t cpu[UNIT_CPUS][6];
};

extern struct unit_status unit_status;

struct unit_decoder {
	bool console;
	uint8_t boot;     /* expected */
	unsigned int bad; /* neither a frame nor nothing */
	unsigned int frames;
	unsigned int records;
	unsigned int old_records;
	unsigned int repeated; /* records that were there before */
	unsigned int vms;      /* bits of VMs that were told */
	char text[1 << 16];    /* console: what isn't trace */
	size_t text_used;
	char pending[1024];
	size_t used;
};

extern struct unit_decoder unit_decoder;

/* Bytes as they come out of the line. */
void unit_decode(struct unit_decoder *d, const char *bytes, size_t n);
void unit_decoder_line(bool console);

/* Records of a CPU that were decoded at least once, and the highest number + 1. */
uint64_t unit_decoded(unsigned int cpu);
uint64_t unit_decoded_end(unsigned int cpu);

/* Everything that was made has been sent: what is decoded, missing and unnumbered is exactly what was made. */
void unit_check_exact(void);

/* --- stream --------------------------------------------------------------------------------------------------------- */

extern const struct trace_about unit_about;
extern const struct trace_line *unit_fallback; /* set before unit_trace_reset() */

/* Turns until nothing is to be sent for now; time passes as they ask for, up to `ticks` from now. */
void unit_turns(uint64_t ticks);

#endif
