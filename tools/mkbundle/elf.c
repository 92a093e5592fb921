/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ELF64 AArch64 executables: one load per PT_LOAD segment, at its physical address.
 *
 * Section headers and symbols are never looked at. The file is hostile until each offset has been checked against its
 * length. What lies in the bundle is the stretch of the file from the first to the last loaded byte, cut at a page
 * boundary in front, so that a segment keeps its alignment relative to its address and copying it stays fast.
 */
#include "mkbundle.h"

#include <elf.h>
#include <string.h>

static int elf_check_header(struct mkbundle *m, const struct vm *vm, const struct blob *blob, Elf64_Ehdr *header)
{
	const char *why = NULL;

	if (blob->bytes < sizeof(*header))
		return vm_fail(m, vm, "kernel", "\"%s\" is shorter than an ELF header; give the whole file",
			       vm->kernel);
	memcpy(header, blob->data, sizeof(*header));
	if (header->e_ident[EI_CLASS] != ELFCLASS64)
		why = "is not a 64-bit ELF file";
	else if (header->e_ident[EI_DATA] != ELFDATA2LSB)
		why = "is a big-endian ELF file";
	else if (header->e_machine != EM_AARCH64)
		why = "is an ELF file for another processor";
	else if (header->e_type != ET_EXEC)
		why = "is an ELF file without fixed addresses";
	if (why)
		return vm_fail(m, vm, "kernel", "\"%s\" %s; link a static AArch64 executable", vm->kernel, why);
	if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phoff > blob->bytes ||
	    (blob->bytes - header->e_phoff) / sizeof(Elf64_Phdr) < header->e_phnum)
		return vm_fail(m, vm, "kernel", "\"%s\": program headers lie outside the file; make the file again",
			       vm->kernel);
	return 0;
}

static int elf_check_segment(struct mkbundle *m, const struct vm *vm, const struct blob *blob, const Elf64_Phdr *seg)
{
	if (seg->p_filesz > seg->p_memsz || seg->p_offset > blob->bytes || seg->p_filesz > blob->bytes - seg->p_offset)
		return vm_fail(m, vm, "kernel", "\"%s\": a segment lies outside the file; make the file again",
			       vm->kernel);
	if (seg->p_memsz > UINT64_MAX - seg->p_paddr)
		return vm_fail(m, vm, "kernel", "\"%s\": a segment wraps around the address space; make the file again",
			       vm->kernel);
	return 0;
}

/* The entry is a virtual address where segments have one of their own; with the MMU off it takes the physical one. */
static uint64_t elf_entry(const Elf64_Ehdr *header, const Elf64_Phdr *segs, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if (header->e_entry >= segs[i].p_vaddr && header->e_entry - segs[i].p_vaddr < segs[i].p_memsz)
			return segs[i].p_paddr + (header->e_entry - segs[i].p_vaddr);
	return header->e_entry;
}

int elf_place(struct mkbundle *m, struct vm *vm, struct blob *file)
{
	Elf64_Phdr segs[VM_IMAGE_MAX];
	unsigned int count = 0;
	uint64_t first = UINT64_MAX;
	uint64_t last = 0;
	struct blob *blob;
	Elf64_Ehdr header;

	if (elf_check_header(m, vm, file, &header))
		return -1;
	for (unsigned int i = 0; i < header.e_phnum; i++) {
		Elf64_Phdr seg;

		memcpy(&seg, file->data + header.e_phoff + i * sizeof(seg), sizeof(seg));
		if (seg.p_type != PT_LOAD || !seg.p_memsz)
			continue;
		if (elf_check_segment(m, vm, file, &seg))
			return -1;
		if (count == ARRAY_COUNT(segs))
			return vm_fail(m, vm, "kernel", "\"%s\" has more than %zu segments; link it with fewer",
				       vm->kernel, ARRAY_COUNT(segs));
		segs[count++] = seg;
		if (!seg.p_filesz)
			continue;
		first = seg.p_offset < first ? seg.p_offset : first;
		last = seg.p_offset + seg.p_filesz > last ? seg.p_offset + seg.p_filesz : last;
	}
	if (first >= last)
		return vm_fail(m, vm, "kernel", "\"%s\" has nothing to load; link a static AArch64 executable",
			       vm->kernel);

	first -= first % BUNDLE_ALIGN;
	blob = blob_add(m, file->data + first, last - first, NULL);
	for (unsigned int i = 0; i < count; i++) {
		struct load load = {
			.blob = blob,
			.offset = segs[i].p_filesz ? segs[i].p_offset - first : 0,
			.file_bytes = segs[i].p_filesz,
			.mem_bytes = segs[i].p_memsz,
			.ipa = segs[i].p_paddr,
			.kind = BUNDLE_LOAD_KERNEL,
			.prop = "kernel",
			.name = vm->kernel,
		};

		if (load_add(m, vm, &load))
			return -1;
	}
	vm->entry_ipa = elf_entry(&header, segs, count);
	return 0;
}
