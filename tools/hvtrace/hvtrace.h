/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hvtrace: what all its parts share. The stream's format is hv/include/abi/trace.h.
 *
 *   source.h   bytes from a serial line, socket, file
 *   decode.h   bytes -> frames -> records, statuses, VMs, console text
 *   account.h  what was made, decoded and lost, per CPU
 *   reader.h   a whole trace in memory: boots, and their records in order (report, plot, text, export)
 *   order.h    records in order while they come (live, text --follow)
 *   event.h    the table of events, names of words
 *   sample.h   exact percentiles
 *   analysis.h who ran, waited, exited, was late
 *   json.h     output for programs
 *   cmd.h      the subcommands and their options
 *
 * Nothing here is thread-safe: the program has one thread. Errors are one line, kept by fail() until main() prints it.
 */
#ifndef HVTRACE_H
#define HVTRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../common/crc32.h"
#include "abi/trace.h"

#define ARRAY_COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define HVTRACE_CPUS 256u /* a frame names a CPU by a byte */
#define HVTRACE_VMS 256u
#define HVTRACE_LABEL 32u /* with NUL; longer labels are cut */

/* One record, with what the frame around it said. */
struct record {
	uint64_t time;   /* ticks of the system counter */
	uint64_t number; /* on its CPU in its boot, from 0 on */
	uint32_t word[TRACE_WORDS];
	uint16_t event; /* one of the table, or an unknown one */
	uint8_t words;
	uint8_t cpu;
	uint8_t boot;
};

/* What a frame of records says before its records. */
struct records_head {
	uint64_t first;       /* number of the first */
	uint64_t overwritten; /* so far on this CPU: numbers that are missing */
	uint64_t unnumbered;  /* so far on this CPU: found the ring full */
	uint64_t time;        /* of the first */
	uint32_t count;
	uint8_t boot;
	uint8_t cpu;
};

struct status_cpu {
	uint64_t next; /* records with numbers so far */
	uint64_t overwritten;
	uint64_t unnumbered;
	uint64_t idle; /* ticks */
	uint64_t stays;
	uint64_t stay_ticks;
};

/* One status frame. With many CPUs a status is several, each with some of the CPUs. */
struct status {
	uint64_t hz;
	uint64_t now;
	uint64_t rate;
	uint64_t slots;
	uint32_t classes;
	uint8_t flags; /* TRACE_STATUS_* */
	uint8_t boot;
	uint32_t cpus;  /* of the machine */
	uint32_t first; /* the first one in cpu[] */
	uint32_t count;
	struct status_cpu cpu[TRACE_FRAME_BYTES / 6]; /* a CPU takes six bytes at least */
};

struct vm_info {
	uint8_t boot;
	uint8_t number;
	uint8_t vcpus;
	bool rt;
	char label[HVTRACE_LABEL]; /* printable; "" if unknown */
};

/* --- util.c --- */

/* Keeps the first error of the program; returns -1. One line, without newline; unprintable characters become '?'. */
int fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
const char *fail_text(void); /* "" if there was none */
void fail_clear(void);

/* These don't return without memory. */
void *mem_alloc(size_t bytes);                                      /* zeroed */
void *mem_grow(void *old, size_t count, size_t *room, size_t size); /* room for count + 1 elements of that size */

/* value * to / from, rounded down, as the hypervisor and its guests do; UINT64_MAX if that is too large. */
uint64_t scale(uint64_t value, uint64_t from, uint64_t to);
static inline uint64_t ticks_to_ns(uint64_t ticks, uint64_t hz)
{
	return scale(ticks, hz, 1000000000);
}

/* A decimal number without sign; false if it is none or larger than max. */
bool parse_number(const char *text, uint64_t max, uint64_t *value);
/* Seconds with up to nine decimals, as nanoseconds. */
bool parse_seconds(const char *text, uint64_t *ns);

/* "12.345": nanoseconds as microseconds, into text. */
#define US_ROOM 32
const char *us_text(char text[US_ROOM], uint64_t ns);

#endif
