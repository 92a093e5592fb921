/* SPDX-License-Identifier: Apache-2.0 */
/* Records as lines. See print.h. */
#include "print.h"

#include "cmd.h"
#include "event.h"
#include "json.h"

/* "[    1.234567890] cpu0 ": as the log has it, with nanoseconds; ticks where the frequency isn't known. */
static void stamp(const struct print *p, const struct record *r)
{
	uint64_t ns;

	if (p->hz) {
		ns = ticks_to_ns(r->time, p->hz);
		(void)fprintf(p->out, "[%5llu.%09llu] cpu%u ", (unsigned long long)(ns / 1000000000),
			      (unsigned long long)(ns % 1000000000), r->cpu);
	} else {
		(void)fprintf(p->out, "[%15llu] cpu%u ", (unsigned long long)r->time, r->cpu);
	}
}

static void json_head(struct json *j, const struct print *p, const struct record *r)
{
	json_open(j, NULL, '{');
	json_number(j, p->hz ? "time_ns" : "time_ticks", p->hz ? ticks_to_ns(r->time, p->hz) : r->time);
	json_number(j, "boot", r->boot);
	json_number(j, "cpu", r->cpu);
}

static void json_field(struct json *j, const struct print *p, const struct event_field *f, const struct record *r)
{
	char key[NAME_ROOM], text[NAME_ROOM];

	switch (f->kind) {
	case WORD_TICKS:
		(void)snprintf(key, sizeof(key), "%s_%s", f->name, p->hz ? "ns" : "ticks");
		json_number(j, key, p->hz ? ticks_to_ns(field_value(f, r), p->hz) : field_value(f, r));
		break;
	case WORD_DEC:
		json_number(j, f->name, field_value(f, r));
		break;
	case WORD_CAUSE:
		json_text(j, f->name, field_text(text, f, r, p->vms, p->hz));
		json_number(j, "esr", field_value(f, r));
		break;
	default:
		json_text(j, f->name, field_text(text, f, r, p->vms, p->hz));
		break;
	}
}

static void record_json(const struct print *p, const struct event *e, const struct record *r)
{
	struct json j = { .out = p->out, .compact = true };

	json_head(&j, p, r);
	json_number(&j, "number", r->number);
	if (e) {
		json_text(&j, "event", e->name);
		for (unsigned int i = 0; i < e->fields; i++)
			json_field(&j, p, &e->field[i], r);
	} else {
		json_number(&j, "event", r->event);
		json_open(&j, "words", '[');
		for (unsigned int i = 0; i < r->words; i++)
			json_number(&j, NULL, r->word[i]);
		json_close(&j, ']');
	}
	json_close(&j, '}');
}

void print_record(const struct print *p, const struct record *r)
{
	const struct event *e = event_find(r->event);
	char text[NAME_ROOM];

	if (p->json) {
		record_json(p, e, r);
		return;
	}
	stamp(p, r);
	if (!e)
		(void)fprintf(p->out, "event%u", r->event);
	for (unsigned int i = 0; !e && i < r->words; i++)
		(void)fprintf(p->out, " 0x%08x", r->word[i]);
	if (e)
		(void)fputs(e->name, p->out);
	for (unsigned int i = 0; e && i < e->fields; i++) {
		const struct event_field *f = &e->field[i];

		(void)fprintf(p->out, " %s%s=%s", f->name, f->kind == WORD_TICKS && p->hz ? "_us" : "",
			      field_text(text, f, r, p->vms, p->hz));
		/* The class of exits is what one reads, the rest of the syndrome what one looks up. */
		if (f->kind == WORD_CAUSE && r->word[f->word])
			(void)fprintf(p->out, " esr=0x%08x", r->word[f->word]);
	}
	(void)fputc('\n', p->out);
}

void print_missing(const struct print *p, const struct record *r, uint64_t missing)
{
	struct json j = { .out = p->out, .compact = true };

	if (p->json) {
		json_head(&j, p, r);
		json_number(&j, "lost", missing);
		json_close(&j, '}');
		return;
	}
	stamp(p, r);
	(void)fprintf(p->out, "-- %llu records lost\n", (unsigned long long)missing);
}

void print_note(const struct print *p, const char *text)
{
	struct json j = { .out = p->out, .compact = true };

	if (!p->json) {
		(void)fprintf(p->out, "-- %s\n", text);
		return;
	}
	json_open(&j, NULL, '{');
	json_text(&j, "note", text);
	json_close(&j, '}');
}

void print_boot(const struct print *p, const struct reader *t, const struct boot *b)
{
	char text[LOSSES_ROOM + 64], losses[LOSSES_ROOM];

	(void)snprintf(text, sizeof(text), "boot %u%s: records %s", b->number,
		       losses_any(&b->losses) ? ", incomplete" : "", losses_text(losses, &b->losses));
	print_note(p, text);
	if (!p->json)
		print_damage(p->out, "-- ", t);
}
