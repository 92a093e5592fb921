/* SPDX-License-Identifier: Apache-2.0 */
/* hv/sched/sched.c: one CPU's round robin step by step, with the time standing still but for advance(). */
#include "support.h"

#include "camber/errno.h"
#include "camber/sched.h"

#define SLICE (CONFIG_SCHED_SLICE_US * UINT64_C(1000))

static struct sched_unit a, b, c;
static struct sched_cpu *cpu;
static uint64_t now;

static void advance(uint64_t ns)
{
	now += ns;
	host_set_now(now);
	timer_queue_run(&unit_cpu(0)->timers);
}

static void unit_begin(struct sched_unit *u)
{
	*u = (struct sched_unit){ 0 };
	assert_int_equal(sched_unit_init(u, 1, 256), 0);
}

static int begin(void **state)
{
	(void)state;
	now = 1000000;
	host_set_now(now);
	unit_cpus(2);
	cpu = &unit_cpu(0)->sched;
	unit_begin(&a);
	unit_begin(&b);
	unit_begin(&c);
	return 0;
}

static void start(struct sched_unit *u)
{
	assert_true(sched_wake(u, SCHED_WAKE_START));
}

static void spreads_units(void **state)
{
	struct sched_unit u[4] = { 0 };

	(void)state;
	/* CPU 0 has three already. */
	assert_int_equal(sched_unit_init(&u[0], UINT32_MAX, 1), 0);
	assert_int_equal(u[0].cpu, 1);
	assert_true(sched_unit_alone(&u[0]));
	assert_int_equal(sched_unit_init(&u[1], 2, 1), 0);
	assert_false(sched_unit_alone(&u[0]));
	assert_int_equal(sched_unit_init(&u[2], 3, 1), 0);
	assert_int_equal(u[2].cpu, 1);
	assert_int_equal(sched_unit_init(&u[3], 4, 1), -EINVAL);
	assert_int_equal(sched_unit_init(&u[3], 0, 1), -EINVAL);
}

static void nothing_to_run(void **state)
{
	(void)state;
	assert_null(sched_pick(cpu));
	start(&a);
	assert_int_equal(unit_cpu(0)->work, PCPU_WORK_RESCHED);
	assert_ptr_equal(sched_pick(cpu), &a);
	assert_int_equal(a.state, SCHED_RUNNING);
	sched_block(&a);
	assert_null(sched_pick(cpu));
	assert_int_equal(a.state, SCHED_BLOCKED);
}

static void only_a_start_starts(void **state)
{
	(void)state;
	assert_false(sched_wake(&a, SCHED_WAKE_TIMER));
	assert_false(sched_wake(&a, SCHED_WAKE_EVENT));
	assert_false(sched_wake(&a, SCHED_WAKE_IPI));
	assert_int_equal(a.state, SCHED_OFF);
	start(&a);
	assert_false(sched_wake(&a, SCHED_WAKE_START));
	assert_ptr_equal(sched_pick(cpu), &a);
	assert_false(sched_wake(&a, SCHED_WAKE_EVENT)); /* runs already */
}

static void slices_only_when_shared(void **state)
{
	(void)state;
	start(&a);
	assert_ptr_equal(sched_pick(cpu), &a);
	assert_int_equal(host_timer(0), TIME_NEVER);
	start(&b);
	assert_ptr_equal(sched_pick(cpu), &a);
	assert_int_equal(host_timer(0), now + SLICE);
	advance(SLICE - 1);
	assert_ptr_equal(sched_pick(cpu), &a);
	unit_cpu(0)->work = 0;
	advance(1);
	assert_int_equal(unit_cpu(0)->work, PCPU_WORK_RESCHED);
	assert_ptr_equal(sched_pick(cpu), &b);
	assert_int_equal(host_timer(0), now + SLICE);
	sched_block(&b);
	assert_ptr_equal(sched_pick(cpu), &a);
	/* Alone again: at most the timer that is under way comes, for nothing. */
	unit_cpu(0)->work = 0;
	advance(SLICE);
	assert_int_equal(unit_cpu(0)->work, 0);
	assert_int_equal(host_timer(0), TIME_NEVER);
}

/* Every unit that always wants to run gets the same, and every tick is charged to somebody. */
static void fair_and_exact(void **state)
{
	struct sched_unit *u;
	uint64_t begun = now;

	(void)state;
	start(&a);
	start(&b);
	start(&c);
	u = sched_pick(cpu);
	for (int i = 0; i < 3000; i++) {
		advance(SLICE / 10);
		u = sched_pick(cpu);
		assert_non_null(u);
	}
	/* Put it off the CPU, so that its last piece is charged. */
	sched_block(u);
	(void)sched_pick(cpu);
	assert_int_equal(a.run_ticks + b.run_ticks + c.run_ticks, now - begun);
	assert_in_range(a.run_ticks, (now - begun) / 3 - 2 * SLICE, (now - begun) / 3 + 2 * SLICE);
	assert_in_range(b.run_ticks, (now - begun) / 3 - 2 * SLICE, (now - begun) / 3 + 2 * SLICE);
}

static void timers_preempt_events_wait(void **state)
{
	(void)state;
	start(&a);
	start(&b);
	assert_ptr_equal(sched_pick(cpu), &a);
	sched_block(&a);
	assert_ptr_equal(sched_pick(cpu), &b);
	assert_true(sched_wake(&a, SCHED_WAKE_EVENT));
	assert_ptr_equal(sched_pick(cpu), &b);
	advance(SLICE);
	assert_ptr_equal(sched_pick(cpu), &a);
	sched_block(&a);
	assert_ptr_equal(sched_pick(cpu), &b);
	assert_true(sched_wake(&a, SCHED_WAKE_TIMER));
	assert_ptr_equal(sched_pick(cpu), &a);
}

static void yield_gives_way(void **state)
{
	(void)state;
	start(&a);
	assert_ptr_equal(sched_pick(cpu), &a);
	assert_false(sched_yield(cpu));
	start(&b);
	assert_true(sched_yield(cpu));
	assert_ptr_equal(sched_pick(cpu), &b);
	assert_true(sched_yield(cpu));
	assert_ptr_equal(sched_pick(cpu), &a);
}

static void siblings_raise_each_other(void **state)
{
	(void)state;
	start(&a);
	start(&b);
	start(&c);
	assert_ptr_equal(sched_pick(cpu), &a);
	assert_false(sched_wake(&c, SCHED_WAKE_IPI)); /* it wasn't asleep */
	assert_ptr_equal(sched_pick(cpu), &c);
}

/* Two that interrupt each other without end, in the two ways there are: a third gets its turns all the same. */
static void siblings_starve_nobody(void **state)
{
	for (int sleeping = 0; sleeping < 2; sleeping++) {
		(void)begin(state);
		start(&a);
		start(&b);
		start(&c);
		for (int i = 0; i < 2000; i++) {
			struct sched_unit *u = sched_pick(cpu);

			advance(SLICE / 20);
			if (u != &c)
				(void)sched_wake(u == &a ? &b : &a, SCHED_WAKE_IPI);
			if (u != &c && sleeping)
				sched_block(u);
		}
		if (c.run_ticks == 0)
			print_error("starved, with siblings that %s\n", sleeping ? "sleep" : "spin");
		/* A fair share would be a third. */
		assert_true(c.run_ticks > (a.run_ticks + b.run_ticks) / 20);
		assert_true(a.run_ticks > 0 && b.run_ticks > 0);
	}
}

static void stops_in_every_state(void **state)
{
	(void)state;
	assert_true(sched_stop(&a)); /* off */
	start(&a);
	assert_true(sched_stop(&a)); /* queued */
	assert_null(sched_pick(cpu));
	start(&a);
	assert_ptr_equal(sched_pick(cpu), &a);
	unit_cpu(0)->work = 0;
	assert_false(sched_stop(&a)); /* running: goes when its CPU looks */
	assert_int_equal(unit_cpu(0)->work, PCPU_WORK_RESCHED);
	assert_int_equal(a.state, SCHED_RUNNING);
	assert_null(sched_pick(cpu));
	assert_int_equal(a.state, SCHED_OFF);
	start(&a);
	assert_ptr_equal(sched_pick(cpu), &a);
	sched_block(&a);
	assert_true(sched_stop(&a)); /* blocked, still on the CPU */
	assert_null(sched_pick(cpu));
	start(&a);
	assert_ptr_equal(sched_pick(cpu), &a);
	sched_block(&a);
	(void)sched_wake(&a, SCHED_WAKE_EVENT); /* woken before it left */
	assert_true(sched_stop(&a));
	assert_null(sched_pick(cpu));
	assert_int_equal(cpu->waiting, 0);
}

static void woken_before_it_left(void **state)
{
	(void)state;
	start(&a);
	assert_ptr_equal(sched_pick(cpu), &a);
	sched_block(&a);
	assert_true(sched_wake(&a, SCHED_WAKE_EVENT));
	assert_ptr_equal(sched_pick(cpu), &a);
	assert_int_equal(a.state, SCHED_RUNNING);
	assert_int_equal(cpu->waiting, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(spreads_units, begin),
		cmocka_unit_test_setup(nothing_to_run, begin),
		cmocka_unit_test_setup(only_a_start_starts, begin),
		cmocka_unit_test_setup(slices_only_when_shared, begin),
		cmocka_unit_test_setup(fair_and_exact, begin),
		cmocka_unit_test_setup(timers_preempt_events_wait, begin),
		cmocka_unit_test_setup(yield_gives_way, begin),
		cmocka_unit_test_setup(siblings_raise_each_other, begin),
		cmocka_unit_test_setup(siblings_starve_nobody, begin),
		cmocka_unit_test_setup(stops_in_every_state, begin),
		cmocka_unit_test_setup(woken_before_it_left, begin),
	};

	time_init(1000000000);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
