/* SPDX-License-Identifier: Apache-2.0 */
/* Who runs, waits, is late. See analysis.h. */
#include "analysis.h"

#include <stdlib.h>
#include <string.h>

static struct vcpu_stats *vcpu_get(struct analysis *a, uint32_t id)
{
	struct vcpu_stats *v;
	size_t i;

	/* A word that is no vCPU comes from another version; it isn't anybody. */
	if (id >= ARRAY_COUNT(a->by_id) || id == TRACE_NOBODY)
		return NULL;
	if (a->by_id[id])
		return a->by_id[id];
	v = mem_alloc(sizeof(*v));
	v->id = id;
	v->class = CLASS_UNKNOWN;
	a->vcpus = mem_grow(a->vcpus, a->count, &a->room, sizeof(struct vcpu_stats *));
	for (i = a->count++; i && a->vcpus[i - 1]->id > id; i--)
		a->vcpus[i] = a->vcpus[i - 1];
	a->vcpus[i] = v;
	return a->by_id[id] = v;
}

struct analysis *analysis_new(void)
{
	struct analysis *a = mem_alloc(sizeof(*a));

	for (unsigned int i = 0; i < HVTRACE_CPUS; i++)
		a->cpu[i].running = a->cpu[i].entered = ANALYSIS_UNKNOWN;
	return a;
}

static void irqs_each(struct vcpu_stats *v, void (*what)(struct samples *s))
{
	for (size_t i = 0; i < v->irq_count; i++) {
		what(&v->irqs[i].irq_inject);
		what(&v->irqs[i].inject_eoi);
		what(&v->irqs[i].irq_eoi);
	}
}

static void vcpu_each(struct vcpu_stats *v, void (*what)(struct samples *s))
{
	what(&v->waits);
	what(&v->tick_late);
	what(&v->entry_late);
	what(&v->wake_late);
	what(&v->expire_late);
	for (unsigned int i = 0; i < CAUSES; i++)
		what(&v->exits[i]);
	irqs_each(v, what);
}

void analysis_free(struct analysis *a)
{
	for (size_t i = 0; i < a->count; i++) {
		vcpu_each(a->vcpus[i], samples_free);
		free(a->vcpus[i]->irqs);
		free(a->vcpus[i]);
	}
	for (unsigned int i = 0; i < HVTRACE_CPUS; i++) {
		samples_free(&a->cpu[i].stays);
		samples_free(&a->cpu[i].timer_late);
	}
	free(a->vcpus);
	free(a);
}

/* Every sum of the struct is 0 from its first counted field on; sample memory stays. */
static void vcpu_clear(struct vcpu_stats *v)
{
	memset(v->ran, 0, sizeof(v->ran));
	memset(v->wakeups, 0, sizeof(v->wakeups));
	v->turns = v->blocks = v->overruns = v->psci = v->faults = 0;
	v->worst = (struct worst){ 0 };
	for (size_t i = 0; i < v->irq_count; i++)
		v->irqs[i].injected = 0;
	vcpu_each(v, samples_clear);
}

void analysis_clear(struct analysis *a)
{
	a->records = 0;
	a->begin = a->now;
	memset(a->by_event, 0, sizeof(a->by_event));
	for (size_t i = 0; i < a->count; i++)
		vcpu_clear(a->vcpus[i]);
	for (unsigned int i = 0; i < a->cpus; i++) {
		struct cpu_stats *c = &a->cpu[i];

		c->busy = c->idle = c->unknown = c->records = c->lost = c->switches = c->irqs = 0;
		c->worst = (struct worst){ 0 };
		samples_clear(&c->stays);
		samples_clear(&c->timer_late);
	}
}

unsigned int cause_key(uint32_t cause)
{
	return cause == TRACE_CAUSE_IRQ ? 64 : cause == TRACE_CAUSE_SERROR ? 65 : cause >> 26;
}

const char *cause_key_name(char text[NAME_ROOM], unsigned int key)
{
	/* A syndrome has its IL bit, usually; and no syndrome is 0. */
	return cause_name(text, key == 64 ? TRACE_CAUSE_IRQ : key == 65 ? TRACE_CAUSE_SERROR : key << 26 | 1u << 25);
}

uint64_t vcpu_ran(const struct vcpu_stats *v)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i <= SCHED_CLASS_COUNT; i++)
		sum += v->ran[i];
	return sum;
}

static uint64_t since(uint64_t now, uint64_t then)
{
	return now > then ? now - then : 0; /* counters of different CPUs */
}

/* What the CPU did up to now is counted; it goes on with the same. */
static void cpu_until(struct analysis *a, struct cpu_stats *c, uint64_t now)
{
	uint64_t ticks = since(now, c->since);
	struct vcpu_stats *v;

	if (!c->seen)
		return;
	c->since = now > c->since ? now : c->since;
	if (c->running == ANALYSIS_UNKNOWN) {
		c->unknown += ticks;
	} else if (c->running == TRACE_NOBODY) {
		c->idle += ticks;
	} else {
		c->busy += ticks;
		v = vcpu_get(a, c->running);
		if (v)
			v->ran[v->class] += ticks;
	}
}

void analysis_until(struct analysis *a, uint64_t now)
{
	for (unsigned int i = 0; i < a->cpus; i++)
		cpu_until(a, &a->cpu[i], now);
	a->now = now > a->now ? now : a->now;
}

static void place_set(struct vcpu_stats *v, enum vcpu_place place, uint64_t time)
{
	v->place = place;
	v->since = time;
}

/* It isn't known any more what this CPU does, nor what became of those who were there. */
static void forget(struct analysis *a, uint8_t cpu)
{
	struct cpu_stats *c = &a->cpu[cpu];

	c->running = c->entered = ANALYSIS_UNKNOWN;
	c->irq_time = 0;
	for (size_t i = 0; i < a->count; i++) {
		struct vcpu_stats *v = a->vcpus[i];

		if (v->cpu != cpu)
			continue;
		v->place = PLACE_UNKNOWN;
		v->class = CLASS_UNKNOWN;
		v->ticked = false;
		for (size_t k = 0; k < v->irq_count; k++)
			v->irqs[k].since = v->irqs[k].physical = 0;
	}
}

/* A record says who runs on a CPU of which that wasn't known: since it was last heard of, then. */
static void found_running(struct analysis *a, const struct record *r, uint32_t id)
{
	struct cpu_stats *c = &a->cpu[r->cpu];
	struct vcpu_stats *v = vcpu_get(a, id);

	if (c->running != ANALYSIS_UNKNOWN || (!v && id != TRACE_NOBODY))
		return;
	c->running = id;
	if (v) {
		v->cpu = r->cpu;
		place_set(v, PLACE_RUNNING, c->since);
	}
}

static void on_switch(struct analysis *a, const struct record *r)
{
	static const enum vcpu_place left_place[] = { PLACE_OFF, PLACE_BLOCKED, PLACE_QUEUED };
	struct cpu_stats *c = &a->cpu[r->cpu];
	struct vcpu_stats *prev = vcpu_get(a, r->word[0]), *next = vcpu_get(a, r->word[2]);

	found_running(a, r, r->word[0]);
	cpu_until(a, c, r->time);
	c->switches++;
	if (prev && r->word[1] < ARRAY_COUNT(left_place))
		place_set(prev, left_place[r->word[1]], r->time);
	c->running = next || r->word[2] == TRACE_NOBODY ? r->word[2] : ANALYSIS_UNKNOWN;
	if (!next) {
		c->entered = ANALYSIS_UNKNOWN; /* an idle CPU's next stay isn't anybody's */
		return;
	}
	if (next->place == PLACE_QUEUED)
		samples_add(&next->waits, since(r->time, next->since));
	if (r->word[4])
		samples_add(&next->wake_late, r->word[4]);
	next->turns++;
	next->cpu = r->cpu;
	next->class = r->word[3] < SCHED_CLASS_COUNT ? r->word[3] : CLASS_UNKNOWN;
	place_set(next, PLACE_RUNNING, r->time);
}

static void worst_add(struct worst *w, const struct record *r, uint32_t vcpu)
{
	if (r->word[2] <= w->ticks)
		return;
	*w = (struct worst){
		.ticks = r->word[2],
		.time = r->time,
		.pc = (uint64_t)r->word[4] << 32 | r->word[3],
		.cause = r->word[1],
		.vcpu = vcpu,
		.cpu = r->cpu,
	};
}

static void on_exit(struct analysis *a, const struct record *r)
{
	struct cpu_stats *c = &a->cpu[r->cpu];
	struct vcpu_stats *v;
	/* The stay is whose exit it began with: who was entered at the end of the one before. */
	uint32_t id = c->entered != ANALYSIS_UNKNOWN ? c->entered : r->word[0];

	found_running(a, r, r->word[0]);
	samples_add(&c->stays, r->word[2]);
	worst_add(&c->worst, r, id);
	v = vcpu_get(a, id);
	if (v) {
		samples_add(&v->exits[cause_key(r->word[1])], r->word[2]);
		worst_add(&v->worst, r, id);
	}
	v = vcpu_get(a, r->word[0]);
	c->entered = v ? r->word[0] : ANALYSIS_UNKNOWN;
	if (v && v->ticked)
		samples_add(&v->entry_late,
			    v->tick == TRACE_TICKS_MAX ? v->tick : v->tick + since(r->time, v->tick_time));
	if (v)
		v->ticked = false;
	c->irq_time = 0;
	c->saw_exit = true;
}

static void on_wake(struct analysis *a, const struct record *r)
{
	struct vcpu_stats *v = vcpu_get(a, r->word[0]);

	if (!v)
		return;
	if (r->word[1] < WAKE_WHYS)
		v->wakeups[r->word[1]]++;
	if (v->place == PLACE_RUNNING || v->place == PLACE_QUEUED)
		return;
	if (r->word[3] < HVTRACE_CPUS)
		v->cpu = (uint8_t)r->word[3];
	place_set(v, PLACE_QUEUED, r->time);
}

static void on_class(struct analysis *a, const struct record *r)
{
	struct vcpu_stats *v = vcpu_get(a, r->word[0]);

	if (!v)
		return;
	if (v->place == PLACE_RUNNING) {
		struct cpu_stats *c = &a->cpu[v->cpu];

		if (v->class == CLASS_UNKNOWN && r->word[1] < SCHED_CLASS_COUNT)
			v->class = r->word[1];
		if (c->running == v->id)
			cpu_until(a, c, r->time);
	}
	v->class = r->word[2] < SCHED_CLASS_COUNT ? r->word[2] : CLASS_UNKNOWN;
}

static struct vcpu_irq *irq_get(struct vcpu_stats *v, uint32_t intid)
{
	size_t i;

	for (i = 0; i < v->irq_count; i++)
		if (v->irqs[i].intid == intid)
			return &v->irqs[i];
	v->irqs = mem_grow(v->irqs, v->irq_count, &v->irq_room, sizeof(*v->irqs));
	for (i = v->irq_count++; i && v->irqs[i - 1].intid > intid; i--)
		v->irqs[i] = v->irqs[i - 1];
	v->irqs[i] = (struct vcpu_irq){ .intid = intid };
	return &v->irqs[i];
}

static void on_inject(struct analysis *a, const struct record *r)
{
	struct cpu_stats *c = &a->cpu[r->cpu];
	struct vcpu_stats *v = vcpu_get(a, r->word[0]);
	struct vcpu_irq *irq;

	if (!v)
		return;
	irq = irq_get(v, r->word[1]);
	irq->injected++;
	if (irq->since)
		return; /* pending already */
	irq->since = r->time;
	/* It comes from the physical interrupt of this stay; where no ends of stays are recorded, from one with its number. */
	if (c->irq_time && (c->saw_exit || c->irq == r->word[1])) {
		irq->physical = c->irq_time;
		c->irq_time = 0;
		samples_add(&irq->irq_inject, since(r->time, irq->physical));
	}
}

static void on_eoi(struct analysis *a, const struct record *r)
{
	struct vcpu_stats *v = vcpu_get(a, r->word[0]);
	struct vcpu_irq *irq;

	if (!v)
		return;
	irq = irq_get(v, r->word[1]);
	if (irq->since)
		samples_add(&irq->inject_eoi, since(r->time, irq->since));
	if (irq->since && irq->physical)
		samples_add(&irq->irq_eoi, since(r->time, irq->physical));
	irq->since = irq->physical = 0;
}

/* Without scheduler events nobody knows who runs, from then on. */
static void on_classes(struct analysis *a, const struct record *r)
{
	uint32_t changed = r->word[0] ^ r->word[1];

	/* Nor who was entered, without ends of stays. */
	for (unsigned int i = 0; changed >> TRACE_CLASS_EXIT & 1 && i < a->cpus; i++) {
		a->cpu[i].entered = ANALYSIS_UNKNOWN;
		a->cpu[i].saw_exit = false;
	}
	for (size_t i = 0; changed >> TRACE_CLASS_EXIT & 1 && i < a->count; i++)
		a->vcpus[i]->ticked = false;
	if (!(changed >> TRACE_CLASS_SCHED & 1))
		return;
	for (unsigned int i = 0; i < a->cpus; i++) {
		cpu_until(a, &a->cpu[i], r->time);
		forget(a, (uint8_t)i);
	}
}

static void about_vcpu(struct analysis *a, const struct record *r)
{
	struct vcpu_stats *v = vcpu_get(a, r->word[0]);

	if (!v)
		return;
	switch (r->event) {
	case TRACE_BLOCK:
		found_running(a, r, r->word[0]);
		v->blocks++;
		v->cpu = r->cpu;
		place_set(v, PLACE_BLOCKED, r->time);
		break;
	case TRACE_TICK:
		samples_add(&v->tick_late, r->word[1]);
		v->ticked = true;
		v->tick = r->word[1];
		v->tick_time = r->time;
		break;
	case TRACE_RT_EXPIRE:
		samples_add(&v->expire_late, r->word[1]);
		break;
	case TRACE_RT_OVERRUN:
		v->overruns++;
		break;
	case TRACE_PSCI:
		v->psci++;
		break;
	case TRACE_GUEST_FAULT:
		v->faults++;
		break;
	default:
		break;
	}
}

static void on_record(struct analysis *a, const struct record *r)
{
	struct cpu_stats *c = &a->cpu[r->cpu];

	switch (r->event) {
	case TRACE_SWITCH:
		on_switch(a, r);
		break;
	case TRACE_EXIT:
		on_exit(a, r);
		break;
	case TRACE_WAKE:
		on_wake(a, r);
		break;
	case TRACE_CLASS:
		on_class(a, r);
		break;
	case TRACE_INJECT:
		on_inject(a, r);
		break;
	case TRACE_EOI:
		on_eoi(a, r);
		break;
	case TRACE_CLASSES:
		on_classes(a, r);
		break;
	case TRACE_IRQ:
		c->irqs++;
		c->irq = r->word[0];
		c->irq_time = r->time;
		break;
	case TRACE_TIMER_RUN:
		samples_add(&c->timer_late, r->word[0]);
		break;
	default:
		if (event_find(r->event) && event_find(r->event)->field[0].kind == WORD_VCPU)
			about_vcpu(a, r);
		break;
	}
}

void analysis_record(struct analysis *a, const struct record *r, uint64_t missing)
{
	struct cpu_stats *c = &a->cpu[r->cpu];

	if (r->cpu >= a->cpus)
		a->cpus = r->cpu + 1u;
	if (!a->records++ && !a->begin)
		a->begin = r->time;
	a->now = r->time > a->now ? r->time : a->now;
	if (!c->seen) {
		c->seen = true;
		c->since = r->time;
	} else if (missing) {
		/* Up to the last record that came it is known, from there to here it isn't. */
		cpu_until(a, c, c->last);
		forget(a, r->cpu);
		cpu_until(a, c, r->time);
		c->lost += missing;
	}
	c->last = r->time;
	c->records++;
	if (r->event < ARRAY_COUNT(a->by_event))
		a->by_event[r->event]++;
	on_record(a, r);
}

void analysis_lost(struct analysis *a, uint8_t cpu)
{
	cpu_until(a, &a->cpu[cpu], a->cpu[cpu].last);
	forget(a, cpu);
}
