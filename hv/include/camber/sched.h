/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scheduler: which unit runs on a physical CPU. Knows units, not vCPUs.
 *
 * Plain round robin behind the interface that a credit scheduler needs: exact charging in ticks at every switch, wake-ups
 * with a reason, a slice only while others wait (a CPU with one unit takes no scheduler tick).
 * Locking: each CPU's queue has a lock; a unit's fields are guarded by the lock of the CPU it is assigned to.
 */
#ifndef CAMBER_SCHED_H
#define CAMBER_SCHED_H

#include "camber/time.h"

enum sched_state {
	SCHED_OFF,     /* not started, or stopped */
	SCHED_BLOCKED, /* waits for an event */
	SCHED_QUEUED,  /* could run, another does */
	SCHED_RUNNING,
};

enum sched_wake {
	SCHED_WAKE_TIMER, /* its own timer */
	SCHED_WAKE_EVENT, /* a device or another VM */
	SCHED_WAKE_IPI, /* a sibling vCPU interrupts it: raised before others, it may be what a lock holder waits for */
	SCHED_WAKE_START,
};

struct sched_unit {
	struct list node; /* in its CPU's run queue while SCHED_QUEUED */
	enum sched_state state;
	bool stop_wanted;  /* becomes SCHED_OFF when it next leaves its CPU */
	uint32_t cpu;      /* assigned to */
	uint32_t cpu_mask; /* may be assigned to */
	bool raised;       /* queued before others */
	uint32_t weight;
	uint64_t run_start; /* ticks; while running */
	uint64_t run_ticks; /* total */
	uint64_t wakeups;
	uint64_t switches;
};

struct sched_cpu {
	struct spinlock lock;
	struct list queue; /* SCHED_QUEUED units, next to run first */
	struct sched_unit *running;
	struct timer_queue *timers; /* of the same CPU */
	unsigned int cpu;
	unsigned int assigned; /* units assigned to this CPU */
	unsigned int waiting;  /* units in the queue */
	struct timer slice;    /* armed while others wait; may come early, after switches, and then arms itself anew */
	uint64_t slice_ticks;
	uint64_t slice_end; /* of the running unit */
	uint32_t
		boosts; /* raised units that were picked, or wait, since a turn in order; bounded so that nobody starves */
	bool preempt;        /* the running unit gives way at the next pick */
	uint64_t idle_ticks; /* of its CPU */
};

void sched_cpu_init(struct sched_cpu *s, unsigned int cpu, struct timer_queue *timers);

/* Assigns a unit that is OFF to the least loaded allowed CPU. Boot only. -EINVAL when no CPU that exists is allowed. */
int sched_unit_init(struct sched_unit *u, uint32_t cpu_mask, uint32_t weight);

/* True if the unit is the only one assigned to its CPU: it needs neither slices nor trapped idling. */
bool sched_unit_alone(const struct sched_unit *u);

/* OFF or BLOCKED -> QUEUED; QUEUED by SCHED_WAKE_IPI or SCHED_WAKE_TIMER -> raised. Otherwise nothing. Any CPU. Returns true if it was woken. */
bool sched_wake(struct sched_unit *u, enum sched_wake why);

/* The running unit of this CPU blocks; the caller then checks its wake condition once more and picks. */
void sched_block(struct sched_unit *u);

/* The running unit of this CPU gives way to the others that wait; false if nobody does (nothing to do). */
static inline bool sched_yield(struct sched_cpu *s)
{
	if (!READ_ONCE(s->waiting))
		return false;
	s->preempt = true; /* wakers set it too, to the same value */
	return true;
}

/* Makes a unit OFF now (not running) or when it leaves its CPU (running; its CPU is kicked). True if it is OFF on return. */
bool sched_stop(struct sched_unit *u);

/* Chooses what runs next on this CPU, charges the one that ran; NULL: idle. Own CPU only. */
struct sched_unit *sched_pick(struct sched_cpu *s);

#endif
