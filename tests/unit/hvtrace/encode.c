/* SPDX-License-Identifier: Apache-2.0 */
/* An encoder for tests. See encode.h. */
#include "encode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "hvtrace.h"

void frame_byte(struct frame *f, unsigned int byte)
{
	if (f->n == sizeof(f->bytes))
		abort();
	f->bytes[f->n++] = (uint8_t)byte;
}

void frame_varint(struct frame *f, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		frame_byte(f, (value & 0x7f) | 0x80);
	frame_byte(f, (unsigned int)value);
}

void frame_begin(struct frame *f, unsigned int kind, unsigned int boot)
{
	f->n = 0;
	frame_byte(f, TRACE_VERSION << 4 | kind);
	frame_byte(f, boot & 0xff);
}

/* Bit by bit, as the standard describes it: not the program's own code. */
static uint32_t slow_crc(const uint8_t *bytes, size_t n)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < n * 8; i++) {
		uint32_t bit = (crc ^ (uint32_t)(bytes[i / 8] >> i % 8)) & 1;

		crc = crc >> 1 ^ (bit ? UINT32_C(0xedb88320) : 0);
	}
	return ~crc;
}

void frame_seal(struct frame *f)
{
	uint32_t crc = slow_crc(f->bytes, f->n);

	for (unsigned int i = 0; i < 32; i += 8)
		frame_byte(f, crc >> i & 0xff);
}

void frame_records(struct frame *f, const struct records_head *head, const struct record *records, unsigned int count)
{
	uint64_t time = count ? records[0].time : head->time;

	frame_begin(f, TRACE_FRAME_RECORDS, head->boot);
	frame_byte(f, head->cpu);
	frame_varint(f, head->first);
	frame_varint(f, head->overwritten);
	frame_varint(f, head->unnumbered);
	frame_varint(f, time);
	for (unsigned int i = 0; i < count; i++) {
		frame_varint(f, (uint64_t)records[i].event << 3 | records[i].words);
		frame_varint(f, records[i].time - time);
		time = records[i].time;
		for (unsigned int w = 0; w < records[i].words; w++)
			frame_varint(f, records[i].word[w]);
	}
	frame_seal(f);
}

void frame_status(struct frame *f, const struct status *s)
{
	frame_begin(f, TRACE_FRAME_STATUS, s->boot);
	frame_varint(f, s->hz);
	frame_varint(f, s->now);
	frame_varint(f, s->classes);
	frame_byte(f, s->flags);
	frame_varint(f, s->rate);
	frame_varint(f, s->slots);
	frame_varint(f, s->cpus);
	frame_varint(f, s->first);
	for (unsigned int i = 0; i < s->count; i++) {
		frame_varint(f, s->cpu[i].next);
		frame_varint(f, s->cpu[i].overwritten);
		frame_varint(f, s->cpu[i].unnumbered);
		frame_varint(f, s->cpu[i].idle);
		frame_varint(f, s->cpu[i].stays);
		frame_varint(f, s->cpu[i].stay_ticks);
	}
	frame_seal(f);
}

void frame_vm(struct frame *f, unsigned int boot, unsigned int vm, unsigned int vcpus, bool rt, const char *label)
{
	frame_begin(f, TRACE_FRAME_VM, boot);
	frame_byte(f, vm);
	frame_byte(f, vcpus);
	frame_byte(f, rt);
	while (*label)
		frame_byte(f, (unsigned char)*label++);
	frame_seal(f);
}

/* --- lines --- */

void line_bytes(struct line *l, const void *bytes, size_t n)
{
	while (l->room - l->n < n) {
		l->room = l->room ? l->room * 2 : 4096;
		l->bytes = realloc(l->bytes, l->room);
		if (!l->bytes)
			abort();
	}
	memcpy(l->bytes + l->n, bytes, n);
	l->n += n;
}

void line_begin(struct line *l, bool console)
{
	*l = (struct line){ .console = console };
	if (!console)
		line_bytes(l, "", 1);
}

/* Consistent overhead byte stuffing, for frames shorter than a block. */
static void own(struct line *l, const struct frame *f)
{
	size_t start = 0;

	for (size_t i = 0; i <= f->n; i++) {
		uint8_t code = (uint8_t)(i - start + 1);

		if (i < f->n && f->bytes[i])
			continue;
		line_bytes(l, &code, 1);
		line_bytes(l, f->bytes + start, i - start);
		start = i + 1;
	}
	line_bytes(l, "", 1);
}

static void console(struct line *l, const struct frame *f)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	line_bytes(l, TRACE_CONSOLE_BEGIN, strlen(TRACE_CONSOLE_BEGIN));
	for (size_t bit = 0; bit < f->n * 8; bit += 6) {
		unsigned int two = (unsigned int)f->bytes[bit / 8] << 8 |
				   (bit / 8 + 1 < f->n ? f->bytes[bit / 8 + 1] : 0);

		line_bytes(l, &digits[two >> (10 - bit % 8) & 63], 1);
	}
	line_bytes(l, TRACE_CONSOLE_END, strlen(TRACE_CONSOLE_END));
}

void line_frame(struct line *l, const struct frame *f)
{
	if (l->console)
		console(l, f);
	else
		own(l, f);
}

void line_free(struct line *l)
{
	free(l->bytes);
	*l = (struct line){ .console = l->console };
}

void line_save(const struct line *l, const char *path)
{
	FILE *file = fopen(path, "wb");

	if (!file || fwrite(l->bytes, 1, l->n, file) != l->n || fclose(file))
		abort();
}

struct record make_record(uint64_t time, unsigned int event, const uint32_t word[5])
{
	const struct event *e = event_find(event);
	struct record r = { .time = time, .event = (uint16_t)event, .words = (uint8_t)(e ? e->words : TRACE_WORDS) };

	memcpy(r.word, word, r.words * sizeof(r.word[0]));
	return r;
}
