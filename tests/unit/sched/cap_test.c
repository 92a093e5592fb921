/* SPDX-License-Identifier: Apache-2.0 */
/* hv/sched/cap.c: a group's part of the time, step by step on CPU 0. `a` and `b` are of one group. */
#include "steps.h"

static int begin(void **state)
{
	(void)steps_begin(state);
	sched_group_init(&group, 20);
	steps_unit(&a, 256);
	steps_unit(&b, 256);
	steps_unit(&c, 256);
	sched_seal();
	return 0;
}

/* Even when nobody else wants to run, and for both units together. */
static void holds_and_is_reached(void **state)
{
	(void)state;
	steps_start(&a);
	(void)steps_pass(3000 * MS);
	assert_in_range(steps_ran(&a), 594 * MS, 606 * MS);
	steps_start(&b);
	(void)steps_pass(3000 * MS);
	assert_in_range(steps_ran(&a) + steps_ran(&b), 1188 * MS, 1212 * MS);
	steps_start(&c);
	(void)steps_pass(3000 * MS);
	assert_in_range(steps_ran(&a) + steps_ran(&b), 1782 * MS, 1818 * MS);
	assert_in_range(steps_ran(&c), 2376 * MS, 2424 * MS);
}

/* A unit whose cap is used up doesn't run when it is woken; it counts as waiting. */
static void waits_for_the_refill(void **state)
{
	struct sched_stats st;

	(void)state;
	steps_start(&a);
	assert_null(steps_pass(ACCOUNT / 2));
	assert_int_equal(sched_unit_state(&a), SCHED_QUEUED);
	assert_true(a.parked);
	assert_int_equal(steps_ran(&a), ACCOUNT / 5);
	steps_start(&b);
	assert_null(steps_pass(MS));
	assert_true(b.parked);
	assert_false(sched_wake(&b, SCHED_WAKE_IPI));
	assert_null(steps_pass(MS));
	assert_non_null(steps_pass(ACCOUNT / 2 - MS));
	sched_unit_stats(&a, &st);
	assert_true(st.waited >= ACCOUNT * 4 / 5);
}

static void stops_while_parked(void **state)
{
	(void)state;
	steps_start(&a);
	assert_null(steps_pass(ACCOUNT / 2));
	assert_true(sched_stop(&a));
	assert_null(steps_pass(2 * ACCOUNT));
	steps_start(&a);
	assert_ptr_equal(steps_pass(MS), &a);
}

static void changes_at_run_time(void **state)
{
	uint64_t before;

	(void)state;
	steps_start(&a);
	assert_null(steps_pass(ACCOUNT / 2));
	/* None: it runs at once, and sooner or later no timer is left. */
	sched_set_cap(&group, 0);
	assert_ptr_equal(steps_pass(MS), &a);
	(void)steps_pass(10 * ACCOUNT);
	assert_int_equal(host_timer(0), TIME_NEVER);
	sched_set_cap(&group, 40);
	(void)steps_pass(2 * ACCOUNT);
	before = steps_ran(&a);
	(void)steps_pass(3000 * MS);
	assert_in_range(steps_ran(&a) - before, 1188 * MS, 1212 * MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(holds_and_is_reached, begin),
		cmocka_unit_test_setup(waits_for_the_refill, begin),
		cmocka_unit_test_setup(stops_while_parked, begin),
		cmocka_unit_test_setup(changes_at_run_time, begin),
	};

	time_init(1000000000);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
