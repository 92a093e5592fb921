/* SPDX-License-Identifier: Apache-2.0 */
/* hv/sched/sched.c: waking, blocking, choosing, turns and stops on one CPU, step by step. */
#include "steps.h"

static void begin_all(void **state, uint32_t weight)
{
	(void)state;
	steps_unit(&a, weight);
	steps_unit(&b, weight);
	steps_unit(&c, weight);
	sched_seal();
}

static void nothing_to_run(void **state)
{
	begin_all(state, 256);
	assert_null(steps_pick(0));
	steps_start(&a);
	assert_int_equal(unit_cpu(0)->work, PCPU_WORK_RESCHED);
	assert_ptr_equal(steps_pick(0), &a);
	assert_int_equal(sched_unit_state(&a), SCHED_RUNNING);
	sched_block(&a, 0);
	assert_int_equal(sched_unit_state(&a), SCHED_BLOCKED);
	assert_null(steps_pick(0));
}

static void only_a_start_starts(void **state)
{
	begin_all(state, 256);
	assert_false(sched_wake(&a, SCHED_WAKE_TIMER));
	assert_false(sched_wake(&a, SCHED_WAKE_EVENT));
	assert_int_equal(sched_unit_state(&a), SCHED_OFF);
	/* Nor does an interrupt from a running sibling. */
	steps_start(&b);
	assert_ptr_equal(steps_pick(0), &b);
	assert_false(sched_wake(&a, SCHED_WAKE_IPI));
	assert_int_equal(sched_unit_state(&a), SCHED_OFF);
	assert_ptr_equal(steps_pass(10 * SLICE), &b);
	steps_start(&a);
	assert_false(sched_wake(&a, SCHED_WAKE_START));
}

static void turns_only_when_shared(void **state)
{
	begin_all(state, 256);
	steps_start(&a);
	assert_ptr_equal(steps_pick(0), &a);
	assert_int_equal(host_timer(0), TIME_NEVER);
	assert_ptr_equal(steps_pass(10 * ACCOUNT), &a);
	assert_int_equal(host_timer(0), TIME_NEVER);
	steps_start(&b);
	(void)steps_pick(0);
	assert_true(host_timer(0) <= arch_now() + SLICE);
	(void)steps_pass(20 * SLICE);
	assert_true(steps_ran(&b) >= 9 * SLICE);
	steps_block(unit_cpu(0)->sched.running == &a ? &a : &b);
	/* Alone again: at most the timer that is under way comes, for nothing. */
	(void)steps_pass(ACCOUNT);
	assert_int_equal(host_timer(0), TIME_NEVER);
}

/* The whole of the time is somebody's, and whoever doesn't run waits. */
static void every_tick_is_somebodys(void **state)
{
	struct sched_stats st;
	uint64_t begun;

	begin_all(state, 256);
	begun = arch_now();
	steps_start(&a);
	steps_start(&b);
	steps_start(&c);
	for (unsigned int i = 0; i < 1000; i++) {
		(void)steps_pass(SLICE / 3 + 7 * i);
		assert_int_equal(steps_ran(&a) + steps_ran(&b) + steps_ran(&c), arch_now() - begun);
	}
	sched_unit_stats(&b, &st);
	assert_int_equal(st.waited + steps_ran(&b), arch_now() - begun);
}

static void wake_ups_go_first(void **state)
{
	begin_all(state, 256);
	steps_start(&a);
	assert_ptr_equal(steps_pick(0), &a);
	steps_block(&a);
	steps_start(&b);
	steps_start(&c);
	(void)steps_pass(SLICE / 2);
	assert_true(sched_wake(&a, SCHED_WAKE_EVENT));
	assert_int_equal(a.class, SCHED_BOOST);
	assert_ptr_equal(steps_pick(0), &a);
	/* Not for ever. */
	(void)steps_pass(DEMOTE + 3 * SLICE);
	assert_true(a.class > SCHED_BOOST);
	assert_true(steps_ran(&a) < DEMOTE + 3 * SLICE);
}

/* A unit that is ahead of its share isn't put before others when it wakes. */
static void debt_goes_last(void **state)
{
	begin_all(state, 256);
	steps_start(&b);
	assert_ptr_equal(steps_pick(0), &b);
	steps_block(&b);
	steps_start(&a);
	assert_ptr_equal(steps_pick(0), &a);
	a.credit = -(int64_t)SLICE;
	steps_block(&a);
	assert_true(sched_wake(&b, SCHED_WAKE_EVENT));
	assert_ptr_equal(steps_pick(0), &b);
	assert_true(sched_wake(&a, SCHED_WAKE_TIMER));
	assert_int_equal(a.class, SCHED_OVER);
	assert_ptr_equal(steps_pick(0), &b);
}

static void yield_gives_way(void **state)
{
	begin_all(state, 256);
	steps_start(&a);
	assert_ptr_equal(steps_pick(0), &a);
	assert_false(sched_yield(&unit_cpu(0)->sched));
	steps_start(&b);
	assert_ptr_equal(steps_pick(0), &a);
	assert_true(sched_yield(&unit_cpu(0)->sched));
	assert_ptr_equal(steps_pick(0), &b);
	assert_ptr_equal(steps_pick(0), &b);
	assert_true(sched_yield(&unit_cpu(0)->sched));
	assert_ptr_equal(steps_pick(0), &a);
}

/* Who spins for a waiting sibling on the same CPU gives it the CPU, and no more time together than before. */
static void siblings_hand_over(void **state)
{
	begin_all(state, 256);
	steps_start(&a);
	assert_ptr_equal(steps_pick(0), &a);
	steps_start(&c);
	steps_start(&b);
	assert_ptr_equal(steps_pick(0), &a);
	assert_false(sched_wake(&b, SCHED_WAKE_IPI)); /* it wasn't asleep */
	assert_ptr_equal(steps_pick(0), &b);
	for (unsigned int i = 0; i < 3000; i++) {
		struct sched_unit *u = steps_pass(SLICE / 10);

		if (u != &c)
			(void)sched_wake(u == &a ? &b : &a, SCHED_WAKE_IPI);
	}
	/* A third each, and a period's worth off at most. */
	assert_in_range(steps_ran(&c), 100 * SLICE - ACCOUNT, 100 * SLICE + ACCOUNT);
	assert_true(steps_ran(&a) > 0 && steps_ran(&b) > 0);
}

/* Two that wake each other without end. */
static void siblings_starve_nobody(void **state)
{
	begin_all(state, 256);
	steps_start(&a);
	steps_start(&b);
	steps_start(&c);
	for (unsigned int i = 0; i < 3000; i++) {
		struct sched_unit *u = steps_pass(SLICE / 10);

		if (u == &c)
			continue;
		(void)sched_wake(u == &a ? &b : &a, SCHED_WAKE_IPI);
		steps_block(u);
	}
	assert_true(steps_ran(&c) >= 100 * SLICE - ACCOUNT);
}

static void stops_in_every_state(void **state)
{
	begin_all(state, 256);
	assert_true(sched_stop(&a)); /* off */
	steps_start(&a);
	assert_true(sched_stop(&a)); /* queued */
	assert_null(steps_pick(0));
	steps_start(&a);
	assert_ptr_equal(steps_pick(0), &a);
	assert_false(sched_stop(&a)); /* running: goes when its CPU looks */
	assert_int_equal(unit_cpu(0)->work, PCPU_WORK_RESCHED);
	assert_int_equal(sched_unit_state(&a), SCHED_RUNNING);
	assert_null(steps_pick(0));
	assert_int_equal(sched_unit_state(&a), SCHED_OFF);
	steps_start(&a);
	assert_ptr_equal(steps_pick(0), &a);
	sched_block(&a, 0);
	assert_true(sched_stop(&a)); /* blocked, still on the CPU */
	assert_null(steps_pick(0));
	steps_start(&a);
	assert_ptr_equal(steps_pick(0), &a);
	sched_block(&a, 0);
	assert_true(sched_wake(&a, SCHED_WAKE_EVENT)); /* woken before it left */
	assert_true(sched_stop(&a));
	assert_null(steps_pick(0));
	/* Blocks between being stopped and its CPU's look. */
	steps_start(&a);
	assert_ptr_equal(steps_pick(0), &a);
	assert_false(sched_stop(&a));
	sched_block(&a, 0);
	assert_null(steps_pick(0));
	assert_int_equal(sched_unit_state(&a), SCHED_OFF);
	assert_int_equal(unit_cpu(0)->sched.ready, 0);
}

static void woken_before_it_left(void **state)
{
	begin_all(state, 256);
	steps_start(&a);
	assert_ptr_equal(steps_pick(0), &a);
	sched_block(&a, 0);
	assert_true(sched_wake(&a, SCHED_WAKE_EVENT));
	assert_ptr_equal(steps_pick(0), &a);
	assert_int_equal(sched_unit_state(&a), SCHED_RUNNING);
	assert_int_equal(unit_cpu(0)->sched.ready, 0);
}

static void lateness_is_measured(void **state)
{
	struct sched_stats st;

	begin_all(state, 256);
	steps_start(&a);
	assert_ptr_equal(steps_pick(0), &a);
	steps_block(&a);
	(void)steps_pass(MS);
	/* As its timer's interrupt does, 3 us late; the CPU takes 2 us more. */
	a.due = arch_now() - 3 * US;
	assert_true(sched_wake(&a, SCHED_WAKE_TIMER));
	host_set_now(arch_now() + 2 * US);
	assert_ptr_equal(steps_pick(0), &a);
	sched_unit_stats(&a, &st);
	assert_int_equal(st.late_worst, 5 * US);
	assert_int_equal(st.wakeups, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_to_run, steps_begin),
		cmocka_unit_test_setup(only_a_start_starts, steps_begin),
		cmocka_unit_test_setup(turns_only_when_shared, steps_begin),
		cmocka_unit_test_setup(every_tick_is_somebodys, steps_begin),
		cmocka_unit_test_setup(wake_ups_go_first, steps_begin),
		cmocka_unit_test_setup(debt_goes_last, steps_begin),
		cmocka_unit_test_setup(yield_gives_way, steps_begin),
		cmocka_unit_test_setup(siblings_hand_over, steps_begin),
		cmocka_unit_test_setup(siblings_starve_nobody, steps_begin),
		cmocka_unit_test_setup(stops_in_every_state, steps_begin),
		cmocka_unit_test_setup(woken_before_it_left, steps_begin),
		cmocka_unit_test_setup(lateness_is_measured, steps_begin),
	};

	time_init(1000000000);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
