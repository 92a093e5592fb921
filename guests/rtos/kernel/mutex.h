/* SPDX-License-Identifier: Apache-2.0 */
/* What waiting for a mutex does to its owner's priority; for the scheduler. Interrupts masked. */
#ifndef RTOS_KERNEL_MUTEX_H
#define RTOS_KERNEL_MUTEX_H

#include "rtos.h"

/* The task has joined the waiters of its blocked_on. */
void mutex_waiter_came(struct rtos_task *task);

/* A waiter left without getting it. */
void mutex_waiter_gone(struct rtos_mutex *mutex);

/* The task's own priority has changed. */
void mutex_priority_changed(struct rtos_task *task);

#endif
