/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arm64 Linux `Image`: where it goes in RAM. Linux, Documentation/arch/arm64/booting.rst, "Call the kernel image".
 *
 * Reads the header only; never changes the image.
 */
#include "mkbundle.h"

#include <string.h>

struct linux_header {
	uint32_t code0;
	uint32_t code1;
	uint64_t text_offset;
	uint64_t image_size; /* with bss; 0 before Linux 3.17 */
	uint64_t flags;
	uint64_t reserved2;
	uint64_t reserved3;
	uint64_t reserved4;
	uint32_t magic;
	uint32_t reserved5;
};
_Static_assert(sizeof(struct linux_header) == 64, "booting.rst: 64-byte header");

#define LINUX_FLAG_BIG_ENDIAN UINT64_C(1)
#define LINUX_BASE_ALIGN (2 * MIB)

int linux_place(struct mkbundle *m, struct vm *vm, struct blob *blob)
{
	struct linux_header header;
	struct load load = {
		.blob = blob,
		.file_bytes = blob->bytes,
		.kind = BUNDLE_LOAD_KERNEL,
		.prop = "kernel",
		.name = vm->kernel,
	};

	if (blob->bytes < sizeof(header))
		return vm_fail(m, vm, "kernel", "\"%s\" is shorter than an Image header; give the whole file",
			       vm->kernel);
	memcpy(&header, blob->data, sizeof(header));
	if (header.flags & LINUX_FLAG_BIG_ENDIAN)
		return vm_fail(m, vm, "kernel", "\"%s\" is a big-endian kernel; use a little-endian one", vm->kernel);
	if (!header.image_size)
		return vm_fail(m, vm, "kernel",
			       "\"%s\" does not say its size (image_size is 0); use Linux 3.17 or later", vm->kernel);
	if (header.text_offset >= LINUX_BASE_ALIGN || header.text_offset % BUNDLE_ALIGN)
		return vm_fail(m, vm, "kernel",
			       "\"%s\" has text_offset 0x%llx, not a page below 2 MiB; make the file again", vm->kernel,
			       (unsigned long long)header.text_offset);
	/*
	 * Bits 1-2 of the flags (page size) are information, as every granule works under stage 2. Bit 3 clear asks for
	 * the 2 MiB aligned base nearest to the start of RAM, bit 3 set takes any; the first 2 MiB are the device
	 * tree's, so the next piece satisfies both.
	 */
	load.ipa = GUEST_RAM_BASE + LINUX_BASE_ALIGN + header.text_offset;
	load.mem_bytes = header.image_size > blob->bytes ? header.image_size : blob->bytes;
	vm->entry_ipa = load.ipa;
	return load_add(m, vm, &load);
}
