/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hvtrace record: what comes, into a file, frame by frame.
 *
 * Only whole frames with a right checksum are written, as a trace line has them (COBS, zeroes between), also if they came over the
 * console: any other subcommand reads the file. The totals at the end are those of the file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "event.h"
#include "export.h"
#include "json.h"
#include "source.h"
#include "stream.h"

#define PROGRESS_NS UINT64_C(1000000000)
#define PROGRESS_FILE_NS UINT64_C(10000000000) /* where nobody watches, a log is kept shorter */
#define DRAIN_NS UINT64_C(5000000000)

static const char help[] =
	"usage: hvtrace record [options] OUT SOURCE\n"
	"\n"
	"Writes the trace to the file OUT (- is standard output) until the source ends, --seconds are over or Ctrl-C. Progress and totals go to\n"
	"standard error: records made, and how many of them were decoded, lost in a ring, lost on the line.\n"
	"\n"
	"      --on A,B             switch these classes of events on first (or: all), and tracing off at the end; what\n"
	"                           is in the rings then still comes, for up to 5 seconds\n"
	"      --leave-on           with --on: don't switch it off\n"
	"      --json               the totals on standard output, as JSON\n";

struct recording {
	struct stream stream;
	FILE *out;
	const char *path;
	uint64_t bytes; /* written */
	FILE *text;
	bool tty;
};

static void on_frame(void *ctx, const uint8_t *frame, size_t bytes)
{
	struct recording *r = ctx;
	uint8_t block[DECODE_CHUNK + 2];
	size_t n = cobs_encode(frame, bytes, block);

	block[n++] = 0;
	(void)fwrite(block, 1, n, r->out);
	r->bytes += n;
}

static void on_text(void *ctx, const char *text, size_t bytes)
{
	struct recording *r = ctx;

	if (r->text) {
		(void)fwrite(text, 1, bytes, r->text);
		(void)fflush(r->text);
	}
}

static void progress(const struct recording *r, const char *end)
{
	const struct decode_counts *c = &r->stream.decode.counts;
	char text[LOSSES_ROOM];
	struct losses l;

	stream_losses(&r->stream, &l);
	(void)fprintf(stderr, "%s%llu KiB, records %s",
		      r->tty ? "\r\033[K" : "hvtrace: ", (unsigned long long)r->bytes / 1024, losses_text(text, &l));
	if (c->bad)
		(void)fprintf(stderr, "; damaged frames %llu", (unsigned long long)c->bad);
	(void)fputs(r->tty ? end : "\n", stderr);
	(void)fflush(stderr);
}

static int copy(struct recording *r, struct source *s, uint64_t until, bool until_empty)
{
	uint64_t every = r->tty ? PROGRESS_NS : PROGRESS_FILE_NS, shown = clock_ns();
	static uint8_t buffer[65536];

	while ((until_empty || !stop_wanted()) && clock_ns() < until) {
		long n = source_read(s, buffer, sizeof(buffer), 100);

		if (n == SOURCE_END || n == -1)
			return n == -1 ? -1 : 1;
		if (n > 0)
			stream_bytes(&r->stream, buffer, (size_t)n);
		if (ferror(r->out))
			return fail("%s: cannot be written: %s; make room or write elsewhere", r->path,
				    strerror(errno));
		/* Off is what the status says, and that was made after the last record. */
		if (until_empty && !(r->stream.classes & ~(1u << TRACE_CLASS_META)) && stream_empty(&r->stream))
			return 0;
		if (clock_ns() - shown >= every) {
			shown = clock_ns();
			(void)fflush(r->out);
			progress(r, "");
		}
	}
	return 0;
}

static void totals_json(const struct recording *r)
{
	const struct decode_counts *c = &r->stream.decode.counts;
	struct json j = { .out = stdout };
	struct losses l;

	stream_losses(&r->stream, &l);
	json_open(&j, NULL, '{');
	json_number(&j, "made", l.total);
	json_number(&j, "decoded", l.decoded);
	json_number(&j, "overwritten", l.overwritten);
	json_number(&j, "ring_full", l.full);
	json_number(&j, "lost_on_line", l.line);
	json_number(&j, "waiting", l.waiting);
	json_number(&j, "dumped", r->stream.dumped);
	json_number(&j, "boots", r->stream.boots + r->stream.known);
	json_number(&j, "frames", c->frames);
	json_number(&j, "bad_frames", c->bad);
	json_number(&j, "malformed_frames", c->malformed);
	json_number(&j, "unknown_frames", c->unknown);
	json_number(&j, "refused_records", c->refused);
	json_number(&j, "skipped_bytes", c->skipped);
	json_number(&j, "source_bytes", c->bytes);
	json_number(&j, "written_bytes", r->bytes);
	json_close(&j, '}');
}

static int record(struct recording *r, struct source *s, const struct options *o, uint32_t on, bool leave_on)
{
	int ret;

	if (on && source_send_on(s, on))
		return -1;
	ret = copy(r, s, o->seconds_ns ? clock_ns() + o->seconds_ns : UINT64_MAX, false);
	if (ret >= 0 && on && !leave_on && ret == 0)
		ret = source_send(s, "trace off") ? -1 : copy(r, s, clock_ns() + DRAIN_NS, true);
	return ret < 0 ? -1 : 0;
}

static int run_with(struct recording *r, const struct options *o, uint32_t on, bool leave_on)
{
	struct source s;
	int ret;

	stop_catch();
	if (source_open(&s, o->source, o->speed))
		return -1;
	r->out = out_open(r->path);
	r->text = r->out && o->text ? out_open(o->text) : NULL;
	if (!r->out || (o->text && !r->text)) {
		source_close(&s);
		return -1;
	}
	stream_start(&r->stream, o->line);
	r->stream.ctx = r;
	r->stream.frame = on_frame;
	r->stream.text = on_text;
	(void)fputc(0, r->out);
	r->bytes = 1;
	ret = record(r, &s, o, on, leave_on);
	source_close(&s);
	stream_end(&r->stream);
	if (!ret)
		progress(r, "\n");
	if (out_close(r->out, r->path) || (r->text && out_close(r->text, o->text)))
		ret = -1;
	if (!ret && !r->stream.decode.counts.frames)
		ret = fail("%s: no trace: not one good frame in %llu bytes (is tracing on, is the speed right?)",
			   o->source, (unsigned long long)r->stream.decode.counts.bytes);
	return ret;
}

static int run(int argc, char **argv)
{
	const char *args[2], *on_text_arg = NULL;
	bool leave_on = false, json = false;
	const struct option_spec own[] = { { "--on", true, &on_text_arg, NULL },
					   { "--leave-on", false, NULL, &leave_on },
					   { "--json", false, NULL, &json },
					   { NULL, false, NULL, NULL } };
	struct recording *r;
	struct options o;
	uint32_t on = 0;
	int ret = options_parse(&o, own, argc, argv, 2, args, help);

	if (ret)
		return ret;
	if ((on_text_arg && trace_classes_parse(on_text_arg, &on)) ||
	    (leave_on && !on && fail("--leave-on: only goes with --on")) ||
	    (o.boot >= 0 && fail("--boot: a recording has all boots; choose when it is read")) ||
	    (json && !strcmp(args[0], "-") && fail("-: standard output has the totals already (--json); name a file")))
		return CMD_USAGE;
	r = mem_alloc(sizeof(*r));
	r->path = args[0];
	r->tty = isatty(STDERR_FILENO);
	ret = run_with(r, &o, on, leave_on);
	if (!ret && json)
		totals_json(r);
	free(r);
	return ret;
}

const struct command cmd_record = { "record", "write the trace to a file while it comes", run };
