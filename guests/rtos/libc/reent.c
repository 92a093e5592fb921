/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A struct _reent for each task. port_switch() makes _impure_ptr point to it, so errno, stdio's streams and whatever
 * else newlib keeps between calls is the task's own. It lies at the top of the task's stack: no heap, no limit of its
 * own.
 */
#include "libc/libc.h"
#include "rtos.h"

#include <reent.h>

void libc_idle_init(struct rtos_task *idle)
{
	idle->libc = _GLOBAL_REENT;
}

uint8_t *libc_task_init(struct rtos_task *task, uint8_t *top)
{
	struct _reent *reent = (struct _reent *)(void *)top - 1;

	reent = (struct _reent *)((uintptr_t)reent & ~(uintptr_t)15);
	_REENT_INIT_PTR(reent);
	task->libc = reent;
	return (uint8_t *)reent;
}

/*
 * _reclaim_reent() flushes and frees, but spares the state in use: another one must be, also after a switch and back.
 */
void libc_task_done(struct rtos_task *task)
{
	struct _reent *reent = task->libc;

	task->libc = _GLOBAL_REENT;
	_impure_ptr = _GLOBAL_REENT;
	_reclaim_reent(reent);
}
