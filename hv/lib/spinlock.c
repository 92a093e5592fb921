/* SPDX-License-Identifier: Apache-2.0 */
/* Spin locks as functions. */
#include "camber/spinlock.h"

__attribute__((noinline)) void spin_lock(struct spinlock *l)
{
	spin_lock_here(l);
}

__attribute__((noinline)) void spin_unlock(struct spinlock *l)
{
	spin_unlock_here(l);
}
