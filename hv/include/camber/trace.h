/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trace: what happens on each CPU, in a ring of records per CPU, and their way to a serial line. Events, formats: abi/trace.h.
 *
 * trace() may stand anywhere in the hypervisor that runs on a CPU with its data set up; with its class off it is a load and a branch.
 * Rings are written by their own CPU only, without a lock, and read by whoever has the stream. Nothing here waits or
 * allocates. The way out (stream.c) is taken in idle time or in bounded turns, by one CPU at a time.
 * Without CONFIG_TRACE all of it is compiled, so that it stays right, and left out of the image.
 */
#ifndef CAMBER_TRACE_H
#define CAMBER_TRACE_H

#include "abi/trace.h"
#include "camber/types.h"

#define TRACE_BIT(CLASS) (1u << TRACE_CLASS_##CLASS)
#define TRACE_RING_SLOTS (CONFIG_TRACE_RING_KB * 1024u / 32u) /* a power of two */

/* A CPU's part. Read elsewhere without a lock. */
struct trace_cpu {
	uint32_t classes;          /* bits; any CPU sets it */
	uint32_t stop;             /* bool: when the ring is full; else the oldest record gives way */
	struct trace_record *ring; /* TRACE_RING_SLOTS; NULL until trace_start() */
	uint64_t made;             /* number of the next record; published after the record is complete */
	uint64_t sent;             /* the stream's: number of the first record that it has not taken */
	uint64_t overwritten;      /* the stream's: missed, because they were overwritten */
	uint64_t unnumbered;       /* found the ring full */
	uint64_t floor; /* the stream's: older ones are given up, and not sent even if they are still there */
};

enum {
#define TRACE_EVENT(NAME, name, number, class, words, fields, what)                                                    \
	TRACE_WORDS_##NAME = words, TRACE_ON_##NAME = 1 << TRACE_CLASS_##class,
	TRACE_EVENTS(TRACE_EVENT)
#undef TRACE_EVENT
};

/* Whether an event is recorded, on this CPU or on that of `p`, which is this one and at hand; needs camber/pcpu.h. */
#ifdef CONFIG_TRACE
#define trace_on_cpu(p, EVENT) unlikely((p)->trace.classes &TRACE_ON_##EVENT)
#else
#define trace_on_cpu(p, EVENT) false
#endif
#define trace_on(EVENT) trace_on_cpu(arch_pcpu(), EVENT)

/*
 * Records an event with its words: trace(WAKE, vcpu, why, class, cpu). They are evaluated only if its class is on. Own CPU, interrupts
 * masked, any lock held.
 */
#define trace(EVENT, ...)                                                                                              \
	do {                                                                                                           \
		if (trace_on(EVENT))                                                                                   \
			trace_put(EVENT, __VA_ARGS__);                                                                 \
	} while (0)

/* The same where trace_on() has been asked. The number of words is checked against the table. */
#define trace_put(EVENT, ...)                                                                                          \
	do {                                                                                                           \
		_Static_assert(sizeof((uint32_t[]){ __VA_ARGS__ }) == 4 * TRACE_WORDS_##EVENT, "words of " #EVENT);    \
		TRACE_RECORD(EVENT, TRACE_WORDS_##EVENT, __VA_ARGS__, 0, 0, 0, 0);                                     \
	} while (0)
#define TRACE_RECORD(EVENT, n, a, b, c, d, e, ...)                                                                     \
	do {                                                                                                           \
		if ((n) <= 2)                                                                                          \
			trace_record2(&arch_pcpu()->trace, TRACE_HEAD(TRACE_##EVENT, n), a, b);                        \
		else                                                                                                   \
			trace_record(&arch_pcpu()->trace, TRACE_HEAD(TRACE_##EVENT, n), a, b, c, d, e);                \
	} while (0)

/* Own CPU's part. Words beyond the event's are 0. */
void trace_record(struct trace_cpu *own, uint32_t head, uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e);

/* The same for two words at most: less code where it is called. */
void trace_record2(struct trace_cpu *own, uint32_t head, uint32_t a, uint32_t b);

/* The same as trace_put() where each instruction counts: `own` is at hand, and there is no call in between. */
#define trace_put_fast(own, EVENT, ...)                                                                                \
	do {                                                                                                           \
		_Static_assert(sizeof((uint32_t[]){ __VA_ARGS__ }) == 4 * TRACE_WORDS_##EVENT, "words of " #EVENT);    \
		TRACE_RECORD_FAST(own, EVENT, TRACE_WORDS_##EVENT, __VA_ARGS__, 0, 0, 0, 0);                           \
	} while (0)
#define TRACE_RECORD_FAST(own, EVENT, n, a, b, c, d, e, ...)                                                           \
	trace_record(own, TRACE_HEAD(TRACE_##EVENT, n), a, b, c, d, e)

/* A duration as a word. */
static inline uint32_t trace_span(uint64_t ticks)
{
	return (uint32_t)MIN(ticks, (uint64_t)TRACE_TICKS_MAX);
}

/* How long from one tick to another, as a word; 0 if that is earlier, as it may be by counters of two CPUs. */
uint32_t trace_ticks(uint64_t from, uint64_t to);

static inline uint32_t trace_lo(uint64_t value)
{
	return (uint32_t)value;
}

static inline uint32_t trace_hi(uint64_t value)
{
	return (uint32_t)(value >> 32);
}

/* --- rings (ring.c) --------------------------------------------------------------------------------------------------- */

/* What survives a warm reset: this, then the rings of all CPUs. */
struct trace_area {
	uint32_t magic;
	uint32_t cpus;
	uint32_t slots;
	uint32_t boot; /* boots since power-on */
	uint32_t crc;  /* of the words above */
	uint32_t pad[3];
	struct trace_record record[]; /* cpus * slots */
};

/* Bytes of an area for `cpus` CPUs. */
size_t trace_area_bytes(unsigned int cpus);

/*
 * Boot, once, before other CPUs record: adopts the area. Returns true if it holds a previous boot's records; the caller copies the area
 * aside first if it wants them, and gives the copy to trace_previous().
 */
bool trace_area_valid(const struct trace_area *area, unsigned int cpus);
void trace_start(struct trace_area *area, unsigned int cpus, struct trace_cpu *const cpu[]);
void trace_previous(const struct trace_area *copy);

/* Before a deliberate reset, the other CPUs stopped or not: brings what caches hold of the rings to memory. trace_panic() does it. */
void trace_keep(void);

/* Switches classes for all CPUs; META stays on. Returns what was on. Any CPU, which gives its own part. */
uint32_t trace_set_classes(struct trace_cpu *own, uint32_t classes);
void trace_set_stop(bool stop);

/* --- the stream (stream.c) -------------------------------------------------------------------------------------------- */

/* Where bytes go. put() takes what it has room for, returns how much; never waits. */
struct trace_line {
	size_t (*put)(void *dev, const char *bytes, size_t n);
	void *dev;
	bool console; /* frames as terminal text, and whole ones or nothing: put() takes all or nothing */
};

/* What the stream says of CPUs and VMs, which are others' business. */
struct trace_about {
	/* Ticks idle, stays and their ticks of a CPU. */
	void (*cpu)(unsigned int cpu, uint64_t *idle, uint64_t *stays, uint64_t *ticks);
	/* VM number `vm`, below TRACE_VMS: its vCPUs, whether it is a real-time VM, label; NULL: there is none. */
	const char *(*vm)(unsigned int vm, unsigned int *vcpus, bool *rt);
};
#define TRACE_VMS 17u
/* `fallback`: the line that a panic uses when there is no stream; NULL: none. */
void trace_stream_init(const struct trace_about *about, uint64_t hz, const struct trace_line *fallback);

/*
 * Where the stream goes; NULL: nowhere. `rate`: bytes per second to keep to, 0: none. It happens in the turns that follow: the frame
 * that is being sent is finished and a last status told, unless the line takes nothing for a quarter of a second. Callers serialise.
 */
void trace_stream_set(const struct trace_line *line, uint32_t rate);

/*
 * Sends what the rings hold once more from the oldest record on; `previous`: the previous boot's. -ENOENT: there are none, -ENODEV:
 * there is no stream. Callers serialise.
 */
int trace_dump(bool previous);

/*
 * One turn: makes or sends a piece of a frame, at most TRACE_TURN_BYTES bytes. Returns the tick at which another turn is worth while: 0
 * now, TIME_NEVER when there is no stream. Any CPU; returns at once when another is at it.
 */
uint64_t trace_turn(uint64_t now);
#define TRACE_TURN_BYTES 32u

/* For panic, other CPUs stopped: the last `records` of each CPU, polling a line that takes everything at last; bounded. */
void trace_panic(unsigned int records);

/* Figures for the monitor. */
struct trace_stats {
	uint32_t classes;
	uint32_t rate;
	bool stop, streaming, dumping;
};
void trace_get_stats(struct trace_stats *st);

#endif
