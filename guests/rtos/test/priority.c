/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of mutexes and priority inheritance. What is asserted is the order of events, so load from outside can't
 * matter.
 */
#include "test/test.h"

#include <string.h>

#define LOW (TEST_PRIORITY + 1)
#define MIDDLE (TEST_PRIORITY + 2)
#define HIGH (TEST_PRIORITY + 3)

static struct rtos_mutex m1, m2, m3;
static struct rtos_sem sem;
static char events[32];

static void event(char c)
{
	uint64_t saved = rtos_irq_save();
	size_t length = strlen(events);

	if (length < sizeof(events) - 1) {
		events[length] = c;
		events[length + 1] = '\0';
	}
	rtos_irq_restore(saved);
}

static void begin(void)
{
	memset(events, 0, sizeof(events));
	rtos_mutex_init(&m1);
	rtos_mutex_init(&m2);
	rtos_mutex_init(&m3);
	CHECK(rtos_sem_init(&sem, 1, 1) == RTOS_OK);
}

/* ---- inversion: low holds the lock, high wants it, middle wants the CPU ---- */

struct lock {
	int (*take)(void);
	int (*release)(void);
};

static int take_mutex(void)
{
	return rtos_mutex_lock(&m1, RTOS_FOREVER);
}

static int release_mutex(void)
{
	return rtos_mutex_unlock(&m1);
}

static int take_semaphore(void)
{
	return rtos_sem_take(&sem, RTOS_FOREVER);
}

static int release_semaphore(void)
{
	return rtos_sem_give(&sem);
}

static void middle_computes(void *arg)
{
	(void)arg;
	rtos_notify_wait(1, NULL, RTOS_FOREVER);
	test_spin(rtos_us(2000));
	event('M');
}

static void high_wants(void *arg)
{
	const struct lock *lock = arg;

	rtos_notify_wait(1, NULL, RTOS_FOREVER);
	rtos_notify(test_task(1), 1); /* middle can run as soon as this task waits */
	CHECK(lock->take() == RTOS_OK);
	event('H');
	CHECK(lock->release() == RTOS_OK);
}

static void low_holds(void *arg)
{
	const struct lock *lock = arg;

	CHECK(lock->take() == RTOS_OK);
	rtos_notify(test_task(2), 1); /* high runs, until it wants the lock */
	test_spin(rtos_us(200));
	event('L');
	CHECK(lock->release() == RTOS_OK);
}

static void inversion(const struct lock *lock)
{
	begin();
	test_start(2, HIGH, high_wants, (void *)(uintptr_t)lock);
	test_start(1, MIDDLE, middle_computes, NULL);
	test_start(0, LOW, low_holds, (void *)(uintptr_t)lock);
	test_join();
}

/* Low runs to the end of its critical section, then high, and only then middle: it waited for that section alone. */
void test_inversion_mutex(void)
{
	static const struct lock lock = { take_mutex, release_mutex };

	inversion(&lock);
	CHECK(strcmp(events, "LHM") == 0);
}

/* Without inheritance middle, which has nothing to do with the lock, runs before low, so high waits for it as well. */
void test_inversion_semaphore(void)
{
	static const struct lock lock = { take_semaphore, release_semaphore };

	inversion(&lock);
	CHECK(strcmp(events, "MLH") == 0);
}

/* ---- a chain of owners: t0 has m1; t1 has m2 and waits for m1; t2 has m3 and waits for m2 ---- */

static uint8_t now_of(unsigned int n)
{
	return test_task(n)->priority;
}

static void chain_end(void *arg)
{
	(void)arg;
	rtos_mutex_lock(&m1, RTOS_FOREVER);
	rtos_notify_wait(1, NULL, RTOS_FOREVER);
	rtos_mutex_unlock(&m1);
	event('0');
	CHECK(now_of(0) == LOW);
}

static void chain_middle(void *arg)
{
	(void)arg;
	rtos_mutex_lock(&m2, RTOS_FOREVER);
	rtos_mutex_lock(&m1, RTOS_FOREVER);
	event('1');
	rtos_mutex_unlock(&m1);
	rtos_mutex_unlock(&m2);
	CHECK(now_of(1) == LOW);
}

static void chain_top(void *arg)
{
	(void)arg;
	rtos_mutex_lock(&m3, RTOS_FOREVER);
	rtos_mutex_lock(&m2, RTOS_FOREVER);
	event('2');
	rtos_mutex_unlock(&m2);
	rtos_mutex_unlock(&m3);
	CHECK(now_of(2) == LOW);
}

static void chain_urgent(void *arg)
{
	(void)arg;
	CHECK(now_of(0) == LOW && now_of(1) == LOW && now_of(2) == LOW);
	CHECK(rtos_mutex_lock(&m3, RTOS_FOREVER) == RTOS_OK);
	event('3');
	rtos_mutex_unlock(&m3);
}

/* Runs while the urgent one waits, and sets off the chain, which is more urgent now. */
static void chain_load(void *arg)
{
	(void)arg;
	CHECK(now_of(0) == HIGH && now_of(1) == HIGH && now_of(2) == HIGH);
	rtos_notify(test_task(0), 1);
	event('M');
}

void test_inversion_chain(void)
{
	begin();
	test_start(0, LOW, chain_end, NULL);
	test_start(1, LOW, chain_middle, NULL);
	test_start(2, LOW, chain_top, NULL); /* each of them waits now */
	rtos_task_set_priority(NULL, HIGH + 1);
	test_start(3, HIGH, chain_urgent, NULL);
	test_start(4, MIDDLE, chain_load, NULL);
	rtos_task_set_priority(NULL, TEST_PRIORITY);
	test_join();
	CHECK(strcmp(events, "123M0") == 0);
}

/* ---- nesting ---- */

static bool reverse;

static void wants(void *arg)
{
	struct rtos_mutex *mutex = arg;

	CHECK(rtos_mutex_lock(mutex, RTOS_FOREVER) == RTOS_OK);
	event(mutex == &m1 ? '1' : '2');
	CHECK(rtos_mutex_unlock(mutex) == RTOS_OK);
}

/* MIDDLE waits for m1, HIGH for m2. */
static void nests(void *arg)
{
	(void)arg;
	rtos_mutex_lock(&m1, RTOS_FOREVER);
	rtos_mutex_lock(&m2, RTOS_FOREVER);
	CHECK(rtos_mutex_lock(&m2, RTOS_FOREVER) == RTOS_EDEADLOCK);
	CHECK(now_of(0) == LOW);
	test_start(1, MIDDLE, wants, &m1);
	CHECK(now_of(0) == MIDDLE);
	test_start(2, HIGH, wants, &m2);
	CHECK(now_of(0) == HIGH);
	CHECK(rtos_mutex_unlock(reverse ? &m2 : &m1) == RTOS_OK);
	CHECK(now_of(0) == (reverse ? MIDDLE : HIGH));
	CHECK(rtos_mutex_unlock(reverse ? &m1 : &m2) == RTOS_OK);
	CHECK(now_of(0) == LOW);
	event('0');
	CHECK(rtos_mutex_unlock(&m1) == RTOS_EOWNER);
}

void test_mutex_nesting(void)
{
	for (int turn = 0; turn < 2; turn++) {
		reverse = turn;
		begin();
		test_start(0, LOW, nests, NULL);
		test_join();
		CHECK(strcmp(events, "210") == 0);
	}
}

/* ---- a waiter that gives up ---- */

static void gives_up(void *arg)
{
	uint64_t deadline = rtos_in_us(500);

	(void)arg;
	CHECK(rtos_mutex_lock(&m1, deadline) == RTOS_ETIMEDOUT);
	CHECK(rtos_now() >= deadline);
	event('H');
}

void test_mutex_timeout(void)
{
	begin();
	CHECK(rtos_mutex_lock(&m1, RTOS_NO_WAIT) == RTOS_OK);
	test_start(0, HIGH, gives_up, NULL);
	CHECK(rtos_task_self()->priority == HIGH);
	test_start(1, MIDDLE, wants, &m1);
	CHECK(rtos_task_self()->priority == HIGH);
	test_spin(rtos_us(1000));
	CHECK(strcmp(events, "H") == 0);
	CHECK(rtos_task_self()->priority == MIDDLE); /* of the other one, which still waits */
	CHECK(rtos_mutex_unlock(&m1) == RTOS_OK);
	CHECK(rtos_task_self()->priority == TEST_PRIORITY);
	test_join();
	CHECK(strcmp(events, "H1") == 0);
}

/* ---- a circle ---- */

static void other_half(void *arg)
{
	(void)arg;
	rtos_mutex_lock(&m2, RTOS_FOREVER);
	CHECK(rtos_mutex_lock(&m1, RTOS_FOREVER) == RTOS_OK);
	event('0');
	rtos_mutex_unlock(&m1);
	rtos_mutex_unlock(&m2);
}

void test_mutex_deadlock(void)
{
	begin();
	rtos_mutex_lock(&m1, RTOS_FOREVER);
	test_start(0, HIGH, other_half, NULL);
	CHECK(rtos_mutex_lock(&m2, RTOS_NO_WAIT) == RTOS_ETIMEDOUT);
	CHECK(rtos_mutex_lock(&m2, RTOS_FOREVER) == RTOS_EDEADLOCK);
	CHECK(rtos_mutex_lock(&m2, rtos_in_us(1000)) == RTOS_EDEADLOCK);
	rtos_mutex_unlock(&m1);
	test_join();
	CHECK(strcmp(events, "0") == 0);
}
