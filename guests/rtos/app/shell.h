/* SPDX-License-Identifier: Apache-2.0 */
/* Commands on the console. */
#ifndef RTOS_APP_SHELL_H
#define RTOS_APP_SHELL_H

/* Entry for rtos_task_create(); arg is unused. */
void shell_run(void *arg);

#endif
