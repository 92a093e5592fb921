/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time: conversion between ticks and nanoseconds, and each CPU's queue of deadlines.
 *
 * The hardware is programmed only when the soonest deadline changes, and only by the CPU that owns the queue; others post
 * work to that CPU, which then calls timer_queue_run(). A run takes a bounded number of timers, so that one that re-arms
 * itself in the past can't keep a CPU here.
 * Locking: queue->lock guards the list and the nodes on it; t->queue changes only under the lock of the queue it leaves.
 * Two queues are locked in the order of their CPUs.
 */
#include "camber/time.h"

#include "camber/arch/cpu.h"
#include "camber/panic.h"
#include "camber/pcpu.h"

#define NS_PER_S UINT64_C(1000000000)

/* Timers run before the interrupt is taken anew. */
#define RUN_MAX 32u

/* `programmed` while timer_queue_run() is at work: it programs the hardware itself when it is done. */
#define PROGRAMMED_BY_RUN 0u

static uint64_t hz;

void time_init(uint64_t counter_hz)
{
	/* Both products below stay under 2^64 because of the upper bound: (10^9 - 1) * 10^10 < 1.9 * 10^19. */
	if (counter_hz < 1000000 || counter_hz > 10 * NS_PER_S)
		panic("the system counter's frequency of %llu Hz is out of range: correct the firmware (CNTFRQ)",
		      (unsigned long long)counter_hz);
	hz = counter_hz;
}

uint64_t time_hz(void)
{
	return hz;
}

/* v * to / from, rounded down, UINT64_MAX if that is too large; from and to are at most 10^10, one of them 10^9. */
static inline uint64_t scale(uint64_t v, uint64_t from, uint64_t to)
{
	uint64_t whole;

	if (__builtin_mul_overflow(v / from, to, &whole) || __builtin_add_overflow(whole, v % from * to / from, &whole))
		return UINT64_MAX;
	return whole;
}

uint64_t time_ticks_to_ns(uint64_t ticks)
{
	return likely(hz == NS_PER_S) ? ticks : scale(ticks, hz, NS_PER_S);
}

uint64_t time_ns_to_ticks(uint64_t ns)
{
	return likely(hz == NS_PER_S) ? ns : scale(ns, NS_PER_S, hz);
}

void timer_queue_init(struct timer_queue *q, unsigned int cpu)
{
	*q = (struct timer_queue){ .programmed = TIME_NEVER, .cpu = cpu };
	list_init(&q->head);
}

void timer_init(struct timer *t, void (*fn)(struct timer *t))
{
	*t = (struct timer){ .fn = fn };
	list_init(&t->node);
}

static inline struct timer *first_timer(struct timer_queue *q)
{
	return list_entry(q->head.next, struct timer, node);
}

static inline uint64_t first_deadline(struct timer_queue *q)
{
	return list_empty(&q->head) ? TIME_NEVER : first_timer(q)->deadline;
}

static inline bool queue_is_own(const struct timer_queue *q)
{
	const struct pcpu *own = arch_pcpu();

	return own && own->id == q->cpu;
}

/* After a change of the list; q->lock held. True if the owning CPU, not this one, has to program its timer. */
static bool reprogram(struct timer_queue *q)
{
	uint64_t next = first_deadline(q);

	if (next == q->programmed || q->programmed == PROGRAMMED_BY_RUN)
		return false;
	if (!queue_is_own(q))
		/* A deadline taken away is left to fire in vain: cheaper than interrupting the CPU twice. */
		return next < q->programmed;
	q->programmed = next;
	trace(TIMER_SET, trace_ticks(arch_now(), next));
	arch_timer_set(next);
	return false;
}

/* Locks the queue the timer is on or was last, and `other` if not NULL; returns the former (may be NULL). */
static __cold struct timer_queue *lock_queues(struct timer *t, struct timer_queue *other)
{
	for (;;) {
		struct timer_queue *q = __atomic_load_n(&t->queue, __ATOMIC_RELAXED);
		struct timer_queue *first = q;
		struct timer_queue *second = other;

		if (!q || q == other) {
			first = other;
			second = NULL;
		} else if (other && other->cpu < q->cpu) {
			first = other;
			second = q;
		}
		if (first)
			spin_lock(&first->lock);
		if (unlikely(second))
			spin_lock(&second->lock);
		if (likely(__atomic_load_n(&t->queue, __ATOMIC_RELAXED) == q))
			return q;
		/* Moved meanwhile by another CPU. */
		if (second)
			spin_unlock(&second->lock);
		if (first)
			spin_unlock(&first->lock);
	}
}

/* Takes the timer off the queue that it is on, if it is, for `q`, whose lock is held on return. */
static __cold __attribute__((noinline)) void come_over(struct timer *t, struct timer_queue *q)
{
	struct timer_queue *old = lock_queues(t, q);

	list_del(&t->node);
	/* Before the old queue's lock goes: whoever takes that one next must find the timer gone from there. */
	__atomic_store_n(&t->queue, q, __ATOMIC_RELAXED);
	if (old && old != q) {
		(void)reprogram(old); /* only ever a later deadline: nobody to tell */
		spin_unlock(&old->lock);
	}
}

void timer_arm(struct timer *t, struct timer_queue *q, uint64_t deadline)
{
	struct list *at;
	bool post;

	spin_lock_here(&q->lock);
	/* It stays where it is, usually: nobody else takes it off meanwhile. */
	if (unlikely(__atomic_load_n(&t->queue, __ATOMIC_RELAXED) != q)) {
		spin_unlock(&q->lock);
		come_over(t, q);
	}
	list_del(&t->node);
	t->deadline = deadline;
	/* Behind those of the same deadline, so that equals run in the order they were armed. */
	for (at = q->head.next; at != &q->head; at = at->next)
		if (list_entry(at, struct timer, node)->deadline > deadline)
			break;
	list_insert_before(&t->node, at);
	post = reprogram(q);
	spin_unlock_here(&q->lock);
	if (unlikely(post))
		pcpu_post(pcpu_get(q->cpu), PCPU_WORK_TIMERS);
}

__cold void timer_cancel(struct timer *t)
{
	struct timer_queue *q = lock_queues(t, NULL);

	if (!q)
		return; /* was never armed */
	list_del(&t->node);
	(void)reprogram(q);
	spin_unlock(&q->lock);
}

__cold void timer_cancel_sync(struct timer *t)
{
	struct timer_queue *q;

	timer_cancel(t);
	q = __atomic_load_n(&t->queue, __ATOMIC_RELAXED);
	if (q && !queue_is_own(q))
		while (__atomic_load_n(&q->running, __ATOMIC_ACQUIRE) == t)
			arch_cpu_relax();
}

/* What is due next into the hardware; q->lock held, own CPU. */
static inline void program(struct timer_queue *q)
{
	uint64_t next = first_deadline(q);

	if (next != q->programmed)
		arch_timer_set(next);
	q->programmed = next;
}

void timer_queue_run(struct timer_queue *q)
{
	uint64_t now = arch_now();
	unsigned int n = RUN_MAX;

	spin_lock_here(&q->lock);
	/* TIME_NEVER is no deadline, even when the counter stands at its end. */
	while (likely(n-- && first_deadline(q) <= now && first_deadline(q) != TIME_NEVER)) {
		struct timer *t = first_timer(q);
		bool last;

		list_del(&t->node);
		__atomic_store_n(&q->running, t, __ATOMIC_RELAXED);
		/* Usually it is the only one, and this function done with the queue before the timer's begins. */
		last = first_deadline(q) > now;
		if (last)
			program(q);
		else
			q->programmed = PROGRAMMED_BY_RUN;
		spin_unlock_here(&q->lock);
		if (trace_on_cpu(container_of(q, struct pcpu, timers), TIMER_RUN))
			trace_put(TIMER_RUN, trace_ticks(t->deadline, now));
		t->fn(t);
		__atomic_store_n(&q->running, NULL, __ATOMIC_RELEASE);
		if (last)
			return;
		spin_lock(&q->lock);
	}
	program(q);
	spin_unlock(&q->lock);
}
