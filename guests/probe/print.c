/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Console output: a small printf over the polled PL011. Only the boot CPU prints, and never while something is timed.
 * Formats: %s %c %d %u %x %% with optional 0, width, l.
 */
#include "probe.h"

#include "abi/platform.h"
#include "dev.h"

#define LINE_BYTES 400

struct sink {
	char *at, *end;
};

static void put(struct sink *s, char c)
{
	if (s->at < s->end)
		*s->at++ = c;
}

static void put_number(struct sink *s, uint64_t value, unsigned int base, bool negative, unsigned int width, char pad)
{
	char digits[24];
	unsigned int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	if (negative)
		digits[n++] = '-';
	for (; width > n; width--)
		put(s, pad);
	while (n)
		put(s, digits[--n]);
}

int format(char *buf, size_t size, const char *fmt, __builtin_va_list ap)
{
	struct sink s = { buf, buf + size - 1 };

	for (; *fmt; fmt++) {
		unsigned int width = 0;
		bool is_long = false;
		char pad = ' ';
		int64_t value;

		if (*fmt != '%') {
			put(&s, *fmt);
			continue;
		}
		if (*++fmt == '0')
			pad = '0';
		while (*fmt >= '0' && *fmt <= '9')
			width = width * 10 + (unsigned int)(*fmt++ - '0');
		while (*fmt == 'l')
			is_long = true, fmt++;
		switch (*fmt) {
		case 's':
			for (const char *t = __builtin_va_arg(ap, const char *); *t; t++)
				put(&s, *t);
			break;
		case 'c':
			put(&s, (char)__builtin_va_arg(ap, int));
			break;
		case 'd':
			value = is_long ? __builtin_va_arg(ap, int64_t) : __builtin_va_arg(ap, int);
			put_number(&s, value < 0 ? -(uint64_t)value : (uint64_t)value, 10, value < 0, width, pad);
			break;
		case 'u':
		case 'x':
			put_number(&s, is_long ? __builtin_va_arg(ap, uint64_t) : __builtin_va_arg(ap, unsigned int),
				   *fmt == 'x' ? 16 : 10, false, width, pad);
			break;
		default:
			put(&s, '%');
			if (*fmt != '%')
				fmt--;
			break;
		}
	}
	*s.at = '\0';
	return (int)(s.at - buf);
}

static void uart_put(char c)
{
	/* Bounded: a console that stays full must not hang the tests behind it. */
	for (unsigned int i = 0; i < 1000000 && read32(GUEST_UART_BASE + UARTFR) & UARTFR_TXFF; i++)
		cpu_yield();
	write32(GUEST_UART_BASE + UARTDR, (uint8_t)c);
}

void print(const char *fmt, ...)
{
	char line[LINE_BYTES];
	__builtin_va_list ap;

	__builtin_va_start(ap, fmt);
	format(line, sizeof(line), fmt, ap);
	__builtin_va_end(ap);
	for (const char *t = line; *t; t++) {
		if (*t == '\n')
			uart_put('\r');
		uart_put(*t);
	}
}

void print_init(void)
{
	write32(GUEST_UART_BASE + UARTCR, 0);
	write32(GUEST_UART_BASE + UARTIMSC, 0);
	write32(GUEST_UART_BASE + UARTLCR_H, UARTLCR_H_8BIT | UARTLCR_H_FEN);
	write32(GUEST_UART_BASE + UARTCR, UARTCR_UARTEN | UARTCR_TXE | UARTCR_RXE);
}
