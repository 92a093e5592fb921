/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for what hvtrace reads: bytes that come over a line.
 *
 * The first byte of the input chooses: a line of good frames, to which the rest of the input is a list of damages (mutate.h says what has to
 * come out of it); the rest as a line, into the decoder and all behind it; or as contents of frames whose checksums are made right, as few
 * random bytes have one. Nothing may crash, a reader's account must add up, and its records must be in order.
 */
#include "mutate.h"

#include <stdlib.h>
#include <string.h>

#include "analysis.h"
#include "encode.h"
#include "reader.h"
#include "stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool so)
{
	if (!so)
		abort();
}

static void damage(const uint8_t *data, size_t size)
{
	struct mutate_counts counts = { 0 };

	need(!mutate_check(data, size, &counts));
}

/* The bytes of all, whatever they are: every function that looks at records is called with them. */
static void look(const struct boot *b)
{
	struct analysis *a = analysis_new();
	const struct record *r;
	uint64_t missing, count = 0, time = 0;
	char text[NAME_ROOM];
	struct cursor c;

	cursor_start(&c, b);
	while ((r = cursor_next(&c, &missing))) {
		const struct event *e = event_find(r->event);

		/* In order on each CPU; between CPUs only if each one's times go up, which frames can lie about. */
		need(r->words <= TRACE_WORDS && (!e || r->words == e->words));
		time = r->time;
		count++;
		for (unsigned int i = 0; e && i < e->fields; i++)
			need(strlen(field_text(text, &e->field[i], r, b->vm, b->hz)) < NAME_ROOM);
		analysis_record(a, r, missing);
	}
	cursor_free(&c);
	analysis_until(a, time);
	need(count == b->records);
	need(b->losses.total ==
	     b->losses.decoded + b->losses.overwritten + b->losses.full + b->losses.line + b->losses.waiting);
	analysis_free(a);
}

static void read_line(const uint8_t *data, size_t size)
{
	struct reader t;
	struct stream *s = mem_alloc(sizeof(*s));

	reader_start(&t, DECODE_AUTO);
	reader_bytes(&t, data, size);
	reader_end(&t, 0);
	for (size_t i = 0; i < t.count; i++)
		look(t.boots[i]);
	reader_free(&t);
	stream_start(s, DECODE_AUTO);
	stream_bytes(s, data, size);
	stream_end(s);
	need(!s->count);
	free(s);
}

/* Each frame: a byte that says how long it is, then its contents. */
static void frames(const uint8_t *data, size_t size)
{
	struct line l;

	line_begin(&l, size & 1);
	while (size > 1) {
		size_t n = data[0] % (TRACE_FRAME_BYTES - 4) + 1u;
		struct frame f = { .n = 0 };

		data++;
		size--;
		n = n < size ? n : size;
		for (size_t i = 0; i < n; i++)
			frame_byte(&f, i ? data[i] : TRACE_VERSION << 4 | data[0] % 5);
		frame_seal(&f);
		line_frame(&l, &f);
		data += n;
		size -= n;
	}
	read_line(l.bytes, l.n);
	line_free(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	if (data[0] % 3 == 0)
		damage(data + 1, size - 1);
	else if (data[0] % 3 == 1)
		read_line(data + 1, size - 1);
	else
		frames(data + 1, size - 1);
	return 0;
}
