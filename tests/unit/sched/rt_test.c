/* SPDX-License-Identifier: Apache-2.0 */
/* hv/sched/rt.c: budgets, deadlines, announced sleeps, admission; step by step on CPU 0. `a` is 2 ms of 10 ms. */
#include "steps.h"

#include "abi/bundle.h"

static int begin(void **state)
{
	(void)steps_begin(state);
	assert_int_equal(steps_init(&a, 1, 0, 2000, 10000), 0);
	steps_unit(&c, 256);
	sched_seal();
	return 0;
}

static void start_and_sleep(struct sched_unit *u)
{
	steps_start(u);
	assert_ptr_equal(steps_pick(0), u);
	steps_block(u);
	(void)steps_pass(20 * MS);
}

static void goes_first_within_its_budget(void **state)
{
	(void)state;
	start_and_sleep(&a);
	steps_start(&c);
	assert_ptr_equal(steps_pick(0), &c);
	(void)steps_pass(100 * US);
	assert_true(sched_wake(&a, SCHED_WAKE_EVENT));
	assert_ptr_equal(steps_pick(0), &a);
	assert_int_equal(a.class, SCHED_RT);
	assert_ptr_equal(steps_pass(1900 * US), &a);
	/* Used up: the other one, until the next period. */
	assert_ptr_equal(steps_pass(200 * US), &c);
	assert_ptr_equal(steps_pass(7500 * US), &c);
	assert_ptr_equal(steps_pass(1000 * US), &a);
}

static void never_sleeping_has_its_budget(void **state)
{
	(void)state;
	for (int announced = 0; announced < 2; announced++) {
		(void)begin(state);
		assert_int_equal(sched_rt_announce(&a, announced), 0);
		steps_start(&a);
		steps_start(&c);
		(void)steps_pass(10000 * MS);
		assert_in_range(steps_ran(&a), 1980 * MS, 2020 * MS);
		assert_int_equal(steps_ran(&a) + steps_ran(&c), 10000 * MS);
	}
}

/* What it runs while nobody else wants to is free. */
static void leftovers_are_free(void **state)
{
	uint64_t before;

	(void)state;
	steps_start(&a);
	(void)steps_pass(1000 * MS);
	assert_int_equal(steps_ran(&a), 1000 * MS);
	before = steps_ran(&a);
	steps_start(&c);
	(void)steps_pass(1000 * MS);
	assert_in_range(steps_ran(&a) - before, 195 * MS, 205 * MS);
}

static void earliest_deadline_first(void **state)
{
	(void)steps_begin(state);
	assert_int_equal(steps_init(&a, 1, 0, 2000, 20000), 0);
	assert_int_equal(steps_init(&b, 1, 0, 2000, 5000), 0);
	sched_seal();
	start_and_sleep(&a);
	start_and_sleep(&b);
	(void)sched_wake(&a, SCHED_WAKE_TIMER);
	assert_ptr_equal(steps_pick(0), &a);
	(void)steps_pass(500 * US);
	(void)sched_wake(&b, SCHED_WAKE_TIMER);
	assert_ptr_equal(steps_pick(0), &b);
	steps_block(&b);
	assert_ptr_equal(unit_cpu(0)->sched.running, &a);
	/* Later than a's by now. */
	(void)steps_pass(1400 * US);
	steps_block(&a);
	(void)steps_pass(16 * MS);
	(void)sched_wake(&a, SCHED_WAKE_TIMER);
	assert_ptr_equal(steps_pick(0), &a);
	(void)sched_wake(&b, SCHED_WAKE_TIMER);
	(void)steps_pick(0);
	assert_true((a.deadline <= b.deadline) == (unit_cpu(0)->sched.running == &a));
}

/* Sleeping and waking often gains nothing: no new budget before the old one's deadline. */
static void naps_bring_no_budget(void **state)
{
	uint64_t begun, before;

	(void)state;
	start_and_sleep(&a);
	steps_start(&c);
	begun = arch_now();
	before = steps_ran(&a);
	while (arch_now() - begun < 1000 * MS) {
		(void)sched_wake(&a, SCHED_WAKE_TIMER);
		(void)steps_pass(300 * US);
		if (unit_cpu(0)->sched.running == &a)
			steps_block(&a);
		(void)steps_pass(10 * US);
	}
	assert_true(steps_ran(&a) - before <= 210 * MS);
}

static void announced_sleeps(void **state)
{
	(void)state;
	start_and_sleep(&a);
	steps_start(&c);
	(void)steps_pass(100 * US);
	assert_true(sched_wake(&a, SCHED_WAKE_EVENT));
	assert_ptr_equal(steps_pick(0), &a);
	assert_int_equal(sched_rt_announce(&a, true), 0);
	assert_int_equal(sched_rt_sleep(&a, arch_now()), 1);
	assert_int_equal(sched_rt_sleep(&a, arch_now() + sched_params.min_sleep - 1), -EINVAL);
	assert_int_equal(sched_rt_sleep(&a, arch_now() + SCHED_RT_SLEEP_MAX_NS + 1), -E2BIG);
	assert_int_equal(sched_rt_sleep(&c, arch_now() + 20 * MS), -EPERM);
	assert_int_equal(sched_rt_announce(&c, true), -EPERM);
	/* Woken by something else it is an ordinary unit, here without weight; */
	assert_int_equal(sched_rt_sleep(&a, arch_now() + 50 * MS), 0);
	steps_sleep(&a, arch_now() + 50 * MS);
	assert_ptr_equal(steps_pass(20 * MS), &c);
	assert_true(sched_wake(&a, SCHED_WAKE_EVENT));
	assert_ptr_equal(steps_pass(MS), &c);
	assert_true(a.class != SCHED_RT);
	/* with its next budget it runs. */
	assert_ptr_equal(steps_pass(10 * MS), &a);
	steps_sleep(&a, arch_now() + 20 * MS);
	(void)steps_pass(20 * MS - 1);
	assert_int_equal(sched_unit_state(&a), SCHED_BLOCKED);
	assert_ptr_equal(steps_pass(1), &a);
	assert_int_equal(a.class, SCHED_RT);
}

/* What isn't an announced sleep doesn't end like one, and a switch of modes doesn't forget one. */
static void sleeps_end_once(void **state)
{
	struct sched_params p = sched_params;

	(void)state;
	start_and_sleep(&a);
	assert_true(sched_wake(&a, SCHED_WAKE_EVENT));
	assert_ptr_equal(steps_pick(0), &a);
	steps_sleep(&a, arch_now() + 30 * MS);
	assert_true(sched_wake(&a, SCHED_WAKE_EVENT));
	assert_ptr_equal(steps_pick(0), &a);
	steps_block(&a);
	assert_null(steps_pass(100 * MS));
	assert_true(sched_wake(&a, SCHED_WAKE_EVENT));
	assert_ptr_equal(steps_pick(0), &a);
	steps_sleep(&a, arch_now() + 30 * MS);
	p.mode = SCHED_MODE_CREDIT;
	sched_set_params(&p);
	p.mode = SCHED_MODE_RT;
	sched_set_params(&p);
	assert_null(steps_pass(29 * MS));
	assert_ptr_equal(steps_pass(2 * MS), &a);
}

static void admission(void **state)
{
	uint32_t ppm;

	(void)steps_begin(state);
	assert_int_equal(steps_init(&a, 1, 0, 6000, 10000), 0);
	assert_int_equal(steps_init(&b, 1, 0, 4001, 10000), -ENOSPC);
	assert_int_equal(steps_init(&b, 1, 0, 4000, 10000), 0);
	steps_unit(&c, 256);
	sched_seal();
	assert_int_equal(sched_set_rt(&a, 6001, 10000, &ppm), -ENOSPC);
	assert_int_equal(ppm, 1000100);
	assert_int_equal(sched_set_rt(&a, 1000, 10000, &ppm), 0);
	assert_int_equal(ppm, 500000);
	assert_int_equal(sched_set_rt(&b, 9000, 10000, &ppm), 0);
	assert_int_equal(sched_set_rt(&a, 2000, 1000, &ppm), -EINVAL);
	assert_int_equal(sched_set_rt(&a, BUNDLE_RT_BUDGET_MIN_US - 1, 1000, &ppm), -EINVAL);
	assert_int_equal(sched_set_rt(&a, 50, BUNDLE_RT_PERIOD_MIN_US - 1, &ppm), -EINVAL);
	assert_int_equal(sched_set_rt(&a, 50, BUNDLE_RT_PERIOD_MAX_US + 1, &ppm), -EINVAL);
	assert_int_equal(sched_set_rt(&c, 1000, 10000, &ppm), -EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(goes_first_within_its_budget, begin),
		cmocka_unit_test_setup(never_sleeping_has_its_budget, begin),
		cmocka_unit_test_setup(leftovers_are_free, begin),
		cmocka_unit_test_setup(earliest_deadline_first, begin),
		cmocka_unit_test_setup(naps_bring_no_budget, begin),
		cmocka_unit_test_setup(announced_sleeps, begin),
		cmocka_unit_test_setup(sleeps_end_once, begin),
		cmocka_unit_test_setup(admission, begin),
	};

	time_init(1000000000);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
