/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SMC Calling Convention (Arm DEN0028) for guests: discovery, workaround queries, and the way to PSCI and stolen time.
 *
 * HVC #0 and SMC #0 mean the same. Unknown functions answer NOT_SUPPORTED. Own CPU, no lock held.
 */
#include "arm64.h"

#define SMCCC_NOT_SUPPORTED ((uint64_t)-1)

#define SMCCC_VERSION 0x80000000u
#define SMCCC_ARCH_FEATURES 0x80000001u
#define SMCCC_ARCH_WORKAROUND_1 0x80008000u
#define SMCCC_ARCH_WORKAROUND_3 0x80003fffu

#define SMCCC_VERSION_1_2 0x10002u

/*
 * Workarounds 1 and 3 flush branch predictors, which only firmware can on the CPUs that need it: its answer is passed on,
 * and so is a call to what it has.
 */
static uint64_t firmware_workaround(uint32_t function)
{
	return (uint64_t)(int64_t)(int32_t)el2_call_smc(SMCCC_ARCH_FEATURES, function, 0, 0);
}

static uint64_t arch_feature(struct arm64_vcpu *a, uint32_t function)
{
	switch (function) {
	case SMCCC_VERSION:
	case SMCCC_ARCH_FEATURES:
		return 0;
	case SMCCC_ARCH_WORKAROUND_1:
	case SMCCC_ARCH_WORKAROUND_3:
		return firmware_workaround(function);
	case PV_TIME_FEATURES:
		return pvtime_features(a, function);
	default:
		return SMCCC_NOT_SUPPORTED;
	}
}

void smccc_call(struct arm64_vcpu *a)
{
	uint32_t function = (uint32_t)a->x[0], arg = (uint32_t)a->x[1];

	switch (function) {
	case SMCCC_VERSION:
		a->x[0] = SMCCC_VERSION_1_2;
		return;
	case SMCCC_ARCH_FEATURES:
		a->x[0] = arch_feature(a, (uint32_t)a->x[1]);
		return;
	case SMCCC_ARCH_WORKAROUND_1:
	case SMCCC_ARCH_WORKAROUND_3:
		if ((int64_t)firmware_workaround(function) >= 0)
			(void)el2_call_smc(function, 0, 0, 0);
		return;
	default:
		if (psci_call(a, function))
			trace(PSCI, a->v.unit.id, function, arg, (uint32_t)a->x[0]);
		else if (!pvtime_call(a, function) && !vendor_call(a, function))
			a->x[0] = SMCCC_NOT_SUPPORTED;
	}
}
