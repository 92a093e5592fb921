/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv/mem/gmap.c over the host's entry format and TLB model: sizes of leaves, limits, overlaps, unmapping. Host-physical
 * addresses are numbers here: nothing reads what they point to.
 */
#include "support.h"

#include <stdlib.h>

#include "camber/arch/stage2.h"
#include "camber/errno.h"

#define KIB UINT64_C(0x400)
#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define RW (GMAP_R | GMAP_W)

static struct gmap map;

static int begin(void **state)
{
	(void)state;
	gmap_init(&map, 1, 40);
	host_stage2_watch(&map);
	return 0;
}

/* Whatever a test did, the tables and the TLB are in order. */
static int end(void **state)
{
	(void)state;
	host_stage2_check(&map);
	host_stage2_forget(&map);
	if (host_violations())
		return -1;
	return 0;
}

static void expect_at(uint64_t at, uint64_t pa, unsigned int prot, uint64_t span)
{
	hpa_t got = { 0 };
	unsigned int got_prot = 0;
	uint64_t got_span = 0;

	assert_true(gmap_lookup(&map, gpa(at), &got, &got_prot, &got_span));
	assert_int_equal(got.addr, pa);
	assert_int_equal(got_prot, prot);
	assert_int_equal(got_span, span);
}

static void expect_nothing(uint64_t at)
{
	hpa_t got;
	unsigned int prot;
	uint64_t span;

	assert_false(gmap_lookup(&map, gpa(at), &got, &prot, &span));
}

static void roots_follow_the_address_size(void **state)
{
	static const struct {
		unsigned int bits, levels, pages;
	} cases[] = { { 32, 3, 1 }, { 36, 3, 1 },  { 39, 3, 1 }, { 40, 3, 2 },
		      { 42, 3, 8 }, { 43, 3, 16 }, { 44, 4, 1 }, { 48, 4, 1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct gmap m;
		hpa_t pa;
		unsigned int prot;
		uint64_t span;
		uint64_t last = (UINT64_C(1) << cases[i].bits) - PAGE_SIZE;

		gmap_init(&m, 7, cases[i].bits);
		host_stage2_watch(&m);
		assert_int_equal(m.levels, cases[i].levels);
		assert_int_equal(m.root_pages, cases[i].pages);
		assert_true(IS_ALIGNED((uintptr_t)m.root, cases[i].pages * PAGE_SIZE));
		/* First and last page of the space are different ones, and nothing lies behind. */
		assert_int_equal(gmap_map(&m, gpa(0), hpa(0x1000), PAGE_SIZE, GMAP_R), 0);
		assert_int_equal(gmap_map(&m, gpa(last), hpa(0x2000), PAGE_SIZE, GMAP_R), 0);
		assert_true(gmap_lookup(&m, gpa(0), &pa, &prot, &span));
		assert_int_equal(pa.addr, 0x1000);
		assert_true(gmap_lookup(&m, gpa(last), &pa, &prot, &span));
		assert_int_equal(pa.addr, 0x2000);
		assert_false(gmap_lookup(&m, gpa(last + PAGE_SIZE), &pa, &prot, &span));
		assert_false(gmap_lookup(&m, gpa(UINT64_MAX), &pa, &prot, &span));
		assert_int_equal(gmap_map(&m, gpa(last), hpa(0x2000), 2 * PAGE_SIZE, GMAP_R), -EINVAL);
		host_stage2_check(&m);
		host_stage2_forget(&m);
	}
}

static void takes_the_largest_leaves(void **state)
{
	(void)state;
	/* 1 page, 511 pages to 2 MiB, blocks of 2 MiB to 1 GiB, 1 GiB, and the same down again. */
	uint64_t start = GIB - 2 * MIB - 4 * KIB;
	uint64_t bytes = 4 * KIB + 2 * MIB + GIB + 2 * MIB + 4 * KIB;
	uint64_t pa = 8 * GIB + start;

	assert_int_equal(gmap_map(&map, gpa(start), hpa(pa), bytes, RW), 0);
	expect_nothing(start - 1);
	expect_at(start, pa, RW, 4 * KIB);
	expect_at(start + 1, pa + 1, RW, 4 * KIB - 1);
	expect_at(start + 4 * KIB, pa + 4 * KIB, RW, 2 * MIB);
	expect_at(GIB, 9 * GIB, RW, GIB);
	expect_at(GIB + 12345678, 9 * GIB + 12345678, RW, GIB - 12345678);
	expect_at(2 * GIB + 1 * MIB, 10 * GIB + 1 * MIB, RW, 1 * MIB);
	expect_at(2 * GIB + 2 * MIB, 10 * GIB + 2 * MIB, RW, 4 * KIB);
	expect_nothing(start + bytes);
}

static void alignment_of_both_sides_counts(void **state)
{
	(void)state;
	assert_int_equal(gmap_map(&map, gpa(4 * MIB), hpa(8 * GIB + 4 * KIB), 2 * MIB, RW), 0);
	expect_at(4 * MIB, 8 * GIB + 4 * KIB, RW, 4 * KIB);
	expect_at(6 * MIB - 4 * KIB, 8 * GIB + 2 * MIB, RW, 4 * KIB);
	expect_nothing(6 * MIB);
}

static void keeps_rights(void **state)
{
	(void)state;
	assert_int_equal(gmap_map(&map, gpa(0), hpa(GIB), 4 * KIB, GMAP_R | GMAP_X), 0);
	assert_int_equal(gmap_map(&map, gpa(4 * KIB), hpa(2 * GIB), 4 * KIB, RW | GMAP_DEVICE), 0);
	expect_at(0, GIB, GMAP_R | GMAP_X, 4 * KIB);
	expect_at(4 * KIB, 2 * GIB, RW | GMAP_DEVICE, 4 * KIB);
}

static void refuses_bad_ranges(void **state)
{
	(void)state;
	assert_int_equal(gmap_map(&map, gpa(1), hpa(0), 4 * KIB, RW), -EINVAL);
	assert_int_equal(gmap_map(&map, gpa(0), hpa(2048), 4 * KIB, RW), -EINVAL);
	assert_int_equal(gmap_map(&map, gpa(0), hpa(0), 4 * KIB + 1, RW), -EINVAL);
	assert_int_equal(gmap_map(&map, gpa(0), hpa(0), 0, RW), -EINVAL);
	assert_int_equal(gmap_map(&map, gpa(map.limit), hpa(0), 4 * KIB, RW), -EINVAL);
	assert_int_equal(gmap_map(&map, gpa(map.limit - 4 * KIB), hpa(0), 8 * KIB, RW), -EINVAL);
	assert_int_equal(gmap_map(&map, gpa(4 * KIB), hpa(0), 0 - 4 * KIB, RW), -EINVAL);
	assert_int_equal(gmap_map(&map, gpa(0 - 4 * KIB), hpa(0), 8 * KIB, RW), -EINVAL);
	assert_int_equal(gmap_map(&map, gpa(0), hpa(0 - 4 * KIB), 8 * KIB, RW), -EINVAL);
	assert_int_equal(gmap_unmap(&map, gpa(1), 4 * KIB), -EINVAL);
	assert_int_equal(gmap_unmap(&map, gpa(0), 0), -EINVAL);
	assert_int_equal(gmap_unmap(&map, gpa(4 * KIB), 0 - 4 * KIB), -EINVAL);
	assert_int_equal(gmap_unmap(&map, gpa(map.limit), 4 * KIB), -EINVAL);
	expect_nothing(0);
}

static void overlaps_change_nothing(void **state)
{
	(void)state;
	assert_int_equal(gmap_map(&map, gpa(4 * MIB), hpa(GIB), 2 * MIB, RW), 0);
	assert_int_equal(gmap_map(&map, gpa(4 * MIB), hpa(GIB), 2 * MIB, RW), -EEXIST);
	assert_int_equal(gmap_map(&map, gpa(4 * MIB + 4 * KIB), hpa(3 * GIB), 4 * KIB, RW), -EEXIST);
	assert_int_equal(gmap_map(&map, gpa(0), hpa(0), GIB, RW), -EEXIST);
	/* The collision comes last: what lies before it must not stay. */
	assert_int_equal(gmap_map(&map, gpa(4 * MIB - 4 * KIB), hpa(3 * GIB), 8 * KIB, RW), -EEXIST);
	expect_nothing(4 * MIB - 4 * KIB);
	expect_at(4 * MIB, GIB, RW, 2 * MIB);
}

static void unmaps_exactly(void **state)
{
	hpa_t pa;
	unsigned int prot;

	(void)state;
	assert_int_equal(gmap_map(&map, gpa(0), hpa(GIB), 64 * KIB, RW), 0);
	assert_int_equal(gmap_unmap(&map, gpa(8 * KIB), 4 * KIB), 0);
	expect_at(4 * KIB, GIB + 4 * KIB, RW, 4 * KIB);
	expect_nothing(8 * KIB);
	assert_false(host_stage2_access(&map, gpa(8 * KIB), &pa, &prot));
	expect_at(12 * KIB, GIB + 12 * KIB, RW, 4 * KIB);
	/* Holes don't matter. */
	assert_int_equal(gmap_unmap(&map, gpa(0), GIB), 0);
	expect_nothing(12 * KIB);
	/* And the place can be used again, for other memory, at once. */
	assert_int_equal(gmap_map(&map, gpa(8 * KIB), hpa(5 * GIB), 8 * KIB, GMAP_R), 0);
	expect_at(8 * KIB, 5 * GIB, GMAP_R, 4 * KIB);
}

static void blocks_are_not_split(void **state)
{
	(void)state;
	assert_int_equal(gmap_map(&map, gpa(2 * MIB), hpa(GIB), 4 * MIB, RW), 0);
	assert_int_equal(gmap_unmap(&map, gpa(2 * MIB), 4 * KIB), -EINVAL);
	assert_int_equal(gmap_unmap(&map, gpa(3 * MIB), 1 * MIB), -EINVAL);
	assert_int_equal(gmap_unmap(&map, gpa(2 * MIB), 3 * MIB), -EINVAL);
	assert_int_equal(gmap_unmap(&map, gpa(3 * MIB), 3 * MIB), -EINVAL);
	expect_at(2 * MIB, GIB, RW, 2 * MIB);
	expect_at(4 * MIB, GIB + 2 * MIB, RW, 2 * MIB);
	assert_int_equal(gmap_unmap(&map, gpa(4 * MIB), 2 * MIB), 0);
	expect_at(2 * MIB, GIB, RW, 2 * MIB);
	expect_nothing(4 * MIB);
}

/* More entries than are invalidated one by one. */
static void unmaps_many(void **state)
{
	(void)state;
	assert_int_equal(gmap_map(&map, gpa(4 * KIB), hpa(GIB), 1 * MIB, RW), 0);
	assert_int_equal(gmap_unmap(&map, gpa(0), 2 * MIB), 0);
	for (uint64_t at = 0; at < 2 * MIB; at += 4 * KIB)
		expect_nothing(at);
	assert_int_equal(gmap_map(&map, gpa(0), hpa(GIB), 2 * MIB, RW), 0);
}

/* Random requests against a table of pages that says what must be so. */
static void random_requests(void **state)
{
	enum { PAGES = 4096 };
	static uint64_t model[PAGES]; /* host address + 1, 0: unmapped */
	unsigned int seed = 1;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		unsigned int first = (unsigned int)rand_r(&seed) % PAGES;
		unsigned int count = 1u << ((unsigned int)rand_r(&seed) % 11);
		bool aligned = rand_r(&seed) & 1;
		bool any = false;
		uint64_t pa;
		int err;

		if (aligned)
			first &= ~511u;
		count = MIN(count, PAGES - first);
		pa = ((uint64_t)(rand_r(&seed) & 0xffff) << 21) +
		     (aligned ? first : (unsigned int)rand_r(&seed) % 512) * PAGE_SIZE;
		for (unsigned int i = first; i < first + count; i++) {
			any |= model[i] != 0;
		}
		if (rand_r(&seed) & 1) {
			err = gmap_map(&map, gpa(first * PAGE_SIZE), hpa(pa), count * PAGE_SIZE, RW);
			assert_int_equal(err, any ? -EEXIST : 0);
			for (unsigned int i = 0; !err && i < count; i++)
				model[first + i] = pa + i * PAGE_SIZE + 1;
		} else {
			err = gmap_unmap(&map, gpa(first * PAGE_SIZE), count * PAGE_SIZE);
			assert_true(err == 0 || (err == -EINVAL && any));
			for (unsigned int i = 0; !err && i < count; i++)
				model[first + i] = 0;
		}
		for (unsigned int i = 0; i < PAGES; i += 1 + (unsigned int)rand_r(&seed) % 64) {
			hpa_t got = { 0 };
			unsigned int prot;

			assert_int_equal(host_stage2_access(&map, gpa(i * PAGE_SIZE), &got, &prot), model[i] != 0);
			assert_true(model[i] == 0 || got.addr == model[i] - 1);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(roots_follow_the_address_size, begin, end),
		cmocka_unit_test_setup_teardown(takes_the_largest_leaves, begin, end),
		cmocka_unit_test_setup_teardown(alignment_of_both_sides_counts, begin, end),
		cmocka_unit_test_setup_teardown(keeps_rights, begin, end),
		cmocka_unit_test_setup_teardown(refuses_bad_ranges, begin, end),
		cmocka_unit_test_setup_teardown(overlaps_change_nothing, begin, end),
		cmocka_unit_test_setup_teardown(unmaps_exactly, begin, end),
		cmocka_unit_test_setup_teardown(blocks_are_not_split, begin, end),
		cmocka_unit_test_setup_teardown(unmaps_many, begin, end),
		cmocka_unit_test_setup_teardown(random_requests, begin, end),
	};

	unit_memory(16 * MIB);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
