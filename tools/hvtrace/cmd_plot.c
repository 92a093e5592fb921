/* SPDX-License-Identifier: Apache-2.0 */
/* hvtrace plot: pictures, drawn by gnuplot. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd.h"
#include "export.h"
#include "plot.h"

static const char help[] =
	"usage: hvtrace plot --cdf|--timeline -o OUT [options] SOURCE\n"
	"\n"
	"Draws a picture; needs gnuplot 5.\n"
	"\n"
	"      --cdf                how late timer interrupts and wake-ups of each vCPU were, cumulated\n"
	"      --timeline           who ran when on each CPU, stays in the hypervisor, late timer interrupts\n"
	"  -o, --out OUT            OUT.svg or OUT.png; or OUT.gp: gnuplot's script itself, nothing is drawn (- is standard output)\n";

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), k = strlen(end);

	return n > k && !strcmp(text + n - k, end);
}

void plot_head(FILE *script, const struct plot *p, const char *title, unsigned int height)
{
	char losses[LOSSES_ROOM];

	(void)fprintf(script, "# gnuplot 5\nset encoding utf8\nset terminal %s size 1200,%u noenhanced\n",
		      p->png ? "pngcairo" : "svg", height);
	if (p->out) {
		(void)fprintf(script, "set output '");
		for (const char *c = p->out; *c; c++)
			(void)fprintf(script, *c == '\'' ? "''" : "%c", *c);
		(void)fprintf(script, "'\n");
	}
	(void)fprintf(script, "set title '%s, boot %u%s%s'\n", title, p->report.boot->number,
		      losses_any(&p->report.boot->losses) ? "; incomplete: " : "",
		      losses_any(&p->report.boot->losses) ? losses_text(losses, &p->report.boot->losses) : "");
}

static bool is_installed(const char *program)
{
	const char *path = getenv("PATH");
	char text[4096];

	while (path && *path) {
		size_t n = strcspn(path, ":");

		(void)snprintf(text, sizeof(text), "%.*s/%s", (int)n, path, program);
		if (!access(text, X_OK))
			return true;
		path += n + (path[n] == ':');
	}
	return false;
}

static int draw(struct plot *p, const char *out, bool timeline, bool script_only)
{
	FILE *script;
	int ret, status;

	if (script_only) {
		script = out_open(out);
		if (!script)
			return -1;
		ret = timeline ? plot_timeline(script, p) : plot_cdf(script, p);
		return out_close(script, out) ? -1 : ret;
	}
	script = tmpfile();
	if (!script)
		return fail("a temporary file: %s", strerror(errno));
	p->out = out;
	ret = timeline ? plot_timeline(script, p) : plot_cdf(script, p);
	if (!ret && (fflush(script) || fseek(script, 0, SEEK_SET)))
		ret = fail("a temporary file: %s; make room", strerror(errno));
	/* The child reads the script as its standard input. */
	if (!ret && dup2(fileno(script), STDIN_FILENO) < 0)
		ret = fail("a temporary file: %s", strerror(errno));
	(void)fclose(script);
	if (ret)
		return ret;
	status = system("gnuplot"); /* NOLINT: a fixed command */
	if (status == -1 || !WIFEXITED(status) || WEXITSTATUS(status))
		return fail("gnuplot failed; its reason is above (%s)", out);
	return 0;
}

static int run_with(const struct options *o, struct filter *f, const char *out, bool timeline)
{
	bool script_only = ends_with(out, ".gp") || !strcmp(out, "-");
	struct plot p = { .png = ends_with(out, ".png") };
	struct reader t;
	int ret;

	if (!script_only && !is_installed("gnuplot"))
		return fail(
			"gnuplot isn't installed; install it (Debian: gnuplot-nox), or write a script with -o OUT.gp");
	ret = options_read(o, &t);
	if (!ret && t.count > 1)
		ret = fail("%s: has %zu boots; choose one, as --boot %u", o->source, t.count,
			   t.boots[t.count - 1]->number);
	if (!ret)
		ret = filter_vm(f, t.boots[0]->vm);
	if (!ret) {
		print_losses(stderr, "hvtrace: ", &t, t.boots[0]);
		report_make(&p.report, &t, t.boots[0], f);
		ret = draw(&p, out, timeline, script_only);
		analysis_free(p.report.analysis);
	}
	reader_free(&t);
	return ret;
}

static int run(int argc, char **argv)
{
	struct filter f = { .vm_text = NULL };
	bool cdf = false, timeline = false;
	const char *source, *out = NULL;
	const struct option_spec own[] = { FILTER_OPTIONS(&f),
					   { "--cdf", false, NULL, &cdf },
					   { "--timeline", false, NULL, &timeline },
					   { "--out", true, &out, NULL },
					   { "-o", true, &out, NULL },
					   { NULL, false, NULL, NULL } };
	struct options o;
	char text[2048];
	int ret;

	(void)snprintf(text, sizeof(text), "%s%s", help, filter_help);
	ret = options_parse(&o, own, argc, argv, 1, &source, text);
	if (ret || (ret = filter_parse(&f)))
		return ret;
	if ((cdf == timeline && fail("plot: give one of --cdf and --timeline")) ||
	    (!out && fail("plot: say what to write with -o")) ||
	    (!ends_with(out, ".svg") && !ends_with(out, ".png") && !ends_with(out, ".gp") && strcmp(out, "-") &&
	     fail("-o %s: is no picture; end the name with .svg, .png or .gp", out)))
		return CMD_USAGE;
	return run_with(&o, &f, out, timeline);
}

const struct command cmd_plot = { "plot", "draw lateness or who ran when, by gnuplot", run };
