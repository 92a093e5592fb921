/* SPDX-License-Identifier: Apache-2.0 */
/* hvtrace text: every record a line. Also what dump prints its records with. */
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "filter.h"
#include "print.h"
#include "source.h"
#include "stream.h"

static const char help[] =
	"usage: hvtrace text [options] SOURCE\n"
	"\n"
	"Prints every record as a line: time in seconds as in the hypervisor's log, CPU, event, words. Times in words are microseconds.\n"
	"\n"
	"      --follow             print while they come, until Ctrl-C; else all at the end, in order\n"
	"      --classes A,B        only events of these classes\n"
	"      --json               a JSON object in each line\n";

struct text {
	struct print print;
	struct filter filter;
	const char *classes_text;
	uint32_t classes;
	struct stream *stream; /* --follow */
};

static void one(struct text *t, const struct record *r, uint64_t missing)
{
	const struct event *e = event_find(r->event);

	if (!filter_time(&t->filter, t->print.hz ? ticks_to_ns(r->time, t->print.hz) : 0))
		return;
	/* Losses are told even if what is lost might have been left out. */
	if (missing)
		print_missing(&t->print, r, missing);
	if (filter_record(&t->filter, e, r) && (e ? t->classes >> e->class & 1 : t->classes == UINT32_MAX))
		print_record(&t->print, r);
}

static void follow_record(void *ctx, const struct record *r, uint64_t missing)
{
	struct text *t = ctx;

	t->print.hz = t->stream->hz;
	one(t, r, missing);
}

static void follow_status(void *ctx, const struct status *s)
{
	struct text *t = ctx;

	(void)s;
	/* Only now labels can be known. */
	if (t->filter.vm_text && t->filter.vm < 0 && filter_vm(&t->filter, t->stream->vm)) {
		fail_clear();
		t->filter.vm = HVTRACE_VMS; /* nobody yet */
	}
	(void)fflush(t->print.out);
}

static void follow_boot(void *ctx)
{
	struct text *t = ctx;

	print_note(&t->print, "the machine boots again");
}

static int follow(struct text *t, const struct options *o)
{
	uint64_t until = o->seconds_ns ? clock_ns() + o->seconds_ns : UINT64_MAX;
	static uint8_t buffer[65536];
	struct stream *s = mem_alloc(sizeof(*s));
	struct source source;
	struct losses l;
	char text[LOSSES_ROOM];
	long n = 0;

	stop_catch();
	if (source_open(&source, o->source, o->speed)) {
		free(s);
		return -1;
	}
	stream_start(s, o->line);
	s->ctx = t;
	s->record = follow_record;
	s->status = follow_status;
	s->boot = follow_boot;
	s->hz = o->hz;
	t->stream = s;
	t->print.vms = s->vm;
	while (!stop_wanted() && clock_ns() < until && !ferror(stdout)) {
		n = source_read(&source, buffer, sizeof(buffer), 100);
		if (n == SOURCE_END || n == -1)
			break;
		if (n > 0)
			stream_bytes(s, buffer, (size_t)n);
		(void)fflush(stdout);
	}
	source_close(&source);
	stream_end(s);
	stream_losses(s, &l);
	(void)fprintf(stderr, "hvtrace: records %s\n", losses_text(text, &l));
	free(s);
	return n == -1 ? -1 : 0;
}

static int whole(struct text *t, const struct options *o)
{
	struct reader reader;
	int ret = options_read(o, &reader);

	for (size_t i = 0; !ret && i < reader.count; i++) {
		const struct boot *b = reader.boots[i];
		const struct record *r;
		struct cursor c;
		uint64_t missing;

		t->print.hz = b->hz;
		t->print.vms = b->vm;
		ret = filter_vm(&t->filter, b->vm);
		if (ret)
			break;
		print_boot(&t->print, &reader, b);
		cursor_start(&c, b);
		while ((r = cursor_next(&c, &missing)))
			one(t, r, missing);
		cursor_free(&c);
	}
	reader_free(&reader);
	return ret;
}

static int run(int argc, char **argv)
{
	struct text t = { .print.out = stdout, .classes = UINT32_MAX };
	bool following = false;
	const char *source;
	const struct option_spec own[] = { FILTER_OPTIONS(&t.filter),
					   { "--classes", true, &t.classes_text, NULL },
					   { "--follow", false, NULL, &following },
					   { "--json", false, NULL, &t.print.json },
					   { NULL, false, NULL, NULL } };
	struct options o;
	char all[2048];
	int ret;

	(void)snprintf(all, sizeof(all), "%s%s", help, filter_help);
	ret = options_parse(&o, own, argc, argv, 1, &source, all);
	if (ret || (ret = filter_parse(&t.filter)))
		return ret;
	if (t.classes_text && trace_classes_parse(t.classes_text, &t.classes))
		return CMD_USAGE;
	return following ? follow(&t, &o) : whole(&t, &o);
}

const struct command cmd_text = { "text", "every record as a line", run };
