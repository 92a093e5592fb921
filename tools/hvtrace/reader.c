/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole trace in memory. See reader.h.
 *
 * Only frames of records are kept, as bytes; of statuses and VMs what they say. Sorting frames by their first number puts a dump among
 * what the stream has sent, and a cursor skips numbers that it has given.
 */
#include "reader.h"

#include <stdlib.h>
#include <string.h>

#include "event.h"

#define ARENA_BYTES 1048576u

struct arena {
	struct arena *before;
	size_t used;
	uint8_t bytes[ARENA_BYTES];
};

static const uint8_t *arena_keep(struct reader *t, const uint8_t *bytes, size_t n)
{
	uint8_t *place;

	if (!t->arena || ARENA_BYTES - t->arena->used < n) {
		struct arena *a = mem_alloc(sizeof(*a));

		a->before = t->arena;
		t->arena = a;
	}
	place = t->arena->bytes + t->arena->used;
	memcpy(place, bytes, n);
	t->arena->used += n;
	return place;
}

static struct boot *boot_new(struct reader *t, uint8_t number)
{
	struct boot *b = mem_alloc(sizeof(*b));

	b->number = number;
	b->cpu = mem_alloc(HVTRACE_CPUS * sizeof(*b->cpu));
	b->vm = mem_alloc(HVTRACE_VMS * sizeof(*b->vm));
	t->boots = mem_grow(t->boots, t->count, &t->room, sizeof(struct boot *));
	t->boots[t->count++] = b;
	return b;
}

/* The latest one with this number. */
static struct boot *boot_find(struct reader *t, uint8_t number)
{
	for (size_t i = t->count; i-- > 0;)
		if (t->boots[i]->number == number)
			return t->boots[i];
	return boot_new(t, number);
}

static void mention_cpus(struct boot *b, unsigned int cpus)
{
	if (cpus > b->cpus)
		b->cpus = cpus;
}

/* The frame is there before what is in it: kept if it turns out to be one of records. */
static void on_frame(void *ctx, const uint8_t *frame, size_t bytes)
{
	struct reader *t = ctx;

	t->frame = frame;
	t->frame_bytes = bytes;
	if (t->copy)
		t->copy(t->copy_ctx, frame, bytes);
}

static void on_records(void *ctx, const struct records_head *head)
{
	struct reader *t = ctx;
	struct boot *b = boot_find(t, head->boot);
	struct boot_cpu *cpu = &b->cpu[head->cpu];

	t->at = t->dump || !t->only_dumps ? b : NULL;
	if (!t->at)
		return;
	b->dumped |= t->dump;
	mention_cpus(b, head->cpu + 1u);
	(void)account_records(&cpu->account, head);
	if (!head->count)
		return;
	cpu->frames = mem_grow(cpu->frames, cpu->count, &cpu->room, sizeof(*cpu->frames));
	cpu->frames[cpu->count++] = (struct boot_frame){
		.first = head->first,
		.time = head->time,
		.frame = arena_keep(t, t->frame, t->frame_bytes),
		.bytes = (uint32_t)t->frame_bytes,
		.count = head->count,
	};
}

static void on_record(void *ctx, const struct record *r)
{
	struct reader *t = ctx;

	if (t->at)
		(void)account_record(&t->at->cpu[r->cpu].account, r);
}

/* Boots are counted from power-on: the same number with a counter that began anew is another boot. */
static bool power_cycle(const struct boot *b, const struct status *s)
{
	for (unsigned int i = 0; i < s->count; i++) {
		const struct boot_cpu *cpu = &b->cpu[s->first + i];

		if (cpu->has_status && s->now < cpu->last_now && s->cpu[i].next < cpu->last.next)
			return true;
	}
	return false;
}

static void on_status(void *ctx, const struct status *s)
{
	struct reader *t = ctx;
	struct boot *b = boot_find(t, s->boot);

	if (!(s->flags & TRACE_STATUS_DUMP) && power_cycle(b, s))
		b = boot_new(t, s->boot);
	t->dump = (t->dump || s->flags & TRACE_STATUS_DUMP) && !(s->flags & TRACE_STATUS_DUMP_END);
	t->dumps += s->first == 0 && s->flags & TRACE_STATUS_DUMP_END;
	b->hz = s->hz;
	b->classes = s->classes;
	b->ended = s->flags & TRACE_STATUS_ENDED;
	mention_cpus(b, s->cpus);
	for (unsigned int i = 0; i < s->count; i++) {
		struct boot_cpu *cpu = &b->cpu[s->first + i];

		if (!t->only_dumps)
			account_status(&cpu->account, &s->cpu[i], s->now);
		if (!cpu->has_status) {
			cpu->first = s->cpu[i];
			cpu->first_now = s->now;
			cpu->has_status = true;
		}
		cpu->last = s->cpu[i];
		cpu->last_now = s->now;
	}
}

static void on_vm(void *ctx, const struct vm_info *vm)
{
	struct reader *t = ctx;

	boot_find(t, vm->boot)->vm[vm->number] = *vm;
}

static void on_text(void *ctx, const char *text, size_t bytes)
{
	struct reader *t = ctx;

	if (t->text)
		t->text(t->text_ctx, text, bytes);
}

void reader_start(struct reader *t, enum decode_line line)
{
	memset(t, 0, sizeof(*t));
	t->sink = (struct decode_sink){ t, on_frame, on_records, on_record, on_status, on_vm, on_text };
	decode_start(&t->decode, line, &t->sink);
}

void reader_bytes(struct reader *t, const void *data, size_t bytes)
{
	decode_bytes(&t->decode, data, bytes);
}

static int compare_frames(const void *a, const void *b)
{
	const struct boot_frame *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	/* The longer one first: the other repeats a part of it. */
	return x->count > y->count ? -1 : x->count < y->count;
}

/* Labels of a boot that only came as a dump: those of another boot, which runs the same image as a rule. */
static void borrow_labels(struct reader *t, struct boot *b)
{
	for (unsigned int vm = 0; vm < HVTRACE_VMS; vm++)
		for (size_t i = 0; i < t->count && !b->vm[vm].label[0]; i++)
			b->vm[vm] = t->boots[i]->vm[vm];
}

static void finish(struct boot *b)
{
	const struct record *r;
	struct cursor c;

	for (unsigned int i = 0; i < b->cpus; i++)
		if (b->cpu[i].count)
			qsort(b->cpu[i].frames, b->cpu[i].count, sizeof(*b->cpu[i].frames), compare_frames);
	for (unsigned int i = 0; i < b->cpus; i++)
		b->cpu[i].account.decoded = 0;
	/* Now each is counted once, and what a dump brought again is no loss. */
	cursor_start(&c, b);
	while ((r = cursor_next(&c, NULL))) {
		struct account *a = &b->cpu[r->cpu].account;

		if (!a->decoded && r->number < a->base)
			a->base = r->number;
		a->decoded++;
		if (!b->records++)
			b->begin = r->time;
		b->end = r->time;
	}
	cursor_free(&c);
	for (unsigned int i = 0; i < b->cpus; i++) {
		account_losses(&b->cpu[i].account, &b->cpu[i].losses);
		losses_add(&b->losses, &b->cpu[i].losses);
	}
}

void reader_end(struct reader *t, uint64_t hz)
{
	decode_end(&t->decode);
	t->counts = t->decode.counts;
	for (size_t i = 0; i < t->count; i++) {
		struct boot *b = t->boots[i];

		for (size_t k = t->count; k-- > 0 && !b->hz;)
			b->hz = t->boots[k]->hz;
		if (!b->hz)
			b->hz = hz;
		borrow_labels(t, b);
		finish(b);
	}
}

void boot_free(struct boot *b)
{
	for (unsigned int i = 0; i < HVTRACE_CPUS; i++)
		free(b->cpu[i].frames);
	free(b->cpu);
	free(b->vm);
	free(b);
}

void reader_free(struct reader *t)
{
	for (size_t i = 0; i < t->count; i++)
		boot_free(t->boots[i]);
	free(t->boots);
	while (t->arena) {
		struct arena *before = t->arena->before;

		free(t->arena);
		t->arena = before;
	}
	memset(t, 0, sizeof(*t));
}

/* --- cursors --- */

/* Goes on to the next record of a CPU that wasn't given yet. */
static void advance(const struct boot *b, unsigned int i, struct cursor_cpu *c)
{
	const struct boot_cpu *cpu = &b->cpu[i];
	struct records_head head;

	for (;; c->at++) {
		const struct record *r;
		const struct event *e;

		while (c->at >= c->count) {
			const struct boot_frame *f;

			if (c->frame == cpu->count)
				return;
			f = &cpu->frames[c->frame++];
			c->count = decode_records(f->frame, f->bytes, &head, c->record);
			c->at = 0;
		}
		r = &c->record[c->at];
		e = event_find(r->event);
		if (r->number < c->next || (e && e->words != r->words))
			continue;
		c->missing = r->number - c->next;
		c->next = r->number + 1;
		return;
	}
}

void cursor_start(struct cursor *c, const struct boot *boot)
{
	c->boot = boot;
	c->cpu = mem_alloc(boot->cpus * sizeof(*c->cpu));
	c->given = NULL;
	for (unsigned int i = 0; i < boot->cpus; i++) {
		const struct boot_cpu *cpu = &boot->cpu[i];

		/* Records from before the account (a dump has them) aren't missing. */
		c->cpu[i].next = cpu->account.base;
		if (cpu->count && cpu->frames[0].first < cpu->account.base)
			c->cpu[i].next = cpu->frames[0].first;
		advance(boot, i, &c->cpu[i]);
	}
}

const struct record *cursor_next(struct cursor *c, uint64_t *missing)
{
	struct cursor_cpu *best = NULL;

	if (c->given) {
		c->given->at++;
		advance(c->boot, (unsigned int)(c->given - c->cpu), c->given);
	}
	for (unsigned int i = 0; i < c->boot->cpus; i++) {
		struct cursor_cpu *cpu = &c->cpu[i];

		if (cpu->at < cpu->count && (!best || cpu->record[cpu->at].time < best->record[best->at].time))
			best = cpu;
	}
	c->given = best;
	if (!best)
		return NULL;
	if (missing)
		*missing = best->missing;
	return &best->record[best->at];
}

void cursor_free(struct cursor *c)
{
	free(c->cpu);
	c->cpu = NULL;
}
