/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measurements, in ticks of the counter; with one tick an instruction (-icount shift=0, counter at 1 GHz) they are
 * exact.
 *
 * switch        from before rtos_sem_give() in one task to after rtos_sem_take() in a more urgent one that waited
 * switch_yield  from before rtos_yield() in one task to after rtos_yield() in its equal switch_notify, switch_queue
 * as `switch`, with a notification, or an item of 8 bytes irq_to_task   from a timer's deadline, or the handler's
 * vector, to after the wait in the task that it wakes, while a less
 *               urgent task computes: _timer (rtos_sleep_until()) and _sem (a software interrupt's handler gives)
 * irq_to_task_idle  as _timer, with nothing else to do
 *
 * Each includes one read of the counter, as the code that takes the time does.
 */
#include "test/test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define ABOVE (TEST_PRIORITY + 1)
#define RUNS 1000u

static uint64_t times[RUNS], began;
static struct rtos_sem sem;
static struct rtos_queue queue;
static uint64_t queue_items[4];
static volatile bool stop;

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void report(const char *name)
{
	qsort(times, RUNS, sizeof(times[0]), compare);
	printf("rtos-test: bench %s n=%u min=%" PRIu64 " p50=%" PRIu64 " p99=%" PRIu64 " max=%" PRIu64 "\n", name, RUNS,
	       times[0], times[RUNS / 2], times[RUNS * 99 / 100], times[RUNS - 1]);
}

static void takes(void *arg)
{
	(void)arg;
	for (uint32_t i = 0; i < RUNS; i++) {
		rtos_sem_take(&sem, RTOS_FOREVER);
		times[i] = rtos_now() - began;
	}
}

static void receives(void *arg)
{
	uint64_t item;

	(void)arg;
	for (uint32_t i = 0; i < RUNS; i++) {
		rtos_queue_receive(&queue, &item, RTOS_FOREVER);
		times[i] = rtos_now() - began;
	}
}

static void is_notified(void *arg)
{
	(void)arg;
	for (uint32_t i = 0; i < RUNS; i++) {
		rtos_notify_wait(1, NULL, RTOS_FOREVER);
		times[i] = rtos_now() - began;
	}
}

static void yields(void *arg)
{
	(void)arg;
	for (uint32_t i = 0; i < RUNS; i++) {
		rtos_yield();
		times[i] = rtos_now() - began;
	}
}

static void switches(void)
{
	test_start(0, ABOVE, takes, NULL);
	for (uint32_t i = 0; i < RUNS; i++) {
		began = rtos_now();
		rtos_sem_give(&sem);
	}
	test_join();
	report("switch");

	test_start(0, ABOVE, receives, NULL);
	for (uint64_t i = 0; i < RUNS; i++) {
		began = rtos_now();
		rtos_queue_send(&queue, &i, RTOS_NO_WAIT);
	}
	test_join();
	report("switch_queue");

	test_start(0, ABOVE, is_notified, NULL);
	for (uint32_t i = 0; i < RUNS; i++) {
		began = rtos_now();
		rtos_notify(test_task(0), 1);
	}
	test_join();
	report("switch_notify");

	test_start(0, TEST_PRIORITY, yields, NULL);
	rtos_yield();
	for (uint32_t i = 0; i < RUNS; i++) {
		began = rtos_now();
		rtos_yield();
	}
	test_join();
	report("switch_yield");
}

static void sleeps(void *arg)
{
	uint64_t deadline = rtos_in_us(100);

	(void)arg;
	for (uint32_t i = 0; i < RUNS; i++, deadline += rtos_us(100)) {
		rtos_sleep_until(deadline);
		times[i] = rtos_now() - deadline;
	}
	stop = true;
}

static void takes_from_handler(void *arg)
{
	(void)arg;
	for (uint32_t i = 0; i < RUNS; i++) {
		rtos_sem_take(&sem, RTOS_FOREVER);
		times[i] = rtos_now() - rtos_irq_entry_time();
	}
	stop = true;
}

RTOS_HANDLER static void give_handler(void *arg)
{
	(void)arg;
	rtos_sem_give(&sem);
}

static void interrupts(void)
{
	volatile uint32_t work = 0;

	stop = false;
	test_start(0, ABOVE, sleeps, NULL);
	while (!stop)
		work = work + 1;
	test_join();
	report("irq_to_task_timer");

	test_start(0, ABOVE, sleeps, NULL);
	test_join();
	report("irq_to_task_idle");

	stop = false;
	rtos_irq_attach(TEST_INTID, RTOS_IRQ_NORMAL, give_handler, NULL);
	test_start(0, ABOVE, takes_from_handler, NULL);
	while (!stop)
		rtos_irq_raise(TEST_INTID);
	test_join();
	report("irq_to_task_sem");
}

void bench_run(void)
{
	rtos_sem_init(&sem, 0, 0);
	rtos_queue_init(&queue, queue_items, sizeof(queue_items[0]), 4);
	switches();
	interrupts();
	printf("rtos-test: done\n");
}
