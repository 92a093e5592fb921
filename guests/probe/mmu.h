/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage 1 for the cases that need it: RAM and devices identity mapped, and windows through which any intermediate physical
 * address can be reached as Normal memory, from EL1 or from EL0. The table is built by the boot CPU; each CPU switches its
 * own MMU. Data caches stay off, so that CPUs with the MMU on and off see the same memory.
 */
#ifndef PROBE_MMU_H
#define PROBE_MMU_H

#include "probe.h"

enum mmu_mode {
	MMU_OFF, /* EL1, MMU off: every access is to Device memory */
	MMU_EL1, /* EL1, MMU on, the place is Normal memory */
	MMU_EL0, /* likewise from EL0 */
};

void mmu_on(void);
void mmu_off(void);

/* Address at which a place is reached in a mode. Windows are never taken back; there are 512 of them. */
uint64_t mmu_address(enum mmu_mode mode, uint64_t ipa);

/* With the MMU on: which table translates addresses with bits 63:48 set (TTBR1), and one of them. */
void mmu_set_high(uint64_t root);
#define MMU_HIGH 0xffff000000000000ull

/* A table of 512 entries, zeroed, for cases to fill: number 0 to MMU_SPARE - 1. */
#define MMU_SPARE 4
uint64_t *mmu_spare(unsigned int n);
/* The same as it is. */
uint64_t *mmu_spare_at(unsigned int n);

/* Descriptors (DDI 0487, D8.3) */
#define MMU_TABLE 3ull
#define MMU_BLOCK 1ull
#define MMU_PAGE 3ull
#define MMU_NORMAL (1ull << 2 | 3ull << 8 | 1ull << 10) /* AttrIndx 1, inner shareable, AF */
#define MMU_USER (1ull << 6)

/*
 * EL0. The function must be assembly that needs no stack and no absolute address, and end in RET or a call of SVC: RET
 * leads to an SVC too. Returns when an exception comes back; x0 of the moment is in the result.
 */
struct el0_exit {
	uint64_t esr, far, elr, x0;
};
void el0_run(const void *fn, uint64_t a0, uint64_t a1, struct el0_exit *out);
/* Likewise AArch32 code of ours (SPSR says which state), at addresses below 4 GiB; r0 is its argument. */
void el0_run_a32(uint64_t code, uint64_t spsr, uint32_t r0, struct el0_exit *out);
/* Where AArch32 reaches a device, or a place near one: below 1 GiB. */
uint64_t mmu_a32_device(uint64_t ipa);
/* Where a function of ours lies for EL0. */
uint64_t el0_address(const void *fn);

#endif
