/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in a frame (abi/trace.h), and COBS.
 *
 * A frame is checked to its end before anything of it is given. Pure functions of their arguments; no memory of their own.
 */
#include <string.h>

#include "decode.h"
#include "event.h"

struct in {
	const uint8_t *at, *end;
	bool bad;
};

static uint64_t byte(struct in *in)
{
	if (in->at == in->end) {
		in->bad = true;
		return 0;
	}
	return *in->at++;
}

/* Unsigned LEB128 of at most `max`. */
static uint64_t varint(struct in *in, uint64_t max)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; shift < 64; shift += 7) {
		uint64_t b = byte(in);
		uint64_t bits = b & 0x7f;

		if (shift == 63 && bits > 1)
			break;
		value |= bits << shift;
		if (!(b & 0x80)) {
			if (value > max)
				break;
			return value;
		}
	}
	in->bad = true;
	return 0;
}

static struct in after_head(const uint8_t *frame, size_t bytes)
{
	return (struct in){ frame + 2, frame + bytes - 4, false };
}

int decode_records(const uint8_t *frame, size_t bytes, struct records_head *head, struct record records[DECODE_RECORDS])
{
	struct in in = after_head(frame, bytes);
	uint64_t time;

	if (frame[0] != (TRACE_VERSION << 4 | TRACE_FRAME_RECORDS))
		return -1;
	head->boot = frame[1];
	head->cpu = (uint8_t)byte(&in);
	head->first = varint(&in, UINT64_MAX);
	head->overwritten = varint(&in, UINT64_MAX);
	head->unnumbered = varint(&in, UINT64_MAX);
	time = head->time = varint(&in, UINT64_MAX);
	head->count = 0;
	while (!in.bad && in.at < in.end) {
		struct record *r = &records[head->count];
		uint64_t tag = varint(&in, 0xff << 3 | 7);

		/* So many don't fit into a frame, nor do numbers or times go beyond their range and begin anew. */
		if (head->count == DECODE_RECORDS || (tag & 7) > TRACE_WORDS)
			return -1;
		*r = (struct record){ .boot = head->boot, .cpu = head->cpu };
		r->event = (uint16_t)(tag >> 3);
		r->words = tag & 7;
		if (__builtin_add_overflow(head->first, head->count, &r->number) ||
		    __builtin_add_overflow(time, varint(&in, UINT64_MAX), &time))
			return -1;
		r->time = time;
		for (unsigned int i = 0; i < r->words; i++)
			r->word[i] = (uint32_t)varint(&in, UINT32_MAX);
		head->count++;
	}
	return in.bad || head->first > UINT64_MAX - head->count ? -1 : (int)head->count;
}

static bool records(struct decode_counts *counts, const struct decode_sink *sink, const uint8_t *frame, size_t bytes)
{
	struct record r[DECODE_RECORDS];
	struct records_head head;
	int count = decode_records(frame, bytes, &head, r);

	if (count < 0)
		return false;
	if (sink->records)
		sink->records(sink->ctx, &head);
	for (int i = 0; i < count; i++) {
		const struct event *e = event_find(r[i].event);

		if (e && e->words != r[i].words) {
			counts->refused++;
			continue;
		}
		counts->strange += !e;
		counts->records++;
		if (sink->record)
			sink->record(sink->ctx, &r[i]);
	}
	return true;
}

static bool status(const struct decode_sink *sink, const uint8_t *frame, size_t bytes)
{
	struct in in = after_head(frame, bytes);
	struct status s;

	s.boot = frame[1];
	s.hz = varint(&in, UINT64_C(10000000000));
	s.now = varint(&in, UINT64_MAX);
	s.classes = (uint32_t)varint(&in, UINT32_MAX);
	s.flags = (uint8_t)byte(&in);
	s.rate = varint(&in, UINT64_MAX);
	s.slots = varint(&in, UINT64_MAX);
	s.cpus = (uint32_t)varint(&in, HVTRACE_CPUS);
	s.first = (uint32_t)varint(&in, HVTRACE_CPUS);
	for (s.count = 0; !in.bad && in.at < in.end; s.count++) {
		struct status_cpu *cpu = &s.cpu[s.count];

		cpu->next = varint(&in, UINT64_MAX);
		cpu->overwritten = varint(&in, UINT64_MAX);
		cpu->unnumbered = varint(&in, UINT64_MAX);
		cpu->idle = varint(&in, UINT64_MAX);
		cpu->stays = varint(&in, UINT64_MAX);
		cpu->stay_ticks = varint(&in, UINT64_MAX);
	}
	if (in.bad || !s.hz || s.first + s.count > s.cpus)
		return false;
	if (sink->status)
		sink->status(sink->ctx, &s);
	return true;
}

static bool vm(const struct decode_sink *sink, const uint8_t *frame, size_t bytes)
{
	struct in in = after_head(frame, bytes);
	struct vm_info v = { .boot = frame[1] };
	size_t n;

	v.number = (uint8_t)byte(&in);
	v.vcpus = (uint8_t)byte(&in);
	v.rt = byte(&in) & 1;
	if (in.bad)
		return false;
	n = (size_t)(in.end - in.at);
	n = n < HVTRACE_LABEL ? n : HVTRACE_LABEL - 1;
	/* It is shown on terminals and in file formats: nothing but what a label may have. */
	for (size_t i = 0; i < n; i++)
		v.label[i] = in.at[i] > ' ' && in.at[i] < 0x7f && !strchr("\"'\\/<>&,;|", in.at[i]) ? (char)in.at[i] :
												      '?';
	if (sink->vm)
		sink->vm(sink->ctx, &v);
	return true;
}

bool decode_frame(struct decode_counts *counts, const struct decode_sink *sink, const uint8_t *frame, size_t bytes)
{
	uint32_t crc;
	bool good;

	if (bytes < 6 || bytes > TRACE_FRAME_BYTES)
		return false;
	crc = crc32(0, frame, bytes - 4);
	for (unsigned int i = 0; i < 4; i++)
		if (frame[bytes - 4 + i] != (crc >> 8 * i & 0xff))
			return false;
	counts->frames++;
	if (sink->frame)
		sink->frame(sink->ctx, frame, bytes);
	switch (frame[0]) {
	case TRACE_VERSION << 4 | TRACE_FRAME_RECORDS:
		good = records(counts, sink, frame, bytes);
		break;
	case TRACE_VERSION << 4 | TRACE_FRAME_STATUS:
		good = status(sink, frame, bytes);
		break;
	case TRACE_VERSION << 4 | TRACE_FRAME_VM:
		good = vm(sink, frame, bytes);
		break;
	default:
		counts->unknown++;
		return true;
	}
	counts->malformed += !good;
	return true;
}

size_t cobs_decode(const uint8_t *in, size_t bytes, uint8_t *out)
{
	size_t made = 0;

	for (size_t i = 0; i < bytes;) {
		size_t code = in[i++];

		if (!code || code - 1 > bytes - i)
			return 0;
		for (size_t n = code - 1; n; n--) {
			if (!in[i])
				return 0;
			out[made++] = in[i++];
		}
		if (code != 0xff && i < bytes)
			out[made++] = 0;
	}
	return made;
}

size_t cobs_encode(const uint8_t *in, size_t bytes, uint8_t *out)
{
	size_t code_at = 0, made = 1;
	uint8_t code = 1;

	for (size_t i = 0; i < bytes; i++) {
		if (in[i]) {
			out[made++] = in[i];
			code++;
		}
		if (!in[i] || code == 0xff) {
			out[code_at] = code;
			/* After a full block at the very end nothing more is said. */
			if (code == 0xff && in[i] && i + 1 == bytes)
				return made;
			code_at = made++;
			code = 1;
		}
	}
	out[code_at] = code;
	return made;
}
