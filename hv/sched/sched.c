/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scheduler: wake-ups, and the choice of what a CPU runs next. Never waits, never allocates; constant time but for the lock and,
 * where units can move, a look at each CPU of the pool.
 */
#include "camber/errno.h"
#include "camber/panic.h"
#include "sched_priv.h"

struct sched_params sched_params;

/* --- queues ----------------------------------------------------------------------------------------------------------- */

void sched_enqueue(struct sched_cpu *s, struct sched_unit *u, bool first)
{
	struct list *q = &s->queue[u->class], *at = q;

	ASSERT(list_empty(&u->node));
	if (first)
		at = q->next;
	else if (u->class == SCHED_RT)
		for (at = q->next; at != q; at = at->next)
			if (list_entry(at, struct sched_unit, node)->deadline > u->deadline)
				break;
	list_insert_before(&u->node, at);
	s->ready |= BIT32(u->class);
}

void sched_dequeue(struct sched_cpu *s, struct sched_unit *u)
{
	list_del(&u->node);
	if (list_empty(&s->queue[u->class]))
		s->ready &= ~BIT32(u->class);
}

__cold void sched_set_class(struct sched_unit *u, enum sched_class class)
{
	struct sched_cpu *s = sched_cpu_of(u);
	bool queued = sched_unit_state(u) == SCHED_QUEUED && !u->parked;

	if (queued)
		sched_dequeue(s, u);
	u->class = (uint8_t) class;
	if (queued)
		sched_enqueue(s, u, false);
}

/* --- paying ----------------------------------------------------------------------------------------------------------- */

/* Ticks that the running unit has not been charged for; they are its class's from here on. */
static inline __attribute__((always_inline)) int64_t run(struct sched_unit *u, uint64_t now)
{
	/* The counter may be read ahead of the lock: another CPU has then charged up to a little later. */
	uint64_t since = u->since;
	int64_t ticks = MAX((int64_t)(now - since), 0);

	u->since = since + (uint64_t)ticks;
	u->stats.ran[u->class] += (uint64_t)ticks;
	return ticks;
}

__cold void sched_charge(struct sched_cpu *s, struct sched_unit *u, uint64_t now)
{
	int64_t ticks = run(u, now);

	if (u->class == SCHED_RT)
		u->budget_left -= ticks;
	else if (s->pool->paying)
		u->credit -= ticks;
	if (u->class == SCHED_BOOST)
		u->boost_left -= ticks;
	if (u->special & SCHED_UNIT_CAPPED)
		sched_cap_charge(s, u, (uint64_t)ticks);
}

__cold void sched_charge_all(struct sched_pool *pool)
{
	uint32_t left;

	for (left = pool->cpus; left; left &= left - 1) {
		struct sched_cpu *s = &pcpu_get((unsigned int)__builtin_ctz(left))->sched;

		if (s->running)
			sched_charge(s, s->running, arch_now());
	}
}

static __cold __attribute__((noinline)) bool settle_special(struct sched_cpu *s, struct sched_unit *u, int64_t ticks)
{
	if (u->special & SCHED_UNIT_CAPPED)
		sched_cap_charge(s, u, (uint64_t)ticks);
	if (u->special & SCHED_UNIT_STOP) {
		u->special &= (uint8_t)~SCHED_UNIT_STOP;
		timer_cancel(&u->ticker);
		sched_set_state(u, SCHED_OFF);
		return false;
	}
	if ((u->special & SCHED_UNIT_CAPPED) && sched_cap_left(u) <= 0) {
		u->parked = true;
		sched_set_state(u, SCHED_QUEUED);
		return false;
	}
	return true;
}

/* It has run in RT or BOOST: pays, and may have to leave that. */
static __attribute__((noinline)) void settle_urgent(struct sched_cpu *s, struct sched_unit *u, int64_t ticks)
{
	if (u->class == SCHED_RT) {
		u->budget_left -= ticks;
		if (u->budget_left <= 0 && !u->alone)
			sched_rt_exhausted(s, u);
		return;
	}
	if (s->pool->paying)
		u->credit -= ticks;
	u->boost_left -= ticks;
	if (u->boost_left <= 0 && !(s->special & SCHED_CPU_BASELINE))
		u->class = (uint8_t)sched_credit_class(u);
}

/* What became of the unit that has run: true if it can go on. In the baseline nobody pays, and no class changes, here. */
static inline bool settle(struct sched_cpu *s, struct sched_unit *u, uint64_t now)
{
	int64_t ticks = run(u, now);

	if (unlikely(u->class < SCHED_UNDER)) {
		settle_urgent(s, u, ticks);
	} else if (likely(s->pool->paying)) {
		u->credit -= ticks;
		u->class = (uint8_t)sched_credit_class(u);
	}
	return likely(!u->special) || settle_special(s, u, ticks);
}

/* --- waking, blocking ------------------------------------------------------------------------------------------------- */

/* The class of a unit that wakes on s. */
static enum sched_class wake_class(struct sched_cpu *s, struct sched_unit *u, enum sched_wake why, uint64_t now)
{
	enum sched_class class;

	if (u->rt && sched_rt_wake(s, u, why, now))
		return SCHED_RT;
	/* What it makes others' time go by for: switching to it, and back. */
	if (s->pool->paying)
		u->credit -= (int64_t)sched_params.wake_cost;
	class = sched_credit_class(u);
	if (class != SCHED_UNDER || why == SCHED_WAKE_START)
		return class;
	u->boost_left = (int64_t)sched_params.demote;
	return SCHED_BOOST;
}

void sched_wake_locked(struct sched_unit *u, enum sched_wake why)
{
	struct sched_cpu *s = sched_cpu_of(u);
	uint64_t now = arch_now();

	u->stats.wakeups++;
	if (!u->due && why != SCHED_WAKE_START)
		u->due = now;
	if (unlikely(timer_armed(&u->ticker))) {
		/* The guest's own timer for the same moment, which may be read a little earlier. */
		if (u->sleeps && u->ticker.deadline <= now + time_ns_to_ticks(SCHED_RT_SLACK_NS))
			why = SCHED_WAKE_SLEEP;
		timer_cancel(&u->ticker);
	}
	u->sleeps = false;
	u->active = true;
	u->class = (uint8_t)wake_class(s, u, why, now);
	u->since = now;
	if (unlikely(u->special & SCHED_UNIT_CAPPED) && sched_cap_left(u) <= 0) {
		u->parked = true;
		sched_set_state(u, SCHED_QUEUED);
		return;
	}
	if (unlikely(s->special)) {
		if (sched_joined(s))
			s = sched_wake_joined(u);
		if (s->special & SCHED_CPU_TRACED)
			trace_put_fast(&arch_pcpu()->trace, WAKE, u->id, why, u->class, s->cpu);
	}
	sched_place(u, SCHED_QUEUED, s->cpu);
	sched_enqueue(s, u, false);
	/* Nobody runs, or the one that does has to share from now on: either way the CPU has to look. */
	sched_post(s);
}

/*
 * An interrupt from a sibling for a unit that waits: the sender may spin until it is answered. If it does so on this very CPU it gives the
 * rest of its turn, and pays for it as far as it can.
 */
static __cold __attribute__((noinline)) void raise(struct sched_unit *u)
{
	struct sched_cpu *s = sched_cpu_of(u);
	struct sched_unit *r = s->running;

	if (u->class == SCHED_RT || u->parked || sched_params.mode != SCHED_MODE_RT)
		return;
	if (r && r->group == u->group && r->class != SCHED_RT) {
		int64_t room = (int64_t)sched_params.account - u->credit;
		int64_t gift = MIN(MIN(r->credit, (int64_t)sched_params.slice), room);

		if (gift > 0 && u->weight && !s->handoff) {
			r->credit -= gift;
			u->credit += gift;
		}
		sched_dequeue(s, u);
		u->class = r->class;
		u->boost_left = r->boost_left;
		sched_enqueue(s, u, true);
		s->handoff = true;
	} else if (u->class == SCHED_UNDER) {
		u->boost_left = (int64_t)sched_params.demote;
		sched_set_class(u, SCHED_BOOST);
	} else {
		return;
	}
	sched_post(s);
}

bool sched_wake(struct sched_unit *u, enum sched_wake why)
{
	enum sched_state state = sched_unit_state(u);
	struct sched_pool *pool;
	bool woken = false;

	/* It has yet to look at what it was to be woken for. */
	if (state == SCHED_RUNNING || (state == SCHED_QUEUED && why != SCHED_WAKE_IPI))
		return false;
	pool = sched_pool_of(u);
	spin_lock_here(&pool->lock);
	switch (sched_unit_state(u)) {
	case SCHED_OFF:
		if (why != SCHED_WAKE_START)
			break;
		__attribute__((fallthrough));
	case SCHED_BLOCKED:
		sched_wake_locked(u, why);
		woken = true;
		__attribute__((fallthrough));
	case SCHED_QUEUED:
		if (why == SCHED_WAKE_IPI)
			raise(u);
		break;
	case SCHED_RUNNING: /* it has been chosen meanwhile */
		break;
	}
	spin_unlock_here(&pool->lock);
	return woken;
}

__cold void sched_block(struct sched_unit *u, uint64_t until)
{
	struct sched_cpu *s = sched_cpu_of(u);
	uint64_t now = arch_now();

	spin_lock(&s->pool->lock);
	if (likely(!(u->special & SCHED_UNIT_STOP))) { /* else the next pick takes it off */
		sched_charge(s, u, now);
		s->running = NULL;
		sched_set_state(u, SCHED_BLOCKED);
		trace(BLOCK, u->id, trace_ticks(now, until));
		if (until) {
			trace(RT_ARM, u->id, trace_ticks(now, until));
			u->sleeps = true;
			timer_arm(&u->ticker, s->timers, until);
		}
	}
	spin_unlock(&s->pool->lock);
}

__cold bool sched_stop(struct sched_unit *u)
{
	struct sched_pool *pool = sched_pool_of(u);
	bool off = true;

	spin_lock(&pool->lock);
	switch (sched_unit_state(u)) {
	case SCHED_QUEUED:
		if (!u->parked)
			sched_dequeue(sched_cpu_of(u), u);
		u->parked = false;
		u->stats.waited += (uint64_t)MAX((int64_t)(arch_now() - u->since), 0);
		__attribute__((fallthrough));
	case SCHED_BLOCKED:
	case SCHED_OFF:
		timer_cancel(&u->ticker);
		sched_set_state(u, SCHED_OFF);
		break;
	case SCHED_RUNNING:
		u->special |= SCHED_UNIT_STOP;
		off = false;
		sched_post(sched_cpu_of(u));
		break;
	}
	u->due = 0;
	spin_unlock(&pool->lock);
	return off;
}

/* --- choosing --------------------------------------------------------------------------------------------------------- */

/* Whether the running unit has to make room for the best of those that wait. */
static inline bool gives_way(struct sched_cpu *s, const struct sched_unit *cur, uint64_t now)
{
	unsigned int best = sched_first_class(s->ready);

	if (best != cur->class)
		return best < cur->class || s->yield;
	if (s->yield || s->handoff)
		return true;
	if (best == SCHED_RT)
		return sched_first_unit(s, SCHED_RT)->deadline < cur->deadline;
	return now >= s->turn_end;
}

static __cold __attribute__((noinline)) uint64_t turn_special(const struct sched_cpu *s, const struct sched_unit *u)
{
	uint64_t ticks = s->slice_ticks;

	if (u->class == SCHED_RT && !u->alone)
		ticks = (uint64_t)MAX(u->budget_left, 0);
	if (u->special & SCHED_UNIT_CAPPED)
		ticks = MIN(ticks, (uint64_t)MAX(sched_cap_left(u), 0));
	return ticks;
}

/* How long the running unit may go on undisturbed. */
static inline uint64_t turn(const struct sched_cpu *s, const struct sched_unit *u)
{
	if (u->class == SCHED_RT && likely(!u->alone && !u->special))
		return (uint64_t)MAX(u->budget_left, 0);
	if (unlikely(u->special))
		return turn_special(s, u);
	return s->slice_ticks;
}

/* The first of those that wait takes the place of the running unit, which waits from now on, or of nobody. */
static inline struct sched_unit *change(struct sched_cpu *s, struct sched_unit *cur, uint64_t now)
{
	unsigned int class = sched_first_class(s->ready);
	struct list *q = &s->queue[class];
	struct sched_unit *u = list_entry(q->next, struct sched_unit, node);

	list_del(&u->node);
	if (cur) {
		sched_set_state(cur, SCHED_QUEUED);
		if (likely(cur->class == class && class != SCHED_RT))
			list_add_tail(&cur->node, q);
		else
			sched_enqueue(s, cur, false);
	}
	if (list_empty(q))
		s->ready &= ~BIT32(class);
	sched_place(u, SCHED_RUNNING, s->cpu);
	/* Signed: another CPU may have read the counter a little later. */
	u->stats.waited += (uint64_t)MAX((int64_t)(now - u->since), 0);
	u->stats.switches++;
	if (u->due) {
		int64_t late = (int64_t)(now - u->due);

		if (late > (int64_t)u->stats.late_worst)
			u->stats.late_worst = (uint64_t)late;
		s->late = late;
		u->due = 0;
	}
	u->since = now;
	s->running = u;
	/* A sibling has the rest of the turn that it was given. */
	if (unlikely(s->handoff) && cur && u->group == cur->group && u->class != SCHED_RT)
		return u;
	s->turn_end = now + turn(s, u);
	return u;
}

/* Nobody waits on this CPU: may its unit keep somebody from running all the same? */
static __cold __attribute__((noinline)) bool timed_special(const struct sched_cpu *s)
{
	const struct sched_pool *pool = s->pool;
	uint32_t left;

	for (left = pool->cpus; left; left &= left - 1)
		if (pcpu_get((unsigned int)__builtin_ctz(left))->sched.ready)
			return true;
	return s->running->special & SCHED_UNIT_CAPPED;
}

/* Does the running unit's turn have an end? */
static inline bool timed(const struct sched_cpu *s)
{
	return s->ready || (unlikely((s->special & ~SCHED_CPU_TRACED) | s->running->special) && timed_special(s));
}

/* The timer isn't touched where it comes early enough anyway. */
static void time_turn(struct sched_cpu *s)
{
	if (!timed(s))
		return;
	if (s->slice_at > s->turn_end) {
		s->slice_at = s->turn_end;
		timer_arm(&s->slice, s->timers, s->turn_end);
	}
}

struct sched_unit sched_nobody = { .place = SCHED_RUNNING << 8, .class = SCHED_IDLE, .id = TRACE_NOBODY };

/* Who has the CPU now, where that is another one or nobody. */
static inline __attribute__((always_inline)) void trace_switch(struct pcpu *p, const struct sched_unit *u)
{
	const struct sched_unit *was = p->sched.traced;
	uint64_t late = (uint64_t)p->sched.late;

	p->sched.traced = u;
	p->sched.traced_class = u->class;
	if (unlikely(late)) {
		p->sched.late = 0;
		/* Measured by another CPU's counter, perhaps: less than nothing is nothing. */
		late = trace_span(late & ((late >> 63) - 1));
	}
	trace_put_fast(&p->trace, SWITCH, was->id, was->place >> 8, u->id, u->class, (uint32_t)late);
}

static __cold __attribute__((noinline)) void trace_idle(struct pcpu *p)
{
	if (p->sched.traced != &sched_nobody)
		trace_switch(p, &sched_nobody);
}

/* After a choice on a CPU that is traced: records it, if it is another unit, or the same in another class. */
static __attribute__((noinline)) void trace_choice(struct pcpu *p)
{
	const struct sched_unit *u = p->sched.running;
	uint32_t before;

	if (unlikely(!u)) {
		trace_idle(p);
	} else if (likely(u != p->sched.traced)) {
		trace_switch(p, u);
	} else if (u->class != p->sched.traced_class) {
		before = p->sched.traced_class;
		p->sched.traced_class = u->class;
		trace_put_fast(&p->trace, CLASS, u->id, before, u->class);
	}
}

static __cold __attribute__((noinline)) void note_special(struct sched_cpu *s)
{
	sched_note(s);
	if (s->special & SCHED_CPU_TRACED)
		trace_choice(container_of(s, struct pcpu, sched));
}

struct sched_unit *sched_pick(struct sched_cpu *s)
{
	struct sched_pool *pool = s->pool;
	struct sched_unit *cur, *next;
	uint64_t now;

	spin_lock_here(&pool->lock);
	now = arch_now();
	cur = s->running;
	if (cur && !settle(s, cur, now))
		cur = s->running = NULL;
	if (unlikely(sched_joined(s)))
		sched_steal(s, now);
	next = cur;
	if (s->ready && (!cur || gives_way(s, cur, now)))
		next = change(s, cur, now);
	else if (next && now >= s->turn_end)
		s->turn_end = now + turn(s, next);
	s->yield = false;
	s->handoff = false;
	if (next)
		time_turn(s);
	if (unlikely(s->special)) {
		if (likely(s->special == SCHED_CPU_TRACED))
			trace_choice(container_of(s, struct pcpu, sched));
		else
			note_special(s);
	}
	spin_unlock_here(&pool->lock);
	return next;
}

__cold void sched_release(struct sched_cpu *s, struct sched_unit *u)
{
	struct sched_pool *pool = s->pool;

	spin_lock(&pool->lock);
	u->resident = SCHED_NOWHERE;
	if (pool->idle && sched_unit_state(u) == SCHED_QUEUED && !u->parked)
		sched_offer(pool, u);
	spin_unlock(&pool->lock);
}

/* Not armed at each switch: where it comes before the running unit's turn is over, it goes on to that turn's end. */
__cold void sched_slice_expired(struct timer *t)
{
	struct sched_cpu *s = container_of(t, struct sched_cpu, slice);

	struct sched_pool *pool = s->pool;
	uint64_t now = arch_now();

	s->slice_at = TIME_NEVER;
	if (!s->running || !timed(s))
		return;
	if (now >= pool->account_at) {
		spin_lock(&pool->lock);
		sched_account(pool, now);
		spin_unlock(&pool->lock);
	}
	if (now >= s->turn_end) {
		sched_post(s);
		return;
	}
	s->slice_at = s->turn_end;
	timer_arm(&s->slice, s->timers, s->turn_end);
}
