/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PL011 (DDI 0183). Transmit is polled, by whoever writes, with interrupts enabled: more urgent tasks are not held up.
 * Receive is by interrupt, into a queue of the kernel's.
 *
 * uart_write() may be called from anywhere, a fault included; tasks that want their lines whole take a mutex of their
 * own (libc/syscalls.c).
 */
#include "arch/uart.h"

#include "arch/cpu.h"
#include "arch/gic.h"
#include "rtos.h"

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
#define UART_BUFFER_BYTES 256u

static uint8_t received_bytes[UART_BUFFER_BYTES];
static struct rtos_queue received;
static uint32_t overrun_count;

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

/* Moves what the FIFO holds, one FIFO at most, to the queue. */
static uint32_t uart_drain(void)
{
	uint32_t count;

	for (count = 0; count < UART_FIFO_BYTES && !(mmio_read32(UARTFR) & UARTFR_RXFE); count++) {
		uint8_t byte = (uint8_t)mmio_read32(UARTDR);

		if (rtos_queue_send(&received, &byte, RTOS_NO_WAIT) != RTOS_OK)
			overrun_count++;
	}
	return count;
}

/*
 * Reading takes both interrupts back (2.8), so UARTICR isn't written: it would also take back one for bytes that stay
 * behind, and nothing raises that again. Only an interrupt without a byte needs it, and then another look.
 */
static void uart_interrupt(void *arg)
{
	(void)arg;
	if (uart_drain() == 0) {
		mmio_write32(UARTICR, UARTINT_RX | UARTINT_RT);
		uart_drain();
	}
}

void uart_listen(void)
{
	rtos_queue_init(&received, received_bytes, 1, UART_BUFFER_BYTES);
	gic_attach(GUEST_UART_INTID, RTOS_IRQ_NORMAL, uart_interrupt, NULL);
	mmio_write32(UARTIMSC, UARTINT_RX | UARTINT_RT);
}

int rtos_console_read(char *text, size_t count, uint64_t deadline)
{
	size_t got;
	int result;

	for (got = 0; got < count; got++) {
		result = rtos_queue_receive(&received, text + got, got ? RTOS_NO_WAIT : deadline);
		if (result != RTOS_OK)
			return got ? (int)got : result;
	}
	return (int)got;
}

uint32_t rtos_console_overrun_count(void)
{
	return overrun_count;
}
