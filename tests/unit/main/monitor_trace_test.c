/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv/main/monitor_trace.c on a board whose second UART is the trace's: what is typed, what is heard on that line, what is answered and
 * what comes out there. A tick is a nanosecond.
 */
#include "main/monitor_unit.h"

#include <stdio.h>

#include "camber/sched.h"

#define MS UINT64_C(1000000)
#define ALL "meta exit sched rt irq timer psci life fault monitor"
#define AT_BOOT "meta psci life fault monitor"
#define STATE(on, stream, rate, full) "trace: on " on ", stream " stream ", rate " rate ", full " full "\r\n"
#define UNKNOWN(verb, word, allowed) "trace " verb ": unknown argument \"" word "\"; allowed: " allowed "\r\n"
#define MISSING(verb, allowed) "trace " verb ": argument missing; allowed: " allowed "\r\n"

/* --- the trace's UART: takes what it has room for, and what has come is decoded as abi/trace.h says -------------------- */

static struct {
	uint8_t block[TRACE_FRAME_BYTES + 2];
	size_t used;
	size_t bytes;
	bool dead;
	const char *typed;
	unsigned int acks;
	unsigned int cut; /* frames that end before their end */
	/* Frames by kind; of the last status. */
	unsigned int frames[4];
	uint64_t hz, rate, classes;
	uint8_t flags, all_flags;
	unsigned int records;
	uint32_t first_words; /* event << 3 | words of the last frame's first record */
} line = { .typed = "" };

static uint64_t varint(const uint8_t **p)
{
	uint64_t v = 0;

	for (unsigned int shift = 0;; shift += 7) {
		v |= (uint64_t)(**p & 0x7f) << shift;
		if (!(*(*p)++ & 0x80))
			return v;
	}
}

static void frame(const uint8_t *f, size_t n)
{
	const uint8_t *p = f + 2;
	uint32_t crc;

	assert_in_range(n, 7, TRACE_FRAME_BYTES);
	memcpy(&crc, f + n - 4, 4);
	assert_int_equal(crc, crc32(0, f, n - 4));
	assert_int_equal(f[0] >> 4, TRACE_VERSION);
	assert_in_range(f[0] & 15, TRACE_FRAME_RECORDS, TRACE_FRAME_VM);
	line.frames[f[0] & 15]++;
	if ((f[0] & 15) == TRACE_FRAME_STATUS) {
		line.hz = varint(&p);
		(void)varint(&p);
		line.classes = varint(&p);
		line.all_flags |= line.flags = *p++;
		line.rate = varint(&p);
	} else if ((f[0] & 15) == TRACE_FRAME_RECORDS) {
		p++;
		for (unsigned int i = 0; i < 4; i++)
			(void)varint(&p);
		for (line.first_words = *p; p < f + n - 4; line.records++)
			for (unsigned int i = 2 + (varint(&p) & 7); i > 1; i--)
				(void)varint(&p);
	}
}

/* COBS, a block of at most 254 bytes. */
static void end_of_block(void)
{
	uint8_t out[TRACE_FRAME_BYTES + 2];
	size_t n = 0, at = 0;

	while (at < line.used) {
		size_t next = at + line.block[at];

		assert_true(next > at);
		if (next > line.used) {
			line.cut++;
			line.used = 0;
			return;
		}
		for (at++; at < next; at++)
			out[n++] = line.block[at];
		if (at < line.used)
			out[n++] = 0;
	}
	if (n)
		frame(out, n);
	line.used = 0;
}

static size_t line_put(void *dev, const char *bytes, size_t n)
{
	assert_ptr_equal(dev, &line);
	if (line.dead)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (!bytes[i]) {
			end_of_block();
		} else {
			assert_true(line.used < sizeof(line.block));
			line.block[line.used++] = (uint8_t)bytes[i];
		}
	line.bytes += n;
	return n;
}

static int line_get(void *dev)
{
	assert_ptr_equal(dev, &line);
	return *line.typed ? (unsigned char)*line.typed++ : -1;
}

static void line_ack(void *dev)
{
	assert_ptr_equal(dev, &line);
	line.acks++;
}

/* As many are taken in an interrupt. */
#define TURN_BYTES 80

static const struct uart_ops line_ops = { .put = line_put, .get = line_get, .irq_ack = line_ack };

/* --- what is done ------------------------------------------------------------------------------------------------------ */

/* Time goes on, with its timer interrupts, while the console's line carries what waits. */
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

/* What the console carries, after this was typed in the monitor, without prompt and echo. */
static const char *answer(const char *text)
{
	static char typed[100]; /* the console looks at its end later, too */
	char want[100];
	const char *wire;

	(void)snprintf(typed, sizeof(typed), "%s\r", text);
	(void)snprintf(want, sizeof(want), "camber> %s\r\n", text);
	slow_type(typed);
	pass(200 * MS);
	wire = slow_wire();
	assert_memory_equal(wire, want, strlen(want));
	return wire + strlen(want);
}

/* What the console carries after this has come on the trace's line: one interrupt, which doesn't last, and turns. */
static const char *heard(const char *text)
{
	line.typed = text;
	host_trace_uart_interrupt();
	assert_int_equal(line.typed - text, MIN(strlen(text), (size_t)TURN_BYTES));
	pass(200 * MS);
	assert_int_equal(*line.typed, '\0');
	line.typed = "";
	return slow_wire();
}

static void check_classes(uint32_t classes)
{
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(unit_cpu(i)->trace.classes, classes);
}

/* As after boot, what was there is on the wire and forgotten. */
static int as_booted(void **state)
{
	(void)state;
	line.dead = false;
	(void)heard("\n");
	(void)answer("trace stream off");
	pass(2000 * MS);
	assert_int_equal(host_timer(0), TIME_NEVER);
	(void)answer("trace off");
	(void)answer("trace on psci life fault monitor");
	(void)answer("trace rate 115200");
	assert_string_equal(answer("trace full overwrite"), STATE(AT_BOOT, "off", "115200", "overwrite"));
	line.bytes = line.records = line.cut = 0;
	memset(line.frames, 0, sizeof(line.frames));
	return 0;
}

/* --- tests ------------------------------------------------------------------------------------------------------------- */

static void classes_go_on_and_off(void **state)
{
	(void)state;
	assert_string_equal(answer("trace"), STATE(AT_BOOT, "off", "115200", "overwrite"));
	check_classes(0x3c1);
	assert_string_equal(answer("trace on rt exit"),
			    STATE("meta exit rt psci life fault monitor", "off", "115200", "overwrite"));
	check_classes(0x3c1 | TRACE_BIT(EXIT) | TRACE_BIT(RT));
	/* Each stay is looked at when it ends. */
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(unit_cpu(i)->stay_limit, -1);
	assert_string_equal(answer("trace on all"), STATE(ALL, "off", "115200", "overwrite"));
	check_classes(0x3ff);
	assert_string_equal(answer("trace off sched irq"),
			    STATE("meta exit rt timer psci life fault monitor", "off", "115200", "overwrite"));
	/* The trace itself always is on. */
	assert_string_equal(answer("trace off meta"),
			    STATE("meta exit rt timer psci life fault monitor", "off", "115200", "overwrite"));
	assert_string_equal(answer("trace off"), STATE("meta", "off", "115200", "overwrite"));
	check_classes(1);
}

static void wrong_words_change_nothing(void **state)
{
	static const char *const cases[][2] = {
		{ "trace on", MISSING("on", ALL " ") },
		{ "trace on frob", UNKNOWN("on", "frob", ALL " ") },
		{ "trace on exit EXIT", UNKNOWN("on", "EXIT", ALL " ") },
		{ "trace off exi", UNKNOWN("off", "exi", ALL " ") },
		{ "trace off psci,life", UNKNOWN("off", "psci,life", ALL " ") },
		{ "trace dump next", UNKNOWN("dump", "next", "previous") },
		{ "trace stream", MISSING("stream", "own console off") },
		{ "trace stream tcp", UNKNOWN("stream", "tcp", "own console off") },
		{ "trace rate", MISSING("rate", "1200 to 10000000") },
		{ "trace rate 1199", UNKNOWN("rate", "1199", "1200 to 10000000") },
		{ "trace rate 10000001", UNKNOWN("rate", "10000001", "1200 to 10000000") },
		{ "trace rate 18446744073709667000", UNKNOWN("rate", "18446744073709667000", "1200 to 10000000") },
		{ "trace rate -9600", UNKNOWN("rate", "-9600", "1200 to 10000000") },
		{ "trace rate 9600x", UNKNOWN("rate", "9600x", "1200 to 10000000") },
		{ "trace full", MISSING("full", "overwrite stop") },
		{ "trace full grow", UNKNOWN("full", "grow", "overwrite stop") },
	};
	char want[400];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		(void)snprintf(want, sizeof(want), "%s%s", cases[i][1], STATE(AT_BOOT, "off", "115200", "overwrite"));
		assert_string_equal(answer(cases[i][0]), want);
		check_classes(0x3c1);
	}
	assert_string_equal(answer("trace frob"),
			    "trace: unknown argument \"frob\"; allowed: on off dump stream rate full\r\n");
	assert_int_equal(line.bytes, 0);
}

static void the_stream_on_its_line(void **state)
{
	(void)state;
	assert_string_equal(answer("trace stream own"), STATE(AT_BOOT, "own", "115200", "overwrite"));
	pass(3000 * MS);
	/* About one a second, with the VMs after each. */
	assert_in_range(line.frames[TRACE_FRAME_STATUS], 3, 5);
	assert_int_equal(line.frames[TRACE_FRAME_VM], line.frames[TRACE_FRAME_STATUS] * 2);
	assert_int_equal(line.hz, 1000000000);
	assert_int_equal(line.rate, 11520);
	assert_int_equal(line.classes, 0x3c1);
	assert_int_equal(line.flags, 0);
	line.records = 0;
	(void)answer("mem");
	assert_int_equal(line.records, 1);
	assert_int_equal(line.first_words, TRACE_HEAD(TRACE_COMMAND, 5));
	(void)answer("trace full stop");
	assert_int_equal(line.flags, TRACE_STATUS_STOP);
	(void)answer("trace rate 9600");
	assert_int_equal(line.rate, 960);
	assert_string_equal(answer("trace stream off"), STATE(AT_BOOT, "off", "9600", "stop"));
	assert_int_equal(line.flags, TRACE_STATUS_STOP | TRACE_STATUS_ENDED);
	/* Nothing more, and no timer either. */
	line.bytes = 0;
	(void)answer("mem");
	assert_int_equal(line.bytes, 0);
	assert_int_equal(host_timer(0), TIME_NEVER);
}

/* A wish for more than the line carries is heard, the line's rate kept. */
static void the_rate_is_kept(void **state)
{
	uint64_t from, ns = 2000 * MS;

	(void)state;
	(void)answer("trace rate 1200");
	(void)answer("trace stream own");
	pass(1000 * MS);
	from = line.bytes;
	for (unsigned int i = 0; i < 1000; i++) {
		trace(COMMAND, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff);
		pass(ns / 1000);
	}
	assert_in_range(line.bytes - from, 100, 120 * ns / 1000000000 + 4 * TRACE_TURN_BYTES);
}

static void a_dead_line_stops_nobody(void **state)
{
	unsigned int interrupts = 0;
	uint64_t until;

	(void)state;
	line.dead = true;
	assert_string_equal(answer("trace stream own"), STATE(AT_BOOT, "own", "115200", "overwrite"));
	for (until = now + 1000 * MS; now < until; interrupts++) {
		now = MAX(now, host_timer(0));
		host_set_now(now);
		timer_queue_run(&unit_cpu(0)->timers);
	}
	assert_in_range(interrupts, 90, 1100); /* at most one a millisecond */
	assert_string_equal(answer("trace stream off"), STATE(AT_BOOT, "off", "115200", "overwrite"));
	pass(1000 * MS);
	assert_int_equal(host_timer(0), TIME_NEVER);
	assert_int_equal(line.bytes, 0);
}

static void dumps(void **state)
{
	(void)state;
	/* Who asks for one without a stream gets it where a stream would go. */
	assert_string_equal(answer("trace dump previous"),
			    "trace: nothing was kept\r\n" STATE(AT_BOOT, "own", "115200", "overwrite"));
	assert_string_equal(answer("trace dump"), STATE(AT_BOOT, "own", "115200", "overwrite"));
	pass(3000 * MS);
	line.records = line.all_flags = 0;
	/* All that the rings hold once more, not only what is new. */
	(void)answer("trace dump");
	pass(20000 * MS);
	assert_in_range(line.records, 40, 2 * TRACE_RING_SLOTS);
	assert_int_equal(line.all_flags, TRACE_STATUS_DUMP | TRACE_STATUS_DUMP_END);
	assert_int_equal(line.flags, 0);
}

/* --- the other direction ----------------------------------------------------------------------------------------------- */

static void the_line_takes_commands(void **state)
{
	(void)state;
	assert_string_equal(heard("trace full stop\n"), STATE(AT_BOOT, "off", "115200", "stop"));
	assert_string_equal(heard("trace full overwrite\r"), STATE(AT_BOOT, "off", "115200", "overwrite"));
	/* CR and LF: one answer. */
	assert_string_equal(heard("trace rate 9600\r\n\r\n\n"), STATE(AT_BOOT, "off", "9600", "overwrite"));
	/* In pieces, with an acknowledgement for each interrupt. */
	line.acks = 0;
	assert_string_equal(heard("tra"), "");
	assert_string_equal(heard("ce off "), "");
	assert_string_equal(heard("psci\ntrace off life\ntr"),
			    STATE("meta life fault monitor", "off", "9600", "overwrite")
				    STATE("meta fault monitor", "off", "9600", "overwrite"));
	assert_int_equal(line.acks, 3);
	assert_string_equal(heard("ace rate 115200\n"), STATE("meta fault monitor", "off", "115200", "overwrite"));
	assert_string_equal(heard("trace rate 1\n"), UNKNOWN("rate", "1", "1200 to 10000000")
							     STATE("meta fault monitor", "off", "115200", "overwrite"));
	assert_int_equal(line.bytes, 0);
}

/* A tool that asks for classes wants to have their records. */
static void switching_on_begins_the_stream(void **state)
{
	(void)state;
	assert_string_equal(heard("trace on exit\n"),
			    STATE("meta exit psci life fault monitor", "own", "115200", "overwrite"));
	assert_in_range(line.frames[TRACE_FRAME_STATUS], 1, 3);
	assert_int_equal(line.classes, 0x3c1 | TRACE_BIT(EXIT));
	/* Where it is chosen to go it stays. */
	(void)answer("trace stream console");
	pass(1000 * MS);
	(void)slow_wire();
	line.bytes = 0;
	(void)heard("trace on rt\n");
	assert_int_equal(line.bytes, 0);
}

/* One line of log for what is none of its commands, and what comes after it works. */
static void the_line_is_no_monitor(void **state)
{
	static const char *const wrong[] = { "frob",          "vm stop ivi", "reboot",      "trace",
					     "tracer on all", "crash panic", "TRACE on all" };
	char text[100];
	const char *wire;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		pass(1000 * MS);
		(void)snprintf(text, sizeof(text), "%s\n", wrong[i]);
		wire = strchr(heard(text), ']');
		assert_non_null(wire);
		(void)snprintf(text, sizeof(text), "] trace: \"%s\" on its line is none of its commands\r\n", wrong[i]);
		assert_string_equal(wire, text);
	}
	check_classes(0x3c1);
	assert_int_equal(vm_get(0)->state, VM_OFF);
	assert_string_equal(heard(" \n  \r\n"), "");
	assert_string_equal(heard("trace frob\n"),
			    "trace: unknown argument \"frob\"; allowed: on off dump stream rate full\r\n");
	/* No more than a line a second, and before it one that says how many there would have been. */
	assert_string_equal(heard("frob\nfrob\nfrob\n"), "");
	pass(1000 * MS);
	wire = strchr(heard("frob\nfrob\nfrob\n"), '\n');
	assert_non_null(strstr(wire, "] trace: \"frob\" on"));
	assert_ptr_equal(strchr(wire + 1, '\n'), wire + strlen(wire) - 1);
}

static void garbage_is_one_line(void **state)
{
	static char long_line[10002];
	char every[257];
	const char *wire;

	(void)state;
	memset(long_line, 'x', 10000);
	assert_string_equal(heard(long_line), "");
	/* What is too long is nothing. */
	assert_string_equal(heard("\n"), "");
	memset(long_line, ' ', 80);
	memcpy(long_line, "trace off", 9);
	memcpy(long_line + 80, "\n", 2);
	assert_string_equal(heard(long_line), "");
	check_classes(0x3c1);
	/* This one fits. */
	memcpy(long_line + 79, "\n", 2);
	assert_string_equal(heard(long_line), STATE("meta", "off", "115200", "overwrite"));
	/* All bytes but 0, which ends C's string here; the line feed and the carriage return among them end lines. */
	for (unsigned int i = 0; i < 255; i++)
		every[i] = (char)(i + 1);
	every[255] = '\n';
	every[256] = '\0';
	pass(1000 * MS);
	wire = heard(every);
	for (unsigned int lines = 0; *wire; lines++) {
		assert_true(lines < 2); /* one of how many are left out */
		for (; *wire != '\r'; wire++)
			assert_in_range((unsigned char)*wire, 0x20, 0xff);
		assert_int_equal(wire[1], '\n');
		wire += 2;
	}
	assert_string_equal(heard("trace on psci\n"), STATE("meta psci", "own", "115200", "overwrite"));
}

/* --- the rest ---------------------------------------------------------------------------------------------------------- */

static void completion(void **state)
{
	static const char *const cases[][2] = {
		{ "tr\t", "trace " },
		{ "trace o\t\t", "\r\non  off\r\n" },
		{ "trace s\t", "trace stream " },
		{ "trace on ex\t", "trace on exit " },
		{ "trace on exit sch\t", "trace on exit sched " },
		{ "trace off exit r\t", "trace off exit rt " },
		{ "trace stream c\t", "trace stream console " },
		{ "trace dump \t", "trace dump previous " },
		{ "trace full s\t", "trace full stop " },
		{ "trace rate \t", "trace rate 115200 " },
		{ "trace full stop \t", "trace full stop " },
	};

	(void)state;
	(void)answer("console interactive");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		slow_type(cases[i][0]);
		pass(10 * MS);
		assert_non_null(strstr(slow_wire(), cases[i][1]));
		slow_type("\x15");
		pass(10 * MS);
		(void)slow_wire();
	}
	slow_type("console batch\r");
	pass(10 * MS);
	(void)slow_wire();
}

/* The first 20 characters of each command are an event. */
static void commands_are_recorded(void **state)
{
	struct trace_cpu *t = &unit_cpu(0)->trace;
	const struct trace_record *r;
	char text[21] = "";

	(void)state;
	(void)answer("vm  list of what there is");
	r = &t->ring[(t->made - 1) % TRACE_RING_SLOTS];
	assert_int_equal(r->head % (1u << TRACE_HEAD_NUMBER_SHIFT), TRACE_HEAD(TRACE_COMMAND, 5));
	memcpy(text, r->word, 20);
	assert_string_equal(text, "vm  list of what the");
	assert_int_equal(r->time / MS, (now - 200 * MS) / MS);
	(void)answer("mem");
	r = &t->ring[(t->made - 1) % TRACE_RING_SLOTS];
	memcpy(text, r->word, 20);
	assert_string_equal(text, "mem");
	assert_memory_equal(text + 4, (char[16]){ 0 }, 16);
}

/* One line for each that is wrong, and it changes nothing. */
static void wrong_boot_arguments(void **state)
{
	static const char want[] = "ignored; known: console=batch, console=interactive, sched=rt, sched=credit, "
				   "trace=<class>[,<class>...]\r\n";
	static const char *const wrong[] = { "trace=", "trace=frob", "trace=exit,frob", "trace=,", "tracex=all" };
	const char *wire;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		main_options(wrong[i]);
		pass(10 * MS);
		wire = slow_wire();
		assert_non_null(strstr(wire, want));
		assert_ptr_equal(strchr(wire, '\n'), wire + strlen(wire) - 1);
	}
	check_classes(0x3c1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(classes_go_on_and_off, as_booted),
		cmocka_unit_test_setup(wrong_words_change_nothing, as_booted),
		cmocka_unit_test_setup(the_stream_on_its_line, as_booted),
		cmocka_unit_test_setup(the_rate_is_kept, as_booted),
		cmocka_unit_test_setup(a_dead_line_stops_nobody, as_booted),
		cmocka_unit_test_setup(dumps, as_booted),
		cmocka_unit_test_setup(the_line_takes_commands, as_booted),
		cmocka_unit_test_setup(switching_on_begins_the_stream, as_booted),
		cmocka_unit_test_setup(the_line_is_no_monitor, as_booted),
		cmocka_unit_test_setup(garbage_is_one_line, as_booted),
		cmocka_unit_test_setup(completion, as_booted),
		cmocka_unit_test_setup(commands_are_recorded, as_booted),
		cmocka_unit_test_setup(wrong_boot_arguments, as_booted),
	};

	(void)file_vm("ivi", 2);
	(void)file_vm("rtos", 1);
	host_set_trace_uart(&line_ops, &line);
	begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
