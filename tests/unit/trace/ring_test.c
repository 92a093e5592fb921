/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv/trace/ring.c and record.c: a ring that one thread writes and another reads; and what a reset leaves of the rings, in any
 * condition: never a record that wasn't made, never a crash, and all that is whole. Step by step: race_test.c.
 */
#include "trace_unit.h"

#include <stdlib.h>
#include <string.h>
#include <threads.h>

#include "camber/pcpu.h"
#include "trace_priv.h"

/* --- threads ---------------------------------------------------------------------------------------------------------- */

#define THREAD_RECORDS 1000000u

static uint32_t mixed(uint64_t n, uint32_t salt)
{
	return (uint32_t)((n + salt) * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

static int writer(void *arg)
{
	struct trace_cpu *t = arg;

	for (uint64_t n = 0; n < THREAD_RECORDS; n++) {
		trace_record(t, TRACE_HEAD(TRACE_COMMAND, 5), mixed(n, 1), mixed(n, 2), mixed(n, 3), mixed(n, 4),
			     mixed(n, 5));
		/* So that the reader gets its turns, however many CPUs there are. */
		if (n % 1024 >= 1000)
			thrd_yield();
	}
	return 0;
}

/* Each copy that is called good is one record, whole. */
static void test_threads(void **state)
{
	struct trace_cpu *t = &unit_trace_cpu[0];
	uint64_t n = 0, end, taken = 0, missed = 0, want;
	struct trace_record r;
	thrd_t thread;

	(void)state;
	unit_trace_reset(1);
	assert_int_equal(thrd_create(&thread, writer, t), thrd_success);
	while (n < THREAD_RECORDS) {
		want = n;
		if (trace_ring_take(t, &n, &r)) {
			assert_int_equal(r.head, (uint32_t)n << TRACE_HEAD_NUMBER_SHIFT | TRACE_HEAD(TRACE_COMMAND, 5));
			for (uint32_t i = 0; i < TRACE_WORDS; i++)
				assert_int_equal(r.word[i], mixed(n, i + 1));
			taken++;
			n++;
			missed += n - 1 - want;
		} else {
			missed += n - want;
		}
	}
	end = n;
	assert_int_equal(thrd_join(thread, NULL), thrd_success);
	assert_int_equal(t->made, THREAD_RECORDS);
	assert_int_equal(end, THREAD_RECORDS);
	assert_int_equal(taken + missed, THREAD_RECORDS);
	/* However the threads run, the last ones are there. */
	assert_true(taken >= UNIT_KEPT - TRACE_RING_SLOTS / 8);
}

/* In stop mode the reader makes room: nothing is overwritten, each one is there or counted. */
static void test_threads_stop(void **state)
{
	struct trace_cpu *t = &unit_trace_cpu[0];
	struct trace_record r;
	uint64_t n = 0, time = 0;
	thrd_t thread;

	(void)state;
	unit_trace_reset(1);
	trace_set_stop(true);
	assert_int_equal(thrd_create(&thread, writer, t), thrd_success);
	while (__atomic_load_n(&t->made, __ATOMIC_ACQUIRE) + __atomic_load_n(&t->unnumbered, __ATOMIC_RELAXED) <
		       THREAD_RECORDS ||
	       n < t->made) {
		uint64_t want = n;

		if (!trace_ring_take(t, &n, &r))
			continue;
		assert_int_equal(n, want);
		assert_int_equal(r.head >> TRACE_HEAD_NUMBER_SHIFT, n % (1u << 21));
		/* Which one it is nobody knows, but it is one. */
		for (uint32_t i = 0; i < TRACE_WORDS; i++)
			time = r.word[i] ^ r.word[0] ? time + 1 : time;
		__atomic_store_n(&t->sent, ++n, __ATOMIC_RELEASE);
	}
	assert_int_equal(thrd_join(thread, NULL), thrd_success);
	assert_int_equal(t->made + t->unnumbered, THREAD_RECORDS);
	assert_true(time > 0);
}

/* --- the macros ------------------------------------------------------------------------------------------------------- */

static unsigned int evaluated;

static uint32_t word(uint32_t value)
{
	evaluated++;
	return value;
}

/* trace() in its place: this CPU's data, its class, its words. */
static void test_macros(void **state)
{
	struct trace_cpu *t;
	struct trace_record r;
	struct trace_cpu *const cpus[] = { &unit_cpu(0)->trace };
	uint64_t n = 0;

	(void)state;
	unit_trace_reset(1);
	unit_cpus(1);
	t = &unit_cpu(0)->trace;
	trace_start(unit_area, 1, cpus);
	trace(WAKE, word(1), word(2), word(3), word(4));
	assert_int_equal(evaluated, 0);
	assert_int_equal(t->made, 0);
	trace_set_classes(t, TRACE_BIT(SCHED));
	trace(WAKE, word(1), word(2), word(3), word(4));
	trace(IRQ, word(5));
	trace(BLOCK, word(6), trace_ticks(0, UINT64_C(1) << 40));
	trace(BLOCK, word(7), trace_ticks(5, 0));
	assert_int_equal(evaluated, 6);
	assert_int_equal(t->made, 4);
	assert_true(trace_ring_take(t, &n, &r));
	assert_int_equal(r.head, TRACE_HEAD(TRACE_CLASSES, 2));
	n = 1;
	assert_true(trace_ring_take(t, &n, &r));
	assert_int_equal(r.head, 1u << TRACE_HEAD_NUMBER_SHIFT | TRACE_HEAD(TRACE_WAKE, 4));
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(r.word[i], i + 1);
	assert_int_equal(r.word[4], 0);
	n = 2;
	assert_true(trace_ring_take(t, &n, &r));
	assert_int_equal(r.word[0], 6);
	assert_int_equal(r.word[1], TRACE_TICKS_MAX);
	n = 3;
	assert_true(trace_ring_take(t, &n, &r));
	assert_int_equal(r.word[1], 0);
	n = 4;
	assert_false(trace_ring_take(t, &n, &r));
}

/* --- after a reset ---------------------------------------------------------------------------------------------------- */

static size_t put(void *dev, const char *bytes, size_t n)
{
	(void)dev;
	unit_decode(&unit_decoder, bytes, n);
	return n;
}

static const struct trace_line line = { .put = put };
static struct trace_area *copy;

static struct trace_record *slot(unsigned int cpu, unsigned int n)
{
	return &copy->record[cpu * TRACE_RING_SLOTS + n % TRACE_RING_SLOTS];
}

static void fill(void *p, size_t n)
{
	for (uint8_t *b = p; n; n--)
		*b++ = (uint8_t)unit_random();
}

/* A boot with `records` on each CPU, time passing; its memory, as `copy`. */
static void boot(unsigned int records)
{
	unit_trace_reset(UNIT_CPUS);
	for (unsigned int n = 0; n < records; n++)
		for (unsigned int i = 0; i < UNIT_CPUS; i++) {
			unit_make(i);
			host_set_now(arch_now() + unit_random() % 2);
		}
	free(copy);
	copy = aligned_alloc(64, trace_area_bytes(UNIT_CPUS));
	memcpy(copy, unit_area, trace_area_bytes(UNIT_CPUS));
}

/* Records of it that come out; each one is checked against what was made. */
static unsigned int left(void)
{
	unit_trace_warm_reset();
	trace_previous(copy);
	trace_stream_set(&line, 0);
	assert_int_equal(trace_turn(arch_now()), 0);
	assert_int_equal(trace_dump(true), 0);
	unit_turns(2 * HZ);
	assert_true(unit_status.all_flags & TRACE_STATUS_DUMP_END);
	assert_int_equal(unit_decoder.bad, 0);
	unit_check_exact();
	return unit_decoder.old_records;
}

static void test_whole(void **state)
{
	static const unsigned int counts[] = { 0, 2, 5, UNIT_KEPT, UNIT_KEPT + 1, TRACE_RING_SLOTS, 1000 };

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(counts); i++) {
		unit_seed = 1 + i;
		boot(counts[i]);
		assert_int_equal(left(), UNIT_CPUS * MIN(counts[i], UNIT_KEPT));
		assert_int_equal(unit_decoder.boot, 2);
	}
}

/* Numbers in heads begin anew after 2^21. */
static void test_numbers(void **state)
{
	(void)state;
	unit_trace_reset(UNIT_CPUS);
	for (unsigned int i = 0; i < UNIT_CPUS; i++)
		assert_int_equal(unit_area->boot, 1);
	boot(300);
	for (unsigned int n = 300 - TRACE_RING_SLOTS; n < 300; n++)
		assert_int_equal(slot(0, n)->head >> TRACE_HEAD_NUMBER_SHIFT, n);
	/* As if they began anew 10 records before the end: those are shown. */
	for (unsigned int n = 0; n < TRACE_RING_SLOTS; n++) {
		struct trace_record *r = slot(1, n);
		uint32_t number = (r->head >> TRACE_HEAD_NUMBER_SHIFT) - 256;

		r->head = number << TRACE_HEAD_NUMBER_SHIFT | (r->head & 0x7ff);
	}
	unit_trace_warm_reset();
	trace_previous(copy);
	assert_int_equal(trace_cpus[TRACE_OLD][0]->made, 300);
	assert_int_equal(trace_cpus[TRACE_OLD][1]->made, 44);
}

/* Lines of the cache that never reached memory: what the ring's round before left there, or nothing. */
static void test_lost_lines(void **state)
{
	unsigned int lost;

	(void)state;
	for (unsigned int seed = 1; seed < 60; seed++) {
		unit_seed = seed;
		boot(200 + unit_random() % 300);
		lost = 0;
		for (unsigned int cpu = 0; cpu < UNIT_CPUS; cpu++) {
			uint32_t newest = (uint32_t)unit_trace_cpu[cpu].made - 1;

			/* Pairs of slots share a line; the newest two stay, so that it is known how many there have to be. */
			for (unsigned int n = 4; n < UNIT_KEPT; n += 2) {
				struct trace_record *r = slot(cpu, newest - n);

				if (unit_random() % 3)
					continue;
				for (unsigned int k = 0; k < 2; k++) {
					r = slot(cpu, newest - n + k);
					/* Older, and so are its number and time; or what it was at the start. */
					if (unit_random() % 2) {
						r->head -= TRACE_RING_SLOTS << TRACE_HEAD_NUMBER_SHIFT;
						r->time -= 5000;
					} else {
						memset(r, 0, sizeof(*r));
					}
					lost++;
				}
			}
		}
		assert_int_equal(left(), UNIT_CPUS * UNIT_KEPT - lost);
	}
}

/* Memory that somebody used: records whole or gone. */
static void test_damaged(void **state)
{
	unsigned int all = 0;

	(void)state;
	for (unsigned int seed = 1; seed < 300; seed++) {
		unsigned int n;

		unit_seed = seed;
		boot(unit_random() % 400);
		for (unsigned int times = unit_random() % 40; times; times--) {
			n = unit_random() % (UNIT_CPUS * TRACE_RING_SLOTS);
			unsigned int count = unit_random() % 64;

			fill(&copy->record[n],
			     MIN(count, UNIT_CPUS * TRACE_RING_SLOTS - n) * sizeof(struct trace_record));
		}
		n = left();
		assert_true(n <= UNIT_CPUS * UNIT_KEPT);
		all += n;
	}
	assert_true(all > 10000);
}

/* Nothing but random bytes behind a head that is right: nothing comes out. */
static void test_random(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed < 1000; seed++) {
		unit_seed = seed;
		boot(0);
		fill(copy->record, UNIT_CPUS * TRACE_RING_SLOTS * sizeof(struct trace_record));
		assert_int_equal(left(), 0);
	}
}

/* A head that isn't right: whichever bit of it flips, the area isn't taken for one. */
static void test_head(void **state)
{
	struct trace_cpu *const cpus[] = { &unit_trace_cpu[0], &unit_trace_cpu[1], &unit_trace_cpu[2],
					   &unit_trace_cpu[3] };
	uint8_t *bytes;

	(void)state;
	boot(10);
	bytes = (uint8_t *)copy;
	assert_true(trace_area_valid(copy, UNIT_CPUS));
	assert_false(trace_area_valid(copy, 1));
	for (unsigned int bit = 0; bit < 8 * 20; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(trace_area_valid(copy, UNIT_CPUS));
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (unsigned int i = 1; i < 5; i++) {
		assert_int_equal(copy->boot, i);
		trace_start(copy, UNIT_CPUS, cpus);
	}
	bytes[3] ^= 1;
	trace_start(copy, UNIT_CPUS, cpus);
	assert_int_equal(copy->boot, 1);
	/* Nothing of the boot before is there any more. */
	for (unsigned int n = 0; n < UNIT_CPUS * TRACE_RING_SLOTS; n++)
		assert_int_equal(copy->record[n].head, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads), cmocka_unit_test(test_threads_stop), cmocka_unit_test(test_macros),
		cmocka_unit_test(test_whole),   cmocka_unit_test(test_numbers),      cmocka_unit_test(test_lost_lines),
		cmocka_unit_test(test_damaged), cmocka_unit_test(test_random),       cmocka_unit_test(test_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
