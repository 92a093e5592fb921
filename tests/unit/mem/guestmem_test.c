/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv/mem/guestmem.c: a guest with two RAM ranges that are not contiguous in host memory, a ROM, a device and holes.
 *
 *   0x0000_0000  ROM     2 pages, read and execute
 *   0x0900_0000  device  1 page
 *   0x4000_0000  RAM     2 MiB block, then 3 pages that lie elsewhere in reverse order
 *   0x5000_0000  RAM     1 page, and behind it 1 page of ROM
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "camber/arch/cache.h"
#include "camber/errno.h"
#include "camber/guestmem.h"
#include "camber/lib.h"

#define MIB UINT64_C(0x100000)
#define ROM UINT64_C(0)
#define DEVICE UINT64_C(0x09000000)
#define RAM UINT64_C(0x40000000)
#define TAIL (RAM + 2 * MIB)
#define MIXED UINT64_C(0x50000000)
#define RAM_END (TAIL + 3 * PAGE_SIZE)

static struct gmap map;
static unsigned char *rom, *device, *block, *tail[3], *mixed;

static int begin(void **state)
{
	hpa_t pages = host_ram_add(8 * PAGE_SIZE);
	hpa_t pa = host_ram_add(2 * MIB);

	(void)state;
	gmap_init(&map, 1, 40);
	host_stage2_watch(&map);
	rom = hpa_to_ptr(pages);
	device = rom + 2 * PAGE_SIZE;
	block = hpa_to_ptr(pa);
	if (gmap_map(&map, gpa(ROM), pages, 2 * PAGE_SIZE, GMAP_R | GMAP_X) ||
	    gmap_map(&map, gpa(DEVICE), ptr_to_hpa(device), PAGE_SIZE, GMAP_R | GMAP_W | GMAP_DEVICE) ||
	    gmap_map(&map, gpa(RAM), pa, 2 * MIB, GMAP_R | GMAP_W | GMAP_X))
		return -1;
	mixed = device + 4 * PAGE_SIZE;
	if (gmap_map(&map, gpa(MIXED), ptr_to_hpa(mixed), PAGE_SIZE, GMAP_R | GMAP_W) ||
	    gmap_map(&map, gpa(MIXED + PAGE_SIZE), ptr_to_hpa(mixed + PAGE_SIZE), PAGE_SIZE, GMAP_R))
		return -1;
	for (unsigned int i = 0; i < 3; i++) {
		tail[i] = device + (3 - i) * PAGE_SIZE;
		if (gmap_map(&map, gpa(TAIL + i * PAGE_SIZE), ptr_to_hpa(tail[i]), PAGE_SIZE, GMAP_R | GMAP_W))
			return -1;
	}
	return 0;
}

static int end(void **state)
{
	(void)state;
	host_stage2_check(&map);
	return host_violations() ? -1 : 0;
}

static unsigned char out[3 * 4096], in[3 * 4096];

static void fill_in(void)
{
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (unsigned char)(i * 31 + i / 251);
}

static void copies_over_page_borders(void **state)
{
	(void)state;
	fill_in();
	/* Every crossing from the block into the pages behind it, and from page to page. */
	for (size_t before = 0; before < 20; before++)
		for (size_t n = 0; n < 40; n++) {
			memset(block + 2 * MIB - 64, 0xcc, 64);
			memset(tail[0], 0xcc, 64);
			assert_int_equal(guestmem_write(&map, gpa(TAIL - before), in, n), 0);
			for (size_t i = 0; i < n; i++)
				assert_int_equal(i < before ? block[2 * MIB - before + i] : tail[0][i - before], in[i]);
			assert_int_equal(block[2 * MIB - before - 1], 0xcc);
			assert_int_equal(n < before ? block[2 * MIB - before + n] : tail[0][n - before], 0xcc);
			memset(out, 0xdd, sizeof(out));
			assert_int_equal(guestmem_read(&map, out, gpa(TAIL - before), n), 0);
			assert_memory_equal(out, in, n);
			assert_int_equal(out[n], 0xdd);
		}
	assert_int_equal(guestmem_write(&map, gpa(TAIL + 1), in, 3 * PAGE_SIZE - 1), 0);
	assert_memory_equal(tail[1], in + PAGE_SIZE - 1, PAGE_SIZE);
	assert_memory_equal(tail[2], in + 2 * PAGE_SIZE - 1, PAGE_SIZE);
	assert_int_equal(guestmem_read(&map, out, gpa(TAIL), 3 * PAGE_SIZE), 0);
	assert_memory_equal(out + 1, in, 3 * PAGE_SIZE - 1);
}

static void rom_is_not_written(void **state)
{
	(void)state;
	memset(rom, 0x11, 2 * PAGE_SIZE);
	assert_int_equal(guestmem_write(&map, gpa(ROM), "x", 1), -EFAULT);
	assert_int_equal(rom[0], 0x11);
	assert_int_equal(guestmem_read(&map, out, gpa(ROM + PAGE_SIZE - 2), 4), 0);
	assert_memory_equal(out, "\x11\x11\x11\x11", 4);
}

static void devices_are_not_memory(void **state)
{
	(void)state;
	device[0] = 0x22;
	assert_int_equal(guestmem_read(&map, out, gpa(DEVICE), 1), -EFAULT);
	assert_int_equal(guestmem_write(&map, gpa(DEVICE), "x", 1), -EFAULT);
	assert_int_equal(guestmem_load(&map, gpa(DEVICE), "x", 1, NULL), -EFAULT);
	assert_int_equal(device[0], 0x22);
}

/* Nothing is written when the last byte is out of bounds. */
static void all_or_nothing(void **state)
{
	(void)state;
	tail[2][PAGE_SIZE - 1] = 0x33;
	tail[2][PAGE_SIZE - 2] = 0x33;
	assert_int_equal(guestmem_write(&map, gpa(RAM_END - 2), "abc", 3), -EFAULT);
	assert_int_equal(guestmem_load(&map, gpa(RAM_END - 2), "abc", 3, NULL), -EFAULT);
	assert_int_equal(guestmem_load(&map, gpa(RAM_END - 2), NULL, 3, NULL), -EFAULT);
	assert_int_equal(tail[2][PAGE_SIZE - 2], 0x33);
	assert_int_equal(tail[2][PAGE_SIZE - 1], 0x33);
	mixed[PAGE_SIZE - 1] = 0x44;
	assert_int_equal(guestmem_write(&map, gpa(MIXED + PAGE_SIZE - 1), "ab", 2), -EFAULT);
	assert_int_equal(mixed[PAGE_SIZE - 1], 0x44);
	assert_int_equal(guestmem_read(&map, out, gpa(MIXED + PAGE_SIZE - 1), 2), 0);
	assert_int_equal(guestmem_write(&map, gpa(RAM_END - 2), "ab", 2), 0);
	assert_int_equal(guestmem_read(&map, out, gpa(RAM_END - 1), 2), -EFAULT);
	assert_int_equal(guestmem_read(&map, out, gpa(RAM_END), 1), -EFAULT);
	assert_int_equal(guestmem_read(&map, out, gpa(RAM - 1), 2), -EFAULT);
	assert_int_equal(guestmem_write(&map, gpa(RAM - 1), "ab", 2), -EFAULT);
	assert_int_equal(guestmem_read(&map, out, gpa(2 * PAGE_SIZE - 1), 2), -EFAULT);
}

static void addresses_do_not_wrap(void **state)
{
	(void)state;
	assert_int_equal(guestmem_read(&map, out, gpa(UINT64_MAX), 1), -EFAULT);
	assert_int_equal(guestmem_read(&map, out, gpa(UINT64_MAX), 2), -EFAULT);
	assert_int_equal(guestmem_read(&map, out, gpa(RAM), SIZE_MAX), -EFAULT);
	assert_int_equal(guestmem_write(&map, gpa(UINT64_MAX - 1), "abcd", 4), -EFAULT);
	assert_int_equal(guestmem_write(&map, gpa(RAM), "abcd", SIZE_MAX), -EFAULT);
	assert_int_equal(guestmem_load(&map, gpa(UINT64_MAX - 1), "abcd", 4, NULL), -EFAULT);
	assert_int_equal(guestmem_load(&map, gpa(RAM), NULL, SIZE_MAX - RAM + 1, NULL), -EFAULT);
	assert_int_equal(guestmem_read(&map, out, gpa(map.limit), 1), -EFAULT);
	/* Nothing at nowhere is no access. */
	assert_int_equal(guestmem_read(&map, out, gpa(UINT64_MAX), 0), 0);
	assert_int_equal(guestmem_write(&map, gpa(0x123), in, 0), 0);
}

static void expect_clean(uint64_t block_bytes)
{
	host_check_clean(ptr_to_hpa(rom), 8 * PAGE_SIZE);
	host_check_clean(ptr_to_hpa(block), block_bytes);
	host_check_icache();
	assert_int_equal(host_violations(), 0);
}

/* What tests wrote by other ways than guestmem_load() isn't looked at. */
static void sync(uint64_t block_bytes)
{
	arch_cache_clean(rom, 8 * PAGE_SIZE);
	arch_cache_clean(block, block_bytes);
	arch_icache_flush();
}

static void loads_any_alignment(void **state)
{
	(void)state;
	fill_in();
	sync(PAGE_SIZE);
	for (size_t d = 0; d < 70; d += 3)
		for (size_t s = 0; s < 16; s++)
			for (size_t n = 0; n < 300; n += 1 + n / 16) {
				uint32_t crc = 0;

				memset(block, 0xcc, 512);
				sync(PAGE_SIZE);
				assert_int_equal(guestmem_load(&map, gpa(RAM + d), in + s, n, &crc), 0);
				assert_int_equal(crc, crc32(0, in + s, n));
				assert_memory_equal(block + d, in + s, n);
				assert_int_equal(block[d + n], 0xcc);
				assert_true(d == 0 || block[d - 1] == 0xcc);
				expect_clean(PAGE_SIZE);
				assert_int_equal(guestmem_load(&map, gpa(RAM + d), NULL, n, NULL), 0);
				for (size_t i = 0; i < n; i++)
					assert_int_equal(block[d + i], 0);
				assert_int_equal(block[d + n], 0xcc);
				assert_true(d == 0 || block[d - 1] == 0xcc);
				expect_clean(PAGE_SIZE);
			}
}

static void loads_rom_and_over_borders(void **state)
{
	uint32_t crc = 0;

	(void)state;
	fill_in();
	sync(2 * MIB);
	assert_int_equal(guestmem_load(&map, gpa(ROM + 5), in, 2 * PAGE_SIZE - 5, &crc), 0);
	assert_memory_equal(rom + 5, in, 2 * PAGE_SIZE - 5);
	assert_int_equal(crc, crc32(0, in, 2 * PAGE_SIZE - 5));
	assert_int_equal(host_memory_byte(ptr_to_hpa(rom + 5)), in[0]);
	/* A sum is carried on from piece to piece. */
	crc = 0;
	assert_int_equal(guestmem_load(&map, gpa(TAIL - 100), in, 5000, &crc), 0);
	assert_int_equal(guestmem_load(&map, gpa(TAIL + 4900), in + 5000, 3000, &crc), 0);
	assert_int_equal(crc, crc32(0, in, 8000));
	assert_int_equal(guestmem_read(&map, out, gpa(TAIL - 100), 8000), 0);
	assert_memory_equal(out, in, 8000);
	expect_clean(2 * MIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_over_page_borders),   cmocka_unit_test(rom_is_not_written),
		cmocka_unit_test(devices_are_not_memory),     cmocka_unit_test(all_or_nothing),
		cmocka_unit_test(addresses_do_not_wrap),      cmocka_unit_test(loads_any_alignment),
		cmocka_unit_test(loads_rom_and_over_borders),
	};

	unit_memory(MIB);
	return cmocka_run_group_tests(tests, begin, end);
}
