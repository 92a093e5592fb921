/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trace while it comes: the present boot's records in order of time over all CPUs, and the account.
 *
 * Records wait until no CPU can have an older one: each CPU has sent a later one, or a status said that nothing of it waits. The wait is
 * bounded (STREAM_WINDOW_NS of the trace's time, STREAM_RECORDS records); what comes too late for it is given late, and counted.
 * When the machine boots again everything begins anew. Dumps of other boots go to the account of theirs and are not given.
 */
#ifndef HVTRACE_STREAM_H
#define HVTRACE_STREAM_H

#include "account.h"
#include "decode.h"
#include "hvtrace.h"

#define STREAM_WINDOW_NS UINT64_C(2000000000)
#define STREAM_RECORDS 262144u

struct stream_item {
	struct record record;
	uint64_t missing; /* before it, on its CPU */
};

struct stream {
	struct decode decode;
	struct decode_sink sink;
	void *ctx; /* of what follows; each may be NULL */
	void (*record)(void *ctx, const struct record *r, uint64_t missing);
	void (*status)(void *ctx, const struct status *s);
	void (*boot)(void *ctx); /* another boot begins; what came before is over */
	void (*frame)(void *ctx, const uint8_t *frame, size_t bytes);
	void (*text)(void *ctx, const char *text, size_t bytes);
	/* the present boot */
	bool known; /* a frame said which */
	uint8_t number;
	uint64_t hz, now; /* of the latest status; 0: there was none */
	uint32_t classes;
	uint8_t flags;
	unsigned int cpus;
	struct account account[HVTRACE_CPUS];
	struct status_cpu cpu[HVTRACE_CPUS];
	struct vm_info vm[HVTRACE_VMS];
	/* of boots before */
	struct losses before;
	unsigned int boots;
	uint64_t dumped; /* records of other boots, or that came again */
	/* waiting: a heap by time */
	struct stream_item *heap;
	size_t count, room;
	uint64_t missing[HVTRACE_CPUS]; /* not yet told */
	uint64_t newest, given;         /* times */
	uint64_t ripe;                  /* up to here nothing older can come; 0: unknown */
	uint64_t late;                  /* records that came too late for their place */
	bool wanted;                    /* the frame's records are of the present boot */
};

void stream_start(struct stream *s, enum decode_line line);
void stream_bytes(struct stream *s, const void *data, size_t bytes);
void stream_flush(struct stream *s); /* gives what waits */
void stream_end(struct stream *s);   /* stream_flush(), and frees */
/* Sum of all CPUs and boots. */
void stream_losses(const struct stream *s, struct losses *sum);
/* Whether the latest status said that nothing waits in any ring. */
bool stream_empty(const struct stream *s);

#endif
