/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hvtrace dump: the flight recorder. Asks the machine for what its rings hold, and prints those records; or prints those of the dumps that
 * a file has.
 */
#include <string.h>

#include "cmd.h"
#include "export.h"
#include "print.h"
#include "source.h"

#define ANSWER_NS UINT64_C(5000000000) /* for the first frame of a dump, and between two */

static const char help[] =
	"usage: hvtrace dump [options] SOURCE\n"
	"\n"
	"Asks for the records that the hypervisor still has (trace dump), and prints them as hvtrace text does. With a file: prints what dumps\n"
	"are in it, as after a panic.\n"
	"\n"
	"      --previous           the boot before: what survived a warm reset\n"
	"      --json               a JSON object in each line\n"
	"  -o, --out FILE           write the dump's frames there, for the other subcommands\n";

struct dump {
	struct reader reader;
	bool previous;
	const char *out;
	FILE *file;
};

/* Frames of the dump, and statuses and VMs around it. */
static void keep_frame(void *ctx, const uint8_t *frame, size_t bytes)
{
	struct dump *d = ctx;
	uint8_t block[DECODE_CHUNK + 2];
	size_t n = cobs_encode(frame, bytes, block);

	block[n++] = 0;
	if (d->reader.dump || frame[0] != (TRACE_VERSION << 4 | TRACE_FRAME_RECORDS))
		(void)fwrite(block, 1, n, d->file);
}

static int ask(struct dump *d, struct source *s)
{
	static uint8_t buffer[4096];
	uint64_t heard = clock_ns(), frames = 0;

	if (source_send(s, d->previous ? "trace dump previous" : "trace dump"))
		return -1;
	while (!d->reader.dumps && !stop_wanted()) {
		long n = source_read(s, buffer, sizeof(buffer), 100);

		if (n == SOURCE_END || n == -1)
			return n == -1 ? -1 : 0;
		if (n > 0)
			reader_bytes(&d->reader, buffer, (size_t)n);
		if (d->reader.dump && d->reader.decode.counts.frames != frames) {
			frames = d->reader.decode.counts.frames;
			heard = clock_ns();
		}
		if (clock_ns() - heard > ANSWER_NS)
			return d->reader.dump ? 0 :
						fail("%s: no dump came in 5 s: %s", s->name,
						     d->previous ? "perhaps no records survived the reset" :
								   "nothing is recorded, or the stream goes elsewhere");
	}
	return 0;
}

static int read_file(struct dump *d, struct source *s)
{
	static uint8_t buffer[65536];
	long n;

	while ((n = source_read(s, buffer, sizeof(buffer), 100)) != SOURCE_END && n != -1 && !stop_wanted())
		if (n > 0)
			reader_bytes(&d->reader, buffer, (size_t)n);
	return n == -1 ? -1 : 0;
}

static int print_all(struct dump *d, const struct options *o, bool json)
{
	struct reader *t = &d->reader;
	uint64_t printed = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct boot *b = t->boots[i];
		struct print p = { stdout, json, b->hz, b->vm };
		const struct record *r;
		struct cursor c;
		uint64_t missing;

		if ((o->boot >= 0 && b->number != o->boot) || !b->records)
			continue;
		print_boot(&p, t, b);
		cursor_start(&c, b);
		for (; (r = cursor_next(&c, &missing)); printed++) {
			if (missing)
				print_missing(&p, r, missing);
			print_record(&p, r);
		}
		cursor_free(&c);
	}
	if (!printed)
		return fail("%s: has no dump%s", o->source, o->boot < 0 ? "" : " of that boot");
	return 0;
}

static int run(int argc, char **argv)
{
	struct dump d = { .previous = false };
	bool json = false;
	const char *source;
	const struct option_spec own[] = { { "--previous", false, NULL, &d.previous },
					   { "--json", false, NULL, &json },
					   { "--out", true, &d.out, NULL },
					   { "-o", true, &d.out, NULL },
					   { NULL, false, NULL, NULL } };
	struct options o;
	struct source s;
	int ret = options_parse(&o, own, argc, argv, 1, &source, help);

	if (ret)
		return ret;
	if (o.text || o.seconds_ns) {
		fail("%s: not with dump, which knows its end; leave it out", o.text ? "--console-text" : "--seconds");
		return CMD_USAGE;
	}
	stop_catch();
	if (source_open(&s, o.source, o.speed))
		return -1;
	if (d.out && !(d.file = out_open(d.out))) {
		source_close(&s);
		return -1;
	}
	reader_start(&d.reader, o.line);
	d.reader.only_dumps = true;
	if (d.file) {
		d.reader.copy = keep_frame;
		d.reader.copy_ctx = &d;
		(void)fputc(0, d.file);
	}
	ret = s.can_send ? ask(&d, &s) :
	      d.previous ? fail("--previous: a file has what it has; leave it out") :
			   read_file(&d, &s);
	source_close(&s);
	reader_end(&d.reader, o.hz);
	if (d.file && out_close(d.file, d.out))
		ret = -1;
	if (!ret)
		ret = print_all(&d, &o, json);
	reader_free(&d.reader);
	return ret;
}

const struct command cmd_dump = { "dump", "the last records that the hypervisor has, also of the boot before", run };
