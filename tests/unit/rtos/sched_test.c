/* SPDX-License-Identifier: Apache-2.0 */
/* Who runs when: priorities, order among equals, time slices, sleeping, ends, and what is found wrong. */
#include "machine.h"

#include <stdio.h>
#include <string.h>

#include "arch/port.h"
#include "kernel/sched.h"
#include "rtos.h"

/* ---- pre-emption ---- */

static void say(void *arg)
{
	(void)arg;
	note("%c ", me());
	machine_check();
}

static void create_others(void *arg)
{
	(void)arg;
	note("a( ");
	machine_task(1, 3, say);
	machine_task(2, 7, say);
	machine_task(3, 3, say);
	machine_task(4, 5, say);
	note(") ");
}

static void create_boot(void)
{
	machine_task(0, 5, create_others);
}

/* c is more urgent than its creator and runs at once; e is as urgent and waits; b and d are less urgent, in order. */
static void more_urgent_runs_at_once(void **state)
{
	(void)state;
	assert_null(machine_run(create_boot));
	assert_string_equal(notes, "a( c ) e b d ");
}

static void yielding(void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++) {
		note("%c", me());
		rtos_yield();
		machine_check();
	}
}

static void yield_boot(void)
{
	machine_task(0, 9, say); /* runs and ends before the others come */
	machine_task(1, 5, yielding);
	machine_task(2, 5, yielding);
	machine_task(3, 5, yielding);
}

static void yield_main(void *arg)
{
	(void)arg;
	yield_boot();
}

static void yield_main_boot(void)
{
	machine_task(4, 9, yield_main);
}

static void yield_goes_round_equals(void **state)
{
	(void)state;
	assert_null(machine_run(yield_main_boot));
	assert_string_equal(notes, "a bcdbcdbcd");
}

static void alone_yielding(void *arg)
{
	(void)arg;
	machine_task(1, 4, say);
	rtos_yield(); /* to equals only */
	note("a ");
}

static void alone_boot(void)
{
	machine_task(0, 5, alone_yielding);
}

static void yield_not_to_less_urgent(void **state)
{
	(void)state;
	assert_null(machine_run(alone_boot));
	assert_string_equal(notes, "a b ");
}

/* ---- time ---- */

static void sleeper(void *arg)
{
	uint64_t n = (uintptr_t)arg;

	note("%d", rtos_sleep_until(30 - 10 * n));
	note("%c@%u ", me(), (unsigned int)rtos_now());
	machine_check();
}

static void sleep_boot(void)
{
	for (unsigned int i = 0; i < 3; i++)
		machine_task(i, 4 + i, sleeper);
}

static void sleeps_until_the_time(void **state)
{
	(void)state;
	assert_null(machine_run(sleep_boot));
	assert_string_equal(notes, "0c@10 0b@20 0a@30 ");
}

static void late_sleeper(void *arg)
{
	(void)arg;
	machine_work(100);
	note("%d ", rtos_sleep_until(100) == RTOS_ETIMEDOUT);
	note("%d ", rtos_sleep_until(RTOS_NO_WAIT) == RTOS_ETIMEDOUT);
	note("%d@", rtos_sleep_until(101));
	note("%u ", (unsigned int)rtos_now());
}

static void late_boot(void)
{
	machine_task(0, 5, late_sleeper);
}

static void past_times_are_not_waited_for(void **state)
{
	(void)state;
	assert_null(machine_run(late_boot));
	assert_string_equal(notes, "1 1 0@101 ");
}

static void worker(void *arg)
{
	(void)arg;
	note("%c@%u ", me(), (unsigned int)rtos_now());
	machine_work(100);
	note("%c@%u ", me(), (unsigned int)rtos_now());
}

static void periodic(void *arg)
{
	uint64_t deadline = 0;

	(void)arg;
	for (int i = 0; i < 3; i++) {
		rtos_sleep_until(deadline += 30);
		note("!%u ", (unsigned int)rtos_now());
		machine_work(5);
		machine_check();
	}
}

static void preempt_boot(void)
{
	machine_task(0, 9, periodic);
	machine_task(1, 5, worker);
	machine_task(2, 5, worker);
}

static void preempt_main(void *arg)
{
	(void)arg;
	preempt_boot();
}

static void preempt_main_boot(void)
{
	machine_task(3, 20, preempt_main);
}

/* Whoever is pre-empted goes on before its equals. */
static void timer_preempts(void **state)
{
	(void)state;
	assert_null(machine_run(preempt_main_boot));
	assert_string_equal(notes, "b@0 !30 !60 !90 b@115 c@115 c@215 ");
}

static void slices_main(void *arg)
{
	(void)arg;
	rtos_time_slice(40);
	machine_task(1, 5, worker);
	machine_task(2, 5, worker);
	machine_task(3, 4, worker); /* alone in its list, below the others: no turns */
}

static void slices_boot(void)
{
	machine_task(0, 9, slices_main);
}

static void equals_take_turns(void **state)
{
	(void)state;
	assert_null(machine_run(slices_boot));
	/* b 0-40, c 40-80, b 80-120, c 120-160, b its last 20, c its last 20. */
	assert_string_equal(notes, "b@0 c@40 b@180 c@200 d@200 d@300 ");
}

static void slice_interrupted(void *arg)
{
	(void)arg;
	rtos_time_slice(40);
	machine_task(4, 9, periodic);
	machine_task(1, 5, worker);
	machine_task(2, 5, worker);
}

static void slice_interrupted_boot(void)
{
	machine_task(0, 20, slice_interrupted);
}

/* b 0-30, 35-45: its turn; c 45-60, 65-90; b 95-135; c 135-175; then what is left. */
static void turns_and_preemption(void **state)
{
	(void)state;
	assert_null(machine_run(slice_interrupted_boot));
	assert_string_equal(notes, "b@0 !30 c@45 !60 !90 b@195 c@215 ");
}

/* ---- priorities of others ---- */

static void changer(void *arg)
{
	(void)arg;
	machine_task(1, 3, say);
	machine_task(2, 3, say);
	note("a ");
	rtos_task_set_priority(machine_get(2), 8); /* at once */
	note("a%d ", machine_get(2)->state == RTOS_TASK_ENDED);
	rtos_task_set_priority(NULL, 3); /* ahead of its equals */
	note("a ");
	rtos_task_set_priority(NULL, 2);
	note("a ");
	note("%d%d%d", rtos_task_set_priority(NULL, 0), rtos_task_set_priority(NULL, RTOS_PRIORITY_MAX + 1),
	     rtos_task_set_priority(machine_get(2), 4));
}

static void changer_boot(void)
{
	machine_task(0, 5, changer);
}

static void priorities_change(void **state)
{
	(void)state;
	assert_null(machine_run(changer_boot));
	assert_string_equal(notes, "a c a1 a b a -2-2-2");
}

/* ---- creation and end ---- */

static uint8_t odd_stack[RTOS_PAGE_BYTES * 4] __attribute__((aligned(RTOS_PAGE_BYTES)));

static void refusals(void *arg)
{
	struct rtos_task task;
	const struct rtos_task_config good = { "x", 5, say, NULL, odd_stack, sizeof(odd_stack) };
	struct rtos_task_config bad[8];

	(void)arg;
	for (int i = 0; i < 8; i++)
		bad[i] = good;
	bad[0].name = NULL;
	bad[1].priority = 0;
	bad[2].priority = RTOS_PRIORITY_MAX + 1;
	bad[3].entry = NULL;
	bad[4].stack = odd_stack + 16;
	bad[5].stack_bytes = RTOS_PAGE_BYTES + RTOS_STACK_MIN - 16;
	bad[6].stack_bytes -= 8;
	bad[7].stack = NULL;
	for (int i = 0; i < 8; i++)
		note("%d", rtos_task_create(&task, &bad[i]) == RTOS_EINVAL);
	note(" %d", rtos_task_create(rtos_task_self(), &good) == RTOS_EINVAL);
}

static void refusals_boot(void)
{
	machine_task(0, 5, refusals);
}

static void bad_tasks_are_refused(void **state)
{
	(void)state;
	assert_null(machine_run(refusals_boot));
	assert_string_equal(notes, "11111111 1");
}

static void sleep_long(void *arg)
{
	(void)arg;
	rtos_sleep_until(1000);
}

/*
 * More tasks than machine_task() has, all on stacks that nobody uses: less urgent than the creator, which never waits.
 */
static void crowd(void *arg)
{
	static struct rtos_task many[RTOS_TASK_MAX];
	static uint8_t many_stacks[RTOS_TASK_MAX][RTOS_PAGE_BYTES * 8] __attribute__((aligned(RTOS_PAGE_BYTES)));
	struct rtos_task_config config = { "many", 3, sleep_long, NULL, NULL, sizeof(many_stacks[0]) };
	unsigned int created = 0;

	(void)arg;
	for (unsigned int i = 0; i < RTOS_TASK_MAX; i++) {
		config.stack = many_stacks[i];
		if (rtos_task_create(&many[i], &config) == RTOS_OK)
			created++;
		else
			note("%d ", rtos_task_create(&many[i], &config));
	}
	note("%u", created);
}

static void crowd_boot(void)
{
	machine_task(0, 5, crowd);
	machine_time_limit = 10; /* the crowd's stacks are too small for the sanitizer's own needs at their ends */
}

static void table_of_tasks_is_limited(void **state)
{
	char wanted[64];

	(void)state;
	assert_null(machine_run(crowd_boot));
	(void)snprintf(wanted, sizeof(wanted), "%d %d %u", RTOS_EFULL, RTOS_EFULL, RTOS_TASK_MAX - 2);
	assert_string_equal(notes, wanted);
}

static void joiner(void *arg)
{
	(void)arg;
	note("%d ", rtos_task_join(rtos_task_self(), RTOS_FOREVER));
	note("%d@", rtos_task_join(machine_get(1), 500));
	note("%u ", (unsigned int)rtos_now());
	note("%d@", rtos_task_join(machine_get(1), RTOS_FOREVER));
	note("%u ", (unsigned int)rtos_now());
	note("%d ", rtos_task_join(machine_get(1), RTOS_NO_WAIT));
	note("%d ", machine_task(1, 4, say)); /* its memory is free */
	note("%d ", rtos_task_join(machine_get(1), RTOS_FOREVER));
}

static void joiner_boot(void)
{
	machine_task(1, 4, sleep_long);
	machine_task(0, 5, joiner);
}

static void joins(void **state)
{
	(void)state;
	assert_null(machine_run(joiner_boot));
	assert_string_equal(notes, "-2 -1@500 0@1000 0 0 b 0 ");
}

static void told(void *arg)
{
	struct rtos_task_info info[RTOS_TASK_MAX];
	size_t count;

	(void)arg;
	machine_work(70);
	count = rtos_task_list(info, RTOS_TASK_MAX);
	for (size_t i = 0; i < count; i++)
		note("%s:%u/%u:%u%s:%u ", info[i].name, info[i].priority, info[i].base_priority, info[i].state,
		     info[i].running ? "!" : "", (unsigned int)info[i].cpu_ticks);
	note("%d ", (int)rtos_task_list(info, 2));
	note("%d", info[1].stack_used > 256 && info[1].stack_used < info[1].stack_bytes);
}

static void told_boot(void)
{
	machine_task(0, 5, sleep_long);
	machine_task(1, 4, worker);
	machine_task(2, 3, told);
}

static void tells_about_tasks(void **state)
{
	char wanted[128];

	(void)state;
	assert_null(machine_run(told_boot));
	(void)snprintf(wanted, sizeof(wanted), "b@0 b@100 idle:0/0:%u:0 a:5/5:%u:0 c:3/3:%u!:70 2 1", RTOS_TASK_READY,
		       RTOS_TASK_SLEEPING, RTOS_TASK_READY);
	assert_string_equal(notes, wanted);
}

static unsigned int idle_count;

static void count_idle(void)
{
	idle_count++;
}

/* Every other time for no reason, else until an interrupt. */
static void wait_and_tell(uint64_t deadline)
{
	if (deadline == RTOS_FOREVER)
		note("never%s ", machine_masked ? "" : "!");
	else
		note("%u%s ", (unsigned int)deadline, machine_masked ? "" : "!");
	if (++idle_count % 2)
		return;
	port_irq_enable();
	port_wait_for_interrupt();
	port_irq_save();
}

static void sleeps_otherwise(void *arg)
{
	(void)arg;
	rtos_sleep_until(5);
	sched_idle_wait(wait_and_tell);
	rtos_sleep_until(20);
	rtos_sleep_until(30);
	note("@%u ", (unsigned int)rtos_now());
}

static void idle_wait_boot(void)
{
	idle_count = 0;
	machine_task(0, 5, sleeps_otherwise);
}

static void sleeps_thrice(void *arg)
{
	(void)arg;
	rtos_idle_hook(count_idle);
	for (uint64_t i = 1; i <= 3; i++)
		rtos_sleep_until(10 * i);
	note("%u ", idle_count);
}

static void idle_boot(void)
{
	idle_count = 0;
	machine_task(0, 5, sleeps_thrice);
}

/* The replacement is asked with interrupts masked and the timer's time, again when it returns for no reason. */
static void idle_wait_is_replaced(void **state)
{
	(void)state;
	assert_null(machine_run(idle_wait_boot));
	assert_string_equal(notes, "20 20 30 30 @30 never never ");
	assert_null(machine_run(idle_boot)); /* a boot forgets it */
	assert_string_equal(notes, "3 ");
}

/* Before each wait: three of the task's, and the last one, after its end. */
static void idle_hook_is_called(void **state)
{
	(void)state;
	assert_null(machine_run(idle_boot));
	assert_string_equal(notes, "3 ");
	assert_int_equal(idle_count, 4);
}

/* At 1 MHz, with more ticks than their product with 10^9 would allow. */
static void converts_time(void **state)
{
	(void)state;
	machine_time = 77;
	assert_int_equal(rtos_hz(), MACHINE_HZ);
	assert_int_equal(rtos_us(123), 123);
	assert_int_equal(rtos_us(UINT64_C(1) << 50), UINT64_C(1) << 50);
	assert_int_equal(rtos_ticks_to_ns(UINT64_C(1) << 50), (UINT64_C(1) << 50) * 1000);
	assert_int_equal(rtos_in_us(3), 80);
}

/* ---- what is found wrong ---- */

static void overflow(void *arg)
{
	(void)arg;
	*(uint64_t *)(void *)rtos_task_self()->stack_base = 0;
	rtos_sleep_until(10);
}

static void overflow_boot(void)
{
	machine_task(0, 5, overflow);
}

static void overwritten_stack_is_found(void **state)
{
	(void)state;
	assert_string_equal(machine_run(overflow_boot), "stack overflow (its end is overwritten) in task 'a'");
}

static void holder(void *arg)
{
	static struct rtos_mutex mutex;

	(void)arg;
	rtos_mutex_init(&mutex);
	rtos_mutex_lock(&mutex, RTOS_FOREVER);
}

static void holder_boot(void)
{
	machine_task(0, 5, holder);
}

static void end_with_a_mutex_is_found(void **state)
{
	(void)state;
	assert_string_equal(machine_run(holder_boot), "a task that holds a mutex ended");
}

static void hog(void *arg)
{
	(void)arg;
	rtos_hang_watch(100, 5);
	rtos_sleep_until(2000);
	machine_work(450);
	note("%u ", (unsigned int)rtos_now());
	rtos_sleep_until(3000);
	machine_work(5000);
}

/* Runs when a look comes, too, but takes little. */
static void now_and_then(void *arg)
{
	(void)arg;
	for (uint64_t deadline = 0; deadline < 10000; deadline += 20) {
		rtos_sleep_until(deadline);
		machine_work(1);
	}
}

static void hog_boot(void)
{
	machine_task(1, 9, now_and_then);
	machine_task(0, 5, hog);
}

/* Looks every 100: 450 hold no 5 of them, a longer time does; the idle time before doesn't count. */
static void hang_is_found(void **state)
{
	(void)state;
	assert_string_equal(machine_run(hog_boot), "no idle time: hang in task 'a'");
	assert_string_equal(notes, "2474 "); /* 450, and 24 times what the other one does */
	assert_in_range(machine_time, 3400, 3600);
}

static void hang_off(void *arg)
{
	(void)arg;
	rtos_hang_watch(100, 1);
	rtos_hang_watch(0, 0);
	machine_work(5000);
}

static void hang_off_boot(void)
{
	machine_task(0, 5, hang_off);
}

static void hang_watch_can_be_off(void **state)
{
	(void)state;
	assert_null(machine_run(hang_off_boot));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(more_urgent_runs_at_once),
		cmocka_unit_test(yield_goes_round_equals),
		cmocka_unit_test(yield_not_to_less_urgent),
		cmocka_unit_test(sleeps_until_the_time),
		cmocka_unit_test(past_times_are_not_waited_for),
		cmocka_unit_test(timer_preempts),
		cmocka_unit_test(equals_take_turns),
		cmocka_unit_test(turns_and_preemption),
		cmocka_unit_test(priorities_change),
		cmocka_unit_test(bad_tasks_are_refused),
		cmocka_unit_test(table_of_tasks_is_limited),
		cmocka_unit_test(joins),
		cmocka_unit_test(tells_about_tasks),
		cmocka_unit_test(idle_hook_is_called),
		cmocka_unit_test(idle_wait_is_replaced),
		cmocka_unit_test(converts_time),
		cmocka_unit_test(overwritten_stack_is_found),
		cmocka_unit_test(end_with_a_mutex_is_found),
		cmocka_unit_test(hang_is_found),
		cmocka_unit_test(hang_watch_can_be_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
