/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VMs and vCPUs on the host: nothing runs, calls are recorded. Loading a vCPU is where the models judge: its VM's map must
 * have no stale translation, and a vCPU that starts, with its MMU off, must find in memory what the hypervisor wrote.
 */
#include "host.h"

#include "camber/arch/stage2.h"
#include "camber/arch/vcpu.h"
#include "camber/lib.h"
#include "camber/panic.h"

#define INTIDS 1020u

struct host_vm {
	struct vm vm; /* first: see to_host_vm() */
	bool level[INTIDS];
	unsigned int drives[INTIDS];
	bool watched;
	bool paused;
};

struct host_vcpu {
	struct vcpu vcpu; /* first: see to_host_vcpu() */
	uint64_t entry, arg0;
	bool starts; /* entry was set and the vCPU not loaded since */
	bool irq_pending;
	bool alone;
	unsigned int loads, syncs;
};

static struct host_vm *to_host_vm(const struct vm *vm)
{
	return (struct host_vm *)(uintptr_t)vm;
}

static struct host_vcpu *to_host_vcpu(const struct vcpu *v)
{
	return (struct host_vcpu *)(uintptr_t)v;
}

struct vm *arch_vm_alloc(void)
{
	return &((struct host_vm *)mem_alloc_zeroed(sizeof(struct host_vm), "a VM"))->vm;
}

struct vcpu *arch_vcpu_alloc(void)
{
	return &((struct host_vcpu *)mem_alloc_zeroed(sizeof(struct host_vcpu), "a vCPU"))->vcpu;
}

int arch_vm_init(struct vm *vm)
{
	if (!to_host_vm(vm)->watched)
		host_stage2_watch(&vm->map);
	to_host_vm(vm)->watched = true;
	return 0;
}

void arch_vcpu_init(struct vcpu *v)
{
	(void)v;
}

void arch_vm_reset(struct vm *vm)
{
	memset(to_host_vm(vm)->level, 0, sizeof(to_host_vm(vm)->level));
	for (uint32_t i = 0; i < vm->vcpu_count; i++)
		if (vm->vcpu[i])
			to_host_vcpu(vm->vcpu[i])->irq_pending = false;
}

int arch_vm_add_device(struct vm *vm, const struct bundle_device *dev)
{
	(void)vm;
	(void)dev;
	return 0;
}

void arch_vm_pause(struct vm *vm)
{
	to_host_vm(vm)->paused = true;
}

void arch_vm_resume(struct vm *vm)
{
	to_host_vm(vm)->paused = false;
}

void arch_vm_stopped(struct vm *vm)
{
	to_host_vm(vm)->paused = false;
}

void arch_vcpu_set_entry(struct vcpu *v, gpa_t entry, uint64_t arg0)
{
	struct host_vcpu *h = to_host_vcpu(v);

	h->entry = entry.addr;
	h->arg0 = arg0;
	h->starts = true;
}

static void check_leaf(uint64_t gpa, uint64_t pte, unsigned int level)
{
	(void)gpa;
	if (!(arch_stage2_prot(pte) & GMAP_DEVICE))
		host_check_clean(arch_stage2_addr(pte), UINT64_C(1) << (39 - 9 * level));
}

void arch_vcpu_switch(struct vcpu *prev, struct vcpu *next)
{
	struct host_vcpu *h;

	(void)prev;
	if (!next)
		return;
	h = to_host_vcpu(next);
	ASSERT(!to_host_vm(next->vm)->paused);
	h->loads++;
	if (to_host_vm(next->vm)->watched)
		host_stage2_check(&next->vm->map);
	if (h->starts) {
		host_stage2_leaves(&next->vm->map, check_leaf);
		host_check_icache();
		h->starts = false;
	}
}

void arch_vcpu_idle(struct vcpu *v __unused)
{
}

void arch_vcpu_resume(struct vcpu *v)
{
	arch_vcpu_sync_irqs(v);
}

void arch_vcpu_sync_irqs(struct vcpu *v)
{
	to_host_vcpu(v)->syncs++;
}

bool arch_vcpu_irq_pending(struct vcpu *v)
{
	return to_host_vcpu(v)->irq_pending;
}

void arch_vm_irq_line(struct vm *vm, uint32_t intid, bool level)
{
	to_host_vm(vm)->level[intid] = level;
	to_host_vm(vm)->drives[intid]++;
}

uint64_t arch_vcpu_pc(const struct vcpu *v)
{
	return to_host_vcpu(v)->entry;
}

void arch_vcpu_log(const struct vcpu *v)
{
	(void)v;
}

void arch_vcpu_set_alone(struct vcpu *v, bool alone)
{
	to_host_vcpu(v)->alone = alone;
}

/* --- what tests ask ------------------------------------------------------------------------------------------------- */

bool host_irq_level(const struct vm *vm, uint32_t intid)
{
	return to_host_vm(vm)->level[intid];
}

unsigned int host_irq_drives(const struct vm *vm, uint32_t intid)
{
	return to_host_vm(vm)->drives[intid];
}

void host_set_irq_pending(struct vcpu *v, bool pending)
{
	to_host_vcpu(v)->irq_pending = pending;
}

uint64_t host_vcpu_entry(const struct vcpu *v)
{
	return to_host_vcpu(v)->entry;
}

uint64_t host_vcpu_arg0(const struct vcpu *v)
{
	return to_host_vcpu(v)->arg0;
}

unsigned int host_vcpu_loads(const struct vcpu *v)
{
	return to_host_vcpu(v)->loads;
}

unsigned int host_vcpu_syncs(const struct vcpu *v)
{
	return to_host_vcpu(v)->syncs;
}

bool host_vcpu_alone(const struct vcpu *v)
{
	return to_host_vcpu(v)->alone;
}
