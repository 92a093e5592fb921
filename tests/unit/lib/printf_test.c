/* SPDX-License-Identifier: Apache-2.0 */
/* hv/lib/printf.c, linked as camber_snprintf: judged by the C library's snprintf wherever ISO C says what comes out. */
#include "support.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

int camber_snprintf(char *buf, size_t size, const char *fmt, ...);

static char got[512], want[512];

/* Formats differ per call: the compiler can't check them here, and needn't. */
#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

#define SAME(...)                                                                                                      \
	do {                                                                                                           \
		int n_ = snprintf(want, sizeof(want), __VA_ARGS__);                                                    \
		assert_int_equal(camber_snprintf(got, sizeof(got), __VA_ARGS__), n_);                                  \
		assert_string_equal(got, want);                                                                        \
	} while (0)

static void numbers_of_all_lengths(void **state)
{
	static const char *const flags[] = { "", "-", "0", "-0" };
	static const char *const widths[] = { "", "1", "7", "24" };
	static const char *const precisions[] = { "", ".", ".0", ".1", ".9", ".23" };
	static const char *const lengths[] = { "hh", "h", "" };
	static const char *const long_lengths[] = { "l", "ll", "z" };
	static const long values[] = { 0, 1, -1, 9, 10, 255, -128, 65535, INT_MAX, INT_MIN, LONG_MAX, LONG_MIN };

	(void)state;
	for (size_t f = 0; f < ARRAY_SIZE(flags); f++)
		for (size_t w = 0; w < ARRAY_SIZE(widths); w++)
			for (size_t p = 0; p < ARRAY_SIZE(precisions); p++)
				for (size_t l = 0; l < 3; l++)
					for (const char *c = "diuxX"; *c; c++)
						for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
							char fmt[32];

							(void)snprintf(fmt, sizeof(fmt), "<%%%s%s%s%s%c>", flags[f],
								       widths[w], precisions[p], lengths[l], *c);
							SAME(fmt, (int)values[v]);
							(void)snprintf(fmt, sizeof(fmt), "<%%%s%s%s%s%c>", flags[f],
								       widths[w], precisions[p], long_lengths[l], *c);
							SAME(fmt, values[v]);
						}
}

static void alternative_form(void **state)
{
	(void)state;
	SAME("%#x %#X %#x", 0x1af, 0x1af, 0);
	SAME("<%#10x> <%-#10x> <%#010x> <%#.5x>", 0x1af, 0x1af, 0x1af, 0x1af);
	SAME("%#lx", 0xdeadbeefcafef00dul);
}

static void strings_and_characters(void **state)
{
	(void)state;
	SAME("%s", "");
	SAME("<%5s> <%-5s> <%.2s> <%5.2s> <%-5.2s> <%2s> <%.0s> <%.s>", "abc", "abc", "abc", "abc", "abc", "abc", "abc",
	     "abc");
	SAME("<%c> <%3c> <%-3c>", 'x', 'y', 'z');
	SAME("100%%");
	assert_int_equal(camber_snprintf(got, sizeof(got), "%s", NULL), 6);
	assert_string_equal(got, "(null)");
}

/* A precision bounds the read: what follows may not be text. */
static void string_without_end(void **state)
{
	char *unterminated = test_malloc(3);

	(void)state;
	memcpy(unterminated, "abc", 3);
	assert_int_equal(camber_snprintf(got, sizeof(got), "%.3s", unterminated), 3);
	assert_string_equal(got, "abc");
	test_free(unterminated);
}

static void pointers(void **state)
{
	(void)state;
	assert_int_equal(camber_snprintf(got, sizeof(got), "%p", (void *)0x1234abcd), 10);
	assert_string_equal(got, "0x1234abcd");
	assert_int_equal(camber_snprintf(got, sizeof(got), "%p", NULL), 3);
	assert_string_equal(got, "0x0");
}

static void never_beyond_the_buffer(void **state)
{
	(void)state;
	for (size_t size = 0; size < 12; size++) {
		memset(got, 'z', sizeof(got));
		assert_int_equal(camber_snprintf(got, size, "%s-%d", "abc", 1234), 8);
		for (size_t i = size; i < sizeof(got); i++)
			assert_int_equal(got[i], 'z');
		if (size) {
			assert_int_equal(strlen(got), MIN(size - 1, 8));
			assert_memory_equal(got, "abc-1234", MIN(size - 1, 8));
		}
	}
	assert_int_equal(camber_snprintf(NULL, 0, "%d", 12345), 5);
}

/* What isn't known is shown as it stands, and its argument not taken. */
static void unknown_conversions(void **state)
{
	(void)state;
	assert_int_equal(camber_snprintf(got, sizeof(got), "a%yb%-5qc", 1), 9);
	assert_string_equal(got, "a%yb%-5qc");
	assert_int_equal(camber_snprintf(got, sizeof(got), "end%"), 4);
	assert_string_equal(got, "end%");
	assert_int_equal(camber_snprintf(got, sizeof(got), "end%08l"), 7);
	assert_string_equal(got, "end%08l");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_of_all_lengths),
		cmocka_unit_test(alternative_form),
		cmocka_unit_test(strings_and_characters),
		cmocka_unit_test(string_without_end),
		cmocka_unit_test(pointers),
		cmocka_unit_test(never_beyond_the_buffer),
		cmocka_unit_test(unknown_conversions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
