/* SPDX-License-Identifier: Apache-2.0 */
/* The bundle file: its fields, its checksums, that damage is noticed, and the joined image. */
#include "helper.h"

#include <stdlib.h>
#include <string.h>

#define TWO_VMS                                                                                                        \
	ROOT(VM(2, BASIC("ivi") "kernel = \"linux\"; initrd = \"initrd\"; pcpu-masks = <3>;")                          \
		     VM(1, "label = \"rtos\"; cpus = <2>; pcpus = <1 2>; memory-mib = <16>; kernel = \"rtos.elf\";"    \
			   "on-crash = \"restart\"; watchdog-ms = <7>;"))

static const struct bundle_vm *vm_at(const uint8_t *bundle, uint32_t i)
{
	return (const struct bundle_vm *)(const void *)(bundle + ((const struct bundle_header *)(const void *)bundle)
									 ->vm_offset) +
	       i;
}

static const struct bundle_load *load_at(const uint8_t *bundle, uint32_t i)
{
	const struct bundle_header *header = (const void *)bundle;

	return (const struct bundle_load *)(const void *)(bundle + header->load_offset) + i;
}

/* A second opinion on the checksum: bit by bit, as IEEE 802.3 writes it, and its well-known check value. */
static uint32_t slow_crc(const uint8_t *data, size_t bytes)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < bytes; i++)
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (((crc ^ data[i] >> bit) & 1) ? UINT32_C(0xedb88320) : 0);
	return ~crc;
}

static void checksum(void **state)
{
	(void)state;
	assert_int_equal(crc32(0, "123456789", 9), 0xcbf43926);
	assert_int_equal(crc32(crc32(0, "1234", 4), "56789", 5), 0xcbf43926);
	assert_int_equal(slow_crc((const uint8_t *)"123456789", 9), 0xcbf43926);
}

static void layout(void **state)
{
	struct mkbundle *m = *state;
	const struct bundle_header *header;
	const struct bundle_vm *vm;
	uint8_t *bundle;
	uint8_t *head;
	size_t bytes;

	assert_int_equal(helper_pack(m, TWO_VMS, &bundle, &bytes), 0);
	header = (const void *)bundle;
	assert_memory_equal(bundle, "CMBR", 4);
	assert_int_equal(header->version, BUNDLE_VERSION);
	assert_int_equal(header->total_bytes, bytes);
	assert_int_equal(bytes % BUNDLE_ALIGN, 0);
	assert_int_equal(header->vm_count, 2);
	assert_int_equal(header->load_count, 5);
	assert_string_equal(header->profile, "test");
	head = malloc(header->head_bytes);
	assert_non_null(head);
	memcpy(head, bundle, header->head_bytes);
	memset(head + offsetof(struct bundle_header, header_crc), 0, 4);
	assert_int_equal(header->header_crc, slow_crc(head, header->head_bytes));
	free(head);
	for (uint32_t i = 0; i < header->load_count; i++)
		assert_int_equal(load_at(bundle, i)->crc,
				 slow_crc(bundle + load_at(bundle, i)->offset, load_at(bundle, i)->file_bytes));

	vm = vm_at(bundle, 0); /* start order is the file's, the number is the node's */
	assert_string_equal(vm->label, "ivi");
	assert_int_equal(vm->id, 2);
	assert_int_equal(vm->pcpu_mask[0], 3);
	assert_int_equal(vm->entry_ipa, 0x40200000);
	assert_int_equal(vm->arg0, 0x40000000);
	assert_int_equal(vm->mem_count, 1);
	assert_int_equal(vm->mem[0].bytes, 64 * MIB);
	assert_int_equal(vm->load_count, 3);
	assert_int_equal(load_at(bundle, 0)->offset % BUNDLE_ALIGN, 0);
	assert_memory_equal(bundle + load_at(bundle, 0)->offset, "MZ", 2);
	vm = vm_at(bundle, 1);
	assert_string_equal(vm->label, "rtos");
	assert_int_equal(vm->id, 1);
	assert_int_equal(vm->pcpu_mask[0], 2);
	assert_int_equal(vm->pcpu_mask[1], 4);
	assert_int_equal(vm->pcpu_mask[2], 0);
	assert_int_equal(vm->load_first, 3);
	assert_int_equal(vm->on_crash, BUNDLE_ON_RESTART);
	assert_int_equal(vm->watchdog_ms, 7);
	assert_int_equal(vm->entry_ipa, TEST_ELF_BASE + 8);
	assert_int_equal(load_at(bundle, 3)->mem_bytes, 9000);
}

/* What a VM's life is ruled by arrives as it was said; defaults are zeroes. */
static void life(void **state)
{
	struct mkbundle *m = *state;
	const struct bundle_vm *vm;
	uint8_t *bundle;
	size_t bytes;

	assert_int_equal(helper_pack_vm(m,
					BASIC("a") "kernel = \"linux\"; on-crash = \"restart\"; watchdog-ms = <11>;"
						   "watchdog-boot-ms = <12>; start-delay-ms = <13>;"
						   "restart-delay-ms = <14>; crash-limit = <15>;",
					&bundle, &bytes),
			 0);
	vm = vm_at(bundle, 0);
	assert_int_equal(vm->watchdog_ms, 11);
	assert_int_equal(vm->watchdog_boot_ms, 12);
	assert_int_equal(vm->start_delay_ms, 13);
	assert_int_equal(vm->restart_delay_ms, 14);
	assert_int_equal(vm->crash_limit, 15);
	assert_int_equal(helper_pack_vm(m, BASIC("a") "kernel = \"linux\";", &bundle, &bytes), 0);
	vm = vm_at(bundle, 0);
	assert_int_equal(vm->watchdog_ms | vm->watchdog_boot_ms | vm->start_delay_ms | vm->restart_delay_ms, 0);
	assert_int_equal(vm->crash_limit | vm->device_count | vm->reserved, 0);
	assert_int_equal(vm->mem[0].flags, 0);
	assert_int_equal(vm->mem[0].hpa, 0);
}

/* Zeroes of 'scrub' need no bytes in the file. */
static void zeroes(void **state)
{
	struct mkbundle *m = *state;
	uint8_t *bundle;
	size_t without;
	size_t bytes;

	assert_int_equal(helper_pack_vm(m, BASIC("a") "kernel = \"linux\";", &bundle, &without), 0);
	assert_int_equal(helper_pack_vm(m, BASIC("a") "kernel = \"linux\"; scrub;", &bundle, &bytes), 0);
	assert_int_equal(bytes, without);
	assert_int_equal(vm_at(bundle, 0)->load_count, 4);
	for (uint32_t i = 2; i < 4; i++) {
		assert_int_equal(load_at(bundle, i)->file_bytes, 0);
		assert_int_equal(load_at(bundle, i)->crc, 0);
		assert_int_not_equal(load_at(bundle, i)->mem_bytes, 0);
	}
	assert_int_equal(bundle_check(m, "b", bundle, bytes), 0);
}

static void any_pcpu(void **state)
{
	struct mkbundle *m = *state;
	uint8_t *bundle;
	size_t bytes;

	assert_int_equal(helper_pack_vm(m, "label = \"a\"; cpus = <8>; memory-mib = <16>; kernel = \"rtos.elf\";",
					&bundle, &bytes),
			 0);
	for (uint32_t i = 0; i < 8; i++)
		assert_int_equal(vm_at(bundle, 0)->pcpu_mask[i], BUNDLE_PCPU_ANY);
	assert_int_equal(
		helper_pack_vm(m, "label = \"a\"; cpus = <8>; pcpus = <31>; memory-mib = <16>; kernel = \"rtos.elf\";",
			       &bundle, &bytes),
		0);
	for (uint32_t i = 0; i < 8; i++)
		assert_int_equal(vm_at(bundle, 0)->pcpu_mask[i], UINT32_C(1) << 31);
}

/* Equal images are in the file once, whatever their names; the same profile gives the same bytes. */
static void shared_and_reproducible(void **state)
{
	struct mkbundle *m = *state;
	static uint8_t image[TEST_LINUX_BYTES];
	uint8_t *first;
	uint8_t *second;
	size_t first_bytes;
	size_t second_bytes;
	FILE *file = fopen(helper_path(m, "linux"), "rb");

	assert_non_null(file);
	assert_int_equal(fread(image, 1, sizeof(image), file), sizeof(image));
	fclose(file);
	helper_put(m, "copy", image, sizeof(image));
	assert_int_equal(
		helper_pack(m, ROOT(VM(1, BASIC("a") "kernel = \"linux\";") VM(2, BASIC("b") "kernel = \"copy\";")),
			    &first, &first_bytes),
		0);
	assert_int_equal(load_at(first, 0)->offset, load_at(first, 2)->offset);
	/* One kernel of 5000 bytes, one tree (they are equal, too), one page of tables. */
	assert_int_equal(first_bytes, 4096 + 8192 + 4096);
	assert_int_equal(
		helper_pack(m, ROOT(VM(1, BASIC("a") "kernel = \"linux\";") VM(2, BASIC("b") "kernel = \"copy\";")),
			    &second, &second_bytes),
		0);
	assert_int_equal(first_bytes, second_bytes);
	assert_memory_equal(first, second, first_bytes);
}

static void check_accepts(void **state)
{
	struct mkbundle *m = *state;
	uint8_t *bundle;
	size_t bytes;

	assert_int_equal(helper_pack(m, TWO_VMS, &bundle, &bytes), 0);
	assert_int_equal(bundle_check(m, "b", bundle, bytes), 0);
	helper_expect_error(m, bundle_check(m, "b", bundle, bytes - 1), "its header says", NULL);
	helper_expect_error(m, bundle_check(m, "b", bundle, 50), "shorter", NULL);
}

/* Any single bit flipped in what counts is noticed (padding between images does not count). */
static void check_notices(void **state)
{
	struct mkbundle *m = *state;
	const struct bundle_header *header;
	uint8_t *bundle;
	size_t bytes;

	assert_int_equal(helper_pack(m, TWO_VMS, &bundle, &bytes), 0);
	header = (const void *)bundle;
	for (size_t at = 0; at < header->head_bytes; at++) {
		bundle[at] ^= (uint8_t)(1 << at % 8);
		helper_expect_error(m, bundle_check(m, "b", bundle, bytes), "b: ", NULL);
		bundle[at] ^= (uint8_t)(1 << at % 8);
	}
	for (uint32_t i = 0; i < header->load_count; i++) {
		uint8_t *last = bundle + load_at(bundle, i)->offset + load_at(bundle, i)->file_bytes - 1;

		*last ^= 0x80;
		helper_expect_error(m, bundle_check(m, "b", bundle, bytes), "checksum", NULL);
		*last ^= 0x80;
	}
	assert_int_equal(bundle_check(m, "b", bundle, bytes), 0);
}

static void fix_header_crc(uint8_t *bundle)
{
	struct bundle_header *header = (void *)bundle;

	header->header_crc = 0;
	header->header_crc = slow_crc(bundle, header->head_bytes);
}

/* A right checksum does not make lengths and counts right. */
static void check_bounds(void **state)
{
	struct mkbundle *m = *state;
	struct bundle_header *header;
	struct bundle_load *load;
	struct bundle_load good_load;
	struct bundle_vm *vm;
	struct bundle_vm good_vm;
	uint8_t *bundle;
	size_t bytes;

	assert_int_equal(helper_pack(m, TWO_VMS, &bundle, &bytes), 0);
	header = (void *)bundle;
	load = (struct bundle_load *)(uintptr_t)load_at(bundle, 1);
	vm = (struct bundle_vm *)(uintptr_t)vm_at(bundle, 1);
	good_load = *load;
	good_vm = *vm;
#define EXPECT(change, word)                                                                                           \
	do {                                                                                                           \
		change;                                                                                                \
		fix_header_crc(bundle);                                                                                \
		helper_expect_error(m, bundle_check(m, "b", bundle, bytes), word, NULL);                               \
		*load = good_load;                                                                                     \
		*vm = good_vm;                                                                                         \
	} while (0)
	EXPECT(load->offset = UINT64_MAX, "outside the file");
	EXPECT(load->file_bytes = load->mem_bytes = UINT64_MAX, "outside the file");
	EXPECT(load->mem_bytes = 1, "outside the file");
	EXPECT(load->kind = 4, "outside the file");
	EXPECT(load->ipa = 0, "not in its memory");
	EXPECT(load->ipa = GUEST_RAM_BASE + 1024 * MIB, "not in its memory");
	EXPECT(load->mem_bytes = 1024 * MIB, "not in its memory");
	EXPECT(vm->load_count = 3, "out of range");
	EXPECT(vm->load_first = UINT32_MAX, "out of range");
	EXPECT(vm->vcpu_count = 9, "out of range");
	EXPECT(vm->mem_count = 5, "out of range");
	EXPECT(vm->device_count = 1, "out of range");
	EXPECT(vm->device_first = 1, "out of range");
	EXPECT(memset(vm->label, 'a', sizeof(vm->label)), "out of range");
#undef EXPECT
	header->total_bytes -= BUNDLE_ALIGN; /* more in the file than the bundle */
	fix_header_crc(bundle);
	helper_expect_error(m, bundle_check(m, "b", bundle, bytes), "its header says", NULL);
	header->total_bytes += BUNDLE_ALIGN;
	fix_header_crc(bundle);
	assert_int_equal(bundle_check(m, "b", bundle, bytes), 0);
}

static void join_image(void **state)
{
	struct mkbundle *m = *state;
	uint64_t image_size;
	uint8_t *bundle;
	uint8_t *image;
	size_t bundle_bytes;
	size_t image_bytes;

	assert_int_equal(helper_pack(m, TWO_VMS, &bundle, &bundle_bytes), 0);
	helper_put(m, "b", bundle, bundle_bytes);
	helper_put_linux(m, "camber.bin", 0, 0x6001, 0xa); /* 5000 bytes in the file, bss up to 0x6001 */
	assert_int_equal(image_join(m, helper_path(m, "camber.bin"), helper_path(m, "b"), &image, &image_bytes), 0);
	assert_int_equal(image_bytes, 0x7000 + bundle_bytes);
	memcpy(&image_size, image + 16, 8);
	assert_int_equal(image_size, image_bytes);
	assert_int_equal(image[TEST_LINUX_BYTES - 1], 0x5a);
	for (size_t at = TEST_LINUX_BYTES; at < 0x7000; at++)
		assert_int_equal(image[at], 0);
	assert_memory_equal(image + 0x7000, bundle, bundle_bytes);

	helper_put_linux(m, "small", 0, TEST_LINUX_BYTES - 1, 0);
	helper_expect_error(m, image_join(m, helper_path(m, "small"), helper_path(m, "b"), &image, &image_bytes),
			    "its header says", NULL);
	helper_expect_error(m, image_join(m, helper_path(m, "raw.bin"), helper_path(m, "b"), &image, &image_bytes),
			    "no arm64 Image header", NULL);
	helper_expect_error(m,
			    image_join(m, helper_path(m, "camber.bin"), helper_path(m, "raw.bin"), &image,
				       &image_bytes),
			    "not a bundle", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checksum),
		cmocka_unit_test_setup_teardown(layout, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(life, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(zeroes, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(any_pcpu, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(shared_and_reproducible, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(check_accepts, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(check_notices, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(check_bounds, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(join_image, helper_setup, helper_teardown),
	};

	return cmocka_run_group_tests_name("mkbundle/bundle", tests, NULL, NULL);
}
