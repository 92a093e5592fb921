/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of semaphores, queues, notifications and deadlines, with a software interrupt as the handler's side. */
#include "test/test.h"

#define ABOVE (TEST_PRIORITY + 1)
#define LATE_US 50000u /* a deadline is kept "not much later"; the machine may share its CPU, or lose it to its host */

static struct rtos_sem sem;
static struct rtos_queue queue_a, queue_b;
static uint64_t items_a[16], items_b[16];

static void begin(void)
{
	CHECK(rtos_sem_init(&sem, 0, 0) == RTOS_OK);
	CHECK(rtos_queue_init(&queue_a, items_a, sizeof(items_a[0]), 16) == RTOS_OK);
	CHECK(rtos_queue_init(&queue_b, items_b, sizeof(items_b[0]), 16) == RTOS_OK);
}

/* ---- deadlines ---- */

static struct rtos_mutex taken;

static int wait_sleep(uint64_t deadline)
{
	return rtos_sleep_until(deadline) == RTOS_ECONTEXT ? RTOS_ECONTEXT : RTOS_ETIMEDOUT;
}

static int wait_sem(uint64_t deadline)
{
	return rtos_sem_take(&sem, deadline);
}

static int wait_mutex(uint64_t deadline)
{
	return rtos_mutex_lock(&taken, deadline);
}

static int wait_receive(uint64_t deadline)
{
	uint64_t item;

	return rtos_queue_receive(&queue_a, &item, deadline);
}

static int wait_send(uint64_t deadline)
{
	uint64_t item = 1;

	return rtos_queue_send(&queue_b, &item, deadline);
}

static int wait_notify(uint64_t deadline)
{
	return rtos_notify_wait(1, NULL, deadline);
}

static int wait_join(uint64_t deadline)
{
	return rtos_task_join(test_task(0), deadline);
}

static int wait_console(uint64_t deadline)
{
	char c;

	return rtos_console_read(&c, 1, deadline);
}

static void holds_taken(void *arg)
{
	(void)arg;
	rtos_mutex_lock(&taken, RTOS_FOREVER);
	rtos_notify_wait(1, NULL, RTOS_FOREVER);
	rtos_mutex_unlock(&taken);
}

void test_timeouts(void)
{
	static int (*const calls[])(uint64_t) = { wait_sleep, wait_sem,    wait_mutex, wait_receive,
						  wait_send,  wait_notify, wait_join,  wait_console };

	begin();
	test_start(0, ABOVE, holds_taken, NULL);
	for (int i = 0; i < 16; i++)
		CHECK(wait_send(RTOS_NO_WAIT) == RTOS_OK);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		for (uint64_t us = 10; us <= 10000; us *= 10) {
			uint64_t deadline = rtos_in_us(us);

			CHECK(calls[i](deadline) == RTOS_ETIMEDOUT);
			CHECK(rtos_now() >= deadline);
			CHECK(rtos_now() - deadline < rtos_us(LATE_US));
		}
		if (i)
			CHECK(calls[i](RTOS_NO_WAIT) == RTOS_ETIMEDOUT && calls[i](1) == RTOS_ETIMEDOUT);
	}
	rtos_notify(test_task(0), 1);
	/* Nothing stayed behind in any list: these work as on the first day. */
	test_join();
	begin();
	CHECK(rtos_sem_give(&sem) == RTOS_OK && wait_sem(RTOS_NO_WAIT) == RTOS_OK);
	CHECK(wait_mutex(RTOS_NO_WAIT) == RTOS_OK && rtos_mutex_unlock(&taken) == RTOS_OK);
	CHECK(wait_send(RTOS_NO_WAIT) == RTOS_OK && rtos_queue_count(&queue_b) == 1);
}

/* ---- handlers ---- */

static volatile uint32_t woken;

RTOS_HANDLER static void give_handler(void *arg)
{
	(void)arg;
	CHECK(rtos_sem_take(&sem, RTOS_NO_WAIT) == RTOS_ETIMEDOUT);
	CHECK(rtos_sem_take(&sem, RTOS_FOREVER) == RTOS_ECONTEXT);
	CHECK(rtos_sem_give(&sem) == RTOS_OK);
	CHECK(woken == 0); /* whoever it is runs when the handler has returned */
}

static void sem_waiter(void *arg)
{
	CHECK(rtos_sem_take(&sem, RTOS_FOREVER) == RTOS_OK);
	woken = (uint32_t)(uintptr_t)arg;
}

void test_semaphore_irq(void)
{
	begin();
	CHECK(rtos_irq_attach(TEST_INTID, RTOS_IRQ_NORMAL, give_handler, NULL) == RTOS_OK);
	CHECK(rtos_irq_raise(RTOS_INTID_SOFTWARE_MAX + 1) == RTOS_EINVAL);
	test_start(0, ABOVE, sem_waiter, (void *)1);
	test_start(1, ABOVE + 2, sem_waiter, (void *)3);
	test_start(2, ABOVE + 1, sem_waiter, (void *)2);
	for (uint32_t expected = 3; expected > 0; expected--) {
		woken = 0;
		CHECK(rtos_irq_raise(TEST_INTID) == RTOS_OK);
		test_spin(rtos_us(100)); /* pre-empted in here */
		CHECK(woken == expected);
	}
	test_join();
}

RTOS_HANDLER static void notify_handler(void *arg)
{
	static uint32_t next;

	(void)arg;
	rtos_notify(test_task(0), 1u << next++ % 16);
}

static void collects(void *arg)
{
	uint32_t *seen = arg, bits;

	while (!(*seen & 1u << 31) && rtos_notify_wait(UINT32_MAX, &bits, RTOS_FOREVER) == RTOS_OK) {
		CHECK(!(*seen & bits));
		*seen |= bits;
	}
}

void test_notify_irq(void)
{
	uint32_t seen = 0;

	CHECK(rtos_irq_attach(TEST_INTID, RTOS_IRQ_NORMAL, notify_handler, NULL) == RTOS_OK);
	test_start(0, ABOVE, collects, &seen);
	for (uint32_t i = 16; i < 32; i++) {
		rtos_irq_raise(TEST_INTID);
		test_spin(rtos_us(10));
		rtos_notify(test_task(0), 1u << i);
	}
	test_join();
	CHECK(seen == UINT32_MAX);
}

/* ---- round trip: the server gets a number, passes it through the handler, and answers ---- */

#define ROUNDS 10000u
#define ANSWER 1u

struct request {
	struct rtos_task *from;
	uint32_t *answer;
};

RTOS_HANDLER static void pass_handler(void *arg)
{
	uint64_t item;

	(void)arg;
	while (rtos_queue_receive(&queue_a, &item, RTOS_NO_WAIT) == RTOS_OK)
		CHECK(rtos_queue_send(&queue_b, &item, RTOS_NO_WAIT) == RTOS_OK);
}

static void server(void *arg)
{
	(void)arg;
	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint64_t item = 0;
		struct request *request;

		CHECK(rtos_queue_receive(&queue_b, &item, RTOS_FOREVER) == RTOS_OK);
		request = (struct request *)(uintptr_t)item;
		(*request->answer)++;
		rtos_notify(request->from, ANSWER);
	}
}

void test_round_trip(void)
{
	uint32_t answer = 0;
	struct request request = { .from = rtos_task_self(), .answer = &answer };
	uint64_t item = (uintptr_t)&request;

	begin();
	CHECK(rtos_irq_attach(TEST_INTID, RTOS_IRQ_NORMAL, pass_handler, NULL) == RTOS_OK);
	test_start(0, ABOVE, server, NULL);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		CHECK(rtos_queue_send(&queue_a, &item, RTOS_NO_WAIT) == RTOS_OK);
		rtos_irq_raise(TEST_INTID);
		CHECK(rtos_notify_wait(ANSWER, NULL, rtos_in_us(1000000)) == RTOS_OK);
		CHECK(answer == i + 1);
	}
	test_join();
}

/*
 * ---- a million operations ----
 *
 * Two producers put numbered items into queue_a; the handler, raised by a third task all the time, moves what is there
 * to queue_b as far as there is room; the receiver checks that each producer's numbers come in order, without a gap.
 * An item is put and got twice, so ITEMS of each producer make 4 * 2 * ITEMS operations.
 */
#define ITEMS 130000u
#define PRODUCERS 2u

static volatile bool all_received;
static volatile uint32_t moved;

RTOS_HANDLER static void move_handler(void *arg)
{
	uint64_t item;

	(void)arg;
	while (rtos_queue_count(&queue_b) < 16 && rtos_queue_receive(&queue_a, &item, RTOS_NO_WAIT) == RTOS_OK) {
		CHECK(rtos_queue_send(&queue_b, &item, RTOS_NO_WAIT) == RTOS_OK);
		moved++;
	}
}

static void producer(void *arg)
{
	uint64_t number = (uint64_t)(uintptr_t)arg << 32;

	for (uint32_t i = 0; i < ITEMS; i++, number++)
		CHECK(rtos_queue_send(&queue_a, &number, RTOS_FOREVER) == RTOS_OK);
}

static void receiver(void *arg)
{
	uint32_t next[PRODUCERS] = { 0 };

	(void)arg;
	for (uint32_t i = 0; i < PRODUCERS * ITEMS; i++) {
		uint64_t item = 0;

		CHECK(rtos_queue_receive(&queue_b, &item, RTOS_FOREVER) == RTOS_OK);
		CHECK(item >> 32 < PRODUCERS);
		CHECK((uint32_t)item == next[item >> 32 & 1]++);
	}
	all_received = true;
	for (uint32_t p = 0; p < PRODUCERS; p++)
		CHECK(next[p] == ITEMS);
}

void test_queue_million(void)
{
	begin();
	all_received = false;
	moved = 0;
	CHECK(rtos_irq_attach(TEST_INTID, RTOS_IRQ_NORMAL, move_handler, NULL) == RTOS_OK);
	test_start(0, ABOVE, producer, (void *)0);
	test_start(1, ABOVE, producer, (void *)1);
	test_start(2, ABOVE + 1, receiver, NULL);
	while (!all_received)
		rtos_irq_raise(TEST_INTID);
	test_join();
	CHECK(moved == PRODUCERS * ITEMS);
	CHECK(4 * moved >= 1000000);
	CHECK(rtos_queue_count(&queue_a) == 0 && rtos_queue_count(&queue_b) == 0);
}
