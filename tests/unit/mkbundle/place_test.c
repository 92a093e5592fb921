/* SPDX-License-Identifier: Apache-2.0 */
/* Images: which kinds are told apart, where each lies in the VM's memory, and what is refused. */
#include "helper.h"

#include <elf.h>
#include <string.h>

static int place(struct mkbundle *m, const char *body)
{
	uint8_t *bundle;
	size_t bytes;

	return helper_pack_vm(m, body, &bundle, &bytes);
}

static const struct load *find(const struct vm *vm, uint32_t kind)
{
	for (uint32_t i = 0; i < vm->load_count; i++)
		if (vm->loads[i].kind == kind)
			return &vm->loads[i];
	fail_msg("no load of kind %u", kind);
	return NULL;
}

static void classify(void **state)
{
	static const struct {
		const char *bytes;
		size_t count;
		enum image_kind kind;
		const char *word;
	} cases[] = {
		{ "\177ELF", 4, IMAGE_ELF, "" },
		{ "\177EL", 3, IMAGE_UNKNOWN, "" },
		{ "\x1f\x8b\x08", 3, IMAGE_REFUSED, "gzip" },
		{ "\x1f", 1, IMAGE_UNKNOWN, "" },
		{ "MZ\0\0zimg", 8, IMAGE_REFUSED, "zboot" },
		{ "MZ\0\0zim", 7, IMAGE_UNKNOWN, "" },
		{ "\x28\xb5\x2f\xfd", 4, IMAGE_REFUSED, "zstd" },
		{ "\xfd"
		  "7zXZ",
		  5, IMAGE_REFUSED, "xz" },
		{ "\xd0\x0d\xfe\xed", 4, IMAGE_REFUSED, "FIT" },
		{ "", 0, IMAGE_UNKNOWN, "" },
	};
	uint8_t image[64] = { 'M', 'Z' };
	const char *why;

	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		assert_int_equal(image_classify((const uint8_t *)cases[i].bytes, cases[i].count, &why), cases[i].kind);
		assert_non_null(strstr(why, cases[i].word));
	}
	memcpy(image + 56, "ARM\x64", 4);
	assert_int_equal(image_classify(image, 64, &why), IMAGE_LINUX);
	assert_int_equal(image_classify(image, 60, &why), IMAGE_LINUX);
	assert_int_equal(image_classify(image, 59, &why), IMAGE_UNKNOWN);
}

static void linux_image(void **state)
{
	struct mkbundle *m = *state;
	const struct vm *vm = &m->vms[0];
	const struct load *initrd;

	assert_int_equal(place(m, BASIC("a") "kernel = \"linux\"; initrd = \"initrd\";"), 0);
	assert_int_equal(vm->entry_ipa, 0x40200000);
	assert_int_equal(find(vm, BUNDLE_LOAD_KERNEL)->ipa, 0x40200000);
	assert_int_equal(find(vm, BUNDLE_LOAD_KERNEL)->file_bytes, TEST_LINUX_BYTES);
	assert_int_equal(find(vm, BUNDLE_LOAD_KERNEL)->mem_bytes, TEST_LINUX_IMAGE_SIZE);
	/* The first 2 MiB boundary behind the bss: 0x40200000 + 0x1803000 -> 0x41c00000. */
	initrd = find(vm, BUNDLE_LOAD_INITRD);
	assert_int_equal(initrd->ipa, 0x41c00000);
	assert_int_equal(vm->initrd_start, 0x41c00000);
	assert_int_equal(vm->initrd_end, 0x41c00000 + 777);
	assert_int_equal(find(vm, BUNDLE_LOAD_DTB)->ipa, 0x40000000);
}

static void linux_text_offset(void **state)
{
	struct mkbundle *m = *state;

	helper_put_linux(m, "old", 0x80000, 0x100000, 0);
	assert_int_equal(place(m, BASIC("a") "kernel = \"old\";"), 0);
	assert_int_equal(m->vms[0].entry_ipa, 0x40280000);
	assert_int_equal(find(&m->vms[0], BUNDLE_LOAD_KERNEL)->ipa, 0x40280000);
}

static void linux_refused(void **state)
{
	struct mkbundle *m = *state;
	uint8_t cut[60] = { 'M', 'Z' };

	helper_put_linux(m, "be", 0, 0x100000, 1);
	helper_expect_error(m, place(m, BASIC("a") "kernel = \"be\";"), "/vm@1: kernel:", "big-endian", NULL);
	helper_put_linux(m, "size0", 0, 0, 0);
	helper_expect_error(m, place(m, BASIC("a") "kernel = \"size0\";"), "/vm@1: kernel:", "image_size", NULL);
	helper_put_linux(m, "offset", 0x200000, 0x1000, 0);
	helper_expect_error(m, place(m, BASIC("a") "kernel = \"offset\";"), "/vm@1: kernel:", "text_offset", NULL);
	memcpy(cut + 56, "ARM\x64", 4);
	helper_put(m, "cut", cut, sizeof(cut));
	helper_expect_error(m, place(m, BASIC("a") "kernel = \"cut\";"), "/vm@1: kernel:", "shorter", NULL);
	helper_put(m, "vmlinuz.gz", "\x1f\x8b\x08\x00", 4);
	helper_expect_error(m, place(m, BASIC("a") "kernel = \"vmlinuz.gz\";"), "/vm@1: kernel:", "gunzip", NULL);
	helper_put(m, "zboot", "MZ\0\0zimg", 8);
	helper_expect_error(m, place(m, BASIC("a") "kernel = \"zboot\";"), "/vm@1: kernel:", "EFI zboot", NULL);
	helper_expect_error(m, place(m, BASIC("a") "kernel = \"initrd\";"), "/vm@1: kernel:", "add 'load'", NULL);
}

/* RAM must hold the bss and the initrd, to the byte; the remedy that the message names works. */
static void memory_limits(void **state)
{
	struct mkbundle *m = *state;

	helper_expect_error(m, place(m, "label = \"a\"; cpus = <1>; memory-mib = <26>; kernel = \"linux\";"),
			    "/vm@1: kernel:", "memory-mib to 28", NULL);
	assert_int_equal(place(m, "label = \"a\"; cpus = <1>; memory-mib = <28>; kernel = \"linux\";"), 0);
	helper_expect_error(m,
			    place(m, "label = \"a\"; cpus = <1>; memory-mib = <28>; kernel = \"linux\";"
				     "initrd = \"initrd\";"),
			    "/vm@1: initrd:", "memory-mib to 30", NULL);
	assert_int_equal(
		place(m, "label = \"a\"; cpus = <1>; memory-mib = <30>; kernel = \"linux\"; initrd = \"initrd\";"), 0);
	helper_put_linux(m, "exact", 0, 0x1e00000, 0); /* 2 MiB + 30 MiB */
	assert_int_equal(place(m, "label = \"a\"; cpus = <1>; memory-mib = <32>; kernel = \"exact\";"), 0);
	helper_put_linux(m, "more", 0, 0x1e00001, 0);
	helper_expect_error(m, place(m, "label = \"a\"; cpus = <1>; memory-mib = <32>; kernel = \"more\";"),
			    "/vm@1: kernel:", "memory-mib to 34", NULL);
	helper_put_linux(m, "huge", 0, UINT64_MAX, 0);
	helper_expect_error(m, place(m, BASIC("a") "kernel = \"huge\";"), "/vm@1: kernel:", NULL);
	helper_expect_error(m, place(m, "label = \"a\"; cpus = <1>; memory-mib = <2>; kernel = \"linux\";"),
			    "/vm@1: kernel:", NULL);
}

static void put_elf(struct mkbundle *m, const char *name, uint64_t entry, const struct segment *segs, uint16_t count)
{
	uint8_t bytes[16384] = { 0 };
	size_t size = helper_make_elf(bytes, sizeof(bytes), entry, segs, count);

	helper_put(m, name, bytes, size);
}

static void elf_image(void **state)
{
	struct mkbundle *m = *state;
	const struct vm *vm = &m->vms[0];
	static const struct segment segs[] = {
		{ 0xffff000000000000, 0x40200000, 0x1010, 0x100, 0x100 },
		{ 0xffff000000010000, 0x40210000, 0x2000, 0x80, 0x4000 },
		{ 0xffff000000020000, 0x40220000, 0, 0, 0x1000 }, /* bss alone */
		{ 0, 0, 0, 0, 0 },                                /* empty: ignored */
	};

	put_elf(m, "k.elf", 0xffff000000000020, segs, 4);
	assert_int_equal(place(m, BASIC("a") "kernel = \"k.elf\";"), 0);
	assert_int_equal(vm->entry_ipa, 0x40200020);
	assert_int_equal(vm->load_count, 4); /* and the device tree */
	assert_int_equal(vm->loads[0].ipa, 0x40200000);
	assert_int_equal(vm->loads[0].offset, 0x10); /* the blob starts at file offset 0x1000 */
	assert_int_equal(vm->loads[1].offset, 0x1000);
	assert_int_equal(vm->loads[1].file_bytes, 0x80);
	assert_int_equal(vm->loads[1].mem_bytes, 0x4000);
	assert_int_equal(vm->loads[2].file_bytes, 0);
	assert_int_equal(vm->loads[2].mem_bytes, 0x1000);
}

static void elf_refused(void **state)
{
	struct mkbundle *m = *state;
	static const struct segment good = { 0x40200000, 0x40200000, 0x1000, 16, 16 };
	static const struct {
		struct segment seg;
		const char *word;
	} bad[] = {
		{ { 0x40000000, 0x40000000, 0x1000, 16, 16 }, "overlaps" },
		{ { 0x40000000, 0x80000000, 0x1000, 16, 16 }, "not in RAM" },
		{ { 0, 0, 0x1000, 16, 16 }, "not in RAM" },
		{ { 0x43fffff8, 0x43fffff8, 0x1000, 16, 16 }, "memory-mib to 66" },
		{ { 0x40200000, 0x40200000, 0x1000, 32, 16 }, "outside the file" },
		{ { 0x40200000, 0x40200000, 0x100000, 16, 16 }, "outside the file" },
		{ { 0x40200000, 0x40200000, UINT64_MAX - 8, 16, 16 }, "outside the file" },
		{ { 0x40200000, UINT64_MAX - 8, 0x1000, 16, 16 }, "wraps" },
		{ { 0x40200000, 0x40200000, 0x1000, 16, UINT64_MAX }, "wraps" },
		{ { 0x40200000, 0x40200000, 0x1000, 0, 16 }, "nothing to load" },
	};
	static struct segment many[VM_IMAGE_MAX + 1];
	static const struct segment twice[] = { { 0x40200000, 0x40200000, 0x1000, 16, 0x2000 },
						{ 0x40201000, 0x40201000, 0x1000, 16, 16 } };

	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		put_elf(m, pool_printf(m, "bad%zu", i), bad[i].seg.vaddr, &bad[i].seg, 1);
		helper_expect_error(m, place(m, pool_printf(m, BASIC("a") "kernel = \"bad%zu\";", i)),
				    "/vm@1: kernel:", bad[i].word, NULL);
	}
	put_elf(m, "outside", 0x40200010, &good, 1);
	helper_expect_error(m, place(m, BASIC("a") "kernel = \"outside\";"), "/vm@1: entry:", "not inside", NULL);
	put_elf(m, "odd", 0x40200002, &good, 1);
	helper_expect_error(m, place(m, BASIC("a") "kernel = \"odd\";"), "/vm@1: entry:", "multiple of 4", NULL);
	put_elf(m, "twice", 0x40200000, twice, 2);
	helper_expect_error(m, place(m, BASIC("a") "kernel = \"twice\";"), "/vm@1: kernel:", "overlaps", NULL);
	for (unsigned int i = 0; i < ARRAY_COUNT(many); i++)
		many[i] = (struct segment){ 0x40200000 + i * 4096, 0x40200000 + i * 4096, 0x1000, 16, 16 };
	put_elf(m, "many", 0x40200000, many, ARRAY_COUNT(many));
	helper_expect_error(m, place(m, BASIC("a") "kernel = \"many\";"), "more than 20 segments", NULL);
	put_elf(m, "full", 0x40200000, many, VM_IMAGE_MAX); /* leaves no room for the device tree */
	helper_expect_error(m, place(m, BASIC("a") "kernel = \"full\";"), "more than 20 pieces", NULL);
}

static void elf_headers_refused(void **state)
{
	struct mkbundle *m = *state;
	static const struct segment good = { 0x40200000, 0x40200000, 0x1000, 16, 16 };
	static const struct {
		size_t at;
		uint8_t value;
		const char *word;
	} bytes[] = {
		{ EI_CLASS, ELFCLASS32, "64-bit" },
		{ EI_DATA, ELFDATA2MSB, "big-endian" },
		{ offsetof(Elf64_Ehdr, e_machine), EM_X86_64, "another processor" },
		{ offsetof(Elf64_Ehdr, e_type), ET_DYN, "fixed addresses" },
		{ offsetof(Elf64_Ehdr, e_phentsize), 32, "outside the file" },
		{ offsetof(Elf64_Ehdr, e_phoff) + 7, 0xff, "outside the file" },
		{ offsetof(Elf64_Ehdr, e_phnum) + 1, 0xff, "outside the file" },
		{ offsetof(Elf64_Ehdr, e_phnum), 0, "nothing to load" },
	};

	for (size_t i = 0; i < ARRAY_COUNT(bytes); i++) {
		uint8_t elf[8192] = { 0 };
		size_t size = helper_make_elf(elf, sizeof(elf), 0x40200000, &good, 1);
		const char *name = pool_printf(m, "header%zu", i);

		elf[bytes[i].at] = bytes[i].value;
		helper_put(m, name, elf, size);
		helper_expect_error(m, place(m, pool_printf(m, BASIC("a") "kernel = \"%s\";", name)),
				    "/vm@1: kernel:", bytes[i].word, NULL);
	}
	helper_put(m, "short", "\177ELF\2\1\1", 7);
	helper_expect_error(m, place(m, BASIC("a") "kernel = \"short\";"), "/vm@1: kernel:", "shorter", NULL);
}

static void raw_image(void **state)
{
	struct mkbundle *m = *state;
	const struct vm *vm = &m->vms[0];

	assert_int_equal(place(m, BASIC("a") "kernel = \"raw.bin\"; load = <0x40080000>; entry = <0x40080010>;"), 0);
	assert_int_equal(vm->entry_ipa, 0x40080010);
	assert_int_equal(vm->loads[0].ipa, 0x40080000);
	assert_int_equal(vm->loads[0].file_bytes, 1000);
	assert_int_equal(vm->loads[0].kind, BUNDLE_LOAD_RAW);
	assert_int_equal(place(m, BASIC("a") "kernel = \"raw.bin\"; load = <0x0 0x40080000>;"), 0);
	assert_int_equal(vm->entry_ipa, 0x40080000);
	helper_expect_error(m, place(m, BASIC("a") "kernel = \"raw.bin\"; load = <0x40000100>;"),
			    "/vm@1: kernel:", "overlaps", "device tree", NULL);
	helper_expect_error(m, place(m, BASIC("a") "kernel = \"raw.bin\"; load = <0x3ffffff0>;"),
			    "/vm@1: kernel:", "not in RAM", NULL);
	helper_expect_error(m, place(m, BASIC("a") "kernel = \"raw.bin\"; load = <0xffffffff 0xfffffff0>;"),
			    "/vm@1: kernel:", "not in RAM", NULL);
	helper_expect_error(m, place(m, BASIC("a") "kernel = \"raw.bin\"; load = <0x40080000>; entry = <0x40080400>;"),
			    "/vm@1: entry:", "not inside", NULL);
	helper_expect_error(m, place(m, BASIC("a") "kernel = \"rtos.elf\"; load = <0x40200000>;"),
			    "/vm@1: load:", "remove 'load'", NULL);
	helper_expect_error(m, place(m, BASIC("a") "kernel = \"rtos.elf\"; initrd = \"initrd\";"),
			    "/vm@1: initrd:", NULL);
}

static void rom_image(void **state)
{
	struct mkbundle *m = *state;
	const struct vm *vm = &m->vms[0];

	assert_int_equal(place(m, BASIC("a") "rom = \"rom.bin\";"), 0);
	assert_int_equal(vm->mem_count, 2);
	assert_int_equal(vm->mem[1].ipa, 0);
	assert_int_equal(vm->mem[1].bytes, 8192); /* 5001 bytes */
	assert_int_equal(vm->mem[1].flags, BUNDLE_MEM_ROM);
	assert_int_equal(vm->entry_ipa, 0);
	assert_int_equal(vm->loads[0].ipa, 0);
	assert_int_equal(vm->loads[0].file_bytes, 5001);
	assert_int_equal(find(vm, BUNDLE_LOAD_DTB)->ipa, 0x40000000);
}

/* Zeroes aren't carried along, and every byte is there all the same. */
static void sparse_rom(void **state)
{
	static uint8_t flash[0x400000], seen[sizeof(flash)];
	struct mkbundle *m = *state;
	const struct vm *vm = &m->vms[0];
	uint64_t carried = 0, end = 0;
	uint8_t *bundle;
	size_t bytes;

	memset(flash, 0, sizeof(flash));
	memset(seen, 0xee, sizeof(seen));
	flash[0] = flash[1] = 1;
	flash[0x1fff] = 2;
	flash[0x11000] = 3;                   /* 60 KiB on: not worth a piece */
	flash[0x100123] = 4;                  /* in the midst of a page */
	for (unsigned int i = 0; i < 20; i++) /* more pieces than there are places for */
		flash[0x200000 + i * 0x12000] = 5;
	helper_put(m, "flash", flash, sizeof(flash) - 5);
	assert_int_equal(helper_pack_vm(m, BASIC("a") "rom = \"flash\";", &bundle, &bytes), 0);
	for (uint32_t i = 0; i < vm->load_count; i++) {
		const struct load *load = &vm->loads[i];

		if (load->kind == BUNDLE_LOAD_DTB)
			continue;
		assert_int_equal(load->ipa, end);
		assert_int_equal(load->ipa % BUNDLE_ALIGN, 0);
		end += load->mem_bytes;
		carried += load->file_bytes;
		assert_true(load->file_bytes <= load->mem_bytes && end <= sizeof(flash) - 5);
		memset(seen + load->ipa, 0, load->mem_bytes);
		memcpy(seen + load->ipa, bundle + load->blob->offset, load->file_bytes);
	}
	assert_int_equal(end, sizeof(flash) - 5);
	assert_memory_equal(seen, flash, sizeof(flash) - 5);
	assert_int_equal(vm->loads[0].file_bytes, 0x12000);
	assert_int_equal(vm->loads[1].ipa, 0x100000);
	assert_int_equal(vm->loads[1].file_bytes, 0x1000);
	assert_true(carried < 0x210000 && bytes < 0x220000);
	/* Nothing but zeroes: nothing to enter. */
	memset(flash, 0, sizeof(flash));
	helper_put(m, "zeroes", flash, sizeof(flash));
	helper_expect_error(m, place(m, BASIC("a") "rom = \"zeroes\";"), "/vm@1: entry:", "not inside", NULL);
}

/* Every byte of RAM is an image's, a zero's or reserved, and none is two of them. */
static void scrubbed(void **state)
{
	struct mkbundle *m = *state;
	const struct vm *vm = &m->vms[0];
	uint64_t covered = 0;

	assert_int_equal(place(m, BASIC("a") "kernel = \"linux\"; initrd = \"initrd\"; scrub;"
					     "reserved@43ff0000 { reg = <0 0x43ff0000 0 0x10000>; };"
					     "reserved@41c00000 { size-mib = <2>; };"),
			 0);
	/* The initrd has gone behind what is reserved. */
	assert_int_equal(find(vm, BUNDLE_LOAD_INITRD)->ipa, 0x41e00000);
	for (uint32_t i = 0; i < vm->load_count; i++) {
		const struct load *load = &vm->loads[i];

		covered += load->mem_bytes;
		assert_int_not_equal(load->mem_bytes, 0);
		if (!load->blob) {
			assert_int_equal(load->kind, BUNDLE_LOAD_RAW);
			assert_int_equal(load->file_bytes, 0);
		}
		for (uint32_t o = 0; o < i; o++)
			assert_false(ranges_overlap((struct range){ load->ipa, load->mem_bytes },
						    (struct range){ vm->loads[o].ipa, vm->loads[o].mem_bytes }));
		for (uint32_t r = 0; r < vm->reserved_count; r++)
			assert_false(ranges_overlap((struct range){ load->ipa, load->mem_bytes }, vm->reserved[r].reg));
	}
	assert_int_equal(covered, 64 * MIB - 2 * MIB - 0x10000);

	assert_int_equal(place(m, BASIC("a") "rom = \"rom.bin\"; scrub;"), 0);
	assert_int_equal(vm->load_count, 3); /* ROM, device tree, the rest of RAM */
	assert_int_equal(vm->loads[2].ipa + vm->loads[2].mem_bytes, GUEST_RAM_BASE + 64 * MIB);
}

/* As many pieces as there can be, and a gap behind each. */
static void scrubbed_pieces(void **state)
{
	struct mkbundle *m = *state;
	const struct vm *vm = &m->vms[0];
	static struct segment many[VM_IMAGE_MAX - 1];
	const char *reserved = "";

	for (unsigned int i = 0; i < ARRAY_COUNT(many); i++)
		many[i] = (struct segment){ 0x40200000 + i * 8192, 0x40200000 + i * 8192, 0x1000, 16, 16 };
	put_elf(m, "many", 0x40200000, many, ARRAY_COUNT(many));
	for (unsigned int i = 0; i < VM_RESERVED_MAX; i++)
		reserved = pool_printf(m, "%s reserved@4%x000000 { reg = <0 0x4%x000000 0 0x1000>; };", reserved, i + 1,
				       i + 1);
	assert_int_equal(place(m, pool_printf(m,
					      "label = \"a\"; cpus = <1>; memory-mib = <128>; kernel = \"many\";"
					      "scrub; %s",
					      reserved)),
			 0);
	assert_int_equal(vm->load_count, 2 * VM_IMAGE_MAX + VM_RESERVED_MAX);
	assert_true(vm->load_count <= VM_LOAD_MAX);
}

static void missing_files(void **state)
{
	struct mkbundle *m = *state;

	helper_expect_error(m, place(m, BASIC("a") "kernel = \"nowhere\";"), "/vm@1: kernel:", "\"nowhere\"", "-I",
			    NULL);
	helper_expect_error(m, place(m, BASIC("a") "rom = \"nowhere\";"), "/vm@1: rom:", "\"nowhere\"", NULL);
	helper_expect_error(m, place(m, BASIC("a") "kernel = \"linux\"; initrd = \"nowhere\";"),
			    "/vm@1: initrd:", NULL);
	helper_expect_error(m, place(m, BASIC("a") "kernel = \"/nonexistent/file\";"), "/vm@1: kernel:", "No such file",
			    NULL);
	helper_put(m, "empty", "", 0);
	helper_expect_error(m, place(m, BASIC("a") "kernel = \"empty\";"), "/vm@1: kernel:", "empty", NULL);
	helper_expect_error(m, place(m, BASIC("a") "kernel = \".\";"), "/vm@1: kernel:", "regular", NULL);
	m->opt.replace.item[m->opt.replace.count++] = (struct pair){ "nowhere", helper_path(m, "linux"), false };
	assert_int_equal(place(m, BASIC("a") "kernel = \"nowhere\";"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classify),
		cmocka_unit_test_setup_teardown(linux_image, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(linux_text_offset, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(linux_refused, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(memory_limits, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(elf_image, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(elf_refused, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(elf_headers_refused, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(raw_image, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(rom_image, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(sparse_rom, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(scrubbed, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(scrubbed_pieces, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(missing_files, helper_setup, helper_teardown),
	};

	return cmocka_run_group_tests_name("mkbundle/place", tests, NULL, NULL);
}
