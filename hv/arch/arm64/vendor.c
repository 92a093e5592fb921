/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vendor-specific hypervisor service calls (Arm DEN0028, section 6; abi/camber_call.h): real-time mode of the scheduler.
 *
 * Arguments are the guest's. Own CPU, no lock held.
 */
#include "abi/camber_call.h"
#include "arm64.h"
#include "camber/arch/cpu.h"
#include "camber/errno.h"

static int64_t rt_mode(struct arm64_vcpu *a, uint64_t mode)
{
	if (mode > CAMBER_RT_ANNOUNCED)
		return CAMBER_INVALID;
	return sched_rt_announce(&a->v.unit, mode == CAMBER_RT_ANNOUNCED) ? CAMBER_DENIED : CAMBER_OK;
}

/* `passed`: the answer where there is nothing to wait for. */
static int64_t rt_sleep(struct arm64_vcpu *a, uint64_t until, int passed)
{
	struct vm *vm = a->v.vm;
	int ret = vcpu_rt_sleep(&a->v, until);

	if (likely(!ret))
		return CAMBER_OK;
	if (ret > 0 && !passed)
		return CAMBER_OK;
	log_guest(
		vm,
		"vm %s: vCPU %u: announced sleep refused: for real-time VMs ('rt' in its profile), %llu us to an hour",
		vm->label, a->v.index, (unsigned long long)time_ticks_to_ns(sched_params.min_sleep) / 1000);
	return ret == -EPERM ? CAMBER_DENIED : CAMBER_INVALID;
}

/* The sum, or the end of time. */
static uint64_t add(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? TIME_NEVER : sum;
}

bool vendor_call(struct arm64_vcpu *a, uint32_t function)
{
	uint64_t arg = a->x[1];

	switch (function) {
	case CAMBER_CALL_UID:
		a->x[0] = CAMBER_UID_0;
		a->x[1] = CAMBER_UID_1;
		a->x[2] = CAMBER_UID_2;
		a->x[3] = CAMBER_UID_3;
		return true;
	case CAMBER_CALL_RT_MODE:
		a->x[0] = (uint64_t)rt_mode(a, arg);
		return true;
	case CAMBER_CALL_RT_SLEEP:
		a->x[0] = (uint64_t)rt_sleep(a, add(arch_now(), time_ns_to_ticks(arg)), -EINVAL);
		return true;
	case CAMBER_CALL_RT_SLEEP_UNTIL:
		a->x[0] = (uint64_t)rt_sleep(a, add(arg, to_arm_vm(a->v.vm)->cntvoff), 0);
		return true;
	default:
		return false;
	}
}
