/* SPDX-License-Identifier: Apache-2.0 */
/*
 * camber_snprintf() against the C library's: formats put together from the input, so that they are valid and take the
 * arguments that are given; buffers of any size.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int camber_snprintf(char *buf, size_t size, const char *fmt, ...);

#pragma GCC diagnostic ignored "-Wformat-nonliteral"

/* One conversion and text around it; returns its letter. */
static char make_format(struct fuzz_input *in, char *fmt, size_t size, bool *wide)
{
	static const char *const lengths[] = { "hh", "h", "", "l", "ll", "z" };
	static const char kinds[] = "diuxXsc";
	char kind = kinds[fuzz_number(in, 1) % 7];
	uint8_t flags = (uint8_t)fuzz_number(in, 1);
	unsigned int length = fuzz_number(in, 1) % 6;
	bool number = kind != 's' && kind != 'c';
	char width[8] = "", precision[8] = "";

	if (flags & 8)
		(void)snprintf(width, sizeof(width), "%u", 1 + (unsigned int)fuzz_number(in, 1) % 60);
	if ((flags & 16) && kind != 'c')
		(void)snprintf(precision, sizeof(precision), ".%u", (unsigned int)fuzz_number(in, 1) % 60);
	*wide = number && length >= 3;
	(void)snprintf(fmt, size, "<%%%s%s%s%s%s%s%c>", flags & 1 ? "-" : "", (flags & 2) && number ? "0" : "",
		       (flags & 4) && (kind == 'x' || kind == 'X') ? "#" : "", width, precision,
		       number ? lengths[length] : "", kind);
	return kind;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	char want[256], fmt[64], text[32];
	bool wide;
	char kind = make_format(&in, fmt, sizeof(fmt), &wide);
	uint64_t value = fuzz_number(&in, 8);
	size_t room = fuzz_number(&in, 1) % sizeof(want);
	char *got = malloc(room ? room : 1);
	int n, m;

	if (!got)
		return 0;
	(void)snprintf(text, sizeof(text), "%.*s", (int)(in.left % sizeof(text)), (const char *)in.data);
	if (kind == 's') {
		n = snprintf(want, sizeof(want), fmt, text);
		m = camber_snprintf(got, room, fmt, text);
	} else if (wide) {
		n = snprintf(want, sizeof(want), fmt, value);
		m = camber_snprintf(got, room, fmt, value);
	} else {
		/* A %c of NUL would end both texts early: any other byte. */
		int small = kind == 'c' ? (int)(value % 255) + 1 : (int)value;

		n = snprintf(want, sizeof(want), fmt, small);
		m = camber_snprintf(got, room, fmt, small);
	}
	FUZZ_CHECK(n == m);
	if (room) {
		FUZZ_CHECK(strlen(got) == MIN((size_t)n, room - 1));
		FUZZ_CHECK(memcmp(got, want, strlen(got)) == 0);
	}
	free(got);
	return 0;
}
