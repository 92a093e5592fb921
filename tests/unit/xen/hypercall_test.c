/* SPDX-License-Identifier: Apache-2.0 */
/* hv/xen/hypercall.c: numbers out of range, without permission or without handler, and what the others answer. */
#include "support.h"

#include "camber/errno.h"
#include "camber/xen.h"

#define VERSION 17
#define SCHED_OP 29

static struct vm vm;
static struct vcpu v = { .vm = &vm };

static int begin(void **state)
{
	(void)state;
	memset(v.hypercalls, 0, sizeof(v.hypercalls));
	vm.xen_allowed = xen_default_allowed();
	return 0;
}

static int64_t call(uint64_t number, uint64_t arg)
{
	uint64_t args[5] = { arg, 1, 2, 3, 4 };

	xen_hypercall(&v, number, args);
	assert_int_equal(args[1], 1);
	assert_int_equal(args[4], 4);
	return (int64_t)args[0];
}

static void version_is_4_17(void **state)
{
	(void)state;
	assert_int_equal(call(VERSION, 0), 4 << 16 | 17);
	assert_int_equal(call(VERSION, 1), -ENOSYS);
	assert_int_equal(call(VERSION, UINT64_MAX), -ENOSYS);
	assert_int_equal(v.hypercalls[VERSION], 3);
}

static void unknown_numbers(void **state)
{
	(void)state;
	for (uint64_t number = 0; number < 2 * XEN_HYPERCALLS; number++)
		if (number != VERSION && number != SCHED_OP)
			assert_int_equal(call(number, 0), -ENOSYS);
	assert_int_equal(call(UINT64_MAX, 0), -ENOSYS);
	assert_int_equal(call(UINT64_C(1) << 32 | VERSION, 0), -ENOSYS);
	assert_int_equal(call(SCHED_OP, 99), -ENOSYS);
}

static void nothing_without_permission(void **state)
{
	(void)state;
	vm.xen_allowed = 0;
	assert_int_equal(call(VERSION, 0), -ENOSYS);
	assert_int_equal(call(SCHED_OP, 0), -ENOSYS);
	assert_int_equal(v.hypercalls[VERSION] + v.hypercalls[SCHED_OP], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(version_is_4_17, begin),
		cmocka_unit_test_setup(unknown_numbers, begin),
		cmocka_unit_test_setup(nothing_without_permission, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
