/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MMIO dispatch: which device of a VM answers an access that stage 2 does not map.
 *
 * Regions are added at boot and read-only afterwards, so a look-up takes no lock. Accesses arrive decoded: naturally aligned,
 * 1, 2, 4 or 8 bytes, value zero-extended.
 */
#ifndef CAMBER_MMIO_H
#define CAMBER_MMIO_H

#include "camber/types.h"

#define MMIO_REGIONS_MAX 8

struct vcpu;

struct mmio_access {
	uint64_t offset; /* from the region's base */
	uint64_t value;  /* written, or to be filled in by a read */
	uint32_t bytes;  /* 1, 2, 4, 8 */
	bool write;
	bool retry; /* set by the handler: not answerable yet, the guest executes the instruction again */
};

/*
 * On the accessing vCPU's CPU, no lock held. Returns false if the device does not take such an access (the guest gets an
 * external abort).
 */
typedef bool mmio_handler(struct vcpu *v, void *dev, struct mmio_access *a);

struct mmio_region {
	uint64_t base;
	uint64_t bytes;
	mmio_handler *handler;
	void *dev;
};

struct mmio_map {
	struct mmio_region region[MMIO_REGIONS_MAX];
	uint32_t count;
};

/* Boot only. -ENOSPC when full, -EINVAL when it overlaps another. */
int mmio_add(struct mmio_map *map, gpa_t base, uint64_t bytes, mmio_handler *handler, void *dev);

/* The region that holds [addr, addr + bytes), or NULL. */
static inline const struct mmio_region *mmio_find(const struct mmio_map *map, gpa_t addr, uint32_t bytes)
{
	const struct mmio_region *r = map->region;
	const struct mmio_region *end = r + map->count;

	for (; r < end; r++)
		if (addr.addr - r->base < r->bytes)
			return addr.addr - r->base + bytes <= r->bytes ? r : NULL;
	return NULL;
}

#endif
