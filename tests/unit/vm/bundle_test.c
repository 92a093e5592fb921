/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv/vm/bundle.c: a good bundle, then every kind of damage, each refused with a line that says what it is; every single bit
 * of the head; images that are copied in steps and checked.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "camber/arch/cache.h"
#include "camber/errno.h"
#include "camber/lib.h"
#include "camber/log.h"
#include "camber/time.h"

#define MIB UINT64_C(0x100000)
#define RAM UINT64_C(0x40000000)
#define IMAGE_BYTES 10001u

struct file {
	struct bundle_header header;
	struct bundle_vm vm[2];
	struct bundle_load load[3];
	struct bundle_device device[2];
	uint8_t pad[8192 - sizeof(struct bundle_header) - 2 * sizeof(struct bundle_vm) -
		    3 * sizeof(struct bundle_load) - 2 * sizeof(struct bundle_device)];
	uint8_t image[IMAGE_BYTES];
};

#define HEAD_BYTES offsetof(struct file, pad)
#define IMAGE_OFFSET offsetof(struct file, image)

static struct file file;
static char logged[1024]; /* the last line */

static void keep(const char *text, size_t n)
{
	assert_true(n < sizeof(logged));
	memcpy(logged, text, n);
	logged[n] = '\0';
}

static void seal(void)
{
	file.header.header_crc = 0;
	file.header.header_crc = crc32(0, &file, file.header.head_bytes <= sizeof(file) ? file.header.head_bytes : 0);
}

static int begin(void **state)
{
	(void)state;
	memset(&file, 0, sizeof(file));
	memset(logged, 0, sizeof(logged));
	file.header = (struct bundle_header){
		.magic = BUNDLE_MAGIC,
		.version = BUNDLE_VERSION,
		.total_bytes = sizeof(file),
		.head_bytes = HEAD_BYTES,
		.vm_count = 2,
		.vm_offset = offsetof(struct file, vm),
		.load_count = 3,
		.load_offset = offsetof(struct file, load),
		.device_count = 2,
		.device_offset = offsetof(struct file, device),
		.profile = "test",
	};
	for (uint32_t i = 0; i < 2; i++)
		file.vm[i] = (struct bundle_vm){
			.label = "vm",
			.id = i + 1,
			.vcpu_count = 1,
			.mem_count = 1,
			.mem = { { .ipa = RAM, .bytes = 2 * MIB } },
			.load_first = 2 * i,
			.load_count = 2 - i,
			.entry_ipa = RAM,
			.spi_count = 32,
			.on_reboot = BUNDLE_ON_RESTART,
			.device_first = i,
			.device_count = 1,
		};
	for (uint32_t i = 0; i < 2; i++)
		file.device[i] = (struct bundle_device){
			.path = "/soc/uart@1000",
			.reg = { { .ipa = 0x10000000, .bytes = 0x1000 }, { .ipa = 0x10002000, .bytes = 0x3000 } },
			.reg_count = 2,
			.irq = { 40 },
			.irq_count = 1,
		};
	for (size_t i = 0; i < IMAGE_BYTES; i++)
		file.image[i] = (uint8_t)(i * 13 + i / 256);
	file.load[0] = (struct bundle_load){ .offset = IMAGE_OFFSET,
					     .file_bytes = IMAGE_BYTES,
					     .mem_bytes = 20000,
					     .ipa = RAM + 0x1003 };
	file.load[1] = (struct bundle_load){ .offset = IMAGE_OFFSET + 7,
					     .file_bytes = 100,
					     .mem_bytes = 100,
					     .ipa = RAM + 0x100000 };
	file.load[2] = (struct bundle_load){ .offset = 0, .file_bytes = 0, .mem_bytes = 5000, .ipa = RAM + 0x180001 };
	for (int i = 0; i < 2; i++)
		file.load[i].crc = crc32(0, (const uint8_t *)&file + file.load[i].offset, file.load[i].file_bytes);
	seal();
	return 0;
}

static void good_one(void **state)
{
	(void)state;
	assert_int_equal(bundle_check(&file, sizeof(file)), 0);
	assert_int_equal(bundle_check(&file, sizeof(file) + 100), 0); /* a loader may round up */
	assert_string_equal(logged, "");
}

/* Undone by begin(). */
static void expect_refused(void **state, const char *why)
{
	logged[0] = '\0';
	assert_int_equal(bundle_check(&file, sizeof(file)), -EINVAL);
	if (!strstr(logged, why)) {
		print_error("expected \"%s\", got %s", why, logged);
		fail();
	}
	assert_ptr_equal(strchr(logged, '\n'), &logged[strlen(logged) - 1]);
	(void)begin(state);
}

#define REFUSED(change, why)                                                                                           \
	do {                                                                                                           \
		change;                                                                                                \
		seal();                                                                                                \
		expect_refused(state, why);                                                                            \
	} while (0)

static void damaged_devices(void **state)
{
	REFUSED(file.header.device_count = BUNDLE_DEVICE_MAX + 1, "tables");
	REFUSED(file.header.device_count = 40, "tables");
	REFUSED(file.header.device_offset += 4, "tables");
	REFUSED(file.header.device_offset = (uint32_t)HEAD_BYTES, "tables");
	REFUSED(file.header.device_offset = UINT32_MAX - 7, "tables");
	REFUSED(file.vm[0].device_first = 3, "outside the device table");
	REFUSED(file.vm[1].device_count = 2, "outside the device table");
	REFUSED(file.vm[1].device_count = UINT32_MAX, "outside the device table");
	REFUSED(memset(file.device[1].path, 'x', sizeof(file.device[1].path)), "path");
	REFUSED(memset(file.device[1].path, '/', sizeof(file.device[1].path)), "path");
	REFUSED(file.device[0].path[0] = '\0', "path");
	REFUSED(file.device[0].path[0] = 's', "path");
	REFUSED(file.device[0].reg_count = BUNDLE_DEVICE_REGS + 1, "number of registers");
	REFUSED(file.device[0].reg_count = UINT32_MAX, "number of registers");
	REFUSED(file.device[0].irq_count = BUNDLE_DEVICE_IRQS + 1, "number of registers or interrupts");
	REFUSED(file.device[0].reg[1].bytes = 0, "register range");
	REFUSED(file.device[0].reg[1].bytes = 0x800, "register range");
	REFUSED(file.device[0].reg[1].ipa += 4, "register range");
	REFUSED(file.device[0].reg[1].ipa = UINT64_MAX - 0xfff, "register range");
}

static void damaged_header(void **state)
{
	REFUSED(file.header.magic ^= 1, "no bundle");
	REFUSED(file.header.version++, "another version");
	REFUSED(file.header.version = 0, "another version");
	REFUSED(file.header.total_bytes++, "truncated");
	REFUSED(file.header.total_bytes = UINT64_MAX, "truncated");
	REFUSED(file.header.head_bytes = 0, "header length");
	REFUSED(file.header.head_bytes = sizeof(struct bundle_header) - 1, "header length");
	REFUSED(file.header.head_bytes = sizeof(file) + 1, "header length");
	REFUSED(file.header.head_bytes = UINT32_MAX, "header length");
	REFUSED(file.header.vm_count = 0, "tables");
	REFUSED(file.header.vm_count = BUNDLE_VM_MAX + 1, "tables");
	REFUSED(file.header.vm_count = UINT32_MAX, "tables");
	REFUSED(file.header.vm_offset += 4, "tables");
	REFUSED(file.header.vm_offset = (uint32_t)HEAD_BYTES - 8, "tables");
	REFUSED(file.header.vm_offset = UINT32_MAX - 7, "tables");
	REFUSED(file.header.load_count = 40, "tables");
	REFUSED(file.header.load_count = UINT32_MAX, "tables");
	REFUSED(file.header.load_offset = UINT32_MAX - 7, "tables");
	for (uint64_t n = 0; n < sizeof(struct bundle_header); n++)
		assert_int_equal(bundle_check(&file, n), -EINVAL);
	logged[0] = '\0';
	assert_int_equal(bundle_check(&file, sizeof(file) - 1), -EINVAL);
	assert_non_null(strstr(logged, "truncated"));
}

static void damaged_tables(void **state)
{
	REFUSED(memset(file.vm[0].label, 'x', sizeof(file.vm[0].label)), "label");
	REFUSED(file.vm[1].label[0] = '\0', "label");
	REFUSED(file.vm[0].id = 0, "id");
	REFUSED(file.vm[0].id = BUNDLE_VM_MAX + 1, "id");
	REFUSED(file.vm[1].id = 1, "twice");
	REFUSED(file.vm[0].vcpu_count = 0, "vCPUs");
	REFUSED(file.vm[0].vcpu_count = BUNDLE_VCPU_MAX + 1, "vCPUs");
	REFUSED(file.vm[0].mem_count = 0, "memory ranges");
	REFUSED(file.vm[0].mem_count = BUNDLE_MEM_MAX + 1, "memory ranges");
	REFUSED(file.vm[0].mem[0].bytes = 0, "memory range");
	REFUSED(file.vm[0].mem[0].bytes++, "memory range");
	REFUSED(file.vm[0].mem[0].ipa++, "memory range");
	REFUSED(file.vm[0].mem[0].ipa = 0 - PAGE_SIZE, "memory range");
	REFUSED(file.vm[0].load_first = 4, "load table");
	REFUSED(file.vm[0].load_count = 4, "load table");
	REFUSED(file.vm[1].load_count = UINT32_MAX, "load table");
	REFUSED(file.vm[1].load_first = UINT32_MAX, "load table");
	REFUSED(file.vm[0].spi_count = 33, "SPIs");
	REFUSED(file.vm[0].spi_count = CONFIG_SPI_MAX + 32, "SPIs");
	REFUSED(file.vm[0].on_crash = 2, "on-crash");
	REFUSED(file.vm[0].on_reboot = 2, "on-crash");
	REFUSED(file.load[0].offset = sizeof(file) + 1, "outside");
	REFUSED(file.load[0].offset = UINT64_MAX, "outside");
	REFUSED(file.load[0].file_bytes = UINT64_MAX, "outside");
	REFUSED(file.load[0].mem_bytes = IMAGE_BYTES - 1, "outside");
	REFUSED(file.load[0].mem_bytes = UINT64_MAX, "outside");
	REFUSED(file.load[0].ipa = UINT64_MAX - 100, "outside");
}

static void every_bit_of_the_head(void **state)
{
	uint8_t *bytes = (uint8_t *)&file;

	(void)state;
	for (size_t bit = 0; bit < HEAD_BYTES * 8; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		logged[0] = '\0';
		assert_int_equal(bundle_check(&file, sizeof(file)), -EINVAL);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

/* --- copying -------------------------------------------------------------------------------------------------------- */

static struct vm *vm;
static uint8_t *ram;

static void load_begin(uint32_t index)
{
	vm->cfg = &file.vm[index];
	vm->load_index = vm->cfg->load_first;
	vm->load_pos = 0;
	vm->load_crc = 0;
	memset(ram, 0xcc, 2 * MIB);
	arch_cache_clean(ram, 2 * MIB);
	arch_icache_flush();
}

static int load_all(uint64_t budget)
{
	int steps = 0;
	int ret;

	while ((ret = bundle_load_step(vm, &file.header, budget)) > 0)
		assert_true(++steps < 100000);
	return ret;
}

static void loads_in_steps_of_any_size(void **state)
{
	static const uint64_t budgets[] = { 1, 7, 64, 4096, 10000, 10001, 10002, UINT64_MAX };

	(void)state;
	for (size_t b = 0; b < ARRAY_SIZE(budgets); b++) {
		load_begin(0);
		assert_int_equal(load_all(budgets[b]), 0);
		assert_int_equal(ram[0x1002], 0xcc);
		assert_memory_equal(&ram[0x1003], file.image, IMAGE_BYTES);
		for (size_t i = IMAGE_BYTES; i < 20000; i++)
			assert_int_equal(ram[0x1003 + i], 0);
		assert_int_equal(ram[0x1003 + 20000], 0xcc);
		assert_memory_equal(&ram[0x100000], &file.image[7], 100);
		assert_int_equal(ram[0x180001], 0xcc); /* another VM's */
		host_check_clean(ptr_to_hpa(ram), 2 * MIB);
		host_check_icache();
		assert_int_equal(host_violations(), 0);
		/* Done stays done. */
		assert_int_equal(bundle_load_step(vm, &file.header, 1), 0);
	}
	load_begin(1);
	assert_int_equal(load_all(4096), 0);
	for (size_t i = 0; i < 5000; i++)
		assert_int_equal(ram[0x180001 + i], 0);
	assert_string_equal(logged, "");
}

static void damaged_images_are_noticed(void **state)
{
	(void)state;
	file.image[IMAGE_BYTES - 1] ^= 0x10;
	load_begin(0);
	assert_int_equal(load_all(4096), -EIO);
	assert_non_null(strstr(logged, "damaged"));
	(void)begin(state);
	load_begin(0);
	assert_int_equal(load_all(4096), 0);
}

static void images_stay_in_their_memory(void **state)
{
	(void)state;
	file.load[0].ipa = RAM + 2 * MIB - 100;
	load_begin(0);
	assert_int_equal(load_all(UINT64_MAX), -EFAULT);
	assert_non_null(strstr(logged, "doesn't lie in the VM's memory"));
	for (size_t i = 0; i < 2 * MIB; i++)
		assert_int_equal(ram[i], 0xcc);
}

int main(void)
{
	static struct log_ring ring, previous;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(good_one, begin),
		cmocka_unit_test_setup(damaged_header, begin),
		cmocka_unit_test_setup(damaged_devices, begin),
		cmocka_unit_test_setup(damaged_tables, begin),
		cmocka_unit_test_setup(every_bit_of_the_head, begin),
		cmocka_unit_test_setup(loads_in_steps_of_any_size, begin),
		cmocka_unit_test_setup(damaged_images_are_noticed, begin),
		cmocka_unit_test_setup(images_stay_in_their_memory, begin),
	};

	time_init(1000000000);
	log_init(&ring, &previous);
	log_set_sink(keep);
	unit_memory(MIB);
	vm = unit_vm("vm", 1);
	ram = hpa_to_ptr(host_ram_add(2 * MIB));
	if (gmap_map(&vm->map, gpa(RAM), ptr_to_hpa(ram), 2 * MIB, GMAP_R | GMAP_W | GMAP_X))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
