/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rings that are written while they are read, step by step: ring.c is compiled with the compiler's calls for the thread sanitizer,
 * which are answered here, so that CPUs may make records before each of its accesses to memory: between a look at the number, the
 * copy, and the second look, too. What is decoded, missing and unnumbered stays exactly what was made.
 */
#include "trace_unit.h"

#include <string.h>

static unsigned int busy; /* records at an access, at most */
static bool making;
static unsigned int made_inside;

static void step(void)
{
	if (!busy || making || unit_random() % 4)
		return;
	making = true;
	for (unsigned int n = unit_random() % (busy + 1); n; n--, made_inside++)
		unit_make(unit_random() % UNIT_CPUS);
	making = false;
}

/* --- the compiler's calls --------------------------------------------------------------------------------------------- */

void __tsan_init(void);
void __tsan_func_entry(void *caller);
void __tsan_func_exit(void *unused);
void __tsan_atomic_thread_fence(int order);
unsigned long __tsan_atomic64_load(const volatile void *p, int order);

#define ACCESS(name)                                                                                                   \
	void __tsan_##name(void *p);                                                                                   \
	void __tsan_##name(void *p)                                                                                    \
	{                                                                                                              \
		(void)p;                                                                                               \
		step();                                                                                                \
	}
#define RANGE(name)                                                                                                    \
	void __tsan_##name(void *p, long n);                                                                           \
	void __tsan_##name(void *p, long n)                                                                            \
	{                                                                                                              \
		(void)p;                                                                                               \
		(void)n;                                                                                               \
		step();                                                                                                \
	}
ACCESS(read1)
ACCESS(read2)
ACCESS(read4)
ACCESS(read8)
ACCESS(write1)
ACCESS(write2)
ACCESS(write4)
ACCESS(write8)
ACCESS(volatile_read1)
ACCESS(volatile_read4)
ACCESS(volatile_read8)
ACCESS(volatile_write1)
ACCESS(volatile_write4)
ACCESS(volatile_write8)
RANGE(read_range)
RANGE(write_range)

void __tsan_init(void)
{
}

void __tsan_func_entry(void *caller)
{
	(void)caller;
}

void __tsan_func_exit(void *unused)
{
	(void)unused;
}

void __tsan_atomic_thread_fence(int order)
{
	(void)order;
	step();
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

unsigned long __tsan_atomic64_load(const volatile void *p, int order)
{
	(void)order;
	step();
	return __atomic_load_n((const volatile unsigned long *)p, __ATOMIC_SEQ_CST);
}

/* --- tests ------------------------------------------------------------------------------------------------------------ */

static size_t put(void *dev, const char *bytes, size_t n)
{
	(void)dev;
	unit_decode(&unit_decoder, bytes, n);
	return n;
}

static const struct trace_line line = { .put = put };

static void scene(unsigned int seed, unsigned int most, unsigned int rounds, bool stop)
{
	unit_seed = seed;
	unit_trace_reset(UNIT_CPUS);
	trace_set_stop(stop);
	trace_stream_set(&line, 0);
	unit_turns(HZ / 2);
	busy = most;
	for (unsigned int i = 0; i < rounds; i++) {
		if (unit_random() % 256 == 0)
			(void)trace_dump(false);
		/* Nothing is read, so nothing made, while there is nothing. */
		if (unit_random() % 8 == 0)
			unit_make(unit_random() % UNIT_CPUS);
		(void)trace_turn(arch_now());
		host_set_now(arch_now() + HZ / 10000);
	}
	busy = 0;
	unit_turns(3 * HZ);
	unit_check_exact();
	assert_int_equal(unit_decoder.bad, 0);
}

/* About as many as are read. */
static void test_slow(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= 20; seed++)
		scene(seed, 2, 4000, seed % 2);
	assert_true(made_inside > 1000);
}

/* Faster than they are read: each read races with the ring's end. */
static void test_fast(void **state)
{
	uint64_t overwritten = 0;

	(void)state;
	for (unsigned int seed = 1; seed <= 20; seed++) {
		scene(seed, 20, 4000, false);
		overwritten += unit_trace_cpu[0].overwritten;
		assert_true(unit_decoder.records > 100);
	}
	assert_true(overwritten > 10000);
}

/* A whole ring and more at once. */
static void test_burst(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= 20; seed++)
		scene(seed, 4 * TRACE_RING_SLOTS * UNIT_CPUS, 200, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_fast),
		cmocka_unit_test(test_burst),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
