/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Console: one physical serial line shared by the hypervisor's log, the monitor and every guest's console.
 *
 * Guests' output is collected per port and goes out in whole lines, "[label] text"; a partial line (a prompt) goes out when
 * it has been quiet for CONSOLE_FLUSH_NS. The port that has the focus writes through unprefixed when the console is
 * interactive. Input goes to the port with the focus; CONSOLE_ESCAPE three times moves it on: guests in start order, then
 * the monitor.
 *
 * Nobody waits for the wire while guests run: what the UART doesn't take at once waits in a ring that its transmit interrupt
 * empties. Each source has a share of the ring, so one can't fill another's. A port without room holds its line until there
 * is; the log's and the monitor's text is then left out, counted and told.
 */
#ifndef CAMBER_CONSOLE_H
#define CAMBER_CONSOLE_H

#include "camber/lib.h"
#include "camber/time.h"

#define CONSOLE_ESCAPE CONFIG_CONSOLE_ESCAPE
#define CONSOLE_LINE_BYTES 160
#define CONSOLE_LABEL_BYTES 20
#define CONSOLE_FLUSH_NS 20000000
#define CONSOLE_PORTS CONFIG_VM_MAX

/* What a UART driver gives. Called with the console lock held; none of them waits. */
struct uart_ops {
	/* Takes text until all of it or the FIFO is full; returns how much. Full: the transmit interrupt comes later. */
	size_t (*put)(void *dev, const char *text, size_t n);
	int (*get)(void *dev);                    /* next received byte, or -1 */
	void (*irq_enable)(void *dev);            /* receive interrupt on */
	void (*irq_transmit)(void *dev, bool on); /* transmit interrupt */
	void (*irq_ack)(void *dev);               /* both; before the FIFOs are looked at */
};

/* The port that has the focus writes through, unprefixed and unfiltered. */
extern bool console_interactive;

/* Whose text it is. Under the console lock. */
struct console_source {
	uint32_t queued; /* bytes of the ring that it uses */
	uint32_t share;  /* at most */
	uint32_t lost;   /* bytes that didn't fit and haven't been told */
};

struct console_port;

struct console_port_ops {
	/* A byte for this port's owner. Any CPU, no console lock held. */
	void (*rx)(struct console_port *port, char c);
	/* From within console_port_put(), console lock held: no more bytes until ready(). Sets flags, nothing else. */
	void (*hold)(struct console_port *port);
	/* There is room again. Any CPU, no console lock held; may put bytes, and be held anew. */
	void (*ready)(struct console_port *port);
};

struct console_port {
	struct list node;
	const char *label;
	const struct console_port_ops *ops;
	char line[CONSOLE_LINE_BYTES];
	unsigned int used;
	struct timer flush;
	/* Under the console lock: */
	struct console_source *source;
	uint8_t held; /* what waits in `line`, see console.c */
	char prefix[CONSOLE_LABEL_BYTES];
};

/* Before any output; ops->put is used at once. Until console_async() whoever prints polls for room, bounded. */
void console_init(const struct uart_ops *ops, void *dev);

/* label must outlive the port. Boot only; at most CONSOLE_PORTS ports. */
void console_port_add(struct console_port *port, const char *label, const struct console_port_ops *ops);

/* One byte of the port's output; not while it is held. The owner serialises its calls. */
void console_port_put(struct console_port *port, char c);

/* Who gets the bytes typed while the monitor has the focus; '\f' when it gets the focus. */
void console_monitor_set(void (*rx)(char c));

/*
 * Text of the monitor's; it may end in an unfinished line. With `only_if_open` it is written only if the monitor's unfinished
 * line is still the last thing on the wire; false if it isn't.
 */
bool console_monitor_write(const char *text, size_t n, bool only_if_open);

/*
 * A frame of the trace's, in text that terminals don't show: all of it or, while there is no room, nothing; returns how much. It may
 * stand within another's unfinished line. For struct trace_line; `dev` isn't used.
 */
size_t console_trace_put(void *dev, const char *text, size_t n);

/* How much text of the monitor's surely fits now. */
size_t console_monitor_room(void);

/* Whole lines of the hypervisor's own ('\n' at ends); used as the log's sink. */
void console_write(const char *text, size_t n);

/* Boot: from here on the UART interrupts when bytes arrive. */
void console_input_start(void);

/* Boot, before guests run: from here on nobody waits for the wire, if the UART has an interrupt. */
void console_async(void);

/* Interrupt of the physical UART. */
void console_irq(void);

/* Before a reset: brings out what waits, by polling, bounded. */
void console_flush(void);

/* For panic: breaks the lock that a crashed CPU may hold, brings out what waits, and goes back to polling. */
void console_force_unlock(void);

#endif
