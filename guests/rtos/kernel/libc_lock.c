/* SPDX-License-Identifier: Apache-2.0 */
/*
 * newlib's retargetable locks. Tasks don't preempt each other and interrupt handlers may not call the C library, so a
 * lock has nothing to exclude: each operation only checks that this holds. A preemptive kernel replaces this file's
 * struct __lock by its mutex; newlib itself stays as it is.
 *
 * The static locks must all be defined here, else the linker takes newlib's own file with its empty functions.
 */
#include "kernel/arch.h"
#include "kernel/fault.h"

#include <stdlib.h>
#include <sys/lock.h>

struct __lock {
	uint32_t depth;
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
		fault_stop("no memory for a C library lock");
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

void __retarget_lock_acquire_recursive(_LOCK_T lock)
{
	if (sysreg_read(daif) & (1u << 7)) /* PSTATE.I: an interrupt handler, or boot code that holds interrupts off */
		fault_stop("C library called with interrupts masked");
	lock->depth++;
}

void __retarget_lock_acquire(_LOCK_T lock)
{
	if (lock->depth)
		fault_stop("C library lock taken twice");
	__retarget_lock_acquire_recursive(lock);
}

int __retarget_lock_try_acquire_recursive(_LOCK_T lock)
{
	__retarget_lock_acquire_recursive(lock);
	return 1;
}

int __retarget_lock_try_acquire(_LOCK_T lock)
{
	if (lock->depth)
		return 0;
	lock->depth++;
	return 1;
}

void __retarget_lock_release_recursive(_LOCK_T lock)
{
	if (lock->depth-- == 0)
		fault_stop("C library lock released but not held");
}

void __retarget_lock_release(_LOCK_T lock)
{
	__retarget_lock_release_recursive(lock);
}
