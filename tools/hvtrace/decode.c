/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The line: finds frames between zeroes, or in text between ESC _ C t and ESC \, and which of both it is. See decode.h.
 *
 * Damage costs the frame it hits. On a trace line, where a lost zero joins two frames, the end of what is between two zeroes
 * is tried as a frame from each of its bytes on; the checksum decides. On a console's line a begin sequence always begins anew.
 */
#include "decode.h"

#include <stdlib.h>
#include <string.h>

/* States on a console's line: how much of the begin sequence was seen, then base64, then ESC behind it. */
enum { CONSOLE_BASE64 = sizeof(TRACE_CONSOLE_BEGIN) - 1, CONSOLE_END };

void decode_start(struct decode *d, enum decode_line line, const struct decode_sink *sink)
{
	memset(d, 0, sizeof(*d));
	d->line = line;
	d->sink = sink;
}

/* --- a trace line --- */

static bool try_frame(struct decode *d, const uint8_t *block, size_t bytes)
{
	uint8_t frame[DECODE_CHUNK];
	size_t n = cobs_decode(block, bytes, frame);

	return n && decode_frame(&d->counts, d->sink, frame, n);
}

/* A zero: what came since the one before. */
static void own_block(struct decode *d)
{
	size_t bytes = d->chunk_bytes < DECODE_CHUNK ? d->chunk_bytes : DECODE_CHUNK;
	size_t start = d->chunk_bytes - bytes, first = start % DECODE_CHUNK;
	uint8_t block[DECODE_CHUNK];

	if (!d->chunk_bytes)
		return;
	memcpy(block, d->chunk + first, DECODE_CHUNK - first);
	memcpy(block + DECODE_CHUNK - first, d->chunk, first);
	d->chunk_bytes = 0;
	if (!start && try_frame(d, block, bytes))
		return;
	d->own_bad++;
	for (size_t i = 1; i + 6 < bytes; i++) {
		/* The first byte of a frame has no zeroes around it: it stands behind the first byte of COBS. */
		if (block[i + 1] >> 4 != TRACE_VERSION || !try_frame(d, block + i, bytes - i))
			continue;
		d->own_skipped += start + i;
		return;
	}
	d->own_skipped += start + bytes;
}

static void own_byte(struct decode *d, uint8_t byte)
{
	if (byte)
		d->chunk[d->chunk_bytes++ % DECODE_CHUNK] = byte;
	else
		own_block(d);
}

/* --- a console's line --- */

static void flush_text(struct decode *d)
{
	if (d->held_bytes && d->sink->text)
		d->sink->text(d->sink->ctx, d->held, d->held_bytes);
	d->counts.text += d->held_bytes;
	d->held_bytes = 0;
}

static void text(struct decode *d, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		d->held = mem_grow(d->held, d->held_bytes, &d->held_room, 1);
		d->held[d->held_bytes++] = bytes[i];
	}
	if (d->line == DECODE_CONSOLE || d->held_bytes < DECODE_HELD)
		return;
	/* So much without a frame: what is older is given up. */
	d->counts.skipped += d->held_bytes / 2;
	memmove(d->held, d->held + d->held_bytes / 2, d->held_bytes - d->held_bytes / 2);
	d->held_bytes -= d->held_bytes / 2;
}

static int base64_value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool console_frame(struct decode *d)
{
	uint8_t frame[DECODE_BASE64];
	uint32_t bits = 0;
	unsigned int have = 0;
	size_t n = 0;

	for (size_t i = 0; i < d->base64_bytes; i++) {
		bits = bits << 6 | (uint32_t)base64_value((uint8_t)d->base64[i]);
		have += 6;
		if (have >= 8) {
			have -= 8;
			frame[n++] = (uint8_t)(bits >> have);
		}
	}
	/* A quantum of one character says nothing; bits beyond the last byte are 0 (RFC 4648 3.5). */
	if (have >= 6 || bits & ((1u << have) - 1))
		return false;
	/* Text that came before is given before what is in the frame. */
	if (d->line == DECODE_CONSOLE)
		flush_text(d);
	return decode_frame(&d->counts, d->sink, frame, n);
}

/* What was collected isn't a frame. */
static void console_abandon(struct decode *d, size_t more)
{
	d->counts.bad++;
	d->counts.skipped += CONSOLE_BASE64 + d->base64_bytes + more;
	d->state = 0;
}

static void console_byte(struct decode *d, uint8_t byte)
{
	static const char begin[] = TRACE_CONSOLE_BEGIN;

	if (d->state == CONSOLE_END) {
		if (byte == '\\') {
			if (!console_frame(d))
				console_abandon(d, 2);
			d->state = 0;
			return;
		}
		console_abandon(d, 0);
		d->state = 1; /* the ESC may begin the next one */
	}
	if (d->state == CONSOLE_BASE64) {
		if (byte == TRACE_CONSOLE_END[0]) {
			d->state = CONSOLE_END;
			return;
		}
		if (base64_value(byte) >= 0 && d->base64_bytes < DECODE_BASE64) {
			d->base64[d->base64_bytes++] = (char)byte;
			return;
		}
		console_abandon(d, 0);
	}
	if (byte == (uint8_t)begin[d->state]) {
		if (++d->state == CONSOLE_BASE64)
			d->base64_bytes = 0;
		return;
	}
	text(d, begin, d->state);
	d->state = byte == (uint8_t)begin[0];
	if (!d->state) {
		char c = (char)byte;

		text(d, &c, 1);
	}
}

/* --- both --- */

/* Both at once, until one has a good frame. */
static void auto_byte(struct decode *d, uint8_t byte)
{
	uint64_t frames = d->counts.frames;

	d->saw_zero |= !byte;
	own_byte(d, byte);
	if (d->counts.frames != frames) {
		/* All that came so far is held as text, too, and isn't any. */
		d->line = DECODE_OWN;
		d->counts.bad = d->counts.skipped = d->held_bytes = 0;
		return;
	}
	console_byte(d, byte);
	if (d->counts.frames != frames) {
		d->line = DECODE_CONSOLE;
		d->chunk_bytes = d->own_bad = d->own_skipped = 0;
		flush_text(d);
	}
}

void decode_bytes(struct decode *d, const void *data, size_t bytes)
{
	const uint8_t *byte = data;
	size_t i = 0;

	d->counts.bytes += bytes;
	for (; i < bytes && d->line == DECODE_AUTO; i++)
		auto_byte(d, byte[i]);
	for (; i < bytes && d->line == DECODE_OWN; i++)
		own_byte(d, byte[i]);
	for (; i < bytes; i++)
		console_byte(d, byte[i]);
	if (d->line == DECODE_OWN) {
		d->counts.bad += d->own_bad;
		d->counts.skipped += d->own_skipped;
		d->own_bad = d->own_skipped = 0;
	}
	/* A person who watches wants to see it now. */
	if (d->line == DECODE_CONSOLE)
		flush_text(d);
}

void decode_end(struct decode *d)
{
	if (d->line == DECODE_OWN) {
		d->counts.bad += d->chunk_bytes > 0;
		d->counts.skipped += d->chunk_bytes;
	} else {
		if (d->state >= CONSOLE_BASE64)
			console_abandon(d, d->state == CONSOLE_END);
		else
			text(d, TRACE_CONSOLE_BEGIN, d->state);
		/* Not one frame: text if it looks like that. */
		if (d->line == DECODE_AUTO && d->saw_zero)
			d->counts.skipped += d->held_bytes;
		else
			flush_text(d);
	}
	free(d->held);
	d->held = NULL;
	d->held_bytes = d->held_room = 0;
}
