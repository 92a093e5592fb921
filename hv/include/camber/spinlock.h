/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ticket spin lock: fair, so that no CPU waits longer than the others' critical sections. EL2 runs with interrupts masked,
 * so there is no irq-saving form. Lock order, outermost first: vm->lock, a device's lock (vPL011,
 * vPL031, watchdog), vGIC, scheduler pool, log, console, timer queue (two of them in the order of their CPUs).
 */
#ifndef CAMBER_SPINLOCK_H
#define CAMBER_SPINLOCK_H

#include "arch_inline.h"

/* One word, so that one access takes a ticket and sees whether it is its turn. */
struct spinlock {
	uint32_t tickets; /* low half: whose turn it is; high half: the next to be given */
};

#define SPIN_TICKET 0x10000u

/* Little-endian, as all that Camber runs on. */
static inline uint16_t *spin_turn(struct spinlock *l)
{
	return (uint16_t *)&l->tickets;
}

/* Until it is this ticket's turn. Acquire, here and below, pairs with the release store in spin_unlock. */
void spin_wait(struct spinlock *l, uint32_t ticket);

/* Inline, for what is measured. */
static inline __attribute__((always_inline)) void spin_lock_here(struct spinlock *l)
{
	uint32_t tickets = __atomic_fetch_add(&l->tickets, SPIN_TICKET, __ATOMIC_ACQUIRE);

	if (unlikely(tickets != (tickets >> 16 | tickets << 16)))
		spin_wait(l, tickets >> 16);
}

static inline __attribute__((always_inline)) void spin_unlock_here(struct spinlock *l)
{
	__atomic_store_n(spin_turn(l), (uint16_t)(*spin_turn(l) + 1), __ATOMIC_RELEASE);
}

/* The same as functions: wherever a few instructions don't matter. */
void spin_lock(struct spinlock *l);
void spin_unlock(struct spinlock *l);

#endif
