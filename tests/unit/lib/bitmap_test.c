/* SPDX-License-Identifier: Apache-2.0 */
/* hv/lib/bitmap.c, hv/lib/crc32.c and the inline list of camber/lib.h. */
#include "support.h"

#include "camber/lib.h"

static unsigned int slow_next(const uint64_t *map, unsigned int bits, unsigned int from)
{
	for (unsigned int i = from; i < bits; i++)
		if (bitmap_test(map, i))
			return i;
	return bits;
}

static void finds_every_bit(void **state)
{
	uint64_t map[3];

	(void)state;
	for (unsigned int set = 0; set < 192; set++)
		for (unsigned int bits = 1; bits <= 192; bits += bits % 64 < 62 ? 21 : 1) {
			map[0] = map[1] = map[2] = 0;
			bitmap_set(map, set);
			for (unsigned int from = 0; from <= 193; from++)
				assert_int_equal(bitmap_next(map, bits, from),
						 from > bits ? bits : slow_next(map, bits, from));
			bitmap_clear(map, set);
			assert_int_equal(map[set / 64], 0);
		}
}

/* The word behind the last bit isn't touched: the sanitizer watches the allocation's end. */
static void reads_no_word_too_many(void **state)
{
	uint64_t *map = test_calloc(2, sizeof(*map));

	(void)state;
	assert_int_equal(bitmap_next(map, 128, 0), 128);
	assert_int_equal(bitmap_next(map, 65, 64), 65);
	assert_int_equal(bitmap_next(map, 0, 0), 0);
	test_free(map);
}

static void crc_check_values(void **state)
{
	static const char text[] = "123456789";
	uint32_t crc = 0;

	(void)state;
	assert_int_equal(crc32(0, text, 9), 0xcbf43926); /* the check value of CRC-32/ISO-HDLC */
	assert_int_equal(crc32(0, "", 0), 0);
	for (int i = 0; i < 9; i++)
		crc = crc32(crc, &text[i], 1);
	assert_int_equal(crc, 0xcbf43926);
}

struct item {
	int value;
	struct list node;
};

static void lists(void **state)
{
	struct item a = { .value = 1 }, b = { .value = 2 }, c = { .value = 3 };
	struct list head;
	int order = 0;

	(void)state;
	list_init(&head);
	assert_true(list_empty(&head));
	list_add_tail(&b.node, &head);
	list_add_tail(&c.node, &head);
	list_add_head(&a.node, &head);
	for (struct list *l = head.next; l != &head; l = l->next)
		order = order * 10 + list_entry(l, struct item, node)->value;
	assert_int_equal(order, 123);
	list_del(&b.node);
	list_del(&b.node); /* a second time is harmless */
	assert_true(list_empty(&b.node));
	assert_ptr_equal(a.node.next, &c.node);
	assert_ptr_equal(c.node.prev, &a.node);
	list_del(&a.node);
	list_del(&c.node);
	assert_true(list_empty(&head));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_every_bit),
		cmocka_unit_test(reads_no_word_too_many),
		cmocka_unit_test(crc_check_values),
		cmocka_unit_test(lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
