/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stolen time for guests: "Paravirtualized Time for Arm-based Systems" (Arm DEN0057).
 *
 * One page per VM, which the guest can read and never write, with a structure for each vCPU. It is kept from the
 * vCPU's PV_TIME_ST on: what the vCPU has waited for a CPU since the VM's start, written when it gets one
 * (VCPU_STOLEN); a guest that never asks pays nothing. VMs with Xen's interface have Xen's own way to tell and aren't
 * offered this one.
 *
 * Never looks at what the page contains, never fails after boot. Locking: none. A structure is written by the CPU that
 * runs its vCPU alone; reset happens with all vCPUs off.
 */
#include "abi/platform.h"
#include "arm64.h"
#include "camber/arch/cache.h"

#define PV_TIME_ST 0xc5000021u

#define PV_SUCCESS 0
#define PV_NOT_SUPPORTED ((uint64_t)-1)

/* The structure that PV_TIME_ST names, revision 0; little-endian. */
struct pv_stolen {
	uint32_t revision;
	uint32_t attributes;
	uint64_t stolen_ns;
} __aligned(GUEST_PVTIME_STRIDE);
_Static_assert(offsetof(struct pv_stolen, stolen_ns) == 8 && sizeof(struct pv_stolen) == 64, "DEN0057");

struct pv_page {
	struct pv_stolen vcpu[BUNDLE_VCPU_MAX];
} __aligned(PAGE_SIZE);
_Static_assert(sizeof(struct pv_page) == PAGE_SIZE, "mapped as one page");

__cold int pvtime_vm_init(struct arm64_vm *vm)
{
	if (vm->vm.cfg->flags & BUNDLE_VM_XEN)
		return 0;
	vm->pvtime = mem_alloc_zeroed(sizeof(*vm->pvtime), "stolen time");
	/* A guest that reads it uncached must not find what was in that memory before. */
	arch_cache_clean(vm->pvtime, sizeof(*vm->pvtime));
	return gmap_map(&vm->vm.map, gpa(GUEST_PVTIME_BASE), ptr_to_hpa(vm->pvtime), PAGE_SIZE, GMAP_R);
}

__cold void pvtime_vcpu_reset(struct arm64_vcpu *a)
{
	struct arm64_vm *vm = to_arm_vm(a->v.vm);

	a->special &= (uint8_t)~VCPU_STOLEN;
	a->waited_before = a->v.unit.stats.waited;
	if (vm->pvtime)
		vm->pvtime->vcpu[a->v.index].stolen_ns = 0;
}

void pvtime_update(struct arm64_vcpu *a)
{
	struct pv_stolen *stolen = &to_arm_vm(a->v.vm)->pvtime->vcpu[a->v.index];

	/* One store: the vCPU's siblings may be reading it. */
	WRITE_ONCE(stolen->stolen_ns, time_ticks_to_ns(a->v.unit.stats.waited - a->waited_before));
}

uint64_t pvtime_features(struct arm64_vcpu *a, uint32_t function)
{
	if (!to_arm_vm(a->v.vm)->pvtime || (function != PV_TIME_FEATURES && function != PV_TIME_ST))
		return PV_NOT_SUPPORTED;
	return PV_SUCCESS;
}

bool pvtime_call(struct arm64_vcpu *a, uint32_t function)
{
	if (function == PV_TIME_FEATURES) {
		a->x[0] = pvtime_features(a, (uint32_t)a->x[1]);
		return true;
	}
	if (function != PV_TIME_ST || !to_arm_vm(a->v.vm)->pvtime)
		return false;
	a->special |= VCPU_STOLEN;
	pvtime_update(a);
	a->x[0] = GUEST_PVTIME_BASE + a->v.index * sizeof(struct pv_stolen);
	return true;
}
