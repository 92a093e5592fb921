/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A UART on a slow line, for tests: a FIFO of 16 bytes that slow_step() empties byte by byte onto a wire that is recorded, with
 * the transmit interrupt of a PL011 (DDI 0183 G, 2.8.2): raised when the FIFO's level passes 2 on the way down, cleared by an
 * acknowledgement, and seen by nobody while it is masked.
 */
#ifndef UNIT_SLOW_UART_H
#define UNIT_SLOW_UART_H

#include "support.h"

#include <string.h>

#include "camber/console.h"

#define SLOW_FIFO 16u
#define SLOW_LEVEL 2u

static struct {
	char wire[1 << 20];
	size_t used;
	char fifo[SLOW_FIFO];
	unsigned int count;
	bool raised, enabled;
	bool polled;                               /* each look at a full FIFO takes as long as a byte */
	bool dead;                                 /* takes nothing */
	unsigned int interrupts, refused, longest; /* most bytes taken in one interrupt */
	unsigned int taken;
	const char *typed;
} slow = { .typed = "" };

static void slow_pop(void)
{
	if (!slow.count)
		return;
	assert_true(slow.used < sizeof(slow.wire));
	slow.wire[slow.used++] = slow.fifo[0];
	memmove(slow.fifo, slow.fifo + 1, --slow.count);
	if (slow.count == SLOW_LEVEL)
		slow.raised = true;
}

static size_t slow_put(void *dev, const char *text, size_t n)
{
	size_t done = 0;

	(void)dev;
	if (slow.count == SLOW_FIFO && slow.polled)
		slow_pop();
	while (done < n && slow.count < SLOW_FIFO && !slow.dead)
		slow.fifo[slow.count++] = text[done++];
	slow.refused += done < n;
	slow.taken += (unsigned int)done;
	return done;
}

static int slow_get(void *dev)
{
	(void)dev;
	return *slow.typed ? (unsigned char)*slow.typed++ : -1;
}

static void slow_irq_enable(void *dev)
{
	(void)dev;
}

static void slow_irq_transmit(void *dev, bool on)
{
	(void)dev;
	slow.enabled = on;
}

static void slow_irq_ack(void *dev)
{
	(void)dev;
	slow.raised = false;
}

static const struct uart_ops slow_ops = {
	.put = slow_put,
	.get = slow_get,
	.irq_enable = slow_irq_enable,
	.irq_transmit = slow_irq_transmit,
	.irq_ack = slow_irq_ack,
};

/* A byte leaves; the interrupt comes if there is one. False: nothing was left to leave. */
static bool slow_step(void)
{
	bool any = slow.count;

	slow_pop();
	if (slow.raised && slow.enabled) {
		slow.interrupts++;
		slow.taken = 0;
		console_irq();
		slow.longest = MAX(slow.longest, slow.taken);
	}
	return any;
}

/* Until everything has left. */
static inline void slow_drain(void)
{
	while (slow_step())
		;
	assert_false(slow.enabled);
}

static inline void slow_type(const char *text)
{
	slow.typed = text;
	while (*slow.typed)
		console_irq();
}

/* What the wire carried since the last call. */
static inline const char *slow_wire(void)
{
	static char copy[sizeof(slow.wire) + 1];

	memcpy(copy, slow.wire, slow.used);
	copy[slow.used] = '\0';
	slow.used = 0;
	return copy;
}

#endif
