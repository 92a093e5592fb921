/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Console: multiplexes one serial line between the log, the monitor and the guests' consoles.
 *
 * An ordinary byte of a guest costs a store and a compare: it goes into its port's line buffer, which only the port's owner
 * writes (the caller serialises its own bytes, as a virtual UART does with its lock). The console lock is taken at the end
 * of a line only. A partial line, a prompt, is brought out by a timer; what it has put out is remembered in `flushed`, so
 * the owner's end of line adds the rest. Must never log: the log's sink leads here.
 * Locking: console_lock guards the wire, `open_port`, the focus, and each port's `flushed`, `seen` and reset of `used`.
 * It is taken inside the log lock; rx functions are called without it.
 */
#include "camber/console.h"

#include "camber/pcpu.h"

bool console_interactive; /* the focused port writes through, unprefixed and unfiltered */

/* Bytes taken from the UART in one interrupt; the rest raises it again. */
#define RX_BUDGET 64

/*
 * The end of a port's line buffer holds three counters, a byte each: how much of the line is out, how much there was when
 * the flush timer last looked, and how full the line may become before a byte takes the long way.
 */
#define TEXT_BYTES (CONSOLE_LINE_BYTES - 3u)
_Static_assert(TEXT_BYTES <= UINT8_MAX, "the counters are bytes");

/* Values of `room`: all but the first and the last byte of a line, or none because the flush timer has gone to sleep. */
#define ROOM_LINE (TEXT_BYTES - 2u)
#define ROOM_NONE 0u

static struct spinlock console_lock;
static const struct uart_ops *uart;
static void *uart_dev;
static struct list ports = { &ports, &ports }; /* in start order; written at boot only */
static struct console_port *focus;             /* NULL: the monitor */
static struct console_port *open_port;         /* whose partial line is the last thing on the wire */
static void (*monitor_rx)(char c);
static unsigned int escapes; /* received in a row */

static inline unsigned char *flushed(struct console_port *port)
{
	return (unsigned char *)&port->line[TEXT_BYTES];
}

static inline unsigned char *seen(struct console_port *port)
{
	return (unsigned char *)&port->line[TEXT_BYTES + 1];
}

static inline unsigned char *room(struct console_port *port)
{
	return (unsigned char *)&port->line[TEXT_BYTES + 2];
}

static void wire(const char *text, size_t n)
{
	if (uart && n)
		uart->put(uart_dev, text, n);
}

static void wire_string(const char *text)
{
	wire(text, strlen(text));
}

/* Ends another's partial line, so that what follows begins at the left edge. */
static void wire_take(struct console_port *port)
{
	if (open_port && open_port != port)
		wire_string("\r\n");
	if (open_port != port)
		open_port = NULL;
}

/* Text with '\n' at line ends only; console_lock held. */
static void wire_lines(const char *text, size_t n)
{
	while (n) {
		const char *end = memchr(text, '\n', n);
		size_t part = end ? (size_t)(end - text) : n;

		wire(text, part);
		if (!end)
			return;
		wire_string("\r\n");
		text += part + 1;
		n -= part + 1;
	}
}

void console_init(const struct uart_ops *ops, void *dev)
{
	uart = ops;
	uart_dev = dev;
}

void console_write(const char *text, size_t n)
{
	spin_lock(&console_lock);
	wire_take(NULL);
	wire_lines(text, n);
	spin_unlock(&console_lock);
}

/* --- guests' output ------------------------------------------------------------------------------------------------- */

static inline bool writes_through(const struct console_port *port)
{
	return console_interactive && port == focus;
}

/* Puts out what of the line isn't out yet, with the label if it has to begin anew; console_lock held. */
static void flush_line(struct console_port *port, unsigned int used)
{
	unsigned int from = *flushed(port);

	wire_take(port);
	if (open_port != port) {
		wire_string("[");
		wire_string(port->label);
		wire_string("] ");
	}
	wire(&port->line[from], used - from);
	open_port = port;
}

/*
 * Looks at the line every CONSOLE_FLUSH_NS while there is one, and puts it out when nothing was added since the last look.
 * When all is out it sends the owner's next byte the long way, which arms the timer again, and sleeps after one look more:
 * by then a byte that was on the short way just now is seen. So a prompt that waits for hours costs nothing.
 */
static void flush_timer(struct timer *t)
{
	struct console_port *port = container_of(t, struct console_port, flush);
	bool again;
	unsigned int used;

	spin_lock(&console_lock);
	/* Acquire pairs with the release in line_add(): the bytes below `used` are written. */
	used = __atomic_load_n(&port->used, __ATOMIC_ACQUIRE);
	again = used != 0;
	if (used > *flushed(port)) {
		if (used == *seen(port)) {
			flush_line(port, used);
			*flushed(port) = (unsigned char)used;
		}
		*seen(port) = (unsigned char)used;
	} else if (used) {
		again = READ_ONCE(*room(port)) != ROOM_NONE;
		WRITE_ONCE(*room(port), ROOM_NONE);
	}
	spin_unlock(&console_lock);
	if (again)
		timer_arm(t, &arch_pcpu()->timers, arch_now() + time_ns_to_ticks(CONSOLE_FLUSH_NS));
}

/* The line is complete, or its buffer full: all of it goes out and the buffer is empty. */
static void end_line(struct console_port *port)
{
	unsigned int used = port->used;

	spin_lock(&console_lock);
	/* Nothing to add to a prompt that others have written below. */
	if (used == 0 || used > *flushed(port) || open_port == port) {
		/* Another wrote below the part that is out: the line comes again, whole, for whoever looks for it. */
		if (open_port != port)
			*flushed(port) = 0;
		flush_line(port, used);
		wire_string("\r\n");
		open_port = NULL;
	}
	*flushed(port) = 0;
	*seen(port) = 0;
	__atomic_store_n(&port->used, 0, __ATOMIC_RELAXED);
	spin_unlock(&console_lock);
}

static void put_through(struct console_port *port, char c)
{
	spin_lock(&console_lock);
	wire_take(port);
	/* A guest that sends CR itself does no harm with a second one; one that doesn't would make stairs. */
	if (c == '\n')
		wire_string("\r\n");
	else
		wire(&c, 1);
	open_port = c == '\n' ? NULL : port;
	spin_unlock(&console_lock);
}

static void line_add(struct console_port *port, unsigned int used, char c)
{
	port->line[used] = c;
	/* Release pairs with the acquire in flush_timer(). */
	__atomic_store_n(&port->used, used + 1, __ATOMIC_RELEASE);
}

/* First and last byte of a line, or after a pause; control characters; a port that writes through. */
static void __attribute__((noinline)) put_special(struct console_port *port, char c)
{
	unsigned int used = port->used;

	if (used == 0 && writes_through(port)) {
		put_through(port, c);
		return;
	}
	if (c == '\r')
		return;
	if (c == '\n') {
		end_line(port);
		return;
	}
	if ((unsigned char)c < ' ' && c != '\t')
		c = '?';
	line_add(port, used, c);
	if (used + 1 == TEXT_BYTES) {
		end_line(port);
		return;
	}
	WRITE_ONCE(*room(port), ROOM_LINE);
	/* `used` before the look at the timer: flush_timer() is taken off its queue first and looks at `used` then. */
	arch_mb();
	if (!timer_armed(&port->flush))
		timer_arm(&port->flush, &arch_pcpu()->timers, arch_now() + time_ns_to_ticks(CONSOLE_FLUSH_NS));
}

void console_port_put(struct console_port *port, char c)
{
	unsigned int used = port->used;

	if (likely((unsigned char)c >= ' ' && used - 1 < READ_ONCE(*room(port))))
		line_add(port, used, c);
	else
		put_special(port, c);
}

/* --- input ---------------------------------------------------------------------------------------------------------- */

void console_port_add(struct console_port *port, const char *label, void (*rx)(struct console_port *port, char c))
{
	port->label = label;
	port->rx = rx;
	port->used = 0;
	*flushed(port) = 0;
	*seen(port) = 0;
	*room(port) = ROOM_LINE;
	timer_init(&port->flush, flush_timer);
	if (list_empty(&ports))
		focus = port;
	list_add_tail(&port->node, &ports);
}

void console_monitor_set(void (*rx)(char c))
{
	monitor_rx = rx;
}

/* The next target: guests in start order, then the monitor if there is one; console_lock held. */
static void focus_next(void)
{
	const struct list *next = focus ? focus->node.next : ports.next;

	if (next == &ports && !monitor_rx)
		next = ports.next;
	focus = next == &ports ? NULL : list_entry(next, struct console_port, node);
	wire_take(NULL);
	wire_string("[console] input to ");
	wire_string(focus ? focus->label : monitor_rx ? "the monitor" : "nobody");
	wire_string("\r\n");
}

/*
 * Escapes are held back until it is known that they aren't three in a row. Returns how many of them are delivered now,
 * before c, and whether c itself is; console_lock held.
 */
static unsigned int escape_filter(char c, bool *deliver)
{
	unsigned int held = escapes;

	*deliver = false;
	if (c == CONSOLE_ESCAPE) {
		if (++escapes == 3) {
			escapes = 0;
			focus_next();
		}
		return 0;
	}
	escapes = 0;
	*deliver = true;
	return held;
}

static void deliver_to(struct console_port *port, char c)
{
	if (port) {
		if (port->rx)
			port->rx(port, c);
	} else if (monitor_rx) {
		monitor_rx(c);
	}
}

void console_input_start(void)
{
	if (uart)
		uart->irq_enable(uart_dev);
}

void console_irq(void)
{
	if (!uart)
		return;
	/* Acknowledged before the first read: a byte that comes after the last one raises the interrupt anew. */
	spin_lock(&console_lock);
	uart->irq_ack(uart_dev);
	spin_unlock(&console_lock);
	for (unsigned int n = 0; n < RX_BUDGET; n++) {
		struct console_port *to;
		unsigned int held;
		bool deliver;
		int c;

		spin_lock(&console_lock);
		c = uart->get(uart_dev);
		if (c < 0) {
			spin_unlock(&console_lock);
			return;
		}
		held = escape_filter((char)c, &deliver);
		to = focus;
		spin_unlock(&console_lock);
		for (; held; held--)
			deliver_to(to, CONSOLE_ESCAPE);
		if (deliver)
			deliver_to(to, (char)c);
	}
}

void console_force_unlock(void)
{
	console_lock = (struct spinlock){ 0 };
}
