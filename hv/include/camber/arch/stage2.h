/* SPDX-License-Identifier: Apache-2.0 */
/* What an architecture owes for guest maps: entry format, walks' barriers, TLB maintenance. */
#ifndef CAMBER_ARCH_STAGE2_H
#define CAMBER_ARCH_STAGE2_H

#include "camber/types.h"

/* A leaf for `level` (1: 1 GiB, 2: 2 MiB, 3: 4 KiB) with GMAP_* rights; a table entry; tests. Pure functions. */
uint64_t arch_stage2_leaf(hpa_t hpa, unsigned int prot, unsigned int level);
uint64_t arch_stage2_table(hpa_t table);
bool arch_stage2_valid(uint64_t pte);
bool arch_stage2_is_leaf(uint64_t pte, unsigned int level);
hpa_t arch_stage2_addr(uint64_t pte);
unsigned int arch_stage2_prot(uint64_t pte);

/* Address bits that the machine's stage 2 can translate (Arm: min(PARange, 44)); known before gmap_init(). */
unsigned int arch_stage2_ipa_bits(void);

/* Stores an entry so that the walker sees it whole, followed by the barrier that new mappings need (Arm: DSB ISHST). */
void arch_stage2_set(uint64_t *slot, uint64_t pte);

/* Invalidates one page/block address, or all, of a VMID on all CPUs and waits (Arm: TLBI IPAS2E1IS + VMALLE1IS, DSB ISH). */
void arch_stage2_flush_addr(unsigned int vmid, gpa_t gpa);
void arch_stage2_flush_all(unsigned int vmid);

#endif
