/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle_check() and bundle_load_step() on damaged bundles: a good one with numbers of the input written over any places of
 * it, cut anywhere, and its checksum put right, or nothing would get past that. What the check lets through is loaded, with
 * the sanitizers guarding the file's ends and the VM's memory.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "camber/arch/vcpu.h"
#include "camber/lib.h"
#include "camber/time.h"

#define MIB UINT64_C(0x100000)
#define RAM UINT64_C(0x40000000)

static struct vm *vm;
static uint64_t loaded; /* VMs of damaged bundles that could be loaded all the same */

static void once(void)
{
	hpa_t pa;

	if (vm)
		return;
	time_init(1000000000);
	FUZZ_CHECK(mem_add(host_ram_add(4 * MIB), 4 * MIB) == 0);
	vm = arch_vm_alloc();
	vm->label = "fuzz";
	vm->id = 1;
	gmap_init(&vm->map, 1, 40);
	FUZZ_CHECK(mem_alloc(2 * MIB, BLOCK_SIZE, &pa) == 0);
	FUZZ_CHECK(gmap_map(&vm->map, gpa(RAM), pa, 2 * MIB, GMAP_R | GMAP_W) == 0);
}

struct file {
	struct bundle_header header;
	struct bundle_vm vm[2];
	struct bundle_load load[3];
	struct bundle_device device[2];
	uint8_t image[300];
};

static void make_good(struct file *f)
{
	memset(f, 0, sizeof(*f));
	f->header = (struct bundle_header){
		.magic = BUNDLE_MAGIC,
		.version = BUNDLE_VERSION,
		.total_bytes = sizeof(*f),
		.head_bytes = offsetof(struct file, image),
		.vm_count = 2,
		.vm_offset = offsetof(struct file, vm),
		.load_count = 3,
		.load_offset = offsetof(struct file, load),
		.device_count = 2,
		.device_offset = offsetof(struct file, device),
	};
	for (uint32_t i = 0; i < 2; i++)
		f->device[i] = (struct bundle_device){
			.path = "/uart@1000",
			.reg = { { .ipa = 0x10000000, .bytes = 0x1000 } },
			.reg_count = 1,
			.irq = { 40 },
			.irq_count = 1,
		};
	for (uint32_t i = 0; i < 2; i++)
		f->vm[i] = (struct bundle_vm){
			.label = "fuzz",
			.id = i + 1,
			.vcpu_count = 1,
			.mem_count = 1,
			.mem = { { .ipa = RAM, .bytes = 2 * MIB } },
			.load_first = i,
			.load_count = 2,
			.spi_count = 32,
			.device_first = i,
			.device_count = 1,
		};
	for (uint32_t i = 0; i < 3; i++)
		f->load[i] = (struct bundle_load){
			.offset = offsetof(struct file, image) + i * 100,
			.file_bytes = 100,
			.mem_bytes = 200,
			.ipa = RAM + i * 4096 + 4000,
			.crc = crc32(0, &f->image[i * 100], 100),
		};
}

static void reseal(struct bundle_header *h, size_t size)
{
	h->header_crc = 0;
	if (h->head_bytes >= sizeof(*h) && h->head_bytes <= size)
		h->header_crc = crc32(0, h, h->head_bytes);
}

static void load(const struct bundle_header *h, const struct bundle_vm *cfg, uint64_t budget)
{
	int ret = 1;

	FUZZ_CHECK(strnlen(cfg->label, sizeof(cfg->label)) < sizeof(cfg->label));
	vm->cfg = cfg;
	vm->load_index = cfg->load_first;
	vm->load_pos = 0;
	vm->load_crc = 0;
	for (unsigned int steps = 0; steps < 300 && ret > 0; steps++)
		ret = bundle_load_step(vm, h, budget);
	loaded += ret == 0;
}

/* What arch_vm_add_device() relies on. */
static void check_devices(const struct bundle_header *h, const struct bundle_vm *cfg, size_t size)
{
	const struct bundle_device *d = (const void *)((const char *)h + h->device_offset);

	d += cfg->device_first;
	for (uint32_t i = 0; i < cfg->device_count; i++, d++) {
		FUZZ_CHECK((size_t)((const char *)(d + 1) - (const char *)h) <= size);
		FUZZ_CHECK(d->path[0] == '/' && strnlen(d->path, sizeof(d->path)) < sizeof(d->path));
		FUZZ_CHECK(d->reg_count <= BUNDLE_DEVICE_REGS && d->irq_count <= BUNDLE_DEVICE_IRQS);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct bundle_header *h;
	struct file f;
	size_t file_size;

	once();
	make_good(&f);
	file_size = fuzz_number(&in, 1) & 1 ? fuzz_number(&in, 2) % (sizeof(f) + 1) : sizeof(f);
	while (in.left) {
		uint64_t at = fuzz_number(&in, 2) % sizeof(f);
		unsigned int bytes = 1u << (fuzz_number(&in, 1) & 3);
		uint64_t value = fuzz_number(&in, bytes);

		memcpy((char *)&f + at, &value, MIN(bytes, sizeof(f) - at));
	}
	h = malloc(file_size ? file_size : 1); /* its own allocation, so that its end is guarded */
	if (!h)
		return 0;
	memcpy(h, &f, file_size);
	if (file_size >= sizeof(*h))
		reseal(h, file_size);
	if (bundle_check(h, file_size) == 0) {
		const struct bundle_vm *vms = (const void *)((const char *)h + h->vm_offset);

		FUZZ_CHECK(file_size >= sizeof(*h) && h->total_bytes <= file_size && h->vm_count <= BUNDLE_VM_MAX);
		for (uint32_t i = 0; i < h->vm_count; i++) {
			check_devices(h, &vms[i], file_size);
			load(h, &vms[i], i ? 65536 : 3);
		}
	}
	/* An input of nothing leaves a good bundle: if that doesn't load, nothing was tested. */
	FUZZ_CHECK(size != 0 || loaded != 0);
	free(h);
	return 0;
}
