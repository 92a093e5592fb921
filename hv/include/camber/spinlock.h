/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ticket spin lock: fair, so that no CPU waits longer than the others' critical sections. EL2 runs with interrupts masked,
 * so there is no irq-saving form. Lock order, outermost first: vm->lock, a device's lock (vPL011,
 * vPL031, watchdog), vGIC, scheduler pool, log, console, timer queue (two of them in the order of their CPUs).
 */
#ifndef CAMBER_SPINLOCK_H
#define CAMBER_SPINLOCK_H

#include "arch_inline.h"

struct spinlock {
	uint16_t next;
	uint16_t owner;
};

/* Inline, for what is measured. */
static inline __attribute__((always_inline)) void spin_lock_here(struct spinlock *l)
{
	uint16_t ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);

	/* Acquire pairs with the release store in spin_unlock. */
	while (unlikely(__atomic_load_n(&l->owner, __ATOMIC_ACQUIRE) != ticket))
		arch_cpu_relax();
}

static inline __attribute__((always_inline)) void spin_unlock_here(struct spinlock *l)
{
	__atomic_store_n(&l->owner, (uint16_t)(l->owner + 1), __ATOMIC_RELEASE);
}

/* The same as functions: wherever a few instructions don't matter. */
void spin_lock(struct spinlock *l);
void spin_unlock(struct spinlock *l);

#endif
