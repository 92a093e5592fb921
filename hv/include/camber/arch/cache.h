/* SPDX-License-Identifier: Apache-2.0 */
/* What an architecture owes for caches. */
#ifndef CAMBER_ARCH_CACHE_H
#define CAMBER_ARCH_CACHE_H

/* Cleans data to the point of coherency: visible to an observer without caches (a guest before its MMU is on). */
void arch_cache_clean(const void *p, size_t n);

/* Drops every stale instruction on all CPUs (Arm: IC IALLUIS, DSB, ISB). */
void arch_icache_flush(void);

/* CRC-32 (IEEE 802.3) step with the CPU's instructions when it has them; semantics of crc32() in lib.h. */
uint32_t arch_crc32(uint32_t crc, const void *data, size_t n);

/* Copies 64 * blocks bytes and carries the CRC on over them, as crc32() would, in one pass; both pointers 8-aligned. */
uint32_t arch_copy_crc32(void *dst, const void *src, size_t blocks, uint32_t crc);

/* Zeroes 64 * n bytes, dst 64-aligned. */
void arch_zero(void *dst, size_t blocks);

#endif
