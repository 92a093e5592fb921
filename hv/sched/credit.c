/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credit: accounting, and the baseline's ticks.
 *
 * Units pay what they run, and in each accounting period all that was paid is given back by weight to those who wanted to run. The sum of all
 * credits so stays what it is, and a unit's credit says how much it is behind its share (UNDER) or ahead of it (OVER). Nobody saves up
 * more than a period's share and the surplus below: what a sleeper has no use for goes to the others. Debt is limited to one period.
 *
 * Accounting is due at fixed times and done when a turn ends after that, which is soon while somebody waits; while nobody does,
 * credit doesn't matter. So it never delays a wake-up.
 */
#include "sched_priv.h"

/* In the baseline every real-time unit is an ordinary one, with the default weight if it has none. */
#define DEFAULT_WEIGHT 256u

static uint32_t weight_of(const struct sched_unit *u)
{
	return likely(sched_params.mode == SCHED_MODE_RT || u->weight) ? u->weight : DEFAULT_WEIGHT;
}

/* The time of all of a pool's CPUs in a period. */
static uint64_t period_of(const struct sched_pool *pool)
{
	uint64_t all = 0;
	uint32_t left;

	for (left = pool->cpus; left; left &= left - 1)
		all += sched_params.account;
	return all;
}

/*
 * What all units of a pool begin with together. One alone must be able to have it beyond its share, or those that were ahead of theirs would never
 * be OVER. Also room for what a unit is short of at times because turns are whole.
 */
static uint64_t surplus(void)
{
	return sched_params.account / 4;
}

/* The most credit that a unit has: its share of a period, of which no CPU gives more than all, and the surplus. */
static int64_t most_of(const struct sched_unit *u, uint64_t all, uint64_t weights)
{
	return (int64_t)(MIN(all * weight_of(u) / MAX(weights, UINT64_C(1)), sched_params.account) + surplus());
}

/*
 * Gives `paid` by weight to those who have less than the most; returns what none had room for. Divisions round down: less than a
 * tick a unit is lost.
 */
static uint64_t give(struct sched_pool *pool, uint64_t paid, uint64_t all, uint64_t weights)
{
	struct sched_unit *u;
	uint64_t needy = 0, given = 0;

	for (u = pool->first; u; u = u->pool_next)
		if (u->active && u->credit < most_of(u, all, weights))
			needy += weight_of(u);
	for (u = pool->first; u && needy; u = u->pool_next) {
		int64_t room = u->active ? most_of(u, all, weights) - u->credit : 0;
		uint64_t part = paid * weight_of(u) / needy;

		if (room <= 0)
			continue;
		part = MIN(part, (uint64_t)room);
		u->credit += (int64_t)part;
		given += part;
	}
	return paid - given;
}

/* Limits of debt, and classes that follow from credit: in the baseline they change here alone. */
static void reclass(struct sched_pool *pool)
{
	int64_t least = -(int64_t)sched_params.account;
	struct sched_unit *u;

	for (u = pool->first; u; u = u->pool_next) {
		enum sched_state state = sched_unit_state(u);

		u->active = state == SCHED_QUEUED || state == SCHED_RUNNING;
		u->credit = weight_of(u) ? MAX(u->credit, least) : -1;
		u->credit_was = u->credit;
		if (u->active && u->class >= SCHED_UNDER && u->class != sched_credit_class(u))
			sched_set_class(u, sched_credit_class(u));
	}
}

/* CPUs that had better run somebody else look. */
static void post_all(const struct sched_pool *pool)
{
	uint32_t ready = 0, left;

	for (left = pool->cpus; left; left &= left - 1)
		ready |= pcpu_get((unsigned int)__builtin_ctz(left))->sched.ready;
	for (left = ready ? pool->cpus : 0; left; left &= left - 1) {
		const struct sched_cpu *s = &pcpu_get((unsigned int)__builtin_ctz(left))->sched;

		if (s->running && s->running->class > sched_first_class(ready))
			sched_post(s);
	}
}

void sched_account(struct sched_pool *pool, uint64_t now)
{
	uint64_t all = period_of(pool), weights = 0, left;
	struct sched_unit *u;
	unsigned int i;
	int64_t paid = 0;

	if (now < pool->account_at)
		return;
	pool->account_at = now - now % sched_params.account + sched_params.account;
	sched_charge_all(pool);
	for (u = pool->first; u; u = u->pool_next) {
		paid += u->credit_was - u->credit; /* gifts between units cancel each other */
		if (u->active)
			weights += weight_of(u);
	}
	/* What some had no room for goes to the others, which then may have none left. */
	left = (uint64_t)MAX(paid, 0);
	for (i = 0; left && i < PCPU_MAX; i++)
		left = give(pool, left, all, weights);
	reclass(pool);
	post_all(pool);
}

void sched_credit_anew(struct sched_pool *pool)
{
	struct sched_unit *u;
	uint64_t count = 1;

	for (u = pool->first; u; u = u->pool_next)
		count++;
	for (u = pool->first; u; u = u->pool_next) {
		u->base = weight_of(u) ? SCHED_UNDER : SCHED_OVER;
		u->credit = u->credit_was = weight_of(u) ? (int64_t)(surplus() / count) : -1;
	}
	pool->account_at = arch_now() + sched_params.account;
	pool->paying = sched_params.mode == SCHED_MODE_RT;
}

/* --- baseline --------------------------------------------------------------------------------------------------------- */

void sched_tick_arm(struct sched_cpu *s)
{
	uint64_t period = sched_params.demote;

	if (!timer_armed(&s->tick))
		timer_arm(&s->tick, s->timers, (arch_now() / period + 1) * period);
}

/* Whoever runs now pays for the whole tick, and is boosted no more. */
void sched_tick_expired(struct timer *t)
{
	struct sched_cpu *s = container_of(t, struct sched_cpu, tick);
	struct sched_unit *u;

	spin_lock(&s->pool->lock);
	u = s->running;
	if (u && sched_params.mode == SCHED_MODE_CREDIT) {
		u->credit -= (int64_t)sched_params.demote;
		if (u->class == SCHED_BOOST)
			sched_set_class(u, SCHED_UNDER);
		sched_account(s->pool, arch_now());
		sched_tick_arm(s);
	}
	spin_unlock(&s->pool->lock);
}
