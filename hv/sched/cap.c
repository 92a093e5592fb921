/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Caps: the most that a group's units may run together in an accounting period, even when a CPU has nothing else to do.
 *
 * Units of a group can be in several pools, so what it has used is counted without a lock. What it has used too much, for its
 * units notice at the end of their turns only, counts in the next period.
 */
#include "sched_priv.h"

int64_t sched_cap_left(const struct sched_unit *u)
{
	return (int64_t)u->group->cap - __atomic_load_n(&u->group->used, __ATOMIC_RELAXED);
}

void sched_cap_charge(struct sched_cpu *s, const struct sched_unit *u, uint64_t ticks)
{
	struct sched_group *g = u->group;

	/* Whoever comes first in a period begins it. */
	if (ticks && !__atomic_fetch_add(&g->used, (int64_t)ticks, __ATOMIC_RELAXED))
		timer_arm(&g->refill, s->timers, arch_now() - ticks + sched_params.account);
}

/* Its units may run again. */
static void unpark(struct sched_unit *u)
{
	struct sched_pool *pool = sched_pool_of(u);

	spin_lock(&pool->lock);
	if (u->parked) {
		struct sched_cpu *s = sched_choose(u);

		u->parked = false;
		sched_rt_unpark(u);
		sched_place(u, SCHED_QUEUED, s->cpu);
		sched_enqueue(s, u, false);
		sched_post(s);
	}
	spin_unlock(&pool->lock);
}

static void sched_cap_expired(struct timer *t)
{
	struct sched_group *g = container_of(t, struct sched_group, refill);
	int64_t used = __atomic_load_n(&g->used, __ATOMIC_RELAXED);
	struct sched_unit *u;

	while (!__atomic_compare_exchange_n(&g->used, &used, MAX(used - (int64_t)g->cap, 0), false, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED))
		;
	/* What is left over is the next period's beginning. */
	if (used > (int64_t)g->cap)
		timer_arm(t, t->queue, t->deadline + sched_params.account);
	for (u = g->first; u; u = u->group_next)
		if (READ_ONCE(u->parked) && sched_cap_left(u) > 0)
			unpark(u);
}

/* In ticks of an accounting period. */
static uint64_t cap_ticks(uint32_t percent)
{
	return sched_params.account * percent / 100;
}

__cold void sched_group_init(struct sched_group *g, uint32_t cap_percent)
{
	*g = (struct sched_group){ .cap = cap_ticks(cap_percent) };
	timer_init(&g->refill, sched_cap_expired);
}

__cold void sched_set_cap(struct sched_group *g, uint32_t cap_percent)
{
	struct sched_unit *u;

	g->cap = cap_ticks(cap_percent);
	if (!g->cap) {
		timer_cancel(&g->refill);
		__atomic_store_n(&g->used, 0, __ATOMIC_RELAXED);
	}
	for (u = g->first; u; u = u->group_next) {
		struct sched_pool *pool = sched_pool_of(u);

		spin_lock(&pool->lock);
		sched_charge_all(pool);
		u->special &= (uint8_t)~SCHED_UNIT_CAPPED;
		if (cap_percent)
			u->special |= SCHED_UNIT_CAPPED;
		spin_unlock(&pool->lock);
		unpark(u); /* a unit that finds its new cap used up parks again */
		sched_post(sched_cpu_of(u));
	}
}
