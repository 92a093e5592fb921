/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Console, the way to the wire: the UART's FIFO, and a ring in front of it for what the FIFO doesn't take at once.
 *
 * While the ring is empty text goes straight into the FIFO; where the FIFO always has room, as an emulated one has, the ring
 * stays empty and costs a comparison. The ring holds records, a source's number, a length, the bytes: so what leaves is
 * credited to whom it belongs to, and a source that keeps to its share can't find the ring full. Must never wait while
 * guests run; before that, and in a panic, it polls, and gives up on a line that takes nothing for TX_POLLS looks.
 * Locking: console_lock for everything, held by the callers of console_priv.h.
 */
#include "camber/trace.h"
#include "console_priv.h"

#define RING_BYTES 32768u /* a power of two */
#define LOG_SHARE 6144u
#define MONITOR_SHARE 6144u
#define TRACE_SHARE 256u /* one frame: it waits where it was recorded rather than here */
#define PORT_SHARE ((RING_BYTES - LOG_SHARE - MONITOR_SHARE - TRACE_SHARE) / CONSOLE_PORTS)
#define HEADER_BYTES 2u /* source, length */

_Static_assert(TRACE_SHARE >= TRACE_CONSOLE_FRAME_BYTES * 4 / 3 + 8 + CONSOLE_TX_SLACK, "a frame fits");
_Static_assert(PORT_SHARE / 2 >= CONSOLE_LINE_BYTES + CONSOLE_LABEL_BYTES + CONSOLE_TX_SLACK,
	       "a held line fits when half of the share is free");

/* Bytes per transmit interrupt: more than any PL011's FIFO takes, so that only its being full ends a turn on hardware. */
#define TX_BUDGET 64u

/* At 115,200 baud a byte takes 87 us; a poll takes at least a few ns of bus time. After that the rest is dropped. */
#define TX_POLLS 100000u

struct spinlock console_lock;
const struct uart_ops *console_uart;
void *console_uart_dev;

struct console_source console_sources[CONSOLE_SOURCES] = {
	[CONSOLE_LOG] = { .share = LOG_SHARE },
	[CONSOLE_MONITOR] = { .share = MONITOR_SHARE },
	[CONSOLE_TRACE] = { .share = TRACE_SHARE },
	[CONSOLE_FIRST_PORT... CONSOLE_SOURCES - 1] = { .share = PORT_SHARE },
};

static uint8_t ring[RING_BYTES];
static struct {
	uint32_t head, tail; /* bytes of the ring ever added, ever taken; modulo 2^32 */
	uint32_t left;       /* of the record that is being taken */
	uint8_t leaving;     /* source of the record that is being taken */
	bool interrupts;     /* the UART has an interrupt that arrives */
	bool async;          /* nobody polls */
	bool transmit_on;    /* the transmit interrupt is enabled */
} tx;

void console_init(const struct uart_ops *ops, void *dev)
{
	console_uart = ops;
	console_uart_dev = dev;
}

static uint8_t *at(uint32_t pos)
{
	return &ring[pos % RING_BYTES];
}

static __cold void ring_add(struct console_source *s, const char *text, size_t n)
{
	size_t part;

	for (; n; n -= part) {
		part = MIN(n, UINT8_MAX);
		*at(tx.head++) = (uint8_t)(s - console_sources);
		*at(tx.head++) = (uint8_t)part;
		s->queued += (uint32_t)part + HEADER_BYTES;
		for (size_t i = 0; i < part; i++)
			*at(tx.head++) = (uint8_t)*text++;
	}
}

/*
 * Moves up to `budget` bytes into the FIFO. Whatever a crashed CPU left in the ring, or another one does to it in a panic, it
 * comes to an end.
 */
static __cold void drain(uint32_t budget)
{
	uint32_t n, taken;

	while (budget && tx.head - tx.tail <= RING_BYTES && (tx.left || tx.head - tx.tail > HEADER_BYTES)) {
		if (!tx.left) {
			tx.leaving = *at(tx.tail);
			tx.left = *at(tx.tail + 1);
			tx.tail += HEADER_BYTES;
			if (tx.leaving >= CONSOLE_SOURCES)
				tx.leaving = 0;
			console_sources[tx.leaving].queued -= HEADER_BYTES;
		}
		n = MIN(MIN(tx.left, budget), MIN(tx.head - tx.tail, RING_BYTES - tx.tail % RING_BYTES));
		taken = (uint32_t)console_uart->put(console_uart_dev, (const char *)at(tx.tail), n);
		tx.tail += taken;
		tx.left -= taken;
		budget -= taken;
		console_sources[tx.leaving].queued -= taken;
		if (taken < n || !n)
			return;
	}
}

/* By polling. What a dead line doesn't take is dropped. */
static __cold void flush(void)
{
	unsigned int polls = TX_POLLS, i;
	uint32_t before;

	while (tx.head != tx.tail && tx.head - tx.tail <= RING_BYTES && polls) {
		before = tx.tail;
		drain(UINT32_MAX);
		polls = tx.tail == before ? polls - 1 : TX_POLLS;
		arch_cpu_relax();
	}
	tx.tail = tx.head;
	tx.left = 0;
	for (i = 0; i < CONSOLE_SOURCES; i++)
		console_sources[i].queued = 0;
}

static void transmit_irq(bool on)
{
	if (tx.transmit_on != on)
		console_uart->irq_transmit(console_uart_dev, on);
	tx.transmit_on = on;
}

void console_tx_put(struct console_source *s, const char *text, size_t n)
{
	size_t done = 0;

	if (!console_uart)
		return;
	if (likely(tx.head == tx.tail))
		done = console_uart->put(console_uart_dev, text, n);
	if (likely(done == n))
		return;
	ring_add(s, text + done, n - done);
	if (tx.async)
		transmit_irq(true);
	else
		flush();
}

void console_tx_run(void)
{
	if (!tx.transmit_on)
		return;
	drain(TX_BUDGET);
	if (tx.head == tx.tail)
		transmit_irq(false);
}

bool console_tx_waits(void)
{
	return READ_ONCE(tx.transmit_on);
}

void console_input_start(void)
{
	if (!console_uart)
		return;
	console_uart->irq_enable(console_uart_dev);
	tx.interrupts = true;
}

void console_async(void)
{
	tx.async = tx.interrupts;
}

void console_flush(void)
{
	spin_lock(&console_lock);
	if (console_uart)
		flush();
	spin_unlock(&console_lock);
}

void console_force_unlock(void)
{
	console_lock = (struct spinlock){ 0 };
	tx.async = false;
	console_flush();
}
