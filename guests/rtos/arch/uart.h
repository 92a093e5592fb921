/* SPDX-License-Identifier: Apache-2.0 */
/* PL011 console: polled output, interrupt-driven input (which is public: rtos_console_read()). */
#ifndef RTOS_ARCH_UART_H
#define RTOS_ARCH_UART_H

#include <stddef.h>

/* Output only, any time. */
void uart_init(void);

/* Bytes go out as they are, but LF becomes CR LF. Polls; a dead transmitter loses bytes, never time without end. */
void uart_write(const char *text, size_t length);

/* Starts input, for rtos_console_read(). Interrupts masked, after gic_init(). */
void uart_listen(void);

#endif
