/* SPDX-License-Identifier: Apache-2.0 */
/* hv/sched/credit.c and set.c: who pays, what is given back, weights, the baseline; step by step on CPU 0. */
#include "steps.h"

static void by_weight(void **state)
{
	(void)state;
	steps_unit(&a, 128);
	steps_unit(&b, 256);
	steps_unit(&c, 512);
	sched_seal();
	steps_start(&a);
	steps_start(&b);
	steps_start(&c);
	/* At first they begin with the same credit. */
	(void)steps_pass(14000 * MS);
	assert_in_range(steps_ran(&a), 1980 * MS, 2020 * MS);
	assert_in_range(steps_ran(&b), 3960 * MS, 4040 * MS);
	assert_in_range(steps_ran(&c), 7920 * MS, 8080 * MS);
}

/* A change counts from then on. */
static void other_weights(void **state)
{
	uint64_t before;

	(void)state;
	steps_unit(&a, 256);
	steps_unit(&b, 256);
	sched_seal();
	steps_start(&a);
	steps_start(&b);
	(void)steps_pass(1000 * MS);
	sched_set_weight(&a, 768);
	(void)steps_pass(100 * MS);
	before = steps_ran(&a);
	(void)steps_pass(4000 * MS);
	assert_in_range(steps_ran(&a) - before, 2970 * MS, 3030 * MS);
}

/* A unit without weight has what others leave. */
static void no_weight(void **state)
{
	uint64_t before;

	(void)state;
	assert_int_equal(steps_init(&a, 1, 0, 1000, 10000), 0);
	steps_unit(&b, 256);
	sched_seal();
	steps_start(&a);
	steps_start(&b);
	(void)steps_pass(1000 * MS);
	assert_in_range(steps_ran(&a), 99 * MS, 101 * MS);
	steps_block(steps_pass(5 * MS) == &b ? &b : &a);
	if (sched_unit_state(&b) == SCHED_BLOCKED) {
		before = steps_ran(&a);
		(void)steps_pass(1000 * MS);
		assert_int_equal(steps_ran(&a) - before, 1000 * MS);
	}
}

/* Sleeping saves up little: a unit that comes back after a long time doesn't keep another from running for long. */
static void nothing_saved(void **state)
{
	uint64_t before;

	(void)state;
	steps_unit(&a, 256);
	steps_unit(&b, 256);
	sched_seal();
	steps_start(&a);
	assert_ptr_equal(steps_pick(0), &a);
	steps_block(&a);
	steps_start(&b);
	(void)steps_pass(5000 * MS);
	before = steps_ran(&b);
	assert_true(sched_wake(&a, SCHED_WAKE_EVENT));
	(void)steps_pass(1000 * MS);
	assert_true(steps_ran(&b) - before >= 500 * MS - 2 * ACCOUNT);
}

/* It computes but for the moments at which a sampler looks. */
static uint64_t dodge(void)
{
	uint64_t begun = arch_now();

	while (arch_now() - begun < 2000 * MS) {
		uint64_t next = (arch_now() / DEMOTE + 1) * DEMOTE;
		struct sched_unit *u = steps_pass(100 * US);

		if (u == &a && next - arch_now() < 300 * US)
			steps_block(&a);
		if (sched_unit_state(&a) == SCHED_BLOCKED && arch_now() % DEMOTE < 300 * US)
			(void)sched_wake(&a, SCHED_WAKE_TIMER);
	}
	return steps_ran(&a);
}

static void dodgers_pay(void **state)
{
	(void)state;
	steps_unit(&a, 256);
	steps_unit(&b, 256);
	sched_seal();
	steps_start(&a);
	steps_start(&b);
	assert_true(dodge() <= 1010 * MS + ACCOUNT);
}

/* They don't in the baseline, which is there to show that. */
static void baseline_samples(void **state)
{
	struct sched_params p;

	(void)state;
	steps_unit(&a, 256);
	steps_unit(&b, 256);
	sched_seal();
	p = sched_params;
	p.mode = SCHED_MODE_CREDIT;
	sched_set_params(&p);
	steps_start(&a);
	steps_start(&b);
	assert_true(dodge() >= 1600 * MS);
}

static void baseline_has_long_turns(void **state)
{
	struct sched_params p;
	struct sched_stats st;
	uint64_t turns;

	(void)state;
	steps_unit(&a, 256);
	steps_unit(&b, 256);
	sched_seal();
	p = sched_params;
	p.mode = SCHED_MODE_CREDIT;
	sched_set_params(&p);
	steps_start(&a);
	steps_start(&b);
	(void)steps_pass(3000 * MS);
	sched_unit_stats(&a, &st);
	assert_in_range(steps_ran(&a), 1400 * MS, 1600 * MS);
	assert_in_range(st.switches, 20, 110);
	/* And back. */
	turns = st.switches;
	p.mode = SCHED_MODE_RT;
	sched_set_params(&p);
	(void)steps_pass(3000 * MS);
	sched_unit_stats(&a, &st);
	assert_true(st.switches - turns >= 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(by_weight, steps_begin),
		cmocka_unit_test_setup(other_weights, steps_begin),
		cmocka_unit_test_setup(no_weight, steps_begin),
		cmocka_unit_test_setup(nothing_saved, steps_begin),
		cmocka_unit_test_setup(dodgers_pay, steps_begin),
		cmocka_unit_test_setup(baseline_samples, steps_begin),
		cmocka_unit_test_setup(baseline_has_long_turns, steps_begin),
	};

	time_init(1000000000);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
