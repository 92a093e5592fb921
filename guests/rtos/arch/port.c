/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A task's first stack contents, and the parts of the public interface that are about this CPU: interrupt masking,
 * power. Any context but for the hooks of arch/port.h, which say theirs.
 */
#include "arch/port.h"

#include "arch/fault.h"
#include "arch/frame.h"
#include "arch/mmu.h"
#include "arch/psci.h"
#include "kernel/sched.h"
#include "libc/libc.h"
#include "rtos.h"

_Static_assert(offsetof(struct rtos_task, sp) == TASK_SP, "vectors.S: saved stack pointer");
_Static_assert(offsetof(struct rtos_task, libc) == TASK_LIBC, "vectors.S: C library's state");

/* The C library's state lies at the top, below it what port_switch() expects to find. */
void port_task_init(struct rtos_task *task)
{
	uint8_t *top = libc_task_init(task, task->stack_base + task->stack_bytes);
	struct switch_frame *frame = (struct switch_frame *)(void *)top - 1;

	*frame = (struct switch_frame){ .x30 = (uint64_t)sched_task_begin }; /* x29 = 0: end of the frame chain */
	task->sp = frame;
}

void port_task_done(struct rtos_task *task)
{
	libc_task_done(task);
}

void port_guard_page(const void *page)
{
	mmu_unmap_page((uint64_t)page);
}

_Noreturn void port_fatal(const char *why)
{
	fault_stop(why);
}

_Noreturn void port_fatal_task(const char *why, const struct rtos_task *task)
{
	fault_task(why, task);
}

int64_t rtos_off(void)
{
	return psci_system_off();
}

int64_t rtos_reset(void)
{
	return psci_system_reset();
}
