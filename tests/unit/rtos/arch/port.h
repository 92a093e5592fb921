/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guests/rtos/arch/port.h for unit tests: the kernel's portable half on the build machine. A task is a user context,
 * time stands still unless the test moves it, an interrupt is a call (see ../machine.h).
 */
#ifndef RTOS_ARCH_PORT_H
#define RTOS_ARCH_PORT_H

#include <stdbool.h>
#include <stdint.h>

struct rtos_task;

extern bool machine_masked;
extern uint64_t machine_time;
extern uint64_t machine_timer; /* UINT64_MAX: off */

#define MACHINE_HZ UINT64_C(1000000)

static inline uint64_t port_irq_save(void)
{
	bool masked = machine_masked;

	machine_masked = true;
	return masked;
}

static inline void port_irq_restore(uint64_t saved)
{
	machine_masked = saved;
}

static inline void port_irq_enable(void)
{
	machine_masked = false;
}

static inline bool port_irq_was_masked(uint64_t saved)
{
	return saved;
}

static inline uint64_t port_now(void)
{
	return machine_time;
}

static inline uint64_t port_count(void)
{
	return machine_time;
}

static inline uint64_t port_hz(void)
{
	return MACHINE_HZ;
}

static inline void port_timer_arm(uint64_t deadline)
{
	machine_timer = deadline;
}

static inline void port_timer_off(void)
{
	machine_timer = UINT64_MAX;
}

void port_wait_for_interrupt(void);
void port_task_init(struct rtos_task *task);
void port_task_done(struct rtos_task *task);
void port_switch(struct rtos_task *from, struct rtos_task *to);
void port_guard_page(const void *page);
_Noreturn void port_fatal(const char *why);
_Noreturn void port_fatal_task(const char *why, const struct rtos_task *task);

#endif
