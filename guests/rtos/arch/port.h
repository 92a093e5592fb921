/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel needs from the CPU and the machine. Unit tests have an arch/port.h of their own that does the same
 * on the build machine (tests/unit/rtos). What isn't inline is in arch/port.c, vectors.S and fault.c.
 */
#ifndef RTOS_ARCH_PORT_H
#define RTOS_ARCH_PORT_H

#include "arch/cpu.h"
#include "arch/timer.h"

#include <stdbool.h>
#include <stdint.h>

struct rtos_task;

/* ---- interrupts ---- */

static inline uint64_t port_irq_save(void)
{
	return irq_save();
}

static inline void port_irq_restore(uint64_t saved)
{
	irq_restore(saved);
}

static inline void port_irq_enable(void)
{
	irq_enable();
}

/* Of what port_irq_save() returned: PSTATE.I. */
static inline bool port_irq_was_masked(uint64_t saved)
{
	return saved & (1u << 7);
}

static inline void port_wait_for_interrupt(void)
{
	cpu_wfi();
}

/* ---- time ---- */

/* The counter, in order with what comes before. */
static inline uint64_t port_now(void)
{
	return timer_now();
}

/* The counter, give or take what the CPU reorders. */
static inline uint64_t port_count(void)
{
	return sysreg_read(cntvct_el0);
}

static inline uint64_t port_hz(void)
{
	return timer_hz();
}

static inline void port_timer_arm(uint64_t deadline)
{
	timer_arm(deadline);
}

static inline void port_timer_off(void)
{
	timer_disarm();
}

/* ---- tasks ---- */

/* Prepares the stack so that the first switch to the task calls sched_task_begin(). */
void port_task_init(struct rtos_task *task);

/* The running task is about to end: gives back what the C library holds for it. Interrupts enabled. */
void port_task_done(struct rtos_task *task);

/*
 * Saves the running task's registers on its stack and continues `to`. A call, so only what a call preserves is saved
 * here; a task that is pre-empted has had the rest saved by its interrupt (vectors.S). Interrupts masked.
 */
void port_switch(struct rtos_task *from, struct rtos_task *to);

/* Takes a page out of the address map for good. */
void port_guard_page(const void *page);

/* ---- the end ---- */

_Noreturn void port_fatal(const char *why);

/* The same about another task than the running one. */
_Noreturn void port_fatal_task(const char *why, const struct rtos_task *task);

#endif
