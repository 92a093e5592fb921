/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors, memory, checksums, numbers and output files of hvtrace.
 *
 * Never prints; leaves the process only when the machine has no memory.
 */
#include "hvtrace.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export.h"

static char error[512];

int fail(const char *fmt, ...)
{
	va_list args;

	if (error[0])
		return -1; /* what went wrong first is what has to be mended */
	va_start(args, fmt);
	(void)vsnprintf(error, sizeof(error), fmt, args);
	va_end(args);
	/* Names come from outside: whatever is in them, an error is one printable line. */
	for (char *c = error; *c; c++)
		if (!isprint((unsigned char)*c))
			*c = '?';
	return -1;
}

const char *fail_text(void)
{
	return error;
}

void fail_clear(void)
{
	error[0] = 0;
}

static void out_of_memory(void)
{
	(void)fprintf(stderr, "hvtrace: out of memory\n");
	exit(1);
}

void *mem_alloc(size_t bytes)
{
	void *p = calloc(1, bytes ? bytes : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *mem_grow(void *old, size_t count, size_t *room, size_t size)
{
	size_t more;

	if (count < *room)
		return old;
	more = *room ? *room * 2 : 16;
	if (more < *room || more > SIZE_MAX / size)
		out_of_memory();
	old = realloc(old, more * size);
	if (!old)
		out_of_memory();
	*room = more;
	return old;
}

uint64_t scale(uint64_t value, uint64_t from, uint64_t to)
{
	uint64_t whole, rest = value % from;

	/* rest * to fits for what is used here: frequencies up to 10^10, 10^9 ns. */
	if (__builtin_mul_overflow(value / from, to, &whole) || __builtin_mul_overflow(rest, to, &rest) ||
	    __builtin_add_overflow(whole, rest / from, &whole))
		return UINT64_MAX;
	return whole;
}

bool parse_number(const char *text, uint64_t max, uint64_t *value)
{
	uint64_t v = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (!isdigit((unsigned char)*text) || __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*text - '0'), &v) || v > max)
			return false;
	}
	*value = v;
	return true;
}

bool parse_seconds(const char *text, uint64_t *ns)
{
	uint64_t digit = 1000000000, whole, part = 0;
	char copy[32];
	char *dot;

	if (strlen(text) >= sizeof(copy))
		return false;
	strcpy(copy, text);
	dot = strchr(copy, '.');
	if (dot) {
		*dot++ = 0;
		if (!*dot || strlen(dot) > 9)
			return false;
		for (; *dot; dot++) {
			if (!isdigit((unsigned char)*dot))
				return false;
			digit /= 10;
			part += digit * (uint64_t)(*dot - '0');
		}
	}
	if (!parse_number(copy, 1000000000, &whole))
		return false;
	*ns = whole * 1000000000 + part;
	return true;
}

const char *us_text(char text[US_ROOM], uint64_t ns)
{
	(void)snprintf(text, US_ROOM, "%llu.%03u", (unsigned long long)(ns / 1000), (unsigned int)(ns % 1000));
	return text;
}

FILE *out_open(const char *path)
{
	FILE *file;

	if (!strcmp(path, "-"))
		return stdout;
	file = fopen(path, "wb");
	if (!file)
		fail("%s: %s; name a file that can be written", path, strerror(errno));
	return file;
}

int out_close(FILE *file, const char *path)
{
	bool bad = ferror(file) != 0;

	errno = 0;
	bad = (file == stdout ? fflush(file) : fclose(file)) || bad;
	if (bad)
		return fail("%s: cannot be written%s%s; make room or write elsewhere",
			    file == stdout ? "standard output" : path, errno ? ": " : "", errno ? strerror(errno) : "");
	return 0;
}
