/* SPDX-License-Identifier: Apache-2.0 */
/* Spin locks as functions. */
#include "camber/spinlock.h"

__cold __attribute__((noinline)) void spin_wait(struct spinlock *l, uint32_t ticket)
{
	while (__atomic_load_n(spin_turn(l), __ATOMIC_ACQUIRE) != ticket)
		arch_cpu_relax();
}

__attribute__((noinline)) void spin_lock(struct spinlock *l)
{
	spin_lock_here(l);
}

__attribute__((noinline)) void spin_unlock(struct spinlock *l)
{
	spin_unlock_here(l);
}
