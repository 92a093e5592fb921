/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hvtrace: command line.
 *
 * Prints one line per error. Exit status: 0 done, 1 the trace or the source is wrong, 2 the command line is wrong.
 */
#include <stdio.h>
#include <string.h>

#include "cmd.h"

static const struct command *const commands[] = { &cmd_record, &cmd_live, &cmd_report, &cmd_plot,
						  &cmd_dump,   &cmd_text, &cmd_export, &cmd_events };

static void usage(void)
{
	(void)printf("usage: hvtrace COMMAND [options] SOURCE\n\n");
	for (size_t i = 0; i < ARRAY_COUNT(commands); i++)
		(void)printf("  %-8s %s\n", commands[i]->name, commands[i]->what);
	(void)printf("\nhvtrace COMMAND --help says more. The trace's format and events: docs/trace.md.\n");
}

int main(int argc, char **argv)
{
	int ret = CMD_USAGE;

	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))) {
		usage();
		return 0;
	}
	for (size_t i = 0; argc > 1 && i < ARRAY_COUNT(commands); i++)
		if (!strcmp(commands[i]->name, argv[1])) {
			ret = commands[i]->run(argc - 1, argv + 1);
			break;
		}
	if (argc < 2)
		fail("no command; see hvtrace --help");
	else if (ret == CMD_USAGE)
		fail("%s: no such command; see hvtrace --help", argv[1]);
	if (!ret && (fflush(stdout) || ferror(stdout)))
		ret = fail("standard output: cannot be written");
	if (!ret)
		return 0;
	(void)fprintf(stderr, "hvtrace: %s\n", fail_text());
	return ret == CMD_USAGE ? 2 : 1;
}
