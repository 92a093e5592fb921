/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the trace share; see trace_unit.h. */
#include "trace_unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t unit_seed = 1;
struct trace_cpu unit_trace_cpu[UNIT_CPUS];
struct trace_area *unit_area;
struct unit_status unit_status;
struct unit_decoder unit_decoder;
const struct trace_line *unit_fallback;

static struct trace_cpu *cpu_table[UNIT_CPUS];
static unsigned int cpu_count;

/* What was made: by CPU and number; [1] in the boot before. */
static struct trace_record *made[2][UNIT_CPUS];
static uint64_t made_count[2][UNIT_CPUS];
static uint64_t called[UNIT_CPUS];
static uint8_t *seen[UNIT_CPUS];
static uint64_t seen_count[UNIT_CPUS], seen_end[UNIT_CPUS];

static const uint8_t event_words[] = {
#define TRACE_EVENT(NAME, name, number, class, words, fields, what) [number] = words,
	TRACE_EVENTS(TRACE_EVENT)
#undef TRACE_EVENT
};

uint32_t unit_random(void)
{
	/* xorshift64* (Vigna, 2016) */
	unit_seed ^= unit_seed >> 12;
	unit_seed ^= unit_seed << 25;
	unit_seed ^= unit_seed >> 27;
	return (uint32_t)((unit_seed * UINT64_C(2685821657736338717)) >> 32);
}

/* --- CPUs ----------------------------------------------------------------------------------------------------------- */

static void forget(void)
{
	memset(unit_trace_cpu, 0, sizeof(unit_trace_cpu));
	memset(called, 0, sizeof(called));
	memset(&unit_status, 0, sizeof(unit_status));
	for (unsigned int i = 0; i < UNIT_CPUS; i++) {
		if (!seen[i])
			seen[i] = malloc(UNIT_RECORDS);
		for (unsigned int boot = 0; boot < 2; boot++)
			if (!made[boot][i])
				made[boot][i] = malloc(UNIT_RECORDS * sizeof(struct trace_record));
		memset(seen[i], 0, UNIT_RECORDS);
		seen_end[i] = seen_count[i] = 0;
		made_count[0][i] = 0;
		cpu_table[i] = &unit_trace_cpu[i];
	}
}

static void stream_off(void)
{
	trace_stream_set(NULL, 0);
	host_set_now(arch_now() + HZ);
	while (trace_turn(arch_now()) != UINT64_MAX)
		host_set_now(arch_now() + HZ);
}

static void start(void)
{
	trace_start(unit_area, cpu_count, cpu_table);
	trace_stream_init(&unit_about, HZ, unit_fallback);
	unit_decoder_line(false);
	unit_decoder.boot = (uint8_t)unit_area->boot;
}

void unit_trace_reset(unsigned int cpus)
{
	stream_off();
	host_set_now(HZ);
	cpu_count = cpus;
	free(unit_area);
	unit_area = aligned_alloc(64, trace_area_bytes(cpus));
	memset(unit_area, 0x5a, trace_area_bytes(cpus));
	forget();
	start();
}

void unit_trace_warm_reset(void)
{
	struct trace_record *r;

	stream_off();
	for (unsigned int i = 0; i < UNIT_CPUS; i++) {
		r = made[0][i];
		made[0][i] = made[1][i];
		made[1][i] = r;
		made_count[1][i] = made_count[0][i];
	}
	forget();
	start();
}

static void note(unsigned int cpu, uint32_t head, const uint32_t word[TRACE_WORDS])
{
	struct trace_cpu *t = &unit_trace_cpu[cpu];
	uint64_t before = t->made;
	struct trace_record *r = &made[0][cpu][before];

	assert_true(before < UNIT_RECORDS);
	r->time = arch_now();
	r->head = head;
	memcpy(r->word, word, sizeof(r->word));
	trace_record(t, head, word[0], word[1], word[2], word[3], word[4]);
	called[cpu]++;
	assert_true(t->made - before <= 1);
	made_count[0][cpu] = t->made;
}

void unit_make(unsigned int cpu)
{
	/* Lengths of varints of all kinds. */
	static const uint8_t shifts[] = { 0, 4, 12, 18, 25, 31 };
	uint32_t word[TRACE_WORDS] = { 0 }, event;

	do
		event = unit_random() % ARRAY_SIZE(event_words);
	while (!event_words[event] || event == TRACE_CLASSES);
	for (unsigned int i = 0; i < event_words[event]; i++)
		word[i] = unit_random() >> shifts[unit_random() % ARRAY_SIZE(shifts)];
	note(cpu, TRACE_HEAD(event, event_words[event]), word);
}

uint32_t unit_classes(unsigned int cpu, uint32_t classes)
{
	struct trace_cpu *t = &unit_trace_cpu[cpu];
	struct trace_record *r = &made[0][cpu][t->made];
	uint32_t before = t->classes, after = classes | 1u << TRACE_CLASS_META;

	*r = (struct trace_record){ arch_now(), TRACE_HEAD(TRACE_CLASSES, 2), { before, after } };
	assert_int_equal(trace_set_classes(t, classes), before);
	called[cpu] += before != after;
	made_count[0][cpu] = t->made;
	return before;
}

void unit_make_many(unsigned int cpu, unsigned int count)
{
	while (count--)
		unit_make(cpu);
}

uint64_t unit_called(unsigned int cpu)
{
	return called[cpu];
}

/* --- decoder -------------------------------------------------------------------------------------------------------- */

void unit_decoder_line(bool console)
{
	uint8_t boot = unit_decoder.boot;

	memset(&unit_decoder, 0, sizeof(unit_decoder));
	unit_decoder.console = console;
	unit_decoder.boot = boot;
}

struct bytes {
	const uint8_t *p, *end;
};

static uint8_t byte(struct bytes *b)
{
	assert_true(b->p < b->end);
	return *b->p++;
}

static uint64_t varint(struct bytes *b)
{
	uint64_t v = 0;
	unsigned int shift = 0;
	uint8_t c;

	do {
		c = byte(b);
		assert_true(shift < 64);
		v |= (uint64_t)(c & 0x7f) << shift;
		shift += 7;
	} while (c & 0x80);
	return v;
}

static void one_record(struct unit_decoder *d, unsigned int old, unsigned int cpu, uint64_t n,
		       const struct trace_record *r)
{
	const struct trace_record *m = &made[old][cpu][n];

	assert_true(n < made_count[old][cpu]);
	assert_int_equal(r->head, m->head);
	assert_int_equal(r->time, m->time);
	assert_memory_equal(r->word, m->word, sizeof(r->word));
	if (old) {
		d->old_records++;
		return;
	}
	d->records++;
	d->repeated += seen[cpu][n];
	seen_count[cpu] += !seen[cpu][n];
	seen[cpu][n] = 1;
	if (n >= seen_end[cpu])
		seen_end[cpu] = n + 1;
}

uint64_t unit_decoded(unsigned int cpu)
{
	return seen_count[cpu];
}

uint64_t unit_decoded_end(unsigned int cpu)
{
	return seen_end[cpu];
}

static void frame_records(struct unit_decoder *d, struct bytes *b, bool old)
{
	unsigned int cpu = byte(b);
	uint64_t first = varint(b), missed = varint(b), unnumbered = varint(b), time = varint(b), n = first, end,
		 before;

	assert_true(cpu < cpu_count);
	end = seen_end[cpu];
	before = seen_count[cpu];
	assert_true(b->p < b->end);
	while (b->p < b->end) {
		uint32_t head = (uint32_t)varint(b);
		struct trace_record r = { .head = head };

		time += varint(b);
		r.time = time;
		assert_in_range(head & 7, 1, TRACE_WORDS);
		for (unsigned int i = 0; i < (head & 7); i++)
			r.word[i] = (uint32_t)varint(b);
		one_record(d, old, cpu, n++, &r);
	}
	if (old)
		return;
	assert_true(unnumbered <= called[cpu] - made_count[0][cpu]);
	if (first >= end) {
		/* News: what is missing so far is what the frame says. */
		assert_int_equal(missed, first - before);
	}
}

static void frame_status(struct bytes *b)
{
	struct unit_status *s = &unit_status;
	uint64_t first;

	s->hz = varint(b);
	s->now = varint(b);
	s->classes = varint(b);
	s->flags = byte(b);
	s->all_flags |= s->flags;
	s->rate = varint(b);
	s->kept = varint(b);
	s->cpus = varint(b);
	first = varint(b);
	assert_int_equal(s->cpus, cpu_count);
	if (first)
		assert_int_equal(first, s->next_cpu);
	for (s->next_cpu = first; b->p < b->end; s->next_cpu++) {
		assert_true(s->next_cpu < cpu_count);
		for (unsigned int i = 0; i < 6; i++)
			s->cpu[s->next_cpu][i] = varint(b);
	}
	if (s->next_cpu == cpu_count)
		s->seen++;
}

/* Bit by bit, from the polynomial of IEEE 802.3. */
static uint32_t checksum(const uint8_t *p, size_t n)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < 8 * n; i++)
		crc = ((crc ^ p[i / 8] >> (i % 8)) & 1) ? crc >> 1 ^ 0xedb88320 : crc >> 1;
	return ~crc;
}

static void frame(struct unit_decoder *d, const uint8_t *p, size_t n)
{
	struct bytes b = { p, p };
	uint32_t crc = 0;
	uint8_t kind;

	assert_true(n <= (d->console ? TRACE_CONSOLE_FRAME_BYTES : TRACE_FRAME_BYTES));
	if (n >= 7)
		memcpy(&crc, p + n - 4, 4);
	if (n < 7 || crc != checksum(p, n - 4)) {
		d->bad++;
		return;
	}
	b.end = p + n - 4;
	d->frames++;
	kind = byte(&b);
	assert_int_equal(kind >> 4, TRACE_VERSION);
	kind &= 15;
	if (kind == TRACE_FRAME_RECORDS && *b.p == (uint8_t)(d->boot - 1)) {
		byte(&b);
		frame_records(d, &b, true);
		return;
	}
	assert_int_equal(byte(&b), d->boot);
	if (kind == TRACE_FRAME_RECORDS) {
		frame_records(d, &b, false);
	} else if (kind == TRACE_FRAME_STATUS) {
		frame_status(&b);
	} else {
		assert_int_equal(kind, TRACE_FRAME_VM);
		kind = byte(&b);
		assert_in_range(kind, 1, 2);
		d->vms |= 1u << kind;
		assert_int_equal(byte(&b), kind == 1 ? 2 : 1);
		assert_int_equal(byte(&b), kind == 2);
		assert_int_equal(b.end - b.p, 4);
		assert_memory_equal(b.p, kind == 1 ? "lin1" : "rt_2", 4);
	}
}

static void cobs(struct unit_decoder *d)
{
	uint8_t raw[sizeof(d->pending)];
	size_t n = 0, i = 0, code;

	if (!d->used)
		return;
	while (i < d->used) {
		code = (uint8_t)d->pending[i++];
		if (code - 1 > d->used - i) {
			d->bad++;
			return;
		}
		memcpy(&raw[n], &d->pending[i], code - 1);
		i += code - 1;
		n += code - 1;
		if (i < d->used)
			raw[n++] = 0;
	}
	frame(d, raw, n);
}

static void base64(struct unit_decoder *d, const char *text, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t raw[sizeof(d->pending)];
	uint32_t bits = 0, count = 0;
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		const char *digit = memchr(digits, text[i], 64);

		assert_non_null(digit);
		bits = bits << 6 | (uint32_t)(digit - digits);
		count += 6;
		if (count >= 8) {
			count -= 8;
			raw[used++] = (uint8_t)(bits >> count);
		}
	}
	/* What is left of the last digit is zero. */
	assert_int_equal(bits & ((1u << count) - 1), 0);
	frame(d, raw, used);
}

static void own_byte(struct unit_decoder *d, char c)
{
	if (c) {
		assert_true(d->used < sizeof(d->pending));
		d->pending[d->used++] = c;
		return;
	}
	cobs(d);
	d->used = 0;
}

static void console_byte(struct unit_decoder *d, char c)
{
	static const char begin[] = TRACE_CONSOLE_BEGIN;

	assert_true(d->used < sizeof(d->pending));
	d->pending[d->used++] = c;
	if (d->used < sizeof(begin) && c != begin[d->used - 1]) {
		for (size_t i = 0; i < d->used; i++)
			d->text[d->text_used++] = d->pending[i];
		d->used = 0;
	}
	if (d->used > 6 && c == '\\' && d->pending[d->used - 2] == '\033') {
		base64(d, &d->pending[4], d->used - 6);
		d->used = 0;
	}
}

void unit_decode(struct unit_decoder *d, const char *bytes, size_t n)
{
	for (; n; n--, bytes++)
		(d->console ? console_byte : own_byte)(d, *bytes);
}

void unit_check_exact(void)
{
	for (unsigned int i = 0; i < cpu_count; i++) {
		const struct trace_cpu *t = &unit_trace_cpu[i];
		uint64_t decoded = unit_decoded(i);

		/* From the stream alone. */
		assert_int_equal(unit_status.cpu[i][0], made_count[0][i]);
		assert_int_equal(unit_status.cpu[i][2] + made_count[0][i], called[i]);
		assert_int_equal(decoded + unit_status.cpu[i][1], made_count[0][i]);
		/* And what the hypervisor says itself. */
		assert_int_equal(t->made, made_count[0][i]);
		assert_int_equal(t->sent, t->made);
		assert_int_equal(t->overwritten + decoded, t->made);
		assert_int_equal(t->unnumbered + t->made, called[i]);
	}
}

/* --- stream --------------------------------------------------------------------------------------------------------- */

static void about_cpu(unsigned int cpu, uint64_t *idle, uint64_t *stays, uint64_t *ticks)
{
	*idle = cpu + 1;
	*stays = 1000 * cpu;
	*ticks = UINT64_C(1) << 40;
}

static const char *about_vm(unsigned int vm, unsigned int *vcpus, bool *rt)
{
	*vcpus = vm == 1 ? 2 : 1;
	*rt = vm == 2;
	return vm == 1 ? "lin1" : vm == 2 ? "rt_2" : NULL;
}

const struct trace_about unit_about = { .cpu = about_cpu, .vm = about_vm };

void unit_turns(uint64_t ticks)
{
	uint64_t until = arch_now() + ticks, when;

	for (;;) {
		when = trace_turn(arch_now());
		if (when > until)
			break;
		host_set_now(MAX(when, arch_now()));
	}
	host_set_now(until);
}
