/* SPDX-License-Identifier: Apache-2.0 */
/* hv/sched/place.c: which CPU, at boot and later; step by step on up to four CPUs. */
#include "steps.h"

static int init(struct sched_unit *u, uint32_t mask, struct sched_group *g)
{
	*u = (struct sched_unit){ 0 };
	return sched_unit_init(u, &(struct sched_config){ .cpu_mask = mask, .weight = 256, .group = g });
}

/* CPU by CPU, what the hardware holds. */
static struct sched_unit *held[4];

static struct sched_unit *pick(unsigned int cpu)
{
	struct sched_unit *u = steps_pick(cpu);

	if (u)
		sched_hold(&unit_cpu(cpu)->sched, u);
	if (u && held[cpu] && held[cpu] != u)
		sched_release(&unit_cpu(cpu)->sched, held[cpu]);
	held[cpu] = u ? u : held[cpu];
	return u;
}

static int begin(void **state)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(held); i++)
		held[i] = NULL;
	return steps_begin(state);
}

static void refuses_impossible_masks(void **state)
{
	(void)state;
	assert_int_equal(init(&a, 0, &group), -EINVAL);
	assert_int_equal(init(&a, BIT32(7), &group), -EINVAL);
	unit_cpu(2)->online = false;
	assert_int_equal(init(&a, BIT32(2), &group), -EINVAL);
	assert_int_equal(init(&a, UINT32_MAX, &group), 0);
}

static void each_its_own_while_there_are_enough(void **state)
{
	struct sched_unit u[4];
	uint32_t cpus = 0;

	(void)state;
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(init(&u[i], UINT32_MAX, &group), 0);
	sched_seal();
	for (unsigned int i = 0; i < 4; i++) {
		assert_true(sched_unit_alone(&u[i]));
		assert_true(sched_unit_fixed(&u[i]));
		cpus |= BIT32(sched_unit_cpu(&u[i]));
	}
	assert_int_equal(cpus, 0xf);
}

static void shared_cpus_are_a_pool(void **state)
{
	struct sched_unit u[3];

	(void)state;
	assert_int_equal(init(&u[0], 3, &group), 0);
	assert_int_equal(init(&u[1], 3, &group), 0);
	assert_int_equal(init(&u[2], 3, &group), 0);
	assert_int_equal(init(&a, 4, &other), 0);
	assert_int_equal(init(&b, 8, &other), 0);
	assert_int_equal(init(&c, 8, &other), 0);
	sched_seal();
	assert_false(sched_unit_alone(&u[0]));
	assert_true(sched_joined(&unit_cpu(0)->sched));
	assert_ptr_equal(unit_cpu(0)->sched.pool, unit_cpu(1)->sched.pool);
	assert_true(sched_unit_alone(&a));
	assert_false(sched_unit_alone(&b));
	assert_false(sched_joined(&unit_cpu(3)->sched));
	assert_ptr_not_equal(unit_cpu(2)->sched.pool, unit_cpu(3)->sched.pool);
}

/* A real-time unit goes to the CPU with the most time to spare, and stays. */
static void real_time_is_bound(void **state)
{
	(void)state;
	assert_int_equal(steps_init(&a, 3, 0, 6000, 10000), 0);
	assert_int_equal(steps_init(&b, 3, 0, 6000, 10000), 0);
	assert_int_not_equal(sched_unit_cpu(&a), sched_unit_cpu(&b));
	assert_int_equal(steps_init(&c, 3, 0, 6000, 10000), -ENOSPC);
	assert_int_equal(steps_init(&c, 7, 0, 6000, 10000), 0);
	assert_int_equal(sched_unit_cpu(&c), 2);
	sched_seal();
	assert_true(sched_unit_fixed(&a) && sched_unit_fixed(&b) && sched_unit_fixed(&c));
}

/* A group stays on the kind of core that its first unit is on. */
static void one_kind_of_core(void **state)
{
	(void)state;
	unit_cpu(1)->sched.kind = 1;
	unit_cpu(3)->sched.kind = 1;
	assert_int_equal(init(&a, 2, &group), 0);
	assert_int_equal(init(&b, 5, &group), -EINVAL);
	assert_int_equal(init(&b, UINT32_MAX, &group), 0);
	assert_int_equal(b.cpu_mask & 5, 0);
	assert_int_equal(init(&c, 5, &other), 0);
}

static void begin_pool(struct sched_unit *u)
{
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(init(&u[i], 3, &group), 0);
	sched_seal();
}

static void wakes_on_an_idle_cpu(void **state)
{
	struct sched_unit u[3];

	(void)state;
	begin_pool(u);
	(void)pick(0);
	(void)pick(1);
	for (unsigned int i = 0; i < 2; i++) {
		steps_start(&u[i]);
		assert_int_equal(unit_cpu(sched_unit_cpu(&u[i]))->work, PCPU_WORK_RESCHED);
		assert_ptr_equal(pick(sched_unit_cpu(&u[i])), &u[i]);
	}
	assert_int_not_equal(sched_unit_cpu(&u[0]), sched_unit_cpu(&u[1]));
}

/* Two that are woken before any CPU has looked don't end on the same one, wherever their state is. */
static void spreads_what_wakes_at_once(void **state)
{
	struct sched_unit u[3];

	(void)state;
	begin_pool(u);
	(void)pick(0);
	(void)pick(1);
	steps_start(&u[0]);
	assert_ptr_equal(pick(sched_unit_cpu(&u[0])), &u[0]);
	sched_block(&u[0], 0);
	(void)pick(sched_unit_cpu(&u[0]));
	/* One CPU holds u[0]'s state. */
	for (unsigned int first = 0; first < 2; first++) {
		steps_start(&u[1 + first]);
		assert_true(sched_wake(&u[0], SCHED_WAKE_EVENT));
		for (unsigned int round = 0; round < 3; round++)
			for (unsigned int cpu = 0; cpu < 2; cpu++)
				if (unit_cpu(cpu)->work)
					(void)pick(cpu);
		assert_non_null(unit_cpu(0)->sched.running);
		assert_non_null(unit_cpu(1)->sched.running);
		for (unsigned int i = 0; i < 3; i++) {
			unsigned int cpu = sched_unit_cpu(&u[i]);

			if (sched_unit_state(&u[i]) != SCHED_RUNNING)
				continue;
			host_set_pcpu(unit_cpu(cpu));
			sched_block(&u[i], 0);
			(void)pick(cpu);
		}
	}
}

/*
 * A CPU that has nothing to do takes over what waits elsewhere, but not before its state has left the hardware there.
 */
static void work_moves_when_released(void **state)
{
	struct sched_unit u[3], *first, *second;
	unsigned int cpu, idle;

	(void)state;
	begin_pool(u);
	for (unsigned int i = 0; i < 3; i++)
		steps_start(&u[i]);
	(void)pick(0);
	(void)pick(1);
	cpu = unit_cpu(0)->sched.ready ? 0 : 1;
	idle = 1 - cpu;
	first = unit_cpu(cpu)->sched.running;
	/* The other CPU's unit blocks; the one that waits goes there. */
	host_set_pcpu(unit_cpu(idle));
	sched_block(unit_cpu(idle)->sched.running, 0);
	second = pick(idle);
	assert_non_null(second);
	assert_int_equal(second->stats.moves, sched_unit_cpu(second) == cpu ? 0 : 1);
	/* That blocks too: nothing waits. */
	host_set_pcpu(unit_cpu(idle));
	sched_block(second, 0);
	assert_null(pick(idle));
	/* A unit that waits where its state is held stays there. */
	host_set_pcpu(unit_cpu(cpu));
	sched_block(first, 0);
	assert_true(sched_wake(first, SCHED_WAKE_EVENT));
	assert_null(pick(idle));
	assert_ptr_equal(pick(cpu), first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(refuses_impossible_masks, begin),
		cmocka_unit_test_setup(each_its_own_while_there_are_enough, begin),
		cmocka_unit_test_setup(shared_cpus_are_a_pool, begin),
		cmocka_unit_test_setup(real_time_is_bound, begin),
		cmocka_unit_test_setup(one_kind_of_core, begin),
		cmocka_unit_test_setup(wakes_on_an_idle_cpu, begin),
		cmocka_unit_test_setup(spreads_what_wakes_at_once, begin),
		cmocka_unit_test_setup(work_moves_when_released, begin),
	};

	time_init(1000000000);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
