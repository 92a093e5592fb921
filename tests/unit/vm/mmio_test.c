/* SPDX-License-Identifier: Apache-2.0 */
/* hv/vm/mmio.c and the inline look-up: borders, overlaps, accesses that reach over an end, the top of the address space. */
#include "support.h"

#include "camber/errno.h"
#include "camber/mmio.h"

static bool handler(struct vcpu *v, void *dev, struct mmio_access *a)
{
	(void)v;
	(void)dev;
	(void)a;
	return true;
}

static struct mmio_map map;
static int devices[4];

static int begin(void **state)
{
	(void)state;
	map.count = 0;
	return 0;
}

static void finds_by_address(void **state)
{
	(void)state;
	assert_int_equal(mmio_add(&map, gpa(0x9000000), 0x1000, handler, &devices[0]), 0);
	assert_int_equal(mmio_add(&map, gpa(0x9001000), 0x1000, handler, &devices[1]), 0);
	assert_null(mmio_find(&map, gpa(0x8ffffff), 1));
	assert_ptr_equal(mmio_find(&map, gpa(0x9000000), 8)->dev, &devices[0]);
	assert_ptr_equal(mmio_find(&map, gpa(0x9000ffc), 4)->dev, &devices[0]);
	assert_ptr_equal(mmio_find(&map, gpa(0x9001000), 1)->dev, &devices[1]);
	assert_null(mmio_find(&map, gpa(0x9002000), 1));
	assert_null(mmio_find(&map, gpa(0), 4));
	assert_null(mmio_find(&map, gpa(UINT64_MAX), 1));
	/* Over an end: nobody's, even where another region follows. */
	assert_null(mmio_find(&map, gpa(0x9000ffd), 4));
	assert_null(mmio_find(&map, gpa(0x8fffffc), 8));
	assert_null(mmio_find(&map, gpa(0x9001ffc), 8));
}

static void refuses_overlaps(void **state)
{
	(void)state;
	assert_int_equal(mmio_add(&map, gpa(0x1000), 0x1000, handler, NULL), 0);
	assert_int_equal(mmio_add(&map, gpa(0x1000), 0x1000, handler, NULL), -EINVAL);
	assert_int_equal(mmio_add(&map, gpa(0x1fff), 1, handler, NULL), -EINVAL);
	assert_int_equal(mmio_add(&map, gpa(0xfff), 2, handler, NULL), -EINVAL);
	assert_int_equal(mmio_add(&map, gpa(0), 0x10000, handler, NULL), -EINVAL);
	assert_int_equal(mmio_add(&map, gpa(0x5000), 0, handler, NULL), -EINVAL);
	assert_int_equal(mmio_add(&map, gpa(UINT64_MAX), 2, handler, NULL), -EINVAL);
	assert_int_equal(mmio_add(&map, gpa(0xfff), 1, handler, NULL), 0);
	assert_int_equal(mmio_add(&map, gpa(0x2000), 1, handler, NULL), 0);
	assert_int_equal(map.count, 3);
}

static void reaches_the_last_address(void **state)
{
	(void)state;
	assert_int_equal(mmio_add(&map, gpa(0 - UINT64_C(0x1000)), 0x1000, handler, &devices[2]), 0);
	assert_int_equal(mmio_add(&map, gpa(UINT64_MAX), 1, handler, NULL), -EINVAL);
	assert_ptr_equal(mmio_find(&map, gpa(UINT64_MAX - 7), 8)->dev, &devices[2]);
	assert_null(mmio_find(&map, gpa(UINT64_MAX - 3), 8));
}

static void is_finite(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < MMIO_REGIONS_MAX; i++)
		assert_int_equal(mmio_add(&map, gpa(i << 16), 0x1000, handler, NULL), 0);
	assert_int_equal(mmio_add(&map, gpa(0x8000), 0x1000, handler, NULL), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(finds_by_address, begin),
		cmocka_unit_test_setup(refuses_overlaps, begin),
		cmocka_unit_test_setup(reaches_the_last_address, begin),
		cmocka_unit_test_setup(is_finite, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
