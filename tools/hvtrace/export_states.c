/* SPDX-License-Identifier: Apache-2.0 */
/*
 * States of vCPUs, made of a boot's records in two passes: the first finds out who runs at the beginning of each stretch without losses,
 * the second tells everything in order. See export_states.h.
 *
 * Never trusts a record: vCPUs out of range are ignored, contradictions make states unknown. Takes memory for each CPU and each vCPU
 * that there can be, and for each gap.
 */
#include "export_states.h"

#include <stdlib.h>

struct stretch {          /* of records without a gap, the class sched all the while on or off */
	uint32_t first;   /* who runs at its beginning, as its first switch says */
	uint32_t entered; /* the same as the first exit says it: right if there is no switch though they are recorded */
	uint64_t last;    /* number of its last record */
	bool gap;         /* after it */
};

struct cpu_state {
	struct stretch *stretch;
	size_t stretches, room;
	size_t at;        /* the next stretch */
	bool cut;         /* another one begins with the next record */
	uint32_t running; /* a vCPU, TRACE_NOBODY, RUN_NOT_KNOWN */
	bool known;       /* in a stretch */
	uint64_t missed;  /* records, in gaps */
	uint64_t time;    /* of the latest record */
	uint64_t since;   /* idle */
};

struct vcpu_state {
	uint64_t since;
	uint32_t class;
	uint16_t cpu;
	uint8_t state; /* enum run_state */
	bool listed;
};

struct states {
	const struct run_sink *sink;
	struct cpu_state *cpu;
	struct vcpu_state *vcpu; /* TRACE_NOBODY of them */
	uint16_t *list;          /* those that were ever mentioned */
	size_t count, room;
	bool sched; /* the class is on */
};

#define SCHED_BIT (1u << TRACE_CLASS_SCHED)

enum { LEFT_OFF, LEFT_BLOCKED }; /* others: it waits, or runs elsewhere at once */

/* --- who runs at the beginning -------------------------------------------------------------------------------------- */

static void find_beginning(struct cpu_state *c, const struct record *r, uint64_t missing)
{
	uint32_t who = r->word[0] <= TRACE_NOBODY ? r->word[0] : RUN_NOT_KNOWN;
	struct stretch *last;

	if (!c->stretches || missing || c->cut) {
		if (c->stretches)
			c->stretch[c->stretches - 1].gap = missing > 0;
		c->stretch = mem_grow(c->stretch, c->stretches, &c->room, sizeof(*c->stretch));
		c->stretch[c->stretches++] = (struct stretch){ RUN_NOT_KNOWN, RUN_NOT_KNOWN, 0, false };
		c->missed += missing;
		c->cut = false;
	}
	last = &c->stretch[c->stretches - 1];
	last->last = r->number;
	if ((r->event == TRACE_SWITCH || r->event == TRACE_BLOCK) && last->first == RUN_NOT_KNOWN)
		last->first = who;
	if (r->event == TRACE_EXIT && last->entered == RUN_NOT_KNOWN)
		last->entered = who;
}

static void find_beginnings(struct states *s, const struct boot *boot)
{
	bool switched = false;
	const struct record *r;
	struct cursor cursor;
	uint64_t missing;

	s->sched = boot->classes & SCHED_BIT;
	cursor_start(&cursor, boot);
	while ((r = cursor_next(&cursor, &missing))) {
		find_beginning(&s->cpu[r->cpu], r, missing);
		if (r->event != TRACE_CLASSES)
			continue;
		if (!switched)
			s->sched = r->word[0] & SCHED_BIT;
		switched = true;
		for (uint32_t i = 0; i < boot->cpus; i++)
			s->cpu[i].cut |= (r->word[0] ^ r->word[1]) & SCHED_BIT;
	}
	cursor_free(&cursor);
}

/* --- changes --------------------------------------------------------------------------------------------------------- */

static void vcpu_to(struct states *s, uint32_t vcpu, enum run_state to, uint32_t cpu, struct run_change c)
{
	struct vcpu_state *v = &s->vcpu[vcpu];

	if (!v->listed) {
		s->list = mem_grow(s->list, s->count, &s->room, sizeof(*s->list));
		s->list[s->count++] = (uint16_t)vcpu;
		v->listed = true;
	}
	c.vcpu = vcpu;
	c.since = v->since;
	c.from = v->state;
	c.to = to;
	c.cpu = cpu;
	c.class = v->class;
	if (s->sink->change)
		s->sink->change(s->sink->ctx, &c);
	v->since = c.time;
	v->state = (uint8_t)to;
	v->cpu = (uint16_t)cpu;
}

static void idle_to(struct states *s, uint32_t cpu, enum run_state from, enum run_state to, struct run_change c)
{
	c.vcpu = TRACE_NOBODY;
	c.since = s->cpu[cpu].since;
	c.from = from;
	c.to = to;
	c.cpu = cpu;
	c.class = RUN_NO_CLASS;
	if (s->sink->change)
		s->sink->change(s->sink->ctx, &c);
	s->cpu[cpu].since = c.time;
}

/* Whoever runs on the CPU comes into another state. */
static void cpu_leaves(struct states *s, uint32_t cpu, enum run_state to, struct run_change c)
{
	uint32_t running = s->cpu[cpu].running;

	if (running == TRACE_NOBODY)
		idle_to(s, cpu, RUN_RUNNING, to, c);
	else if (running != RUN_NOT_KNOWN)
		vcpu_to(s, running, to, cpu, c);
	s->cpu[cpu].running = RUN_NOT_KNOWN;
}

static void cpu_takes(struct states *s, uint32_t cpu, uint32_t next, struct run_change c)
{
	if (next == TRACE_NOBODY) {
		idle_to(s, cpu, RUN_QUEUED, RUN_RUNNING, c);
	} else {
		/* The other CPU has given it away, and hasn't written its record yet. */
		if (s->vcpu[next].state == RUN_RUNNING)
			cpu_leaves(s, s->vcpu[next].cpu, RUN_QUEUED, (struct run_change){ .time = c.time, .by = c.by });
		vcpu_to(s, next, RUN_RUNNING, cpu, c);
	}
	s->cpu[cpu].running = next;
}

static void on_switch(struct states *s, const struct record *r)
{
	uint32_t prev = r->word[0], left = r->word[1], next = r->word[2];
	struct run_change c = { .time = r->time, .by = r->cpu };
	struct cpu_state *cpu = &s->cpu[r->cpu];

	if (prev == cpu->running) {
		enum run_state to = left == LEFT_OFF ? RUN_OFF : left == LEFT_BLOCKED ? RUN_BLOCKED : RUN_QUEUED;

		cpu_leaves(s, r->cpu, prev == TRACE_NOBODY ? RUN_QUEUED : to, c);
	} else {
		c.doubt = true;
		cpu_leaves(s, r->cpu, RUN_UNKNOWN, c);
		c.doubt = false;
	}
	if (next > TRACE_NOBODY)
		return;
	cpu_takes(s, r->cpu, next, c);
	if (run_is_vcpu(next))
		s->vcpu[next].class = r->word[3];
}

static void on_wake(struct states *s, const struct record *r)
{
	struct run_change c = { .time = r->time, .by = r->cpu };
	struct vcpu_state *v = &s->vcpu[r->word[0]];
	uint32_t cpu = r->word[3] < HVTRACE_CPUS ? r->word[3] : r->cpu;

	/* A CPU can take a vCPU before the one that woke it has written its record. */
	if (v->state == RUN_RUNNING || v->state == RUN_QUEUED)
		return;
	/* Where nothing is known, it may run at once. */
	c.lost = !s->cpu[cpu].known;
	vcpu_to(s, r->word[0], c.lost ? RUN_UNKNOWN : RUN_QUEUED, cpu, c);
	v->class = r->word[2];
}

static void on_record(struct states *s, const struct record *r)
{
	struct run_change c = { .time = r->time, .by = r->cpu };
	uint32_t vcpu = r->word[0];

	switch (r->event) {
	case TRACE_SWITCH:
		on_switch(s, r);
		break;
	case TRACE_CLASSES:
		s->sched = r->word[1] & SCHED_BIT;
		break;
	case TRACE_WAKE:
		if (run_is_vcpu(vcpu))
			on_wake(s, r);
		break;
	case TRACE_CLASS:
		if (!run_is_vcpu(vcpu))
			break;
		vcpu_to(s, vcpu, s->vcpu[vcpu].state, s->vcpu[vcpu].cpu, c);
		s->vcpu[vcpu].class = r->word[2];
		break;
	default:
		break;
	}
}

/* Nobody knows any more what became of those who ran or waited on this CPU, nor of those who slept there. */
static void lose_all(struct states *s, uint32_t cpu, uint64_t time)
{
	struct run_change c = { .time = time, .by = cpu, .lost = true };

	s->cpu[cpu].known = false;
	cpu_leaves(s, cpu, RUN_UNKNOWN, c);
	for (size_t i = 0; i < s->count; i++) {
		struct vcpu_state *v = &s->vcpu[s->list[i]];

		if (v->cpu == cpu && v->state != RUN_RUNNING && v->state != RUN_UNKNOWN)
			vcpu_to(s, s->list[i], RUN_UNKNOWN, cpu, c);
	}
}

/* The CPU's first record, or the first one behind a gap. */
static void begin_stretch(struct states *s, const struct record *r, uint64_t missing)
{
	struct cpu_state *c = &s->cpu[r->cpu];
	const struct stretch *stretch = &c->stretch[c->at];
	uint32_t next = stretch->first == RUN_NOT_KNOWN && s->sched ? stretch->entered : stretch->first;
	struct run_gap gap = { c->time, r->time, missing, r->cpu, RUN_NOT_KNOWN };

	if (c->running != RUN_NOT_KNOWN)
		lose_all(s, r->cpu, c->time);
	/* One that runs elsewhere, as other records say, can't have been here: something is missing. */
	if (next == TRACE_NOBODY || (run_is_vcpu(next) && s->vcpu[next].state != RUN_RUNNING))
		gap.next = next;
	if (c->at++ && s->sink->gap)
		s->sink->gap(s->sink->ctx, &gap);
	c->known = s->sched;
	if (gap.next != RUN_NOT_KNOWN)
		cpu_takes(s, r->cpu, gap.next, (struct run_change){ .time = r->time, .by = r->cpu, .found = true });
}

/* Until when it is known what each CPU does; vCPUs that don't run could have been woken by any of them. */
static void end_all(struct states *s, const struct boot *boot)
{
	uint64_t known = UINT64_MAX;

	for (uint32_t i = 0; i < boot->cpus; i++) {
		struct cpu_state *c = &s->cpu[i];
		const struct boot_cpu *b = &boot->cpu[i];
		struct run_change change = { .time = c->time, .by = i, .last = true };

		if (!c->stretches)
			continue;
		/* Nothing is missing behind its last record. */
		if (b->account.time > c->time && b->losses.overwritten + b->losses.line <= c->missed)
			change.time = b->account.time;
		known = change.time < known ? change.time : known;
		if (c->running == TRACE_NOBODY)
			idle_to(s, i, RUN_RUNNING, RUN_RUNNING, change);
		else if (c->running != RUN_NOT_KNOWN)
			vcpu_to(s, c->running, RUN_RUNNING, i, change);
	}
	for (size_t i = 0; i < s->count; i++) {
		struct vcpu_state *v = &s->vcpu[s->list[i]];
		struct run_change change = { .time = known > v->since ? known : v->since, .by = v->cpu, .last = true };

		if (v->state != RUN_UNKNOWN && v->state != RUN_RUNNING)
			vcpu_to(s, s->list[i], v->state, v->cpu, change);
	}
}

void run_states(const struct boot *boot, const struct run_sink *sink)
{
	struct states s = { .sink = sink };
	const struct record *r;
	struct cursor cursor;
	uint64_t missing;

	s.cpu = mem_alloc(HVTRACE_CPUS * sizeof(*s.cpu));
	s.vcpu = mem_alloc(TRACE_NOBODY * sizeof(*s.vcpu));
	find_beginnings(&s, boot);
	for (uint32_t i = 0; i < HVTRACE_CPUS; i++)
		s.cpu[i].running = RUN_NOT_KNOWN;
	/* From its first record on ever, nothing has happened on a CPU before that. */
	for (uint32_t i = 0; i < boot->cpus; i++)
		s.cpu[i].known = s.sched && boot->cpu[i].account.base == 0;
	for (uint32_t i = 0; i < TRACE_NOBODY; i++)
		s.vcpu[i].class = RUN_NO_CLASS;
	cursor_start(&cursor, boot);
	while ((r = cursor_next(&cursor, &missing))) {
		struct cpu_state *c = &s.cpu[r->cpu];

		if (!c->at || c->stretch[c->at - 1].last < r->number)
			begin_stretch(&s, r, missing);
		c->time = r->time;
		if (sink->record)
			sink->record(sink->ctx, r);
		on_record(&s, r);
		if (r->number == c->stretch[c->at - 1].last && c->stretch[c->at - 1].gap)
			lose_all(&s, r->cpu, r->time);
		for (uint32_t i = 0; r->event == TRACE_CLASSES && !s.sched && i < boot->cpus; i++)
			lose_all(&s, i, r->time);
	}
	cursor_free(&cursor);
	end_all(&s, boot);
	for (uint32_t i = 0; i < HVTRACE_CPUS; i++)
		free(s.cpu[i].stretch);
	free(s.cpu);
	free(s.vcpu);
	free(s.list);
}
