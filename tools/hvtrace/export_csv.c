/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Export as CSV (RFC 4180, lines end with LF): a line for each record, under a line with the columns' names.
 *
 * The columns are those that every record has, then one for each name of a field in the table of events; a record leaves those
 * empty that its event doesn't have. Ticks are microseconds: their columns end in _us. A field that is called like one
 * of the columns that every record has gets its event's name before it. Records of unknown events have their words in the last column.
 */
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "export.h"

/* lost: records of this CPU that are missing before this one. */
static const char *const fixed[] = { "time_us", "ticks", "cpu", "number", "lost", "event", "class_of_event" };
#define COLUMNS_MAX 128u
#define COLUMN_ROOM 48u

struct columns {
	char name[COLUMNS_MAX][COLUMN_ROOM];
	size_t count;
};

static void column_name(char name[COLUMN_ROOM], const struct event *e, const struct event_field *f)
{
	const char *unit = f->kind == WORD_TICKS ? "_us" : "";

	(void)snprintf(name, COLUMN_ROOM, "%s%s", f->name, unit);
	for (size_t i = 0; i < ARRAY_COUNT(fixed); i++)
		if (!strcmp(fixed[i], name))
			(void)snprintf(name, COLUMN_ROOM, "%s_%s%s", e->name, f->name, unit);
}

/* Makes the column if there is none. */
static size_t column(struct columns *c, const struct event *e, const struct event_field *f)
{
	char name[COLUMN_ROOM];
	size_t i;

	column_name(name, e, f);
	for (i = 0; i < c->count; i++)
		if (!strcmp(c->name[i], name))
			return i;
	if (c->count == COLUMNS_MAX)
		abort(); /* a table of events that this file wasn't made for */
	strcpy(c->name[i], name);
	c->count++;
	return i;
}

static void put_text(FILE *out, const char *text)
{
	if (!strpbrk(text, ",\"\r\n")) {
		(void)fputs(text, out);
		return;
	}
	(void)fputc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			(void)fputc('"', out);
		(void)fputc(*text, out);
	}
	(void)fputc('"', out);
}

static void put_fields(FILE *out, struct columns *c, const struct record *r, const struct boot *boot)
{
	const struct event_field *of[COLUMNS_MAX] = { NULL };
	const struct event *e = event_find(r->event);
	char text[NAME_ROOM];

	for (unsigned int i = 0; e && i < e->fields; i++)
		of[column(c, e, &e->field[i])] = &e->field[i];
	for (size_t i = 0; i < c->count; i++) {
		(void)fputc(',', out);
		if (of[i])
			put_text(out, field_text(text, of[i], r, boot->vm, boot->hz));
	}
	(void)fputc(',', out);
	for (unsigned int i = 0; !e && i < r->words; i++)
		(void)fprintf(out, "%s0x%x", i ? " " : "", r->word[i]);
}

static void put_record(FILE *out, struct columns *c, const struct record *r, uint64_t missing, const struct boot *boot)
{
	const struct event *e = event_find(r->event);
	char text[US_ROOM];

	(void)fprintf(out, "%s,%llu,%u,%llu,%llu,", us_text(text, ticks_to_ns(r->time, boot->hz)),
		      (unsigned long long)r->time, r->cpu, (unsigned long long)r->number, (unsigned long long)missing);
	if (e)
		(void)fprintf(out, "%s,%s", e->name, e->class_name);
	else
		(void)fprintf(out, "<%u>,", r->event);
	put_fields(out, c, r, boot);
	(void)fputc('\n', out);
}

int export_csv(const struct reader *t, const struct boot *boot, const char *out)
{
	FILE *file = out_open(out);
	struct columns c = { .count = 0 };
	const struct record *r;
	struct cursor cursor;
	uint64_t missing;

	(void)t;
	if (!file)
		return -1;
	for (size_t i = 0; i < ARRAY_COUNT(fixed); i++)
		(void)fprintf(file, "%s%s", i ? "," : "", fixed[i]);
	for (const struct event *e = event_next(NULL); e; e = event_next(e))
		for (unsigned int i = 0; i < e->fields; i++)
			(void)column(&c, e, &e->field[i]);
	for (size_t i = 0; i < c.count; i++)
		(void)fprintf(file, ",%s", c.name[i]);
	(void)fprintf(file, ",words\n");
	cursor_start(&cursor, boot);
	while ((r = cursor_next(&cursor, &missing)))
		put_record(file, &c, r, missing, boot);
	cursor_free(&cursor);
	return out_close(file, out);
}
