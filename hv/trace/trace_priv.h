/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the files of hv/trace: rings are read (ring.c), frames made of what was read (frame.c), and sent (stream.c). The reader's
 * half of all this is under the stream's lock; a ring's writer knows nothing of it but `sent`.
 */
#ifndef TRACE_PRIV_H
#define TRACE_PRIV_H

#include "arch_inline.h"
#include "camber/trace.h"

#define SLOTS ((uint64_t)TRACE_RING_SLOTS)

/* Records that a ring holds for sure: one slot may be being written, and publishing may lag behind by one more (record.c). */
#define KEPT (SLOTS - 2)

/* Whose rings: this boot's, or what the previous one left, as rings of CPUs that make nothing any more. */
enum { TRACE_NOW, TRACE_OLD, TRACE_SETS };
extern struct trace_cpu *trace_cpus[TRACE_SETS][CONFIG_CPU_MAX];
extern uint32_t trace_boot;          /* the previous one was the one before */
extern unsigned int trace_cpu_count; /* 0 before trace_start() */
extern struct trace_stats trace_stats;
extern uint64_t trace_status_at; /* when the next status goes out; 0: at once */

/*
 * The record of a ring with number *n, or if that is overwritten a later one, whose number *n is then. False: there is none yet, or it
 * was overwritten just now, or never good; *n is where to go on.
 */
bool trace_ring_take(struct trace_cpu *t, uint64_t *n, struct trace_record *r);

/* One frame at a time (frame.c): opened, appended to in pieces, each accepted or refused as a whole, closed, and to be sent. */
void trace_frame_open(enum trace_frame kind, uint32_t boot, bool console);
void trace_frame_byte(uint32_t byte);
void trace_frame_varint(uint64_t value);
/* The piece that was appended since the last call stays, if it fits; else it is gone. At most TRACE_FRAME_PIECE bytes. */
bool trace_frame_accept(void);
#define TRACE_FRAME_PIECE 100u
/* Encodes a few bytes of what was accepted. False: all is encoded. */
bool trace_frame_encode(void);
/* Adds the CRC; and, when that is encoded, too, the end. Returns the length of what is to be sent. */
void trace_frame_close(void);
size_t trace_frame_end(void);

/* What is to be sent, as the line takes it. */
extern char trace_frame_out[];

#endif
