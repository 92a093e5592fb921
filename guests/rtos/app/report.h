/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The measured task and the task that prints what it found. Entries for rtos_task_create(); arg is the struct options.
 */
#ifndef RTOS_APP_REPORT_H
#define RTOS_APP_REPORT_H

/* Before the tasks are created. */
void report_init(void);

void report_measure(void *arg); /* periodic, most urgent */
void report_print(void *arg);

/* Everything since the start, with the histogram. */
void report_print_total(void);

#endif
