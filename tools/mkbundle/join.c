/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joins the hypervisor and a bundle into the one file that a boot loader loads.
 *
 * The hypervisor's binary has the header of an arm64 Linux Image. Its image_size counts bss too, so the bundle goes
 * behind that, on a page boundary, where the hypervisor looks for it after its own end; image_size is raised to cover
 * the bundle, so that a loader keeps nothing else there.
 */
#include "mkbundle.h"

#include <string.h>

#define IMAGE_HEADER_BYTES 64u
#define IMAGE_SIZE_AT 16u
#define IMAGE_MAGIC_AT 56u

int image_join(struct mkbundle *m, const char *bin_path, const char *bundle_path, uint8_t **data, size_t *bytes)
{
	uint64_t image_size;
	uint8_t *bundle;
	uint8_t *bin;
	size_t bundle_bytes;
	size_t bin_bytes;

	if (file_read(m, bin_path, &bin, &bin_bytes) || file_read(m, bundle_path, &bundle, &bundle_bytes) ||
	    bundle_check(m, bundle_path, bundle, bundle_bytes))
		return -1;
	if (bin_bytes < IMAGE_HEADER_BYTES || memcmp(bin + IMAGE_MAGIC_AT, "ARM\x64", 4))
		return diag_fail(m, "%s: has no arm64 Image header; give the hypervisor's camber.bin", bin_path);
	memcpy(&image_size, bin + IMAGE_SIZE_AT, sizeof(image_size));
	if (image_size < bin_bytes || image_size > FILE_BYTES_MAX)
		return diag_fail(m, "%s: its header says %llu bytes, the file has %zu; link it again", bin_path,
				 (unsigned long long)image_size, bin_bytes);
	image_size = align_up(image_size, BUNDLE_ALIGN);
	*bytes = image_size + bundle_bytes;
	*data = pool_alloc(m, *bytes);
	memcpy(*data, bin, bin_bytes);
	memcpy(*data + image_size, bundle, bundle_bytes);
	image_size = *bytes;
	memcpy(*data + IMAGE_SIZE_AT, &image_size, sizeof(image_size));
	return 0;
}
