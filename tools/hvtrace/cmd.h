/* SPDX-License-Identifier: Apache-2.0 */
/* The subcommands, and what their command lines have in common. Each returns 0, or -1 after fail(), or CMD_USAGE after fail(). */
#ifndef HVTRACE_CMD_H
#define HVTRACE_CMD_H

#include <stdio.h>

#include "hvtrace.h"
#include "reader.h"

#define CMD_USAGE (-2) /* the command line is wrong: exit status 2 */

struct command {
	const char *name;
	const char *what; /* one line */
	int (*run)(int argc, char **argv);
};
extern const struct command cmd_record, cmd_live, cmd_report, cmd_plot, cmd_dump, cmd_text, cmd_export, cmd_events;

/* Options that every subcommand takes; a subcommand's own are given beside. */
struct options {
	const char *source;
	enum decode_line line; /* --console, --own */
	uint64_t speed;        /* --speed: of a serial device */
	uint64_t seconds_ns;   /* --seconds: stop reading then; 0: at the end */
	uint64_t hz;           /* --hz: where no status says it */
	int boot;              /* --boot: only this one; -1: all */
	const char *text;      /* --console-text: where console text goes */
};

struct option_spec {
	const char *name; /* "--from"; the last one's is NULL */
	bool takes_value;
	/* Exactly one of these is where it goes. */
	const char **value;
	bool *flag;
};

/*
 * argv[0] is the subcommand's name. Takes `positional` arguments (exactly, in order) into args; the source is the last of them and also
 * in o->source. --help prints `help` and leaves the program.
 */
int options_parse(struct options *o, const struct option_spec *own, int argc, char **argv, unsigned int positional,
		  const char **args, const char *help);

extern const char options_help[]; /* of the options above */

/* Opens o->source, reads it to its end (--seconds, SIGINT), closes it. Empty traces and unknown frequencies are errors. */
int options_read(const struct options *o, struct reader *t);

/* Lines about what is missing, each beginning with `prefix`; nothing if nothing is. Always before figures. */
void print_losses(FILE *out, const char *prefix, const struct reader *t, const struct boot *boot);
/* The part of it that isn't about one boot. */
void print_damage(FILE *out, const char *prefix, const struct reader *t);

#endif
