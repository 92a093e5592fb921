/* SPDX-License-Identifier: Apache-2.0 */
/* Exporters: a whole trace in another program's format. Each is a file export_<name>.c and a line in cmd_export.c. */
#ifndef HVTRACE_EXPORT_H
#define HVTRACE_EXPORT_H

#include <stdio.h>

#include "reader.h"

/*
 * `out`: a file or folder (as the format has it) to make. "-": standard output, for formats of one file. `boot`: the one to
 * export. Returns 0, or -1 after fail(). Losses are in the output where the format has a place for them.
 */
int export_perfetto(const struct reader *t, const struct boot *boot, const char *out);
int export_ctf(const struct reader *t, const struct boot *boot, const char *out);
int export_csv(const struct reader *t, const struct boot *boot, const char *out);
int export_xentrace(const struct reader *t, const struct boot *boot, const char *out);

/* A file to write, "-" standard output; NULL after fail(). */
FILE *out_open(const char *path);
/* Closes it; -1 after fail() if something could not be written. The file stays. */
int out_close(FILE *file, const char *path);

#endif
