/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine for the real-time kernel's portable half. A test boots it with a function that creates tasks, and looks
 * afterwards at what they noted: assertions belong behind machine_run(), not into tasks, whose stacks cmocka doesn't
 * know.
 */
#ifndef UNIT_RTOS_MACHINE_H
#define UNIT_RTOS_MACHINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct rtos_task;

/*
 * Runs boot() in what becomes the idle task, then whatever can run; while nothing can, time goes to the timer's next
 * deadline. Ends, and returns NULL, when there is no deadline either, or machine_time_limit is reached; or at a fatal
 * error, whose text it returns.
 */
const char *machine_run(void (*boot)(void));

/* For machine_run(); each run begins with time 0 and this at its default, 10^9. */
extern uint64_t machine_time_limit;

/*
 * Makes and starts task number n (0 to 15), arg n, named by its letter: 'a' for 0. Returns rtos_task_create()'s
 * result.
 */
int machine_task(unsigned int n, unsigned int priority, void (*entry)(void *arg));
struct rtos_task *machine_get(unsigned int n);

/* The calling task computes for so long; timer interrupts come meanwhile, and it may be pre-empted. */
void machine_work(uint64_t ticks);

/* An interrupt whose handler is fn(arg), now; the caller may be pre-empted. */
void machine_interrupt(void (*fn)(void *arg), void *arg);

/* Appends to the run's notes, which machine_run() clears. */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
extern char notes[65536];

/* The letter of the running task. */
char me(void);

/* Checks the kernel's invariants; the first broken one is noted as "BROKEN: ...". */
void machine_check(void);

#endif
