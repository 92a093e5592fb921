/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's own tests as an application of it (rtos-test.elf). Boot argument: test=all, test=<name> of tests.def,
 * or test=bench for measurements. Ends with "rtos-test: done <n> ok, <n> failed" and powers off.
 */
#include "test/test.h"

#include <stdio.h>
#include <string.h>

#define STACK_BYTES 16384

enum how { RUN, DIES };

static const struct {
	const char *name;
	enum how how;
	void (*run)(void);
} tests[] = {
#define TEST(name, how, what) { #name, how, test_##name },
#include "test/tests.def"
#undef TEST
};

static struct rtos_task helpers[TEST_TASKS];
static bool started[TEST_TASKS];
static struct {
	const char *text, *file;
	int line;
} reason;

RTOS_STACK_DEFINE(stack_0, STACK_BYTES);
RTOS_STACK_DEFINE(stack_1, STACK_BYTES);
RTOS_STACK_DEFINE(stack_2, STACK_BYTES);
RTOS_STACK_DEFINE(stack_3, STACK_BYTES);
RTOS_STACK_DEFINE(stack_4, STACK_BYTES);
RTOS_STACK_DEFINE(stack_5, STACK_BYTES);
static uint8_t *const stacks[TEST_TASKS] = { stack_0, stack_1, stack_2, stack_3, stack_4, stack_5 };

void test_check(bool condition, const char *text, const char *file, int line)
{
	uint64_t saved = rtos_irq_save();

	if (!condition && !reason.text) {
		reason.text = text;
		reason.file = file;
		reason.line = line;
	}
	rtos_irq_restore(saved);
}

void test_start(unsigned int n, unsigned int priority, void (*entry)(void *arg), void *arg)
{
	static const char *const names[TEST_TASKS] = { "t0", "t1", "t2", "t3", "t4", "t5" };
	struct rtos_task_config config = { .name = names[n],
					   .priority = priority,
					   .entry = entry,
					   .arg = arg,
					   .stack = stacks[n],
					   .stack_bytes = sizeof(stack_0) };

	started[n] = true;
	CHECK(rtos_task_create(&helpers[n], &config) == RTOS_OK);
}

struct rtos_task *test_task(unsigned int n)
{
	return &helpers[n];
}

void test_join(void)
{
	for (unsigned int n = 0; n < TEST_TASKS; n++) {
		if (started[n])
			CHECK(rtos_task_join(&helpers[n], RTOS_FOREVER) == RTOS_OK);
		started[n] = false;
	}
}

void test_spin(uint64_t ticks)
{
	uint64_t end = rtos_now() + ticks;

	while (rtos_now() < end)
		;
}

static bool run_one(size_t i)
{
	reason.text = NULL;
	tests[i].run();
	test_join();
	if (tests[i].how == DIES)
		CHECK(!"still alive");
	if (reason.text)
		printf("rtos-test: %s FAIL: %s (%s:%d)\n", tests[i].name, reason.text, reason.file, reason.line);
	else
		printf("rtos-test: %s ok\n", tests[i].name);
	return !reason.text;
}

static void run_tests(const char *which)
{
	unsigned int ok = 0, failed = 0;

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		bool all = strcmp(which, "all") == 0 && tests[i].how == RUN;

		if (!all && strcmp(which, tests[i].name) != 0)
			continue;
		if (run_one(i))
			ok++;
		else
			failed++;
	}
	printf("rtos-test: done %u ok, %u failed\n", ok, failed);
}

void app_main(void)
{
	const char *argument = strstr(rtos_bootargs(), "test=");
	char which[32] = "all";

	rtos_task_set_priority(NULL, TEST_PRIORITY);
	if (argument) {
		argument += strlen("test=");
		snprintf(which, sizeof(which), "%.*s", (int)strcspn(argument, " "), argument);
	}
	printf("rtos-test: start %s\n", which);
	if (strcmp(which, "bench") == 0)
		bench_run();
	else
		run_tests(which);
	printf("rtos-test: PSCI SYSTEM_OFF failed: %d\n", (int)rtos_off());
}
