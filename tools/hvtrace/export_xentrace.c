/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Export as xentrace writes it, for xenalyze and whatever else reads such files: numbers and layouts from Xen's public
 * xen/include/public/trace.h.
 *
 * A VM is the domain of its number; idling is Xen's idle domain. Changes of vCPUs between running, runnable and blocked, wake-ups, blocking
 * and interrupts become Xen's records, all else generic ones. Exits don't become Xen's: they would be shown with x86 names.
 * The time stamp is 16 times the system counter, the low bits keep records of one tick in order (readers sort by time, and
 * choose freely among equals): tell xenalyze that a second has 16 * hz of them. Each CPU's records are one window of the file.
 */
#include <stdlib.h>
#include <string.h>

#include "export.h"
#include "export_states.h"

/* Event numbers, public/trace.h. */
#define XEN_GEN 0x0001f000u
#define XEN_LOST_RECORDS (XEN_GEN + 1)
#define XEN_CPU_CHANGE (XEN_GEN + 3)
#define XEN_OTHER (XEN_GEN + 0x100)     /* + number of our event */
#define XEN_RUNSTATE_CHANGE 0x00021001u /* | old << 8 | new << 4 */
#define XEN_CONTINUE_RUNNING 0x00021002u
#define XEN_WAKE 0x00028004u
#define XEN_BLOCK 0x00028006u
#define XEN_SWITCH 0x0002800au
#define XEN_IRQ_HANDLED 0x00802008u
#define XEN_EXTRA_SHIFT 28
#define XEN_CYCLES (1u << 31)
#define XEN_IDLE_DOMAIN 32767u
#define XEN_NO_DOMAIN 32768u /* how xenalyze calls whoever it doesn't know */
/* RUNSTATE_*, public/vcpu.h. */
enum { XEN_RUNNING, XEN_RUNNABLE, XEN_BLOCKED, XEN_OFFLINE };

#define STAMPS_PER_TICK 16u

struct window {
	uint8_t *bytes;
	size_t count, room;
	uint64_t stamp; /* of the latest record on this CPU */
};

/* Who runs on a CPU as readers see it: a vCPU, TRACE_NOBODY for idling, RUN_NOT_KNOWN after a lost record, or */
#define RUNS_NONE (RUN_NOT_KNOWN - 1)  /* has left, nobody has come yet */
#define RUNS_BEGIN (RUN_NOT_KNOWN - 2) /* nothing was said of this CPU */

struct xentrace {
	uint32_t runs[HVTRACE_CPUS];
	struct window window[HVTRACE_CPUS];
	uint64_t stamp; /* of the latest record */
};

static void put32(struct window *w, uint32_t value)
{
	for (unsigned int i = 0; i < 32; i += 8) {
		w->bytes = mem_grow(w->bytes, w->count, &w->room, 1);
		w->bytes[w->count++] = (uint8_t)(value >> i);
	}
}

static void put_at(struct window *w, uint64_t stamp, uint32_t event, unsigned int words, const uint32_t *word)
{
	put32(w, event | words << XEN_EXTRA_SHIFT | XEN_CYCLES);
	put32(w, (uint32_t)stamp);
	put32(w, (uint32_t)(stamp >> 32));
	for (unsigned int i = 0; i < words; i++)
		put32(w, word[i]);
	w->stamp = stamp;
}

/* Later than all before it, by as little as can be. */
static void put(struct xentrace *x, uint32_t cpu, uint64_t time, uint32_t event, unsigned int words,
		const uint32_t *word)
{
	uint64_t stamp = time * STAMPS_PER_TICK;

	x->stamp = stamp > x->stamp ? stamp : x->stamp + 1;
	put_at(&x->window[cpu], x->stamp, event, words, word);
}

static uint32_t domain(uint32_t vcpu)
{
	return run_is_vcpu(vcpu) ? vcpu >> 8 : XEN_IDLE_DOMAIN;
}

static uint32_t index_of(uint32_t vcpu, uint32_t cpu)
{
	return run_is_vcpu(vcpu) ? vcpu & 0xff : cpu;
}

/* --- states ---------------------------------------------------------------------------------------------------------- */

static unsigned int runstate(enum run_state state)
{
	switch (state) {
	case RUN_RUNNING:
		return XEN_RUNNING;
	case RUN_BLOCKED:
		return XEN_BLOCKED;
	case RUN_OFF:
		return XEN_OFFLINE;
	case RUN_UNKNOWN:
	case RUN_QUEUED:
		break;
	}
	return XEN_RUNNABLE;
}

static void put_runstate(struct xentrace *x, const struct run_change *c, unsigned int from, unsigned int to)
{
	uint32_t who = domain(c->vcpu) << 16 | index_of(c->vcpu, c->cpu);

	/* Who leaves a CPU leaves it there, whoever tells it. */
	put(x, from == XEN_RUNNING ? c->cpu : c->by, c->time, XEN_RUNSTATE_CHANGE | from << 8 | to << 4, 1, &who);
}

static void put_continue(struct xentrace *x, const struct run_change *c)
{
	uint32_t who = domain(c->vcpu) << 16 | index_of(c->vcpu, c->cpu);

	put(x, c->by, c->time, XEN_CONTINUE_RUNNING, 1, &who);
}

static void put_lost(struct xentrace *x, const struct run_gap *g)
{
	struct window *w = &x->window[g->cpu];
	uint32_t dom = g->next == RUN_NOT_KNOWN ? XEN_NO_DOMAIN : domain(g->next);
	uint64_t first = (w->count ? w->stamp : x->stamp) + 1, stamp = g->end * STAMPS_PER_TICK;
	/* int lost; u16 domain, u16 vCPU of who runs afterwards; u64 time of the first one lost */
	uint32_t word[4] = { g->missing > INT32_MAX ? INT32_MAX : (uint32_t)g->missing,
			     index_of(g->next, g->cpu) << 16 | dom, (uint32_t)first, (uint32_t)(first >> 32) };

	x->stamp = stamp > x->stamp ? stamp : x->stamp + 1;
	/* Readers take a loss that takes no time for an error. */
	x->stamp = x->stamp > first ? x->stamp : first + 1;
	put_at(w, x->stamp, XEN_LOST_RECORDS, 4, word);
}

static void put_nobody(struct xentrace *x, uint32_t cpu, uint64_t time)
{
	put_lost(x, &(struct run_gap){ time, time, 0, cpu, RUN_NOT_KNOWN });
	x->runs[cpu] = RUN_NOT_KNOWN;
}

/* The CPU on which a vCPU runs as readers see it; HVTRACE_CPUS: none. */
static uint32_t runs_on(const struct xentrace *x, uint32_t vcpu)
{
	uint32_t cpu = 0;

	while (cpu < HVTRACE_CPUS && (vcpu == TRACE_NOBODY || x->runs[cpu] != vcpu))
		cpu++;
	return cpu;
}

static void take_cpu(struct xentrace *x, const struct run_change *c)
{
	uint32_t other = runs_on(x, c->vcpu);

	/* Where the trace contradicts itself something must be missing: a lost record takes back what readers believe. */
	if (other < HVTRACE_CPUS)
		put_nobody(x, other, c->time);
	if (x->runs[c->cpu] != RUNS_NONE && x->runs[c->cpu] != RUN_NOT_KNOWN)
		put_nobody(x, c->cpu, c->time);
	/* Xen's vCPUs always wait before they run; nobody has seen this one wake. */
	if (c->from == RUN_BLOCKED || c->from == RUN_OFF)
		put_runstate(x, c, runstate(c->from), XEN_RUNNABLE);
	put_runstate(x, c, XEN_RUNNABLE, XEN_RUNNING);
	x->runs[c->cpu] = c->vcpu;
}

static void on_change(void *ctx, const struct run_change *c)
{
	struct xentrace *x = ctx;
	bool running = x->runs[c->cpu] == c->vcpu;

	/* The gap's lost record says who runs until and after it. */
	if (c->lost && running)
		x->runs[c->cpu] = RUN_NOT_KNOWN;
	if (c->lost || (c->found && running))
		return;
	if (c->doubt) {
		put_nobody(x, c->cpu, c->time);
	} else if (c->found && x->runs[c->cpu] == RUNS_BEGIN) {
		/* Readers count from there. */
		put_continue(x, c);
		x->runs[c->cpu] = c->vcpu;
	} else if (c->from == RUN_RUNNING && c->to == RUN_RUNNING) {
		/* At the end: readers count up to there. */
		if (c->last && running)
			put_continue(x, c);
	} else if (c->to == RUN_RUNNING) {
		take_cpu(x, c);
	} else if (c->from == RUN_RUNNING) {
		if (running) {
			put_runstate(x, c, XEN_RUNNING, runstate(c->to));
			x->runs[c->cpu] = RUNS_NONE;
		}
	} else if ((c->from != c->to || c->last) && c->to != RUN_UNKNOWN && runs_on(x, c->vcpu) == HVTRACE_CPUS) {
		/* At the end a change to the same: what it was until then counts. */
		put_runstate(x, c, runstate(c->from == RUN_UNKNOWN ? RUN_BLOCKED : c->from), runstate(c->to));
	}
}

static void on_gap(void *ctx, const struct run_gap *g)
{
	struct xentrace *x = ctx;

	put_lost(x, g);
	x->runs[g->cpu] = g->next;
}

/* --- records ---------------------------------------------------------------------------------------------------------- */

static void on_record(void *ctx, const struct record *r)
{
	struct xentrace *x = ctx;
	const uint32_t *w = r->word;
	uint32_t who[4] = { domain(w[0]), index_of(w[0], r->cpu), 0, 0 };
	uint32_t irq[3] = { w[0], (uint32_t)(r->time * STAMPS_PER_TICK), (uint32_t)(r->time * STAMPS_PER_TICK) };

	switch (r->event) {
	case TRACE_SWITCH:
		who[2] = domain(w[2]);
		who[3] = index_of(w[2], r->cpu);
		put(x, r->cpu, r->time, XEN_SWITCH, 4, who);
		break;
	case TRACE_WAKE:
		put(x, r->cpu, r->time, XEN_WAKE, 2, who);
		break;
	case TRACE_BLOCK:
		put(x, r->cpu, r->time, XEN_BLOCK, 2, who);
		break;
	case TRACE_IRQ:
		/* When it is over isn't known: at once. */
		put(x, r->cpu, r->time, XEN_IRQ_HANDLED, 3, irq);
		break;
	default:
		put(x, r->cpu, r->time, XEN_OTHER + (r->event & 0xff), r->words, w);
		break;
	}
}

/* --- the file --------------------------------------------------------------------------------------------------------- */

static void write_windows(struct xentrace *x, FILE *out)
{
	struct window head = { 0 };

	for (uint32_t cpu = 0; cpu < HVTRACE_CPUS; cpu++) {
		struct window *w = &x->window[cpu];

		if (!w->count)
			continue;
		head.count = 0;
		put32(&head, XEN_CPU_CHANGE | 2u << XEN_EXTRA_SHIFT);
		put32(&head, cpu);
		put32(&head, (uint32_t)w->count);
		(void)fwrite(head.bytes, 1, head.count, out);
		(void)fwrite(w->bytes, 1, w->count, out);
	}
	free(head.bytes);
}

int export_xentrace(const struct reader *t, const struct boot *boot, const char *out)
{
	struct xentrace *x = mem_alloc(sizeof(*x));
	const struct run_sink sink = { x, on_record, on_change, on_gap };
	FILE *file = NULL;
	int err = 0;

	(void)t;
	for (uint32_t cpu = 0; cpu < HVTRACE_CPUS; cpu++)
		x->runs[cpu] = RUNS_BEGIN;
	run_states(boot, &sink);
	for (uint32_t cpu = 0; cpu < HVTRACE_CPUS; cpu++)
		if (x->window[cpu].count > UINT32_MAX)
			err = fail("%s: more than 4 GiB for one CPU, which the format can't say; record less at a time",
				   out);
	if (!err)
		file = out_open(out);
	if (file) {
		write_windows(x, file);
		err = out_close(file, out);
	}
	if (file && !err)
		(void)fprintf(stderr, "to read it: xenalyze --cpu-hz %llu --summary %s\n",
			      (unsigned long long)(boot->hz * STAMPS_PER_TICK), strcmp(out, "-") ? out : "FILE");
	for (uint32_t cpu = 0; cpu < HVTRACE_CPUS; cpu++)
		free(x->window[cpu].bytes);
	free(x);
	return file ? err : -1;
}
