/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage 2 on the host: an entry format of its own and the model of a TLB.
 *
 * Worst case: as soon as an entry is valid some CPU has it in its TLB, and keeps it until it is invalidated. So taking a
 * valid entry away leaves a stale translation; invalidating drops those it covers; a new entry over a stale translation, or
 * a valid entry changed into another valid one, breaks break-before-make (Arm ARM D8.16.1). The barriers belong to the
 * hooks themselves. Every entry's last proper value is remembered, so that a plain store shows. Single-threaded tests only.
 */
#include "host.h"

#include <stdlib.h>

#include "camber/arch/stage2.h"

#define PTE_VALID BIT64(0)
#define PTE_TABLE BIT64(1) /* above level 3 */
#define PTE_ADDR UINT64_C(0x0000fffffffff000)
#define PTE_PROT_SHIFT 52

#define MAPS_MAX 16u
#define STALE_MAX 4096u
#define SLOTS_MAX (1u << 18) /* hash table of entries ever written; a power of two */

struct stale {
	unsigned int vmid;
	uint64_t gpa, bytes;
	uint64_t pte;
	unsigned int level;
};

/* Where an entry lies in which map. */
struct owner {
	const struct gmap *map;
	uint64_t gpa; /* first address it translates */
	unsigned int level;
};

static const struct gmap *maps[MAPS_MAX];
static struct stale stale[STALE_MAX];
static unsigned int stale_count;
static struct slot {
	const uint64_t *slot;
	uint64_t pte;
} slots[SLOTS_MAX];
static unsigned int slots_used;
static unsigned int ipa_bits = 40;

/* --- format --------------------------------------------------------------------------------------------------------- */

uint64_t arch_stage2_leaf(hpa_t hpa, unsigned int prot, unsigned int level)
{
	return (hpa.addr & PTE_ADDR) | PTE_VALID | (level == 3 ? PTE_TABLE : 0) | (uint64_t)prot << PTE_PROT_SHIFT;
}

uint64_t arch_stage2_table(hpa_t table)
{
	return table.addr | PTE_VALID | PTE_TABLE;
}

bool arch_stage2_valid(uint64_t pte)
{
	return pte & PTE_VALID;
}

bool arch_stage2_is_leaf(uint64_t pte, unsigned int level)
{
	return (pte & PTE_VALID) && (level == 3 || !(pte & PTE_TABLE));
}

hpa_t arch_stage2_addr(uint64_t pte)
{
	return hpa(pte & PTE_ADDR);
}

unsigned int arch_stage2_prot(uint64_t pte)
{
	return (unsigned int)(pte >> PTE_PROT_SHIFT) & 0xf;
}

unsigned int arch_stage2_ipa_bits(void)
{
	return ipa_bits;
}

void host_stage2_set_ipa_bits(unsigned int bits)
{
	ipa_bits = bits;
}

/* --- the model's view of the tables --------------------------------------------------------------------------------- */

static uint64_t level_bytes(unsigned int level)
{
	return UINT64_C(1) << (39 - 9 * level);
}

void host_stage2_watch(const struct gmap *map)
{
	for (unsigned int i = 0; i < MAPS_MAX; i++) {
		if (!maps[i]) {
			maps[i] = map;
			return;
		}
	}
	abort();
}

void host_stage2_forget(const struct gmap *map)
{
	for (unsigned int i = 0; i < MAPS_MAX; i++)
		if (maps[i] == map)
			maps[i] = NULL;
	arch_stage2_flush_all(map->vmid);
}

static struct slot *slot_find(const uint64_t *slot)
{
	size_t i = (size_t)(((uintptr_t)slot >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 46) % SLOTS_MAX;

	while (slots[i].slot && slots[i].slot != slot)
		i = (i + 1) % SLOTS_MAX;
	return &slots[i];
}

static void slot_remember(const uint64_t *slot, uint64_t pte)
{
	struct slot *s = slot_find(slot);

	if (!s->slot && ++slots_used > SLOTS_MAX * 3 / 4)
		abort(); /* the test is too large for the model */
	*s = (struct slot){ slot, pte };
}

/* Calls fn for every entry of a table of `count` entries and of those below it, until it returns true. */
static bool each_entry(const struct gmap *map, const uint64_t *table, unsigned int count, struct owner at,
		       bool (*fn)(const uint64_t *slot, const struct owner *at, void *arg), void *arg)
{
	(void)map;
	for (unsigned int i = 0; i < count; i++) {
		uint64_t pte = table[i];

		if (fn(&table[i], &at, arg))
			return true;
		if (arch_stage2_valid(pte) && !arch_stage2_is_leaf(pte, at.level)) {
			struct owner below = { at.map, at.gpa, at.level + 1 };

			if (each_entry(map, hpa_to_ptr(arch_stage2_addr(pte)), 512, below, fn, arg))
				return true;
		}
		at.gpa += level_bytes(at.level);
	}
	return false;
}

static bool each_of_map(const struct gmap *map, bool (*fn)(const uint64_t *slot, const struct owner *at, void *arg),
			void *arg)
{
	struct owner at = { map, 0, 4 - map->levels };

	return each_entry(map, map->root, map->root_pages * 512, at, fn, arg);
}

struct search {
	const uint64_t *slot;
	struct owner found;
};

/* Looks at the first entry of each table only: does it hold the entry searched? */
static bool match_table(const uint64_t *slot, const struct owner *at, void *arg)
{
	struct search *s = arg;
	ptrdiff_t index = s->slot - slot;

	if ((uintptr_t)slot % PAGE_SIZE || index < 0 || index >= 512)
		return false;
	s->found = *at;
	s->found.gpa += (uint64_t)index * level_bytes(at->level);
	return true;
}

static bool owner_find(const uint64_t *slot, struct owner *out)
{
	/* Changes come in runs within a table. */
	static const uint64_t *cached_table;
	static struct owner cached;
	const uint64_t *table = (const uint64_t *)((uintptr_t)slot & ~(PAGE_SIZE - 1));
	struct search s = { .slot = table };

	if (table != cached_table) {
		cached_table = NULL;
		for (unsigned int i = 0; i < MAPS_MAX && !cached_table; i++) {
			if (maps[i] && each_of_map(maps[i], match_table, &s)) {
				cached_table = table;
				cached = s.found;
			}
		}
		if (!cached_table)
			return false;
	}
	*out = cached;
	out->gpa += (uint64_t)(slot - table) * level_bytes(cached.level);
	return true;
}

/* --- the TLB -------------------------------------------------------------------------------------------------------- */

static void stale_add(const struct owner *o, uint64_t pte)
{
	if (stale_count == STALE_MAX)
		abort(); /* the test is too large for the model */
	stale[stale_count++] = (struct stale){ o->map->vmid, o->gpa, level_bytes(o->level), pte, o->level };
}

void arch_stage2_set(uint64_t *slot, uint64_t pte)
{
	uint64_t old = *slot;
	struct owner o;
	bool owned = owner_find(slot, &o);

	if (arch_stage2_valid(old) && arch_stage2_valid(pte) && old != pte)
		host_violation("valid entry changed without break-before-make");
	if (owned && arch_stage2_valid(pte) && !arch_stage2_valid(old))
		for (unsigned int i = 0; i < stale_count; i++)
			if (stale[i].vmid == o.map->vmid && stale[i].gpa < o.gpa + level_bytes(o.level) &&
			    o.gpa < stale[i].gpa + stale[i].bytes)
				host_violation("new entry for 0x%llx before the old one's TLB invalidation",
					       (unsigned long long)o.gpa);
	if (owned && arch_stage2_valid(old) && old != pte)
		stale_add(&o, old);
	__atomic_store_n(slot, pte, __ATOMIC_SEQ_CST);
	slot_remember(slot, pte);
}

static void stale_drop(unsigned int vmid, bool all, uint64_t gpa)
{
	for (unsigned int i = 0; i < stale_count;) {
		if (stale[i].vmid == vmid && (all || gpa - stale[i].gpa < stale[i].bytes))
			stale[i] = stale[--stale_count];
		else
			i++;
	}
}

void arch_stage2_flush_addr(unsigned int vmid, gpa_t gpa)
{
	stale_drop(vmid, false, gpa.addr);
}

void arch_stage2_flush_all(unsigned int vmid)
{
	stale_drop(vmid, true, 0);
}

/* --- what tests ask ------------------------------------------------------------------------------------------------- */

static bool check_entry(const uint64_t *slot, const struct owner *at, void *arg)
{
	const struct slot *s = slot_find(slot);

	(void)arg;
	if (*slot != (s->slot ? s->pte : 0))
		host_violation("entry for 0x%llx, level %u, written without arch_stage2_set()",
			       (unsigned long long)at->gpa, at->level);
	return false;
}

void host_stage2_check(const struct gmap *map)
{
	for (unsigned int i = 0; i < stale_count; i++)
		if (stale[i].vmid == map->vmid)
			host_violation("stale translation of 0x%llx: no TLB invalidation",
				       (unsigned long long)stale[i].gpa);
	(void)each_of_map(map, check_entry, NULL);
}

bool host_stage2_access(const struct gmap *map, gpa_t gpa, hpa_t *hpa, unsigned int *prot)
{
	uint64_t span;

	for (unsigned int i = 0; i < stale_count; i++) {
		if (stale[i].vmid != map->vmid || gpa.addr - stale[i].gpa >= stale[i].bytes ||
		    !arch_stage2_is_leaf(stale[i].pte, stale[i].level))
			continue;
		*hpa = (hpa_t){ arch_stage2_addr(stale[i].pte).addr + (gpa.addr - stale[i].gpa) };
		*prot = arch_stage2_prot(stale[i].pte);
		return true;
	}
	return gmap_lookup(map, gpa, hpa, prot, &span);
}

struct leaves {
	void (*fn)(uint64_t gpa, uint64_t pte, unsigned int level);
};

static bool report_leaf(const uint64_t *slot, const struct owner *at, void *arg)
{
	const struct leaves *l = arg;

	if (arch_stage2_is_leaf(*slot, at->level))
		l->fn(at->gpa, *slot, at->level);
	return false;
}

void host_stage2_leaves(const struct gmap *map, void (*fn)(uint64_t gpa, uint64_t pte, unsigned int level))
{
	struct leaves l = { fn };

	(void)each_of_map(map, report_leaf, &l);
}
