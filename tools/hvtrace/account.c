/* SPDX-License-Identifier: Apache-2.0 */
/* Account of one CPU's records. See account.h. */
#include "account.h"

#include <stdio.h>

/* The first that is said of this CPU: numbers from `base` on are in the account. */
static void begin(struct account *a, uint64_t base, uint64_t overwritten, uint64_t unnumbered)
{
	a->begun = true;
	a->base = a->next = a->made = base;
	a->overwritten = a->overwritten_base = a->overwritten_next = overwritten;
	a->unnumbered = a->unnumbered_base = unnumbered;
}

static void raise(uint64_t *value, uint64_t to)
{
	if (to > *value)
		*value = to;
}

/*
 * A status came first, and said how many there were: those that still waited in the ring then come after it, and belong to the account
 * as well. Where it begins is known with the first frame: what was overwritten since the status were numbers before that frame.
 */
static void begin_earlier(struct account *a, const struct records_head *head)
{
	uint64_t since = head->overwritten > a->overwritten_base ? head->overwritten - a->overwritten_base : 0;
	uint64_t base = head->first > since ? head->first - since : 0;

	if (base < a->base)
		a->base = base;
	a->next = a->base;
}

uint64_t account_records(struct account *a, const struct records_head *head)
{
	uint64_t missing;

	if (!a->begun)
		begin(a, head->first, head->overwritten, head->unnumbered);
	else if (!a->decoded && a->next == a->base)
		begin_earlier(a, head);
	missing = head->first > a->next ? head->first - a->next : 0;
	/* A frame that was sent again says what is so by now, of numbers that it doesn't have. */
	if (head->first + head->count > a->next)
		raise(&a->overwritten_next, head->overwritten);
	raise(&a->overwritten, head->overwritten);
	raise(&a->unnumbered, head->unnumbered);
	raise(&a->made, head->first + head->count);
	return missing;
}

bool account_record(struct account *a, const struct record *r)
{
	if (r->number < a->next) {
		a->repeated++;
		return false;
	}
	a->decoded++;
	a->next = r->number + 1;
	raise(&a->time, r->time);
	return true;
}

void account_status(struct account *a, const struct status_cpu *cpu, uint64_t now)
{
	if (!a->begun)
		begin(a, cpu->next, cpu->overwritten, cpu->unnumbered);
	raise(&a->overwritten, cpu->overwritten);
	raise(&a->unnumbered, cpu->unnumbered);
	raise(&a->made, cpu->next);
	if (a->next == cpu->next)
		raise(&a->time, now);
}

void account_losses(const struct account *a, struct losses *out)
{
	uint64_t before = a->overwritten_next - a->overwritten_base, behind = a->overwritten - a->overwritten_next,
		 missing;

	*out = (struct losses){ .decoded = a->decoded, .full = a->unnumbered - a->unnumbered_base };
	/* Numbers that are missing up to the last decoded one, then those behind it. */
	missing = a->next - a->base - a->decoded;
	before = before < missing ? before : missing;
	out->line = missing - before;
	out->waiting = a->made - a->next;
	behind = behind < out->waiting ? behind : out->waiting;
	out->waiting -= behind;
	out->overwritten = before + behind;
	out->total = out->decoded + out->overwritten + out->full + out->line + out->waiting;
}

void losses_add(struct losses *sum, const struct losses *one)
{
	sum->total += one->total;
	sum->decoded += one->decoded;
	sum->overwritten += one->overwritten;
	sum->full += one->full;
	sum->line += one->line;
	sum->waiting += one->waiting;
}

bool losses_any(const struct losses *l)
{
	return l->overwritten || l->full || l->line;
}

const char *losses_text(char text[LOSSES_ROOM], const struct losses *l)
{
	const struct {
		uint64_t count;
		const char *what;
	} parts[] = {
		{ l->overwritten, "overwritten in the ring" },
		{ l->full, "not recorded, the ring was full" },
		{ l->line, "lost on the line" },
		{ l->waiting, "not sent yet" },
	};
	int n = snprintf(text, LOSSES_ROOM, "made %llu: decoded %llu", (unsigned long long)l->total,
			 (unsigned long long)l->decoded);

	for (size_t i = 0; i < ARRAY_COUNT(parts); i++)
		if (parts[i].count)
			n += snprintf(text + n, LOSSES_ROOM - (size_t)n, ", %s %llu", parts[i].what,
				      (unsigned long long)parts[i].count);
	return text;
}
