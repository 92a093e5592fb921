/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole trace: read to its end, then looked at. Everything about it (frequency, labels, losses) is known before the first record is
 * given.
 *
 * Frames stay in memory as they came (the size of the file), records are made of them when asked for: in order of time over
 * all CPUs, each once, also if a dump repeats some. A line may show several boots of the machine, each with its own numbers
 * and times.
 */
#ifndef HVTRACE_READER_H
#define HVTRACE_READER_H

#include "account.h"
#include "decode.h"
#include "hvtrace.h"

struct boot_frame { /* one RECORDS frame in memory */
	uint64_t first;
	uint64_t time;
	const uint8_t *frame;
	uint32_t bytes;
	uint32_t count;
};

struct boot_cpu {
	struct boot_frame *frames; /* by number, once the trace is read */
	size_t count, room;
	struct account account;
	struct losses losses;
	struct status_cpu first, last; /* statuses; has_status: there was one */
	uint64_t first_now, last_now;  /* when they were made */
	bool has_status;
};

struct boot {
	uint8_t number;       /* boots since power-on, modulo 256 */
	uint64_t hz;          /* 0: no status said it */
	unsigned int cpus;    /* the highest CPU that is mentioned, and one */
	uint64_t records;     /* that a cursor will give */
	uint64_t begin, end;  /* ticks of the first and the last record */
	uint32_t classes;     /* that were on at the last status */
	bool dumped;          /* some of it came as a dump */
	bool ended;           /* the stream was switched off: nothing waits */
	struct losses losses; /* of all CPUs */
	struct boot_cpu *cpu; /* HVTRACE_CPUS */
	struct vm_info *vm;   /* HVTRACE_VMS; vcpus 0: not mentioned */
};

struct reader {
	struct decode decode;
	struct decode_sink sink;
	struct decode_counts counts; /* once the trace is read */
	struct boot **boots;         /* as they came */
	size_t count, room;
	struct boot *at;    /* whose records come now */
	bool dump;          /* between TRACE_STATUS_DUMP and _END */
	unsigned int dumps; /* that have ended */
	bool only_dumps;    /* set it after reader_start(): records outside of dumps are left out */
	struct arena *arena;
	const uint8_t *frame; /* whose contents are given now */
	size_t frame_bytes;
	/* Set them after reader_start(): console text, every good frame; NULL: they are dropped. */
	void (*text)(void *ctx, const char *text, size_t bytes);
	void *text_ctx;
	void (*copy)(void *ctx, const uint8_t *frame, size_t bytes);
	void *copy_ctx;
};

/* reader_start(), then reader_bytes() till the end, then reader_end(); boots may be looked at after that. */
void reader_start(struct reader *t, enum decode_line line);
void reader_bytes(struct reader *t, const void *data, size_t bytes);
void reader_end(struct reader *t, uint64_t hz); /* hz: where no status says it; 0: unknown */
void reader_free(struct reader *t);
void boot_free(struct boot *b); /* one that is taken out of the list */

/* Records of a boot in order of time. Records of one time: of the lower CPU first. */
struct cursor_cpu {
	size_t frame;  /* the one after that in `record` */
	uint64_t next; /* number */
	int count, at;
	uint64_t missing; /* before record[at] */
	struct record record[DECODE_RECORDS];
};
struct cursor {
	const struct boot *boot;
	struct cursor_cpu *cpu;   /* boot->cpus */
	struct cursor_cpu *given; /* whose record was given last */
};
void cursor_start(struct cursor *c, const struct boot *boot);
/* `missing`: records of this CPU that are lost between the one before and this one (NULL: don't tell). The record is valid until
 * the next call. NULL: there are no more. */
const struct record *cursor_next(struct cursor *c, uint64_t *missing);
void cursor_free(struct cursor *c);

#endif
