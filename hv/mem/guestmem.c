/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest memory: the one place that turns a guest-physical address into bytes.
 *
 * Everything is checked against the VM's map, entry by entry, and copied; no pointer into guest memory ever leaves this
 * file. Only RAM is touched: ranges mapped as devices are refused. Callers bound n; no locking (see guestmem.h).
 */
#include "camber/guestmem.h"

#include "camber/arch/cache.h"
#include "camber/errno.h"
#include "camber/lib.h"

#define BULK 64u /* unit of arch_copy_crc32() and arch_zero() */

/* What the guest changes meanwhile is not read a second time: the compiler may not go back behind this point. */
#define barrier() __asm__ volatile("" ::: "memory")

/* Host pointer to a piece of guest memory at gpa, *n cut to what is contiguous; NULL if it lacks a right of `need`. */
static void *piece(const struct gmap *map, uint64_t gpa, unsigned int need, size_t *n)
{
	unsigned int prot;
	uint64_t span;
	hpa_t pa;

	if (!gmap_lookup(map, (gpa_t){ gpa }, &pa, &prot, &span))
		return NULL;
	if ((prot & (need | GMAP_DEVICE)) != need)
		return NULL;
	*n = MIN(*n, span);
	return hpa_to_ptr(pa);
}

/* True if all of [gpa, gpa + n) is RAM with the rights. */
static bool all_ram(const struct gmap *map, uint64_t gpa, size_t n, unsigned int need)
{
	if (n > UINT64_MAX - gpa)
		return false;
	while (n) {
		size_t chunk = n;

		if (!piece(map, gpa, need, &chunk))
			return false;
		gpa += chunk;
		n -= chunk;
	}
	return true;
}

int guestmem_read(const struct gmap *map, void *dst, gpa_t src, size_t n)
{
	unsigned char *to = dst;
	uint64_t at = src.addr;

	if (n > UINT64_MAX - at)
		return -EFAULT;
	while (n) {
		size_t chunk = n;
		const void *from = piece(map, at, GMAP_R, &chunk);

		if (!from)
			return -EFAULT;
		/* A 32-bit word that the guest writes with one store is read with one load: indices must not tear. */
		if (chunk == 4 && IS_ALIGNED(at, 4)) {
			uint32_t word = READ_ONCE(*(const uint32_t *)from);

			memcpy(to, &word, sizeof(word));
		} else {
			memcpy(to, from, chunk);
		}
		barrier();
		to += chunk;
		at += chunk;
		n -= chunk;
	}
	return 0;
}

int guestmem_write(const struct gmap *map, gpa_t dst, const void *src, size_t n)
{
	const unsigned char *from = src;
	uint64_t at = dst.addr;

	if (!all_ram(map, at, n, GMAP_R | GMAP_W))
		return -EFAULT;
	while (n) {
		size_t chunk = n;
		void *to = piece(map, at, GMAP_R | GMAP_W, &chunk);

		/* The map doesn't change under us, yet a NULL costs nothing to refuse. */
		if (!to)
			return -EFAULT;
		if (chunk == 4 && IS_ALIGNED(at, 4)) {
			uint32_t word;

			memcpy(&word, from, sizeof(word));
			WRITE_ONCE(*(uint32_t *)to, word);
		} else {
			memcpy(to, from, chunk);
		}
		barrier();
		from += chunk;
		at += chunk;
		n -= chunk;
	}
	return 0;
}

/* Copies by the bulk where source and destination can be aligned together; returns the CRC carried on. */
static uint32_t copy_crc(unsigned char *to, const unsigned char *from, size_t n, uint32_t crc)
{
	if ((((uintptr_t)to ^ (uintptr_t)from) & 7) == 0) {
		size_t head = MIN(n, (0 - (uintptr_t)to) & 7);
		size_t blocks = (n - head) / BULK;

		memcpy(to, from, head);
		crc = crc32(crc, from, head);
		to += head, from += head, n -= head;
		crc = arch_copy_crc32(to, from, blocks, crc);
		to += blocks * BULK, from += blocks * BULK, n -= blocks * BULK;
	}
	memcpy(to, from, n);
	return crc32(crc, from, n);
}

static void zero(unsigned char *to, size_t n)
{
	size_t head = MIN(n, (0 - (uintptr_t)to) & (BULK - 1));
	size_t blocks = (n - head) / BULK;

	memset(to, 0, head);
	to += head, n -= head;
	arch_zero(to, blocks);
	memset(to + blocks * BULK, 0, n - blocks * BULK);
}

int guestmem_load(const struct gmap *map, gpa_t dst, const void *src, size_t n, uint32_t *crc)
{
	const unsigned char *from = src;
	uint64_t at = dst.addr;
	uint32_t sum = crc ? *crc : 0;

	if (!all_ram(map, at, n, 0))
		return -EFAULT;
	while (n) {
		size_t chunk = n;
		void *to = piece(map, at, 0, &chunk);

		if (!to)
			return -EFAULT;
		if (from) {
			sum = copy_crc(to, from, chunk, sum);
			from += chunk;
		} else {
			zero(to, chunk);
		}
		arch_cache_clean(to, chunk);
		at += chunk;
		n -= chunk;
	}
	arch_icache_flush();
	if (crc && src)
		*crc = sum;
	return 0;
}
