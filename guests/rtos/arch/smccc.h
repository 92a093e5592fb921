/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call to firmware or hypervisor by SMCCC (DEN 0028). The conduit is HVC: bare QEMU `virt` without EL2 and Camber both
 * answer there. Any context.
 */
#ifndef RTOS_ARCH_SMCCC_H
#define RTOS_ARCH_SMCCC_H

#include <stdint.h>

/* SMCCC 2.6: x0-x17 may be results or scratch. */
static inline int64_t smccc_call(uint64_t function, uint64_t argument)
{
	register uint64_t x0 __asm__("x0") = function;
	register uint64_t x1 __asm__("x1") = argument;

	__asm__ volatile("hvc #0"
			 : "+r"(x0), "+r"(x1)
			 :
			 : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15",
			   "x16", "x17", "memory");
	return (int64_t)x0;
}

#endif
