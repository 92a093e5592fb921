/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv/main/monitor_trace.c on a board without a second UART: the boot argument begins the stream on the console's line, whose text stays
 * what it is without.
 */
#include "main/monitor_unit.h"

#include <stdio.h>

#define MS UINT64_C(1000000)
#define STATE(on, stream) "trace: on " on ", stream " stream ", rate 115200, full overwrite\r\n"
#define ON "meta sched rt psci life fault monitor"

static void pass(uint64_t ns)
{
	uint64_t until = now + ns;

	for (slow_drain(); host_timer(0) <= until; slow_drain()) {
		now = MAX(now, host_timer(0));
		host_set_now(now);
		timer_queue_run(&unit_cpu(0)->timers);
	}
	now = until;
	host_set_now(now);
}

/* The text that the console carried since the last call, and how many frames between. */
static unsigned int frames;
static const char *text_of(const char *wire)
{
	static char text[1 << 16];
	size_t n = 0, length;
	const char *end;

	for (frames = 0; *wire;) {
		if (strncmp(wire, TRACE_CONSOLE_BEGIN, 4)) {
			assert_true(n < sizeof(text) - 1);
			text[n++] = *wire++;
			continue;
		}
		/* Between lines, and whole. */
		assert_true(!n || text[n - 1] == '\n');
		end = strstr(wire, TRACE_CONSOLE_END);
		assert_non_null(end);
		length = strspn(wire + 4, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
		assert_ptr_equal(wire + 4 + length, end);
		assert_in_range(length, 10, (TRACE_CONSOLE_FRAME_BYTES * 4 + 2) / 3);
		frames++;
		wire = end + 2;
	}
	text[n] = '\0';
	return text;
}

static const char *typed(const char *text)
{
	slow_type(text);
	pass(500 * MS);
	return text_of(slow_wire());
}

/* Both classes and those that are on from boot; the stream is there with the monitor. */
static void the_boot_argument_begins_it(void **state)
{
	(void)state;
	pass(3000 * MS);
	assert_non_null(strstr(text_of(slow_wire()), "[console] input to the monitor\r\n"));
	assert_in_range(frames, 3 * 3, 5 * 3 + 20);
	assert_int_equal(unit_cpu(1)->trace.classes, 0x3c1 | TRACE_BIT(RT) | TRACE_BIT(SCHED));
	assert_string_equal(typed("trace\r"), "camber> trace\r\n" STATE(ON, "console"));
}

static void the_text_stays(void **state)
{
	const char *text;

	(void)state;
	/* A record a millisecond: many frames among the lines. */
	slow_type("help\r");
	for (unsigned int i = 0; i < 200; i++) {
		trace(COMMAND, i, 0xffffffff, i, i, i);
		pass(MS);
	}
	text = text_of(slow_wire());
	assert_in_range(frames, 10, 400);
	assert_memory_equal(text, "camber> help\r\nhelp     this list\r\nvm ", 37);
	assert_non_null(strstr(text, "\r\nreboot   reset the board\r\n"));
	assert_null(strchr(text, '\033'));
}

static void there_is_no_other_line(void **state)
{
	(void)state;
	assert_string_equal(
		typed("trace stream own\r"),
		"camber> trace stream own\r\ntrace: the board has no second UART, or a VM owns it\r\n" STATE(
			ON, "console"));
	assert_string_equal(typed("trace stream off\r"), "camber> trace stream off\r\n" STATE(ON, "off"));
	pass(1000 * MS);
	assert_string_equal(text_of(slow_wire()), "");
	assert_string_equal(typed("mem\rmem\r") + 5, strstr(typed("mem\rmem\r"), "r> mem"));
	assert_int_equal(frames, 0);
	/* A dump goes where there is a line. */
	assert_string_equal(typed("trace dump\r"), "camber> trace dump\r\n" STATE(ON, "console"));
	pass(20000 * MS);
	(void)text_of(slow_wire());
	assert_in_range(frames, 20, 10000);
	assert_string_equal(typed("trace stream off\r"), "camber> trace stream off\r\n" STATE(ON, "off"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_boot_argument_begins_it),
		cmocka_unit_test(the_text_stays),
		cmocka_unit_test(there_is_no_other_line),
	};

	(void)file_vm("ivi", 2);
	(void)file_vm("rtos", 1);
	begin_with("trace=frob trace=rt,sched");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
