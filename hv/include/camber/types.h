/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address types that do not mix. A guest-physical address (Arm: IPA) and a host-physical one are both 64-bit numbers, and
 * confusing them gives a guest the hypervisor's memory; as one-member structures they cost nothing and do not convert.
 */
#ifndef CAMBER_TYPES_H
#define CAMBER_TYPES_H

#define PAGE_SHIFT 12
#define PAGE_SIZE (UINT64_C(1) << PAGE_SHIFT)
#define BLOCK_SIZE (UINT64_C(1) << 21) /* second-smallest mapping of every architecture we know */

typedef struct {
	uint64_t addr;
} hpa_t; /* host-physical */

typedef struct {
	uint64_t addr;
} gpa_t; /* guest-physical (Arm: IPA) */

static inline hpa_t hpa(uint64_t addr)
{
	return (hpa_t){ addr };
}

static inline gpa_t gpa(uint64_t addr)
{
	return (gpa_t){ addr };
}

/*
 * The hypervisor maps all RAM one to one, so a host-physical address is a pointer. Not for guest memory: that is reached
 * through guestmem.h only.
 */
static inline void *hpa_to_ptr(hpa_t pa)
{
	return (void *)(uintptr_t)pa.addr;
}

static inline hpa_t ptr_to_hpa(const void *p)
{
	return hpa((uintptr_t)p);
}

#endif
