/* SPDX-License-Identifier: Apache-2.0 */
/* Physical CPUs: per-CPU data, work flags, kicks, and the accounting of time spent in the hypervisor. */
#ifndef CAMBER_PCPU_H
#define CAMBER_PCPU_H

#include "camber/sched.h"
#include "camber/time.h"
#include "camber/trace.h"

#define PCPU_MAX CONFIG_CPU_MAX

/* Reasons to look again before going back to a guest; set with pcpu_post(), taken by vcpu_leave_slow(). */
#define PCPU_WORK_RESCHED (1u << 0) /* another unit may have to run */
#define PCPU_WORK_IRQS (1u << 1)    /* virtual interrupts of the current vCPU changed from elsewhere */
#define PCPU_WORK_TIMERS (1u << 2)  /* another CPU put a sooner deadline on this one's queue */
#define PCPU_WORK_LEAVING (1u << 3) /* a vCPU of this CPU went off: let go of its state */

#define PCPU_EXIT_CLASSES 64

struct vcpu;

struct pcpu {
	/* Hot, only ever written by this CPU but for `work`. */
	uint32_t work;        /* atomic */
	uint32_t id;          /* 0.. in order of bring-up */
	struct vcpu *current; /* runs, or ran until this exit; NULL when idle */
	struct vcpu *loaded;  /* whose state the hardware holds (stays through idle) */
	uint64_t stay_start;  /* arch_now() at the last entry from a guest */
	uint64_t stay_total;  /* ticks spent in the hypervisor while a guest could run */
	int64_t stay_limit;   /* longer stays are looked at when they end: stay_worst, or -1 while all are traced */
	uint64_t stay_worst;
	uint64_t stay_worst_pc; /* guest PC and reason of the worst stay */
	uint64_t stay_worst_cause;
	uint64_t exits[PCPU_EXIT_CLASSES]; /* by architecture's class of exit */
	struct trace_cpu trace;
	struct sched_cpu sched;
	struct timer_queue timers;
	uint64_t hw_id; /* Arm: MPIDR affinity */
	bool online;
};

extern struct pcpu *pcpu_table[PCPU_MAX]; /* by number; NULL beyond the CPUs that exist */

/* By number, which is below PCPU_MAX. */
static inline struct pcpu *pcpu_get(unsigned int id)
{
	return pcpu_table[id];
}

unsigned int pcpu_count(void);
void pcpu_register(struct pcpu *p, unsigned int id, uint64_t hw_id);

/* Sets work bits on the caller's own CPU; others set theirs at the same time, so this is atomic too. */
static inline void pcpu_post_here(struct pcpu *p, uint32_t work)
{
	__atomic_fetch_or(&p->work, work, __ATOMIC_RELAXED);
}

/* Sets work bits on a CPU and interrupts it unless it is the caller's own. Any CPU. */
void pcpu_post(struct pcpu *p, uint32_t work);

#endif
