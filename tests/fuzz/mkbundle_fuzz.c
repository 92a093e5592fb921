/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for what mkbundle reads: the compiled profile, the board's tree, kernel images, finished bundles.
 *
 * The first byte of the input chooses which; the rest is the file, or a list of changes to one that is in order (as few random
 * bytes are a tree or a bundle with a right checksum). Nothing may crash, and what is accepted must hold together: a
 * placed image is packed and the bundle passes its own check.
 */
#include "mkbundle.h"

#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TREE_BYTES 4096
#define DEVICE "/bus@0/d@1000"

static void need(int error)
{
	if (error)
		abort();
}

static void string(void *fdt, const char *name, const char *value)
{
	need(fdt_property_string(fdt, name, value));
}

static void cells(void *fdt, const char *name, const uint32_t *values, size_t count)
{
	fdt32_t data[16];

	for (size_t i = 0; i < count; i++)
		data[i] = cpu_to_fdt32(values[i]);
	need(fdt_property(fdt, name, data, (int)(count * 4)));
}

#define CELLS(fdt, name, ...)                                                                                          \
	cells(fdt, name, (const uint32_t[]){ __VA_ARGS__ }, sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4)

static void begin(void *fdt, const char *name)
{
	need(fdt_begin_node(fdt, name));
}

static void end(void *fdt)
{
	need(fdt_end_node(fdt));
}

static void create(void *fdt)
{
	need(fdt_create(fdt, TREE_BYTES));
	need(fdt_finish_reservemap(fdt));
	begin(fdt, "");
}

/* A board with a device behind a bus. */
static void *make_board(void)
{
	static uint32_t fdt[TREE_BYTES / 4];

	create(fdt);
	CELLS(fdt, "#address-cells", 2);
	CELLS(fdt, "#size-cells", 2);
	CELLS(fdt, "interrupt-parent", 1);
	begin(fdt, "memory");
	string(fdt, "device_type", "memory");
	CELLS(fdt, "reg", 0, 0x80000000, 0, 0x40000000);
	end(fdt);
	begin(fdt, "cpus");
	for (int i = 0; i < 3; i++) {
		begin(fdt, "cpu");
		string(fdt, "device_type", "cpu");
		string(fdt, "compatible", i == 2 ? "b" : "a");
		end(fdt);
	}
	end(fdt);
	begin(fdt, "gic");
	CELLS(fdt, "phandle", 1);
	CELLS(fdt, "#interrupt-cells", 3);
	end(fdt);
	begin(fdt, "clock");
	CELLS(fdt, "phandle", 2);
	string(fdt, "compatible", "fixed-clock");
	CELLS(fdt, "clock-frequency", 1000);
	end(fdt);
	begin(fdt, "bus@0");
	CELLS(fdt, "#address-cells", 1);
	CELLS(fdt, "#size-cells", 1);
	CELLS(fdt, "ranges", 0, 0, 0x9300000, 0x10000);
	begin(fdt, "d@1000");
	string(fdt, "compatible", "arm,primecell");
	CELLS(fdt, "reg", 0x1000, 0x1000, 0x4000, 0x2000);
	CELLS(fdt, "interrupts", 0, 20, 4, 0, 21, 1);
	CELLS(fdt, "clocks", 2, 2);
	string(fdt, "clock-names", "a");
	end(fdt);
	end(fdt);
	begin(fdt, "chosen");
	string(fdt, "stdout-path", "/serial:115200");
	end(fdt);
	end(fdt);
	need(fdt_finish(fdt));
	return fdt;
}

/* A VM with a node of each kind. */
static void *make_profile(void)
{
	static uint32_t fdt[TREE_BYTES / 4];

	create(fdt);
	string(fdt, "compatible", "camber,config");
	begin(fdt, "vm@1");
	string(fdt, "compatible", "camber,vm");
	string(fdt, "label", "a");
	CELLS(fdt, "cpus", 2);
	CELLS(fdt, "pcpu-masks", 1, 3);
	CELLS(fdt, "memory-mib", 64);
	CELLS(fdt, "xen,static-mem", 0, 0x80000000, 0, 0x4000000);
	string(fdt, "kernel", "k");
	CELLS(fdt, "load", 0x40200000);
	string(fdt, "bootargs", "x");
	string(fdt, "on-crash", "restart");
	CELLS(fdt, "watchdog-ms", 1000);
	CELLS(fdt, "nr_spis", 64);
	need(fdt_property(fdt, "scrub", NULL, 0));
	begin(fdt, "sched");
	CELLS(fdt, "weight", 1);
	CELLS(fdt, "cap-percent", 150);
	need(fdt_property(fdt, "rt", NULL, 0));
	CELLS(fdt, "rt-budget-us", 400);
	CELLS(fdt, "rt-period-us", 1000);
	end(fdt);
	begin(fdt, "device@9301000");
	string(fdt, "path", DEVICE);
	CELLS(fdt, "reg", 0, 0x9301000, 0, 0x1000, 0, 0x9400000, 0, 0x2000);
	CELLS(fdt, "interrupts", 30, 31);
	end(fdt);
	begin(fdt, "reserved@41000000");
	CELLS(fdt, "size-mib", 1);
	string(fdt, "compatible", "ramoops");
	CELLS(fdt, "record-size", 4096);
	end(fdt);
	end(fdt);
	end(fdt);
	need(fdt_finish(fdt));
	return fdt;
}

/* No CPU that a vCPU is bound to has promised more than all of its time, nor any set of CPUs more than all of theirs. */
static void check_promises(const struct mkbundle *m)
{
	for (uint32_t cpus = 1; m->board.fdt && m->board.cpu_count < 8 && cpus < 1u << m->board.cpu_count; cpus++) {
		struct rt_share shares[BUNDLE_VM_MAX];

		for (uint32_t i = 0; i < m->vm_count; i++) {
			const struct vm *vm = &m->vms[i];

			shares[i] = (struct rt_share){ vm->rt_budget_us, vm->rt_period_us, 0 };
			if (!(vm->flags & BUNDLE_VM_RT))
				shares[i].period_us = 1;
			else
				for (uint32_t v = 0; v < vm->vcpu_count; v++)
					shares[i].vcpus += !(vm_pcpu_mask(vm, v) & ((1u << m->board.cpu_count) - 1) &
							     ~cpus);
		}
		if (rt_compare(shares, m->vm_count, BUNDLE_RT_PPM_ALL * (uint32_t)__builtin_popcount(cpus)) > 0)
			abort();
	}
}

/* Each three bytes of the input: where, and what is changed there. */
static void patch(uint8_t *file, size_t bytes, const uint8_t *data, size_t size)
{
	for (; size >= 3; size -= 3, data += 3)
		file[(data[0] | data[1] << 8) % bytes] ^= data[2];
}

static void use(struct mkbundle *m, const uint8_t *profile, size_t profile_bytes, const uint8_t *board,
		size_t board_bytes)
{
	static const uint8_t image[64];
	uint8_t *bundle;
	size_t bytes;

	/* The file is there already, under the path that "k" is replaced by: none is opened. */
	blob_add(m, image, sizeof(image), "k");
	if (board && (!tree_is_valid(board, board_bytes) || board_use(m, board, "board.dtb")))
		return;
	if (profile_read(m, profile, profile_bytes))
		return;
	check_promises(m);
	/* Any other name would be looked for. */
	for (uint32_t i = 0; i < m->vm_count; i++)
		if (!m->vms[i].kernel || strcmp(m->vms[i].kernel, "k") || m->vms[i].initrd)
			return;
	if (!bundle_make(m, &bundle, &bytes) && bundle_check(m, "made", bundle, bytes))
		abort();
}

static void fuzz_trees(struct mkbundle *m, bool is_board, const uint8_t *data, size_t size)
{
	static const void *board, *profile;
	uint8_t *patched;
	size_t bytes;

	board = board ? board : make_board();
	profile = profile ? profile : make_profile();
	bytes = fdt_totalsize(is_board ? board : profile);
	patched = pool_alloc(m, bytes);
	memcpy(patched, is_board ? board : profile, bytes);
	patch(patched, bytes, data, size);
	if (is_board)
		use(m, profile, fdt_totalsize(profile), patched, bytes);
	else
		use(m, patched, bytes, board, fdt_totalsize(board));
}

static void fuzz_image(struct mkbundle *m, const uint8_t *data, size_t size)
{
	uint8_t *bundle;
	size_t bytes;

	m->vms[0] =
		(struct vm){ .node = "/vm@1", .label = "a", .kernel = "k", .id = 1, .vcpu_count = 1, .memory_mib = 64 };
	m->vms[0].weight = 1;
	m->vms[0].scrub = size & 1;
	m->vm_count = 1;
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

/* Changes in header and tables, the checksum made right again. */
static void fuzz_tables(struct mkbundle *m, const uint8_t *data, size_t size)
{
	static struct mkbundle maker;
	static uint8_t *good;
	static size_t bytes;
	struct bundle_header *header;
	uint8_t *patched;

	if (!good) {
		void *board = make_board();
		void *profile = make_profile();

		maker.source = "made.dts";
		maker.opt.replace.item[maker.opt.replace.count++] = (struct pair){ "k", "k", false };
		blob_add(&maker, "0123456789abcdef", 16, "k");
		need(board_use(&maker, board, "board.dtb") || profile_read(&maker, profile, fdt_totalsize(profile)) ||
		     bundle_make(&maker, &good, &bytes));
	}
	patched = pool_alloc(m, bytes);
	memcpy(patched, good, bytes);
	header = (void *)patched;
	patch(patched, header->head_bytes, data, size);
	if (header->head_bytes >= sizeof(*header) && header->head_bytes <= bytes) {
		header->header_crc = 0;
		header->header_crc = crc32(0, patched, header->head_bytes);
	}
	fuzz_bundle(m, patched, bytes);
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
	switch (data[0] % 6) {
	case 0:
		use(&m, file, size - 1, NULL, 0);
		break;
	case 1:
		fuzz_image(&m, file, size - 1);
		break;
	case 2:
		fuzz_bundle(&m, file, size - 1);
		break;
	case 3:
		fuzz_trees(&m, false, file, size - 1);
		break;
	case 4:
		fuzz_trees(&m, true, file, size - 1);
		break;
	default:
		fuzz_tables(&m, file, size - 1);
		break;
	}
	mkbundle_free(&m);
	return 0;
}
