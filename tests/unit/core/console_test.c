/* SPDX-License-Identifier: Apache-2.0 */
/* hv/core/console.c: two guests, the log and the monitor on one wire; what stands on it, byte for byte. */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "camber/console.h"

static struct console_port ivi, rtos;
static char got[3][256]; /* input of ivi, rtos, monitor */

static void got_add(unsigned int i, char c)
{
	size_t n = strlen(got[i]);

	assert_true(n + 1 < sizeof(got[i]));
	got[i][n] = c;
}

static void port_rx(struct console_port *port, char c)
{
	got_add(port == &ivi ? 0 : 1, c);
}

static void monitor_rx(char c)
{
	got_add(2, c);
}

static void port_never(struct console_port *port)
{
	fail_msg("%s was held, and this wire takes everything", port->label);
}

static const struct console_port_ops port_ops = { .rx = port_rx, .hold = port_never, .ready = port_never };

static void say(struct console_port *port, const char *text)
{
	while (*text)
		console_port_put(port, *text++);
}

static int begin(void **state)
{
	(void)state;
	(void)unit_pass(10 * CONSOLE_FLUSH_NS);
	(void)unit_wire();
	memset(got, 0, sizeof(got));
	console_interactive = false;
	return 0;
}

/* A test that left a half line would disturb the next one. */
static int end(void **state)
{
	(void)state;
	return ivi.used || rtos.used ? -1 : 0;
}

static void whole_lines_with_labels(void **state)
{
	(void)state;
	say(&ivi, "hello\r\nwor");
	say(&rtos, "tick\n");
	say(&ivi, "ld\n\n");
	assert_string_equal(unit_wire(), "[ivi] hello\r\n[rtos] tick\r\n[ivi] world\r\n[ivi] \r\n");
}

static void hostile_bytes_do_no_harm(void **state)
{
	(void)state;
	say(&ivi, "\x1b[2J\a\bx\ty\xc3\xa4\r\n");
	assert_string_equal(unit_wire(), "[ivi] ?[2J??x\ty\xc3\xa4\r\n");
}

static void long_lines_are_split(void **state)
{
	char want[600] = "";
	char text[400];
	const char *p = text;
	const char *wire;
	size_t used = 0;

	(void)state;
	for (size_t i = 0; i < 399; i++)
		text[i] = (char)('a' + i % 26);
	text[399] = '\0';
	say(&ivi, text);
	say(&ivi, "\n");
	wire = unit_wire();
	/* Nothing is lost, and each piece fits the buffer. */
	while (*wire) {
		const char *end_of_line = strstr(wire, "\r\n");

		assert_non_null(end_of_line);
		assert_memory_equal(wire, "[ivi] ", 6);
		assert_in_range(end_of_line - wire, 6, 6 + CONSOLE_LINE_BYTES);
		memcpy(&want[used], wire + 6, (size_t)(end_of_line - wire) - 6);
		used += (size_t)(end_of_line - wire) - 6;
		wire = end_of_line + 2;
	}
	assert_string_equal(want, p);
}

static void every_length_up_to_the_buffer(void **state)
{
	(void)state;
	for (size_t n = 1; n <= 2 * CONSOLE_LINE_BYTES; n++) {
		size_t x = 0;

		for (size_t i = 0; i < n; i++)
			console_port_put(&ivi, 'x');
		console_port_put(&ivi, '\n');
		for (const char *p = unit_wire(); *p; p++)
			x += *p == 'x';
		assert_int_equal(x, n);
	}
}

static void prompts_come_out(void **state)
{
	(void)state;
	say(&ivi, "login: ");
	assert_string_equal(unit_wire(), "");
	(void)unit_pass(3 * CONSOLE_FLUSH_NS);
	assert_string_equal(unit_wire(), "[ivi] login: ");
	say(&ivi, "root\n");
	assert_string_equal(unit_wire(), "root\r\n");
}

/* Not while text keeps coming: the line goes out in one piece. */
static void busy_lines_are_not_torn(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		say(&ivi, "word ");
		(void)unit_pass(CONSOLE_FLUSH_NS / 2);
	}
	assert_string_equal(unit_wire(), "");
	say(&ivi, "\n");
	assert_int_equal(strlen(unit_wire()), 6 + 100 + 2);
}

static void a_waiting_prompt_costs_nothing(void **state)
{
	(void)state;
	say(&ivi, "# ");
	(void)unit_pass(10 * CONSOLE_FLUSH_NS);
	assert_string_equal(unit_wire(), "[ivi] # ");
	assert_int_equal(unit_pass(100 * UINT64_C(1000000000)), 0);
	/* And what is echoed then comes out as before. */
	say(&ivi, "ls");
	(void)unit_pass(3 * CONSOLE_FLUSH_NS);
	assert_string_equal(unit_wire(), "ls");
	(void)unit_pass(10 * CONSOLE_FLUSH_NS);
	say(&ivi, " -l");
	(void)unit_pass(3 * CONSOLE_FLUSH_NS);
	assert_string_equal(unit_wire(), " -l");
	say(&ivi, "\n");
	assert_string_equal(unit_wire(), "\r\n");
	(void)unit_pass(10 * CONSOLE_FLUSH_NS);
	assert_int_equal(unit_pass(100 * UINT64_C(1000000000)), 0);
}

static void others_begin_at_the_left_edge(void **state)
{
	static const char log[] = "[    1.000000] vm rtos: started\n";

	(void)state;
	say(&ivi, "login: ");
	(void)unit_pass(3 * CONSOLE_FLUSH_NS);
	console_write(log, strlen(log));
	say(&rtos, "tick\n");
	say(&ivi, "root\n");
	assert_string_equal(unit_wire(), "[ivi] login: \r\n[    1.000000] vm rtos: started\r\n[rtos] tick\r\n"
					 "[ivi] login: root\r\n");
	/* A prompt that others wrote below, ended without more: no empty line of it. */
	say(&ivi, "# ");
	(void)unit_pass(3 * CONSOLE_FLUSH_NS);
	say(&rtos, "tick\n");
	say(&ivi, "\n");
	assert_string_equal(unit_wire(), "[ivi] # \r\n[rtos] tick\r\n");
}

static void input_follows_the_focus(void **state)
{
	(void)state;
	unit_type("a\x01"
		  "b\x01\x01"
		  "c");
	assert_string_equal(got[0], "a\x01"
				    "b\x01\x01"
				    "c");
	unit_type("\x01\x01\x01"
		  "d");
	assert_string_equal(got[1], "d");
	unit_type("\x01\x01\x01"
		  "e\r");
	assert_string_equal(got[2], "\fe\r"); /* shows itself first */
	unit_type("\x01\x01\x01"
		  "f");
	assert_string_equal(got[0], "a\x01"
				    "b\x01\x01"
				    "cf");
	assert_string_equal(unit_wire(),
			    "[console] input to rtos\r\n[console] input to the monitor\r\n[console] input to ivi\r\n");
}

/* More than one interrupt may take: the rest raises none of its own. */
static void a_burst_is_read_to_its_end(void **state)
{
	char burst[151];

	(void)state;
	memset(burst, 'x', sizeof(burst) - 1);
	burst[sizeof(burst) - 1] = '\0';
	unit_type_burst(burst);
	assert_true(strlen(got[0]) < sizeof(burst) - 1); /* bounded */
	(void)unit_pass(1);
	assert_string_equal(got[0], burst);
	assert_int_equal(host_timer(0), TIME_NEVER);
}

static void interactive_writes_through(void **state)
{
	(void)state;
	console_interactive = true;
	say(&ivi, "\x1b[1m# ");
	assert_string_equal(unit_wire(), "\x1b[1m# ");
	say(&rtos, "tick\n");
	say(&ivi, "ls\r\n");
	assert_string_equal(unit_wire(), "\r\n[rtos] tick\r\nls\r\r\n");
	/* The other guest, once it has the focus. */
	unit_type("\x01\x01\x01");
	(void)unit_wire();
	say(&rtos, "x");
	say(&ivi, "y");
	assert_string_equal(unit_wire(), "x");
	say(&ivi, "\n");
	assert_string_equal(unit_wire(), "\r\n[ivi] y\r\n");
	unit_type("\x01\x01\x01\x01\x01\x01");
	console_interactive = false;
}

/* Switched while a line is half in the buffer: it comes out before what is written through. */
static void switching_keeps_the_order(void **state)
{
	(void)state;
	say(&ivi, "half");
	console_interactive = true;
	say(&ivi, " line\n");
	say(&ivi, "through");
	assert_string_equal(unit_wire(), "[ivi] half line\r\nthrough");
	console_interactive = false;
	say(&ivi, "\n");
}

static void survives_a_lock_that_nobody_gives_back(void **state)
{
	(void)state;
	console_force_unlock();
	console_write("still here\n", 11);
	assert_string_equal(unit_wire(), "still here\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(whole_lines_with_labels, begin, end),
		cmocka_unit_test_setup_teardown(hostile_bytes_do_no_harm, begin, end),
		cmocka_unit_test_setup_teardown(long_lines_are_split, begin, end),
		cmocka_unit_test_setup_teardown(every_length_up_to_the_buffer, begin, end),
		cmocka_unit_test_setup_teardown(prompts_come_out, begin, end),
		cmocka_unit_test_setup_teardown(busy_lines_are_not_torn, begin, end),
		cmocka_unit_test_setup_teardown(a_waiting_prompt_costs_nothing, begin, end),
		cmocka_unit_test_setup_teardown(others_begin_at_the_left_edge, begin, end),
		cmocka_unit_test_setup_teardown(input_follows_the_focus, begin, end),
		cmocka_unit_test_setup_teardown(a_burst_is_read_to_its_end, begin, end),
		cmocka_unit_test_setup_teardown(interactive_writes_through, begin, end),
		cmocka_unit_test_setup_teardown(switching_keeps_the_order, begin, end),
		cmocka_unit_test_setup_teardown(survives_a_lock_that_nobody_gives_back, begin, end),
	};

	time_init(1000000000);
	unit_cpus(1);
	console_write("before there is a UART\n", 23);
	(void)unit_wire();
	console_port_add(&ivi, "ivi", &port_ops);
	console_port_add(&rtos, "rtos", &port_ops);
	console_monitor_set(monitor_rx);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
