/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rings: where they lie, reading them while their CPU writes, and reading what the previous boot left of its own.
 *
 * A reader copies a record and then looks whether it can have been overwritten meanwhile; it never makes the writer wait. What
 * the previous boot left is hostile: a reset keeps, loses or damages memory as it likes. Locking: readers have the stream's lock;
 * the rest is boot, or single words.
 */
#include "camber/arch/cache.h"
#include "camber/errno.h"
#include "camber/lib.h"
#include "trace_priv.h"

#define NUMBERS (1u << (32 - TRACE_HEAD_NUMBER_SHIFT)) /* in a record's head */

_Static_assert((TRACE_RING_SLOTS & (TRACE_RING_SLOTS - 1)) == 0, "CONFIG_TRACE_RING_KB is not a power of two");
_Static_assert(TRACE_RING_SLOTS < NUMBERS / 2, "a record's number says which of the slot's it is");
_Static_assert(sizeof(struct trace_record) == 32 && sizeof(struct trace_area) == 32, "no record crosses a cache line");

#define MAGIC UINT32_C(0x43525443) /* "CTRC" in memory */

/* Who is behind by more than a ring goes on with that many fewer than it holds, or the next ones would be gone, too. */
#define SPARE (SLOTS / 8)

struct trace_cpu *trace_cpus[TRACE_SETS][CONFIG_CPU_MAX];
uint32_t trace_boot;
unsigned int trace_cpu_count;
struct trace_stats trace_stats;
uint64_t trace_status_at;

static struct trace_area *area;
static struct trace_cpu old_cpus[CONFIG_CPU_MAX];

static const uint8_t event_words[] = {
#define TRACE_EVENT(NAME, name, number, class, words, fields, what) [number] = words,
	TRACE_EVENTS(TRACE_EVENT)
#undef TRACE_EVENT
};

size_t trace_area_bytes(unsigned int cpus)
{
	return ALIGN_UP(sizeof(struct trace_area) + cpus * sizeof(struct trace_record) * TRACE_RING_SLOTS, 64);
}

/* The head of a good area. */
static __attribute__((noinline)) void make_head(struct trace_area *a, uint32_t cpus, uint32_t boot)
{
	a->magic = MAGIC;
	a->cpus = cpus;
	a->slots = TRACE_RING_SLOTS;
	a->boot = boot;
	a->crc = crc32(0, a, offsetof(struct trace_area, crc));
}

__cold bool trace_area_valid(const struct trace_area *a, unsigned int cpus)
{
	struct trace_area good;

	make_head(&good, cpus, a->boot);
	return !memcmp(a, &good, offsetof(struct trace_area, pad));
}

void trace_keep(void)
{
	if (area)
		arch_cache_clean(area, trace_area_bytes(trace_cpu_count));
}

__cold void trace_start(struct trace_area *a, unsigned int cpus, struct trace_cpu *const cpu[])
{
	uint32_t boot = trace_area_valid(a, cpus) ? a->boot + 1 : 1;

	arch_zero(a, trace_area_bytes(cpus) / 64);
	make_head(a, cpus, boot);
	for (unsigned int i = 0; i < cpus; i++) {
		cpu[i]->ring = &a->record[i * SLOTS];
		trace_cpus[TRACE_NOW][i] = cpu[i];
		cpu[i]->classes = TRACE_BIT(META);
	}
	trace_stats.classes = TRACE_BIT(META);
	area = a;
	trace_boot = boot;
	trace_cpu_count = cpus;
	trace_keep();
}

uint32_t trace_set_classes(struct trace_cpu *own, uint32_t classes)
{
	uint32_t before = own->classes;

	classes |= TRACE_BIT(META);
	trace_stats.classes = classes;
	for (unsigned int i = 0; i < trace_cpu_count; i++)
		WRITE_ONCE(trace_cpus[TRACE_NOW][i]->classes, classes);
	if (trace_cpu_count && before != classes)
		trace_record(own, TRACE_HEAD(TRACE_CLASSES, TRACE_WORDS_CLASSES), before, classes, 0, 0, 0);
	trace_status_at = 0;
	return before;
}

void trace_set_stop(bool stop)
{
	trace_stats.stop = stop;
	for (unsigned int i = 0; i < trace_cpu_count; i++)
		WRITE_ONCE(trace_cpus[TRACE_NOW][i]->stop, stop);
	trace_status_at = 0;
}

void trace_get_stats(struct trace_stats *st)
{
	*st = trace_stats;
}

/* Whether a record may be the one with number n. In a ring of this boot it always is. */
static bool good(const struct trace_record *r, uint32_t n)
{
	uint32_t event = r->head % (1u << TRACE_HEAD_NUMBER_SHIFT) >> 3, words = r->head % 8;

	return r->head >> TRACE_HEAD_NUMBER_SHIFT == n % NUMBERS && words && event < ARRAY_SIZE(event_words) &&
	       words == event_words[event];
}

bool trace_ring_take(struct trace_cpu *t, uint64_t *n, struct trace_record *r)
{
	/* Acquire pairs with the fence in trace_record(): the records below are complete. */
	uint64_t made = __atomic_load_n(&t->made, __ATOMIC_ACQUIRE);

	if (made - *n > KEPT)
		*n = t->floor = made - KEPT + SPARE;
	if (*n == made)
		return false;
	/* By name: where the compiler calls it by itself it takes the way through a table of addresses. */
	memcpy(r, &t->ring[*n % SLOTS], sizeof(*r));
	/* If anything of that copy was of record *n + SLOTS, this look finds *n + SLOTS - 1 at least: see trace_record(). */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (READ_ONCE(t->made) - *n > KEPT)
		return false;
	if (good(r, (uint32_t)*n))
		return true;
	++*n;
	return false;
}

/*
 * The newest record is the one with the latest time, if the one before it is there, too: chance makes one such slot in some ten rings of
 * random bytes, and two that agree never. Numbers tell which of the others are of its ring's last round; they are known modulo 2^21,
 * so just after they began anew, what was before that isn't shown.
 */
__cold void trace_previous(const struct trace_area *copy)
{
	const struct trace_record *r = copy->record, *before;
	struct trace_cpu *t = old_cpus;
	uint64_t newest;

	for (unsigned int cpu = 0; cpu < copy->cpus; cpu++, t++) {
		trace_cpus[TRACE_OLD][cpu] = t;
		t->ring = (struct trace_record *)(uintptr_t)r;
		newest = 0;
		for (uint32_t slot = 0, n; slot < SLOTS; slot++, r++) {
			n = r->head >> TRACE_HEAD_NUMBER_SHIFT;
			before = &t->ring[(n - 1) % SLOTS];
			if (n % SLOTS != slot || r->time < newest || !good(r, n) || (n && !good(before, n - 1)))
				continue;
			t->made = n + 1;
			newest = r->time;
		}
		t->sent = t->made;
	}
}
