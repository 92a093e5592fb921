/* SPDX-License-Identifier: Apache-2.0 */
/* guests/rtos/kernel/deadline.c against a plain array. */
#include "machine.h"

#include <stdlib.h>

#include "arch/port.h"
#include "kernel/deadline.h"

#define COUNT DEADLINE_MAX
#define ROUNDS 200000u

static struct rtos_deadline deadlines[COUNT];
static bool expected[COUNT]; /* is in the queue */
static uint64_t now, last_at;
static unsigned int expired_count;

static void expired(struct rtos_deadline *deadline)
{
	unsigned int i = (unsigned int)(deadline - deadlines);

	assert_true(expected[i]);
	assert_true(deadline->at <= now);
	assert_true(deadline->at >= last_at);
	assert_int_equal(deadline->slot, 0);
	last_at = deadline->at;
	expected[i] = false;
	expired_count++;
}

static uint64_t earliest(void)
{
	uint64_t at = UINT64_MAX;

	for (unsigned int i = 0; i < COUNT; i++)
		if (expected[i] && deadlines[i].at < at)
			at = deadlines[i].at;
	return at;
}

static void add(unsigned int i, uint64_t at)
{
	deadlines[i].expired = expired;
	deadline_add(&deadlines[i], at);
	expected[i] = true;
}

static int empty(void **state)
{
	(void)state;
	deadline_reset();
	for (unsigned int i = 0; i < COUNT; i++) {
		expected[i] = false;
		deadlines[i].slot = 0;
	}
	now = last_at = 0;
	expired_count = 0;
	return 0;
}

static void expires_in_order(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < COUNT; i++)
		add(i, (i * 37) % COUNT);
	assert_int_equal(machine_timer, 0);
	now = COUNT;
	deadline_run(now);
	assert_int_equal(expired_count, COUNT);
	assert_int_equal(machine_timer, UINT64_MAX);
}

static void removes_any(void **state)
{
	(void)state;
	for (unsigned int gone = 0; gone < COUNT; gone++) {
		empty(NULL);
		for (unsigned int i = 0; i < COUNT; i++)
			add(i, (i * 11) % COUNT);
		deadline_remove(&deadlines[gone]);
		deadline_remove(&deadlines[gone]); /* not in it: nothing happens */
		expected[gone] = false;
		now = COUNT;
		deadline_run(now);
		assert_int_equal(expired_count, COUNT - 1);
	}
}

/* The timer is never later than the earliest deadline, and exactly there after each run. */
static void random_against_model(void **state)
{
	(void)state;
	srand(1);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		unsigned int i = (unsigned int)rand() % COUNT;

		if (expected[i]) {
			deadline_remove(&deadlines[i]);
			expected[i] = false;
		} else {
			add(i, now + (unsigned int)rand() % 64);
		}
		assert_true(machine_timer <= earliest());
		if (rand() % 8 == 0) {
			now += (unsigned int)rand() % 32;
			last_at = 0;
			deadline_run(now);
			assert_true(earliest() > now);
			assert_int_equal(machine_timer, earliest());
		}
	}
	assert_true(expired_count > ROUNDS / 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(expires_in_order, empty),
		cmocka_unit_test_setup(removes_any, empty),
		cmocka_unit_test_setup(random_against_model, empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
