/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of tasks' lives, time slices, a periodic task under load, and stacks. */
#include "test/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ABOVE (TEST_PRIORITY + 1)

/* ---- time slices ---- */

#define SLICE_US 1000u
#define SLICES 20u

static volatile bool stop;
static volatile uint64_t turns[3];

static void counts_turns(void *arg)
{
	volatile uint64_t *mine = arg;

	while (!stop)
		(*mine)++;
}

static void stops(void *arg)
{
	(void)arg;
	rtos_sleep_until(rtos_in_us(SLICE_US * SLICES * 3));
	stop = true;
}

void test_time_slices(void)
{
	struct rtos_task_info info[RTOS_TASK_MAX];
	uint64_t least = UINT64_MAX, most = 0;

	stop = false;
	memset((void *)(uintptr_t)turns, 0, sizeof(turns));
	rtos_time_slice(rtos_us(SLICE_US));
	test_start(3, ABOVE + 1, stops, NULL);
	rtos_task_set_priority(NULL, ABOVE + 1);
	for (unsigned int n = 0; n < 3; n++)
		test_start(n, ABOVE, counts_turns, (void *)(uintptr_t)&turns[n]);
	while (!stop)
		rtos_task_join(test_task(3), RTOS_FOREVER);
	for (size_t i = 0, count = rtos_task_list(info, RTOS_TASK_MAX); i < count; i++) {
		if (strlen(info[i].name) != 2 || info[i].name[0] != 't' || info[i].name[1] > '2')
			continue;
		least = info[i].cpu_ticks < least ? info[i].cpu_ticks : least;
		most = info[i].cpu_ticks > most ? info[i].cpu_ticks : most;
	}
	rtos_task_set_priority(NULL, TEST_PRIORITY);
	test_join();
	rtos_time_slice(0);
	CHECK(turns[0] && turns[1] && turns[2]);
	CHECK(most - least <= 2 * rtos_us(SLICE_US));
}

/* ---- a periodic task among others ---- */

#define PERIODS 200u
#define PERIOD_US 1000u

static void periodic(void *arg)
{
	uint32_t *missed = arg;
	uint64_t deadline = rtos_now();

	for (uint32_t i = 0; i < PERIODS; i++) {
		deadline += rtos_us(PERIOD_US);
		if (rtos_sleep_until(deadline) != RTOS_OK || rtos_now() - deadline > rtos_us(PERIOD_US / 2))
			(*missed)++;
	}
	stop = true;
}

static void computes(void *arg)
{
	volatile double *sum = arg;

	for (uint32_t i = 1; !stop; i++)
		*sum += 1.0 / i;
}

static void prints(void *arg)
{
	(void)arg;
	for (uint32_t i = 0; !stop; i++) {
		printf("rtos-test: line %u while others have deadlines\n", (unsigned int)i);
		rtos_sleep_until(rtos_in_us(10 * PERIOD_US + 77));
	}
}

static void allocates(void *arg)
{
	(void)arg;
	while (!stop) {
		void *block = malloc(100);

		CHECK(block);
		free(block);
	}
}

/* Misses depend on the host's clock, unless virtual time is instructions: whoever runs this sees to it. */
void test_periodic_load(void)
{
	uint32_t missed = 0;
	double sum = 0;

	stop = false;
	rtos_time_slice(rtos_us(300));
	test_start(0, ABOVE + 5, periodic, &missed);
	rtos_task_set_priority(NULL, ABOVE + 1);
	test_start(1, ABOVE, computes, &sum);
	test_start(2, ABOVE, prints, NULL);
	test_start(3, ABOVE, allocates, NULL);
	rtos_task_set_priority(NULL, TEST_PRIORITY);
	test_join();
	rtos_time_slice(0);
	CHECK(missed == 0);
	CHECK(sum > 1);
}

/* ---- sleeping ---- */

static volatile uint64_t handler_entry;

RTOS_HANDLER static void notes_entry(void *arg)
{
	(void)arg;
	handler_entry = rtos_irq_entry_time();
}

/* Of the timer's interrupt for the task that it wakes, of another one for its handler. */
void test_irq_entry_time(void)
{
	rtos_irq_attach(TEST_INTID, RTOS_IRQ_NORMAL, notes_entry, NULL);
	for (uint32_t i = 0; i < 100; i++) {
		uint64_t deadline = rtos_in_us(100), raised;

		CHECK(rtos_sleep_until(deadline) == RTOS_OK);
		CHECK(rtos_irq_entry_time() >= deadline && rtos_irq_entry_time() < rtos_now());
		handler_entry = 0;
		raised = rtos_now();
		rtos_irq_raise(TEST_INTID);
		while (!handler_entry)
			CHECK(rtos_now() < raised + rtos_us(1000000));
		CHECK(handler_entry >= raised && handler_entry < rtos_now());
	}
}

static void sleeps_twice(void)
{
	uint64_t deadline = rtos_in_us(20000);

	CHECK(rtos_sleep_until(deadline) == RTOS_OK);
	CHECK(rtos_now() >= deadline);
	CHECK(rtos_announce_refused() == 0);
	deadline = rtos_in_us(100);
	CHECK(rtos_sleep_until(deadline) == RTOS_OK);
	CHECK(rtos_now() >= deadline);
}

/* In a real-time VM the long sleep is announced and the short one refused; elsewhere the call is. Either way both end. */
void test_announced_sleep(void)
{
	int result = rtos_announce_sleep(RTOS_ANNOUNCE_UNTIL);

	CHECK(result == RTOS_OK || result == RTOS_ENOSYS || result == RTOS_EDENIED);
	CHECK(rtos_announce_sleep((enum rtos_announce)7) == RTOS_EINVAL);
	sleeps_twice();
	CHECK(!rtos_announce_refused() == (result != RTOS_OK));
	CHECK(rtos_announce_sleep(RTOS_ANNOUNCE_NONE) == result);
	printf("rtos-test: announced_sleep %s\n", result == RTOS_OK ? "announces" : "does not announce");
}

/* ---- life ---- */

static void ends(void *arg)
{
	uint32_t *count = arg;

	(*count)++;
	if (*count % 2)
		rtos_task_exit();
}

void test_task_life(void)
{
	uint32_t count = 0;
	struct rtos_task_info info[RTOS_TASK_MAX];
	size_t before = rtos_task_list(info, RTOS_TASK_MAX);

	for (uint32_t i = 0; i < 100; i++) {
		unsigned int n = i % TEST_TASKS;

		test_start(n, i % 2 ? ABOVE : TEST_PRIORITY - 1, ends, &count);
		CHECK(rtos_notify(test_task(n), 1) == (i % 2 ? RTOS_EINVAL : RTOS_OK)); /* ended already, or not */
		CHECK(rtos_task_join(test_task(n), RTOS_FOREVER) == RTOS_OK);
		CHECK(rtos_task_join(test_task(n), RTOS_NO_WAIT) == RTOS_OK);
	}
	CHECK(count == 100);
	CHECK(rtos_task_join(rtos_task_self(), RTOS_FOREVER) == RTOS_EINVAL);
	CHECK(rtos_task_list(info, RTOS_TASK_MAX) == before);
}

/* ---- stacks ---- */

/* Uses at least so much stack, page by page or less, and returns something that depends on it. */
static __attribute__((noinline)) uint32_t use_stack(uint32_t bytes)
{
	volatile uint8_t block[512];

	block[bytes % sizeof(block)] = (uint8_t)bytes;
	if (bytes <= sizeof(block))
		return block[bytes % sizeof(block)];
	return use_stack(bytes - sizeof(block)) + block[bytes % sizeof(block)];
}

static size_t used_by(const char *name)
{
	struct rtos_task_info info[RTOS_TASK_MAX];
	size_t count = rtos_task_list(info, RTOS_TASK_MAX);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(info[i].name, name) == 0)
			return info[i].stack_used;
	}
	return 0;
}

static void uses(void *arg)
{
	use_stack((uint32_t)(uintptr_t)arg);
	rtos_notify_wait(1, NULL, RTOS_FOREVER);
}

void test_stack_mark(void)
{
	size_t little, much;

	test_start(0, ABOVE, uses, (void *)512);
	little = used_by("t0");
	rtos_notify(test_task(0), 1);
	test_join();
	test_start(0, ABOVE, uses, (void *)6656);
	much = used_by("t0");
	rtos_notify(test_task(0), 1);
	test_join();
	CHECK(little > 512 && little < 4096);
	CHECK(much >= little + 6144 && much < little + 6144 + 2048);
}

static void recurses(void *arg)
{
	(void)arg;
	printf("%u\n", (unsigned int)use_stack(UINT32_MAX));
}

void test_stack_overflow(void)
{
	test_start(0, ABOVE, recurses, NULL);
}

/* Written at its far end first: 64 KiB below is another task's stack. */
static __attribute__((noinline)) int big_frame(volatile int *place)
{
	volatile uint8_t block[64 * 1024];

	block[0] = 1;
	*place = block[0];
	return block[sizeof(block) - 1];
}

static void steps_over(void *arg)
{
	int place;

	(void)arg;
	big_frame(&place);
}

void test_stack_big_frame(void)
{
	test_start(5, ABOVE, steps_over, NULL);
}

static void overwrites(void *arg)
{
	(void)arg;
	memset(rtos_task_self()->stack_base, 0, 8);
	rtos_yield();
	rtos_sleep_until(rtos_in_us(10));
}

void test_stack_overwritten(void)
{
	test_start(0, ABOVE, overwrites, NULL);
}
