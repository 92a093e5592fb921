/* SPDX-License-Identifier: Apache-2.0 */
/* PL011 console: polled output, interrupt-driven input. */
#ifndef RTOS_KERNEL_UART_H
#define RTOS_KERNEL_UART_H

#include <stddef.h>
#include <stdint.h>

/* Output only, any time. */
void uart_init(void);

/* Bytes go out as they are, but LF becomes CR LF. Polls; a dead transmitter loses bytes, never time without end. */
void uart_write(const char *text, size_t length);

/* Starts input; received() runs in the interrupt once bytes are in the ring. Interrupts masked, after gic_init(). */
void uart_listen(void (*received)(void));

/* The next byte, or -1. Bytes that found the ring full were dropped and counted. */
int uart_getc(void);
uint32_t uart_overrun_count(void);

#endif
