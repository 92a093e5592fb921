/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest map: the portable half of stage 2. Walks and fills the tables; what an entry looks like, and what the hardware
 * needs after a change, is asked of arch_stage2_*.
 *
 * Tables have 512 entries of 8 bytes whatever the level; the root of a three-level map is up to 16 tables side by side
 * (Arm ARM D8.2.2, concatenated translation tables). Every request is checked as a whole before anything changes. A table,
 * once linked, is never taken away, so a reader needs no lock. Writers: see struct gmap in mem.h.
 */
#include "camber/mem.h"

#include "arch_inline.h"
#include "camber/arch/stage2.h"
#include "camber/errno.h"

#define LEVEL_LEAF 3u
#define LEVEL_BITS 9u
#define ENTRIES (1u << LEVEL_BITS)
#define CONCAT_BITS 4u /* at most 2^4 tables side by side */

/* Above this many entries one invalidation of the whole VMID is cheaper than one per address. */
#define FLUSH_EACH_MAX 16u

static inline unsigned int level_shift(unsigned int level)
{
	return PAGE_SHIFT + LEVEL_BITS * (LEVEL_LEAF - level);
}

static inline uint64_t level_bytes(unsigned int level)
{
	return UINT64_C(1) << level_shift(level);
}

static inline unsigned int root_level(const struct gmap *map)
{
	return 4 - map->levels;
}

void gmap_init(struct gmap *map, unsigned int vmid, unsigned int ipa_bits)
{
	unsigned int one_table = level_shift(0); /* address bits below one level-1 table: 39 */

	map->vmid = vmid;
	map->limit = UINT64_C(1) << ipa_bits;
	map->levels = ipa_bits <= one_table + CONCAT_BITS ? 3 : 4;
	map->root_pages = map->levels == 3 && ipa_bits > one_table ? 1u << (ipa_bits - one_table) : 1;
	map->root = mem_alloc_table(map->root_pages);
}

/*
 * The entry that decides about gpa: a leaf or an invalid one; *level becomes its level. gpa is below map->limit.
 */
static uint64_t *walk(const struct gmap *map, uint64_t gpa, unsigned int *level)
{
	uint64_t *table = map->root;
	unsigned int l = root_level(map);
	/* The root may be several tables: its index has no upper bound of its own, map->limit gives it one. */
	uint64_t *slot = &table[gpa >> level_shift(l)];

	for (;;) {
		uint64_t pte = READ_ONCE(*slot);

		if (!arch_stage2_valid(pte) || arch_stage2_is_leaf(pte, l))
			break;
		table = hpa_to_ptr(arch_stage2_addr(pte));
		l++;
		slot = &table[(gpa >> level_shift(l)) % ENTRIES];
	}
	*level = l;
	return slot;
}

/* Page-aligned, not empty, no wrap, below the limit. */
static bool range_ok(const struct gmap *map, uint64_t gpa, uint64_t bytes)
{
	return IS_ALIGNED(gpa | bytes, PAGE_SIZE) && bytes && gpa < map->limit && bytes <= map->limit - gpa;
}

/* The largest leaf for this place; level 0 has no leaves with the 4 KiB granule (Arm ARM D8.3.1). */
static unsigned int leaf_level(uint64_t gpa, uint64_t hpa, uint64_t bytes)
{
	unsigned int level = 1;

	while (level < LEVEL_LEAF && (!IS_ALIGNED(gpa | hpa, level_bytes(level)) || bytes < level_bytes(level)))
		level++;
	return level;
}

static void link_table(uint64_t *slot)
{
	uint64_t *table = mem_alloc_table(1);

	/* The walker must see the table's zeroes before it sees the table; pairs with the walk itself. */
	arch_mb();
	arch_stage2_set(slot, arch_stage2_table(ptr_to_hpa(table)));
}

int gmap_map(struct gmap *map, gpa_t gpa, hpa_t hpa, uint64_t bytes, unsigned int prot)
{
	uint64_t at = gpa.addr;
	uint64_t pa = hpa.addr;
	uint64_t end = at + bytes;

	if (!range_ok(map, at, bytes) || !IS_ALIGNED(pa, PAGE_SIZE) || pa > UINT64_MAX - bytes)
		return -EINVAL;
	while (at < end) {
		unsigned int level;
		uint64_t pte = *walk(map, at, &level);

		if (arch_stage2_valid(pte))
			return -EEXIST;
		/* Nothing is mapped in the whole of an invalid entry. */
		at = ALIGN_DOWN(at, level_bytes(level)) + level_bytes(level);
	}
	for (at = gpa.addr; at < end;) {
		unsigned int want = leaf_level(at, pa, end - at);
		unsigned int level;
		uint64_t *slot = walk(map, at, &level);

		while (level < want) {
			link_table(slot);
			slot = walk(map, at, &level);
		}
		/* An empty table may be there from before: then the leaves are smaller than they could be. */
		arch_stage2_set(slot, arch_stage2_leaf((hpa_t){ pa }, prot, level));
		at += level_bytes(level);
		pa += level_bytes(level);
	}
	return 0;
}

int gmap_unmap(struct gmap *map, gpa_t gpa, uint64_t bytes)
{
	uint64_t end = gpa.addr + bytes;
	unsigned int leaves = 0;
	uint64_t at;

	if (!range_ok(map, gpa.addr, bytes))
		return -EINVAL;
	for (at = gpa.addr; at < end;) {
		unsigned int level;
		uint64_t pte = *walk(map, at, &level);
		uint64_t start = ALIGN_DOWN(at, level_bytes(level));

		if (arch_stage2_valid(pte)) {
			if (start < gpa.addr || level_bytes(level) > end - start)
				return -EINVAL;
			leaves++;
		}
		at = start + level_bytes(level);
	}
	for (at = gpa.addr; at < end;) {
		unsigned int level;
		uint64_t *slot = walk(map, at, &level);

		if (arch_stage2_valid(*slot)) {
			arch_stage2_set(slot, 0);
			if (leaves <= FLUSH_EACH_MAX)
				arch_stage2_flush_addr(map->vmid, (gpa_t){ at });
		}
		at = ALIGN_DOWN(at, level_bytes(level)) + level_bytes(level);
	}
	if (leaves > FLUSH_EACH_MAX)
		arch_stage2_flush_all(map->vmid);
	return 0;
}

bool gmap_lookup(const struct gmap *map, gpa_t gpa, hpa_t *hpa, unsigned int *prot, uint64_t *span)
{
	unsigned int level;
	uint64_t pte;
	uint64_t offset;

	if (gpa.addr >= map->limit)
		return false;
	/* The copy is what counts: hardware never writes these entries, but another CPU may unmap. */
	pte = READ_ONCE(*walk(map, gpa.addr, &level));
	if (!arch_stage2_valid(pte))
		return false;
	offset = gpa.addr % level_bytes(level);
	*hpa = (hpa_t){ arch_stage2_addr(pte).addr + offset };
	*prot = arch_stage2_prot(pte);
	*span = level_bytes(level) - offset;
	return true;
}
