/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formatted output into a buffer: the subset of ISO C's snprintf that camber/lib.h promises.
 *
 * Never writes beyond the buffer, never allocates, has no %n and no floating point. An unknown conversion is copied as it
 * stands: an odd line in the log is better than none. No state, no locking.
 */
#include "camber/lib.h"

struct out {
	char *buf;
	size_t size;
	size_t len; /* of the whole text, whether it fits or not */
};

struct spec {
	bool left; /* '-' */
	bool zero; /* '0' */
	bool alt;  /* '#' */
	int width;
	int precision;      /* -1: none */
	unsigned int bytes; /* size of the integer argument */
};

static void put(struct out *o, char c)
{
	if (o->len < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void put_n(struct out *o, char c, int n)
{
	for (; n > 0; n--)
		put(o, c);
}

static void put_text(struct out *o, const char *s, size_t n)
{
	for (; n; n--)
		put(o, *s++);
}

static void put_string(struct out *o, const struct spec *f, const char *s)
{
	size_t n;
	int pad;

	if (!s)
		s = "(null)";
	n = f->precision >= 0 ? strnlen(s, (size_t)f->precision) : strlen(s);
	pad = n < (size_t)f->width ? f->width - (int)n : 0;
	if (!f->left)
		put_n(o, ' ', pad);
	put_text(o, s, n);
	if (f->left)
		put_n(o, ' ', pad);
}

/* prefix is "", "-" or "0x"; upper chooses the digits' case. */
static void put_number(struct out *o, const struct spec *f, uint64_t v, unsigned int base, bool upper,
		       const char *prefix)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[20]; /* 2^64 - 1 has 20 decimal digits */
	int n = 0;
	int zeros;
	int pad;

	/* ISO C 7.21.6.1: zero with precision zero has no digits. */
	while (v || (n == 0 && f->precision != 0)) {
		text[n++] = digits[v % base];
		v /= base;
	}
	zeros = f->precision > n ? f->precision - n : 0;
	pad = f->width - n - zeros - (int)strlen(prefix);
	/* A precision, or '-', switches the flag '0' off. */
	if (f->zero && !f->left && f->precision < 0 && pad > 0) {
		zeros = pad;
		pad = 0;
	}
	if (!f->left)
		put_n(o, ' ', pad);
	put_text(o, prefix, strlen(prefix));
	put_n(o, '0', zeros);
	while (n)
		put(o, text[--n]);
	if (f->left)
		put_n(o, ' ', pad);
}

static const char *parse_number(const char *p, int *value)
{
	int v = 0;

	/* Four digits are enough for any column; more would only make put_n() slow. */
	for (; *p >= '0' && *p <= '9'; p++)
		if (v < 1000)
			v = v * 10 + (*p - '0');
	*value = v;
	return p;
}

static const char *parse_spec(const char *p, struct spec *f)
{
	*f = (struct spec){ .precision = -1, .bytes = sizeof(int) };
	for (;; p++) {
		if (*p == '-')
			f->left = true;
		else if (*p == '0')
			f->zero = true;
		else if (*p == '#')
			f->alt = true;
		else
			break;
	}
	p = parse_number(p, &f->width);
	if (*p == '.')
		p = parse_number(p + 1, &f->precision);
	if (p[0] == 'h') {
		f->bytes = p[1] == 'h' ? sizeof(char) : sizeof(short);
		p += p[1] == 'h' ? 2 : 1;
	} else if (p[0] == 'l') {
		f->bytes = sizeof(long);
		p += p[1] == 'l' ? 2 : 1;
	} else if (p[0] == 'z') {
		f->bytes = sizeof(size_t);
		p++;
	}
	return p;
}

_Static_assert(sizeof(long) == 8 && sizeof(long long) == 8 && sizeof(size_t) == 8, "LP64: l, ll and z are the same");

/* Each function converts what va_arg() gave: C's default promotions have made it an int at least. */
static uint64_t narrow_unsigned(uint64_t v, unsigned int bytes)
{
	return bytes == 8 ? v : v & (BIT64(bytes * 8) - 1);
}

static int64_t narrow_signed(int64_t v, unsigned int bytes)
{
	unsigned int shift = 64 - bytes * 8;

	return (int64_t)((uint64_t)v << shift) >> shift;
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct out o = { .buf = buf, .size = size };

	while (*fmt) {
		const char *start = fmt;
		struct spec f;
		uint64_t u;
		int64_t s;

		if (*fmt != '%') {
			put(&o, *fmt++);
			continue;
		}
		fmt = parse_spec(fmt + 1, &f);
		switch (*fmt) {
		case 'd':
		case 'i':
			s = narrow_signed(f.bytes == 8 ? va_arg(ap, long) : va_arg(ap, int), f.bytes);
			u = s < 0 ? 0 - (uint64_t)s : (uint64_t)s;
			put_number(&o, &f, u, 10, false, s < 0 ? "-" : "");
			break;
		case 'u':
		case 'x':
		case 'X':
			u = narrow_unsigned(f.bytes == 8 ? va_arg(ap, unsigned long) : va_arg(ap, unsigned int),
					    f.bytes);
			put_number(&o, &f, u, *fmt == 'u' ? 10 : 16, *fmt == 'X',
				   f.alt && u && *fmt != 'u' ? (*fmt == 'X' ? "0X" : "0x") : "");
			break;
		case 'p':
			put_number(&o, &f, (uintptr_t)va_arg(ap, void *), 16, false, "0x");
			break;
		case 'c': {
			char c = (char)va_arg(ap, int);

			if (!f.left)
				put_n(&o, ' ', f.width - 1);
			put(&o, c);
			if (f.left)
				put_n(&o, ' ', f.width - 1);
			break;
		}
		case 's':
			put_string(&o, &f, va_arg(ap, const char *));
			break;
		case '%':
			put(&o, '%');
			break;
		default:
			put_text(&o, start, (size_t)(fmt - start));
			continue; /* the unknown character, or the end, is looked at as text */
		}
		fmt++;
	}
	if (size)
		buf[MIN(o.len, size - 1)] = '\0';
	return (int)o.len;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}
