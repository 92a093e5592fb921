/* SPDX-License-Identifier: Apache-2.0 */
/* See helper.h. Every helper fails the running test when it cannot do its part. */
#include "helper.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int helper_setup(void **state)
{
	static const struct segment seg = { TEST_ELF_BASE, TEST_ELF_BASE, 4096, 300, 9000 };
	struct mkbundle *m = calloc(1, sizeof(*m));
	static uint8_t bytes[8192];
	char *dir = strdup("/tmp/mkbundle-test-XXXXXX");

	if (!m || !dir || !mkdtemp(dir))
		return -1;
	m->source = "test.dts";
	strcpy(m->profile, "test");
	m->opt.image_dirs[m->opt.image_dir_count++] = dir;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + 1);
	helper_put(m, "raw.bin", bytes, 1000);
	helper_put(m, "rom.bin", bytes, 5001);
	helper_put(m, "initrd", bytes, 777);
	helper_put_linux(m, "linux", 0, TEST_LINUX_IMAGE_SIZE, 0xa);
	helper_put(m, "rtos.elf", bytes, helper_make_elf(bytes, sizeof(bytes), TEST_ELF_BASE + 8, &seg, 1));
	*state = m;
	return 0;
}

int helper_teardown(void **state)
{
	struct mkbundle *m = *state;
	char *command = pool_printf(m, "rm -rf '%s'", m->opt.image_dirs[0]);
	int ret = system(command);

	free((void *)(uintptr_t)m->opt.image_dirs[0]);
	mkbundle_free(m);
	free(m);
	return ret;
}

const char *helper_path(struct mkbundle *m, const char *name)
{
	return pool_printf(m, "%s/%s", m->opt.image_dirs[0], name);
}

void helper_put(struct mkbundle *m, const char *name, const void *data, size_t bytes)
{
	FILE *file = fopen(helper_path(m, name), "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, bytes, file), bytes);
	assert_int_equal(fclose(file), 0);
}

void helper_put_linux(struct mkbundle *m, const char *name, uint64_t text_offset, uint64_t image_size, uint64_t flags)
{
	uint8_t image[TEST_LINUX_BYTES] = { 'M', 'Z' };

	memcpy(image + 8, &text_offset, 8);
	memcpy(image + 16, &image_size, 8);
	memcpy(image + 24, &flags, 8);
	memcpy(image + 56, "ARM\x64", 4);
	image[TEST_LINUX_BYTES - 1] = 0x5a;
	helper_put(m, name, image, sizeof(image));
}

size_t helper_make_elf(uint8_t *out, size_t room, uint64_t entry, const struct segment *segs, uint16_t count)
{
	Elf64_Ehdr header = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_EXEC,
		.e_machine = EM_AARCH64,
		.e_version = EV_CURRENT,
		.e_entry = entry,
		.e_phoff = sizeof(header),
		.e_ehsize = sizeof(header),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = count,
	};
	size_t end = sizeof(header) + count * sizeof(Elf64_Phdr);

	assert_true(end <= room);
	memcpy(out, &header, sizeof(header));
	for (uint16_t i = 0; i < count; i++) {
		Elf64_Phdr seg = {
			.p_type = PT_LOAD,
			.p_vaddr = segs[i].vaddr,
			.p_paddr = segs[i].paddr,
			.p_offset = segs[i].offset,
			.p_filesz = segs[i].file_bytes,
			.p_memsz = segs[i].mem_bytes,
		};

		memcpy(out + sizeof(header) + i * sizeof(seg), &seg, sizeof(seg));
		if (segs[i].offset <= room && segs[i].file_bytes <= room - segs[i].offset &&
		    segs[i].offset + segs[i].file_bytes > end)
			end = segs[i].offset + segs[i].file_bytes;
	}
	return end;
}

void helper_compile(struct mkbundle *m, const char *text, uint8_t **fdt, size_t *bytes)
{
	const char *dtb = helper_path(m, "profile.dtb");

	helper_put(m, "profile.dts", text, strlen(text));
	assert_int_equal(system(pool_printf(m, "dtc -q -W no-unit_address_vs_reg -I dts -O dtb -o '%s' '%s'", dtb,
					    helper_path(m, "profile.dts"))),
			 0);
	assert_int_equal(file_read(m, dtb, fdt, bytes), 0);
}

int helper_read(struct mkbundle *m, const char *text)
{
	uint8_t *fdt;
	size_t bytes;

	helper_compile(m, text, &fdt, &bytes);
	return profile_read(m, fdt, bytes);
}

int helper_read_vm(struct mkbundle *m, const char *vm)
{
	return helper_read(m, pool_printf(m, ROOT(VM(1, "%s")), vm));
}

int helper_pack(struct mkbundle *m, const char *text, uint8_t **bundle, size_t *bytes)
{
	return helper_read(m, text) ? -1 : bundle_make(m, bundle, bytes);
}

int helper_pack_vm(struct mkbundle *m, const char *vm, uint8_t **bundle, size_t *bytes)
{
	return helper_pack(m, pool_printf(m, ROOT(VM(1, "%s")), vm), bundle, bytes);
}

void helper_expect_error(struct mkbundle *m, int ret, ...)
{
	const char *word;
	va_list words;

	assert_int_equal(ret, -1);
	assert_null(strchr(m->diag.text, '\n'));
	va_start(words, ret);
	while ((word = va_arg(words, const char *)))
		if (!strstr(m->diag.text, word))
			fail_msg("no \"%s\" in \"%s\"", word, m->diag.text);
	va_end(words);
	m->diag.text[0] = 0;
}
