/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv/core/console.c and console_tx.c on a line that is slower than its sources: nobody waits, nothing of a port is lost, nobody
 * keeps others from the line, and what the hypervisor itself can't say is counted.
 */
#include "slow_uart.h"

#include <stdio.h>

#define GUESTS 4u
#define LINES_MAX 8192u

/* A guest: a port, and the text that it has still to write. */
static struct guest {
	struct console_port port;
	bool held;
	unsigned int holds, readies;
	unsigned int next;  /* number of the line that is being written */
	unsigned int limit; /* how many lines it has to write */
	char line[200];
	size_t at;
	unsigned int seen; /* lines that came out, in order */
} guests[GUESTS];

static const char *const labels[GUESTS] = { "flood", "rtos", "ivi", "net" };

static struct guest *guest_of(struct console_port *port)
{
	return (struct guest *)((char *)port - offsetof(struct guest, port));
}

static void port_rx(struct console_port *port, char c)
{
	(void)port;
	(void)c;
}

static void port_hold(struct console_port *port)
{
	assert_false(guest_of(port)->held);
	guest_of(port)->held = true;
	guest_of(port)->holds++;
}

static void port_ready(struct console_port *port)
{
	assert_true(guest_of(port)->held);
	guest_of(port)->held = false;
	guest_of(port)->readies++;
}

static const struct console_port_ops port_ops = { .rx = port_rx, .hold = port_hold, .ready = port_ready };

static void monitor_rx(char c)
{
	(void)c;
}

/* Line n of a guest: its number, and a length of its own. */
static void make_line(unsigned int n, char text[200])
{
	int used = snprintf(text, 200, "line %06u ", n);
	int i, more = (int)(n * 7 % 90);

	for (i = 0; i < more; i++)
		text[used + i] = (char)('a' + (int)(n + (unsigned int)i) % 26);
	text[used + more] = '\n';
	text[used + more + 1] = '\0';
}

/* Writes up to n bytes, as far as its port lets it; whatever happens, it keeps to its share of the ring. */
static void guest_write(struct guest *g, unsigned int n)
{
	assert_true(g->port.source->queued <= g->port.source->share);
	for (; n && !g->held && g->next < g->limit; n--) {
		if (!g->at)
			make_line(g->next, g->line);
		console_port_put(&g->port, g->line[g->at++]);
		if (!g->line[g->at]) {
			g->at = 0;
			g->next++;
		}
	}
}

static int begin(void **state)
{
	(void)state;
	slow = (typeof(slow)){ .typed = "" };
	slow_drain();
	for (unsigned int i = 0; i < GUESTS; i++) {
		struct guest *g = &guests[i];

		assert_false(g->held);
		g->holds = g->readies = g->next = g->limit = g->seen = 0;
		g->at = 0;
	}
	console_interactive = false;
	console_async();
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < GUESTS; i++)
		if (guests[i].port.used || guests[i].port.source->queued)
			return -1;
	return 0;
}

/* Checks that a line of the wire is the next one of its guest; false: it isn't a guest's. */
static bool check_line(const char *line, size_t bytes)
{
	char want[240], text[200];

	for (unsigned int i = 0; i < GUESTS; i++) {
		size_t n = strlen(labels[i]);

		if (line[0] != '[' || strncmp(line + 1, labels[i], n) || line[n + 1] != ']')
			continue;
		make_line(guests[i].seen++, text);
		text[strlen(text) - 1] = '\0';
		(void)snprintf(want, sizeof(want), "[%s] %s", labels[i], text);
		assert_int_equal(bytes, strlen(want));
		assert_memory_equal(line, want, bytes);
		return true;
	}
	return false;
}

/* All of the wire is whole lines; each guest's are all there, once, in order. Calls `other` for those of nobody. */
static void check_wire(void (*other)(const char *line, size_t bytes))
{
	const char *line = slow_wire(), *eol;

	while (*line) {
		eol = strstr(line, "\r\n");
		assert_non_null(eol);
		if (!check_line(line, (size_t)(eol - line))) {
			assert_non_null(other);
			other(line, (size_t)(eol - line));
		}
		line = eol + 2;
	}
	for (unsigned int i = 0; i < GUESTS; i++)
		assert_int_equal(guests[i].seen, guests[i].next);
}

/* Until all guests have written what they had to; the line is `speed` bytes fast for each turn of a guest. */
static void run_all(unsigned int speed)
{
	bool more = true;

	while (more) {
		more = false;
		for (unsigned int i = 0; i < GUESTS; i++) {
			guest_write(&guests[i], 40);
			more |= guests[i].next < guests[i].limit;
		}
		for (unsigned int i = 0; i < speed; i++)
			(void)slow_step();
	}
	slow_drain();
}

static void nothing_is_lost_on_a_slow_line(void **state)
{
	(void)state;
	guests[0].limit = 2000;
	run_all(3);
	assert_true(guests[0].holds > 10);
	assert_int_equal(guests[0].holds, guests[0].readies);
	/* An interrupt feeds the FIFO once, and most of it is fed by interrupts. */
	assert_true(slow.interrupts > 1000);
	assert_true(slow.longest <= SLOW_FIFO);
	check_wire(NULL);
}

/* A line that is faster than its sources: they are never held. */
static void a_fast_line_holds_nobody(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < GUESTS; i++)
		guests[i].limit = 500;
	run_all(GUESTS * 60);
	for (unsigned int i = 0; i < GUESTS; i++)
		assert_int_equal(guests[i].holds, 0);
	check_wire(NULL);
}

static const char *find_last(const char *what)
{
	const char *found = NULL, *p = slow.wire;

	slow.wire[slow.used] = '\0';
	while ((p = strstr(p, what)))
		found = p++;
	return found;
}

/* A line of another is never further behind than what the flooding guest may have queued. */
static void a_flood_delays_others_by_its_share_only(void **state)
{
	uint32_t share = guests[0].port.source->share;
	size_t worst = 0;

	(void)state;
	guests[0].limit = 100000;
	for (unsigned int round = 0; round < 60; round++) {
		char text[64];
		size_t before;

		for (unsigned int i = 0; i < 500; i++) {
			guest_write(&guests[0], 100);
			(void)slow_step();
		}
		assert_true(guests[0].held);
		guests[1].limit++;
		before = slow.used;
		guest_write(&guests[1], 1000);
		assert_int_equal(guests[1].next, guests[1].limit); /* it doesn't wait */
		(void)snprintf(text, sizeof(text), "[rtos] line %06u", round);
		while (!find_last(text)) {
			guest_write(&guests[0], 100);
			(void)slow_step();
		}
		worst = MAX(worst, slow.used - before);
	}
	assert_true(worst > share / 4); /* there was a flood */
	assert_true(worst <= share + SLOW_FIFO + 2 * CONSOLE_LINE_BYTES);
	assert_int_equal(guests[1].holds, 0);
	guests[0].limit = guests[0].next + 1;
	run_all(10);
	check_wire(NULL);
}

/* Guests that all flood get the line in equal parts. */
static void floods_share_the_line(void **state)
{
	unsigned int least = 100000, most = 0;

	(void)state;
	for (unsigned int i = 0; i < GUESTS; i++)
		guests[i].limit = LINES_MAX;
	for (unsigned int step = 0; step < 200000; step++) {
		for (unsigned int i = 0; i < GUESTS; i++)
			guest_write(&guests[i], 100);
		(void)slow_step();
	}
	for (unsigned int i = 0; i < GUESTS; i++) {
		least = MIN(least, guests[i].next);
		most = MAX(most, guests[i].next);
		guests[i].limit = guests[i].next + 1;
	}
	assert_true(least > 500);
	assert_true(most - least < least / 10);
	run_all(10);
	check_wire(NULL);
}

/* --- the hypervisor's own text ---------------------------------------------------------------------------------------- */

static unsigned int log_seen, monitor_seen, told_count;
static uint64_t told;

static void own_line(const char *line, size_t bytes)
{
	char want[64];
	unsigned int n;

	if (sscanf(line, "(%u bytes lost)", &n) == 1) {
		told += n;
		told_count++;
		return;
	}
	if (line[0] == 'l') {
		(void)snprintf(want, sizeof(want), "log %06u", log_seen++);
	} else {
		(void)snprintf(want, sizeof(want), "monitor %06u", monitor_seen++);
	}
	assert_int_equal(bytes, strlen(want));
	assert_memory_equal(line, want, bytes);
}

static void write_own(unsigned int n, bool monitor)
{
	char text[64];
	int used = snprintf(text, sizeof(text), "%s %06u\n", monitor ? "monitor" : "log", n);

	if (monitor)
		assert_true(console_monitor_write(text, (size_t)used, false));
	else
		console_write(text, (size_t)used);
}

/* However much guests write: the log and the monitor have their own place. */
static void log_and_monitor_come_through(void **state)
{
	unsigned int n = 0;

	(void)state;
	log_seen = monitor_seen = told_count = 0;
	for (unsigned int i = 0; i < GUESTS; i++)
		guests[i].limit = LINES_MAX;
	for (unsigned int step = 0; step < 100000; step++) {
		for (unsigned int i = 0; i < GUESTS; i++)
			guest_write(&guests[i], 100);
		if (step % 200 == 0) {
			write_own(n, false);
			write_own(n, true);
			n++;
		}
		(void)slow_step();
	}
	for (unsigned int i = 0; i < GUESTS; i++)
		guests[i].limit = guests[i].next + 1;
	run_all(10);
	check_wire(own_line);
	assert_int_equal(log_seen, n);
	assert_int_equal(monitor_seen, n);
	assert_int_equal(told_count, 0);
}

static unsigned int lost_lines;

static void counted_line(const char *line, size_t bytes)
{
	char want[64];
	unsigned int n;

	if (sscanf(line, "(%u bytes lost)", &n) == 1) {
		assert_int_equal(n % 11, 0); /* whole lines are */
		told += n;
		told_count++;
		lost_lines += n / 11;
		log_seen += n / 11; /* and exactly those that would be here */
		return;
	}
	(void)snprintf(want, sizeof(want), "log %06u", log_seen++);
	assert_int_equal(bytes, strlen(want));
	assert_memory_equal(line, want, bytes);
}

static void what_does_not_fit_is_counted_where_it_is_missing(void **state)
{
	unsigned int n = 0;

	(void)state;
	log_seen = told_count = lost_lines = 0;
	told = 0;
	for (unsigned int burst = 0; burst < 5; burst++) {
		for (unsigned int i = 0; i < 1500; i++)
			write_own(n++, false);
		for (unsigned int i = 0; i < 4000; i++)
			(void)slow_step();
	}
	slow_drain();
	check_wire(counted_line);
	assert_true(lost_lines > 1000);
	assert_in_range(told_count, 5, 10);
	/* What was left out last is told too, without another line to come. */
	assert_int_equal(log_seen, n);
}

static void the_monitor_knows_its_room(void **state)
{
	(void)state;
	monitor_seen = told_count = 0;
	for (unsigned int n = 0; n < 2000; n++) {
		while (console_monitor_room() < 15)
			assert_true(slow_step());
		write_own(n, true);
	}
	slow_drain();
	check_wire(own_line);
	assert_int_equal(monitor_seen, 2000);
	assert_int_equal(told_count, 0);
}

/* --- modes ------------------------------------------------------------------------------------------------------------ */

static void raw_bytes_wait_too(void **state)
{
	static char want[40000];
	size_t used = 0;

	(void)state;
	console_interactive = true; /* the first port has the focus */
	while (used + 1 < sizeof(want)) {
		char c = (char)(used % 250 + 1);

		if (c == '\n')
			c = 'n';
		while (guests[0].held)
			assert_true(slow_step());
		console_port_put(&guests[0].port, c);
		want[used++] = c;
	}
	assert_true(guests[0].holds > 3);
	slow_drain();
	assert_string_equal(slow_wire(), want);
	/* Others' lines stay lines; the raw text goes on below. */
	for (const char *p = "tick\n"; *p; p++)
		console_port_put(&guests[1].port, *p);
	console_port_put(&guests[0].port, '\n');
	slow_drain();
	assert_string_equal(slow_wire(), "\r\n[rtos] tick\r\n\r\n");
}

/* The mode changes while a byte is held back: it comes out once. */
static void switching_while_held(void **state)
{
	size_t used = 0, n = 0;

	(void)state;
	console_interactive = true;
	while (!guests[0].held) {
		console_port_put(&guests[0].port, 'x');
		used++;
	}
	console_interactive = false;
	while (guests[0].held)
		assert_true(slow_step());
	console_port_put(&guests[0].port, '\n');
	slow_drain();
	for (const char *p = slow_wire(); *p; p++)
		n += *p == 'x';
	assert_int_equal(n, used);
}

static uint64_t flush_now;

static void pass_flush_time(void)
{
	for (int i = 0; i < 4; i++) {
		flush_now += 2 * CONSOLE_FLUSH_NS;
		host_set_now(flush_now);
		timer_queue_run(&unit_cpu(0)->timers);
	}
}

static void a_prompt_waits_for_room(void **state)
{
	(void)state;
	guests[0].limit = 100000;
	while (!guests[0].held)
		guest_write(&guests[0], 100);
	/* Of another port: comes out. */
	console_port_put(&guests[1].port, '#');
	pass_flush_time();
	guests[0].limit = guests[0].next + (guests[0].at > 0);
	while (guests[0].held || slow.enabled) {
		assert_true(slow_step());
		guest_write(&guests[0], 200);
	}
	slow_drain();
	assert_non_null(strstr(slow_wire(), "\r\n[rtos] #"));
	console_port_put(&guests[1].port, '\n');
	slow_drain();
	assert_string_equal(slow_wire(), ""); /* others have written below */
	guests[0].seen = guests[0].next;
}

/* A prompt of a port whose share is nearly used up isn't allowed to exceed it. */
static void a_prompt_keeps_to_the_share(void **state)
{
	struct console_source *s = guests[2].port.source;
	unsigned int x = 0;

	(void)state;
	while (s->queued + 200 < s->share) {
		for (const char *p = "some line of text\n"; *p; p++)
			console_port_put(&guests[2].port, *p);
	}
	for (int round = 0; round < 100; round++) {
		console_port_put(&guests[2].port, 'x');
		pass_flush_time();
		assert_true(s->queued + CONSOLE_LINE_BYTES <= s->share);
		assert_false(guests[2].held);
	}
	slow_drain();
	pass_flush_time();
	slow_drain();
	for (const char *p = slow_wire(); *p; p++)
		x += *p == 'x' && p[1] != 't'; /* "text" has one too */
	assert_int_equal(x, 100);
	console_port_put(&guests[2].port, '\n');
	slow_drain();
}

/* --- the end ---------------------------------------------------------------------------------------------------------- */

static void panic_brings_everything_out(void **state)
{
	(void)state;
	log_seen = told_count = 0;
	for (unsigned int i = 0; i < GUESTS; i++) {
		guests[i].limit = LINES_MAX;
		guest_write(&guests[i], 10000);
		guests[i].limit = guests[i].next;
	}
	write_own(0, false);
	slow.polled = true;
	console_force_unlock();
	write_own(1, false); /* by polling, and all of it before this returns */
	assert_false(slow.count > SLOW_FIFO);
	while (slow.count)
		slow_pop();
	for (unsigned int i = 0; i < GUESTS; i++) {
		/* What a port held back stays there: its owner may be the one that crashed. */
		assert_true(guests[i].held);
		guests[i].next--;
	}
	check_wire(own_line);
	assert_int_equal(log_seen, 2);
}

/* A line that nobody reads, or a UART that is broken: given up, and what comes later isn't waited for longer. */
static void a_dead_line_is_given_up(void **state)
{
	(void)state;
	write_own(0, false);
	slow.dead = true;
	slow.refused = 0;
	for (unsigned int i = 0; i < 100; i++)
		write_own(i, false);
	assert_int_equal(slow.refused, 1); /* nobody looks while the ring isn't empty */
	console_force_unlock();
	assert_in_range(slow.refused, 1, 200000);
	slow.dead = false;
	slow.polled = true;
	slow.used = slow.count = 0;
	write_own(7, false);
	while (slow.count)
		slow_pop();
	assert_string_equal(slow_wire(), "log 000007\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_is_lost_on_a_slow_line, begin, end),
		cmocka_unit_test_setup_teardown(a_fast_line_holds_nobody, begin, end),
		cmocka_unit_test_setup_teardown(a_flood_delays_others_by_its_share_only, begin, end),
		cmocka_unit_test_setup_teardown(floods_share_the_line, begin, end),
		cmocka_unit_test_setup_teardown(log_and_monitor_come_through, begin, end),
		cmocka_unit_test_setup_teardown(what_does_not_fit_is_counted_where_it_is_missing, begin, end),
		cmocka_unit_test_setup_teardown(the_monitor_knows_its_room, begin, end),
		cmocka_unit_test_setup_teardown(raw_bytes_wait_too, begin, end),
		cmocka_unit_test_setup_teardown(switching_while_held, begin, end),
		cmocka_unit_test_setup_teardown(a_prompt_waits_for_room, begin, end),
		cmocka_unit_test_setup_teardown(a_prompt_keeps_to_the_share, begin, end),
		cmocka_unit_test_setup_teardown(a_dead_line_is_given_up, begin, end),
		cmocka_unit_test_setup(panic_brings_everything_out, begin), /* last: its guests stay held */
	};

	time_init(1000000000);
	unit_cpus(1);
	console_init(&slow_ops, NULL);
	for (unsigned int i = 0; i < GUESTS; i++)
		console_port_add(&guests[i].port, labels[i], &port_ops);
	console_monitor_set(monitor_rx);
	console_input_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
