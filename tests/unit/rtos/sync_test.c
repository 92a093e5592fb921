/* SPDX-License-Identifier: Apache-2.0 */
/* Semaphores, queues and notifications: between tasks, from handlers, with deadlines. */
#include "machine.h"

#include <string.h>

#include "arch/port.h"
#include "rtos.h"

#define ITEMS 4u

static struct rtos_sem sem;
static struct rtos_queue queue;
static uint32_t items[ITEMS];

static void init(void)
{
	rtos_sem_init(&sem, 0, 2);
	rtos_queue_init(&queue, items, sizeof(items[0]), ITEMS);
}

/* ---- semaphores ---- */

static void counts(void *arg)
{
	(void)arg;
	note("%d ", rtos_sem_init(&sem, 3, 2) == RTOS_EINVAL);
	for (int i = 0; i < 3; i++)
		note("%d ", rtos_sem_give(&sem));
	for (int i = 0; i < 3; i++)
		note("%d ", rtos_sem_take(&sem, i ? RTOS_NO_WAIT : RTOS_FOREVER));
	note("%d@", rtos_sem_take(&sem, 50));
	note("%u ", (unsigned int)rtos_now());
	note("%d ", rtos_sem_take(&sem, 50) == RTOS_ETIMEDOUT);
	machine_check();
}

static void counts_boot(void)
{
	init();
	machine_task(0, 5, counts);
}

static void semaphore_counts(void **state)
{
	(void)state;
	assert_null(machine_run(counts_boot));
	assert_string_equal(notes, "1 0 0 -6 0 0 -1 -1@50 1 ");
}

static void taker(void *arg)
{
	uint64_t n = (uintptr_t)arg;
	int result = rtos_sem_take(&sem, n == 3 ? 40 : RTOS_FOREVER);

	note("%c%d@%u ", me(), result, (unsigned int)rtos_now());
	machine_check();
}

static void give(void *arg)
{
	(void)arg;
	rtos_sem_give(&sem);
}

static void giver(void *arg)
{
	(void)arg;
	machine_work(50);
	rtos_sem_give(&sem); /* e: at once */
	note("a ");
	machine_interrupt(give, NULL); /* c: when the handler returns */
	note("a ");
	rtos_sem_give(&sem);
	note("%d", rtos_sem_give(&sem));
}

static void takers_boot(void)
{
	init();
	machine_task(1, 5, taker);
	machine_task(2, 6, taker);
	machine_task(3, 9, taker); /* gives up at 40 */
	machine_task(4, 6, taker);
	machine_task(0, 4, giver);
}

static void most_urgent_taker_first(void **state)
{
	(void)state;
	assert_null(machine_run(takers_boot));
	assert_string_equal(notes, "d-1@40 c0@50 a e0@50 a b0@50 0");
}

static void take_by_handler(void *arg)
{
	(void)arg;
	note("%d ", rtos_sem_take(&sem, RTOS_NO_WAIT));
	note("%d ", rtos_sem_take(&sem, RTOS_NO_WAIT));
	note("%d ", rtos_sem_take(&sem, RTOS_FOREVER));
	note("%d ", rtos_sleep_until(RTOS_FOREVER) == RTOS_ECONTEXT);
	rtos_yield(); /* nothing happens */
}

static void contexts(void *arg)
{
	uint64_t saved;

	(void)arg;
	rtos_sem_give(&sem);
	machine_interrupt(take_by_handler, NULL);
	saved = port_irq_save();
	note("%d ", rtos_sem_take(&sem, RTOS_FOREVER) == RTOS_ECONTEXT);
	port_irq_restore(saved);
}

static void contexts_boot(void)
{
	init();
	machine_task(0, 5, contexts);
	note("%d ", rtos_sem_take(&sem, RTOS_FOREVER) == RTOS_ECONTEXT); /* the idle task */
}

static void waits_only_where_it_may(void **state)
{
	(void)state;
	assert_null(machine_run(contexts_boot));
	assert_string_equal(notes, "0 -1 -3 1 1 1 ");
}

static void gives_masked(void *arg)
{
	uint64_t outer = rtos_irq_save(), inner;

	(void)arg;
	rtos_sem_give(&sem); /* b is more urgent, but nobody runs in here */
	inner = rtos_irq_save();
	rtos_notify(machine_get(2), 1);
	rtos_task_set_priority(machine_get(2), 8);
	rtos_yield();
	note("a ");
	rtos_irq_restore(inner);
	note("a ");
	rtos_irq_restore(outer);
	note("a");
}

static void notified_once(void *arg)
{
	(void)arg;
	rtos_notify_wait(1, NULL, RTOS_FOREVER);
	note("%c ", me());
}

static void masked_boot(void)
{
	init();
	machine_task(1, 9, taker);
	machine_task(2, 7, notified_once);
	machine_task(0, 5, gives_masked);
}

static void masked_section_is_one_piece(void **state)
{
	(void)state;
	assert_null(machine_run(masked_boot));
	assert_string_equal(notes, "a a b0@0 c a");
}

/* ---- queues ---- */

static void queue_alone(void *arg)
{
	uint32_t item = 7;

	(void)arg;
	note("%d%d%d%d ", rtos_queue_init(&queue, NULL, 4, 4), rtos_queue_init(&queue, items, 0, 4),
	     rtos_queue_init(&queue, items, RTOS_QUEUE_ITEM_MAX + 1, 1), rtos_queue_init(&queue, items, 4, 0));
	note("%d%u ", rtos_queue_receive(&queue, &item, RTOS_NO_WAIT), item);
	for (uint32_t round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < ITEMS; i++)
			note("%d", rtos_queue_send(&queue, &i, RTOS_NO_WAIT));
		note("%d%u", rtos_queue_send(&queue, &item, RTOS_NO_WAIT), rtos_queue_count(&queue));
		for (uint32_t i = 0; i < ITEMS - 1; i++) {
			rtos_queue_receive(&queue, &item, RTOS_NO_WAIT);
			note("%u", item);
		}
		rtos_queue_receive(&queue, &item, RTOS_FOREVER);
		note(" ");
	}
}

static void queue_alone_boot(void)
{
	init();
	machine_task(0, 5, queue_alone);
}

static void queue_is_a_ring(void **state)
{
	(void)state;
	assert_null(machine_run(queue_alone_boot));
	assert_string_equal(notes, "-2-2-2-2 -17 0000-14012 0000-14012 0000-14012 ");
}

static void receiver(void *arg)
{
	uint64_t n = (uintptr_t)arg;
	uint32_t item = 99;
	int result = rtos_queue_receive(&queue, &item, n == 1 ? 20 : RTOS_FOREVER);

	note("%c%d:%u ", me(), result, item);
	machine_check();
}

static void send_by_handler(void *arg)
{
	uint32_t item = (uint32_t)(uintptr_t)arg;

	note("%d ", rtos_queue_send(&queue, &item, RTOS_NO_WAIT));
}

static void sender(void *arg)
{
	uint32_t item = 1;

	(void)arg;
	machine_work(30);
	rtos_queue_send(&queue, &item, RTOS_NO_WAIT);
	machine_interrupt(send_by_handler, (void *)2);
	machine_interrupt(send_by_handler, (void *)3);
	note("%u", rtos_queue_count(&queue));
}

static void receivers_boot(void)
{
	init();
	machine_task(1, 9, receiver); /* gives up at 20 */
	machine_task(2, 6, receiver);
	machine_task(3, 7, receiver);
	machine_task(0, 4, sender);
}

static void item_goes_to_the_most_urgent(void **state)
{
	(void)state;
	assert_null(machine_run(receivers_boot));
	assert_string_equal(notes, "b-1:99 d0:1 0 c0:2 0 1");
}

static void blocked_sender(void *arg)
{
	uint32_t item = 10 + (uint32_t)(uintptr_t)arg;
	int result = rtos_queue_send(&queue, &item, item == 13 ? 20 : RTOS_FOREVER);

	note("%c%d ", me(), result);
	machine_check();
}

static void drain(void *arg)
{
	uint32_t item;

	(void)arg;
	machine_work(30);
	while (rtos_queue_receive(&queue, &item, RTOS_NO_WAIT) == RTOS_OK)
		note("%u ", item);
	note("%u", rtos_queue_count(&queue));
}

static void blocked_main(void *arg)
{
	(void)arg;
	for (uint32_t i = 0; i < ITEMS; i++)
		rtos_queue_send(&queue, &i, RTOS_NO_WAIT);
	machine_task(1, 6, blocked_sender);
	machine_task(2, 7, blocked_sender);
	machine_task(3, 8, blocked_sender); /* gives up at 20 */
	machine_task(4, 7, blocked_sender);
	machine_task(5, 4, drain);
}

static void blocked_boot(void)
{
	init();
	machine_task(0, 9, blocked_main);
}

/* c and e are equals and came in this order; b is less urgent; nothing of d's arrives. */
static void senders_wait_in_order(void **state)
{
	(void)state;
	assert_null(machine_run(blocked_boot));
	assert_string_equal(notes, "d-1 c0 0 e0 1 b0 2 3 12 14 11 0");
}

struct big {
	uint8_t bytes[RTOS_QUEUE_ITEM_MAX - 3]; /* odd: copied byte by byte */
};

static struct big big_items[2];

static void big_copy(void *arg)
{
	static struct big in, out;
	unsigned int wrong = 0;

	(void)arg;
	rtos_queue_init(&queue, big_items, sizeof(in), 2);
	for (unsigned int round = 0; round < 5; round++) {
		for (size_t i = 0; i < sizeof(in); i++)
			in.bytes[i] = (uint8_t)(i * 7 + round);
		rtos_queue_send(&queue, &in, RTOS_NO_WAIT);
		rtos_queue_receive(&queue, &out, RTOS_NO_WAIT);
		wrong += memcmp(&in, &out, sizeof(in)) != 0;
	}
	note("%u", wrong);
}

static void big_boot(void)
{
	machine_task(0, 5, big_copy);
}

static void items_of_odd_size(void **state)
{
	(void)state;
	assert_null(machine_run(big_boot));
	assert_string_equal(notes, "0");
}

/* ---- notifications ---- */

static void notify_by_handler(void *arg)
{
	rtos_notify(machine_get(0), (uint32_t)(uintptr_t)arg);
}

static void notified(void *arg)
{
	uint32_t bits = 0;

	(void)arg;
	note("%d ", rtos_notify_wait(0, &bits, RTOS_NO_WAIT));
	note("%d ", rtos_notify_wait(3, &bits, RTOS_NO_WAIT));
	note("%d@", rtos_notify_wait(3, &bits, 10));
	note("%u ", (unsigned int)rtos_now());
	for (int i = 0; i < 4; i++) {
		int result = rtos_notify_wait(i == 2 ? 4 : 3, &bits, RTOS_FOREVER);

		note("%d:%x@%u ", result, bits, (unsigned int)rtos_now());
		machine_check();
	}
}

static void notifier(void *arg)
{
	(void)arg;
	machine_work(20);
	rtos_notify(machine_get(0), 1);
	rtos_notify(machine_get(0), 4); /* not waited for: stays */
	machine_work(10);
	machine_interrupt(notify_by_handler, (void *)0xb); /* 8 stays */
	machine_work(10);
	rtos_notify(machine_get(0), 2);
	note("%d%d", rtos_notify(machine_get(0), 0), rtos_notify(machine_get(0), 1));
}

static void notify_boot(void)
{
	init();
	machine_task(0, 9, notified);
	machine_task(1, 5, notifier);
}

static void notifications(void **state)
{
	(void)state;
	assert_null(machine_run(notify_boot));
	assert_string_equal(notes, "-2 -1 -1@10 0:1@20 0:3@30 0:4@30 0:2@40 -2-2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(semaphore_counts),        cmocka_unit_test(most_urgent_taker_first),
		cmocka_unit_test(waits_only_where_it_may), cmocka_unit_test(masked_section_is_one_piece),
		cmocka_unit_test(queue_is_a_ring),         cmocka_unit_test(item_goes_to_the_most_urgent),
		cmocka_unit_test(senders_wait_in_order),   cmocka_unit_test(items_of_odd_size),
		cmocka_unit_test(notifications),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
