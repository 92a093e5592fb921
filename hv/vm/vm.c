/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual machines: made once from the bundle, at boot, on the boot CPU. Everything a VM will ever need is taken here.
 */
#include "camber/vm.h"

#include "camber/arch/stage2.h"
#include "camber/arch/vcpu.h"
#include "camber/errno.h"
#include "camber/log.h"
#include "vm_priv.h"

static struct vm *vms[VM_MAX];
static unsigned int count;
const struct bundle_header *vm_bundle;

struct vm *vm_get(unsigned int index)
{
	return index < count ? vms[index] : NULL;
}

struct vm *vm_find(const char *label)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (!strcmp(vms[i]->label, label))
			return vms[i];
	return NULL;
}

static int map_memory(struct vm *vm)
{
	const struct bundle_vm *cfg = vm->cfg;
	unsigned int i;

	gmap_init(&vm->map, vm->id, arch_stage2_ipa_bits());
	for (i = 0; i < cfg->mem_count; i++) {
		const struct bundle_mem *m = &cfg->mem[i];
		bool rom = m->flags & BUNDLE_MEM_ROM;
		struct mem_stats stats;
		hpa_t pa;
		int ret;

		if (mem_alloc(m->bytes, rom ? PAGE_SIZE : BLOCK_SIZE, &pa)) {
			mem_stats(&stats);
			log_line(
				"vm %s: no memory for %llu MiB at 0x%llx (%llu MiB free): give it less, or the board more",
				vm->label, (unsigned long long)(m->bytes >> 20), (unsigned long long)m->ipa,
				(unsigned long long)(stats.free_bytes >> 20));
			return -ENOMEM;
		}
		ret = gmap_map(&vm->map, gpa(m->ipa), pa, m->bytes, GMAP_R | GMAP_X | (rom ? 0 : GMAP_W));
		if (ret) {
			log_line("vm %s: memory at 0x%llx can't be mapped (error %d)", vm->label,
				 (unsigned long long)m->ipa, -ret);
			return ret;
		}
	}
	return 0;
}

static int add_vcpus(struct vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->vcpu_count; i++) {
		struct vcpu *v = vm->vcpu[i];

		if (sched_unit_init(&v->unit, vm->cfg->pcpu_mask[i], vm->cfg->weight)) {
			log_line("vm %s: vCPU %u may run on CPUs 0x%x only, and the machine has %u", vm->label, i,
				 vm->cfg->pcpu_mask[i], pcpu_count());
			return -EINVAL;
		}
	}
	return 0;
}

static int create(struct vm *vm, const struct bundle_vm *cfg, int (*attach)(struct vm *vm))
{
	unsigned int i;
	int ret;

	vm->cfg = cfg;
	vm->label = cfg->label;
	vm->id = cfg->id;
	vm->vcpu_count = cfg->vcpu_count;
	for (i = 0; i < vm->vcpu_count; i++) {
		vm->vcpu[i] = arch_vcpu_alloc();
		vm->vcpu[i]->vm = vm;
		vm->vcpu[i]->index = i;
		arch_vcpu_init(vm->vcpu[i]);
	}
	ret = map_memory(vm);
	if (!ret)
		ret = add_vcpus(vm);
	if (!ret)
		ret = arch_vm_init(vm);
	if (!ret)
		ret = attach(vm);
	return ret;
}

/* A vCPU that never shares its CPU isn't disturbed in its idle sleep. Known once all are assigned. */
static void set_alone(void)
{
	unsigned int i, j;

	for (i = 0; i < count; i++)
		for (j = 0; j < vms[i]->vcpu_count; j++)
			arch_vcpu_set_alone(vms[i]->vcpu[j], sched_unit_alone(&vms[i]->vcpu[j]->unit));
}

int vm_create_all(const struct bundle_header *bundle, int (*attach)(struct vm *vm))
{
	const struct bundle_vm *cfg = (const void *)((const char *)bundle + bundle->vm_offset);
	unsigned int i;
	int ret;

	vm_bundle = bundle;
	if (bundle->vm_count > VM_MAX) {
		log_line("bundle has %u VMs, this image is configured for %u (CONFIG_VM_MAX)", bundle->vm_count,
			 VM_MAX);
		return -E2BIG;
	}
	for (i = 0; i < bundle->vm_count; i++) {
		struct vm *vm = arch_vm_alloc();

		ret = create(vm, &cfg[i], attach);
		if (ret)
			return ret;
		vms[count++] = vm;
	}
	set_alone();
	return 0;
}
