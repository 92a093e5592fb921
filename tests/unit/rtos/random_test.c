/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tasks that do anything in any order: mutexes with and without deadlines, semaphores, queues, sleeping, changes of
 * priority, interrupts, time slices. After each step the kernel's invariants hold, nothing is lost, and in the end
 * everybody has ended. Different seeds, always the same.
 */
#include "machine.h"

#include <string.h>

#include "arch/port.h"
#include "rtos.h"

#define TASKS 10u
#define STEPS 400u
#define SEEDS 400u
#define MUTEXES 5u

static struct rtos_mutex mutexes[MUTEXES];
static struct rtos_task *owners[MUTEXES];
static struct rtos_sem sem;
static struct rtos_queue queue;
static uint64_t queue_items[3];
static uint64_t random_state;
static unsigned int steps_done, gives, takes, sent, received, waits_timed_out, deadlocks;
static uint64_t sum_sent, sum_received;
static int may_wait; /* its address says so */

static unsigned int pick(unsigned int count)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned int)(random_state >> 33) % count;
}

static uint64_t some_deadline(void)
{
	return pick(3) == 0 ? RTOS_NO_WAIT : rtos_now() + pick(200);
}

static void count_wait(int result)
{
	waits_timed_out += result == RTOS_ETIMEDOUT;
}

static void give_step(void *arg)
{
	(void)arg;
	gives += rtos_sem_give(&sem) == RTOS_OK;
}

static void take_step(void *arg)
{
	int result = rtos_sem_take(&sem, arg ? some_deadline() : RTOS_NO_WAIT);

	takes += result == RTOS_OK;
	count_wait(result);
}

static void send_step(void *arg)
{
	uint64_t item = pick(1000000);
	int result = rtos_queue_send(&queue, &item, arg ? some_deadline() : RTOS_NO_WAIT);

	if (result == RTOS_OK) {
		sent++;
		sum_sent += item;
	}
	count_wait(result);
}

static void receive_step(void *arg)
{
	uint64_t item = 0;
	int result = rtos_queue_receive(&queue, &item, arg ? some_deadline() : RTOS_NO_WAIT);

	if (result == RTOS_OK) {
		received++;
		sum_received += item;
	}
	count_wait(result);
}

static void notify_step(void *arg)
{
	(void)arg;
	rtos_notify(machine_get(pick(TASKS)), 1);
}

static void (*const handlers[])(void *) = { give_step, take_step, send_step, receive_step, notify_step };

static void lock_step(bool held[])
{
	unsigned int m = pick(MUTEXES);
	int result;

	if (held[m]) {
		if (owners[m] != rtos_task_self())
			note("BROKEN: two owners;");
		owners[m] = NULL;
		held[m] = false;
		if (rtos_mutex_unlock(&mutexes[m]) != RTOS_OK)
			note("BROKEN: unlock;");
		return;
	}
	result = rtos_mutex_lock(&mutexes[m], some_deadline());
	if (result == RTOS_OK) {
		if (owners[m])
			note("BROKEN: two owners;");
		owners[m] = rtos_task_self();
		held[m] = true;
	}
	deadlocks += result == RTOS_EDEADLOCK;
	count_wait(result);
}

static void step(bool held[])
{
	switch (pick(12)) {
	case 0:
	case 1:
	case 2:
		lock_step(held);
		break;
	case 3:
		take_step(&may_wait);
		break;
	case 4:
		give_step(NULL);
		break;
	case 5:
		send_step(&may_wait);
		break;
	case 6:
		receive_step(&may_wait);
		break;
	case 7:
		rtos_sleep_until(rtos_now() + pick(50));
		break;
	case 8:
		rtos_task_set_priority(machine_get(pick(TASKS)), 1 + pick(RTOS_PRIORITY_MAX));
		break;
	case 9:
		machine_interrupt(handlers[pick(5)], NULL);
		break;
	case 10:
		count_wait(rtos_notify_wait(1, NULL, some_deadline()));
		break;
	default:
		machine_work(pick(40));
		rtos_yield();
		break;
	}
}

static void life(void *arg)
{
	bool held[MUTEXES] = { false };

	(void)arg;
	for (unsigned int i = 0; i < STEPS; i++) {
		step(held);
		machine_check();
		steps_done++;
	}
	for (unsigned int m = 0; m < MUTEXES; m++) {
		if (held[m]) {
			owners[m] = NULL;
			rtos_mutex_unlock(&mutexes[m]);
		}
	}
}

static void begin(void *arg)
{
	(void)arg;
	rtos_time_slice(random_state % 2 ? 15 : 0);
	for (unsigned int m = 0; m < MUTEXES; m++) {
		rtos_mutex_init(&mutexes[m]);
		owners[m] = NULL;
	}
	rtos_sem_init(&sem, 0, 0);
	rtos_queue_init(&queue, queue_items, sizeof(queue_items[0]), 3);
	for (unsigned int n = 0; n < TASKS; n++)
		machine_task(n, 1 + pick(8), life);
}

static void boot(void)
{
	machine_task(TASKS, RTOS_PRIORITY_MAX, begin);
}

static void anything_in_any_order(void **state)
{
	unsigned int ends = 0;

	(void)state;
	for (unsigned int seed = 0; seed < SEEDS; seed++) {
		uint64_t left = 0;

		random_state = seed;
		steps_done = gives = takes = sent = received = 0;
		sum_sent = sum_received = 0;
		assert_null(machine_run(boot));
		assert_string_equal(notes, "");
		assert_int_equal(steps_done, TASKS * STEPS);
		assert_int_equal(gives - takes, sem.count);
		assert_int_equal(sent - received, queue.count);
		for (uint32_t i = 0; i < queue.count; i++)
			left += queue_items[(queue.read + i) % 3];
		assert_true(sum_sent == sum_received + left);
		for (unsigned int n = 0; n < TASKS; n++)
			ends += machine_get(n)->state == RTOS_TASK_ENDED;
	}
	assert_int_equal(ends, SEEDS * TASKS);
	/* It was worth the while. */
	assert_true(waits_timed_out > 1000 && deadlocks > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(anything_in_any_order) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
