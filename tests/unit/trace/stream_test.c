/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv/trace: what goes out decodes to what was made, and what doesn't is counted, whatever is switched meanwhile and however the
 * line takes it. The decoder (trace_unit.c) checks every record; the tests here what there is of them.
 */
#include "trace_unit.h"

#include <string.h>

#include "camber/errno.h"

/* --- lines ---------------------------------------------------------------------------------------------------------- */

/* A line that takes what it is told to, and remembers when. */
static struct {
	struct unit_decoder *to;
	uint64_t bytes, at;
	size_t longest, room;
	unsigned int refuse; /* of 8 calls, how many are refused */
	unsigned int part;   /* of 8 calls, how many take a part only */
	unsigned int make;   /* records that CPUs make during each call, at most */
	unsigned int calls;
} wire;

static void make_meanwhile(void)
{
	for (unsigned int n = wire.make ? unit_random() % (wire.make + 1) : 0; n; n--)
		unit_make(unit_random() % UNIT_CPUS);
}

static size_t own_put(void *dev, const char *bytes, size_t n)
{
	assert_ptr_equal(dev, &wire);
	assert_in_range(n, 1, TRACE_TURN_BYTES);
	make_meanwhile();
	wire.calls++;
	if (unit_random() % 8 < wire.refuse)
		return 0;
	assert_false(unit_decoder.console);
	if (unit_random() % 8 < wire.part)
		n = unit_random() % (n + 1);
	unit_decode(&unit_decoder, bytes, n);
	wire.bytes += n;
	return n;
}

static size_t console_put(void *dev, const char *bytes, size_t n)
{
	static const char text[] = "[linux] some text \033[1m of others \033[0m\r\n";

	assert_ptr_equal(dev, &wire);
	assert_true(unit_decoder.console);
	make_meanwhile();
	wire.calls++;
	if (unit_random() % 8 < wire.refuse)
		return 0;
	/* A whole frame at a time. */
	assert_memory_equal(bytes, TRACE_CONSOLE_BEGIN, 4);
	assert_memory_equal(bytes + n - 2, TRACE_CONSOLE_END, 2);
	assert_null(memchr(bytes + 4, '\033', n - 6));
	unit_decode(&unit_decoder, text, sizeof(text) - 1);
	unit_decode(&unit_decoder, bytes, n);
	assert_int_equal(unit_decoder.used, 0);
	wire.bytes += n;
	wire.longest = MAX(wire.longest, n);
	return n;
}

static const struct trace_line own = { .put = own_put, .dev = &wire };
static const struct trace_line console = { .put = console_put, .dev = &wire, .console = true };

static int setup(void **state)
{
	(void)state;
	unit_seed = 1;
	memset(&wire, 0, sizeof(wire));
	unit_trace_reset(UNIT_CPUS);
	return 0;
}

/* --- tests ---------------------------------------------------------------------------------------------------------- */

static void round_trip(const struct trace_line *line)
{
	unit_decoder_line(line->console);
	trace_stream_set(line, 0);
	unit_turns(HZ / 10);
	assert_int_equal(unit_decoder.vms, 6);
	assert_int_equal(unit_status.seen, 1);
	assert_int_equal(unit_status.hz, HZ);
	assert_int_equal(unit_status.kept, UNIT_KEPT);
	assert_int_equal(unit_status.classes, 1);
	assert_int_equal(unit_status.flags, 0);
	assert_int_equal(unit_status.cpu[3][3], 4);
	assert_int_equal(unit_status.cpu[3][4], 3000);
	assert_int_equal(unit_status.cpu[3][5], UINT64_C(1) << 40);
	for (unsigned int i = 0; i < 2000; i++) {
		host_set_now(arch_now() + (unit_random() >> unit_random() % 32));
		unit_make(unit_random() % UNIT_CPUS);
		if (unit_random() % 16 == 0)
			unit_turns(HZ / 10);
	}
	unit_turns(3 * HZ);
	assert_int_equal(unit_decoder.records, 2000);
	assert_int_equal(unit_decoder.repeated, 0);
	assert_int_equal(unit_decoder.bad, 0);
	unit_check_exact();
	for (unsigned int i = 0; i < UNIT_CPUS; i++)
		assert_int_equal(unit_trace_cpu[i].overwritten, 0);
}

static void test_round_trip(void **state)
{
	(void)state;
	round_trip(&own);
}

static void test_round_trip_console(void **state)
{
	(void)state;
	round_trip(&console);
	assert_true(unit_decoder.text_used > 0);
	assert_true(wire.longest <= (TRACE_CONSOLE_FRAME_BYTES * 4 + 2) / 3 + 6);
	/* The text of others is whole. */
	for (size_t i = 0; i < unit_decoder.text_used; i += 39)
		assert_memory_equal(&unit_decoder.text[i], unit_decoder.text, 39);
}

/* A ring that nobody empties keeps the last ones, and the rest is counted as such. */
static void test_overwritten(void **state)
{
	(void)state;
	unit_make_many(1, 1000);
	unit_make_many(2, UNIT_KEPT);
	trace_stream_set(&own, 0);
	unit_turns(2 * HZ);
	unit_check_exact();
	assert_int_equal(unit_trace_cpu[2].overwritten, 0);
	assert_in_range(unit_trace_cpu[1].overwritten, 1000 - UNIT_KEPT, 1000 - UNIT_KEPT + TRACE_RING_SLOTS / 8);
	assert_int_equal(unit_decoded_end(1), 1000);
}

static void test_stop(void **state)
{
	(void)state;
	trace_set_stop(true);
	unit_make_many(0, 1000);
	assert_int_equal(unit_trace_cpu[0].made, UNIT_KEPT);
	assert_int_equal(unit_trace_cpu[0].unnumbered, 1000 - UNIT_KEPT);
	trace_stream_set(&own, 0);
	unit_turns(2 * HZ);
	unit_check_exact();
	assert_int_equal(unit_trace_cpu[0].overwritten, 0);
	assert_true(unit_status.flags & TRACE_STATUS_STOP);
	/* There is room again. */
	unit_make_many(0, UNIT_KEPT + 7);
	unit_turns(2 * HZ);
	unit_check_exact();
	assert_int_equal(unit_trace_cpu[0].unnumbered, 1007 - UNIT_KEPT);
	assert_int_equal(unit_decoded(0), 2 * UNIT_KEPT);
	/* Full only by what isn't sent, wherever the numbers are. */
	trace_set_stop(false);
	unit_make_many(0, 5);
	unit_turns(2 * HZ);
	assert_false(unit_status.flags & TRACE_STATUS_STOP);
	unit_check_exact();
}

static void test_dump(void **state)
{
	(void)state;
	assert_int_equal(trace_dump(false), -ENODEV);
	trace_stream_set(&own, 0);
	assert_int_equal(trace_dump(true), -ENOENT);
	unit_make_many(0, 50);
	unit_make_many(3, UNIT_KEPT + 20);
	unit_turns(2 * HZ);
	unit_check_exact();
	assert_int_equal(unit_decoder.repeated, 0);
	assert_false(unit_status.all_flags & TRACE_STATUS_DUMP);

	unit_decoder.records = 0;
	assert_int_equal(trace_dump(false), 0);
	unit_turns(2 * HZ);
	/* But for those that were given up when the stream found itself behind: they are counted already. */
	assert_int_equal(unit_decoder.records, 50 + UNIT_KEPT - TRACE_RING_SLOTS / 8);
	assert_int_equal(unit_decoder.repeated, unit_decoder.records);
	assert_true(unit_status.all_flags & TRACE_STATUS_DUMP);
	assert_true(unit_status.all_flags & TRACE_STATUS_DUMP_END);
	assert_false(unit_status.flags & (TRACE_STATUS_DUMP | TRACE_STATUS_DUMP_END));
	assert_int_equal(unit_decoder.bad, 0);
	/* And goes on as if nothing had been. */
	unit_make_many(0, 10);
	unit_turns(2 * HZ);
	assert_int_equal(unit_decoded(0), 60);
	assert_int_equal(unit_trace_cpu[0].sent, 60);
}

/* With records that come faster than they go, and are overwritten before they are sent a second time. */
static void test_dump_busy(void **state)
{
	(void)state;
	trace_stream_set(&own, 0);
	unit_make_many(0, 100);
	unit_turns(HZ / 2);
	for (unsigned int i = 0; i < 40; i++) {
		if (i % 8 == 0)
			assert_int_equal(trace_dump(false), 0);
		for (unsigned int turn = 0; turn < 200; turn++) {
			unit_make_many(unit_random() % UNIT_CPUS, unit_random() % 4);
			(void)trace_turn(arch_now());
			host_set_now(arch_now() + HZ / 1000);
		}
	}
	unit_turns(3 * HZ);
	unit_check_exact();
	assert_true(unit_decoder.repeated > 0);
	assert_true(unit_trace_cpu[0].overwritten > 0);
}

static void test_classes(void **state)
{
	(void)state;
	trace_stream_set(&own, 0);
	unit_turns(HZ / 4);
	assert_int_equal(unit_status.classes, TRACE_BIT(META));
	unit_classes(2, TRACE_BIT(SCHED));
	assert_int_equal(unit_status.seen, 1);
	unit_turns(HZ / 4);
	assert_int_equal(unit_status.seen, 2);
	assert_int_equal(unit_status.classes, TRACE_BIT(SCHED) | TRACE_BIT(META));
	assert_int_equal(unit_trace_cpu[0].classes, TRACE_BIT(SCHED) | TRACE_BIT(META));
	unit_classes(2, TRACE_BIT(SCHED));
	unit_classes(1, 0);
	unit_turns(2 * HZ);
	assert_int_equal(unit_decoder.records, 2);
	unit_check_exact();
}

static void test_off(void **state)
{
	struct trace_stats st;

	(void)state;
	assert_int_equal(trace_turn(arch_now()), UINT64_MAX);
	trace_stream_set(&own, 11520);
	unit_make_many(0, 100);
	unit_turns(HZ / 50);
	trace_get_stats(&st);
	assert_true(st.streaming);
	assert_int_equal(st.rate, 11520);
	/* What is on its way arrives, then it ends. */
	trace_stream_set(NULL, 0);
	for (uint64_t when = 0; when != UINT64_MAX; when = trace_turn(arch_now()))
		host_set_now(MAX(when, arch_now()));
	trace_get_stats(&st);
	assert_false(st.streaming);
	assert_true(unit_status.flags & TRACE_STATUS_ENDED);
	assert_int_equal(unit_decoder.bad, 0);
	assert_int_equal(unit_decoder.used, 0);
	assert_true(unit_decoded(0) < 100);
	/* On the console it goes on with the next one. */
	unit_decoder_line(true);
	trace_stream_set(&console, 0);
	unit_turns(HZ / 2);
	assert_int_equal(unit_decoded(0), 100);
	assert_int_equal(unit_decoder.repeated, 0);
	assert_int_equal(unit_trace_cpu[0].overwritten, 0);
}

/* A line that takes nothing in the middle of a frame is left behind; the records of the frame come on the other one. */
static void test_dead_line(void **state)
{
	(void)state;
	trace_stream_set(&own, 0);
	unit_turns(HZ / 2);
	unit_make_many(0, 64);
	wire.part = 8;
	for (unsigned int i = 0; i < 20 || !unit_decoder.used; i++)
		(void)trace_turn(arch_now());
	wire.refuse = 8;
	unit_turns(HZ);
	unit_decoder_line(true);
	trace_stream_set(&console, 0);
	wire.part = 0;
	unit_turns(HZ / 8);
	assert_int_equal(unit_decoder.frames, 0);
	unit_turns(HZ / 4);
	wire.refuse = 0;
	unit_turns(2 * HZ);
	assert_int_equal(unit_decoded(0), 64);
	assert_int_equal(unit_decoder.repeated, 0);
	unit_check_exact();
}

static void test_pacing(void **state)
{
	static const uint32_t rates[] = { 960, 11520, 92160, 400000 };
	uint64_t start, now, bytes, when;

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rates); i++) {
		setup(state);
		trace_stream_set(&own, rates[i]);
		start = arch_now();
		for (unsigned int turns = 0; turns < 20000; turns++) {
			unit_make(0);
			bytes = wire.bytes;
			when = trace_turn(arch_now());
			assert_true(wire.bytes - bytes <= TRACE_TURN_BYTES);
			now = arch_now();
			/* Never above the rate but for what was saved up, 1/64 s, and the turn itself. */
			assert_true(wire.bytes * HZ <= (now - start + HZ / 64) * rates[i] + TRACE_TURN_BYTES * HZ);
			/* Turns are late by up to 1/128 s, seldom by much more. */
			if (when > now)
				now = when + unit_random() % (HZ / 128);
			host_set_now(turns % 1000 ? now + 100 : now + HZ);
		}
		/* And what it may be it is, while there is something to send. */
		now = arch_now() - start - 20 * HZ;
		assert_true(wire.bytes * HZ >= now * rates[i] * 9 / 10);
		assert_int_equal(unit_decoder.bad, 0);
	}
}

/* Everything at once, in any order. */
static void random_scene(unsigned int scene)
{
	const struct trace_line *now = NULL;
	unsigned int cut = 0;

	unit_seed = scene + 1;
	unit_trace_reset(UNIT_CPUS);
	wire.refuse = unit_random() % 4;
	wire.part = unit_random() % 9;
	wire.make = unit_random() % 3;
	for (unsigned int i = 0; i < 3000; i++) {
		unsigned int what = unit_random() % 64;

		if (what < 30)
			unit_make_many(unit_random() % UNIT_CPUS, unit_random() % 12);
		else if (what < 32)
			unit_classes(unit_random() % UNIT_CPUS, unit_random() % 1024);
		else if (what == 32)
			trace_set_stop(unit_random() % 2);
		else if (what == 33)
			(void)trace_dump(false);
		else if (what == 34 && i % 4 == 0)
			unit_make_many(unit_random() % UNIT_CPUS, 300);
		else if (what == 35 && i % 2) {
			/* The other line, or none, once this one is done. */
			trace_stream_set(NULL, 0);
			while (trace_turn(arch_now()) != UINT64_MAX)
				host_set_now(arch_now() + HZ / 500);
			cut += unit_decoder.used != 0;
			now = unit_random() % 3 == 0 ? NULL : unit_random() % 2 ? &own : &console;
			if (now) {
				unit_decoder_line(now->console);
				trace_stream_set(now, unit_random() % 2 ? 0 : 5000 + unit_random() % 100000);
			}
		} else if (what > 36)
			(void)trace_turn(arch_now());
		host_set_now(arch_now() + unit_random() % (HZ / 2000));
	}
	trace_set_stop(false);
	wire.refuse = wire.make = 0;
	if (!now) {
		unit_decoder_line(false);
		trace_stream_set(&own, 0);
	}
	unit_turns(20 * HZ);
	unit_check_exact();
	/* A frame is cut only where a line that refuses so much was left. */
	assert_true(cut == 0 || wire.part || wire.refuse);
	assert_int_equal(unit_decoder.bad, 0);
}

static void test_random(void **state)
{
	(void)state;
	for (unsigned int scene = 0; scene < 300; scene++)
		random_scene(scene);
}

static void test_warm_reset(void **state)
{
	unsigned int left = 0;
	static char copy[1 << 16];

	(void)state;
	assert_int_equal(unit_area->boot, 1);
	assert_true(trace_area_valid(unit_area, UNIT_CPUS));
	assert_false(trace_area_valid(unit_area, UNIT_CPUS - 1));
	for (unsigned int i = 0; i < UNIT_CPUS; i++) {
		for (unsigned int n = 0; n < i * 60; n++, host_set_now(arch_now() + 1))
			unit_make(i);
		left += MIN(i * 60, UNIT_KEPT);
	}
	assert_true(trace_area_bytes(UNIT_CPUS) <= sizeof(copy));
	memcpy(copy, unit_area, trace_area_bytes(UNIT_CPUS));
	unit_trace_warm_reset();
	trace_previous((const struct trace_area *)(void *)copy);
	assert_int_equal(unit_area->boot, 2);
	trace_stream_set(&own, 0);
	unit_make_many(1, 20);
	assert_int_equal(trace_dump(true), 0);
	unit_turns(3 * HZ);
	assert_int_equal(unit_decoder.old_records, left);
	assert_int_equal(unit_decoder.records, 20);
	assert_true(unit_status.all_flags & TRACE_STATUS_DUMP_END);
	unit_check_exact();
	/* As often as one likes. */
	assert_int_equal(trace_dump(true), 0);
	unit_turns(3 * HZ);
	assert_int_equal(unit_decoder.old_records, 2 * left);
	assert_int_equal(unit_decoder.repeated, 0);
	unit_check_exact();
}

static void test_panic(void **state)
{
	(void)state;
	wire.part = 4;
	trace_stream_set(&own, 960);
	unit_make_many(0, 200);
	unit_make_many(1, 7);
	while (!unit_decoder.used || unit_status.seen == 0)
		host_set_now(MAX(trace_turn(arch_now()), arch_now()));
	unit_decoder.records = 0;
	trace_panic(32);
	assert_true(unit_decoded_end(0) == 200 && unit_decoded_end(1) == 7);
	assert_int_equal(unit_decoder.records, 32 + 7);
	assert_true(unit_status.all_flags & TRACE_STATUS_DUMP_END);
	assert_true(unit_decoder.bad <= 1);

	/* A line that takes nothing doesn't keep it. */
	setup(state);
	trace_stream_set(&own, 960);
	unit_make_many(0, 200);
	wire.refuse = 8;
	trace_panic(32);
	assert_in_range(wire.calls, 1000, 4000000);
	assert_int_equal(unit_decoder.frames, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_round_trip, setup),  cmocka_unit_test_setup(test_round_trip_console, setup),
		cmocka_unit_test_setup(test_overwritten, setup), cmocka_unit_test_setup(test_stop, setup),
		cmocka_unit_test_setup(test_dump, setup),        cmocka_unit_test_setup(test_dump_busy, setup),
		cmocka_unit_test_setup(test_classes, setup),     cmocka_unit_test_setup(test_off, setup),
		cmocka_unit_test_setup(test_dead_line, setup),   cmocka_unit_test_setup(test_pacing, setup),
		cmocka_unit_test_setup(test_random, setup),      cmocka_unit_test_setup(test_warm_reset, setup),
		cmocka_unit_test_setup(test_panic, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
