/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoder: bytes of a line in, frames and what is in them out.
 *
 * Takes a trace line (COBS) and a console line (frames in text) and finds out which one it has by the first good frame, if
 * it isn't told. After damage it goes on with the next good frame. Gives nothing out of a frame whose checksum or structure is wrong:
 * what it counts then is in decode_counts. Owns no file and no memory but the text it holds back until the line is known.
 */
#ifndef HVTRACE_DECODE_H
#define HVTRACE_DECODE_H

#include "hvtrace.h"

enum decode_line { DECODE_AUTO, DECODE_OWN, DECODE_CONSOLE };

/* Called in the order of the line; any may be NULL. What pointers show is only valid during the call. */
struct decode_sink {
	void *ctx;
	/* A frame with a right checksum, checksum included; before what is in it, also if that is unknown. */
	void (*frame)(void *ctx, const uint8_t *frame, size_t bytes);
	void (*records)(void *ctx, const struct records_head *head); /* then count times record(), less those refused */
	void (*record)(void *ctx, const struct record *record);
	void (*status)(void *ctx, const struct status *status);
	void (*vm)(void *ctx, const struct vm_info *vm);
	void (*text)(void *ctx, const char *text, size_t bytes); /* what else was on the console's line */
};

struct decode_counts {
	uint64_t bytes;     /* all */
	uint64_t text;      /* bytes of console text */
	uint64_t skipped;   /* bytes that were neither text nor in a good frame */
	uint64_t frames;    /* with a right checksum */
	uint64_t bad;       /* pieces of the line that should have been a frame and were none */
	uint64_t malformed; /* frames whose checksum is right and whose contents aren't; in frames, too */
	uint64_t unknown;   /* frames of another version or kind; in frames, too */
	uint64_t records;
	uint64_t strange; /* records of events that the table doesn't have; in records, too */
	uint64_t refused; /* records of known events with a wrong number of words; not given, not in records */
};

#define DECODE_CHUNK 256u    /* longer than any frame on the line with its zero */
#define DECODE_BASE64 320u   /* a frame's longest text */
#define DECODE_HELD 1048576u /* console text that is held back at most while the line isn't known */

struct decode {
	const struct decode_sink *sink;
	struct decode_counts counts;
	enum decode_line line;
	/* trace line: the last bytes since a zero */
	uint8_t chunk[DECODE_CHUNK];
	size_t chunk_bytes;            /* since the zero; only the last DECODE_CHUNK are there */
	uint64_t own_bad, own_skipped; /* not in counts yet */
	/* console line: a begin sequence, then base64 */
	unsigned int state;
	char base64[DECODE_BASE64];
	size_t base64_bytes;
	/* text until the line is known, or until the next flush */
	char *held;
	size_t held_bytes, held_room;
	bool saw_zero;
};

void decode_start(struct decode *d, enum decode_line line, const struct decode_sink *sink);
void decode_bytes(struct decode *d, const void *data, size_t bytes);
/* Nothing more comes: what is unfinished is skipped. Frees. */
void decode_end(struct decode *d);

/* One frame with checksum, as the line had it inside its framing. Returns false if it isn't one (nothing is given then). */
bool decode_frame(struct decode_counts *counts, const struct decode_sink *sink, const uint8_t *frame, size_t bytes);

/* Only the records of a RECORDS frame; cheap enough to be done again. Returns how many, -1 if it isn't one. */
#define DECODE_RECORDS 120u /* a record takes two bytes at least */
int decode_records(const uint8_t *frame, size_t bytes, struct records_head *head,
		   struct record records[DECODE_RECORDS]);

/* COBS (Cheshire and Baker, 1999). Both return the bytes made, 0 if the input is none. `out` has room for as many bytes as
 * decode takes, encode: bytes + bytes / 254 + 1. The zero that ends a block is neither made nor taken. */
size_t cobs_decode(const uint8_t *in, size_t bytes, uint8_t *out);
size_t cobs_encode(const uint8_t *in, size_t bytes, uint8_t *out);

#endif
