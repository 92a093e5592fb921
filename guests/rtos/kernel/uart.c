/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PL011 (DDI 0183). Transmit is polled: a line now and then is not worth an interrupt per FIFO. Receive fills a ring.
 *
 * The ring has one producer (the interrupt) and one consumer (a task) on one CPU; head and tail are each written by one
 * of them, so there is no lock. uart_write() may be called from anywhere, a fault included.
 */
#include "kernel/uart.h"

#include "kernel/arch.h"
#include "kernel/gic.h"

#include "abi/platform.h"

#define UARTDR (GUEST_UART_BASE + 0x000)
#define UARTFR (GUEST_UART_BASE + 0x018)
#define UARTIBRD (GUEST_UART_BASE + 0x024)
#define UARTFBRD (GUEST_UART_BASE + 0x028)
#define UARTLCR_H (GUEST_UART_BASE + 0x02c)
#define UARTCR (GUEST_UART_BASE + 0x030)
#define UARTIFLS (GUEST_UART_BASE + 0x034)
#define UARTIMSC (GUEST_UART_BASE + 0x038)
#define UARTICR (GUEST_UART_BASE + 0x044)

#define UARTFR_RXFE (1u << 4)
#define UARTFR_TXFF (1u << 5)
#define UARTLCR_H_FEN (1u << 4)
#define UARTLCR_H_WLEN8 (3u << 5)
#define UARTCR_UARTEN (1u << 0)
#define UARTCR_TXE (1u << 8)
#define UARTCR_RXE (1u << 9)
#define UARTINT_RX (1u << 4)
#define UARTINT_RT (1u << 6) /* receive timeout: bytes below the FIFO's trigger level */
#define UARTINT_ALL 0x7ffu

/* Divisor in 1/64 (3.3.6): 115200 baud. */
#define UART_BAUD 115200u
#define UART_DIVISOR (GUEST_UART_CLOCK_HZ * 4 / UART_BAUD)

#define UART_FIFO_BYTES 32u     /* bound of one interrupt's work */
#define UART_POLL_LIMIT 200000u /* a byte takes 87 us at 115200 baud */
#define UART_RING_BYTES 256u    /* power of two */

static volatile char ring[UART_RING_BYTES];
static volatile uint32_t ring_head; /* written by the interrupt */
static volatile uint32_t ring_tail; /* written by uart_getc() */
static volatile uint32_t overrun_count;
static void (*uart_received)(void);

void uart_init(void)
{
	mmio_write32(UARTCR, 0);
	mmio_write32(UARTIMSC, 0);
	mmio_write32(UARTLCR_H, 0); /* switching the FIFOs off and on empties them (3.3.7) */
	mmio_write32(UARTICR, UARTINT_ALL);
	mmio_write32(UARTIBRD, UART_DIVISOR / 64);
	mmio_write32(UARTFBRD, UART_DIVISOR % 64);
	mmio_write32(UARTLCR_H, UARTLCR_H_WLEN8 | UARTLCR_H_FEN); /* also latches the divisor */
	mmio_write32(UARTIFLS, 0);                                /* receive interrupt at 1/8 full */
	mmio_write32(UARTCR, UARTCR_UARTEN | UARTCR_TXE | UARTCR_RXE);
}

static void uart_putc(char c)
{
	for (uint32_t i = 0; i < UART_POLL_LIMIT; i++) {
		if (!(mmio_read32(UARTFR) & UARTFR_TXFF)) {
			mmio_write32(UARTDR, (uint8_t)c);
			return;
		}
		cpu_yield();
	}
}

void uart_write(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\n')
			uart_putc('\r');
		uart_putc(text[i]);
	}
}

/* Moves what the FIFO holds, one FIFO at most, to the ring. */
static uint32_t uart_drain(void)
{
	uint32_t count;

	for (count = 0; count < UART_FIFO_BYTES && !(mmio_read32(UARTFR) & UARTFR_RXFE); count++) {
		char c = (char)mmio_read32(UARTDR);

		if (ring_head - ring_tail == UART_RING_BYTES) {
			overrun_count++;
			continue;
		}
		ring[ring_head % UART_RING_BYTES] = c;
		ring_head++;
	}
	return count;
}

/*
 * Reading takes both interrupts back (2.8), so UARTICR isn't written: it would also take back one for bytes that stay
 * behind, and nothing raises that again. Only an interrupt without a byte needs it, and then another look.
 */
static void uart_interrupt(uint64_t entry)
{
	(void)entry;
	if (uart_drain() == 0) {
		mmio_write32(UARTICR, UARTINT_RX | UARTINT_RT);
		uart_drain();
	}
	uart_received();
}

void uart_listen(void (*received)(void))
{
	uart_received = received;
	gic_attach(GUEST_UART_INTID, GIC_PRIORITY_DEVICE, uart_interrupt);
	mmio_write32(UARTIMSC, UARTINT_RX | UARTINT_RT);
}

int uart_getc(void)
{
	char c;

	if (ring_tail == ring_head)
		return -1;
	c = ring[ring_tail % UART_RING_BYTES];
	ring_tail++;
	return (uint8_t)c;
}

uint32_t uart_overrun_count(void)
{
	return overrun_count;
}
