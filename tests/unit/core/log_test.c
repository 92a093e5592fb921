/* SPDX-License-Identifier: Apache-2.0 */
/* hv/core/log.c: lines, the ring through resets and damage, the limit for lines that guests cause. */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "camber/log.h"
#include "camber/time.h"

static struct log_ring ring, previous;
static char seen[65536];
static size_t seen_used;

static void keep(const char *text, size_t n)
{
	assert_true(seen_used + n < sizeof(seen));
	memcpy(&seen[seen_used], text, n);
	seen_used += n;
	seen[seen_used] = '\0';
}

/* In pieces that don't divide the ring's size. */
static const char *dump(bool of_previous)
{
	char piece[237];
	uint32_t at = 0;
	size_t n;

	seen_used = 0;
	seen[0] = '\0';
	while ((n = log_read(of_previous, &at, piece, sizeof(piece))))
		keep(piece, n);
	return seen;
}

/* Each test begins with a machine that was off: memory full of anything. */
static int power_on(void **state)
{
	(void)state;
	memset(&ring, 0x5a, sizeof(ring));
	memset(&previous, 0x5a, sizeof(previous));
	log_set_sink(NULL);
	host_set_now(0);
	log_init(&ring, &previous);
	return 0;
}

static void lines_have_a_stamp(void **state)
{
	(void)state;
	host_set_now(1234567891);
	log_line("vm %s: %d", "ivi", 7);
	host_set_now(UINT64_C(123456000000000));
	log_line("late");
	assert_string_equal(dump(false), "[    1.234567] vm ivi: 7\n[123456.000000] late\n");
	assert_string_equal(dump(true), "");
	assert_int_equal(ring.boot, 1);
}

static void lines_are_cut_and_stay_lines(void **state)
{
	char long_text[400];

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	log_line("%s", long_text);
	assert_int_equal(strlen(dump(false)), strlen("[    0.000000] ") + 200 + 1);
	assert_int_equal(seen[seen_used - 1], '\n');
	log_line("a\nb\x1b[2J");
	assert_non_null(strstr(dump(false), "\n[    0.000000] a?b?[2J\n"));
}

static void survives_a_reset(void **state)
{
	char kept[256];

	(void)state;
	log_line("before the reset");
	(void)snprintf(kept, sizeof(kept), "%s", dump(false));
	log_init(&ring, &previous);
	assert_int_equal(ring.boot, 2);
	assert_string_equal(dump(true), kept);
	assert_string_equal(dump(false), "");
	log_line("after it");
	assert_string_equal(dump(true), kept);
	assert_string_equal(dump(false), "[    0.000000] after it\n");
	log_init(&ring, &previous);
	assert_int_equal(ring.boot, 3);
	assert_string_equal(dump(true), "[    0.000000] after it\n");
}

/* Any damaged bit of the header: begun anew, nothing shown as the previous boot's. */
static void damage_is_noticed(void **state)
{
	for (unsigned int bit = 0; bit < 128; bit++) {
		(void)power_on(state);
		log_line("text");
		((unsigned char *)&ring)[bit / 8] ^= (unsigned char)(1u << bit % 8);
		log_init(&ring, &previous);
		assert_int_equal(ring.boot, 1);
		assert_int_equal(ring.head, 0);
		assert_string_equal(dump(true), "");
	}
}

static void the_ring_keeps_the_last(void **state)
{
	char want[LOG_RING_BYTES + 1];
	size_t line = strlen("[    0.000000] line 00000\n");

	(void)state;
	for (unsigned int total = 0; total < 2000; total++) {
		log_line("line %05u", total);
		if (total % 97 && total > 700)
			continue;
		(void)dump(false);
		assert_int_equal(seen_used, MIN((total + 1) * line, LOG_RING_BYTES));
		(void)snprintf(want, sizeof(want), "line %05u\n", total);
		assert_string_equal(&seen[seen_used - strlen(want)], want);
		if (seen_used == LOG_RING_BYTES) {
			/* The oldest line is cut; those behind it are whole and in order. */
			const char *next = strchr(seen, '\n') + 1;
			unsigned int oldest = total + 1 - LOG_RING_BYTES / (unsigned int)line;

			(void)snprintf(want, sizeof(want), "[    0.000000] line %05u\n", oldest);
			assert_memory_equal(next, want, line);
		}
	}
	/* All of it survives. */
	(void)snprintf(want, sizeof(want), "%s", dump(false));
	log_init(&ring, &previous);
	assert_string_equal(dump(true), want);
}

static void a_full_ring_stays_full_when_its_count_wraps(void **state)
{
	(void)state;
	log_line("x");
	ring.head = 0u - 10u;
	log_line("y");
	assert_true(ring.head >= LOG_RING_BYTES);
	(void)dump(false);
	assert_int_equal(seen_used, LOG_RING_BYTES);
}

/* Whoever reads slowly gets each line once, but for those that are gone. */
static void lines_are_added_while_it_is_read(void **state)
{
	char piece[100], want[64];
	unsigned int total = 0, next;
	uint32_t at = 0;
	size_t n;

	(void)state;
	seen_used = 0;
	seen[0] = '\0';
	for (; total < 300; total++)
		log_line("line %05u", total);
	while ((n = log_read(false, &at, piece, sizeof(piece)))) {
		keep(piece, n);
		if (total < 700)
			log_line("line %05u", total++);
	}
	(void)snprintf(want, sizeof(want), "line %05u\n", total - 1);
	assert_string_equal(&seen[seen_used - strlen(want)], want);
	next = 0;
	for (const char *p = seen; *p; p = strchr(p, '\n') + 1) {
		(void)snprintf(want, sizeof(want), "[    0.000000] line %05u\n", next++);
		assert_memory_equal(p, want, strlen(want));
	}
	assert_int_equal(next, total);
	/* Overtaken: from the oldest on that is still there. */
	at = 0;
	(void)log_read(false, &at, piece, 10);
	for (unsigned int i = 0; i < 1000; i++)
		log_line("line %05u", total++);
	assert_int_equal(log_read(false, &at, piece, sizeof(piece)), sizeof(piece));
	assert_int_equal(at, ring.head - LOG_RING_BYTES + sizeof(piece));
}

static void the_sink_gets_whole_lines(void **state)
{
	(void)state;
	seen_used = 0;
	log_set_sink(keep);
	log_line("hello");
	assert_string_equal(seen, "[    0.000000] hello\n");
}

static void guests_cannot_flood(void **state)
{
	struct log_limit limit = { 0 };
	unsigned int passed = 0;

	(void)state;
	host_set_now(5000000000);
	for (int i = 0; i < 100; i++)
		passed += log_limit_pass(&limit, 8);
	assert_int_equal(passed, 8);
	assert_string_equal(dump(false), "");
	host_set_now(5999999999);
	assert_false(log_limit_pass(&limit, 8));
	/* A second later it passes again, and says what was lost. */
	host_set_now(6000000000);
	assert_true(log_limit_pass(&limit, 8));
	assert_string_equal(dump(false), "[    6.000000] (93 lines like the next one were left out)\n");
	assert_true(log_limit_pass(&limit, 8));
	assert_string_equal(dump(false), "[    6.000000] (93 lines like the next one were left out)\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(lines_have_a_stamp, power_on),
		cmocka_unit_test_setup(lines_are_cut_and_stay_lines, power_on),
		cmocka_unit_test_setup(survives_a_reset, power_on),
		cmocka_unit_test_setup(damage_is_noticed, power_on),
		cmocka_unit_test_setup(the_ring_keeps_the_last, power_on),
		cmocka_unit_test_setup(a_full_ring_stays_full_when_its_count_wraps, power_on),
		cmocka_unit_test_setup(lines_are_added_while_it_is_read, power_on),
		cmocka_unit_test_setup(the_sink_gets_whole_lines, power_on),
		cmocka_unit_test_setup(guests_cannot_flood, power_on),
	};

	time_init(1000000000);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
