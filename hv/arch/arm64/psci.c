/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PSCI 1.1 (Arm DEN0022) for guests: their vCPUs and their VM, never the machine.
 *
 * Arguments are the guest's and hostile: checked before anything changes. vm->lock guards which vCPUs are on.
 */
#include "arm64.h"
#include "sysregs.h"

#define PSCI_VERSION 0x84000000u
#define PSCI_CPU_SUSPEND32 0x84000001u
#define PSCI_CPU_SUSPEND64 0xc4000001u
#define PSCI_CPU_OFF 0x84000002u
#define PSCI_CPU_ON32 0x84000003u
#define PSCI_CPU_ON64 0xc4000003u
#define PSCI_AFFINITY_INFO32 0x84000004u
#define PSCI_AFFINITY_INFO64 0xc4000004u
#define PSCI_MIGRATE_INFO_TYPE 0x84000006u
#define PSCI_SYSTEM_OFF 0x84000008u
#define PSCI_SYSTEM_RESET 0x84000009u
#define PSCI_FEATURES 0x8400000au
#define PSCI_SYSTEM_RESET2_32 0x84000012u
#define PSCI_SYSTEM_RESET2_64 0xc4000012u

#define PSCI_SUCCESS 0
#define PSCI_NOT_SUPPORTED (-1)
#define PSCI_INVALID_PARAMETERS (-2)
#define PSCI_DENIED (-3)
#define PSCI_ALREADY_ON (-4)
#define PSCI_INVALID_ADDRESS (-9)

#define PSCI_TOS_NONE 2 /* MIGRATE_INFO_TYPE: no trusted OS, or it needs no migration */
#define AFFINITY_ON 0
#define AFFINITY_OFF 1

/* The vCPU whose MPIDR affinity fields these are. */
static struct vcpu *by_mpidr(struct vm *vm, uint64_t target)
{
	if (target & ~UINT64_C(0xff) || target >= vm->vcpu_count)
		return NULL;
	return vm->vcpu[target];
}

static int64_t cpu_on(struct arm64_vcpu *a, uint64_t target, uint64_t entry, uint64_t context)
{
	struct vm *vm = a->v.vm;
	struct vcpu *v = by_mpidr(vm, target);
	unsigned int prot;
	uint64_t span;
	hpa_t pa;
	int64_t result = PSCI_ALREADY_ON;

	if (!v)
		return PSCI_INVALID_PARAMETERS;
	if ((entry & 3) || !gmap_lookup(&vm->map, gpa(entry), &pa, &prot, &span) || !(prot & GMAP_X))
		return PSCI_INVALID_ADDRESS;
	spin_lock(&vm->lock);
	if (vm->state != VM_RUNNING && vm->state != VM_PAUSING) {
		result = PSCI_DENIED;
	} else if (!v->powered && !v->leaving) {
		arch_vcpu_set_entry(v, gpa(entry), context);
		vcpu_power_on_locked(v);
		result = PSCI_SUCCESS;
	}
	spin_unlock(&vm->lock);
	return result;
}

static int64_t affinity_info(struct arm64_vcpu *a, uint64_t target, uint64_t level)
{
	struct vcpu *v = by_mpidr(a->v.vm, target);

	if (!v || level > 0)
		return PSCI_INVALID_PARAMETERS;
	/* In this order: see leave_locked() in hv/vm/lifecycle.c. */
	return __atomic_load_n(&v->powered, __ATOMIC_ACQUIRE) || READ_ONCE(v->leaving) ? AFFINITY_ON : AFFINITY_OFF;
}

int64_t psci_features(uint32_t function)
{
	switch (function) {
	case 0x80000000u: /* SMCCC_VERSION: SMCCC 1.1 or later is there */
	case PSCI_VERSION:
	case PSCI_CPU_SUSPEND32:
	case PSCI_CPU_SUSPEND64:
	case PSCI_CPU_OFF:
	case PSCI_CPU_ON32:
	case PSCI_CPU_ON64:
	case PSCI_AFFINITY_INFO32:
	case PSCI_AFFINITY_INFO64:
	case PSCI_MIGRATE_INFO_TYPE:
	case PSCI_SYSTEM_OFF:
	case PSCI_SYSTEM_RESET:
	case PSCI_FEATURES:
	case PSCI_SYSTEM_RESET2_32:
	case PSCI_SYSTEM_RESET2_64:
		return PSCI_SUCCESS;
	default:
		return PSCI_NOT_SUPPORTED;
	}
}

bool psci_call(struct arm64_vcpu *a, uint32_t function)
{
	int64_t result;

	/* The 32-bit form of a function takes the low halves of its arguments (DEN0028 3.1). */
	uint64_t mask = function & BIT32(30) ? UINT64_MAX : UINT32_MAX;
	uint64_t a1 = a->x[1] & mask, a2 = a->x[2] & mask, a3 = a->x[3] & mask;

	switch (function) {
	case PSCI_VERSION:
		result = 0x10001;
		break;
	case PSCI_CPU_SUSPEND32:
	case PSCI_CPU_SUSPEND64:
		/* Every state is standby: wait for an interrupt, return with success (DEN0022 5.4). */
		a->x[0] = PSCI_SUCCESS;
		vcpu_wait(&a->v);
		return true;
	case PSCI_CPU_OFF:
		vcpu_power_off(&a->v);
		return true;
	case PSCI_CPU_ON32:
	case PSCI_CPU_ON64:
		result = cpu_on(a, a1, a2, a3);
		break;
	case PSCI_AFFINITY_INFO32:
	case PSCI_AFFINITY_INFO64:
		result = affinity_info(a, a1, a2);
		break;
	case PSCI_MIGRATE_INFO_TYPE:
		result = PSCI_TOS_NONE;
		break;
	case PSCI_SYSTEM_OFF:
		(void)vm_stop(a->v.vm, VM_STOP_OFF);
		return true;
	case PSCI_SYSTEM_RESET2_32:
	case PSCI_SYSTEM_RESET2_64:
		if (a1 != 0) { /* only the architectural warm reset */
			result = PSCI_INVALID_PARAMETERS;
			break;
		}
		__attribute__((fallthrough));
	case PSCI_SYSTEM_RESET:
		(void)vm_stop(a->v.vm, VM_STOP_RESET);
		return true;
	case PSCI_FEATURES:
		result = psci_features((uint32_t)a1);
		break;
	default:
		return false;
	}
	a->x[0] = (uint64_t)result;
	return true;
}
