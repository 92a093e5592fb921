/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the scheduler's step-by-step tests share: a few units and groups, and time that stands still but for
 * steps_pass().
 */
#ifndef UNIT_SCHED_STEPS_H
#define UNIT_SCHED_STEPS_H

#include "support.h"

#include "camber/errno.h"
#include "camber/sched.h"

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)
#define SLICE (CONFIG_SCHED_SLICE_US * US)
#define ACCOUNT (CONFIG_SCHED_ACCOUNT_US * US)
#define DEMOTE (CONFIG_SCHED_DEMOTE_US * US)

static struct sched_unit a, b, c;
static struct sched_group group, other;

/* CPUs and groups without units; time_init(1000000000) was called. */
static inline int steps_begin(void **state)
{
	(void)state;
	host_set_now(7 * ACCOUNT);
	unit_cpus(4);
	sched_group_init(&group, 0);
	sched_group_init(&other, 0);
	a = b = c = (struct sched_unit){ 0 };
	return 0;
}

static inline int steps_init(struct sched_unit *u, uint32_t mask, uint32_t weight, uint32_t budget_us,
			     uint32_t period_us)
{
	return sched_unit_init(u, &(struct sched_config){ .cpu_mask = mask,
							  .weight = weight,
							  .group = u == &c ? &other : &group,
							  .rt_budget_us = budget_us,
							  .rt_period_us = period_us });
}

/* An ordinary unit of CPU 0. */
static inline void steps_unit(struct sched_unit *u, uint32_t weight)
{
	assert_int_equal(steps_init(u, 1, weight, 0, 0), 0);
}

static inline void steps_start(struct sched_unit *u)
{
	assert_true(sched_wake(u, SCHED_WAKE_START));
}

/* A CPU chooses; this thread is that CPU. */
static inline struct sched_unit *steps_pick(unsigned int cpu)
{
	host_set_pcpu(unit_cpu(cpu));
	unit_cpu(cpu)->work = 0;
	return sched_pick(&unit_cpu(cpu)->sched);
}

/* The same, and what CPU 0 ran before leaves its hardware. */
static inline struct sched_unit *steps_switch(struct sched_unit *from)
{
	struct sched_unit *u = steps_pick(0);

	if (u && u != from)
		sched_release(&unit_cpu(0)->sched, from);
	return u;
}

/* Time passes on CPU 0, its timer interrupts come, and it chooses whenever it is told to. Returns what runs then. */
static inline struct sched_unit *steps_pass(uint64_t ticks)
{
	uint64_t until = arch_now() + ticks;

	host_set_pcpu(unit_cpu(0));
	for (;;) {
		while (unit_cpu(0)->work)
			(void)steps_pick(0);
		if (host_timer(0) > until)
			break;
		host_set_now(MAX(arch_now(), host_timer(0)));
		timer_queue_run(&unit_cpu(0)->timers);
	}
	host_set_now(until);
	return unit_cpu(0)->sched.running;
}

/* An announced sleep; 0: until it is woken. */
static inline void steps_sleep(struct sched_unit *u, uint64_t until)
{
	sched_block(u, until);
	(void)steps_pick(0);
}

static inline void steps_block(struct sched_unit *u)
{
	steps_sleep(u, 0);
}

static inline uint64_t steps_ran(struct sched_unit *u)
{
	struct sched_stats st;
	uint64_t ran = 0;

	sched_unit_stats(u, &st);
	for (unsigned int class = 0; class < SCHED_CLASSES; class ++)
		ran += st.ran[class];
	return ran;
}

static inline uint64_t steps_ran_rt(struct sched_unit *u)
{
	struct sched_stats st;

	sched_unit_stats(u, &st);
	return st.ran[SCHED_RT];
}

#endif
