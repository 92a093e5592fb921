/* SPDX-License-Identifier: Apache-2.0 */
/* The table of events at run time, made of the one in abi/trace.h. See event.h. */
#include "event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {
	[WORD_VCPU] = "vcpu",     [WORD_VM] = "vm",     [WORD_TICKS] = "ticks", [WORD_CLASS] = "class",
	[WORD_WHY] = "why",       [WORD_LEFT] = "left", [WORD_CAUSE] = "cause", [WORD_STATE] = "state",
	[WORD_REASON] = "reason", [WORD_TEXT] = "text", [WORD_DEC] = "dec",     [WORD_HEX] = "hex",
	[WORD_LO] = "lo",         [WORD_HI] = "hi",
};

static struct table_row {
	struct event event;
	const char *fields;
	char names[128]; /* fields, cut into names */
} rows[] = {
#define ROW(NAME, id, no, CLASS, n, fields, what)                                                                      \
	{ { #id, what, NULL, no, TRACE_CLASS_##CLASS, n, 0, { { NULL, NULL, WORD_VCPU, 0, 0 } } }, fields, "" },
	TRACE_EVENTS(ROW)
#undef ROW
};

static const struct event *by_number[256];

static const char *const class_names[32] = {
#define CLASS(NAME, name, bit, what) [bit] = #name,
	TRACE_CLASSES(CLASS)
#undef CLASS
};

const char *trace_class_name(unsigned int class)
{
	return class < ARRAY_COUNT(class_names) ? class_names[class] : NULL;
}

static enum word_kind kind_find(const char *name)
{
	for (unsigned int i = 0; i < ARRAY_COUNT(kind_names); i++)
		if (!strcmp(kind_names[i], name))
			return (enum word_kind)i;
	/* A kind that abi/trace.h has and this file hasn't: a mistake of whoever builds this. */
	(void)fprintf(stderr, "hvtrace: the table of events has an unknown kind of word, %s\n", name);
	abort();
}

static void row_make(struct table_row *row)
{
	struct event *e = &row->event;
	char *save = NULL;

	if (strlen(row->fields) >= sizeof(row->names))
		abort();
	strcpy(row->names, row->fields);
	e->class_name = trace_class_name(e->class);
	for (char *item = strtok_r(row->names, " ", &save); item; item = strtok_r(NULL, " ", &save)) {
		struct event_field *f = &e->field[e->fields], *last = e->fields ? f - 1 : NULL;
		unsigned int word = last ? last->word + last->words : 0u;
		char *colon = strchr(item, ':');
		enum word_kind kind;

		if (!colon || word >= e->words)
			abort();
		*colon = 0;
		kind = kind_find(colon + 1);
		if (last &&
		    ((kind == WORD_HI && last->kind == WORD_LO && last->words == 1) ||
		     (kind == WORD_TEXT && last->kind == WORD_TEXT)) &&
		    !strcmp(last->name, item)) {
			last->words++;
			continue;
		}
		*f = (struct event_field){ item, kind_names[kind], kind, (uint8_t)word, 1 };
		e->fields++;
	}
}

const struct event *event_find(unsigned int number)
{
	if (!by_number[rows[0].event.number]) {
		for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
			row_make(&rows[i]);
			by_number[rows[i].event.number] = &rows[i].event;
		}
	}
	return number < ARRAY_COUNT(by_number) ? by_number[number] : NULL;
}

const struct event *event_next(const struct event *prev)
{
	(void)event_find(0);
	for (size_t i = 0; i + 1 < ARRAY_COUNT(rows); i++)
		if (prev == &rows[i].event)
			return &rows[i + 1].event;
	return prev ? NULL : &rows[0].event;
}

int trace_classes_parse(const char *text, uint32_t *classes)
{
	char copy[256];
	char *save = NULL;

	*classes = 0;
	if (strlen(text) >= sizeof(copy))
		return fail("classes %.20s...: too long; name each class once", text);
	strcpy(copy, text);
	for (char *item = strtok_r(copy, ", ", &save); item; item = strtok_r(NULL, ", ", &save)) {
		uint32_t bits = strcmp(item, "all") ? 0 : UINT32_MAX;

		for (unsigned int i = 0; i < ARRAY_COUNT(class_names); i++)
			if (class_names[i] && !strcmp(class_names[i], item))
				bits |= 1u << i;
		if (!bits) {
			char list[160] = "all";

			for (unsigned int i = 0; i < ARRAY_COUNT(class_names); i++) {
				size_t n = strlen(list);

				if (class_names[i])
					(void)snprintf(list + n, sizeof(list) - n, ", %s", class_names[i]);
			}
			return fail("%s: no such class of events; there are %s", item, list);
		}
		*classes |= bits;
	}
	return *classes ? 0 : fail("no class is named; name some, as sched,rt, or all");
}

uint64_t field_value(const struct event_field *f, const struct record *r)
{
	uint64_t value = r->word[f->word];

	if (f->kind == WORD_LO && f->words == 2)
		value |= (uint64_t)r->word[f->word + 1] << 32;
	return value;
}
