/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of hv/sched. The pool's lock is held wherever nothing else is said. */
#ifndef SCHED_PRIV_H
#define SCHED_PRIV_H

#include "camber/pcpu.h"
#include "camber/sched.h"

/* sched_params.wake_cost: the switches to a unit and back. */
#define SCHED_WAKE_COST_NS 1000u

/* A wake-up so shortly before the end of an announced sleep is that end. */
#define SCHED_RT_SLACK_NS 5000u

static inline struct sched_cpu *sched_cpu_of(const struct sched_unit *u)
{
	return &pcpu_get(sched_unit_cpu(u))->sched;
}

/* Constant after sched_seal(): no lock. */
static inline struct sched_pool *sched_pool_of(const struct sched_unit *u)
{
	return sched_cpu_of(u)->pool;
}

/* One store, so that nobody sees the state of one moment with the CPU of another. */
static inline void sched_place(struct sched_unit *u, enum sched_state state, unsigned int cpu)
{
	__atomic_store_n(&u->place, (uint32_t)state << 8 | cpu, __ATOMIC_RELAXED);
}

static inline void sched_set_state(struct sched_unit *u, enum sched_state state)
{
	sched_place(u, state, u->place & 0xff);
}

static inline unsigned int sched_first_class(uint32_t ready)
{
	return (unsigned int)__builtin_ctz(ready);
}

static inline struct sched_unit *sched_first_unit(struct sched_cpu *s, unsigned int class)
{
	return list_entry(s->queue[class].next, struct sched_unit, node);
}

/* Whether u wants the CPU more urgently than v, which has it. */
static inline bool sched_before(const struct sched_unit *u, const struct sched_unit *v)
{
	return u->class != v->class ? u->class < v->class : u->class == SCHED_RT && u->deadline < v->deadline;
}

/* Who runs where nobody does: for the trace. */
extern struct sched_unit sched_nobody;

/* --- sched.c ---------------------------------------------------------------------------------------------------------- */

/* A QUEUED unit into the queue of its class, and out of it. */
void sched_enqueue(struct sched_cpu *s, struct sched_unit *u, bool first);
void sched_dequeue(struct sched_cpu *s, struct sched_unit *u);

/* OFF or BLOCKED -> QUEUED. */
void sched_wake_locked(struct sched_unit *u, enum sched_wake why);

/* Gives a QUEUED or RUNNING unit another class. */
void sched_set_class(struct sched_unit *u, enum sched_class class);

/* The running unit pays for its time up to now. */
void sched_charge(struct sched_cpu *s, struct sched_unit *u, uint64_t now);

/* The same for all that run on CPUs of the pool. */
void sched_charge_all(struct sched_pool *pool);

void sched_slice_expired(struct timer *t);

/* The CPU has to look at its queues. */
static inline void sched_post(const struct sched_cpu *s)
{
	pcpu_post(pcpu_get(s->cpu), PCPU_WORK_RESCHED);
}

/* --- credit.c --------------------------------------------------------------------------------------------------------- */

/* Units of a pool begin anew, with little credit and no debt; without weight a unit is never UNDER. */
void sched_credit_anew(struct sched_pool *pool);

/* What credit alone makes of a unit. */
static inline enum sched_class sched_credit_class(const struct sched_unit *u)
{
	return u->base + (unsigned int)((uint64_t)u->credit >> 63);
}

/* Accounting, if it is due. */
void sched_account(struct sched_pool *pool, uint64_t now);

void sched_tick_expired(struct timer *t);

/* Baseline: the CPU's next tick. */
void sched_tick_arm(struct sched_cpu *s);

/* --- cap.c ------------------------------------------------------------------------------------------------------------ */

void sched_cap_charge(struct sched_cpu *s, const struct sched_unit *u, uint64_t ticks);

/* Ticks that the unit's group may still use in this period; 0 or less: none. No lock. */
int64_t sched_cap_left(const struct sched_unit *u);

/* --- rt.c ------------------------------------------------------------------------------------------------------------- */

/* A real-time unit wakes on s: true if it does so in RT. Else its next budget is waited for. */
bool sched_rt_wake(struct sched_cpu *s, struct sched_unit *u, enum sched_wake why, uint64_t now);

/* A unit whose group's cap was used up may run again: an old deadline must not put it before others. */
void sched_rt_unpark(struct sched_unit *u);

/* Its budget is used up and it goes on without. */
void sched_rt_exhausted(struct sched_cpu *s, struct sched_unit *u);

void sched_rt_expired(struct timer *t);
void sched_rt_set(struct sched_unit *u, uint32_t budget_us, uint32_t period_us);

/* --- place.c ---------------------------------------------------------------------------------------------------------- */

/* Where a unit that wakes, of the class it has, runs soonest. */
struct sched_cpu *sched_choose(const struct sched_unit *u);

/* The same for one that wakes in a pool of several, which may move by that. */
struct sched_cpu *sched_wake_joined(struct sched_unit *u);

/* Takes over a unit that waits on another CPU of the pool and wants to run more than anything here. */
void sched_steal(struct sched_cpu *s, uint64_t now);

/* After a choice on a CPU where that is more work: whether it has something to do, whose state its hardware will hold, ticks. */
void sched_note(struct sched_cpu *s);

/* A unit that waits could run on a CPU that has nothing to do. */
void sched_offer(struct sched_pool *pool, const struct sched_unit *u);

#endif
