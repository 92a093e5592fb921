/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scheduler: which unit runs on a physical CPU. Knows units, not vCPUs.
 *
 * Credit scheduling with a real-time class above it: RT > BOOST > UNDER > OVER (> IDLE). Each CPU has a queue for each class. A unit pays
 * for every tick that it runs: a real-time unit in RT from its budget, every other from its credit. What all have paid in an
 * accounting period is given back by weight to those who wanted to run in it, so shares follow weights exactly and nothing is
 * gained by sleeping at certain moments. The whole is described in docs/scheduler.md.
 *
 * CPUs between which units can move form a pool; a CPU whose units are all bound to it is a pool of its own.
 * Locking: the pool's lock guards its CPUs' queues and all fields of its units, but where it says otherwise. It is taken inside
 * VM and interrupt-controller locks; timer queues' locks are taken inside it. Nothing here waits or allocates.
 */
#ifndef CAMBER_SCHED_H
#define CAMBER_SCHED_H

#include "camber/time.h"

enum sched_state {
	SCHED_OFF,     /* not started, or stopped */
	SCHED_BLOCKED, /* waits for an event */
	SCHED_QUEUED,  /* could run, another does, or its cap is used up */
	SCHED_RUNNING,
};

/* IDLE: units without weight, which run when nobody else wants to. */
enum sched_class { SCHED_RT, SCHED_BOOST, SCHED_UNDER, SCHED_OVER, SCHED_IDLE, SCHED_CLASSES };

enum sched_wake {
	SCHED_WAKE_TIMER, /* its own timer */
	SCHED_WAKE_EVENT, /* a device or another VM */
	SCHED_WAKE_IPI,   /* a sibling vCPU interrupts it: it may be what that one spins for */
	SCHED_WAKE_SLEEP, /* an announced sleep is over */
	SCHED_WAKE_START,
};

/*
 * CREDIT is the baseline to compare with, as Xen 4.1's credit scheduler does it: no RT class; the unit that a tick finds
 * running pays for the whole tick; turns of an accounting period.
 */
enum sched_mode { SCHED_MODE_RT, SCHED_MODE_CREDIT };

/* What can be changed while guests run; in ticks. Written by sched_set_params() only. */
struct sched_params {
	enum sched_mode mode;
	uint64_t slice;     /* a unit's turn while others of its class wait */
	uint64_t account;   /* accounting period; also the most debt that a unit has */
	uint64_t demote;    /* a boosted unit is an ordinary one after so much time on the CPU; the baseline's tick */
	uint64_t min_sleep; /* shortest sleep that may be announced */
	uint64_t wake_cost; /* what a unit pays for a wake-up: others' time would pay for the switches else */
};

/* Units with a common cap: those of a VM. Own lock-free counter; the timer refills it. */
struct sched_group {
	uint64_t cap; /* ticks in an accounting period for all units together; 0: none */
	int64_t used; /* atomic: since the last refill, and what was too much before */
	struct timer refill;
	struct sched_unit *first; /* linked by group_next; boot only */
};

struct sched_stats {
	uint64_t ran[SCHED_CLASSES]; /* ticks on a CPU by class */
	uint64_t waited;             /* ticks queued: what a guest calls stolen */
	uint64_t wakeups;
	uint64_t switches;   /* turns */
	uint64_t moves;      /* to another CPU */
	uint64_t late_worst; /* longest time from what it was to be woken by to running; ticks */
	uint64_t overruns;   /* budgets used up with more to do */
};

#define SCHED_UNIT_STOP 1u   /* becomes OFF when it next leaves its CPU */
#define SCHED_UNIT_CAPPED 2u /* its group has a cap */

struct sched_unit {
	struct list node;   /* in a queue of its CPU while QUEUED and not parked */
	uint32_t place;     /* state and CPU in one word, see sched_unit_state(); read without the lock */
	uint8_t class;      /* enum sched_class; as queued, or as running */
	uint8_t resident;   /* CPU whose hardware holds its state, or SCHED_NOWHERE */
	uint8_t special;    /* SCHED_UNIT_*: what to look at when it has run */
	uint16_t id;        /* for the trace: VM number << 8 | vCPU number */
	bool active;        /* wanted to run since the last accounting */
	bool parked;        /* QUEUED, and its group's cap is used up */
	bool alone;         /* no other unit can ever run on its CPU */
	bool rt;            /* may be in RT */
	bool announced;     /* only after announced sleeps, and by a new budget. Its own CPU's */
	bool sleeps;        /* the ticker ends a sleep */
	uint32_t cpu_mask;  /* where it may run; one bit: it never moves */
	uint8_t base;       /* class of a unit with credit: SCHED_UNDER; without weight the one below */
	uint32_t weight;    /* 0: nothing while others want to run (a real-time unit beyond its budget) */
	int64_t credit;     /* ticks; UNDER from 0 on. Weight 0: always less */
	int64_t credit_was; /* at the last accounting: what has been paid since is the difference */
	int64_t boost_left;
	/* Real time: a constant-bandwidth server (Abeni and Buttazzo, 1998). */
	int64_t budget_left;
	uint64_t budget, period; /* ticks */
	uint32_t rate;           /* budget / period, in 2^-20 */
	uint32_t ppm;            /* and in parts per million */
	uint64_t deadline;       /* of the present budget: EDF's order, and when a new one comes */
	struct timer ticker;     /* "realtime_ticker". BLOCKED: end of an announced sleep; else: the next period */
	uint64_t since;          /* RUNNING: charged up to here; QUEUED: since when */
	uint64_t due; /* what it is woken for was due then; 0: nothing to measure. Also its CPU's, before it is woken */
	struct sched_stats stats;
	struct sched_group *group;
	struct sched_unit *group_next, *pool_next; /* boot only */
};

#define SCHED_NOWHERE 0xff

/* One moment's state and CPU. Any CPU, no lock. */
static inline enum sched_state sched_place_state(uint32_t place)
{
	return (enum sched_state)(place >> 8);
}
static inline unsigned int sched_place_cpu(uint32_t place)
{
	return place & 0xff;
}
static inline enum sched_state sched_unit_state(const struct sched_unit *u)
{
	return sched_place_state(READ_ONCE(u->place));
}
/* The CPU it runs on, or ran on last. */
static inline unsigned int sched_unit_cpu(const struct sched_unit *u)
{
	return sched_place_cpu(READ_ONCE(u->place));
}
static inline bool sched_unit_fixed(const struct sched_unit *u)
{
	return !(u->cpu_mask & (u->cpu_mask - 1));
}

struct sched_pool {
	struct spinlock lock;
	uint32_t cpus;            /* mask */
	uint32_t idle;            /* those that run nobody and haven't been told to look */
	bool paying;              /* at each switch; in the baseline it is ticks that make units pay */
	uint64_t account_at;      /* when the next accounting is due; it is done at the end of a turn after that */
	struct sched_unit *first; /* all of its units, linked by pool_next; boot only */
};

#define SCHED_CPU_JOINED 1u   /* its pool has others */
#define SCHED_CPU_BASELINE 2u /* sched_params.mode, at hand */
#define SCHED_CPU_TRACED 4u   /* its choices are recorded */

struct sched_cpu {
	struct sched_pool *pool;
	struct list queue[SCHED_CLASSES]; /* RT by deadline, the others in order */
	uint32_t ready;                   /* bit per class whose queue isn't empty */
	struct sched_unit *running;
	struct timer_queue *timers; /* of the same CPU */
	unsigned int cpu;
	uint8_t special;    /* SCHED_CPU_*: what makes choosing more work */
	bool yield;         /* the running unit gives way at the next pick to whoever is next. Own CPU only, no lock */
	bool handoff;       /* it does to a sibling at the head of its class, which has the rest of its turn */
	struct timer slice; /* armed while somebody waits; may come early, and then arms itself anew */
	uint64_t slice_at;  /* when it comes; TIME_NEVER: not armed */
	uint64_t turn_end;  /* of the running unit */
	uint64_t slice_ticks;  /* a turn of an ordinary unit */
	struct timer tick;     /* baseline only */
	unsigned int assigned; /* units that were given this CPU at boot */
	uint32_t rt_ppm;       /* of its time promised to real-time units, in parts per million */
	uint32_t kind;         /* of core; units of a group stay on one kind. Set before units are made */
	uint64_t idle_ticks;
	/* With SCHED_CPU_TRACED: what has been recorded last, and what change() found out since. */
	const struct sched_unit *traced;
	uint8_t traced_class;
	int64_t late; /* of the unit that was chosen, ticks */
};

/* What a unit is made with. */
struct sched_config {
	uint32_t cpu_mask; /* where it may run */
	uint32_t weight;
	struct sched_group *group;
	uint32_t rt_budget_us, rt_period_us; /* 0: not a real-time unit */
	uint16_t id;
};

/* Boot: a CPU's part. */
void sched_cpu_init(struct sched_cpu *s, unsigned int cpu, struct timer_queue *timers);

/* Boot: a group without units; cap in percent of one CPU, 0: none. */
void sched_group_init(struct sched_group *g, uint32_t cap_percent);

/*
 * Boot: a unit that is OFF. Real-time units are bound to the allowed CPU with the most time to spare. -EINVAL when no CPU that is
 * online is allowed, or none of the kind that the group's first unit is on; -ENOSPC when the real-time units of the CPU would
 * need more than all of its time (logged by the caller).
 */
int sched_unit_init(struct sched_unit *u, const struct sched_config *cfg);

/* Boot, when all units exist: makes the pools, and gives each unit a CPU of its own where there are enough. */
void sched_seal(void);

/* No other unit can ever run on its CPU: it needs neither turns nor trapped idling. After sched_seal(). */
static inline bool sched_unit_alone(const struct sched_unit *u)
{
	return u->alone;
}

/*
 * OFF (START only) or BLOCKED -> QUEUED, on the CPU where it can run soonest; QUEUED by IPI -> may be raised. Otherwise nothing.
 * Any CPU. Returns true if it was woken.
 */
bool sched_wake(struct sched_unit *u, enum sched_wake why);

/*
 * The running unit of this CPU blocks; the caller then checks its wake condition once more and picks. `until`: tick at which an announced
 * sleep ends that sched_rt_sleep() has found right; 0: none.
 */
void sched_block(struct sched_unit *u, uint64_t until);

/* The running unit of this CPU gives way to the others that wait; false if nobody does (nothing to do). */
static inline bool sched_yield(struct sched_cpu *s)
{
	if (!READ_ONCE(s->ready))
		return false;
	s->yield = true;
	return true;
}

/* Makes a unit OFF now (not running) or when it leaves its CPU (running; its CPU is kicked). True if it is OFF on return. */
bool sched_stop(struct sched_unit *u);

/* Chooses what runs next on this CPU, charges the one that ran; NULL: idle. Own CPU only. */
struct sched_unit *sched_pick(struct sched_cpu *s);

/*
 * The hardware of this CPU holds the state of `u`, which has been picked: nobody else runs it until sched_release(). Own CPU; needed only
 * where sched_joined() says so. A unit that is displaced before it is held may run elsewhere at once.
 */
static inline void sched_hold(const struct sched_cpu *s, struct sched_unit *u)
{
	u->resident = (uint8_t)s->cpu; /* whoever takes it from here looks after this CPU's next pick, under the lock */
}

/*
 * The hardware of this CPU holds the state of `u` no more: it may run elsewhere. Own CPU, after a pick that chose another; needed only
 * where sched_joined() says so.
 */
void sched_release(struct sched_cpu *s, struct sched_unit *u);

/* Units of this CPU may run on others, and those of others here. */
static inline bool sched_joined(const struct sched_cpu *s)
{
	return s->special & SCHED_CPU_JOINED;
}

/* --- real time -------------------------------------------------------------------------------------------------------- */

#define SCHED_RT_SLEEP_MAX_NS UINT64_C(3600000000000)

/*
 * Whether the running unit of this CPU may announce a sleep until tick `until`: 0, and sched_block() is next. 1: that time has passed, nothing
 * to wait for. -EPERM: not a real-time unit; -EINVAL: less than params.min_sleep ahead; -E2BIG: more than SCHED_RT_SLEEP_MAX_NS.
 */
int sched_rt_sleep(const struct sched_unit *u, uint64_t until);

/*
 * The guest's own timer would wake the unit, which sleeps as announced, at tick `deadline`: false if nothing does so at that time or before. A sleep
 * that ends shortly after ends then instead. Own CPU.
 */
bool sched_rt_sleep_ends(struct sched_unit *u, uint64_t deadline);

/* Whether only announced sleeps end with real-time priority. -EPERM: not a real-time unit. Own CPU. */
int sched_rt_announce(struct sched_unit *u, bool announced);

/*
 * Budget and period in microseconds of a real-time unit; -EINVAL: not between the limits of abi/bundle.h, or a budget
 * beyond its period; -ENOSPC: more than its CPU's time, *ppm is then what all would need; -EPERM: an ordinary unit, which can't become
 * one. Any CPU.
 */
int sched_set_rt(struct sched_unit *u, uint32_t budget_us, uint32_t period_us, uint32_t *ppm);

/* --- figures and settings for the monitor; any CPU --------------------------------------------------------------------- */

extern struct sched_params sched_params;

void sched_set_params(const struct sched_params *p);
void sched_set_weight(struct sched_unit *u, uint32_t weight);
void sched_set_cap(struct sched_group *g, uint32_t cap_percent);

/* Whether choices are recorded (trace class SCHED). Any CPU. */
void sched_set_traced(bool on);

/* A unit's figures up to now, its present turn or wait included. */
void sched_unit_stats(struct sched_unit *u, struct sched_stats *st);

#endif
