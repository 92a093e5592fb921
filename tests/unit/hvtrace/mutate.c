/* SPDX-License-Identifier: Apache-2.0 */
/* Damage to a line. See mutate.h. */
#include "mutate.h"

#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "encode.h"

#define FRAMES 10u
#define RECORDS 9u
#define LINE 8192u
#define INSERTED UINT16_MAX

/* Where a frame is on the undamaged line, without a zero before it. */
struct place {
	size_t from, to;
};

static struct {
	struct line line[2]; /* own, console */
	struct place place[2][FRAMES];
	struct record record[FRAMES][RECORDS]; /* of even frames; odd ones are statuses and VMs */
} seed;

struct seen {
	bool record[FRAMES][RECORDS];
	bool invented;
	unsigned int other; /* statuses and VMs */
};

/* Words of all lengths, among them zeroes and escapes. */
static uint32_t word(uint32_t i)
{
	static const uint32_t some[] = { 0, 1, 0x1b, 0x5c5f1b00, 0x7f, 0x80, 0xffffffff, 0x11, 0x1111, 0x201 };

	return i % 3 ? i * UINT32_C(2654435761) >> i % 32 : some[i % ARRAY_COUNT(some)];
}

static void make_frame(struct frame *f, unsigned int i)
{
	struct records_head head = { .boot = 3, .cpu = (uint8_t)(i % 4 / 2), .first = i * 100, .overwritten = i };
	struct status s = { .hz = 62500000, .now = i * 1000, .classes = 7, .boot = 3, .cpus = 2, .count = 2 };

	if (i % 4 == 1) {
		frame_status(f, &s);
	} else if (i % 4 == 3) {
		frame_vm(f, 3, i, 2, true, "rtos");
	} else {
		for (unsigned int k = 0; k < RECORDS; k++) {
			struct record *r = &seed.record[i][k];
			const uint32_t w[5] = { word(i + k), word(i * k), word(i * 7 + k), word(k), word(i) };

			/* Event 77 isn't in the table. */
			*r = make_record(1000 * i + 10 * k * k, k == 5 ? 77 : 1 + (i + k) % 14, w);
			r->boot = head.boot;
			r->cpu = head.cpu;
			r->number = head.first + k;
		}
		frame_records(f, &head, seed.record[i], RECORDS);
	}
}

static void make_seed(void)
{
	struct frame f;

	for (unsigned int console = 0; console < 2; console++) {
		struct line *l = &seed.line[console];

		line_begin(l, console);
		for (unsigned int i = 0; i < FRAMES; i++) {
			if (console && i % 3 == 0)
				line_bytes(l, "[ivi] text \033[1m\r\n", 17);
			seed.place[console][i].from = l->n;
			make_frame(&f, i);
			line_frame(l, &f);
			seed.place[console][i].to = l->n;
		}
	}
}

/* --- damage --- */

struct damaged {
	uint8_t bytes[LINE];
	uint16_t origin[LINE]; /* where the byte was; INSERTED: it wasn't, or is another one */
	size_t n;
};

static void insert(struct damaged *d, size_t at, size_t n, uint8_t value)
{
	if (n > LINE - d->n)
		n = LINE - d->n;
	memmove(d->bytes + at + n, d->bytes + at, d->n - at);
	memmove(d->origin + at + n, d->origin + at, (d->n - at) * sizeof(d->origin[0]));
	for (size_t i = 0; i < n; i++) {
		d->bytes[at + i] = (uint8_t)(value + i * (value & 7));
		d->origin[at + i] = INSERTED;
	}
	d->n += n;
}

static void cut(struct damaged *d, size_t at, size_t n)
{
	n = n < d->n - at ? n : d->n - at;
	memmove(d->bytes + at, d->bytes + at + n, d->n - at - n);
	memmove(d->origin + at, d->origin + at + n, (d->n - at - n) * sizeof(d->origin[0]));
	d->n -= n;
}

static void change(struct damaged *d, size_t at, uint8_t mask)
{
	if (at >= d->n || !mask)
		return;
	d->bytes[at] ^= mask;
	d->origin[at] = INSERTED;
}

/* A piece of it once more, elsewhere. */
static void repeat(struct damaged *d, size_t from, size_t n, size_t to)
{
	uint8_t bytes[256];
	uint16_t origin[256];

	n = n < d->n - from ? n : d->n - from;
	memcpy(bytes, d->bytes + from, n);
	memcpy(origin, d->origin + from, n * sizeof(origin[0]));
	if (n > LINE - d->n)
		return;
	insert(d, to, n, 0);
	memcpy(d->bytes + to, bytes, n);
	memcpy(d->origin + to, origin, n * sizeof(origin[0]));
}

static void step(struct damaged *d, const uint8_t s[4])
{
	size_t at = (size_t)(s[1] | (s[0] & 0xf0) << 4) % (d->n + 1);

	switch (s[0] & 7) {
	case 0:
	case 1:
		change(d, at, (uint8_t)(1u << (s[2] & 7)));
		break;
	case 2:
		change(d, at, s[2]);
		change(d, at + 1, s[3]);
		break;
	case 3:
		cut(d, at, s[2] % 16 + 1u);
		break;
	case 4:
		insert(d, at, s[2] % 64 + 1u, s[3]);
		break;
	case 5:
		repeat(d, at, s[2], (size_t)s[3] * d->n / 256);
		break;
	case 6:
		cut(d, at, 1);
		break;
	default:
		if (s[2] < 64)
			d->n = at; /* the line ends here */
		else if (s[2] < 128)
			cut(d, 0, at); /* or begins */
		else
			insert(d, at, 300, s[3]);
		break;
	}
}

/* Whether the frame is there, byte for byte in one piece. */
static bool is_whole(const struct damaged *d, struct place p)
{
	size_t n = p.to - p.from;

	for (size_t i = 0; i + n <= d->n; i++) {
		size_t k = 0;

		if (d->origin[i] != p.from)
			continue;
		while (k < n && d->origin[i + k] == p.from + k)
			k++;
		if (k == n)
			return true;
	}
	return false;
}

/* --- what comes out --- */

static void on_record(void *ctx, const struct record *r)
{
	struct seen *seen = ctx;
	uint64_t i = r->number / 100, k = r->number % 100;

	if (i >= FRAMES || i % 2 || k >= RECORDS || memcmp(r, &seed.record[i][k], sizeof(*r)))
		seen->invented = true;
	else
		seen->record[i][k] = true;
}

static void on_status(void *ctx, const struct status *s)
{
	struct seen *seen = ctx;

	seen->other++;
	seen->invented |= s->hz != 62500000 || s->cpus != 2 || s->now % 1000 || s->now / 1000 % 4 != 1;
}

static void on_vm(void *ctx, const struct vm_info *vm)
{
	struct seen *seen = ctx;

	seen->other++;
	seen->invented |= vm->vcpus != 2 || strcmp(vm->label, "rtos") != 0;
}

static void decode(const struct damaged *d, unsigned int mode, struct seen *seen)
{
	struct decode_sink sink = { .ctx = seen, .record = on_record, .status = on_status, .vm = on_vm };
	enum decode_line line = mode & 2 ? DECODE_AUTO : mode & 1 ? DECODE_CONSOLE : DECODE_OWN;
	struct decode dec;
	size_t piece = mode & 4 ? 7 : LINE;

	decode_start(&dec, line, &sink);
	for (size_t i = 0; i < d->n; i += piece)
		decode_bytes(&dec, d->bytes + i, d->n - i < piece ? d->n - i : piece);
	decode_end(&dec);
}

const char *mutate_check(const uint8_t *script, size_t bytes, struct mutate_counts *counts)
{
	unsigned int mode = bytes ? script[0] : 0, console = mode & 1;
	struct seen seen = { .invented = false };
	static struct damaged d;

	if (!seed.line[0].n)
		make_seed();
	d.n = seed.line[console].n;
	memcpy(d.bytes, seed.line[console].bytes, d.n);
	for (size_t i = 0; i < d.n; i++)
		d.origin[i] = (uint16_t)i;
	for (size_t i = 1; i + 4 <= bytes; i += 4)
		step(&d, script + i);
	decode(&d, mode, &seen);
	counts->inputs++;
	if (seen.invented)
		return "something was invented";
	for (unsigned int i = 0; i < FRAMES; i++) {
		if (!is_whole(&d, seed.place[console][i])) {
			counts->damaged++;
			continue;
		}
		counts->whole++;
		for (unsigned int k = 0; i % 2 == 0 && k < RECORDS; k++, counts->records++)
			if (!seen.record[i][k])
				return "a frame that came through whole was not decoded";
	}
	return NULL;
}
