/* SPDX-License-Identifier: Apache-2.0 */
/* Mutexes: exclusion, hand-over, priority inheritance in all its turns. Tasks: a is the least urgent, then b, c... */
#include "machine.h"

#include <string.h>

#include "arch/port.h"
#include "rtos.h"

static struct rtos_mutex m1, m2, m3;

static void init(void)
{
	rtos_mutex_init(&m1);
	rtos_mutex_init(&m2);
	rtos_mutex_init(&m3);
}

static unsigned int priority_of(unsigned int n)
{
	return machine_get(n)->priority;
}

/* ---- the classic: a holds, c waits, b would keep a from running ---- */

static void low_holds(void *arg)
{
	(void)arg;
	rtos_mutex_lock(&m1, RTOS_FOREVER);
	machine_work(100);
	note("a%u@%u ", priority_of(0), (unsigned int)rtos_now());
	rtos_mutex_unlock(&m1);
	note("a%u@%u ", priority_of(0), (unsigned int)rtos_now());
}

static void middle_computes(void *arg)
{
	(void)arg;
	rtos_sleep_until(20);
	machine_work(1000);
	note("b@%u ", (unsigned int)rtos_now());
}

static void high_wants(void *arg)
{
	(void)arg;
	rtos_sleep_until(10);
	note("%d", rtos_mutex_lock(&m1, RTOS_FOREVER));
	note("c@%u ", (unsigned int)rtos_now());
	machine_check();
	rtos_mutex_unlock(&m1);
}

static void inversion_boot(void)
{
	init();
	machine_task(2, 9, high_wants);
	machine_task(1, 5, middle_computes);
	machine_task(0, 2, low_holds);
}

static void inversion_is_bounded(void **state)
{
	(void)state;
	assert_null(machine_run(inversion_boot));
	assert_string_equal(notes, "a9@100 0c@100 b@1100 a2@1100 ");
}

/* ---- through several owners: d waits for c's m3, c for b's m2, b for a's m1 ---- */

static void chain(void *arg)
{
	unsigned int n = (unsigned int)(uintptr_t)arg;
	struct rtos_mutex *own[] = { &m1, &m2, &m3, NULL }, *want[] = { NULL, &m1, &m2, &m3 };

	rtos_sleep_until(1 + 10 * n);
	if (own[n])
		rtos_mutex_lock(own[n], RTOS_FOREVER);
	if (want[n])
		note("%d", rtos_mutex_lock(want[n], n == 3 ? 50 : RTOS_FOREVER));
	else
		machine_work(90);
	machine_check();
	note("%c:%u%u%u%u@%u ", me(), priority_of(0), priority_of(1), priority_of(2), priority_of(3),
	     (unsigned int)rtos_now());
	if (want[n] && n != 3)
		rtos_mutex_unlock(want[n]);
	if (own[n])
		rtos_mutex_unlock(own[n]);
	machine_check();
	note("%c%u ", me(), priority_of(n));
}

static void chain_boot(void)
{
	init();
	for (unsigned int n = 0; n < 4; n++)
		machine_task(n, 2 + 2 * n, chain);
}

/*
 * d raises all three to 8; when d gives up at 50, they are back to 6, which is c's own; at each unlock it goes down.
 */
static void goes_through_owners_and_back(void **state)
{
	(void)state;
	assert_null(machine_run(chain_boot));
	assert_string_equal(notes, "-1d:6668@50 d8 a:6668@91 0b:2668@91 0c:2468@91 c6 b4 a2 ");
}

static void look_at_40(void *arg)
{
	(void)arg;
	rtos_sleep_until(40);
	note("%u%u%u%u ", priority_of(0), priority_of(1), priority_of(2), priority_of(3));
	machine_check();
}

static void chain_look_boot(void)
{
	chain_boot();
	machine_task(4, 20, look_at_40);
}

static void raises_the_whole_chain(void **state)
{
	(void)state;
	assert_null(machine_run(chain_look_boot));
	assert_ptr_equal(strstr(notes, "8888 "), notes);
	assert_null(strstr(notes, "BROKEN"));
}

/* ---- one task with two mutexes, released in either order ---- */

static bool reverse;

static void wants_m1(void *arg)
{
	(void)arg;
	rtos_sleep_until(10);
	rtos_mutex_lock(&m1, RTOS_FOREVER);
	note("%c ", me());
	rtos_mutex_unlock(&m1);
}

static void wants_m2(void *arg)
{
	(void)arg;
	rtos_sleep_until(20);
	rtos_mutex_lock(&m2, RTOS_FOREVER);
	note("%c ", me());
	rtos_mutex_unlock(&m2);
}

static void holds_both(void *arg)
{
	(void)arg;
	rtos_mutex_lock(&m1, RTOS_FOREVER);
	rtos_mutex_lock(&m2, RTOS_FOREVER);
	machine_work(50);
	note("%u ", priority_of(0));
	rtos_mutex_unlock(reverse ? &m2 : &m1);
	note("%u ", priority_of(0));
	machine_check();
	rtos_mutex_unlock(reverse ? &m1 : &m2);
	note("%u ", priority_of(0));
	machine_check();
}

static void both_boot(void)
{
	init();
	machine_task(2, 8, wants_m2);
	machine_task(1, 5, wants_m1);
	machine_task(0, 2, holds_both);
}

static void nested_in_either_order(void **state)
{
	(void)state;
	reverse = false;
	assert_null(machine_run(both_boot));
	assert_string_equal(notes, "8 8 c b 2 "); /* b has m1 already, but c keeps a above it */
	reverse = true;
	assert_null(machine_run(both_boot));
	assert_string_equal(notes, "8 c 5 b 2 ");
}

/* ---- order of waiters, hand-over ---- */

static void queue_up(void *arg)
{
	unsigned int n = (unsigned int)(uintptr_t)arg;

	rtos_sleep_until(10 * n);
	rtos_mutex_lock(&m1, RTOS_FOREVER);
	note("%c ", me());
	machine_check();
	rtos_mutex_unlock(&m1);
}

static void hold_till_100(void *arg)
{
	(void)arg;
	rtos_mutex_lock(&m1, RTOS_FOREVER);
	rtos_sleep_until(100);
	rtos_mutex_unlock(&m1);
	/* Handed over: it isn't free, although the new owner hasn't run yet. */
	note("%d ", rtos_mutex_lock(&m1, RTOS_NO_WAIT));
}

static void order_boot(void)
{
	init();
	machine_task(0, 9, hold_till_100);
	machine_task(1, 4, queue_up);
	machine_task(2, 6, queue_up);
	machine_task(3, 6, queue_up);
	machine_task(4, 5, queue_up);
}

static void most_urgent_first_then_in_order(void **state)
{
	(void)state;
	assert_null(machine_run(order_boot));
	assert_string_equal(notes, "-1 c d e b ");
}

static void overtake(void *arg)
{
	(void)arg;
	rtos_sleep_until(50);
	note("%u ", priority_of(0));
	rtos_task_set_priority(machine_get(1), 12); /* waits for m1: ahead of the others, and a inherits it */
	machine_check();
	note("%u ", priority_of(0));
	rtos_task_set_priority(machine_get(1), 3);
	machine_check();
	note("%u ", priority_of(0));
	rtos_task_set_priority(machine_get(1), 7);
}

static void overtake_boot(void)
{
	order_boot();
	machine_task(5, 20, overtake);
}

static void waiters_priority_may_change(void **state)
{
	(void)state;
	assert_null(machine_run(overtake_boot));
	assert_string_equal(notes, "9 12 9 -1 b c d e ");
}

static void changes_while_raised(void *arg)
{
	(void)arg;
	rtos_mutex_lock(&m1, RTOS_FOREVER);
	machine_work(50); /* wants_m1 waits from 10 */
	rtos_task_set_priority(NULL, 3);
	note("%u ", priority_of(0));
	rtos_task_set_priority(NULL, 7);
	note("%u ", priority_of(0));
	rtos_task_set_priority(NULL, 1);
	note("%u ", priority_of(0));
	rtos_mutex_unlock(&m1);
	note("%u ", priority_of(0));
}

static void changes_boot(void)
{
	init();
	machine_task(1, 5, wants_m1);
	machine_task(0, 2, changes_while_raised);
}

static void own_priority_may_change_meanwhile(void **state)
{
	(void)state;
	assert_null(machine_run(changes_boot));
	assert_string_equal(notes, "5 7 5 b 1 ");
}

/* ---- errors ---- */

static void errors(void *arg)
{
	(void)arg;
	note("%d ", rtos_mutex_unlock(&m1) == RTOS_EOWNER);
	note("%d ", rtos_mutex_lock(&m1, RTOS_NO_WAIT));
	note("%d ", rtos_mutex_lock(&m1, RTOS_FOREVER) == RTOS_EDEADLOCK);
	note("%d ", rtos_mutex_lock(&m1, RTOS_NO_WAIT) == RTOS_EDEADLOCK);
	note("%d ", rtos_mutex_unlock(&m1));
	note("%d ", rtos_mutex_unlock(&m1) == RTOS_EOWNER);
}

static void errors_boot(void)
{
	init();
	machine_task(0, 5, errors);
}

static void errors_are_told(void **state)
{
	(void)state;
	assert_null(machine_run(errors_boot));
	assert_string_equal(notes, "1 0 1 1 0 1 ");
}

static void circle(void *arg)
{
	unsigned int n = (unsigned int)(uintptr_t)arg;
	struct rtos_mutex *own[] = { &m1, &m2, &m3 }, *want[] = { &m2, &m3, &m1 };
	int result;

	rtos_mutex_lock(own[n], RTOS_FOREVER);
	rtos_sleep_until(10 + n);
	if (n == 2)
		note("%d ", rtos_mutex_lock(want[n], RTOS_NO_WAIT)); /* may be tried, even so */
	result = rtos_mutex_lock(want[n], RTOS_FOREVER);
	note("%c:%d ", me(), result);
	machine_check();
	if (result == RTOS_OK)
		rtos_mutex_unlock(want[n]);
	rtos_mutex_unlock(own[n]);
}

static void circle_boot(void)
{
	init();
	for (unsigned int n = 0; n < 3; n++)
		machine_task(n, 5, circle);
}

static void deadlock_is_refused(void **state)
{
	(void)state;
	assert_null(machine_run(circle_boot));
	assert_string_equal(notes, "-1 c:-4 b:0 a:0 ");
}

static void by_handler(void *arg)
{
	(void)arg;
	note("%d%d ", rtos_mutex_lock(&m1, RTOS_NO_WAIT) == RTOS_ECONTEXT, rtos_mutex_unlock(&m1) == RTOS_ECONTEXT);
}

static void masked(void *arg)
{
	uint64_t saved;

	(void)arg;
	machine_interrupt(by_handler, NULL);
	saved = port_irq_save();
	note("%d ", rtos_mutex_lock(&m2, RTOS_FOREVER) == RTOS_ECONTEXT);
	port_irq_restore(saved);
}

static void owner_of_m2(void *arg)
{
	(void)arg;
	rtos_mutex_lock(&m2, RTOS_FOREVER);
	rtos_sleep_until(100);
	rtos_mutex_unlock(&m2);
}

static void context_boot(void)
{
	init();
	machine_task(1, 6, owner_of_m2);
	machine_task(0, 5, masked);
}

static void not_by_handlers_nor_masked(void **state)
{
	(void)state;
	assert_null(machine_run(context_boot));
	assert_string_equal(notes, "11 1 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inversion_is_bounded),
		cmocka_unit_test(goes_through_owners_and_back),
		cmocka_unit_test(raises_the_whole_chain),
		cmocka_unit_test(nested_in_either_order),
		cmocka_unit_test(most_urgent_first_then_in_order),
		cmocka_unit_test(waiters_priority_may_change),
		cmocka_unit_test(own_priority_may_change_meanwhile),
		cmocka_unit_test(errors_are_told),
		cmocka_unit_test(deadlock_is_refused),
		cmocka_unit_test(not_by_handlers_nor_masked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
