/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real time: each real-time unit is a constant-bandwidth server (Abeni and Buttazzo, RTSS 1998) with hard reservation. In RT it
 * uses its budget, and the server whose deadline comes first goes first; with the budget used up it is an ordinary unit until the
 * deadline, when it has a new one. Servers whose budgets sum up to no more than the CPU's time all get theirs in time.
 *
 * The paper's realtime_ticker is the unit's own timer: it ends an announced sleep, or brings the next budget.
 */
#include "abi/bundle.h"
#include "camber/errno.h"
#include "sched_priv.h"

#define RATE_SHIFT 20
#define LATE_SHIFT 4 /* a sixteenth of the budget */

/*
 * A new budget, of which has been used already what was too much of the one before because a timer came late; more than that it can
 * only have used while nobody waited.
 */
static void refill(struct sched_unit *u, uint64_t deadline)
{
	u->budget_left = MAX(MIN(u->budget_left, 0), -(int64_t)(u->budget >> LATE_SHIFT)) + (int64_t)u->budget;
	u->deadline = deadline;
}

/* It comes back after it didn't want, or wasn't allowed, to run: what it may use before its deadline is no more than its rate, or both are new. */
static inline __attribute__((always_inline)) void renew(struct sched_unit *u, uint64_t now)
{
	if (now >= u->deadline || u->budget_left > (int64_t)(((u->deadline - now) * u->rate) >> RATE_SHIFT))
		refill(u, now + u->period);
}

__cold void sched_rt_unpark(struct sched_unit *u)
{
	if (u->class == SCHED_RT)
		renew(u, arch_now());
}

bool sched_rt_wake(struct sched_cpu *s, struct sched_unit *u, enum sched_wake why, uint64_t now)
{
	if (sched_params.mode != SCHED_MODE_RT)
		return false;
	renew(u, now);
	if ((!u->announced || why == SCHED_WAKE_SLEEP || why == SCHED_WAKE_START) && u->budget_left > 0) {
		u->budget_left -= (int64_t)sched_params.wake_cost;
		return true;
	}
	timer_arm(&u->ticker, s->timers, u->deadline);
	return false;
}

__attribute__((noinline)) void sched_rt_exhausted(struct sched_cpu *s, struct sched_unit *u)
{
	trace(RT_OVERRUN, u->id, trace_ticks(0, (uint64_t)-u->budget_left));
	u->stats.overruns++;
	u->class = (uint8_t)sched_credit_class(u);
	timer_arm(&u->ticker, s->timers, u->deadline);
}

/* A unit that would run, or does, in another class than RT: has its deadline come? */
static void next_budget(struct sched_unit *u)
{
	struct sched_cpu *s = sched_cpu_of(u);
	uint64_t now = arch_now();

	if (u->class == SCHED_RT || sched_params.mode != SCHED_MODE_RT)
		return;
	if (now < u->deadline) { /* its settings have changed */
		timer_arm(&u->ticker, s->timers, u->deadline);
		return;
	}
	if (s->running == u) {
		sched_charge(s, u, now);
		s->turn_end = now;
	}
	refill(u, MAX(u->deadline, now - u->period) + u->period);
	if (u->budget_left <= 0) {
		timer_arm(&u->ticker, s->timers, u->deadline);
		return;
	}
	sched_set_class(u, SCHED_RT);
	sched_post(s);
}

void sched_rt_expired(struct timer *t)
{
	struct sched_unit *u = container_of(t, struct sched_unit, ticker);
	/* A real-time unit doesn't move, so this is its CPU. */
	struct sched_pool *pool = arch_pcpu()->sched.pool;

	trace(RT_EXPIRE, u->id, trace_ticks(t->deadline, arch_now()));
	spin_lock(&pool->lock);
	switch (sched_unit_state(u)) {
	case SCHED_BLOCKED:
		if (u->sleeps) {
			u->due = t->deadline;
			sched_wake_locked(u, SCHED_WAKE_SLEEP);
		}
		break;
	case SCHED_QUEUED:
	case SCHED_RUNNING:
		if (u->rt)
			next_budget(u);
		break;
	case SCHED_OFF:
		break;
	}
	spin_unlock(&pool->lock);
}

int sched_rt_sleep(const struct sched_unit *u, uint64_t until)
{
	uint64_t now = arch_now();

	if (!u->rt)
		return -EPERM;
	if (until <= now)
		return 1;
	if (until - now < sched_params.min_sleep)
		return -EINVAL;
	if (until - now > time_ns_to_ticks(SCHED_RT_SLEEP_MAX_NS))
		return -E2BIG;
	return 0;
}

bool sched_rt_sleep_ends(struct sched_unit *u, uint64_t deadline)
{
	if (u->ticker.deadline <= deadline)
		return true;
	if (u->ticker.deadline > deadline + time_ns_to_ticks(SCHED_RT_SLACK_NS))
		return false;
	timer_arm(&u->ticker, u->ticker.queue, deadline);
	return true;
}

int sched_rt_announce(struct sched_unit *u, bool announced)
{
	if (!u->rt)
		return -EPERM;
	u->announced = announced;
	return 0;
}

/* --- settings --------------------------------------------------------------------------------------------------------- */

void sched_rt_set(struct sched_unit *u, uint32_t budget_us, uint32_t period_us)
{
	u->rt = period_us;
	u->ppm = period_us ? BUNDLE_RT_PPM(budget_us, period_us) : 0;
	u->budget = time_ns_to_ticks((uint64_t)budget_us * 1000);
	u->period = time_ns_to_ticks((uint64_t)period_us * 1000);
	u->rate = period_us ? (uint32_t)(((uint64_t)budget_us << RATE_SHIFT) / period_us) : 0;
	u->budget_left = (int64_t)u->budget;
	u->deadline = arch_now() + u->period;
}

__cold int sched_set_rt(struct sched_unit *u, uint32_t budget_us, uint32_t period_us, uint32_t *ppm)
{
	struct sched_pool *pool = sched_pool_of(u);
	struct sched_cpu *s = sched_cpu_of(u);
	int ret = 0;

	if (!u->rt)
		return -EPERM;
	if (period_us < BUNDLE_RT_PERIOD_MIN_US || period_us > BUNDLE_RT_PERIOD_MAX_US ||
	    budget_us < BUNDLE_RT_BUDGET_MIN_US || budget_us > period_us)
		return -EINVAL;
	spin_lock(&pool->lock);
	*ppm = s->rt_ppm - u->ppm + BUNDLE_RT_PPM(budget_us, period_us);
	if (*ppm > BUNDLE_RT_PPM_ALL) {
		ret = -ENOSPC;
	} else {
		s->rt_ppm = *ppm;
		sched_charge_all(pool);
		sched_rt_set(u, budget_us, period_us);
		/* In RT at its next budget, with the new deadline. */
		if (u->class == SCHED_RT && sched_unit_state(u) >= SCHED_QUEUED)
			sched_set_class(u, SCHED_RT);
		sched_post(s);
	}
	spin_unlock(&pool->lock);
	return ret;
}
