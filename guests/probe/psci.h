/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PSCI 1.1 (Arm DEN 0022) and SMCCC 1.2 (Arm DEN 0028) function numbers and results; calls by HVC or SMC.
 */
#ifndef PROBE_PSCI_H
#define PROBE_PSCI_H

#include "probe.h"

#define PSCI_VERSION 0x84000000u
#define PSCI_CPU_SUSPEND 0xc4000001u
#define PSCI_CPU_OFF 0x84000002u
#define PSCI_CPU_ON 0xc4000003u
#define PSCI_CPU_ON_32 0x84000003u
#define PSCI_AFFINITY_INFO 0xc4000004u
#define PSCI_MIGRATE_INFO_TYPE 0x84000006u
#define PSCI_SYSTEM_OFF 0x84000008u
#define PSCI_SYSTEM_RESET 0x84000009u
#define PSCI_FEATURES 0x8400000au
#define SMCCC_VERSION 0x80000000u
#define SMCCC_ARCH_FEATURES 0x80000001u

#define PSCI_SUCCESS 0
#define PSCI_NOT_SUPPORTED (-1)
#define PSCI_INVALID_PARAMETERS (-2)
#define PSCI_ALREADY_ON (-4)
#define PSCI_ON_PENDING (-5)
#define PSCI_INVALID_ADDRESS (-9)

#define AFFINITY_ON 0
#define AFFINITY_OFF 1

/* x0..x3 in; x0 back. The other registers that SMCCC lets change are given up. */
int64_t psci_hvc(uint64_t fn, uint64_t a1, uint64_t a2, uint64_t a3);
int64_t psci_smc(uint64_t fn, uint64_t a1, uint64_t a2, uint64_t a3);
/* Xen's way to call: HVC #0xEA1 with the number in x16. */
int64_t xen_call(uint64_t number, uint64_t a0, uint64_t a1);
#define XEN_VERSION 17
#define XEN_SCHED_OP 29
#define XEN_SCHEDOP_YIELD 0

/* A hypervisor answers xen_version; bare QEMU does not. Option hv=0|1 overrides. */
bool under_hypervisor(void);
void vm_yield(void);

#endif
