/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PSCI (DEN 0022) calls over SMCCC (DEN 0028). The conduit is HVC: bare QEMU `virt` without EL2 and Camber both answer
 * there. No state; any context.
 */
#include "arch/psci.h"

#define PSCI_SYSTEM_OFF UINT64_C(0x84000008)
#define PSCI_SYSTEM_RESET UINT64_C(0x84000009)

/* SMCCC 2.6: x0-x17 may be results or scratch. */
static int64_t psci_call(uint64_t function)
{
	register uint64_t x0 __asm__("x0") = function;

	__asm__ volatile("hvc #0"
			 : "+r"(x0)
			 :
			 : "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
			   "x15", "x16", "x17", "memory");
	return (int64_t)(int32_t)x0;
}

int64_t psci_system_off(void)
{
	return psci_call(PSCI_SYSTEM_OFF);
}

int64_t psci_system_reset(void)
{
	return psci_call(PSCI_SYSTEM_RESET);
}
