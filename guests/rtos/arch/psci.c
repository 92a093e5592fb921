/* SPDX-License-Identifier: Apache-2.0 */
/* PSCI (DEN 0022). No state; any context. */
#include "arch/psci.h"

#include "arch/smccc.h"

#define PSCI_SYSTEM_OFF UINT64_C(0x84000008)
#define PSCI_SYSTEM_RESET UINT64_C(0x84000009)

int64_t psci_system_off(void)
{
	return (int32_t)smccc_call(PSCI_SYSTEM_OFF, 0);
}

int64_t psci_system_reset(void)
{
	return (int32_t)smccc_call(PSCI_SYSTEM_RESET, 0);
}
