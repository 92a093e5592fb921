/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot-time page allocator: which RAM exists, what of it is free, and who keeps it.
 *
 * A sorted list of free ranges in fixed arrays; there is no free(), because everything is taken once. Must never be used
 * after mem_seal(): a request then is a bug of ours, and panics. No locking: the boot CPU alone.
 */
#include "camber/mem.h"

#include "camber/arch/cache.h"
#include "camber/errno.h"
#include "camber/lib.h"
#include "camber/panic.h"

/* Whole pages, end exclusive. */
struct range {
	uint64_t start, end;
};

/* Sorted by address, without overlap. */
struct ranges {
	struct range r[MEM_RANGE_MAX];
	unsigned int count;
};

static struct ranges ram;      /* what was added */
static struct ranges reserved; /* in order of request, may overlap: remembered for RAM that is added later */
static struct ranges free_ram;
static uint64_t kept_bytes;
static uint64_t table_bytes;
static bool sealed;

static void range_remove(struct ranges *l, unsigned int i)
{
	l->count--;
	memmove(&l->r[i], &l->r[i + 1], (l->count - i) * sizeof(l->r[0]));
}

/* The caller has made sure of room. */
static void range_insert(struct ranges *l, uint64_t start, uint64_t end)
{
	unsigned int i = 0;

	while (i < l->count && l->r[i].start < start)
		i++;
	memmove(&l->r[i + 1], &l->r[i], (l->count - i) * sizeof(l->r[0]));
	l->r[i] = (struct range){ start, end };
	l->count++;
}

/* Takes [start, end) out of the free memory. Only cutting a hole into one range needs room. */
static int free_carve(uint64_t start, uint64_t end)
{
	for (unsigned int i = 0; i < free_ram.count;) {
		struct range *f = &free_ram.r[i];

		if (end <= f->start || start >= f->end) {
			i++;
		} else if (start <= f->start && end >= f->end) {
			range_remove(&free_ram, i);
		} else if (start <= f->start) {
			f->start = end;
			i++;
		} else if (end >= f->end) {
			f->end = start;
			i++;
		} else {
			uint64_t tail_end = f->end;

			if (free_ram.count == MEM_RANGE_MAX)
				return -ENOSPC;
			f->end = start;
			range_insert(&free_ram, end, tail_end);
			return 0; /* the ranges don't overlap: nothing else is touched */
		}
	}
	return 0;
}

int mem_add(hpa_t base, uint64_t bytes)
{
	uint64_t end;
	uint64_t start;

	if (__builtin_add_overflow(base.addr, bytes, &end) || base.addr > UINT64_MAX - PAGE_SIZE)
		return -EINVAL;
	start = ALIGN_UP(base.addr, PAGE_SIZE);
	end = ALIGN_DOWN(end, PAGE_SIZE);
	if (start >= end)
		return 0;
	for (unsigned int i = 0; i < ram.count; i++)
		if (start < ram.r[i].end && end > ram.r[i].start)
			return -EINVAL;
	if (ram.count == MEM_RANGE_MAX || free_ram.count == MEM_RANGE_MAX)
		return -ENOSPC;
	range_insert(&ram, start, end);
	/* Page 0 would make a NULL pointer of good memory. */
	if (start == 0)
		start = PAGE_SIZE;
	if (start == end)
		return 0;
	range_insert(&free_ram, start, end);
	for (unsigned int i = 0; i < reserved.count; i++) {
		if (free_carve(reserved.r[i].start, reserved.r[i].end)) {
			/* Rather lose the range than hand out what somebody else owns; removing it whole needs no room. */
			(void)free_carve(start, end);
			return -ENOSPC;
		}
	}
	return 0;
}

int mem_reserve(hpa_t base, uint64_t bytes)
{
	uint64_t end;
	uint64_t start = ALIGN_DOWN(base.addr, PAGE_SIZE);

	if (bytes == 0)
		return 0;
	if (__builtin_add_overflow(base.addr, bytes, &end) || end > UINT64_MAX - PAGE_SIZE)
		end = ALIGN_DOWN(UINT64_MAX, PAGE_SIZE);
	else
		end = ALIGN_UP(end, PAGE_SIZE);
	if (reserved.count == MEM_RANGE_MAX || free_carve(start, end))
		return -ENOSPC;
	reserved.r[reserved.count++] = (struct range){ start, end };
	return 0;
}

/* Takes [at, at + bytes) out of free range i; what is left of it stays free. */
static void free_take(unsigned int i, uint64_t at, uint64_t bytes)
{
	struct range old = free_ram.r[i];
	uint64_t below = at - old.start;
	uint64_t above = old.end - (at + bytes);

	range_remove(&free_ram, i);
	/* With room for one piece only, the larger one: a few pages lost are better than a failed boot. */
	if (below && above && free_ram.count == MEM_RANGE_MAX - 1) {
		if (below > above)
			above = 0;
		else
			below = 0;
	}
	if (below)
		range_insert(&free_ram, old.start, at);
	if (above)
		range_insert(&free_ram, at + bytes, old.end);
}

int mem_alloc(uint64_t bytes, uint64_t align, hpa_t *out)
{
	if (sealed)
		panic("memory of %llu bytes asked for after boot", (unsigned long long)bytes);
	if (bytes == 0 || bytes > UINT64_MAX - PAGE_SIZE)
		return -ENOMEM;
	bytes = ALIGN_UP(bytes, PAGE_SIZE);
	align = MAX(align, PAGE_SIZE);
	for (unsigned int i = free_ram.count; i-- > 0;) {
		const struct range *f = &free_ram.r[i];
		uint64_t at;

		if (f->end - f->start < bytes)
			continue;
		at = ALIGN_DOWN(f->end - bytes, align);
		if (at < f->start)
			continue;
		free_take(i, at, bytes);
		*out = hpa(at);
		return 0;
	}
	return -ENOMEM;
}

int mem_alloc_at(hpa_t base, uint64_t bytes)
{
	for (unsigned int i = 0; i < free_ram.count; i++) {
		const struct range *f = &free_ram.r[i];

		if (base.addr >= f->start && base.addr < f->end && bytes <= f->end - base.addr) {
			free_take(i, base.addr, bytes);
			return 0;
		}
	}
	return -ENOMEM;
}

int mem_reserve_own(hpa_t base, uint64_t bytes)
{
	int ret = mem_reserve(base, bytes);

	if (!ret)
		kept_bytes += bytes;
	return ret;
}

/* what is NULL for page tables. */
static void *alloc_kept(uint64_t bytes, uint64_t align, const char *what)
{
	hpa_t pa;

	bytes = ALIGN_UP(bytes, PAGE_SIZE);
	if (mem_alloc(bytes, align, &pa))
		panic("no memory for %s (%llu KiB): give the board more RAM or its VMs less", what,
		      (unsigned long long)(bytes >> 10));
	arch_zero(hpa_to_ptr(pa), bytes / 64);
	kept_bytes += bytes;
	return hpa_to_ptr(pa);
}

void *mem_alloc_zeroed(uint64_t bytes, const char *what)
{
	return alloc_kept(bytes, PAGE_SIZE, what);
}

void *mem_alloc_table(unsigned int pages)
{
	uint64_t bytes = pages * PAGE_SIZE;
	uint64_t align = PAGE_SIZE;

	while (align < bytes)
		align <<= 1;
	table_bytes += bytes;
	return alloc_kept(bytes, align, "page tables");
}

void mem_seal(void)
{
	sealed = true;
}

bool mem_range(unsigned int index, hpa_t *base, uint64_t *bytes)
{
	if (index >= ram.count)
		return false;
	*base = hpa(ram.r[index].start);
	*bytes = ram.r[index].end - ram.r[index].start;
	return true;
}

static uint64_t ranges_bytes(const struct ranges *l)
{
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < l->count; i++)
		bytes += l->r[i].end - l->r[i].start;
	return bytes;
}

void mem_stats(struct mem_stats *out)
{
	*out = (struct mem_stats){
		.total_bytes = ranges_bytes(&ram),
		.free_bytes = ranges_bytes(&free_ram),
		.kept_bytes = kept_bytes,
		.table_bytes = table_bytes,
	};
}
