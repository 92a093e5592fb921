/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv/lib/string.c against the C library: every combination of alignment and length where the word loops begin and end,
 * with guard bytes around. Our functions are linked as camber_*.
 */
#include "support.h"

#include <errno.h>
#include <string.h>

#include "camber/lib.h"

void *camber_memcpy(void *restrict dst, const void *restrict src, size_t n);
void *camber_memmove(void *dst, const void *src, size_t n);
void *camber_memset(void *dst, int c, size_t n);
int camber_memcmp(const void *a, const void *b, size_t n);
void *camber_memchr(const void *s, int c, size_t n);
size_t camber_strlen(const char *s);
size_t camber_strnlen(const char *s, size_t max);
int camber_strcmp(const char *a, const char *b);
int camber_strncmp(const char *a, const char *b, size_t n);
char *camber_strchr(const char *s, int c);
char *camber_strrchr(const char *s, int c);

#define LEN_MAX 70
#define SPAN 128

static unsigned char source[SPAN], got[SPAN], want[SPAN];

static void fill(void)
{
	for (unsigned int i = 0; i < SPAN; i++) {
		source[i] = (unsigned char)(i * 7 + 1);
		got[i] = want[i] = (unsigned char)(0xee ^ i);
	}
}

static void copies(void **state)
{
	(void)state;
	for (size_t d = 0; d < 16; d++)
		for (size_t s = 0; s < 16; s++)
			for (size_t n = 0; n <= LEN_MAX; n++) {
				fill();
				assert_ptr_equal(camber_memcpy(&got[16 + d], &source[16 + s], n), &got[16 + d]);
				memcpy(&want[16 + d], &source[16 + s], n);
				assert_memory_equal(got, want, SPAN);
			}
}

static void moves(void **state)
{
	(void)state;
	for (size_t d = 0; d < 40; d++)
		for (size_t s = 0; s < 40; s++)
			for (size_t n = 0; n <= LEN_MAX; n++) {
				fill();
				assert_ptr_equal(camber_memmove(&got[d], &got[s], n), &got[d]);
				memmove(&want[d], &want[s], n);
				assert_memory_equal(got, want, SPAN);
			}
}

static void fills(void **state)
{
	(void)state;
	for (size_t d = 0; d < 16; d++)
		for (size_t n = 0; n <= LEN_MAX; n++) {
			fill();
			assert_ptr_equal(camber_memset(&got[16 + d], 0x1a5, n), &got[16 + d]);
			memset(&want[16 + d], 0xa5, n);
			assert_memory_equal(got, want, SPAN);
		}
}

static int sign(int v)
{
	return (v > 0) - (v < 0);
}

static void compares(void **state)
{
	unsigned char a[40], b[40];

	(void)state;
	for (size_t n = 0; n <= 24; n++)
		for (size_t at = 0; at <= n; at++)
			for (size_t shift = 0; shift < 9; shift++) {
				memset(a, 0x80, sizeof(a));
				memset(b, 0x80, sizeof(b));
				assert_int_equal(camber_memcmp(&a[shift], b, n), 0);
				a[shift + at] = 0x7f; /* at == n: beyond what is compared */
				assert_int_equal(sign(camber_memcmp(&a[shift], b, n)), at == n ? 0 : -1);
				assert_int_equal(sign(camber_memcmp(b, &a[shift], n)), at == n ? 0 : 1);
			}
}

static void searches(void **state)
{
	static const char text[] = "abc\xff"
				   "abc";

	(void)state;
	assert_ptr_equal(camber_memchr(text, 'c', 7), &text[2]);
	assert_null(camber_memchr(text, 'c', 2));
	assert_ptr_equal(camber_memchr(text, 0xff, 7), &text[3]);
	assert_ptr_equal(camber_strchr(text, 'b'), &text[1]);
	assert_ptr_equal(camber_strchr(text, '\0'), &text[7]);
	assert_null(camber_strchr(text, 'x'));
	assert_ptr_equal(camber_strrchr(text, 'b'), &text[5]);
	assert_ptr_equal(camber_strrchr(text, '\0'), &text[7]);
	assert_null(camber_strrchr(text, 'x'));
	assert_string_equal(str_nth("off\0\0on", 0), "off");
	assert_string_equal(str_nth("off\0\0on", 1), "");
	assert_string_equal(str_nth("off\0\0on", 2), "on");
	assert_int_equal(camber_strlen(text), 7);
	assert_int_equal(camber_strlen(""), 0);
	assert_int_equal(camber_strnlen(text, 3), 3);
	assert_int_equal(camber_strnlen(text, 100), 7);
}

static void string_compares(void **state)
{
	(void)state;
	assert_int_equal(camber_strcmp("", ""), 0);
	assert_int_equal(camber_strcmp("abc", "abc"), 0);
	assert_true(camber_strcmp("abc", "abcd") < 0);
	assert_true(camber_strcmp("abd", "abc") > 0);
	assert_true(camber_strcmp("\xff", "a") > 0); /* as unsigned char, ISO C 7.24.4 */
	assert_int_equal(camber_strncmp("abc", "abd", 2), 0);
	assert_true(camber_strncmp("abc", "abd", 3) < 0);
	assert_int_equal(camber_strncmp("abc", "abc", 99), 0);
	assert_int_equal(camber_strncmp("x", "y", 0), 0);
	assert_true(camber_strncmp("\xff", "a", 1) > 0);
}

static void string_copies(void **state)
{
	char out[8];

	(void)state;
	memset(out, 'z', sizeof(out));
	assert_int_equal(str_copy(out, "abc", 4), 3);
	assert_string_equal(out, "abc");
	assert_int_equal(out[4], 'z');
	assert_int_equal(str_copy(out, "abcdef", 4), 6);
	assert_string_equal(out, "abc");
	assert_int_equal(out[4], 'z');
	assert_int_equal(str_copy(out, "abc", 1), 3);
	assert_string_equal(out, "");
}

static void numbers(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint64_t value;
	} cases[] = {
		{ "0", 0, 0 },
		{ "42", 0, 42 },
		{ "007", 0, 7 }, /* not octal: decimal and hexadecimal only */
		{ "0x0", 0, 0 },
		{ "0xdeadBEEF", 0, 0xdeadbeef },
		{ "0XfF", 0, 255 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "99999999999999999999999", -ERANGE, 0 },
		{ "0xffffffffffffffff", 0, UINT64_MAX },
		{ "0x10000000000000000", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "0x", -EINVAL, 0 },
		{ "x1", -EINVAL, 0 },
		{ "12a", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 },
		{ "0xg", -EINVAL, 0 },
		{ "99999999999999999999999x", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t value = 0x5a;

		assert_int_equal(str_to_u64(cases[i].text, &value), cases[i].result);
		assert_int_equal(value, cases[i].result ? 0x5a : cases[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies),   cmocka_unit_test(moves),         cmocka_unit_test(fills),
		cmocka_unit_test(compares), cmocka_unit_test(searches),      cmocka_unit_test(string_compares),
		cmocka_unit_test(numbers),  cmocka_unit_test(string_copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
