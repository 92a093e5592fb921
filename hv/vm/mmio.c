/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MMIO map of a VM: filling it at boot. Looking up is mmio_find(), inline because it is on every trap's way.
 *
 * Never called once the VM can run: the map is read without a lock.
 */
#include "camber/mmio.h"

#include "camber/errno.h"

int mmio_add(struct mmio_map *map, gpa_t base, uint64_t bytes, mmio_handler *handler, void *dev)
{
	/* Inclusive, so that a region may end at the last address. */
	uint64_t last = base.addr + bytes - 1;

	if (bytes == 0 || last < base.addr)
		return -EINVAL;
	for (uint32_t i = 0; i < map->count; i++) {
		const struct mmio_region *r = &map->region[i];

		if (base.addr <= r->base + r->bytes - 1 && last >= r->base)
			return -EINVAL;
	}
	if (map->count == MMIO_REGIONS_MAX)
		return -ENOSPC;
	map->region[map->count++] =
		(struct mmio_region){ .base = base.addr, .bytes = bytes, .handler = handler, .dev = dev };
	return 0;
}
