/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for what mkbundle reads: the compiled profile, kernel images, finished bundles.
 *
 * The first byte of the input chooses which; the rest is the file. Nothing may crash, and what is accepted must hold
 * together: a placed image is packed and the bundle passes its own check.
 */
#include "mkbundle.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_profile(struct mkbundle *m, const uint8_t *data, size_t size)
{
	profile_read(m, data, size);
}

static void fuzz_image(struct mkbundle *m, const uint8_t *data, size_t size)
{
	uint8_t *bundle;
	size_t bytes;

	m->vms[0] =
		(struct vm){ .node = "/vm@1", .label = "a", .kernel = "k", .id = 1, .vcpu_count = 1, .memory_mib = 64 };
	m->vm_count = 1;
	/* The file is there already, under the path that "k" is replaced by: none is opened. */
	blob_add(m, data, size, "k");
	if (!bundle_make(m, &bundle, &bytes) && bundle_check(m, "made", bundle, bytes))
		abort();
}

static void fuzz_bundle(struct mkbundle *m, const uint8_t *data, size_t size)
{
	FILE *out;

	if (bundle_check(m, "b", data, size))
		return;
	out = fopen("/dev/null", "w");
	if (!out)
		abort();
	bundle_list(data, out);
	fclose(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mkbundle m;
	uint8_t *file;

	if (!size)
		return 0;
	memset(&m, 0, sizeof(m));
	m.source = "fuzz.dts";
	m.opt.replace.item[m.opt.replace.count++] = (struct pair){ "k", "k", false };
	file = pool_alloc(&m, size - 1); /* aligned as a file that was read */
	memcpy(file, data + 1, size - 1);
	switch (data[0] % 3) {
	case 0:
		fuzz_profile(&m, file, size - 1);
		break;
	case 1:
		fuzz_image(&m, file, size - 1);
		break;
	default:
		fuzz_bundle(&m, file, size - 1);
		break;
	}
	mkbundle_free(&m);
	return 0;
}
