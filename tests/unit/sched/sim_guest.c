/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guests of the simulated machine: what each kind does when it comes to run, when it has computed, and when it is
 * interrupted.
 *
 * A unit that waits does it as hv/vm/vcpu.c has it: block, look once more for an interrupt, and let the CPU pick.
 */
#include "sim.h"

#include "camber/errno.h"

/* What a handler takes that finds nothing to do. */
static uint64_t glance(void)
{
	return sim_us(1);
}

/* An interrupt for a unit: a running one sees it before it waits, a waiting one wakes. As vcpu_kick(). */
static void interrupt(struct sim_unit *g, enum sched_wake why)
{
	enum sched_state before = sched_unit_state(&g->u);
	bool woken;

	g->pending = true;
	if (before == SCHED_RUNNING)
		return;
	if (before == SCHED_BLOCKED)
		g->due = g->u.due ? g->u.due : sim.now;
	woken = sched_wake(&g->u, why);
	if (woken != (before == SCHED_BLOCKED))
		sim_fail("wake-up", g, "state was %d, and woken says %d", before, woken);
	if (woken && sched_unit_state(&g->u) != SCHED_QUEUED)
		sim_fail("wake-up", g, "woken, and not queued");
	if (woken)
		g->asleep_until = TIME_NEVER;
}

static void alarm_rings(struct timer *t)
{
	struct sim_unit *g = container_of(t, struct sim_unit, alarm);

	/* Unless it has been woken already, and hasn't run yet. */
	if (!g->u.due && sched_unit_state(&g->u) != SCHED_RUNNING)
		g->due = g->u.due = t->deadline;
	interrupt(g, SCHED_WAKE_TIMER);
}

void guest_reset(struct sim_unit *g)
{
	timer_init(&g->alarm, alarm_rings);
	g->busy = false;
	g->pending = false;
	g->in_job = false;
	g->release = TIME_NEVER;
	g->woken_in_time = true;
	g->due = TIME_NEVER;
	g->asleep_until = TIME_NEVER;
	g->event_at = g->guest == SIM_SERVER ? sim.now + sim_around(g->period) : TIME_NEVER;
}

/* `until`: an announced sleep, 0: until an interrupt. */
static void block(struct sim_unit *g, uint64_t until)
{
	struct pcpu *p = unit_cpu(sched_unit_cpu(&g->u));

	if (g->pending) {
		g->pending = false;
		return;
	}
	sched_block(&g->u, until);
	/* Or the next pick takes it off. */
	if (sched_unit_state(&g->u) != SCHED_BLOCKED && !g->stop_asked)
		sim_fail("wake-up", g, "blocked, and its state is %d", sched_unit_state(&g->u));
	if (until && sched_unit_state(&g->u) == SCHED_BLOCKED)
		g->asleep_until = until;
	pcpu_post_here(p, PCPU_WORK_RESCHED);
}

/* Its present budget, of which a late job may have used something, is over by then: the next job has one of its own. */
static bool fresh(const struct sim_unit *g, uint64_t until)
{
	return until + 4 * sim.rules.latency >= g->u.deadline;
}

/* Until a time, or an interrupt. */
static void sleep_until(struct sim_unit *g, uint64_t until)
{
	if (g->announced) {
		int ret = sched_rt_sleep(&g->u, until);

		if (ret == 1)
			return;
		if (ret == 0) {
			g->woken_in_time = !g->pending && fresh(g, until);
			block(g, until);
			return;
		}
		if (ret != -EINVAL || until - sim.now >= sched_params.min_sleep)
			sim_fail("wake-up", g, "a sleep of %llu ticks is refused: %d",
				 (unsigned long long)(until - sim.now), ret);
		/* So it is woken by its own timer, ordinarily. */
		g->woken_in_time = false;
	}
	if (until <= sim.now)
		return;
	if (!g->announced)
		g->woken_in_time = fresh(g, until);
	if (!g->pending)
		timer_arm(&g->alarm, &unit_cpu(sched_unit_cpu(&g->u))->timers, until);
	block(g, 0);
}

/* A job of a periodic unit begins when its time has come; woken earlier, it goes to sleep again. */
static void begin_job(struct sim_unit *g)
{
	if (g->release == TIME_NEVER)
		g->release = sim.now;
	g->in_job = sim.now >= g->release;
	g->left = g->in_job ? g->work : glance();
}

void guest_begin(struct sim_unit *g)
{
	timer_cancel(&g->alarm);
	g->asleep_until = TIME_NEVER;
	g->busy = true;
	switch (g->guest) {
	case SIM_HOG:
		g->left = TIME_NEVER;
		if (g->announced && sched_rt_announce(&g->u, true))
			sim_fail("wake-up", g, "sched_rt_announce() is refused");
		break;
	case SIM_PERIODIC:
		if (g->announced && sched_rt_announce(&g->u, true))
			sim_fail("wake-up", g, "sched_rt_announce() is refused");
		begin_job(g);
		break;
	case SIM_SERVER:
		g->left = g->pending ? sim_around(g->work) : glance();
		break;
	default:
		g->left = sim_around(g->work);
		break;
	}
	g->pending = false;
}

static void job_done(struct sim_unit *g, const struct sim_cpu *c)
{
	if (g->in_job) {
		g->in_job = false;
		g->jobs++;
		sim_check_job(g, c);
		g->release += g->period;
		g->looks = c->looks;
	}
	if (g->release > sim.now)
		sleep_until(g, g->release);
}

void guest_done(struct sim_cpu *c, struct sim_unit *g)
{
	g->busy = false;
	switch (g->guest) {
	case SIM_HOG:
	case SIM_GUESTS:
		break;
	case SIM_PERIODIC:
		job_done(g, c);
		break;
	case SIM_SLEEPER:
		sleep_until(g, sim.now + sim_around(g->period));
		break;
	case SIM_SERVER:
		block(g, 0);
		break;
	case SIM_PING:
		if (g->peer)
			interrupt(g->peer, SCHED_WAKE_IPI);
		block(g, 0);
		break;
	case SIM_SPIN:
		if (g->peer)
			interrupt(g->peer, SCHED_WAKE_IPI);
		break;
	case SIM_YIELDER:
		if (sched_yield(&unit_cpu(sched_unit_cpu(&g->u))->sched))
			pcpu_post_here(unit_cpu(sched_unit_cpu(&g->u)), PCPU_WORK_RESCHED);
		break;
	}
}

void guest_event(struct sim_unit *g)
{
	g->event_at = sim.now + sim_around(g->period);
	interrupt(g, SCHED_WAKE_EVENT);
}
