/* SPDX-License-Identifier: Apache-2.0 */
/* hv/core/time.c: conversions against 128-bit arithmetic; deadline queues of two CPUs and when their hardware is touched. */
#include "support.h"

/* POSIX has another function of this name, which nobody needs here. */
#define sched_yield posix_sched_yield
#include <pthread.h>
#undef sched_yield
#include <stdlib.h>

#include "camber/time.h"

#define TIMERS 8

static struct timer timers[TIMERS];
static unsigned int fired[64], fired_count;

static void note(struct timer *t)
{
	assert_false(timer_armed(t));
	assert_true(fired_count < ARRAY_SIZE(fired));
	fired[fired_count++] = (unsigned int)(t - timers);
}

static struct timer_queue *queue(unsigned int cpu)
{
	return &unit_cpu(cpu)->timers;
}

static int begin(void **state)
{
	(void)state;
	host_set_now(1000);
	unit_cpus(2);
	for (unsigned int i = 0; i < TIMERS; i++)
		timer_init(&timers[i], note);
	fired_count = 0;
	return 0;
}

static void conversions_are_exact(void **state)
{
	static const uint64_t rates[] = { 1000000,   19200000,   24000000,   62500000,
					  999999999, 1000000000, 1000000001, 10000000000 };
	static const uint64_t values[] = { 0,
					   1,
					   999,
					   62500000,
					   999999999,
					   1000000000,
					   1000000001,
					   UINT32_MAX,
					   UINT64_C(1) << 53,
					   UINT64_MAX / 3,
					   UINT64_MAX - 1,
					   UINT64_MAX };

	(void)state;
	for (size_t r = 0; r < ARRAY_SIZE(rates); r++) {
		time_init(rates[r]);
		assert_int_equal(time_hz(), rates[r]);
		for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
			unsigned __int128 ns = (unsigned __int128)values[v] * 1000000000 / rates[r];
			unsigned __int128 ticks = (unsigned __int128)values[v] * rates[r] / 1000000000;

			assert_int_equal(time_ticks_to_ns(values[v]), ns > UINT64_MAX ? UINT64_MAX : (uint64_t)ns);
			assert_int_equal(time_ns_to_ticks(values[v]),
					 ticks > UINT64_MAX ? TIME_NEVER : (uint64_t)ticks);
		}
	}
}

static void absurd_rates_are_refused(void **state)
{
	(void)state;
	assert_int_equal(host_catch(time_init(0)), HOST_END_PANIC);
	assert_int_equal(host_catch(time_init(999999)), HOST_END_PANIC);
	assert_int_equal(host_catch(time_init(UINT64_C(10000000001))), HOST_END_PANIC);
}

static void run_in_order(void **state)
{
	static const unsigned int order[] = { 3, 1, 4, 0, 2 };
	static const uint64_t deadline[] = { 5000, 3000, 5000, 2000, 3000 };

	(void)state;
	for (unsigned int i = 0; i < 5; i++)
		timer_arm(&timers[i], queue(0), deadline[i]);
	assert_int_equal(host_timer(0), 2000);
	host_set_now(1999);
	timer_queue_run(queue(0));
	assert_int_equal(fired_count, 0);
	host_set_now(4999);
	timer_queue_run(queue(0));
	assert_int_equal(fired_count, 3);
	assert_int_equal(host_timer(0), 5000);
	host_set_now(5000);
	timer_queue_run(queue(0));
	assert_int_equal(host_timer(0), TIME_NEVER);
	assert_int_equal(fired_count, 5);
	/* By deadline, equal ones in the order they were armed. */
	assert_int_equal(fired[0], order[0]);
	assert_int_equal(fired[1], order[1]);
	assert_int_equal(fired[2], order[2]);
	assert_int_equal(fired[3], order[3]);
	assert_int_equal(fired[4], order[4]);
}

static void hardware_is_touched_on_change_only(void **state)
{
	unsigned int sets = host_timer_sets(0);

	(void)state;
	timer_arm(&timers[0], queue(0), 3000);
	assert_int_equal(host_timer_sets(0), sets + 1);
	timer_arm(&timers[1], queue(0), 4000); /* later */
	timer_arm(&timers[2], queue(0), 3000); /* the same */
	timer_arm(&timers[1], queue(0), 5000); /* moved, still later */
	timer_cancel(&timers[2]);
	assert_int_equal(host_timer_sets(0), sets + 1);
	timer_cancel(&timers[0]);
	assert_int_equal(host_timer_sets(0), sets + 2);
	assert_int_equal(host_timer(0), 5000);
	timer_arm(&timers[1], queue(0), 2000); /* moved, sooner */
	assert_int_equal(host_timer_sets(0), sets + 3);
	timer_cancel(&timers[1]);
	assert_int_equal(host_timer(0), TIME_NEVER);
	timer_cancel(&timers[1]); /* twice */
	timer_cancel(&timers[7]); /* never armed */
	assert_int_equal(host_timer_sets(0), sets + 4);
	timer_queue_run(queue(0));
	assert_int_equal(host_timer_sets(0), sets + 4);
	assert_int_equal(fired_count, 0);
}

static struct timer again;
static unsigned int again_count;

static void rearm_past(struct timer *t)
{
	again_count++;
	timer_arm(t, queue(0), 0);
}

/* A timer that re-arms itself in the past doesn't keep the CPU, and isn't lost. */
static void runs_are_bounded(void **state)
{
	unsigned int first;

	(void)state;
	again_count = 0;
	timer_init(&again, rearm_past);
	timer_arm(&again, queue(0), 500);
	timer_arm(&timers[0], queue(0), 900);
	timer_queue_run(queue(0));
	first = again_count;
	assert_in_range(first, 1, 1000);
	assert_true(host_timer(0) <= 1000);
	timer_queue_run(queue(0));
	assert_in_range(again_count, first + 1, first + 1000);
	timer_cancel(&again);
	timer_queue_run(queue(0));
	assert_int_equal(fired_count, 1);
}

static void rearm_later(struct timer *t)
{
	again_count++;
	timer_arm(t, queue(0), arch_now() + 100);
}

/* Off, or to the next one, before its function runs, and to what that has armed. */
static void periodic_programs_twice_a_turn(void **state)
{
	unsigned int sets;

	(void)state;
	again_count = 0;
	timer_init(&again, rearm_later);
	timer_arm(&again, queue(0), 1100);
	sets = host_timer_sets(0);
	for (unsigned int i = 1; i <= 10; i++) {
		host_set_now(1000 + 100 * i);
		timer_queue_run(queue(0));
		assert_int_equal(again_count, i);
		assert_int_equal(host_timer_sets(0), sets + 2 * i);
		assert_int_equal(host_timer(0), 1100 + 100 * i);
	}
	timer_cancel(&again);
}

static void never_never_fires(void **state)
{
	(void)state;
	timer_arm(&timers[0], queue(0), TIME_NEVER);
	assert_true(timer_armed(&timers[0]));
	assert_int_equal(host_timer(0), TIME_NEVER);
	host_set_now(UINT64_MAX);
	timer_queue_run(queue(0));
	assert_int_equal(fired_count, 0);
	timer_cancel(&timers[0]);
}

static void other_cpus_are_told(void **state)
{
	unsigned int kicks = host_kicks(1);
	unsigned int sets = host_timer_sets(1);

	(void)state;
	timer_arm(&timers[0], queue(1), 3000);
	assert_int_equal(host_kicks(1), kicks + 1);
	assert_int_equal(unit_cpu(1)->work, PCPU_WORK_TIMERS);
	assert_int_equal(host_timer_sets(1), sets); /* only CPU 1 itself reaches its timer */
	/* It comes, and looks. */
	host_set_pcpu(unit_cpu(1));
	unit_cpu(1)->work = 0;
	timer_queue_run(queue(1));
	assert_int_equal(host_timer(1), 3000);
	host_set_pcpu(unit_cpu(0));
	/* Later ones and a cancelled one don't disturb it. */
	timer_arm(&timers[1], queue(1), 4000);
	timer_cancel(&timers[0]);
	assert_int_equal(host_kicks(1), kicks + 1);
	assert_int_equal(unit_cpu(1)->work, 0);
	/* The interrupt in vain puts the hardware right. */
	host_set_pcpu(unit_cpu(1));
	host_set_now(3000);
	timer_queue_run(queue(1));
	assert_int_equal(fired_count, 0);
	assert_int_equal(host_timer(1), 4000);
	host_set_pcpu(unit_cpu(0));
	timer_cancel(&timers[1]);
}

static void timers_move_between_queues(void **state)
{
	(void)state;
	timer_arm(&timers[0], queue(0), 3000);
	timer_arm(&timers[0], queue(1), 2000);
	assert_int_equal(host_timer(0), TIME_NEVER);
	host_set_now(2500);
	timer_queue_run(queue(0));
	assert_int_equal(fired_count, 0);
	host_set_pcpu(unit_cpu(1));
	timer_queue_run(queue(1));
	assert_int_equal(fired_count, 1);
	host_set_pcpu(unit_cpu(0));
}

/* Two CPUs arm, move and cancel the same timers while both run their queues. */
static struct timer shared[4];
static unsigned int shared_fired;

static void count_shared(struct timer *t)
{
	(void)t;
	__atomic_fetch_add(&shared_fired, 1, __ATOMIC_RELAXED);
}

static void *hammer(void *arg)
{
	unsigned int cpu = (unsigned int)(uintptr_t)arg;
	unsigned int seed = cpu + 1;

	host_set_pcpu(unit_cpu(cpu));
	for (unsigned int i = 0; i < 10000; i++) {
		struct timer *t = &shared[(unsigned int)rand_r(&seed) % 4];

		switch (rand_r(&seed) % 4) {
		case 0:
			timer_cancel(t);
			break;
		case 1:
			timer_queue_run(queue(cpu));
			break;
		default:
			timer_arm(t, queue((unsigned int)rand_r(&seed) % 2), (unsigned int)rand_r(&seed) % 2000);
			break;
		}
	}
	return NULL;
}

static void two_cpus_at_once(void **state)
{
	pthread_t other;

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		timer_init(&shared[i], count_shared);
		timer_arm(&shared[i], queue(0), TIME_NEVER);
	}
	assert_int_equal(pthread_create(&other, NULL, hammer, (void *)1), 0);
	hammer(NULL);
	assert_int_equal(pthread_join(other, NULL), 0);
	assert_true(shared_fired > 0);
	/* Both lists are whole: everything can be cancelled, and then they are empty. */
	for (unsigned int i = 0; i < 4; i++)
		timer_cancel(&shared[i]);
	assert_true(list_empty(&queue(0)->head));
	assert_true(list_empty(&queue(1)->head));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(conversions_are_exact, begin),
		cmocka_unit_test_setup(absurd_rates_are_refused, begin),
		cmocka_unit_test_setup(run_in_order, begin),
		cmocka_unit_test_setup(hardware_is_touched_on_change_only, begin),
		cmocka_unit_test_setup(runs_are_bounded, begin),
		cmocka_unit_test_setup(periodic_programs_twice_a_turn, begin),
		cmocka_unit_test_setup(never_never_fires, begin),
		cmocka_unit_test_setup(other_cpus_are_told, begin),
		cmocka_unit_test_setup(timers_move_between_queues, begin),
		cmocka_unit_test_setup(two_cpus_at_once, begin),
	};

	time_init(1000000000);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
