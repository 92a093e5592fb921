/* SPDX-License-Identifier: Apache-2.0 */
/* The measured task and the task that prints what it found. */
#ifndef RTOS_APP_REPORT_H
#define RTOS_APP_REPORT_H

#include "app/options.h"
#include "kernel/task.h"

extern struct task report_measure_task; /* periodic, most urgent */
extern struct task report_print_task;

/* Keeps options; call before task_start(). */
void report_init(const struct options *options);

/* Everything since the start, with the histogram. Task context. */
void report_print_total(void);

#endif
