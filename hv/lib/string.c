/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strings and memory blocks with ISO C's names and semantics, for a hypervisor without a C library.
 *
 * Written for -mgeneral-regs-only and -mstrict-align: no access is ever unaligned, because early boot runs with the MMU
 * off, where memory is Device memory and an unaligned access faults (Arm ARM B2.7.2). Never calls anything outside this
 * file: the compiler itself emits calls to memcpy and memset. No state, no locking.
 */
#include "camber/errno.h"
#include "camber/lib.h"

/* The compiler must not recognise the loops below as the functions they implement. */
#ifndef __clang__
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#endif

/* Memory seen as words whatever its declared type. */
typedef uint64_t __attribute__((may_alias)) word_t;

#define WORD sizeof(word_t)

static inline bool word_aligned(const void *a, const void *b)
{
	return (((uintptr_t)a | (uintptr_t)b) & (WORD - 1)) == 0;
}

/* Can both become aligned by the same number of single bytes? */
static inline bool same_phase(const void *a, const void *b)
{
	return (((uintptr_t)a ^ (uintptr_t)b) & (WORD - 1)) == 0;
}

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
	unsigned char *d = dst;
	const unsigned char *s = src;

	if (same_phase(d, s)) {
		for (; n && !word_aligned(d, s); n--)
			*d++ = *s++;
		for (; n >= 2 * WORD; n -= 2 * WORD, d += 2 * WORD, s += 2 * WORD) {
			word_t a = ((const word_t *)(const void *)s)[0];
			word_t b = ((const word_t *)(const void *)s)[1];

			((word_t *)(void *)d)[0] = a;
			((word_t *)(void *)d)[1] = b;
		}
		if (n >= WORD) {
			*(word_t *)(void *)d = *(const word_t *)(const void *)s;
			n -= WORD, d += WORD, s += WORD;
		}
	}
	for (; n; n--)
		*d++ = *s++;
	return dst;
}

__cold void *memmove(void *dst, const void *src, size_t n)
{
	unsigned char *d = dst;
	const unsigned char *s = src;

	/* One comparison: d before s, or behind its end (the difference wraps). */
	if ((uintptr_t)d - (uintptr_t)s >= n) {
		if (!same_phase(d, s)) {
			for (; n; n--)
				*d++ = *s++;
			return dst;
		}
		for (; n && !word_aligned(d, s); n--)
			*d++ = *s++;
		for (; n >= WORD; n -= WORD, d += WORD, s += WORD)
			*(word_t *)(void *)d = *(const word_t *)(const void *)s;
		for (; n; n--)
			*d++ = *s++;
		return dst;
	}
	d += n;
	s += n;
	if (same_phase(d, s)) {
		for (; n && !word_aligned(d, s); n--)
			*--d = *--s;
		for (; n >= WORD; n -= WORD) {
			d -= WORD;
			s -= WORD;
			*(word_t *)(void *)d = *(const word_t *)(const void *)s;
		}
	}
	for (; n; n--)
		*--d = *--s;
	return dst;
}

void *memset(void *dst, int c, size_t n)
{
	unsigned char *d = dst;
	word_t pattern = (unsigned char)c * (word_t)UINT64_C(0x0101010101010101);

	for (; n && !word_aligned(d, d); n--)
		*d++ = (unsigned char)c;
	for (; n >= 2 * WORD; n -= 2 * WORD, d += 2 * WORD) {
		((word_t *)(void *)d)[0] = pattern;
		((word_t *)(void *)d)[1] = pattern;
	}
	for (; n; n--)
		*d++ = (unsigned char)c;
	return dst;
}

__cold int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a;
	const unsigned char *y = b;

	if (word_aligned(x, y))
		for (; n >= WORD && *(const word_t *)(const void *)x == *(const word_t *)(const void *)y; n -= WORD)
			x += WORD, y += WORD;
	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

__cold void *memchr(const void *s, int c, size_t n)
{
	const unsigned char *p = s;

	for (; n; n--, p++)
		if (*p == (unsigned char)c)
			return (void *)(uintptr_t)p;
	return NULL;
}

size_t strlen(const char *s)
{
	const char *end = s;

	while (*end)
		end++;
	return (size_t)(end - s);
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; n--, a++, b++) {
		if (*a != *b)
			return (unsigned char)*a - (unsigned char)*b;
		if (!*a)
			return 0;
	}
	return 0;
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)(uintptr_t)s;
		if (!*s)
			return NULL;
	}
}

char *strrchr(const char *s, int c)
{
	const char *found = NULL;

	for (;; s++) {
		if (*s == (char)c)
			found = s;
		if (!*s)
			return (char *)(uintptr_t)found;
	}
}

const char *str_nth(const char *list, unsigned int n)
{
	while (n--)
		list += strlen(list) + 1;
	return list;
}

size_t str_copy(char *dst, const char *src, size_t size)
{
	size_t n = strlen(src);
	size_t copied = MIN(n, size - 1);

	memcpy(dst, src, copied);
	dst[copied] = '\0';
	return n;
}

/* Value of a digit, or 255. */
static unsigned int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A') + 10;
	return 255;
}

int str_to_u64(const char *s, uint64_t *value)
{
	unsigned int base = 10;
	uint64_t v = 0;
	bool over = false;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		base = 16;
		s += 2;
	}
	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		unsigned int digit = digit_value(*s);

		if (digit >= base)
			return -EINVAL;
		/* Goes on after an overflow: "99…9x" is malformed rather than too large. */
		over |= __builtin_mul_overflow(v, (uint64_t)base, &v);
		over |= __builtin_add_overflow(v, (uint64_t)digit, &v);
	}
	if (over)
		return -ERANGE;
	*value = v;
	return 0;
}
