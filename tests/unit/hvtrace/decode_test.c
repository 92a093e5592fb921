/* SPDX-License-Identifier: Apache-2.0 */
/* The decoder: every event, damage, what is unknown, the console's line; accounts; a whole trace with dumps and boots. */
#include "decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "encode.h"
#include "event.h"
#include "reader.h"
#include "stream.h"
/* cmocka.h needs setjmp.h and others first, and has a macro fail(). */
#include <cmocka.h>

#define HZ 62500000u

struct got {
	struct record record[1024];
	unsigned int records, heads, statuses, vms, frames;
	struct status status;
	struct vm_info vm;
	char text[8192];
	size_t text_bytes;
};

static void on_frame(void *ctx, const uint8_t *frame, size_t bytes)
{
	(void)frame;
	(void)bytes;
	((struct got *)ctx)->frames++;
}

static void on_records(void *ctx, const struct records_head *head)
{
	(void)head;
	((struct got *)ctx)->heads++;
}

static void on_record(void *ctx, const struct record *r)
{
	struct got *g = ctx;

	assert_true(g->records < ARRAY_COUNT(g->record));
	g->record[g->records++] = *r;
}

static void on_status(void *ctx, const struct status *s)
{
	struct got *g = ctx;

	g->statuses++;
	g->status = *s;
}

static void on_vm(void *ctx, const struct vm_info *vm)
{
	struct got *g = ctx;

	g->vms++;
	g->vm = *vm;
}

static void on_text(void *ctx, const char *text, size_t bytes)
{
	struct got *g = ctx;

	assert_true(g->text_bytes + bytes < sizeof(g->text));
	memcpy(g->text + g->text_bytes, text, bytes);
	g->text_bytes += bytes;
	g->text[g->text_bytes] = 0;
}

/* The line in pieces of every given size gives the same. */
static struct decode_counts decode_line(const struct line *l, enum decode_line as, size_t piece, struct got *g)
{
	const struct decode_sink sink = { g, on_frame, on_records, on_record, on_status, on_vm, on_text };
	struct decode d;

	memset(g, 0, sizeof(*g));
	decode_start(&d, as, &sink);
	for (size_t i = 0; i < l->n; i += piece)
		decode_bytes(&d, l->bytes + i, l->n - i < piece ? l->n - i : piece);
	decode_end(&d);
	return d.counts;
}

static void put_records(struct line *l, unsigned int boot, unsigned int cpu, uint64_t first, uint64_t overwritten,
			const struct record *records, unsigned int count)
{
	struct records_head head = { .boot = (uint8_t)boot,
				     .cpu = (uint8_t)cpu,
				     .first = first,
				     .overwritten = overwritten };
	struct frame f;

	frame_records(&f, &head, records, count);
	line_frame(l, &f);
}

static void put_status(struct line *l, unsigned int boot, uint64_t now, unsigned int flags,
		       const struct status_cpu *cpu, unsigned int cpus)
{
	struct status s = { .hz = HZ,
			    .now = now,
			    .classes = 0x3ff,
			    .flags = (uint8_t)flags,
			    .boot = (uint8_t)boot,
			    .cpus = cpus };
	struct frame f;

	s.count = cpus;
	memcpy(s.cpu, cpu, cpus * sizeof(*cpu));
	frame_status(&f, &s);
	line_frame(l, &f);
}

/* --- frames --- */

static void every_event(void **state)
{
	uint64_t time = UINT64_C(0x123456789abcdef);
	struct got g;

	(void)state;
	for (unsigned int console = 0; console < 2; console++) {
		for (const struct event *e = event_next(NULL); e; e = event_next(e)) {
			const uint32_t words[][5] = { { 0, 0, 0, 0, 0 },
						      { 1, 0x80, 0x4000, 0x200000, 0x10000000 },
						      { UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX } };
			struct record r[3];
			struct line l;

			for (unsigned int i = 0; i < 3; i++)
				r[i] = make_record(time + i * 1000, e->number, words[i]);
			line_begin(&l, console);
			put_records(&l, 255, 255, UINT64_MAX - 10, 5, r, 3);
			(void)decode_line(&l, DECODE_AUTO, 1, &g);
			assert_int_equal(g.records, 3);
			for (unsigned int i = 0; i < 3; i++) {
				assert_int_equal(g.record[i].event, e->number);
				assert_int_equal(g.record[i].words, e->words);
				assert_int_equal(g.record[i].time, time + i * 1000);
				assert_int_equal(g.record[i].number, UINT64_MAX - 10 + i);
				assert_int_equal(g.record[i].cpu, 255);
				assert_int_equal(g.record[i].boot, 255);
				assert_memory_equal(g.record[i].word, words[i], e->words * sizeof(uint32_t));
			}
			line_free(&l);
		}
	}
}

static void status_and_vm(void **state)
{
	struct status_cpu cpu[2] = { { 1, 2, 3, 4, 5, UINT64_MAX }, { 7, 8, 9, 10, 11, 12 } };
	struct frame f;
	struct line l;
	struct got g;

	(void)state;
	line_begin(&l, false);
	put_status(&l, 7, 123456789, TRACE_STATUS_STOP | TRACE_STATUS_DUMP, cpu, 2);
	frame_vm(&f, 7, 3, 4, true, "ivi\033[2J\"x");
	line_frame(&l, &f);
	(void)decode_line(&l, DECODE_OWN, 3, &g);
	assert_int_equal(g.statuses, 1);
	assert_int_equal(g.status.hz, HZ);
	assert_int_equal(g.status.now, 123456789);
	assert_int_equal(g.status.flags, TRACE_STATUS_STOP | TRACE_STATUS_DUMP);
	assert_int_equal(g.status.boot, 7);
	assert_int_equal(g.status.count, 2);
	assert_memory_equal(g.status.cpu, cpu, sizeof(cpu));
	assert_int_equal(g.vms, 1);
	assert_int_equal(g.vm.number, 3);
	assert_int_equal(g.vm.vcpus, 4);
	assert_true(g.vm.rt);
	assert_string_equal(g.vm.label, "ivi?[2J?x"); /* nothing that a terminal obeys */
	line_free(&l);
}

/* A frame whose checksum is right and that says what can't be is counted, and nothing of it given. */
static void expect_malformed(struct frame *f)
{
	struct decode_counts c;
	struct line l;
	struct got g;

	frame_seal(f);
	line_begin(&l, false);
	line_frame(&l, f);
	c = decode_line(&l, DECODE_OWN, 4096, &g);
	assert_int_equal(c.malformed, 1);
	assert_int_equal(g.records + g.heads + g.statuses + g.vms, 0);
	line_free(&l);
}

static void begin_records(struct frame *f, uint64_t first, uint64_t time)
{
	frame_begin(f, TRACE_FRAME_RECORDS, 1);
	frame_byte(f, 0);
	frame_varint(f, first);
	frame_varint(f, 0);
	frame_varint(f, 0);
	frame_varint(f, time);
}

static void put_record(struct frame *f, unsigned int event, unsigned int words, uint64_t delta, uint64_t word)
{
	frame_varint(f, event << 3 | words);
	frame_varint(f, delta);
	for (unsigned int i = 0; i < words; i++)
		frame_varint(f, word);
}

static void malformed(void **state)
{
	struct frame f;

	(void)state;
	begin_records(&f, 0, 0); /* a record that is cut off */
	frame_varint(&f, TRACE_BLOCK << 3 | 2);
	frame_varint(&f, 0);
	frame_varint(&f, 1);
	expect_malformed(&f);
	begin_records(&f, 0, 0); /* a word of more than 32 bits */
	put_record(&f, TRACE_IRQ, 1, 0, UINT64_C(1) << 32);
	expect_malformed(&f);
	begin_records(&f, 0, 0); /* more words than a record has */
	put_record(&f, 99, 6, 0, 0);
	expect_malformed(&f);
	begin_records(&f, UINT64_MAX, 0); /* numbers that begin anew */
	put_record(&f, TRACE_IRQ, 1, 0, 0);
	put_record(&f, TRACE_IRQ, 1, 0, 0);
	expect_malformed(&f);
	begin_records(&f, 0, UINT64_MAX); /* times that do */
	put_record(&f, TRACE_IRQ, 1, 1, 0);
	expect_malformed(&f);
	begin_records(&f, 0, 0); /* a varint of more than 64 bits */
	frame_varint(&f, TRACE_IRQ << 3 | 1);
	for (unsigned int i = 0; i < 9; i++)
		frame_byte(&f, 0xff);
	frame_byte(&f, 0x02);
	frame_byte(&f, 0x00);
	expect_malformed(&f);
	frame_begin(&f, TRACE_FRAME_STATUS, 1); /* a frequency of 0 */
	for (unsigned int i = 0; i < 8; i++)
		frame_byte(&f, 0);
	expect_malformed(&f);
	frame_begin(&f, TRACE_FRAME_STATUS, 1); /* more CPUs than there are */
	frame_varint(&f, HZ);
	for (unsigned int i = 0; i < 5; i++)
		frame_byte(&f, 0);
	frame_byte(&f, 1);
	frame_byte(&f, 0);
	for (unsigned int i = 0; i < 12; i++)
		frame_byte(&f, 0);
	expect_malformed(&f);
	frame_begin(&f, TRACE_FRAME_VM, 1);
	expect_malformed(&f);
}

static void unknown(void **state)
{
	struct decode_counts c;
	struct frame f;
	struct line l;
	struct got g;

	(void)state;
	line_begin(&l, false);
	f.n = 0; /* another version */
	frame_byte(&f, (TRACE_VERSION + 1) << 4 | TRACE_FRAME_RECORDS);
	frame_byte(&f, 1);
	frame_byte(&f, 1);
	frame_seal(&f);
	line_frame(&l, &f);
	frame_begin(&f, 9, 1); /* another kind */
	frame_seal(&f);
	line_frame(&l, &f);
	begin_records(&f, 10, 0);
	put_record(&f, 200, 3, 0, 5);        /* an unknown event */
	put_record(&f, TRACE_IRQ, 2, 0, 5);  /* a known one with a word too many */
	put_record(&f, TRACE_EXIT, 0, 0, 5); /* and without any */
	put_record(&f, TRACE_IRQ, 1, 0, 5);
	frame_seal(&f);
	line_frame(&l, &f);
	c = decode_line(&l, DECODE_AUTO, 4096, &g);
	assert_int_equal(c.frames, 3);
	assert_int_equal(c.unknown, 2);
	assert_int_equal(c.malformed + c.bad + c.skipped, 0);
	assert_int_equal(c.strange, 1);
	assert_int_equal(c.refused, 2);
	assert_int_equal(c.records, 2);
	assert_int_equal(g.record[0].event, 200);
	assert_int_equal(g.record[0].words, 3);
	assert_int_equal(g.record[1].number, 13);
	line_free(&l);
}

/* --- the line --- */

static void resync(void **state)
{
	const struct record r = RECORD(5, IRQ, 27);
	struct decode_counts c;
	struct line l;
	struct got g;
	size_t second;

	(void)state;
	line_begin(&l, false);
	put_records(&l, 1, 0, 0, 0, &r, 1);
	second = l.n;
	put_records(&l, 1, 0, 1, 0, &r, 1);
	put_records(&l, 1, 0, 2, 0, &r, 1);
	for (size_t i = 1; i + 1 < second; i++) { /* every bit of the first frame */
		for (unsigned int bit = 0; bit < 8; bit++) {
			l.bytes[i] ^= (uint8_t)(1u << bit);
			c = decode_line(&l, DECODE_AUTO, 4096, &g);
			assert_int_equal(g.records, 2);
			assert_int_equal(g.record[0].number, 1);
			assert_true(c.bad);
			assert_true(c.skipped >= second / 2);
			l.bytes[i] ^= (uint8_t)(1u << bit);
		}
	}
	l.bytes[second - 1] = 0x11; /* the zero between two frames */
	c = decode_line(&l, DECODE_AUTO, 4096, &g);
	assert_int_equal(g.records, 2);
	assert_int_equal(c.bad, 1);
	line_free(&l);
}

static void noise(void **state)
{
	const struct record r = RECORD(5, IRQ, 27);
	uint8_t junk[3000];
	struct line l;
	struct got g;

	(void)state;
	for (size_t i = 0; i < sizeof(junk); i++)
		junk[i] = (uint8_t)(1 + i * 7 % 255); /* without a zero */
	line_begin(&l, false);
	line_bytes(&l, junk, sizeof(junk));
	put_records(&l, 1, 0, 0, 0, &r, 1);
	line_bytes(&l, junk, 200);
	(void)decode_line(&l, DECODE_AUTO, 1000, &g);
	assert_int_equal(g.records, 1); /* although no zero is before it */
	line_free(&l);
}

static void console_text(void **state)
{
	static const char *const pieces[] = { "[ivi] hello\r\n", "", "\033[1mbold\033[0m \033_other\033\\ ", "\033\033",
					      "tail\033_C" };
	const struct record r = RECORD(5, IRQ, 27);
	struct decode_counts c;
	char all[256] = "";
	struct line l;
	struct got g;

	(void)state;
	line_begin(&l, true);
	for (size_t i = 0; i < ARRAY_COUNT(pieces); i++) {
		line_bytes(&l, pieces[i], strlen(pieces[i]));
		strcat(all, pieces[i]);
		if (i + 1 < ARRAY_COUNT(pieces))
			put_records(&l, 1, 0, i, 0, &r, 1);
	}
	for (size_t piece = 1; piece < 40; piece++) {
		for (unsigned int as = DECODE_AUTO; as <= DECODE_CONSOLE; as += DECODE_CONSOLE) {
			c = decode_line(&l, (enum decode_line)as, piece, &g);
			assert_int_equal(g.records, 4);
			assert_string_equal(g.text, all); /* byte for byte what a terminal would show */
			assert_int_equal(c.bad + c.skipped, 0);
			assert_int_equal(c.text, strlen(all));
		}
	}
	line_free(&l);
}

static void console_damage(void **state)
{
	const struct record r = RECORD(5, IRQ, 27);
	struct line l;
	struct got g;
	size_t first;

	(void)state;
	line_begin(&l, true);
	put_records(&l, 1, 0, 0, 0, &r, 1);
	first = l.n;
	put_records(&l, 1, 0, 1, 0, &r, 1);
	line_bytes(&l, "text\n", 5);
	for (size_t i = 0; i < first; i++) {
		uint8_t was = l.bytes[i];

		for (unsigned int to = 1; to < 256; to += 2) {
			l.bytes[i] = (uint8_t)to;
			(void)decode_line(&l, DECODE_AUTO, 4096, &g);
			assert_int_equal(g.record[g.records - 1].number, 1);
			assert_int_equal(g.records, 1 + (to == was));
			assert_non_null(strstr(g.text, "text\n"));
		}
		l.bytes[i] = was;
	}
	/* No frame at all: all of it is text. */
	line_free(&l);
	line_begin(&l, true);
	line_bytes(&l, "only text\033_C", 12);
	(void)decode_line(&l, DECODE_AUTO, 1, &g);
	assert_string_equal(g.text, "only text\033_C");
	line_free(&l);
}

static void stuffing(void **state)
{
	uint8_t in[800], block[900], out[900];

	(void)state;
	for (size_t n = 1; n < sizeof(in); n++) {
		for (unsigned int every = 1; every < 300; every += every < 4 ? 1 : 83) {
			size_t made;

			for (size_t i = 0; i < n; i++)
				in[i] = i % every == every - 1 ? 0 : (uint8_t)(i % 255 + 1);
			made = cobs_encode(in, n, block);
			assert_true(made <= n + n / 254 + 1);
			assert_null(memchr(block, 0, made));
			assert_int_equal(cobs_decode(block, made, out), n);
			assert_memory_equal(in, out, n);
		}
	}
	assert_int_equal(cobs_decode((const uint8_t *)"\005ab", 3, out), 0);
}

/* --- accounts --- */

static void expect_losses(const struct account *a, uint64_t total, uint64_t decoded, uint64_t overwritten,
			  uint64_t full, uint64_t line, uint64_t waiting)
{
	struct losses l;

	account_losses(a, &l);
	assert_int_equal(l.total, total);
	assert_int_equal(l.decoded, decoded);
	assert_int_equal(l.overwritten, overwritten);
	assert_int_equal(l.full, full);
	assert_int_equal(l.line, line);
	assert_int_equal(l.waiting, waiting);
}

static uint64_t feed(struct account *a, uint64_t first, unsigned int count, uint64_t overwritten, uint64_t unnumbered)
{
	struct records_head head = { .first = first,
				     .count = count,
				     .overwritten = overwritten,
				     .unnumbered = unnumbered };
	uint64_t missing = account_records(a, &head);

	for (unsigned int i = 0; i < count; i++) {
		struct record r = { .number = first + i, .time = first + i };

		(void)account_record(a, &r);
	}
	return missing;
}

static void accounts(void **state)
{
	struct status_cpu status = { .next = 0 };
	struct account a = { .begun = false };

	(void)state;
	account_status(&a, &status, 1);
	assert_int_equal(feed(&a, 0, 10, 0, 0), 0);
	expect_losses(&a, 10, 10, 0, 0, 0, 0);
	assert_int_equal(feed(&a, 15, 5, 0, 0), 5); /* a frame was lost on the line */
	expect_losses(&a, 20, 15, 0, 0, 5, 0);
	assert_int_equal(feed(&a, 30, 5, 7, 0), 10); /* 7 were overwritten, 3 lost */
	expect_losses(&a, 35, 20, 7, 0, 8, 0);
	assert_int_equal(feed(&a, 30, 5, 7, 3), 0); /* the same again; 3 found the ring full */
	expect_losses(&a, 38, 20, 7, 3, 8, 0);
	assert_int_equal(a.repeated, 5);
	status = (struct status_cpu){ .next = 50, .overwritten = 9, .unnumbered = 4 };
	account_status(&a, &status, 100);
	expect_losses(&a, 54, 20, 9, 4, 8, 13); /* 2 of the 15 that didn't come are overwritten */
	assert_int_equal(feed(&a, 37, 13, 9, 4), 2);
	expect_losses(&a, 54, 33, 9, 4, 8, 0);

	/* Begun while the machine has long been running: what was before doesn't count. */
	a = (struct account){ .begun = false };
	status = (struct status_cpu){ .next = 1000, .overwritten = 300, .unnumbered = 50 };
	account_status(&a, &status, 1);
	expect_losses(&a, 0, 0, 0, 0, 0, 0);
	assert_int_equal(feed(&a, 900, 10, 300, 50), 0); /* these still were in the ring */
	expect_losses(&a, 100, 10, 0, 0, 0, 90);
	/* Some more were overwritten before the first frame. */
	a = (struct account){ .begun = false };
	account_status(&a, &status, 1);
	assert_int_equal(feed(&a, 1100, 10, 320, 50), 100 + 0);
	expect_losses(&a, 110, 10, 20, 0, 80, 0);
}

/* --- a whole trace --- */

static struct reader whole;

static const struct boot *read_line(const struct line *l)
{
	reader_start(&whole, DECODE_AUTO);
	reader_bytes(&whole, l->bytes, l->n);
	reader_end(&whole, 0);
	return whole.count ? whole.boots[0] : NULL;
}

static void order(void **state)
{
	static const uint8_t cpus[] = { 1, 0, 0, 1, 0 };
	static const uint64_t times[] = { 5, 10, 20, 25, 30 };
	struct record a[] = { RECORD(10, IRQ, 1), RECORD(20, IRQ, 2), RECORD(30, IRQ, 3) };
	struct record b[] = { RECORD(5, IRQ, 4), RECORD(25, IRQ, 5) };
	const struct boot *boot;
	const struct record *r;
	uint64_t missing;
	struct cursor c;
	struct line l;

	(void)state;
	line_begin(&l, false);
	/* A dump: CPU 0's newer records first, the older ones later, one of them twice. */
	put_records(&l, 4, 0, 2, 0, a + 2, 1);
	put_records(&l, 4, 1, 7, 0, b, 2);
	put_records(&l, 4, 0, 0, 0, a, 2);
	put_records(&l, 4, 0, 1, 0, a + 1, 2);
	boot = read_line(&l);
	assert_int_equal(whole.count, 1);
	assert_int_equal(boot->records, 5);
	assert_int_equal(boot->begin, 5);
	assert_int_equal(boot->end, 30);
	cursor_start(&c, boot);
	for (unsigned int i = 0; i < 5; i++) {
		r = cursor_next(&c, &missing);
		assert_non_null(r);
		assert_int_equal(r->time, times[i]);
		assert_int_equal(r->cpu, cpus[i]);
		assert_int_equal(missing, 0);
	}
	assert_null(cursor_next(&c, &missing));
	assert_null(cursor_next(&c, &missing));
	cursor_free(&c);
	assert_int_equal(boot->losses.total, 5);
	assert_false(losses_any(&boot->losses));
	reader_free(&whole);
	line_free(&l);
}

/* What the line lost comes back by a dump; boots are kept apart, also two of one number. */
static void boots(void **state)
{
	struct record a[6];
	struct status_cpu status = { .next = 0 };
	const struct record *r;
	const struct boot *b;
	struct frame f;
	uint64_t missing = 0;
	struct cursor c;
	struct line l;

	(void)state;
	for (unsigned int i = 0; i < 6; i++)
		a[i] = RECORD(100 + i, IRQ, i);
	line_begin(&l, false);
	put_status(&l, 0, 90, 0, &status, 1);
	put_records(&l, 0, 0, 0, 0, a, 2);
	put_records(&l, 0, 0, 4, 0, a + 4, 2); /* 2 and 3 are lost */
	status.next = 6;
	put_status(&l, 0, 110, 0, &status, 1);
	b = read_line(&l);
	assert_int_equal(b->losses.line, 2);
	cursor_start(&c, b);
	while ((r = cursor_next(&c, &missing)) && r->number < 4)
		;
	assert_int_equal(missing, 2);
	cursor_free(&c);
	reader_free(&whole);

	put_status(&l, 0, 120, TRACE_STATUS_DUMP, &status, 1);
	put_records(&l, 0, 0, 1, 0, a + 1, 5);
	put_status(&l, 0, 130, TRACE_STATUS_DUMP_END, &status, 1);
	/* Power off and on: the counter and the numbers begin anew, and so does the number of boots. */
	status.next = 0;
	put_status(&l, 0, 50, 0, &status, 1);
	put_records(&l, 0, 0, 0, 0, a, 3);
	frame_vm(&f, 0, 1, 1, true, "rtos");
	line_frame(&l, &f);
	/* A warm reset, and the boot before as a dump, whose last record never came. */
	put_status(&l, 1, 40, 0, &status, 1);
	put_records(&l, 1, 0, 0, 0, a, 1);
	put_status(&l, 1, 45, TRACE_STATUS_DUMP, &status, 1);
	put_records(&l, 0, 0, 0, 0, a, 4);
	put_status(&l, 1, 46, TRACE_STATUS_DUMP_END, &status, 1);
	(void)read_line(&l);
	assert_int_equal(whole.count, 3);
	assert_int_equal(whole.dumps, 2);
	assert_int_equal(whole.boots[0]->records, 6);
	assert_int_equal(whole.boots[0]->losses.line, 0);
	assert_true(whole.boots[0]->dumped);
	assert_int_equal(whole.boots[1]->records, 4);
	assert_int_equal(whole.boots[2]->records, 1);
	assert_string_equal(whole.boots[2]->vm[1].label, "rtos"); /* of the boot before */
	reader_free(&whole);
	line_free(&l);
}

/* --- while it comes --- */

static uint64_t given[64], given_missing;
static unsigned int given_count, new_boots;

static void on_given(void *ctx, const struct record *r, uint64_t missing)
{
	(void)ctx;
	assert_true(given_count < ARRAY_COUNT(given));
	given[given_count++] = r->time;
	given_missing += missing;
}

static void on_boot(void *ctx)
{
	(void)ctx;
	new_boots++;
}

static void send(struct stream *s, struct line *l)
{
	stream_bytes(s, l->bytes, l->n);
	l->n = 0;
}

static void follow(void **state)
{
	struct record a[] = { RECORD(100, IRQ, 1), RECORD(300, IRQ, 2), RECORD(UINT64_C(1000) * HZ, IRQ, 3) };
	struct record b[] = { RECORD(200, IRQ, 4), RECORD(400, IRQ, 5) };
	struct status_cpu cpu[2] = { { .next = 0 }, { .next = 0 } };
	struct stream *s = mem_alloc(sizeof(*s));
	struct losses losses;
	struct line l;

	(void)state;
	line_begin(&l, false);
	stream_start(s, DECODE_AUTO);
	s->record = on_given;
	s->boot = on_boot;
	put_status(&l, 1, 50, 0, cpu, 2);
	put_records(&l, 1, 0, 0, 0, a, 2);
	send(s, &l);
	assert_int_equal(given_count, 0); /* CPU 1 could have an older one: nothing of it since 50 */
	put_records(&l, 1, 1, 0, 0, b, 1);
	send(s, &l);
	assert_int_equal(given_count, 2); /* up to 200 */
	cpu[0].next = 2;
	cpu[1].next = 1;
	put_status(&l, 1, 350, 0, cpu, 2);
	send(s, &l);
	assert_int_equal(given_count, 3); /* nothing waits anywhere at 350 */
	put_records(&l, 1, 1, 4, 0, b + 1, 1);
	put_records(&l, 1, 0, 2, 0, a + 2, 1); /* so late that nobody is waited for any more */
	send(s, &l);
	assert_int_equal(given_count, 4);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(given[i], 100 * (i + 1));
	assert_int_equal(given_missing, 3);
	assert_false(stream_empty(s) && cpu[0].next == 3);
	/* Another boot: what waits is given, everything begins anew. */
	cpu[0] = cpu[1] = (struct status_cpu){ .next = 0 };
	put_status(&l, 2, 10, 0, cpu, 2);
	put_records(&l, 2, 0, 0, 0, a, 1);
	cpu[0].next = 1;
	put_status(&l, 2, 120, 0, cpu, 2);
	send(s, &l);
	assert_int_equal(new_boots, 1);
	assert_int_equal(given_count, 6);
	assert_true(stream_empty(s));
	stream_end(s);
	stream_losses(s, &losses);
	assert_int_equal(losses.total, 9);
	assert_int_equal(losses.decoded, 6);
	assert_int_equal(losses.line, 3);
	free(s);
	line_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_event),  cmocka_unit_test(status_and_vm),  cmocka_unit_test(malformed),
		cmocka_unit_test(unknown),      cmocka_unit_test(resync),         cmocka_unit_test(noise),
		cmocka_unit_test(console_text), cmocka_unit_test(console_damage), cmocka_unit_test(stuffing),
		cmocka_unit_test(accounts),     cmocka_unit_test(order),          cmocka_unit_test(boots),
		cmocka_unit_test(follow),
	};

	return cmocka_run_group_tests_name("hvtrace/decode", tests, NULL, NULL);
}
