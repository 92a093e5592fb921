/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where everything lies in a VM's memory.
 *
 *   0x0000_0000  ROM, if the VM brings one: entry
 *   0x4000_0000  RAM: device tree
 *   0x4020_0000  Linux Image (+ text_offset) with its bss, then the initrd from the next 2 MiB boundary
 *                ELF segments and raw images lie where they want to
 *
 * Every load must lie in one memory range and overlap neither another one nor what is reserved: what the hypervisor
 * copies, it copies unchecked.
 */
#include "mkbundle.h"

#include <string.h>

#define INITRD_ALIGN (2 * MIB)

#define SPARSE_RUN 0x10000u /* zeroes in a row that are worth a piece */
#define SPARSE_MAX 12u      /* pieces of one image */

static uint64_t ram_end(const struct vm *vm)
{
	return GUEST_RAM_BASE + vm->memory_mib * MIB;
}

static struct range load_range(const struct load *load)
{
	return (struct range){ load->ipa, load->mem_bytes };
}

static const char *load_name(struct mkbundle *m, const struct load *load)
{
	if (!load->name)
		return "the device tree";
	return pool_printf(m, "\"%s\"", load->name);
}

static int load_check_place(struct mkbundle *m, const struct vm *vm, const struct load *load)
{
	unsigned long long start = load->ipa;
	unsigned long long end = load->ipa + load->mem_bytes;
	uint64_t ram_max = GUEST_RAM_BASE + MEMORY_MIB_MAX * MIB;

	for (uint32_t i = 0; i < vm->mem_count; i++)
		if (load->ipa >= vm->mem[i].ipa && load->ipa - vm->mem[i].ipa <= vm->mem[i].bytes &&
		    load->mem_bytes <= vm->mem[i].bytes - (load->ipa - vm->mem[i].ipa))
			return 0;
	if (load->ipa >= GUEST_RAM_BASE && load->ipa < ram_end(vm) && load->mem_bytes <= ram_max - load->ipa)
		return vm_fail(m, vm, load->prop,
			       "%s needs 0x%llx..0x%llx, but RAM ends at 0x%llx; set memory-mib to %llu or more",
			       load_name(m, load), start, end, (unsigned long long)ram_end(vm),
			       (unsigned long long)(align_up(end - GUEST_RAM_BASE, 2 * MIB) / MIB));
	return vm_fail(m, vm, load->prop,
		       "%s: 0x%llx bytes at 0x%llx are not in RAM (0x%llx..0x%llx); link or load it there",
		       load_name(m, load), (unsigned long long)load->mem_bytes, start,
		       (unsigned long long)GUEST_RAM_BASE, (unsigned long long)ram_end(vm));
}

int load_add(struct mkbundle *m, struct vm *vm, const struct load *load)
{
	if (vm->load_count == VM_IMAGE_MAX)
		return vm_fail(m, vm, load->prop,
			       "the VM has more than %u pieces to load; link its image with fewer segments",
			       VM_IMAGE_MAX);
	if (load_check_place(m, vm, load))
		return -1;
	for (uint32_t i = 0; i < vm->load_count; i++) {
		const struct load *other = &vm->loads[i];

		if (load->ipa < other->ipa + other->mem_bytes && other->ipa < load->ipa + load->mem_bytes)
			return vm_fail(m, vm, load->name ? load->prop : other->prop,
				       "%s (0x%llx..0x%llx) overlaps %s (0x%llx..0x%llx); move one of them",
				       load_name(m, load), (unsigned long long)load->ipa,
				       (unsigned long long)(load->ipa + load->mem_bytes), load_name(m, other),
				       (unsigned long long)other->ipa,
				       (unsigned long long)(other->ipa + other->mem_bytes));
	}
	for (uint32_t i = 0; i < vm->reserved_count; i++)
		if (ranges_overlap(load_range(load), vm->reserved[i].reg))
			return diag_fail(m, "%s: %s: reg: 0x%llx..0x%llx overlaps %s (0x%llx..0x%llx); move it",
					 m->source, vm->reserved[i].node, (unsigned long long)vm->reserved[i].reg.base,
					 (unsigned long long)(vm->reserved[i].reg.base + vm->reserved[i].reg.bytes),
					 load_name(m, load), (unsigned long long)load->ipa,
					 (unsigned long long)(load->ipa + load->mem_bytes));
	vm->loads[vm->load_count++] = *load;
	return 0;
}

/* The lowest end of something at or behind `at`; `at` itself if something covers it. */
static uint64_t free_until(const struct vm *vm, uint32_t images, uint64_t at, uint64_t *next)
{
	uint64_t until = ram_end(vm);

	*next = until;
	for (uint32_t i = 0; i < images + vm->reserved_count; i++) {
		struct range r = i < images ? load_range(&vm->loads[i]) : vm->reserved[i - images].reg;

		if (r.base >= until || r.base + r.bytes <= at || vm->mem[0].ipa > r.base)
			continue;
		until = r.base > at ? r.base : at;
		*next = r.base + r.bytes;
	}
	return until;
}

/* 'scrub': whatever no image covers is zeroes at each start, too, but for what is reserved. */
static void place_scrub(struct vm *vm)
{
	uint32_t images = vm->load_count;
	uint64_t next;

	for (uint64_t at = GUEST_RAM_BASE; at < ram_end(vm); at = next) {
		uint64_t until = free_until(vm, images, at, &next);

		if (until > at)
			vm->loads[vm->load_count++] =
				(struct load){ .mem_bytes = until - at, .ipa = at, .kind = BUNDLE_LOAD_RAW };
	}
}

static int place_whole(struct mkbundle *m, struct vm *vm, struct blob *blob, uint64_t ipa, uint32_t kind,
		       const char *prop, const char *name)
{
	struct load load = {
		.blob = blob,
		.file_bytes = blob->bytes,
		.mem_bytes = blob->bytes,
		.ipa = ipa,
		.kind = kind,
		.prop = prop,
		.name = name,
	};

	return load_add(m, vm, &load);
}

static bool is_zero(const uint8_t *data, size_t bytes)
{
	return !bytes || (!data[0] && !memcmp(data, data + 1, bytes - 1));
}

/* Up to where the image from `at` on has no long run of zeroes; *next: where that run ends. */
static size_t dense_until(const struct blob *blob, size_t at, size_t *next)
{
	size_t run = at; /* where the run of zeroes at hand begins */

	for (; at < blob->bytes; at += BUNDLE_ALIGN)
		if (!is_zero(blob->data + at, MIN(BUNDLE_ALIGN, blob->bytes - at))) {
			if (at - run >= SPARSE_RUN)
				break;
			run = at + BUNDLE_ALIGN;
		}
	*next = MIN(at, blob->bytes);
	return *next - MIN(run, *next) >= SPARSE_RUN ? run : *next;
}

/*
 * An image as it lies in memory, such as that of a flash, may be mostly zeroes: those aren't carried along but made at each
 * start. The last piece that there is a place for has the rest, whatever that holds.
 */
static int place_sparse(struct mkbundle *m, struct vm *vm, struct blob *blob, uint64_t ipa, const char *prop,
			const char *name)
{
	size_t next;

	for (size_t at = 0; at < blob->bytes; at = next) {
		size_t end = dense_until(blob, at, &next);
		struct load load = { .ipa = ipa + at, .kind = BUNDLE_LOAD_RAW, .prop = prop, .name = name };

		if (vm->load_count == SPARSE_MAX - 1)
			end = next = blob->bytes;
		load.file_bytes = end - at;
		load.mem_bytes = next - at;
		load.blob = blob_add(m, blob->data + at, end - at, NULL);
		if (load_add(m, vm, &load))
			return -1;
	}
	return 0;
}

static int place_rom(struct mkbundle *m, struct vm *vm)
{
	struct blob *blob;

	if (image_open(m, vm, "rom", vm->rom, &blob))
		return -1;
	if (blob->bytes > ROM_BYTES_MAX)
		return vm_fail(m, vm, "rom", "\"%s\" has %zu bytes, there is room for %u below the devices; shorten it",
			       vm->rom, blob->bytes, (unsigned int)ROM_BYTES_MAX);
	vm->mem[vm->mem_count++] = (struct bundle_mem){
		.ipa = 0,
		.bytes = align_up(blob->bytes, BUNDLE_ALIGN),
		.flags = BUNDLE_MEM_ROM,
	};
	vm->entry_ipa = 0;
	return place_sparse(m, vm, blob, 0, "rom", vm->rom);
}

static int place_kernel(struct mkbundle *m, struct vm *vm)
{
	enum image_kind kind;
	struct blob *blob;
	const char *why;

	if (image_open(m, vm, "kernel", vm->kernel, &blob))
		return -1;
	kind = image_classify(blob->data, blob->bytes, &why);
	if (vm->has_load && kind == IMAGE_ELF)
		return vm_fail(m, vm, "load", "\"%s\" is an ELF file, which says itself where it lies; remove 'load'",
			       vm->kernel);
	if (vm->initrd && (vm->has_load || kind == IMAGE_ELF))
		return vm_fail(m, vm, "initrd", "needs a Linux 'Image' as kernel, \"%s\" is none; remove it",
			       vm->kernel);
	if (vm->has_load) {
		vm->entry_ipa = vm->has_entry ? vm->raw_entry : vm->load_ipa;
		return place_sparse(m, vm, blob, vm->load_ipa, "kernel", vm->kernel);
	}
	if (kind == IMAGE_LINUX)
		return linux_place(m, vm, blob);
	if (kind == IMAGE_ELF)
		return elf_place(m, vm, blob);
	if (kind == IMAGE_REFUSED)
		return vm_fail(m, vm, "kernel", "\"%s\" %s", vm->kernel, why);
	return vm_fail(
		m, vm, "kernel",
		"\"%s\" is neither an arm64 Linux Image nor an ELF file; for a raw image add 'load' (and 'entry')",
		vm->kernel);
}

static int place_initrd(struct mkbundle *m, struct vm *vm)
{
	const struct load *kernel = &vm->loads[0];
	uint64_t ipa = align_up(kernel->ipa + kernel->mem_bytes, INITRD_ALIGN);
	struct blob *blob;
	uint32_t i = 0;

	if (image_open(m, vm, "initrd", vm->initrd, &blob))
		return -1;
	while (i < vm->reserved_count) {
		const struct range *reg = &vm->reserved[i++].reg;

		if (!ranges_overlap((struct range){ ipa, blob->bytes }, *reg))
			continue;
		ipa = align_up(reg->base + reg->bytes, INITRD_ALIGN);
		i = 0;
	}
	if (ipa + blob->bytes > ram_end(vm))
		return vm_fail(m, vm, "initrd",
			       "\"%s\" behind the kernel needs 0x%llx..0x%llx, but RAM ends at 0x%llx; "
			       "set memory-mib to %llu or more",
			       vm->initrd, (unsigned long long)ipa, (unsigned long long)(ipa + blob->bytes),
			       (unsigned long long)ram_end(vm),
			       (unsigned long long)(align_up(ipa + blob->bytes - GUEST_RAM_BASE, 2 * MIB) / MIB));
	vm->initrd_start = ipa;
	vm->initrd_end = ipa + blob->bytes;
	return place_whole(m, vm, blob, ipa, BUNDLE_LOAD_INITRD, "initrd", vm->initrd);
}

static int check_entry(struct mkbundle *m, const struct vm *vm)
{
	if (vm->entry_ipa % 4)
		return vm_fail(m, vm, "entry", "0x%llx is not a multiple of 4, as instructions are; mend it",
			       (unsigned long long)vm->entry_ipa);
	for (uint32_t i = 0; i < vm->load_count; i++)
		if (vm->entry_ipa >= vm->loads[i].ipa && vm->entry_ipa - vm->loads[i].ipa < vm->loads[i].file_bytes)
			return 0;
	return vm_fail(m, vm, "entry", "0x%llx is not inside the loaded image; mend it",
		       (unsigned long long)vm->entry_ipa);
}

int place_vm(struct mkbundle *m, struct vm *vm)
{
	const char *dump = pairs_use(&m->opt.dump_dtb, vm->label);
	void *tree;
	size_t bytes;

	vm->mem_count = 1;
	vm->mem[0] = (struct bundle_mem){
		.ipa = GUEST_RAM_BASE,
		.bytes = vm->memory_mib * MIB,
		.hpa = vm->static_mem.base,
		.flags = vm->static_mem.bytes ? BUNDLE_MEM_STATIC : 0,
	};
	vm->load_count = 0;
	vm->initrd_start = vm->initrd_end = 0;
	if (vm->rom ? place_rom(m, vm) : place_kernel(m, vm))
		return -1;
	if (check_entry(m, vm))
		return -1;
	if (vm->initrd && place_initrd(m, vm))
		return -1;
	if (guestdt_write(m, vm, &tree, &bytes))
		return -1;
	if (dump && file_write(m, dump, tree, bytes))
		return -1;
	if (place_whole(m, vm, blob_add(m, tree, bytes, NULL), GUEST_RAM_BASE, BUNDLE_LOAD_DTB, "kernel", NULL))
		return -1;
	if (vm->scrub)
		place_scrub(vm);
	return 0;
}
