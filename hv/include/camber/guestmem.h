/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest memory: the only way to it. Every access is by guest-physical address, checked against the VM's map, and copies: what
 * a guest may change meanwhile is read once. No locking; a VM's map doesn't change while it has runnable vCPUs.
 */
#ifndef CAMBER_GUESTMEM_H
#define CAMBER_GUESTMEM_H

#include "camber/mem.h"

/* Copies n bytes; 0, or -EFAULT with nothing promised about dst when any byte isn't readable RAM of the guest. */
int guestmem_read(const struct gmap *map, void *dst, gpa_t src, size_t n);

/* Copies n bytes; 0, or -EFAULT (nothing written) when any byte isn't writable RAM of the guest. */
int guestmem_write(const struct gmap *map, gpa_t dst, const void *src, size_t n);

/*
 * For loading images: writes even where the guest itself may not (ROM), cleans the data cache to the point of coherency,
 * because the guest starts with its MMU off, and invalidates instruction caches. `src` NULL writes zeroes. If crc isn't NULL
 * *crc, 0 at the start, is carried on over what was written (src only). 0 or -EFAULT.
 */
int guestmem_load(const struct gmap *map, gpa_t dst, const void *src, size_t n, uint32_t *crc);

#endif
