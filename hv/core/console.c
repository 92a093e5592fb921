/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Console: multiplexes one serial line between the log, the monitor and the guests' consoles.
 *
 * An ordinary byte of a guest costs a store and a compare: it goes into its port's line buffer, which only the port's owner
 * writes (the caller serialises its own bytes, as a virtual UART does with its lock). The console lock is taken at the end
 * of a line only. A partial line, a prompt, is brought out by a timer; what it has put out is remembered in `flushed`, so
 * the owner's end of line adds the rest. A line for which the port's share of the ring (console_tx.c) has no room stays in
 * the buffer, and the owner is told to hold on until half of the share is free. Must never log: the log's sink leads here.
 * Locking: console_lock guards the wire, `open_source`, the focus, and each port's source, `held`, `flushed`, `seen` and reset
 * of `used`. It is taken inside the log lock; rx and ready functions are called without it.
 */
#include "camber/console.h"

#include "camber/panic.h"
#include "camber/pcpu.h"
#include "console_priv.h"

#ifdef CONFIG_CONSOLE_INTERACTIVE
bool console_interactive = true;
#else
bool console_interactive;
#endif

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

/* What a port holds back in its line buffer. */
enum { HELD_NOTHING, HELD_LINE, HELD_BYTE };

static struct list ports = { &ports, &ports }; /* in start order; written at boot only */
static struct console_port *focus;             /* NULL: the monitor */
static struct console_source *open_source;     /* whose partial line is the last thing on the wire */
static struct list *released = &ports;         /* the port whose turn it was last */
static unsigned int port_count, held_count;
static void (*monitor_rx)(char c);
static unsigned int escapes; /* received in a row */

static void rx_more(struct timer *t);
static struct timer rx_again = { { &rx_again.node, &rx_again.node }, 0, rx_more, NULL };

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

static void wire_string(struct console_source *s, const char *text)
{
	console_tx_put(s, text, strlen(text));
}

/* Ends another's partial line, so that what follows begins at the left edge. */
static void wire_take(struct console_source *s)
{
	if (open_source && open_source != s)
		wire_string(s, "\r\n");
	if (open_source != s)
		open_source = NULL;
}

/* Text with '\n' at line ends only; console_lock held. */
static void wire_lines(struct console_source *s, const char *text, size_t n)
{
	wire_take(s);
	while (n) {
		const char *end = memchr(text, '\n', n);
		size_t part = end ? (size_t)(end - text) : n;

		if (part)
			console_tx_put(s, text, part);
		open_source = end ? NULL : s;
		if (!end)
			return;
		wire_string(s, "\r\n");
		text += part + 1;
		n -= part + 1;
	}
}

/* Once half of the share is free: what has been left out. */
static __cold void tell_lost(struct console_source *s)
{
	char text[32];

	if (!s->lost || s->queued > s->share / 2)
		return;
	wire_lines(s, text, (size_t)snprintf(text, sizeof(text), "(%u bytes lost)\n", s->lost));
	s->lost = 0;
}

/* The hypervisor's own text: there is nobody who could wait. All of it fits, or it is counted. console_lock held. */
static void own_lines(struct console_source *s, const char *text, size_t n)
{
	tell_lost(s);
	/* Every byte may be an end of line, and cost two records. */
	if (likely(!s->lost && console_tx_fits(s, 4 * n)))
		wire_lines(s, text, n);
	else
		s->lost += (uint32_t)n;
}

void console_write(const char *text, size_t n)
{
	spin_lock(&console_lock);
	own_lines(&console_sources[CONSOLE_LOG], text, n);
	spin_unlock(&console_lock);
}

bool console_monitor_write(const char *text, size_t n, bool only_if_open)
{
	struct console_source *s = &console_sources[CONSOLE_MONITOR];
	bool open;

	spin_lock(&console_lock);
	open = open_source == s || !only_if_open;
	if (open)
		own_lines(s, text, n);
	spin_unlock(&console_lock);
	return open;
}

size_t console_trace_put(void *dev __unused, const char *text, size_t n)
{
	struct console_source *s = &console_sources[CONSOLE_TRACE];
	bool fits;

	spin_lock(&console_lock);
	fits = console_tx_fits(s, n);
	if (fits)
		console_tx_put(s, text, n);
	spin_unlock(&console_lock);
	return fits ? n : 0;
}

size_t console_monitor_room(void)
{
	/* Only the monitor's own text makes it less. */
	uint32_t room = console_sources[CONSOLE_MONITOR].share - READ_ONCE(console_sources[CONSOLE_MONITOR].queued);

	return room > CONSOLE_TX_SLACK ? (room - CONSOLE_TX_SLACK) / 4 : 0;
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

	wire_take(port->source);
	if (open_source != port->source)
		wire_string(port->source, port->prefix);
	if (used > from)
		console_tx_put(port->source, &port->line[from], used - from);
	open_source = port->source;
}

static bool line_fits(const struct console_port *port)
{
	return console_tx_fits(port->source, CONSOLE_LINE_BYTES + CONSOLE_LABEL_BYTES);
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
	again = used != 0 && !port->held;
	if (again && used > *flushed(port)) {
		if (used == *seen(port) && line_fits(port)) {
			flush_line(port, used);
			*flushed(port) = (unsigned char)used;
		}
		*seen(port) = (unsigned char)used;
	} else if (again) {
		again = READ_ONCE(*room(port)) != ROOM_NONE;
		WRITE_ONCE(*room(port), ROOM_NONE);
	}
	spin_unlock(&console_lock);
	if (again)
		timer_arm(t, &arch_pcpu()->timers, arch_now() + time_ns_to_ticks(CONSOLE_FLUSH_NS));
}

static void line_empty(struct console_port *port)
{
	*flushed(port) = 0;
	*seen(port) = 0;
	__atomic_store_n(&port->used, 0, __ATOMIC_RELAXED);
}

/* All of a complete line goes out; console_lock held, and there is room. */
static void line_out(struct console_port *port)
{
	unsigned int used = port->used;

	/* Nothing to add to a prompt that others have written below. */
	if (used == 0 || used > *flushed(port) || open_source == port->source) {
		/* Another wrote below the part that is out: the line comes again, whole, for whoever looks for it. */
		if (open_source != port->source)
			*flushed(port) = 0;
		flush_line(port, used);
		wire_string(port->source, "\r\n");
		open_source = NULL;
	}
	line_empty(port);
}

static void hold(struct console_port *port, uint8_t what)
{
	port->held = what;
	held_count++;
	port->ops->hold(port);
}

/* The line is complete, or its buffer full: all of it goes out and the buffer is empty; or it waits for room. */
static void end_line(struct console_port *port)
{
	spin_lock(&console_lock);
	if (likely(line_fits(port)))
		line_out(port);
	else
		hold(port, HELD_LINE);
	spin_unlock(&console_lock);
}

static void put_through(struct console_port *port, char c)
{
	spin_lock(&console_lock);
	if (likely(line_fits(port))) {
		wire_lines(port->source, &c, 1); /* CR and LF, or it would make stairs */
	} else {
		port->line[0] = c;
		port->used = 1;
		hold(port, HELD_BYTE);
	}
	spin_unlock(&console_lock);
}

/*
 * After the ring was drained: what a port holds goes out once half of its share is free. One port in an interrupt, each in
 * its turn, as long as there will be another interrupt. No lock held.
 */
static __cold void release_next(void)
{
	struct list *l = released;
	struct console_port *port;
	unsigned int n;
	bool ready;

	for (n = 0; n < port_count; n++) {
		l = l->next == &ports ? ports.next : l->next;
		port = list_entry(l, struct console_port, node);
		spin_lock(&console_lock);
		ready = port->held && port->source->queued <= port->source->share / 2;
		if (ready) {
			if (port->held == HELD_LINE)
				line_out(port);
			else
				wire_lines(port->source, port->line, 1);
			line_empty(port);
			port->held = HELD_NOTHING;
			held_count--;
		}
		spin_unlock(&console_lock);
		if (!ready)
			continue;
		released = l;
		port->ops->ready(port);
		if (console_tx_waits())
			return;
	}
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

__cold void console_port_add(struct console_port *port, const char *label, const struct console_port_ops *ops)
{
	port->label = label;
	port->ops = ops;
	line_empty(port);
	*room(port) = ROOM_LINE;
	(void)snprintf(port->prefix, sizeof(port->prefix), "[%s] ", label);
	timer_init(&port->flush, flush_timer);
	ASSERT(port_count < CONSOLE_PORTS);
	port->source = &console_sources[CONSOLE_FIRST_PORT + port_count++];
	if (list_empty(&ports))
		focus = port;
	list_add_tail(&port->node, &ports);
}

__cold void console_monitor_set(void (*rx)(char c))
{
	monitor_rx = rx;
}

/* The next target: guests in start order, then the monitor; console_lock held. */
static __cold void focus_next(void)
{
	const struct list *next = focus ? focus->node.next : ports.next;
	char text[64];

	focus = next == &ports ? NULL : list_entry(next, struct console_port, node);
	own_lines(&console_sources[CONSOLE_MONITOR], text,
		  (size_t)snprintf(text, sizeof(text), "[console] input to %s\n",
				   focus ? focus->label : "the monitor"));
}

/*
 * Escapes are held back until it is known that they aren't three in a row. Returns how many of them are delivered now,
 * before *c, and whether *c itself is: the third one becomes a form feed for the monitor that got the focus, so that it
 * shows itself. console_lock held.
 */
static unsigned int escape_filter(char *c, bool *deliver)
{
	unsigned int before = escapes;

	*deliver = false;
	if (*c == CONSOLE_ESCAPE) {
		if (++escapes == 3) {
			escapes = 0;
			focus_next();
			*c = '\f';
			*deliver = !focus;
		}
		return 0;
	}
	escapes = 0;
	*deliver = true;
	return before;
}

static void deliver_to(struct console_port *port, char c)
{
	if (port)
		port->ops->rx(port, c);
	else if (monitor_rx) /* not before it is there */
		monitor_rx(c);
}

static void rx_more(struct timer *t __unused)
{
	console_irq();
}

void console_irq(void)
{
	if (!console_uart)
		return;
	/*
	 * Acknowledged before the FIFOs are looked at: a byte that comes after the last one read raises the interrupt anew,
	 * and so does room in a FIFO that was filled.
	 */
	spin_lock(&console_lock);
	console_uart->irq_ack(console_uart_dev);
	console_tx_run();
	tell_lost(&console_sources[CONSOLE_LOG]);
	tell_lost(&console_sources[CONSOLE_MONITOR]);
	spin_unlock(&console_lock);
	if (unlikely(READ_ONCE(held_count)))
		release_next();
	for (unsigned int n = 0; n < RX_BUDGET; n++) {
		struct console_port *to;
		unsigned int before;
		bool deliver;
		char c;
		int got;

		spin_lock(&console_lock);
		got = console_uart->get(console_uart_dev);
		c = (char)got;
		before = got < 0 ? 0 : escape_filter(&c, &deliver);
		to = focus;
		spin_unlock(&console_lock);
		if (got < 0)
			return;
		for (; before; before--)
			deliver_to(to, CONSOLE_ESCAPE);
		if (deliver)
			deliver_to(to, c);
	}
	/* Bytes that are in the FIFO already raise no interrupt any more: the timer queue gives the others their turn first. */
	timer_arm(&rx_again, &arch_pcpu()->timers, arch_now());
}
