/* SPDX-License-Identifier: Apache-2.0 */
/* Scheduler: what can be asked and changed while units run. Monitor only: nothing here is on a hot path. */
#include "camber/lib.h"
#include "sched_priv.h"

/* Every unit of a pool begins anew: no credit, no debt, a new budget. */
static void begin_anew(struct sched_pool *pool)
{
	struct sched_unit *u;

	sched_credit_anew(pool);
	for (u = pool->first; u; u = u->pool_next) {
		enum sched_state state = sched_unit_state(u);

		u->boost_left = 0;
		if (u->rt) {
			u->budget_left = (int64_t)u->budget;
			u->deadline = arch_now() + u->period;
			if (!u->sleeps)
				timer_cancel(&u->ticker);
		}
		if (state == SCHED_QUEUED || state == SCHED_RUNNING)
			sched_set_class(u,
					u->rt && sched_params.mode == SCHED_MODE_RT ? SCHED_RT : sched_credit_class(u));
	}
}

__cold void sched_set_params(const struct sched_params *p)
{
	bool anew = p->mode != sched_params.mode;
	unsigned int i;

	for (i = 0; i < pcpu_count(); i++) {
		struct sched_cpu *s = &pcpu_get(i)->sched;
		struct sched_pool *pool = s->pool;

		spin_lock(&pool->lock);
		sched_charge_all(pool);
		if (!i)
			sched_params = *p;
		s->special &= (uint8_t)~SCHED_CPU_BASELINE;
		if (p->mode == SCHED_MODE_CREDIT)
			s->special |= SCHED_CPU_BASELINE;
		s->slice_ticks = p->mode == SCHED_MODE_CREDIT ? p->account : p->slice;
		if (anew && __builtin_ctz(pool->cpus) == (int)i)
			begin_anew(pool);
		spin_unlock(&pool->lock);
	}
	for (i = 0; i < pcpu_count(); i++)
		sched_post(&pcpu_get(i)->sched);
}

__cold void sched_set_weight(struct sched_unit *u, uint32_t weight)
{
	struct sched_pool *pool = sched_pool_of(u);

	spin_lock(&pool->lock);
	u->weight = weight;
	sched_credit_anew(pool);
	spin_unlock(&pool->lock);
}

__cold void sched_unit_stats(struct sched_unit *u, struct sched_stats *st)
{
	struct sched_pool *pool = sched_pool_of(u);
	enum sched_state state;

	spin_lock(&pool->lock);
	state = sched_unit_state(u);
	if (state == SCHED_RUNNING)
		sched_charge(sched_cpu_of(u), u, arch_now());
	*st = u->stats;
	if (state == SCHED_QUEUED)
		st->waited += MAX((int64_t)(arch_now() - u->since), 0);
	spin_unlock(&pool->lock);
}

__cold void sched_set_traced(bool on)
{
	unsigned int i;

	for (i = 0; i < pcpu_count(); i++) {
		struct sched_cpu *s = &pcpu_get(i)->sched;

		spin_lock(&s->pool->lock);
		s->traced = s->running ? s->running : &sched_nobody;
		s->traced_class = s->traced->class;
		s->late = 0;
		s->special = (uint8_t)(on ? s->special | SCHED_CPU_TRACED : s->special & ~SCHED_CPU_TRACED);
		spin_unlock(&s->pool->lock);
	}
}
