/* SPDX-License-Identifier: Apache-2.0 */
/* hvtrace export: a whole trace in another program's format. The formats are in export_<name>.c. */
#include <string.h>

#include "cmd.h"
#include "export.h"

static const char help[] =
	"usage: hvtrace export --perfetto|--ctf|--csv|--xentrace -o OUT [options] SOURCE\n"
	"\n"
	"Writes the trace in the format of another program.\n"
	"\n"
	"      --perfetto           trace-event JSON: ui.perfetto.dev, chrome://tracing\n"
	"      --ctf                Common Trace Format 1.8: OUT is a folder; babeltrace2, Trace Compass\n"
	"      --csv                a line for each record\n"
	"      --xentrace           Xen's binary format: xenalyze\n"
	"  -o, --out OUT            what to write; - is standard output (not with --ctf)\n";

static int run(int argc, char **argv)
{
	const struct {
		int (*export)(const struct reader *t, const struct boot *boot, const char *out);
		bool folder;
	} formats[] = {
		{ export_perfetto, false },
		{ export_ctf, true },
		{ export_csv, false },
		{ export_xentrace, false },
	};
	bool wanted[ARRAY_COUNT(formats)] = { false };
	const char *out = NULL, *source;
	const struct option_spec own[] = {
		{ "--perfetto", false, NULL, &wanted[0] },
		{ "--ctf", false, NULL, &wanted[1] },
		{ "--csv", false, NULL, &wanted[2] },
		{ "--xentrace", false, NULL, &wanted[3] },
		{ "--out", true, &out, NULL },
		{ "-o", true, &out, NULL },
		{ NULL, false, NULL, NULL },
	};
	size_t format = ARRAY_COUNT(formats), count = 0;
	struct options o;
	struct reader t;
	int ret = options_parse(&o, own, argc, argv, 1, &source, help);

	if (ret)
		return ret;
	for (size_t i = 0; i < ARRAY_COUNT(formats); i++) {
		if (wanted[i])
			format = i;
		count += wanted[i];
	}
	if (count != 1 || !out) {
		fail("export: %s; see hvtrace export --help",
		     count != 1 ? "give one format: --perfetto, --ctf, --csv or --xentrace" :
				  "say what to write with -o");
		return CMD_USAGE;
	}
	if (formats[format].folder && !strcmp(out, "-")) {
		fail("-o -: --ctf writes a folder; name one");
		return CMD_USAGE;
	}
	ret = options_read(&o, &t);
	if (!ret && t.count > 1)
		ret = fail("%s: has %zu boots; choose one, as --boot %u", o.source, t.count,
			   t.boots[t.count - 1]->number);
	if (!ret) {
		print_losses(stderr, "hvtrace: ", &t, t.boots[0]);
		ret = formats[format].export(&t, t.boots[0], out);
	}
	reader_free(&t);
	return ret;
}

const struct command cmd_export = { "export", "write the trace for Perfetto, babeltrace2, xenalyze, or as CSV", run };
