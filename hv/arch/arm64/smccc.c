/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SMC Calling Convention (Arm DEN0028) for guests: discovery, workaround queries, and the way to PSCI.
 *
 * HVC #0 and SMC #0 mean the same. Unknown functions answer NOT_SUPPORTED. Own CPU, no lock held.
 */
#include "arm64.h"
#include "errata.h"

#define SMCCC_NOT_SUPPORTED ((uint64_t)-1)

#define SMCCC_VERSION 0x80000000u
#define SMCCC_ARCH_FEATURES 0x80000001u
#define SMCCC_ARCH_WORKAROUND_1 0x80008000u
#define SMCCC_ARCH_WORKAROUND_3 0x80003fffu

#define SMCCC_VERSION_1_2 0x10002u

/*
 * Workarounds 1 and 3 flush branch predictors. The guest's kernel has its own loop for what EL0 may have trained;
 * crossing into EL2 runs ours (vectors.S), so where the CPU needs one, a call is all it takes: answer "needed, and done
 * by this call"; else "not needed" (1).
 */
static uint64_t arch_feature(uint32_t function)
{
	switch (function) {
	case SMCCC_VERSION:
	case SMCCC_ARCH_FEATURES:
		return 0;
	case SMCCC_ARCH_WORKAROUND_1:
	case SMCCC_ARCH_WORKAROUND_3:
		return errata_bhb_loops() ? 0 : 1;
	default:
		return SMCCC_NOT_SUPPORTED;
	}
}

void smccc_call(struct arm64_vcpu *a)
{
	uint32_t function = (uint32_t)a->x[0];

	switch (function) {
	case SMCCC_VERSION:
		a->x[0] = SMCCC_VERSION_1_2;
		return;
	case SMCCC_ARCH_FEATURES:
		a->x[0] = arch_feature((uint32_t)a->x[1]);
		return;
	case SMCCC_ARCH_WORKAROUND_1:
	case SMCCC_ARCH_WORKAROUND_3:
		return;
	default:
		if (!psci_call(a, function))
			a->x[0] = SMCCC_NOT_SUPPORTED;
	}
}
