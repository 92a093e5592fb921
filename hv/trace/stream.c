/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stream: what the rings hold, as frames, to a line, no faster than its rate, in turns of a few hundred instructions.
 *
 * A turn gives some bytes to the line, or adds one record, or one CPU's or VM's figures, to the frame that is being made, or encodes
 * some of it. Only when the line has all of a frame do its records count as sent (commit()): so a switch, a line that died, a panic in
 * between lose nothing that isn't counted. Never waits.
 * Locking: stream.busy for everything; turns try it, panic breaks it. What is asked for is written without it, and done between frames.
 */
#include "camber/errno.h"
#include "camber/lib.h"
#include "trace_priv.h"

#define NEVER UINT64_MAX /* TIME_NEVER, whose header is above this part */

/* What the line may be behind its rate by and make good: turns come when they come. */
#define DEPTH_TICKS (stream.hz / 64)
/* A line that is full is asked again after about a millisecond: 11 bytes at 115,200 baud. So is who finds another at it. */
#define RETRY_TICKS (stream.hz / 1024)

/* Fewer records than that wait for others, for a sixteenth of a second at most. */
#define BATCH 16
#define WAIT_TICKS (stream.hz / 16)

/* A line that takes nothing doesn't keep others from being chosen for longer. */
#define SWITCH_TICKS (stream.hz / 4)

/* Turns of a panic, at most. Nearly all of them look at a UART that is full, some 100 ns each: time for 10 KiB at 115,200 baud. */
#define PANIC_TURNS 4000000u

#define LABEL_BYTES 48u /* told of a VM's label */

/* Beside the kinds of frames: */
#define CHOSEN 8u  /* records: nothing of the frame is there yet */
#define CLOSED 16u /* all of the frame is there */

struct cursor {
	struct trace_cpu *t;
	uint64_t next;  /* record that goes into a frame next; below `sent` in a dump */
	uint64_t until; /* the dump ends here */
	uint32_t cpu;
};

static struct {
	uint32_t busy;
	/* Asked for. */
	uint32_t dump_asked;   /* whose rings, plus 1; 0: none */
	uint32_t switch_asked; /* written last, cleared first: the words below are right, or it is set again */
	uint32_t asked_rate;
	const struct trace_line *asked_line; /* in the end `line` */
	uint64_t switch_by;                  /* now, if the line takes nothing */

	const struct trace_about *about;
	uint64_t hz;
	const struct trace_line *fallback;
	const struct trace_line *line; /* NULL: none */
	uint64_t due;                  /* when the rate allows another byte */
	uint64_t at;                   /* few records go out then */

	uint32_t kind;         /* enum trace_frame, CHOSEN, CLOSED: of what is made or sent; 0: nothing */
	uint32_t flags;        /* of the status */
	uint32_t status_cpu;   /* next to be told; all of them: the status is complete */
	uint32_t status_vm;    /* the same */
	uint32_t set;          /* whose rings are being sent */
	uint32_t out, out_end; /* bytes of the frame that are to be sent: from out on */
	uint32_t count;        /* records, or CPUs, in the frame */
	uint64_t first;        /* number of the first record */
	uint64_t time;         /* of the last one */
	struct cursor *cursor; /* whose records */
	struct cursor cursors[CONFIG_CPU_MAX];
} stream;

/* Time of so many bytes at the line's rate, which it has, rounded up. */
static uint64_t byte_ticks(uint64_t bytes)
{
	return (bytes * stream.hz + trace_stats.rate - 1) / trace_stats.rate;
}

/* --- making frames ------------------------------------------------------------------------------------------------------ */

static void open(enum trace_frame kind)
{
	stream.kind = kind;
	trace_frame_open(kind, trace_boot - (kind == TRACE_FRAME_RECORDS ? stream.set : TRACE_NOW),
			 stream.line->console);
}

static void close(void)
{
	stream.kind |= CLOSED;
	trace_frame_close();
}

static void say_status(uint64_t now, uint32_t flags)
{
	stream.flags = flags;
	stream.status_cpu = 0;
	stream.status_vm = 0;
	trace_status_at = now + stream.hz;
}

static void open_status(uint64_t now)
{
	open(TRACE_FRAME_STATUS);
	trace_frame_varint(stream.hz);
	trace_frame_varint(now);
	trace_frame_varint(trace_stats.classes);
	trace_frame_byte(stream.flags | (trace_stats.stop ? TRACE_STATUS_STOP : 0));
	trace_frame_varint(trace_stats.rate);
	trace_frame_varint(KEPT);
	trace_frame_varint(trace_cpu_count);
	trace_frame_varint(stream.status_cpu);
	(void)trace_frame_accept();
}

/* False: the frame is complete, or full. */
static bool add_cpu(void)
{
	const struct trace_cpu *t = trace_cpus[TRACE_NOW][stream.status_cpu];
	uint64_t value[6];

	if (stream.status_cpu == trace_cpu_count)
		return false;
	value[0] = READ_ONCE(t->made);
	value[1] = t->overwritten;
	value[2] = READ_ONCE(t->unnumbered);
	stream.about->cpu(stream.status_cpu, &value[3], &value[4], &value[5]);
	for (unsigned int i = 0; i < ARRAY_SIZE(value); i++)
		trace_frame_varint(value[i]);
	/* Always a step forward: if one doesn't fit even alone, with numbers beyond all life of a machine, it is left out. */
	if (!trace_frame_accept()) {
		stream.status_cpu += !stream.count;
		return false;
	}
	stream.status_cpu++;
	return true;
}

static void make_vm(void)
{
	unsigned int vm = stream.status_vm++, vcpus = 0;
	bool rt = false;
	const char *label = stream.about->vm(vm, &vcpus, &rt);

	if (!label)
		return;
	open(TRACE_FRAME_VM);
	trace_frame_byte(vm);
	trace_frame_byte(vcpus);
	trace_frame_byte(rt);
	for (unsigned int n = 0; n < LABEL_BYTES && label[n]; n++)
		trace_frame_byte((uint8_t)label[n]);
	(void)trace_frame_accept();
	close();
}

/* Overwritten so far, with those between what was sent and this frame; a dump goes back before that. */
static uint64_t overwritten(const struct trace_cpu *t)
{
	return t->overwritten + (stream.first > t->sent ? stream.first - t->sent : 0);
}

static void open_records(void)
{
	struct cursor *c = stream.cursor;
	struct trace_cpu *t = c->t;
	struct trace_record r;
	bool good = trace_ring_take(t, &c->next, &r);

	stream.kind = 0;
	if (!good)
		return;
	stream.first = c->next;
	stream.time = r.time;
	open(TRACE_FRAME_RECORDS);
	trace_frame_byte(c->cpu);
	trace_frame_varint(stream.first);
	trace_frame_varint(overwritten(t));
	trace_frame_varint(READ_ONCE(t->unnumbered));
	trace_frame_varint(stream.time);
	(void)trace_frame_accept();
}

/* One more record for the frame. False: there is none that follows, or no room for it. */
static bool add_record(void)
{
	struct cursor *c = stream.cursor;
	uint64_t want = c->next + stream.count, n = want, delta;
	struct trace_record r;

	if (!trace_ring_take(c->t, &n, &r) || n != want)
		return false;
	/* The counter is read without order: it may seem to go back by a tick or two. */
	delta = r.time - stream.time;
	if ((int64_t)delta < 0)
		delta = 0;
	stream.time += delta;
	trace_frame_varint(r.head % (1u << TRACE_HEAD_NUMBER_SHIFT));
	trace_frame_varint(delta);
	for (unsigned int i = 0; i < r.head % 8; i++)
		trace_frame_varint(r.word[i]);
	return trace_frame_accept();
}

/* The line has all of it. */
static void commit(void)
{
	struct cursor *c = stream.cursor;
	struct trace_cpu *t = c->t;

	if (stream.kind == (TRACE_FRAME_RECORDS | CLOSED)) {
		c->next += stream.count;
		t->overwritten = overwritten(t);
		/* Release: the copies were made; in stop mode the ring's CPU may use their slots now. */
		if (c->next > t->sent)
			__atomic_store_n(&t->sent, c->next, __ATOMIC_RELEASE);
	}
	stream.kind = 0;
	stream.count = 0;
}

/* --- what is next ------------------------------------------------------------------------------------------------------- */

/* From now on these rings: in a dump their last `records`, then what this boot's have and the line hasn't had. */
static void begin(uint64_t now, unsigned int set, uint64_t records, uint32_t flags)
{
	struct cursor *c = stream.cursors;

	stream.set = set;
	stream.cursor = c;
	stream.at = now;
	trace_stats.dumping = flags & TRACE_STATUS_DUMP;
	for (unsigned int i = 0; i < trace_cpu_count; i++, c++) {
		c->cpu = i;
		c->t = trace_cpus[set][i];
		c->next = c->t->sent;
		c->until = NEVER;
		if (trace_stats.dumping) {
			c->until = READ_ONCE(c->t->made);
			c->next = MAX(c->until - MIN(c->until, records), c->t->floor);
		}
	}
	say_status(now, flags);
}

static void use_line(uint64_t now)
{
	stream.switch_asked = 0;
	/* Pairs with trace_stream_set(). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	stream.line = stream.asked_line;
	trace_stats.rate = stream.asked_rate;
	trace_stats.streaming = stream.line;
	stream.due = now;
	stream.kind = 0;
	stream.count = 0;
	/* A zero before the first frame ends whatever the other side has seen so far. */
	trace_frame_out[0] = 0;
	stream.out = 0;
	stream.out_end = stream.line && !stream.line->console;
	begin(now, TRACE_NOW, 0, 0);
}

static uint64_t choose_records(uint64_t now)
{
	bool dump = trace_stats.dumping, any = dump || now >= stream.at;
	struct cursor *c = stream.cursor;

	for (unsigned int i = 0; i < trace_cpu_count; i++) {
		c = c + 1 < stream.cursors + trace_cpu_count ? c + 1 : stream.cursors;
		if ((int64_t)(MIN(READ_ONCE(c->t->made), c->until) - c->next) >= (any ? 1 : BATCH)) {
			stream.cursor = c;
			stream.kind = CHOSEN;
			return 0;
		}
	}
	if (dump) {
		begin(now, TRACE_NOW, 0, TRACE_STATUS_DUMP_END);
		return 0;
	}
	/* All of what waited for long is on its way: what comes now may wait. */
	if (any)
		stream.at = now + WAIT_TICKS;
	return MIN(stream.at, trace_status_at);
}

/* Between frames. */
static uint64_t next_frame(uint64_t now)
{
	uint32_t dump;

	if (stream.status_cpu < trace_cpu_count) {
		open_status(now);
	} else if (stream.switch_asked) {
		if (stream.flags & TRACE_STATUS_ENDED)
			use_line(now);
		else
			say_status(now, TRACE_STATUS_ENDED);
	} else if (stream.status_vm < TRACE_VMS) {
		make_vm();
	} else if (stream.dump_asked) {
		dump = stream.dump_asked - 1;
		stream.dump_asked = 0;
		begin(now, dump, KEPT, TRACE_STATUS_DUMP);
	} else if (now >= trace_status_at) {
		say_status(now, stream.flags & TRACE_STATUS_DUMP);
	} else {
		return choose_records(now);
	}
	return 0;
}

/* --- turns -------------------------------------------------------------------------------------------------------------- */

static uint64_t send(uint64_t now)
{
	const struct trace_line *line = stream.line;
	size_t n = stream.out_end - stream.out, done;

	if (now < stream.due)
		return stream.due;
	if (!line->console)
		n = MIN(n, TRACE_TURN_BYTES);
	done = line->put(line->dev, &trace_frame_out[stream.out], n);
	stream.out += (uint32_t)done;
	if (trace_stats.rate)
		stream.due = MAX(stream.due + DEPTH_TICKS, now) - DEPTH_TICKS + byte_ticks(done);
	if (stream.out == stream.out_end)
		commit();
	return done == n ? 0 : now + RETRY_TICKS;
}

static uint64_t turn(uint64_t now)
{
	if (stream.switch_asked && (!stream.line || now >= stream.switch_by))
		use_line(now);
	if (!stream.line)
		return NEVER;
	if (stream.out < stream.out_end)
		return send(now);
	if (!stream.kind)
		return next_frame(now);
	if (stream.kind == CHOSEN) {
		open_records();
	} else if (trace_frame_encode()) {
		return 0;
	} else if (stream.kind & CLOSED) {
		stream.out = 0;
		stream.out_end = (uint32_t)trace_frame_end();
	} else if (stream.kind == TRACE_FRAME_STATUS ? add_cpu() : add_record()) {
		stream.count++;
	} else if (stream.count) {
		close();
	} else {
		stream.kind = 0;
	}
	return 0;
}

uint64_t trace_turn(uint64_t now)
{
	uint64_t when = now + RETRY_TICKS;

	if (!READ_ONCE(stream.line) && !READ_ONCE(stream.switch_asked))
		return NEVER;
	/* Acquire and release: whoever is at it has seen all of what was done before. */
	if (__atomic_exchange_n(&stream.busy, 1, __ATOMIC_ACQUIRE))
		return when;
	when = turn(now);
	__atomic_store_n(&stream.busy, 0, __ATOMIC_RELEASE);
	return when;
}

/* --- settings ----------------------------------------------------------------------------------------------------------- */

__cold void trace_stream_init(const struct trace_about *about, uint64_t hz, const struct trace_line *fallback)
{
	stream.about = about;
	stream.hz = hz;
	stream.fallback = fallback;
}

void trace_stream_set(const struct trace_line *line, uint32_t rate)
{
	stream.asked_line = line;
	stream.asked_rate = rate;
	stream.switch_by = arch_now() + SWITCH_TICKS;
	/* Release: pairs with the fence in use_line(). */
	__atomic_store_n(&stream.switch_asked, 1, __ATOMIC_RELEASE);
}

int trace_dump(bool previous)
{
	unsigned int set = previous ? TRACE_OLD : TRACE_NOW;

	if (!stream.asked_line)
		return -ENODEV;
	if (!trace_cpus[set][0])
		return -ENOENT;
	stream.dump_asked = set + 1;
	return 0;
}

__cold void trace_panic(unsigned int records)
{
	uint64_t now = arch_now();

	trace_keep();
	stream.busy = 1; /* whether or not this CPU, or one that is stopped, was at it */
	if (!stream.asked_line)
		stream.asked_line = stream.fallback;
	stream.asked_rate = 0;
	/* What was half sent comes once more. */
	use_line(now);
	begin(now, TRACE_NOW, MIN(records, KEPT), TRACE_STATUS_DUMP);
	for (unsigned int turns = 0; turns < PANIC_TURNS && (!turn(now) || stream.out < stream.out_end); turns++)
		;
	stream.busy = 0;
}
