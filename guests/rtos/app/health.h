/* SPDX-License-Identifier: Apache-2.0 */
/* The least urgent task: that it runs shows that everything else gets along. */
#ifndef RTOS_APP_HEALTH_H
#define RTOS_APP_HEALTH_H

/* Entry for rtos_task_create(); arg is unused. */
void health_run(void *arg);

#endif
