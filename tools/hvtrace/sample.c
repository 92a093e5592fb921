/* SPDX-License-Identifier: Apache-2.0 */
/* Samples. See sample.h. */
#include "sample.h"

#include <stdlib.h>
#include <string.h>

static struct sample *slot(struct sample *slots, size_t room, uint64_t value)
{
	/* Knuth's multiplicative hash, upper bits. */
	size_t i = (size_t)(value * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (room - 1);

	while (slots[i].count && slots[i].value != value)
		i = (i + 1) & (room - 1);
	return &slots[i];
}

static void rehash(struct samples *s, size_t room)
{
	struct sample *old = s->slots;

	s->slots = mem_alloc(room * sizeof(*s->slots));
	for (size_t i = 0; i < s->room; i++)
		if (old[i].count)
			*slot(s->slots, room, old[i].value) = old[i];
	s->room = room;
	s->sorted = false;
	free(old);
}

void samples_add(struct samples *s, uint64_t value)
{
	struct sample *at;

	if (s->sorted || s->used * 4 >= s->room * 3)
		rehash(s, s->used * 4 >= s->room * 3 ? (s->room ? s->room * 2 : 16) : s->room);
	at = slot(s->slots, s->room, value);
	s->used += !at->count;
	at->value = value;
	at->count++;
	s->count++;
	if (__builtin_add_overflow(s->total, value, &s->total))
		s->total = UINT64_MAX;
	s->max = value > s->max ? value : s->max;
}

/* Free slots last. */
static int compare(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;

	if (!x->count != !y->count)
		return x->count ? -1 : 1;
	return x->value < y->value ? -1 : x->value > y->value;
}

void samples_sort(struct samples *s)
{
	if (s->room && !s->sorted)
		qsort(s->slots, s->room, sizeof(*s->slots), compare);
	s->sorted = true;
}

uint64_t samples_rank(struct samples *s, unsigned int permille)
{
	uint64_t rank = s->count / 1000 * permille + (s->count % 1000 * permille + 999) / 1000, below = 0;

	samples_sort(s);
	for (size_t i = 0; i < s->used; i++) {
		below += s->slots[i].count;
		if (below >= rank)
			return s->slots[i].value;
	}
	return 0;
}

void samples_clear(struct samples *s)
{
	if (s->room)
		memset(s->slots, 0, s->room * sizeof(*s->slots));
	*s = (struct samples){ .slots = s->slots, .room = s->room };
}

void samples_free(struct samples *s)
{
	free(s->slots);
	*s = (struct samples){ .slots = NULL };
}
