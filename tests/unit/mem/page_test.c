/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv/mem/page.c, included as source so that each test starts with an empty allocator. Ranges are numbers here; only what is
 * zeroed is real memory.
 */
#include "../../../hv/mem/page.c"

#include "support.h"

#include <string.h>

#define MIB UINT64_C(0x100000)

static int fresh(void **state)
{
	(void)state;
	memset(&ram, 0, sizeof(ram));
	memset(&reserved, 0, sizeof(reserved));
	memset(&free_ram, 0, sizeof(free_ram));
	kept_bytes = table_bytes = 0;
	sealed = false;
	return 0;
}

static uint64_t free_bytes(void)
{
	struct mem_stats s;

	mem_stats(&s);
	return s.free_bytes;
}

static void adds_whole_pages(void **state)
{
	hpa_t base;
	uint64_t bytes;

	(void)state;
	assert_int_equal(mem_add(hpa(0x40000001), 0x3000), 0);
	assert_true(mem_range(0, &base, &bytes));
	assert_int_equal(base.addr, 0x40001000);
	assert_int_equal(bytes, 0x2000);
	assert_false(mem_range(1, &base, &bytes));
	assert_int_equal(mem_add(hpa(0x50000001), 0xffe), 0); /* no whole page in it */
	assert_int_equal(mem_add(hpa(0x50000000), 0), 0);
	assert_false(mem_range(1, &base, &bytes));
}

static void refuses_bad_ranges(void **state)
{
	(void)state;
	assert_int_equal(mem_add(hpa(0x40000000), 2 * MIB), 0);
	assert_int_equal(mem_add(hpa(0x40000000), PAGE_SIZE), -EINVAL);
	assert_int_equal(mem_add(hpa(0x3ffff000), 2 * PAGE_SIZE), -EINVAL);
	assert_int_equal(mem_add(hpa(0x401ff000), 2 * PAGE_SIZE), -EINVAL);
	assert_int_equal(mem_add(hpa(0x30000000), 0x20000000), -EINVAL);
	assert_int_equal(mem_add(hpa(UINT64_MAX - 10), PAGE_SIZE), -EINVAL);
	assert_int_equal(mem_add(hpa(UINT64_MAX), 0), -EINVAL);
	assert_int_equal(mem_add(hpa(0x40000000 + 2 * MIB), MIB), 0); /* adjacent */
	assert_int_equal(free_bytes(), 3 * MIB);
}

static void takes_from_the_top(void **state)
{
	hpa_t pa;

	(void)state;
	assert_int_equal(mem_add(hpa(0x80000000), 4 * MIB), 0);
	assert_int_equal(mem_add(hpa(0x40000000), 4 * MIB), 0);
	assert_int_equal(mem_alloc(1, PAGE_SIZE, &pa), 0);
	assert_int_equal(pa.addr, 0x80000000 + 4 * MIB - PAGE_SIZE);
	assert_int_equal(mem_alloc(2 * MIB, 2 * MIB, &pa), 0);
	assert_int_equal(pa.addr, 0x80000000);
	/* What was left behind the aligned one is still there. */
	assert_int_equal(mem_alloc(2 * MIB - PAGE_SIZE, PAGE_SIZE, &pa), 0);
	assert_int_equal(pa.addr, 0x80000000 + 2 * MIB);
	assert_int_equal(mem_alloc(4 * MIB + 1, PAGE_SIZE, &pa), -ENOMEM);
	assert_int_equal(mem_alloc(4 * MIB, PAGE_SIZE, &pa), 0);
	assert_int_equal(pa.addr, 0x40000000);
	assert_int_equal(mem_alloc(1, PAGE_SIZE, &pa), -ENOMEM);
	assert_int_equal(free_bytes(), 0);
}

static void takes_a_given_place(void **state)
{
	hpa_t pa;

	(void)state;
	assert_int_equal(mem_add(hpa(0x40000000), 4 * MIB), 0);
	assert_int_equal(mem_add(hpa(0x80000000), 4 * MIB), 0);
	assert_int_equal(mem_reserve(hpa(0x40300000), PAGE_SIZE), 0);
	assert_int_equal(mem_alloc_at(hpa(0x40100000), MIB), 0);
	assert_int_equal(mem_alloc_at(hpa(0x40100000), MIB), -ENOMEM); /* taken */
	assert_int_equal(mem_alloc_at(hpa(0x401ff000), 2 * PAGE_SIZE), -ENOMEM);
	assert_int_equal(mem_alloc_at(hpa(0x40200000), 2 * MIB), -ENOMEM); /* somebody's page inside */
	assert_int_equal(mem_alloc_at(hpa(0x40000000), 0x50000000), -ENOMEM);
	assert_int_equal(mem_alloc_at(hpa(0x80300000), 2 * MIB), -ENOMEM); /* beyond the end */
	assert_int_equal(mem_alloc_at(hpa(0x90000000), PAGE_SIZE), -ENOMEM);
	assert_int_equal(mem_alloc_at(hpa(0x80000000), 4 * MIB), 0); /* a range wholly */
	assert_int_equal(free_bytes(), 3 * MIB - PAGE_SIZE);
	assert_int_equal(mem_alloc(MIB, MIB, &pa), 0);
	assert_int_equal(pa.addr, 0x40200000);
}

static void refuses_odd_requests(void **state)
{
	hpa_t pa;

	(void)state;
	assert_int_equal(mem_add(hpa(0x40001000), MIB), 0);
	assert_int_equal(mem_alloc(0, PAGE_SIZE, &pa), -ENOMEM);
	assert_int_equal(mem_alloc(UINT64_MAX, PAGE_SIZE, &pa), -ENOMEM);
	assert_int_equal(mem_alloc(PAGE_SIZE, BIT64(63), &pa), -ENOMEM);
	assert_int_equal(free_bytes(), MIB);
}

/* Each case cuts [0x40000000, 0x40010000) and says what may be handed out afterwards, highest page first. */
static void reserves_every_overlap(void **state)
{
	static const struct {
		uint64_t base, bytes;
		uint64_t left;
	} cases[] = {
		{ 0x3fff0000, 0x10000, 16 },                                  /* before */
		{ 0x40010000, 0x10000, 16 },                                  /* behind */
		{ 0x40000000, 0x10000, 0 },                                   /* exactly */
		{ 0x30000000, 0x20000000, 0 }, { 0x3fff0000, 0x10001, 15 },   /* a byte of the first page */
		{ 0x4000ffff, 0x1, 15 },                                      /* a byte of the last */
		{ 0x40004800, 0x1000, 14 },                                   /* parts of two pages */
		{ 0x40004000, 0, 16 },         { 0x40004000, UINT64_MAX, 4 }, /* wraps: to the end of everything */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t seen = 0;
		hpa_t pa;

		for (int reserve_first = 0; reserve_first < 2; reserve_first++) {
			(void)fresh(state);
			if (reserve_first)
				assert_int_equal(mem_reserve(hpa(cases[i].base), cases[i].bytes), 0);
			assert_int_equal(mem_add(hpa(0x40000000), 0x10000), 0);
			if (!reserve_first)
				assert_int_equal(mem_reserve(hpa(cases[i].base), cases[i].bytes), 0);
			assert_int_equal(free_bytes(), cases[i].left * PAGE_SIZE);
			for (seen = 0; mem_alloc(PAGE_SIZE, PAGE_SIZE, &pa) == 0; seen++) {
				uint64_t end;

				if (__builtin_add_overflow(cases[i].base, cases[i].bytes, &end))
					end = UINT64_MAX;
				assert_true(cases[i].bytes == 0 || pa.addr + PAGE_SIZE <= cases[i].base ||
					    pa.addr >= end);
			}
			assert_int_equal(seen, cases[i].left);
		}
	}
}

/* Full lists: an error or a loss of memory, never memory that belongs to somebody else. */
static void full_lists_stay_safe(void **state)
{
	hpa_t pa;
	unsigned int holes = 0;

	(void)state;
	assert_int_equal(mem_add(hpa(0x40000000), 1024 * PAGE_SIZE), 0);
	while (mem_reserve(hpa(0x40000000 + (2 * holes + 1) * PAGE_SIZE), PAGE_SIZE) == 0)
		holes++;
	assert_int_equal(holes, MEM_RANGE_MAX - 1);
	assert_int_equal(mem_reserve(hpa(0x40000000 + 900 * PAGE_SIZE), PAGE_SIZE), -ENOSPC);
	assert_int_equal(mem_add(hpa(0x80000000), MIB), -ENOSPC);
	/* An aligned piece out of the last range would leave two: the smaller one is given up. */
	assert_int_equal(mem_alloc(512 * PAGE_SIZE, 256 * PAGE_SIZE, &pa), 0);
	assert_int_equal(pa.addr, 0x40000000 + 512 * PAGE_SIZE);
	while (mem_alloc(PAGE_SIZE, PAGE_SIZE, &pa) == 0) {
		uint64_t page = (pa.addr - 0x40000000) / PAGE_SIZE;

		assert_true(page < 512 || page >= 1024 - 1024 / 2 + 512);
		assert_true(page > 2 * holes || page % 2 == 0);
	}
}

/* A range whose reservations don't fit is not used at all. */
static void add_fails_closed(void **state)
{
	hpa_t pa;

	(void)state;
	for (unsigned int i = 0; i < MEM_RANGE_MAX; i++)
		assert_int_equal(mem_reserve(hpa(0x40000000 + (2 * i + 1) * PAGE_SIZE), PAGE_SIZE), 0);
	assert_int_equal(mem_add(hpa(0x40000000), 1024 * PAGE_SIZE), -ENOSPC);
	assert_int_equal(mem_alloc(PAGE_SIZE, PAGE_SIZE, &pa), -ENOMEM);
}

static void page_zero_is_never_given(void **state)
{
	hpa_t pa;

	(void)state;
	assert_int_equal(mem_add(hpa(0), 2 * PAGE_SIZE), 0);
	assert_int_equal(mem_alloc(PAGE_SIZE, PAGE_SIZE, &pa), 0);
	assert_int_equal(pa.addr, PAGE_SIZE);
	assert_int_equal(mem_alloc(PAGE_SIZE, PAGE_SIZE, &pa), -ENOMEM);
	(void)fresh(state);
	assert_int_equal(mem_add(hpa(0), PAGE_SIZE), 0);
	assert_int_equal(mem_alloc(PAGE_SIZE, PAGE_SIZE, &pa), -ENOMEM);
}

static void kept_memory_is_zero_and_counted(void **state)
{
	hpa_t at = host_ram_add(MIB);
	struct mem_stats s;
	unsigned char *p;
	uint64_t *table;

	(void)state;
	assert_int_equal(mem_add(at, MIB), 0);
	p = mem_alloc_zeroed(PAGE_SIZE + 1, "a test");
	for (size_t i = 0; i < 2 * PAGE_SIZE; i++)
		assert_int_equal(p[i], 0);
	table = mem_alloc_table(16);
	assert_true(IS_ALIGNED((uintptr_t)table, 16 * PAGE_SIZE));
	assert_int_equal(table[16 * 512 - 1], 0);
	mem_stats(&s);
	assert_int_equal(s.total_bytes, MIB);
	assert_int_equal(s.kept_bytes, 18 * PAGE_SIZE);
	assert_int_equal(s.table_bytes, 16 * PAGE_SIZE);
	assert_int_equal(s.free_bytes, MIB - 18 * PAGE_SIZE);
}

static void says_what_lacked_memory(void **state)
{
	hpa_t pa;

	(void)state;
	assert_int_equal(host_catch((void)mem_alloc_zeroed(64 * 1024, "the frobnicator")), HOST_END_PANIC);
	assert_string_equal(unit_panic_text,
			    "no memory for the frobnicator (64 KiB): give the board more RAM or its VMs less");
	mem_seal();
	assert_int_equal(host_catch((void)mem_alloc(PAGE_SIZE, PAGE_SIZE, &pa)), HOST_END_PANIC);
	assert_string_equal(unit_panic_text, "memory of 4096 bytes asked for after boot");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(adds_whole_pages, fresh),
		cmocka_unit_test_setup(refuses_bad_ranges, fresh),
		cmocka_unit_test_setup(takes_from_the_top, fresh),
		cmocka_unit_test_setup(takes_a_given_place, fresh),
		cmocka_unit_test_setup(refuses_odd_requests, fresh),
		cmocka_unit_test_setup(reserves_every_overlap, fresh),
		cmocka_unit_test_setup(full_lists_stay_safe, fresh),
		cmocka_unit_test_setup(add_fails_closed, fresh),
		cmocka_unit_test_setup(page_zero_is_never_given, fresh),
		cmocka_unit_test_setup(kept_memory_is_zero_and_counted, fresh),
		cmocka_unit_test_setup(says_what_lacked_memory, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
