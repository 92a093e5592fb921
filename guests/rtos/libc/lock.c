/* SPDX-License-Identifier: Apache-2.0 */
/*
 * newlib's retargetable locks: mutexes of the kernel, with priority inheritance, made recursive here. malloc has one,
 * and each stream. Task context: a handler, or a task that masks interrupts, must not call what needs them, and is
 * told so.
 *
 * The static locks must all be defined here, else the linker takes newlib's own file with its empty functions.
 */
#include "rtos.h"

#include "kernel/sched.h"

#include <stdlib.h>
#include <sys/lock.h>

/* All zeroes is free. */
struct __lock {
	struct rtos_mutex mutex;
	uint32_t depth; /* the owner's */
};

struct __lock __lock___sinit_recursive_mutex;
struct __lock __lock___sfp_recursive_mutex;
struct __lock __lock___atexit_recursive_mutex;
struct __lock __lock___at_quick_exit_mutex;
struct __lock __lock___malloc_recursive_mutex;
struct __lock __lock___env_recursive_mutex;
struct __lock __lock___tz_mutex;
struct __lock __lock___dd_hash_mutex;
struct __lock __lock___arc4random_mutex;

/* A stream's lock. Out of memory ends the guest: newlib does not check for it. */
void __retarget_lock_init_recursive(_LOCK_T *lock)
{
	*lock = calloc(1, sizeof(struct __lock));
	if (!*lock)
		rtos_fatal("no memory for a C library lock");
}

void __retarget_lock_init(_LOCK_T *lock)
{
	__retarget_lock_init_recursive(lock);
}

void __retarget_lock_close_recursive(_LOCK_T lock)
{
	free(lock);
}

void __retarget_lock_close(_LOCK_T lock)
{
	free(lock);
}

static int lock_acquire(_LOCK_T lock, uint64_t deadline)
{
	uint64_t saved = rtos_irq_save();
	int result = RTOS_OK;

	rtos_irq_restore(saved);
	if (sched.in_interrupt || saved & 1u << 7) /* PSTATE.I */
		rtos_fatal("C library called by an interrupt handler or with interrupts masked");
	if (lock->mutex.owner != rtos_task_self()) /* whoever else it is, it can't become the caller */
		result = rtos_mutex_lock(&lock->mutex, deadline);
	if (result == RTOS_OK)
		lock->depth++;
	return result;
}

void __retarget_lock_acquire_recursive(_LOCK_T lock)
{
	if (lock_acquire(lock, RTOS_FOREVER) != RTOS_OK)
		rtos_fatal("C library lock: deadlock, or used by the idle task");
}

void __retarget_lock_acquire(_LOCK_T lock)
{
	__retarget_lock_acquire_recursive(lock);
	if (lock->depth != 1)
		rtos_fatal("C library lock taken twice");
}

int __retarget_lock_try_acquire_recursive(_LOCK_T lock)
{
	return lock_acquire(lock, RTOS_NO_WAIT) == RTOS_OK;
}

int __retarget_lock_try_acquire(_LOCK_T lock)
{
	return lock->mutex.owner != rtos_task_self() && __retarget_lock_try_acquire_recursive(lock);
}

void __retarget_lock_release_recursive(_LOCK_T lock)
{
	if (lock->mutex.owner != rtos_task_self())
		rtos_fatal("C library lock released but not held");
	if (--lock->depth == 0)
		rtos_mutex_unlock(&lock->mutex);
}

void __retarget_lock_release(_LOCK_T lock)
{
	__retarget_lock_release_recursive(lock);
}
