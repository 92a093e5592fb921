/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hvtrace live: what the machine does now, once an interval.
 *
 * A block is about the interval of the trace's own time that has passed since the block before. From a line a block comes by the clock of
 * this machine; from a file, whenever its time has gone on by an interval.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "live.h"
#include "screen.h"
#include "source.h"

static const char help[] =
	"usage: hvtrace live [options] SOURCE\n"
	"\n"
	"Shows who uses the CPUs, what leaves the guests, and how late timers and wake-ups are, once a second. On a terminal it is a\n"
	"screen, which Ctrl-C ends; else, or with --plain, a block of lines for each interval.\n"
	"\n"
	"      --interval S         seconds between blocks (1)\n"
	"      --count N            end after N blocks\n"
	"      --plain              blocks of lines also on a terminal\n"
	"      --json               a JSON object in a line for each interval\n"
	"      --on A,B             switch these classes of events on first (or: all)\n";

struct show {
	struct live live;
	bool plain, json;
	uint64_t interval_ns;
	uint64_t count, shown; /* blocks; count 0: without end */
	bool by_trace;         /* a file: blocks by its time */
	uint64_t next;         /* tick of the next one then */
};

static bool enough(const struct show *s)
{
	return s->count && s->shown >= s->count;
}

static void block(struct show *s, uint64_t now)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);

	if (!out) {
		(void)fprintf(stderr, "hvtrace: out of memory\n");
		exit(1);
	}
	if (s->json)
		live_json(&s->live, out, now);
	else
		live_text(&s->live, out, now);
	(void)fclose(out);
	if (s->plain || s->json)
		(void)printf("%s%s", s->shown && !s->json ? "\n" : "", text);
	else
		screen_show(text);
	(void)fflush(stdout);
	free(text);
	s->shown++;
	live_next(&s->live, now);
}

static void on_record(void *ctx, const struct record *r, uint64_t missing)
{
	struct show *s = ctx;
	uint64_t interval = s->live.stream.hz ? scale(s->interval_ns, 1000000000, s->live.stream.hz) : 0;

	if (s->by_trace && interval) {
		if (!s->next)
			s->next = r->time + interval;
		while (r->time >= s->next && !enough(s)) {
			block(s, s->next);
			s->next += interval;
		}
	}
	if (!enough(s))
		live_record(&s->live, r, missing);
}

static void on_status(void *ctx, const struct status *status)
{
	struct show *s = ctx;

	live_status(&s->live, status, s->by_trace);
}

static void on_boot(void *ctx)
{
	struct show *s = ctx;

	s->next = 0;
	live_boot(&s->live);
}

static int loop(struct show *s, struct source *source, const struct options *o)
{
	uint64_t now = clock_ns(), until = o->seconds_ns ? now + o->seconds_ns : UINT64_MAX,
		 next = now + s->interval_ns;
	static uint8_t buffer[65536];

	while (!stop_wanted() && !enough(s) && (now = clock_ns()) < until) {
		uint64_t wait = next > now ? next - now : 0;
		long n = source_read(source, buffer, sizeof(buffer),
				     wait < 100000000 ? (unsigned int)(wait / 1000000) + 1 : 100);

		if (n == -1)
			return -1;
		if (n == SOURCE_END)
			break;
		if (n > 0)
			stream_bytes(&s->live.stream, buffer, (size_t)n);
		if (s->by_trace || clock_ns() < next)
			continue;
		next += s->interval_ns;
		block(s, live_now(&s->live));
		if (ferror(stdout))
			return fail("standard output: cannot be written");
	}
	return 0;
}

static int run_with(struct show *s, const struct options *o, uint32_t on)
{
	struct source source;
	char text[LOSSES_ROOM];
	struct losses l;
	int ret = 0;

	stop_catch();
	if (source_open(&source, o->source, o->speed))
		return -1;
	s->by_trace = source.file;
	live_start(&s->live, o->line, o->source);
	s->live.stream.ctx = s;
	s->live.stream.hz = o->hz;
	s->live.stream.record = on_record;
	s->live.stream.status = on_status;
	s->live.stream.boot = on_boot;
	if (on)
		ret = source_send_on(&source, on);
	if (!ret) {
		if (!s->plain && !s->json)
			screen_open();
		ret = loop(s, &source, o);
		stream_end(&s->live.stream);
		/* What is left is a shorter interval. */
		if (!ret && !enough(s) && s->live.analysis->records)
			block(s, live_now(&s->live));
		screen_close();
	}
	source_close(&source);
	stream_losses(&s->live.stream, &l);
	if (!ret && s->live.stream.decode.counts.frames)
		(void)fprintf(stderr, "hvtrace: records %s\n", losses_text(text, &l));
	else if (!ret)
		ret = fail("%s: no trace: not one good frame in %llu bytes (is tracing on, is the speed right?)",
			   o->source, (unsigned long long)s->live.stream.decode.counts.bytes);
	live_end(&s->live);
	return ret;
}

static int run(int argc, char **argv)
{
	const char *source, *interval = NULL, *count = NULL, *on_text = NULL;
	struct show *s = mem_alloc(sizeof(*s));
	const struct option_spec own[] = {
		{ "--interval", true, &interval, NULL }, { "--count", true, &count, NULL },
		{ "--on", true, &on_text, NULL },        { "--plain", false, NULL, &s->plain },
		{ "--json", false, NULL, &s->json },     { NULL, false, NULL, NULL },
	};
	struct options o;
	uint32_t on = 0;
	int ret = options_parse(&o, own, argc, argv, 1, &source, help);

	s->interval_ns = 1000000000;
	if (!ret && ((interval && (!parse_seconds(interval, &s->interval_ns) || s->interval_ns < 10000000) &&
		      fail("--interval %s: is no time of 0.01 s or more", interval)) ||
		     (count && (!parse_number(count, UINT32_MAX, &s->count) || !s->count) &&
		      fail("--count %s: is no number of blocks", count)) ||
		     (on_text && trace_classes_parse(on_text, &on)) ||
		     (o.text && fail("--console-text: not with live; see record")) ||
		     (o.boot >= 0 && fail("--boot: live shows the present one; leave it out"))))
		ret = CMD_USAGE;
	s->plain |= !isatty(STDOUT_FILENO);
	if (!ret)
		ret = run_with(s, &o, on);
	free(s);
	return ret;
}

const struct command cmd_live = { "live", "show CPU use, exits and lateness while they happen", run };
