/* SPDX-License-Identifier: Apache-2.0 */
/* A trace while it comes. See stream.h. */
#include "stream.h"

#include <stdlib.h>
#include <string.h>

/* --- the heap --- */

static bool earlier(const struct stream_item *x, const struct stream_item *y)
{
	if (x->record.time != y->record.time)
		return x->record.time < y->record.time;
	if (x->record.cpu != y->record.cpu)
		return x->record.cpu < y->record.cpu;
	return x->record.number < y->record.number;
}

static void put(struct stream *s, const struct stream_item *item)
{
	size_t i;

	s->heap = mem_grow(s->heap, s->count, &s->room, sizeof(*s->heap));
	for (i = s->count++; i && earlier(item, &s->heap[(i - 1) / 2]); i = (i - 1) / 2)
		s->heap[i] = s->heap[(i - 1) / 2];
	s->heap[i] = *item;
}

static struct stream_item take(struct stream *s)
{
	struct stream_item first = s->heap[0], *last = &s->heap[--s->count];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < s->count) {
		if (child + 1 < s->count && earlier(&s->heap[child + 1], &s->heap[child]))
			child++;
		if (!earlier(&s->heap[child], last))
			break;
		s->heap[i] = s->heap[child];
		i = child;
	}
	s->heap[i] = *last;
	return first;
}

static void give(struct stream *s)
{
	struct stream_item item = take(s);

	if (item.record.time < s->given)
		s->late++;
	else
		s->given = item.record.time;
	if (s->record)
		s->record(s->ctx, &item.record, item.missing);
}

/* All that no CPU can have an older one than, and what waits for too long. */
static void give_ripe(struct stream *s)
{
	uint64_t ripe = UINT64_MAX, window = s->hz ? scale(STREAM_WINDOW_NS, 1000000000, s->hz) : UINT64_MAX;

	for (unsigned int i = 0; i < s->cpus; i++)
		if (s->account[i].begun && s->account[i].time < ripe)
			ripe = s->account[i].time;
	if (s->newest > window && s->newest - window > ripe)
		ripe = s->newest - window;
	s->ripe = ripe == UINT64_MAX ? 0 : ripe;
	while (s->count && (s->heap[0].record.time <= ripe || s->count > STREAM_RECORDS))
		give(s);
}

void stream_flush(struct stream *s)
{
	while (s->count)
		give(s);
}

/* --- what frames say --- */

static void new_boot(struct stream *s, uint8_t number)
{
	stream_flush(s);
	if (s->known) {
		stream_losses(s, &s->before);
		s->boots++;
		if (s->boot)
			s->boot(s->ctx);
	}
	s->known = true;
	s->number = number;
	s->cpus = 0;
	s->now = s->newest = s->given = s->ripe = 0;
	memset(s->account, 0, sizeof(s->account));
	memset(s->cpu, 0, sizeof(s->cpu));
	memset(s->vm, 0, sizeof(s->vm));
	memset(s->missing, 0, sizeof(s->missing));
}

static void on_status(void *ctx, const struct status *status)
{
	struct stream *s = ctx;
	const unsigned int first = status->first;
	bool anew = false;

	/* A dump of the boot before says so in its flags; any other status is of who runs now. */
	if (s->known && status->boot != s->number && status->flags & TRACE_STATUS_DUMP)
		return;
	for (unsigned int i = 0; i < status->count; i++)
		anew |= status->now < s->now && status->cpu[i].next < s->cpu[first + i].next;
	if (!s->known || status->boot != s->number || anew)
		new_boot(s, status->boot);
	s->hz = status->hz;
	s->now = status->now;
	s->classes = status->classes;
	s->flags = status->flags;
	s->cpus = status->cpus > s->cpus ? status->cpus : s->cpus;
	for (unsigned int i = 0; i < status->count; i++) {
		s->cpu[first + i] = status->cpu[i];
		account_status(&s->account[first + i], &status->cpu[i], status->now);
	}
	s->newest = status->now > s->newest ? status->now : s->newest;
	give_ripe(s);
	if (s->status)
		s->status(s->ctx, status);
}

static void on_records(void *ctx, const struct records_head *head)
{
	struct stream *s = ctx;

	give_ripe(s);
	if (!s->known)
		new_boot(s, head->boot);
	s->wanted = head->boot == s->number;
	if (!s->wanted)
		return;
	if (head->cpu >= s->cpus)
		s->cpus = head->cpu + 1u;
	s->missing[head->cpu] += account_records(&s->account[head->cpu], head);
}

static void on_record(void *ctx, const struct record *r)
{
	struct stream *s = ctx;
	struct stream_item item;

	if (!s->wanted || !account_record(&s->account[r->cpu], r)) {
		s->dumped++;
		return;
	}
	item = (struct stream_item){ *r, s->missing[r->cpu] };
	s->missing[r->cpu] = 0;
	s->newest = r->time > s->newest ? r->time : s->newest;
	if (s->record)
		put(s, &item);
}

static void on_vm(void *ctx, const struct vm_info *vm)
{
	struct stream *s = ctx;

	if (s->known && vm->boot == s->number)
		s->vm[vm->number] = *vm;
}

static void on_frame(void *ctx, const uint8_t *frame, size_t bytes)
{
	struct stream *s = ctx;

	if (s->frame)
		s->frame(s->ctx, frame, bytes);
}

static void on_text(void *ctx, const char *text, size_t bytes)
{
	struct stream *s = ctx;

	if (s->text)
		s->text(s->ctx, text, bytes);
}

void stream_start(struct stream *s, enum decode_line line)
{
	memset(s, 0, sizeof(*s));
	s->sink = (struct decode_sink){ s, on_frame, on_records, on_record, on_status, on_vm, on_text };
	decode_start(&s->decode, line, &s->sink);
}

void stream_bytes(struct stream *s, const void *data, size_t bytes)
{
	decode_bytes(&s->decode, data, bytes);
	give_ripe(s);
}

void stream_end(struct stream *s)
{
	decode_end(&s->decode);
	stream_flush(s);
	free(s->heap);
	s->heap = NULL;
	s->room = 0;
}

void stream_losses(const struct stream *s, struct losses *sum)
{
	struct losses all = s->before;

	for (unsigned int i = 0; i < s->cpus; i++) {
		struct losses one;

		account_losses(&s->account[i], &one);
		losses_add(&all, &one);
	}
	*sum = all;
}

bool stream_empty(const struct stream *s)
{
	if (!s->now)
		return false;
	for (unsigned int i = 0; i < s->cpus; i++)
		if (s->account[i].next < s->cpu[i].next)
			return false;
	return true;
}
