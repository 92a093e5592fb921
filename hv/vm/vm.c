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

struct vm *vm_find(const char *name)
{
	struct vm *vm;
	unsigned int i;
	char id[4];

	for (i = 0; (vm = vm_get(i)); i++) {
		(void)snprintf(id, sizeof(id), "%u", vm->id);
		if (!strcmp(name, vm->label) || !strcmp(name, id))
			return vm;
	}
	return NULL;
}

/* Maps one range of the VM from free memory, in one piece where that fits, else in pieces of 2 MiB or more. */
static int map_range(struct vm *vm, const struct bundle_mem *m)
{
	bool rom = m->flags & BUNDLE_MEM_ROM;
	unsigned int prot = GMAP_R | GMAP_X | (rom ? 0 : GMAP_W);
	uint64_t align = rom ? PAGE_SIZE : BLOCK_SIZE, done = 0, piece = m->bytes;
	hpa_t pa;
	int ret;

	if (m->flags & BUNDLE_MEM_STATIC)
		return gmap_map(&vm->map, gpa(m->ipa), hpa(m->hpa), m->bytes, prot);
	while (done < m->bytes) {
		piece = MIN(piece, m->bytes - done);
		while (mem_alloc(piece, align, &pa)) {
			piece = ALIGN_DOWN(piece / 2, align);
			if (!piece)
				return -ENOMEM;
		}
		ret = gmap_map(&vm->map, gpa(m->ipa + done), pa, piece, prot);
		if (ret)
			return ret;
		done += piece;
	}
	return 0;
}

static int map_memory(struct vm *vm)
{
	const struct bundle_vm *cfg = vm->cfg;
	struct mem_stats stats;
	unsigned int i;
	int ret;

	gmap_init(&vm->map, vm->id, arch_stage2_ipa_bits());
	for (i = 0; i < cfg->mem_count; i++) {
		const struct bundle_mem *m = &cfg->mem[i];

		mem_stats(&stats);
		ret = map_range(vm, m);
		if (ret == -ENOMEM)
			log_line(
				"vm %s: no memory for %llu MiB at 0x%llx (%llu MiB free): give it less, or the board more",
				vm->label, (unsigned long long)(m->bytes >> 20), (unsigned long long)m->ipa,
				(unsigned long long)(stats.free_bytes >> 20));
		else if (ret)
			log_line("vm %s: memory at 0x%llx can't be mapped (error %d)", vm->label,
				 (unsigned long long)m->ipa, -ret);
		if (ret)
			return ret;
	}
	return 0;
}

static int add_vcpus(struct vm *vm)
{
	const struct bundle_vm *cfg = vm->cfg;
	unsigned int i;
	int ret = 0;

	sched_group_init(&vm->group, cfg->cap_percent);
	for (i = 0; i < vm->vcpu_count && !ret; i++) {
		struct sched_config sched = {
			.cpu_mask = cfg->pcpu_mask[i],
			.weight = cfg->weight,
			.group = &vm->group,
			.rt_budget_us = cfg->rt_budget_us,
			.rt_period_us = cfg->rt_period_us,
			.id = (uint16_t)(vm->id << 8 | i),
		};

		ret = sched_unit_init(&vm->vcpu[i]->unit, &sched);
	}
	if (ret == -ENOSPC)
		log_line(
			"vm %s: vCPU %u needs %u of %u us, and real-time VMs before it leave none of its CPUs (0x%x) that much",
			vm->label, i - 1, cfg->rt_budget_us, cfg->rt_period_us, cfg->pcpu_mask[i - 1]);
	else if (ret)
		log_line("vm %s: vCPU %u may run on CPUs 0x%x only, and the machine has %u, of one kind with vCPU 0's",
			 vm->label, i - 1, cfg->pcpu_mask[i - 1], pcpu_count());
	return ret;
}

static int create(struct vm *vm, const struct bundle_vm *cfg, int (*attach)(struct vm *vm))
{
	unsigned int i;
	int ret;

	vm->cfg = cfg;
	vm->label = cfg->label;
	vm->id = cfg->id;
	vm->vcpu_count = cfg->vcpu_count;
	vm_life_init(vm);
	for (i = 0; i < vm->vcpu_count; i++) {
		vm->vcpu[i] = arch_vcpu_alloc();
		vm->vcpu[i]->vm = vm;
		vm->vcpu[i]->index = i;
		vm->vcpu[i]->mmio_last = &vm->mmio.region[0];
		arch_vcpu_init(vm->vcpu[i]);
	}
	ret = map_memory(vm);
	if (!ret)
		ret = add_vcpus(vm);
	if (!ret)
		ret = arch_vm_init(vm);
	if (!ret)
		ret = attach(vm);
	for (i = 0; !ret && i < cfg->device_count; i++)
		ret = arch_vm_add_device(vm, bundle_devices(vm_bundle) + cfg->device_first + i);
	return ret;
}

/*
 * A vCPU that never shares its CPU isn't disturbed in its idle sleep, unless it has a cap, which sleep must not count against. Known once all
 * are assigned.
 */
static void set_alone(void)
{
	unsigned int i, j;

	for (i = 0; i < count; i++)
		for (j = 0; j < vms[i]->vcpu_count; j++)
			arch_vcpu_set_alone(vms[i]->vcpu[j],
					    sched_unit_alone(&vms[i]->vcpu[j]->unit) && !vms[i]->cfg->cap_percent);
}

/* Memory at a fixed place, of all VMs, before anybody is given any other. */
static __cold int take_static(const struct bundle_vm *cfg, uint32_t vm_count)
{
	const struct bundle_mem *m;

	for (; vm_count--; cfg++) {
		for (m = cfg->mem; m < cfg->mem + cfg->mem_count; m++) {
			if (!(m->flags & BUNDLE_MEM_STATIC) || !mem_alloc_at(hpa(m->hpa), m->bytes))
				continue;
			log_line("vm %s: %llu MiB at 0x%llx of the board aren't all free RAM: change xen,static-mem",
				 cfg->label, (unsigned long long)(m->bytes >> 20), (unsigned long long)m->hpa);
			return -ENOMEM;
		}
	}
	return 0;
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
	ret = take_static(cfg, bundle->vm_count);
	for (i = 0; i < bundle->vm_count && !ret; i++) {
		struct vm *vm = arch_vm_alloc();

		ret = create(vm, &cfg[i], attach);
		if (!ret)
			vms[count++] = vm;
	}
	if (!ret) {
		sched_seal();
		set_alone();
	}
	return ret;
}
