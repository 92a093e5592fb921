/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hvtrace events: the table of classes and events that this program was built with (hv/include/abi/trace.h), for people or as
 * docs/trace.md has it. A test compares that document with it.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "event.h"

static const char help[] = "usage: hvtrace events [--markdown]\n"
			   "\n"
			   "Lists the classes of events, and the events with their fields.\n"
			   "\n"
			   "      --markdown           as docs/trace.md has it, between its markers\n"
			   "      --help               this\n";

static const char *class_what(unsigned int class)
{
	switch (class) {
#define WHAT(NAME, name, bit, what)                                                                                    \
	case bit:                                                                                                      \
		return what;
		TRACE_CLASSES(WHAT)
#undef WHAT
	default:
		return "";
	}
}

/* "pc:lo pc:hi" is the field pc of kind "hex64", five words of text one of kind "text". */
static void print_field(const struct event_field *f, const char *mark)
{
	const char *kind = f->kind == WORD_LO && f->words == 2 ? "hex64" : f->kind_name;

	(void)printf("%s%s%s:%s", mark, f->name, mark, kind);
}

static void print_text(void)
{
	(void)printf("classes\n");
	for (unsigned int i = 0; i < 32; i++)
		if (trace_class_name(i))
			(void)printf("  %-12s %s\n", trace_class_name(i), class_what(i));
	for (const struct event *e = event_next(NULL); e; e = event_next(e)) {
		(void)printf("\n%u %s, class %s\n  %s\n ", e->number, e->name, e->class_name, e->what);
		for (unsigned int i = 0; i < e->fields; i++) {
			(void)printf(" ");
			print_field(&e->field[i], "");
		}
		(void)printf("\n");
	}
}

/* A cell: what Markdown takes for the end of one, or for code, is told that it isn't. */
static void print_cell(const char *text)
{
	bool code = false;

	(void)putchar(toupper((unsigned char)*text));
	for (text++; *text; text++) {
		code ^= *text == '`';
		if (*text == '|' || (!code && strchr("*<>", *text)))
			(void)putchar('\\');
		(void)putchar(*text);
	}
}

static void print_markdown(void)
{
	(void)printf("| class | bit | what |\n|---|---|---|\n");
	for (unsigned int i = 0; i < 32; i++) {
		if (!trace_class_name(i))
			continue;
		(void)printf("| `%s` | %u | ", trace_class_name(i), i);
		print_cell(class_what(i));
		(void)printf(" |\n");
	}
	(void)printf("\n| number | event | class | fields | what |\n|---|---|---|---|---|\n");
	for (const struct event *e = event_next(NULL); e; e = event_next(e)) {
		(void)printf("| %u | `%s` | %s | ", e->number, e->name, e->class_name);
		for (unsigned int i = 0; i < e->fields; i++) {
			(void)printf("%s", i ? ", " : "");
			print_field(&e->field[i], "`");
		}
		(void)printf(" | ");
		print_cell(e->what);
		(void)printf(" |\n");
	}
}

static int run(int argc, char **argv)
{
	if (argc == 1) {
		print_text();
	} else if (argc == 2 && !strcmp(argv[1], "--markdown")) {
		print_markdown();
	} else if (argc == 2 && !strcmp(argv[1], "--help")) {
		(void)printf("%s", help);
	} else {
		fail("events: takes --markdown or nothing; see hvtrace events --help");
		return CMD_USAGE;
	}
	return 0;
}

const struct command cmd_events = { "events", "list the events there are", run };
