/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image files: finding them, and telling from the first bytes what they are.
 *
 * A file is read once however many VMs name it. Classification looks at magic numbers only; linux.c and elf.c check
 * the rest. Formats that people do try, but that nothing at EL2 unpacks, are recognised to say what to do instead.
 */
#include "mkbundle.h"

#include <string.h>
#include <unistd.h>

struct magic {
	size_t offset;
	const char *bytes;
	size_t count;
	const char *why;
};

/* First match counts: an EFI zboot image starts with "MZ" as an Image does. */
static const struct magic refused[] = {
	{ 4, "zimg", 4, "is an EFI zboot image (compressed); use the 'Image' it was made from" },
	{ 0, "\x1f\x8b", 2, "is gzip-compressed; unpack it first: gunzip" },
	{ 0, "\x28\xb5\x2f\xfd", 4, "is zstd-compressed; unpack it first: unzstd" },
	{ 0,
	  "\xfd"
	  "7zXZ",
	  5, "is xz-compressed; unpack it first: unxz" },
	{ 0, "BZh", 3, "is bzip2-compressed; unpack it first: bunzip2" },
	{ 0, "\x27\x05\x19\x56", 4, "is a U-Boot uImage; use the kernel's 'Image'" },
	{ 0, "\xd0\x0d\xfe\xed", 4, "is a device tree or FIT image; use the kernel's 'Image'" },
};

static bool has_bytes(const uint8_t *data, size_t bytes, size_t offset, const char *want, size_t count)
{
	return bytes >= offset + count && !memcmp(data + offset, want, count);
}

enum image_kind image_classify(const uint8_t *data, size_t bytes, const char **why)
{
	*why = "";
	for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
		if (has_bytes(data, bytes, refused[i].offset, refused[i].bytes, refused[i].count)) {
			*why = refused[i].why;
			return IMAGE_REFUSED;
		}
	}
	if (has_bytes(data, bytes, 0, "\177ELF", 4))
		return IMAGE_ELF;
	if (has_bytes(data, bytes, 56, "ARM\x64", 4))
		return IMAGE_LINUX;
	return IMAGE_UNKNOWN;
}

struct blob *blob_add(struct mkbundle *m, const void *data, size_t bytes, const char *path)
{
	struct blob *blob = pool_alloc(m, sizeof(*blob));

	blob->data = data;
	blob->bytes = bytes;
	blob->path = path;
	blob->next = m->blobs;
	m->blobs = blob;
	return blob;
}

static const char *find_file(struct mkbundle *m, const struct vm *vm, const char *prop, const char *name)
{
	const char *path = pairs_use(&m->opt.replace, name);
	const char *tried = "";

	if (path)
		return path;
	if (name[0] == '/')
		return name;
	for (unsigned int i = 0; i < m->opt.image_dir_count; i++) {
		path = pool_printf(m, "%s/%s", m->opt.image_dirs[i], name);
		if (!access(path, R_OK))
			return path;
		tried = pool_printf(m, "%s%s%s", tried, i ? ", " : "", m->opt.image_dirs[i]);
	}
	vm_fail(m, vm, prop, "no readable file \"%s\" in %s; build it, or name its folder with -I", name,
		*tried ? tried : "(no -I folder given)");
	return NULL;
}

int image_open(struct mkbundle *m, const struct vm *vm, const char *prop, const char *name, struct blob **result)
{
	const char *path = find_file(m, vm, prop, name);
	uint8_t *data;
	size_t bytes;

	if (!path)
		return -1;
	for (struct blob *blob = m->blobs; blob; blob = blob->next) {
		if (blob->path && !strcmp(blob->path, path)) {
			*result = blob;
			return 0;
		}
	}
	if (file_read(m, path, &data, &bytes)) {
		char text[sizeof(m->diag.text)];

		/* Say which VM wanted the file, too. */
		memcpy(text, m->diag.text, sizeof(text));
		m->diag.text[0] = 0;
		return vm_fail(m, vm, prop, "%s", text);
	}
	*result = blob_add(m, data, bytes, path);
	return 0;
}
