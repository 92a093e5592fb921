/* SPDX-License-Identifier: Apache-2.0 */
/* What the subcommands' command lines have in common, and reading a whole trace. See cmd.h. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "export.h"
#include "source.h"

#define SPEED_MAX 100000000u
#define HZ_MIN 1000000u /* the hypervisor's own limits */
#define HZ_MAX UINT64_C(10000000000)

const char options_help[] =
	"\n"
	"SOURCE is a file, a serial device, a pseudo terminal, tcp:HOST:PORT, unix:PATH or a socket's path, or - for standard input.\n"
	"\n"
	"      --speed BAUD         of a serial device (115200)\n"
	"      --own, --console     the source is a trace line; a console line, frames within its text. Else found out\n"
	"      --console-text FILE  write the console's text there; - is standard output\n"
	"      --seconds S          stop reading after so long; else at the source's end, or with Ctrl-C\n"
	"      --hz N               frequency of the counter, where the trace doesn't say it\n"
	"      --boot N             only this boot (0 to 255), where the trace has several\n"
	"  -h, --help               this\n";

struct parser {
	struct options *o;
	const struct option_spec *own;
	const char *hz, *boot, *speed, *seconds;
	bool is_own, is_console;
};

static const struct option_spec *find(const struct option_spec *specs, const char *name, size_t n)
{
	for (; specs && specs->name; specs++)
		if (strlen(specs->name) == n && !strncmp(specs->name, name, n))
			return specs;
	return NULL;
}

static int take(struct parser *p, int argc, char **argv, int *at)
{
	const struct option_spec common[] = {
		{ "--speed", true, &p->speed, NULL },
		{ "--seconds", true, &p->seconds, NULL },
		{ "--hz", true, &p->hz, NULL },
		{ "--boot", true, &p->boot, NULL },
		{ "--console-text", true, &p->o->text, NULL },
		{ "--own", false, NULL, &p->is_own },
		{ "--console", false, NULL, &p->is_console },
		{ NULL, false, NULL, NULL },
	};
	char *arg = argv[*at], *equals = strchr(arg, '=');
	size_t n = equals ? (size_t)(equals - arg) : strlen(arg);
	const struct option_spec *spec = find(p->own, arg, n);

	if (!spec)
		spec = find(common, arg, n);
	if (!spec) {
		fail("%s: no such option; see hvtrace %s --help", arg, argv[0]);
		return CMD_USAGE;
	}
	if (!spec->takes_value) {
		if (equals) {
			fail("%s: takes no value; see hvtrace %s --help", arg, argv[0]);
			return CMD_USAGE;
		}
		*spec->flag = true;
		return 0;
	}
	if (*spec->value) {
		fail("%s: given twice; keep one of them", spec->name);
		return CMD_USAGE;
	}
	if (!equals && *at + 1 == argc) {
		fail("%s: its value is missing; see hvtrace %s --help", arg, argv[0]);
		return CMD_USAGE;
	}
	*spec->value = equals ? equals + 1 : argv[++*at];
	return 0;
}

static int convert(struct parser *p)
{
	struct options *o = p->o;
	uint64_t boot = 0;

	o->boot = -1;
	if (p->is_own && p->is_console)
		return fail("--own and --console: a line is one of them; keep one");
	o->line = p->is_own ? DECODE_OWN : p->is_console ? DECODE_CONSOLE : DECODE_AUTO;
	if (p->speed && (!parse_number(p->speed, SPEED_MAX, &o->speed) || !o->speed))
		return fail("--speed %s: is no speed; write it in baud, as 115200", p->speed);
	if (p->seconds && (!parse_seconds(p->seconds, &o->seconds_ns) || !o->seconds_ns))
		return fail("--seconds %s: is no time; write it as 10 or 0.5", p->seconds);
	if (p->hz && (!parse_number(p->hz, HZ_MAX, &o->hz) || o->hz < HZ_MIN))
		return fail("--hz %s: is no frequency from %u to %llu; write it as 62500000", p->hz, HZ_MIN,
			    (unsigned long long)HZ_MAX);
	if (p->boot) {
		if (!parse_number(p->boot, 255, &boot))
			return fail("--boot %s: is no number from 0 to 255", p->boot);
		o->boot = (int)boot;
	}
	return 0;
}

int options_parse(struct options *o, const struct option_spec *own, int argc, char **argv, unsigned int positional,
		  const char **args, const char *help)
{
	struct parser p = { .o = o, .own = own };
	unsigned int count = 0;
	bool only_args = false;

	*o = (struct options){ .source = NULL };
	for (int i = 1; i < argc; i++) {
		if (!only_args && (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))) {
			(void)fputs(help, stdout);
			(void)fputs(options_help, stdout);
			exit(0);
		}
		if (!only_args && !strcmp(argv[i], "--")) {
			only_args = true;
		} else if (!only_args && argv[i][0] == '-' && argv[i][1]) {
			if (take(&p, argc, argv, &i))
				return CMD_USAGE;
		} else if (count == positional) {
			fail("%s: one argument too many; see hvtrace %s --help", argv[i], argv[0]);
			return CMD_USAGE;
		} else {
			args[count++] = argv[i];
		}
	}
	if (count < positional) {
		fail("%s: %s is missing; see hvtrace %s --help", argv[0],
		     count + 1 == positional ? "the source" : "what to write", argv[0]);
		return CMD_USAGE;
	}
	o->source = args[positional - 1];
	return convert(&p) ? CMD_USAGE : 0;
}

static void text_to_file(void *ctx, const char *text, size_t bytes)
{
	(void)fwrite(text, 1, bytes, ctx);
}

static int read_all(struct source *s, const struct options *o, struct reader *t)
{
	uint64_t until = o->seconds_ns ? clock_ns() + o->seconds_ns : UINT64_MAX;
	static uint8_t buffer[65536];

	if (!s->file && !o->seconds_ns && isatty(STDERR_FILENO))
		(void)fprintf(stderr, "hvtrace: reading %s; Ctrl-C when it is enough\n", s->name);
	while (!stop_wanted() && clock_ns() < until) {
		long n = source_read(s, buffer, sizeof(buffer), 100);

		if (n == SOURCE_END)
			break;
		if (n == -1)
			return -1;
		if (n > 0)
			reader_bytes(t, buffer, (size_t)n);
	}
	return 0;
}

/* Leaves only what --boot asks for. */
static int choose_boot(const struct options *o, struct reader *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->count; i++) {
		if ((o->boot >= 0 && t->boots[i]->number != o->boot) || !t->boots[i]->records)
			boot_free(t->boots[i]);
		else
			t->boots[kept++] = t->boots[i];
	}
	t->count = kept;
	if (kept)
		return 0;
	if (o->boot >= 0)
		return fail("%s: has no records of boot %d", o->source, o->boot);
	if (!t->counts.frames)
		return fail("%s: no trace: not one good frame in %llu bytes (is tracing on, is the speed right?)",
			    o->source, (unsigned long long)t->counts.bytes);
	return fail("%s: no records, only %llu frames that tell of the trace; switch classes on: trace on all",
		    o->source, (unsigned long long)t->counts.frames);
}

int options_read(const struct options *o, struct reader *t)
{
	FILE *text = NULL;
	struct source s;
	int ret;

	reader_start(t, o->line);
	stop_catch();
	if (source_open(&s, o->source, o->speed))
		return -1;
	if (o->text && !(text = out_open(o->text))) {
		source_close(&s);
		return -1;
	}
	t->text = text ? text_to_file : NULL;
	t->text_ctx = text;
	ret = read_all(&s, o, t);
	source_close(&s);
	reader_end(t, o->hz);
	if (text && out_close(text, o->text))
		ret = -1;
	if (ret || choose_boot(o, t))
		return -1;
	for (size_t i = 0; i < t->count; i++)
		if (!t->boots[i]->hz)
			return fail("%s: no status says the counter's frequency; give it with --hz", o->source);
	return 0;
}

void print_losses(FILE *out, const char *prefix, const struct reader *t, const struct boot *boot)
{
	char text[LOSSES_ROOM];

	if (losses_any(&boot->losses) || boot->losses.waiting)
		(void)fprintf(out, "%s%s: records %s\n", prefix,
			      losses_any(&boot->losses) ? "incomplete" : "the end is missing",
			      losses_text(text, &boot->losses));
	print_damage(out, prefix, t);
}

void print_damage(FILE *out, const char *prefix, const struct reader *t)
{
	const struct decode_counts *c = &t->counts;

	if (c->bad || c->malformed || c->skipped)
		(void)fprintf(out, "%sdamaged: %llu bad frames, %llu malformed, %llu bytes skipped\n", prefix,
			      (unsigned long long)c->bad, (unsigned long long)c->malformed,
			      (unsigned long long)c->skipped);
	if (c->refused || c->unknown || c->strange)
		(void)fprintf(out, "%sother version: %llu unknown frames, %llu unknown events, %llu records refused\n",
			      prefix, (unsigned long long)c->unknown, (unsigned long long)c->strange,
			      (unsigned long long)c->refused);
}
