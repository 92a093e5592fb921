/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Console: one physical serial line shared by the hypervisor's log, the monitor and every guest's console.
 *
 * Guests' output is collected per port and goes out in whole lines, "[label] text"; a partial line (a prompt) goes out when
 * it has been quiet for CONSOLE_FLUSH_NS. The port that has the focus writes through unprefixed when the console is
 * interactive. Input goes to the port with the focus; CONSOLE_ESCAPE three times moves it on: guests in start order, then
 * the monitor.
 */
#ifndef CAMBER_CONSOLE_H
#define CAMBER_CONSOLE_H

#include "camber/lib.h"
#include "camber/time.h"

#define CONSOLE_ESCAPE 0x01 /* Ctrl-A, as Xen */
#define CONSOLE_LINE_BYTES 160
#define CONSOLE_FLUSH_NS 20000000

/* What a UART driver gives. Called with the console lock held. */
struct uart_ops {
	void (*put)(void *dev, const char *text, size_t n); /* waits for room, bounded */
	int (*get)(void *dev);                              /* next received byte, or -1 */
	void (*irq_enable)(void *dev);                      /* receive interrupt on */
	void (*irq_ack)(void *dev);
};

/* The port that has the focus writes through, unprefixed and unfiltered. */
extern bool console_interactive;

struct console_port {
	struct list node;
	const char *label;
	/* A byte for this port's owner. Any CPU, no console lock held. */
	void (*rx)(struct console_port *port, char c);
	/* Under the console lock: */
	char line[CONSOLE_LINE_BYTES];
	unsigned int used;
	struct timer flush;
};

/* Before any output; ops->put is used at once. */
void console_init(const struct uart_ops *ops, void *dev);

/* label must outlive the port; rx may be NULL. Boot only. */
void console_port_add(struct console_port *port, const char *label, void (*rx)(struct console_port *port, char c));

/* One byte of the port's output. */
void console_port_put(struct console_port *port, char c);

/* Who gets the bytes typed while the monitor has the focus. */
void console_monitor_set(void (*rx)(char c));

/* Whole lines of the hypervisor's own ('\n' at ends); used as the log's sink. */
void console_write(const char *text, size_t n);

/* Boot: from here on the UART interrupts when bytes arrive. */
void console_input_start(void);

/* Receive interrupt of the physical UART. */
void console_irq(void);

/* For panic: break the lock that a crashed CPU may hold. */
void console_force_unlock(void);

#endif
