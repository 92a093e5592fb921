/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scheduler: round robin per CPU, exact charging, slices only while somebody waits.
 *
 * A unit woken by a sibling's interrupt goes to the head of the queue and pre-empts: whoever waits for it would otherwise
 * spin for a whole slice; so does one whose own timer expired. SCHED_BOOSTS_MAX bounds how often in a row on a CPU, so that
 * siblings which interrupt each other can't keep a third unit from running. Never allocates, never waits; every operation is constant time but for the lock.
 * Locking: struct sched_cpu.lock guards its queue and the fields of all units assigned to it.
 */
#include "camber/sched.h"

#include "camber/errno.h"
#include "camber/panic.h"
#include "camber/pcpu.h"

#define SCHED_BOOSTS_MAX 4

static struct sched_cpu *cpu_of(const struct sched_unit *u)
{
	return &pcpu_get(u->cpu)->sched;
}

/* Not armed at each switch: where it comes before the running unit's slice is over, it goes on to that slice's end. */
static void slice_expired(struct timer *t)
{
	struct sched_cpu *s = container_of(t, struct sched_cpu, slice);

	if (!READ_ONCE(s->waiting))
		return;
	if (arch_now() < s->slice_end)
		timer_arm(&s->slice, s->timers, s->slice_end);
	else
		pcpu_post(pcpu_get(s->cpu), PCPU_WORK_RESCHED);
}

__cold void sched_cpu_init(struct sched_cpu *s, unsigned int cpu, struct timer_queue *timers)
{
	s->timers = timers;
	list_init(&s->queue);
	s->cpu = cpu;
	timer_init(&s->slice, slice_expired);
	s->slice_ticks = time_ns_to_ticks((uint64_t)CONFIG_SCHED_SLICE_US * 1000);
}

__cold int sched_unit_init(struct sched_unit *u, uint32_t cpu_mask, uint32_t weight)
{
	unsigned int i, best = PCPU_MAX;

	for (i = 0; i < pcpu_count(); i++)
		if ((cpu_mask & BIT32(i)) && pcpu_get(i)->online &&
		    (best == PCPU_MAX || pcpu_get(i)->sched.assigned < pcpu_get(best)->sched.assigned))
			best = i;
	if (best == PCPU_MAX)
		return -EINVAL;
	list_init(&u->node);
	u->state = SCHED_OFF;
	u->cpu = best;
	/* One CPU for good: nothing moves units between CPUs yet. */
	u->cpu_mask = BIT32(best);
	u->weight = weight;
	pcpu_get(best)->sched.assigned++;
	return 0;
}

bool sched_unit_alone(const struct sched_unit *u)
{
	return cpu_of(u)->assigned == 1;
}

static void enqueue(struct sched_cpu *s, struct sched_unit *u, bool first)
{
	ASSERT(list_empty(&u->node));
	u->state = SCHED_QUEUED;
	u->raised = first;
	if (first)
		list_add_head(&u->node, &s->queue);
	else
		list_add_tail(&u->node, &s->queue);
	s->waiting++;
}

static void dequeue(struct sched_cpu *s, struct sched_unit *u)
{
	list_del(&u->node);
	s->waiting--;
}

/* Its own timer or an interrupt from a sibling moves it before the others, a bounded number of times in a row. */
static bool may_boost(struct sched_cpu *s, enum sched_wake why)
{
	if ((why != SCHED_WAKE_IPI && why != SCHED_WAKE_TIMER) || s->boosts >= SCHED_BOOSTS_MAX)
		return false;
	s->boosts++;
	return true;
}

bool sched_wake(struct sched_unit *u, enum sched_wake why)
{
	struct sched_cpu *s;
	bool woken = false, preempt = false;

	if (READ_ONCE(u->state) == SCHED_RUNNING)
		return false;
	s = cpu_of(u);
	spin_lock(&s->lock);
	switch (u->state) {
	case SCHED_OFF:
		if (why != SCHED_WAKE_START)
			break;
		__attribute__((fallthrough));
	case SCHED_BLOCKED:
		preempt = may_boost(s, why);
		/* Nobody runs, or the one that does has to share from now on: either way the CPU has to look. */
		enqueue(s, u, preempt);
		u->wakeups++;
		woken = true;
		break;
	case SCHED_QUEUED:
		preempt = may_boost(s, why);
		if (preempt) {
			dequeue(s, u);
			enqueue(s, u, true);
		}
		break;
	case SCHED_RUNNING:
		break;
	}
	if (preempt)
		s->preempt = true;
	spin_unlock(&s->lock);
	if (woken || preempt)
		pcpu_post(pcpu_get(s->cpu), PCPU_WORK_RESCHED);
	return woken;
}

void sched_block(struct sched_unit *u)
{
	struct sched_cpu *s = cpu_of(u);

	spin_lock(&s->lock);
	if (u->state == SCHED_RUNNING)
		u->state = SCHED_BLOCKED;
	spin_unlock(&s->lock);
}

__cold bool sched_stop(struct sched_unit *u)
{
	struct sched_cpu *s = cpu_of(u);
	bool off = true;

	spin_lock(&s->lock);
	switch (u->state) {
	case SCHED_QUEUED:
		dequeue(s, u);
		__attribute__((fallthrough));
	case SCHED_BLOCKED:
	case SCHED_OFF:
		u->state = SCHED_OFF;
		break;
	case SCHED_RUNNING:
		u->stop_wanted = true;
		off = false;
		break;
	}
	spin_unlock(&s->lock);
	if (!off)
		pcpu_post(pcpu_get(s->cpu), PCPU_WORK_RESCHED);
	return off;
}

/* Charges the running unit for its time and settles what becomes of it. */
static void put_running(struct sched_cpu *s, uint64_t now)
{
	struct sched_unit *u = s->running;

	u->run_ticks += now - u->run_start;
	u->run_start = now;
	if (u->stop_wanted) {
		u->stop_wanted = false;
		u->state = SCHED_OFF;
	}
	if (u->state != SCHED_RUNNING)
		s->running = NULL;
}

struct sched_unit *sched_pick(struct sched_cpu *s)
{
	uint64_t now = arch_now();
	struct sched_unit *u;

	spin_lock(&s->lock);
	if (s->running)
		put_running(s, now);
	u = s->running;
	if (u && s->waiting && (s->preempt || now >= s->slice_end)) {
		enqueue(s, u, false);
		s->running = NULL;
	}
	s->preempt = false;
	if (!s->running && s->waiting) {
		u = list_entry(s->queue.next, struct sched_unit, node);
		dequeue(s, u);
		u->state = SCHED_RUNNING;
		u->run_start = now;
		u->switches++;
		s->running = u;
		/* A turn in order, or nobody who could be passed over: raising may begin anew. */
		if (!u->raised || !s->waiting)
			s->boosts = 0;
		s->slice_end = now + s->slice_ticks;
	}
	u = s->running;
	spin_unlock(&s->lock);
	if (u && s->waiting && !timer_armed(&s->slice))
		timer_arm(&s->slice, s->timers, s->slice_end);
	return u;
}
