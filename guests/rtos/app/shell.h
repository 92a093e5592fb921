/* SPDX-License-Identifier: Apache-2.0 */
/* Commands on the console. */
#ifndef RTOS_APP_SHELL_H
#define RTOS_APP_SHELL_H

#include "kernel/task.h"

extern struct task shell_task;

/* For uart_listen(): wakes the shell. Interrupt context. */
void shell_received(void);

#endif
