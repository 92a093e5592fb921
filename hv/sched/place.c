/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which CPU: assignment and pools at boot, placement of units that wake, and work that moves to CPUs with less urgent work.
 *
 * A unit moves only while no CPU's hardware holds its state. Real-time units and those that may run on one CPU never do.
 */
#include "abi/bundle.h"
#include "camber/errno.h"
#include "camber/lib.h"
#include "sched_priv.h"

static struct sched_pool pools[PCPU_MAX];

/* Units in the order they were made, linked by pool_next, until there are pools. */
static struct sched_unit *made;

static struct sched_cpu *cpu(unsigned int id)
{
	return &pcpu_get(id)->sched;
}

__cold void sched_cpu_init(struct sched_cpu *s, unsigned int id, struct timer_queue *timers)
{
	struct sched_pool *pool = &pools[id];
	unsigned int i;

	*pool = (struct sched_pool){ .cpus = BIT32(id) };
	s->pool = pool;
	s->cpu = id;
	s->timers = timers;
	s->slice_at = TIME_NEVER;
	for (i = 0; i < SCHED_CLASSES; i++)
		list_init(&s->queue[i]);
	timer_init(&s->slice, sched_slice_expired);
	timer_init(&s->tick, sched_tick_expired);
	if (!id) { /* the boot CPU comes first */
		made = NULL;
		sched_params = (struct sched_params){
			.mode = SCHED_MODE_RT,
			.slice = time_ns_to_ticks(CONFIG_SCHED_SLICE_US * UINT64_C(1000)),
			.account = time_ns_to_ticks(CONFIG_SCHED_ACCOUNT_US * UINT64_C(1000)),
			.demote = time_ns_to_ticks(CONFIG_SCHED_DEMOTE_US * UINT64_C(1000)),
			.min_sleep = time_ns_to_ticks(CONFIG_SCHED_RT_MIN_SLEEP_US * UINT64_C(1000)),
			.wake_cost = time_ns_to_ticks(SCHED_WAKE_COST_NS),
		};
	}
	s->slice_ticks = sched_params.slice;
}

/* --- at boot ---------------------------------------------------------------------------------------------------------- */

/* Allowed CPUs that are online, of the kind that the group has. */
static uint32_t allowed(uint32_t mask, const struct sched_group *g)
{
	uint32_t kind = g && g->first ? cpu(sched_unit_cpu(g->first))->kind : 0;
	unsigned int i;

	mask &= BIT32(pcpu_count()) - 1;
	for (i = 0; i < pcpu_count(); i++)
		if (!pcpu_get(i)->online || (g && g->first && cpu(i)->kind != kind))
			mask &= ~BIT32(i);
	return mask;
}

/* The one with the most time to spare for real-time units, or with the fewest units. */
static unsigned int least(uint32_t mask, bool rt)
{
	unsigned int best = (unsigned int)__builtin_ctz(mask), i;

	for (; mask; mask &= mask - 1) {
		i = (unsigned int)__builtin_ctz(mask);
		if (rt ? cpu(i)->rt_ppm < cpu(best)->rt_ppm : cpu(i)->assigned < cpu(best)->assigned)
			best = i;
	}
	return best;
}

__cold int sched_unit_init(struct sched_unit *u, const struct sched_config *cfg)
{
	uint32_t mask = allowed(cfg->cpu_mask, cfg->group);
	uint32_t ppm = cfg->rt_period_us ? BUNDLE_RT_PPM(cfg->rt_budget_us, cfg->rt_period_us) : 0;
	struct sched_group *g = cfg->group;
	unsigned int best;

	if (!mask)
		return -EINVAL;
	best = least(mask, ppm);
	if (cpu(best)->rt_ppm + ppm > BUNDLE_RT_PPM_ALL)
		return -ENOSPC;
	list_init(&u->node);
	timer_init(&u->ticker, sched_rt_expired);
	u->resident = SCHED_NOWHERE;
	u->weight = cfg->weight;
	u->id = cfg->id;
	u->cpu_mask = ppm ? BIT32(best) : mask;
	u->group = g;
	sched_place(u, SCHED_OFF, best);
	/* A group's first unit decides for a kind. */
	u->cpu_mask = g && !g->first ? (g->first = u, allowed(u->cpu_mask, g)) : u->cpu_mask;
	if (g && g->first != u) {
		u->group_next = g->first->group_next;
		g->first->group_next = u;
	}
	u->special = g && g->cap ? SCHED_UNIT_CAPPED : 0;
	sched_rt_set(u, cfg->rt_budget_us, cfg->rt_period_us);
	cpu(best)->assigned++;
	cpu(best)->rt_ppm += ppm;
	u->pool_next = made;
	made = u;
	return 0;
}

/* Those that have a choice move to the CPUs with the fewest units; those that have none are where they are. */
static __cold void spread(void)
{
	struct sched_unit *u;

	for (u = made; u; u = u->pool_next)
		if (!sched_unit_fixed(u))
			cpu(sched_unit_cpu(u))->assigned--;
	for (u = made; u; u = u->pool_next) {
		if (sched_unit_fixed(u))
			continue;
		sched_place(u, SCHED_OFF, least(u->cpu_mask, false));
		cpu(sched_unit_cpu(u))->assigned++;
	}
}

/* CPUs that one can come to from `mask` by units that can move; whether each has one unit at most. */
static __cold uint32_t component(uint32_t mask, bool *enough)
{
	struct sched_unit *u;
	uint32_t before;

	do {
		before = mask;
		for (u = made; u; u = u->pool_next)
			if (u->cpu_mask & mask)
				mask |= u->cpu_mask;
	} while (mask != before);
	*enough = true;
	for (; before; before &= before - 1)
		if (cpu((unsigned int)__builtin_ctz(before))->assigned > 1)
			*enough = false;
	return mask;
}

static __cold void join(struct sched_pool *pool, uint32_t mask)
{
	pool->cpus = mask;
	pool->idle = mask; /* the boot CPU too: it looks before it runs anybody */
	for (; mask; mask &= mask - 1) {
		struct sched_cpu *s = cpu((unsigned int)__builtin_ctz(mask));

		s->pool = pool;
		if (pool->cpus & (pool->cpus - 1))
			s->special |= SCHED_CPU_JOINED;
	}
}

__cold void sched_seal(void)
{
	struct sched_unit *u, *next;
	unsigned int i;
	uint32_t mask;
	bool enough;

	spread();
	for (i = 0; i < pcpu_count(); i++) {
		mask = component(BIT32(i), &enough);
		if (enough)
			for (u = made; u; u = u->pool_next)
				if (u->cpu_mask & mask)
					u->cpu_mask = BIT32(sched_unit_cpu(u));
		mask = component(BIT32(i), &enough);
		join(&pools[__builtin_ctz(mask)], mask);
	}
	for (u = made, made = NULL; u; u = next) {
		next = u->pool_next;
		u->alone = sched_unit_fixed(u) && !sched_joined(sched_cpu_of(u)) && sched_cpu_of(u)->assigned == 1;
		u->pool_next = sched_pool_of(u)->first;
		sched_pool_of(u)->first = u;
	}
	for (i = 0; i < pcpu_count(); i++)
		sched_credit_anew(&pools[i]);
}

/* --- while units run -------------------------------------------------------------------------------------------------- */

__attribute__((noinline)) struct sched_cpu *sched_choose(const struct sched_unit *u)
{
	struct sched_pool *pool = sched_pool_of(u);
	uint32_t mask = u->cpu_mask & pool->cpus, idle = mask & pool->idle;
	struct sched_cpu *last = sched_cpu_of(u), *best = last;

	/* Its state is in that CPU's hardware still. */
	if (u->resident != SCHED_NOWHERE) {
		pool->idle &= ~BIT32(u->resident);
		return cpu(u->resident);
	}
	if (idle) {
		best = idle & BIT32(last->cpu) ? last : cpu((unsigned int)__builtin_ctz(idle));
		pool->idle &= ~BIT32(best->cpu);
		return best;
	}
	for (; mask; mask &= mask - 1) {
		struct sched_cpu *s = cpu((unsigned int)__builtin_ctz(mask));

		if (s->running && best->running && s->running->class > best->running->class)
			best = s;
	}
	return best->running && sched_before(u, best->running) ? best : last;
}

static unsigned int best_class(const struct sched_cpu *s)
{
	unsigned int best = s->running ? s->running->class : SCHED_CLASSES;

	return s->ready ? MIN(best, sched_first_class(s->ready)) : best;
}

/* A unit that waits on `from` and can move to s. */
static struct sched_unit *movable(struct sched_cpu *from, const struct sched_cpu *s, unsigned int class)
{
	struct list *q = &from->queue[class], *at;

	for (at = q->next; at != q; at = at->next) {
		struct sched_unit *u = list_entry(at, struct sched_unit, node);

		if ((u->cpu_mask & BIT32(s->cpu)) && (u->resident == SCHED_NOWHERE || u->resident == s->cpu))
			return u;
	}
	return NULL;
}

/*
 * Of the units of a class that wait on other CPUs and can come here, the one with the most credit; NULL: there is none with more than
 * `credit`.
 */
static struct sched_unit *find(const struct sched_cpu *s, unsigned int class, int64_t credit)
{
	struct sched_unit *best = NULL;
	uint32_t left;

	for (left = s->pool->cpus & ~BIT32(s->cpu); left; left &= left - 1) {
		struct sched_cpu *from = cpu((unsigned int)__builtin_ctz(left));
		struct sched_unit *u = from->ready & BIT32(class) ? movable(from, s, class) : NULL;

		if (u && u->credit > credit) {
			best = u;
			credit = u->credit;
		}
	}
	return best;
}

__attribute__((noinline)) void sched_steal(struct sched_cpu *s, uint64_t now)
{
	unsigned int class, best = best_class(s);
	const struct sched_unit *cur = s->running;
	struct sched_unit *u = NULL;

	for (class = SCHED_BOOST; class < best && !u; class ++)
		u = find(s, class, INT64_MIN);
	/* Where its turn is over anyway: one that is much further behind its share. */
	if (!u && cur && cur->class == SCHED_UNDER && now >= s->turn_end)
		u = find(s, SCHED_UNDER, cur->credit + 2 * (int64_t)sched_params.slice);
	if (!u)
		return;
	sched_dequeue(sched_cpu_of(u), u);
	sched_place(u, SCHED_QUEUED, s->cpu);
	sched_enqueue(s, u, true);
	u->stats.moves++;
}

__attribute__((noinline)) void sched_note(struct sched_cpu *s)
{
	const struct list *at;
	uint32_t ready;

	if (s->running) {
		s->pool->idle &= ~BIT32(s->cpu);
		/* Whoever waits here would rather run elsewhere. */
		for (ready = s->pool->idle ? s->ready & ~BIT32(SCHED_RT) : 0; ready; ready &= ready - 1)
			for (at = s->queue[sched_first_class(ready)].next; at != &s->queue[sched_first_class(ready)];
			     at = at->next)
				sched_offer(s->pool, list_entry(at, struct sched_unit, node));
		if (s->special & SCHED_CPU_BASELINE)
			sched_tick_arm(s);
	} else {
		s->pool->idle |= BIT32(s->cpu);
	}
}

__cold __attribute__((noinline)) struct sched_cpu *sched_wake_joined(struct sched_unit *u)
{
	struct sched_cpu *s = sched_choose(u);

	u->stats.moves += s->cpu != sched_unit_cpu(u);
	return s;
}

void sched_offer(struct sched_pool *pool, const struct sched_unit *u)
{
	uint32_t idle = pool->idle & u->cpu_mask;

	if (idle && u->resident == SCHED_NOWHERE) {
		pool->idle &= ~(idle & -idle);
		sched_post(cpu((unsigned int)__builtin_ctz(idle)));
	}
}
