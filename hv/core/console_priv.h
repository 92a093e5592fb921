/* SPDX-License-Identifier: Apache-2.0 */
/* Between the console's files: console.c (lines, focus, input) and console_tx.c (the way to the wire). */
#ifndef CONSOLE_PRIV_H
#define CONSOLE_PRIV_H

#include "camber/console.h"

/* Guards all of both files. */
extern struct spinlock console_lock;

extern const struct uart_ops *console_uart; /* NULL: none */
extern void *console_uart_dev;

/* The ring's users. */
enum {
	CONSOLE_LOG,
	CONSOLE_MONITOR,
	CONSOLE_TRACE,
	CONSOLE_FIRST_PORT,
	CONSOLE_SOURCES = CONSOLE_FIRST_PORT + CONSOLE_PORTS
};
extern struct console_source console_sources[CONSOLE_SOURCES];

/* All of the following with console_lock held. */

/* What a text of a few pieces may cost beyond its bytes: headers, and the end of another's line. */
#define CONSOLE_TX_SLACK 16u

/* True if n bytes, written in a few pieces, fit. */
static inline bool console_tx_fits(const struct console_source *s, size_t n)
{
	return s->queued + n + CONSOLE_TX_SLACK <= s->share;
}

/* To the wire, or in order behind what waits. Text that doesn't fit the ring is the caller's mistake. */
void console_tx_put(struct console_source *s, const char *text, size_t n);

/* Transmit interrupt: feeds the UART, bounded. */
void console_tx_run(void);

/* True if text waits, so that there will be another transmit interrupt. No lock needed on the CPU that takes it. */
bool console_tx_waits(void);

#endif
