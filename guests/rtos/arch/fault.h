/* SPDX-License-Identifier: Apache-2.0 */
/* The end: an exception or a broken assumption is recorded on the console and the machine powered off. */
#ifndef RTOS_ARCH_FAULT_H
#define RTOS_ARCH_FAULT_H

struct rtos_task;

/* One line "rtos: fatal: why, in task 'x'", then off. Any context. */
_Noreturn void fault_stop(const char *why);

/* "rtos: fatal: why, in task 'x'" with this task's name. */
_Noreturn void fault_task(const char *why, const struct rtos_task *task);

#endif
