/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Caches on the host: RAM in two views, the one that the program writes and the one that memory behind the caches holds.
 * Cleaning copies lines from the first to the second, so what was not cleaned shows as a difference. Worst case: no line
 * ever gets written back by itself. Single-threaded tests only.
 */
#include "host.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "camber/arch/cache.h"

#define LINE 64u
#define RAM_MAX 8u
#define POISON 0xa5 /* so that memory that nobody zeroed shows */

static struct ram {
	uint8_t *cached;
	uint8_t *memory;
	uint64_t bytes;
} ram[RAM_MAX];
static unsigned int ram_count;
static bool icache_stale;

static uint8_t *map_aligned(uint64_t bytes)
{
	uint8_t *p = mmap(NULL, bytes + BLOCK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			  -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p + (ALIGN_UP((uintptr_t)p, BLOCK_SIZE) - (uintptr_t)p);
}

hpa_t host_ram_add(uint64_t bytes)
{
	struct ram *r = &ram[ram_count];

	if (ram_count == RAM_MAX)
		abort();
	r->bytes = ALIGN_UP(bytes, PAGE_SIZE);
	r->cached = map_aligned(r->bytes);
	r->memory = map_aligned(r->bytes);
	memset(r->cached, POISON, r->bytes);
	memset(r->memory, POISON, r->bytes);
	ram_count++;
	return ptr_to_hpa(r->cached);
}

/* The RAM that holds an address; NULL: not modelled (the program's own data). */
static const struct ram *ram_find(uintptr_t addr)
{
	for (unsigned int i = 0; i < ram_count; i++)
		if (addr - (uintptr_t)ram[i].cached < ram[i].bytes)
			return &ram[i];
	return NULL;
}

uint8_t host_memory_byte(hpa_t pa)
{
	const struct ram *r = ram_find(pa.addr);

	if (!r)
		abort();
	return r->memory[pa.addr - (uintptr_t)r->cached];
}

void arch_cache_clean(const void *p, size_t n)
{
	uintptr_t at = ALIGN_DOWN((uintptr_t)p, LINE);
	uintptr_t end = (uintptr_t)p + n;

	for (; at < end; at += LINE) {
		const struct ram *r = ram_find(at);
		size_t offset;

		if (!r)
			return;
		offset = at - (uintptr_t)r->cached;
		if (memcmp(&r->memory[offset], &r->cached[offset], LINE) == 0)
			continue;
		memcpy(&r->memory[offset], &r->cached[offset], LINE);
		icache_stale = true;
	}
}

void arch_icache_flush(void)
{
	icache_stale = false;
}

void host_check_clean(hpa_t pa, uint64_t bytes)
{
	const struct ram *r = ram_find(pa.addr);
	size_t offset;

	if (!r)
		return;
	offset = pa.addr - (uintptr_t)r->cached;
	if (memcmp(&r->memory[offset], &r->cached[offset], MIN(bytes, r->bytes - offset)) == 0)
		return;
	while (r->memory[offset] == r->cached[offset])
		offset++;
	host_violation("byte at RAM + 0x%zx was written and not cleaned", offset);
}

void host_check_icache(void)
{
	if (icache_stale)
		host_violation("code was written and the instruction caches not flushed");
}

uint32_t arch_crc32(uint32_t crc, const void *data, size_t n)
{
	const uint8_t *p = data;

	crc = ~crc;
	for (; n; n--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? (crc >> 1) ^ UINT32_C(0xedb88320) : crc >> 1;
	}
	return ~crc;
}

uint32_t arch_copy_crc32(void *dst, const void *src, size_t blocks, uint32_t crc)
{
	if (blocks && !IS_ALIGNED((uintptr_t)dst | (uintptr_t)src, 8))
		host_violation("arch_copy_crc32() with unaligned pointers");
	memcpy(dst, src, blocks * 64);
	return arch_crc32(crc, dst, blocks * 64);
}

void arch_zero(void *dst, size_t blocks)
{
	if (blocks && !IS_ALIGNED((uintptr_t)dst, 64))
		host_violation("arch_zero() with an unaligned pointer");
	memset(dst, 0, blocks * 64);
}
