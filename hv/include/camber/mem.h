/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory: the boot-time page allocator, fixed pools, the guest map (portable half of stage 2).
 *
 * All memory is taken before the first guest instruction; mem_seal() then turns a later request into a panic, so nothing can
 * run out while guests run. The allocator has no locking: the boot CPU alone uses it.
 */
#ifndef CAMBER_MEM_H
#define CAMBER_MEM_H

#include "camber/types.h"

#define MEM_RANGE_MAX 64

/*
 * Adds a range of RAM (bytes). Partial pages at the ends are dropped. Returns 0, -EINVAL (wraps, overlaps a known range) or
 * -ENOSPC (more than MEM_RANGE_MAX ranges).
 */
int mem_add(hpa_t base, uint64_t bytes);

/* Takes [base, base + bytes) out of the free memory, whole pages, known or not; -ENOSPC when the ranges would not fit. */
int mem_reserve(hpa_t base, uint64_t bytes);

/* The same for the hypervisor's own image: counted as kept. */
int mem_reserve_own(hpa_t base, uint64_t bytes);

/*
 * Allocates bytes (rounded up to pages) aligned to `align` (a power of two, >= PAGE_SIZE) from the top of the free memory
 * down. Contents are undefined. Returns 0 and *out or -ENOMEM. Panics after mem_seal().
 */
int mem_alloc(uint64_t bytes, uint64_t align, hpa_t *out);

/* Takes just [base, base + bytes), multiples of PAGE_SIZE; -ENOMEM unless all of it is free. Before mem_seal(). */
int mem_alloc_at(hpa_t base, uint64_t bytes);

/* The same, zeroed and never failing: panics with `what` and the remedy. For the hypervisor's own boot-time needs. */
void *mem_alloc_zeroed(uint64_t bytes, const char *what);

void mem_seal(void);

/* Iterates the RAM ranges that were added (not what is free); false at the end. */
bool mem_range(unsigned int index, hpa_t *base, uint64_t *bytes);

struct mem_stats {
	uint64_t total_bytes; /* RAM that was added */
	uint64_t free_bytes;
	uint64_t kept_bytes;  /* what the hypervisor keeps for itself: image, mem_alloc_zeroed, tables */
	uint64_t table_bytes; /* page tables among kept_bytes */
};
void mem_stats(struct mem_stats *out);

/* Page-table pages: like mem_alloc_zeroed(PAGE_SIZE * pages) aligned to their size, counted apart. */
void *mem_alloc_table(unsigned int pages);

/* --- guest map ------------------------------------------------------------------------------------------------------ */

/* What a guest may do with a range. */
#define GMAP_R (1u << 0)
#define GMAP_W (1u << 1)
#define GMAP_X (1u << 2)
#define GMAP_DEVICE (1u << 3)

/*
 * Guest-physical to host-physical translation of one VM: 4 KiB granule, 1 GiB and 2 MiB blocks, entry format by
 * arch_stage2_*. Written by the boot CPU, or by the owner VM's stopped life cycle, under the VM's lock; the hardware reads
 * it at any time. An entry that was valid changes by break-before-make (Arm ARM D8.16: invalid entry, TLB invalidation,
 * barrier, new entry).
 */
struct gmap {
	uint64_t *root;
	unsigned int vmid;
	unsigned int levels; /* 3 or 4: the root is level 4 - levels */
	unsigned int root_pages;
	uint64_t limit; /* first guest-physical address beyond the map */
};

/* Makes an empty map for addresses below 1 << ipa_bits. Panics when boot memory runs out. */
void gmap_init(struct gmap *map, unsigned int vmid, unsigned int ipa_bits);

/*
 * Maps [gpa, gpa + bytes) to hpa on; all multiples of PAGE_SIZE; the largest blocks that alignment allows. The range must
 * be unmapped. Returns 0, -EINVAL (alignment, limit, wrap) or -EEXIST.
 */
int gmap_map(struct gmap *map, gpa_t gpa, hpa_t hpa, uint64_t bytes, unsigned int prot);

/* Unmaps a range (blocks may not be split: -EINVAL), then invalidates the TLBs of the VMID on all CPUs. */
int gmap_unmap(struct gmap *map, gpa_t gpa, uint64_t bytes);

/*
 * Looks up one address: host-physical address, rights, and how many bytes are contiguous from there on in the same entry.
 * False when unmapped.
 */
bool gmap_lookup(const struct gmap *map, gpa_t gpa, hpa_t *hpa, unsigned int *prot, uint64_t *span);

#endif
