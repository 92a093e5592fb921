/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel's tests share: the runner's checks and a stock of tasks. */
#ifndef RTOS_TEST_TEST_H
#define RTOS_TEST_TEST_H

#include "rtos.h"

#define TEST_TASKS 6u
#define TEST_PRIORITY 10u /* of the task that runs the tests; its helpers are above or below */
#define TEST_INTID 3u     /* software interrupt of the tests */

/* Functions test_<name>(), called by the runner's task. */
#define TEST(name, how, what) void test_##name(void);
#include "test/tests.def"
#undef TEST

/* The first check that fails is the test's reason; the test goes on. Any task. */
#define CHECK(condition) test_check((condition), #condition, __FILE__, __LINE__)
void test_check(bool condition, const char *text, const char *file, int line);

/* Starts helper task n (below TEST_TASKS). */
void test_start(unsigned int n, unsigned int priority, void (*entry)(void *arg), void *arg);
struct rtos_task *test_task(unsigned int n);

/* Waits for the end of every helper that was started. */
void test_join(void);

/* Computes for so long, by the counter: being pre-empted counts. */
void test_spin(uint64_t ticks);

/* Measurements: prints "rtos-test: bench ..." lines. */
void bench_run(void);

#endif
