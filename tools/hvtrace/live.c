/* SPDX-License-Identifier: Apache-2.0 */
/* An interval of `hvtrace live`. See live.h. */
#include "live.h"

#include <string.h>

#include "json.h"

void live_start(struct live *l, enum decode_line line, const char *source)
{
	memset(l, 0, sizeof(*l));
	stream_start(&l->stream, line);
	l->analysis = analysis_new();
	l->source = source;
}

void live_end(struct live *l)
{
	analysis_free(l->analysis);
}

void live_boot(struct live *l)
{
	analysis_free(l->analysis);
	l->analysis = analysis_new();
	l->begin = l->count_from = 0;
	memset(l->before_at, 0, sizeof(l->before_at));
	memset(l->now_at, 0, sizeof(l->now_at));
}

void live_status(struct live *l, const struct status *s, bool by_trace)
{
	if (!by_trace && !l->begin)
		l->begin = l->count_from = s->now;
	for (unsigned int i = 0; i < s->count; i++) {
		unsigned int cpu = s->first + i;

		if (!l->before_at[cpu]) {
			l->cpu_before[cpu] = s->cpu[i];
			l->before_at[cpu] = s->now;
		}
		l->cpu_now[cpu] = s->cpu[i];
		l->now_at[cpu] = s->now;
	}
}

void live_record(struct live *l, const struct record *r, uint64_t missing)
{
	if (l->count_from && r->time >= l->count_from) {
		if (l->analysis->records) {
			analysis_until(l->analysis, l->count_from);
			analysis_clear(l->analysis);
		}
		l->count_from = 0;
	}
	analysis_record(l->analysis, r, missing);
}

uint64_t live_now(const struct live *l)
{
	uint64_t now = l->analysis->now > l->stream.ripe ? l->analysis->now : l->stream.ripe;

	return now > l->begin ? now : l->begin;
}

void live_next(struct live *l, uint64_t now)
{
	struct losses all;

	analysis_clear(l->analysis);
	l->begin = now;
	l->count_from = 0;
	stream_losses(&l->stream, &all);
	l->full_before = all.full;
	for (unsigned int i = 0; i < l->stream.cpus; i++) {
		l->cpu_before[i] = l->cpu_now[i];
		l->before_at[i] = l->now_at[i];
	}
}

/* --- figures --- */

struct figures {
	uint64_t hz, span; /* ticks */
	uint64_t begin;
	struct losses all;      /* since the beginning */
	uint64_t records, lost; /* in the interval; lost also counts those that found the ring full */
};

static void figures(struct live *l, uint64_t now, struct figures *f)
{
	analysis_until(l->analysis, now);
	f->hz = l->stream.hz;
	f->begin = l->begin ? l->begin : l->analysis->begin;
	f->span = now > f->begin ? now - f->begin : 0;
	stream_losses(&l->stream, &f->all);
	f->records = l->analysis->records;
	f->lost = f->all.full - l->full_before;
	for (unsigned int i = 0; i < l->analysis->cpus; i++)
		f->lost += l->analysis->cpu[i].lost;
}

/* Tenths of a percent. */
static uint64_t permille(uint64_t part, uint64_t whole)
{
	return whole ? (uint64_t)((double)part * 1000 / (double)whole + 0.5) : 0;
}

static uint64_t per_second(uint64_t count, const struct figures *f)
{
	return f->span ? (uint64_t)((double)count * (double)f->hz / (double)f->span + 0.5) : 0;
}

static uint64_t exits(const struct vcpu_stats *v)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < CAUSES; i++)
		sum += v->exits[i].count;
	return sum;
}

/* Idle time as the machine counts it, whether or not scheduler events are on; false: not two statuses yet. */
static bool idle_of(const struct live *l, unsigned int cpu, uint64_t *idle, uint64_t *span)
{
	*span = l->now_at[cpu] - l->before_at[cpu];
	*idle = l->cpu_now[cpu].idle - l->cpu_before[cpu].idle;
	return l->now_at[cpu] > l->before_at[cpu] && l->cpu_now[cpu].idle >= l->cpu_before[cpu].idle;
}

/* --- text --- */

static const char *percent(char text[US_ROOM], uint64_t part, uint64_t whole)
{
	uint64_t p = permille(part, whole);

	(void)snprintf(text, US_ROOM, "%llu.%llu", (unsigned long long)(p / 10), (unsigned long long)(p % 10));
	return whole ? text : "-";
}

static const char *late(char text[US_ROOM], struct samples *s, unsigned int rank, uint64_t hz)
{
	return s->count ? us_text(text, ticks_to_ns(samples_rank(s, rank), hz)) : "-";
}

static const char *worst_text(char text[NAME_ROOM + US_ROOM], const struct worst *w, uint64_t hz)
{
	char us[US_ROOM], cause[NAME_ROOM];

	if (!w->ticks)
		return "-";
	(void)snprintf(text, NAME_ROOM + US_ROOM, "%s %s", us_text(us, ticks_to_ns(w->ticks, hz)),
		       cause_name(cause, w->cause));
	return text;
}

static void head_text(const struct live *l, FILE *out, uint64_t now, const struct figures *f)
{
	char text[LOSSES_ROOM], us[US_ROOM];

	(void)fprintf(out, "hvtrace live: %s, boot %u at %s s, classes", l->source, l->stream.number,
		      us_text(us, ticks_to_ns(now, f->hz) / 1000000));
	for (unsigned int i = 0; i < 32; i++)
		if (l->stream.classes >> i & 1 && trace_class_name(i))
			(void)fprintf(out, " %s", trace_class_name(i));
	(void)fprintf(out, "\nrecords %s\n", losses_text(text, &f->all));
	(void)fprintf(out, "interval %s ms: records %llu, lost %llu%s\n",
		      us_text(us, ticks_to_ns(f->span, f->hz) / 1000), (unsigned long long)f->records,
		      (unsigned long long)f->lost, f->lost ? " (the figures below lack them)" : "");
	if (!(l->stream.classes >> TRACE_CLASS_SCHED & 1) && l->stream.now)
		(void)fprintf(out, "class sched is off: no CPU use below (trace on sched)\n");
}

static void cpus_text(struct live *l, FILE *out, const struct figures *f)
{
	(void)fprintf(out, "\n%-4s %7s %7s %9s %9s %9s %9s  %s\n", "cpu", "idle %", "hv %", "unknown %", "stays/s",
		      "irqs/s", "lost", "worst EL2 us");
	for (unsigned int i = 0; i < l->stream.cpus; i++) {
		const struct cpu_stats *c = &l->analysis->cpu[i];
		const struct status_cpu *was = &l->cpu_before[i], *is = &l->cpu_now[i];
		char idle_p[US_ROOM], stay_p[US_ROOM], unknown_p[US_ROOM], worst[NAME_ROOM + US_ROOM];
		uint64_t idle, span;
		bool known = idle_of(l, i, &idle, &span);

		(void)fprintf(out, "%-4u %7s %7s ", i,
			      known ? percent(idle_p, idle, span) : percent(idle_p, c->idle, f->span),
			      known ? percent(stay_p, is->stay_ticks - was->stay_ticks, span) : "-");
		(void)fprintf(out, "%9s ", percent(unknown_p, c->unknown, f->span));
		if (known)
			(void)fprintf(out, "%9.0f", (double)(is->stays - was->stays) * (double)f->hz / (double)span);
		else
			(void)fprintf(out, "%9llu", (unsigned long long)per_second(c->stays.count, f));
		(void)fprintf(out, " %9llu %9llu  %s\n", (unsigned long long)per_second(c->irqs, f),
			      (unsigned long long)c->lost, worst_text(worst, &c->worst, f->hz));
	}
}

static void vcpu_text(FILE *out, const struct live *l, struct vcpu_stats *v, const struct figures *f)
{
	char name[NAME_ROOM], p[US_ROOM], us[4][US_ROOM], worst[NAME_ROOM + US_ROOM];

	(void)fprintf(out, "%-14s", vcpu_name(name, v->id, l->stream.vm));
	(void)fprintf(out, " %6s", percent(p, vcpu_ran(v), f->span));
	for (unsigned int i = 0; i < SCHED_CLASS_COUNT; i++)
		(void)fprintf(out, " %6s", v->ran[i] ? percent(p, v->ran[i], f->span) : ".");
	(void)fprintf(out, " %8llu %9s %9s %9s %9s  %s\n", (unsigned long long)per_second(exits(v), f),
		      late(us[0], &v->tick_late, 990, f->hz), late(us[1], &v->tick_late, 1000, f->hz),
		      late(us[2], &v->wake_late, 990, f->hz), late(us[3], &v->wake_late, 1000, f->hz),
		      worst_text(worst, &v->worst, f->hz));
}

/* A VM with several vCPUs: the sum before them. */
static void vm_text(FILE *out, const struct live *l, size_t first, size_t count, const struct figures *f)
{
	uint64_t ran[SCHED_CLASS_COUNT] = { 0 }, all = 0, left = 0;
	char name[NAME_ROOM], p[US_ROOM];

	for (size_t i = first; i < first + count; i++) {
		const struct vcpu_stats *v = l->analysis->vcpus[i];

		all += vcpu_ran(v);
		left += exits(v);
		for (unsigned int k = 0; k < SCHED_CLASS_COUNT; k++)
			ran[k] += v->ran[k];
	}
	(void)fprintf(out, "%-14s %6s", vm_name(name, l->analysis->vcpus[first]->id >> 8, l->stream.vm),
		      percent(p, all, f->span));
	for (unsigned int k = 0; k < SCHED_CLASS_COUNT; k++)
		(void)fprintf(out, " %6s", ran[k] ? percent(p, ran[k], f->span) : ".");
	(void)fprintf(out, " %8llu\n", (unsigned long long)per_second(left, f));
}

static size_t same_vm(const struct analysis *a, size_t first)
{
	size_t n = 1;

	while (first + n < a->count && a->vcpus[first + n]->id >> 8 == a->vcpus[first]->id >> 8)
		n++;
	return n;
}

void live_text(struct live *l, FILE *out, uint64_t now)
{
	struct analysis *a = l->analysis;
	struct figures f;

	if (!l->stream.hz) {
		(void)fprintf(out, "hvtrace live: %s: no status yet\n", l->source);
		return;
	}
	figures(l, now, &f);
	head_text(l, out, now, &f);
	cpus_text(l, out, &f);
	(void)fprintf(out, "\n%-14s %6s %6s %6s %6s %6s %6s %8s %9s %9s %9s %9s  %s\n", "vcpu", "cpu %", "rt", "boost",
		      "under", "over", "idle", "exits/s", "tick p99", "max us", "wake p99", "max us", "worst EL2 us");
	for (size_t i = 0, n; i < a->count; i += n) {
		n = same_vm(a, i);
		if (n > 1)
			vm_text(out, l, i, n, &f);
		for (size_t k = i; k < i + n; k++)
			vcpu_text(out, l, a->vcpus[k], &f);
	}
}

/* --- JSON --- */

static void late_json(struct json *j, const char *key, struct samples *s, uint64_t hz)
{
	json_open(j, key, '{');
	json_number(j, "count", s->count);
	if (s->count) {
		json_number(j, "p50_ns", ticks_to_ns(samples_rank(s, 500), hz));
		json_number(j, "p99_ns", ticks_to_ns(samples_rank(s, 990), hz));
		json_number(j, "max_ns", ticks_to_ns(s->max, hz));
	}
	json_close(j, '}');
}

static void worst_json(struct json *j, const struct worst *w, uint64_t hz)
{
	char name[NAME_ROOM];

	if (!w->ticks)
		return;
	json_number(j, "worst_stay_ns", ticks_to_ns(w->ticks, hz));
	json_text(j, "worst_stay_cause", cause_name(name, w->cause));
}

static void cpu_json(struct json *j, const struct live *l, unsigned int i, const struct figures *f)
{
	const struct cpu_stats *c = &l->analysis->cpu[i];
	uint64_t idle, span;

	json_open(j, NULL, '{');
	json_number(j, "cpu", i);
	if (idle_of(l, i, &idle, &span)) {
		json_number(j, "idle_permille", permille(idle, span));
		json_number(j, "hypervisor_permille",
			    permille(l->cpu_now[i].stay_ticks - l->cpu_before[i].stay_ticks, span));
		json_number(j, "stays", l->cpu_now[i].stays - l->cpu_before[i].stays);
	}
	json_number(j, "unknown_permille", permille(c->unknown, f->span));
	json_number(j, "irqs", c->irqs);
	json_number(j, "lost_records", c->lost);
	worst_json(j, &c->worst, f->hz);
	json_close(j, '}');
}

static void vcpu_json(struct json *j, const struct live *l, struct vcpu_stats *v, const struct figures *f)
{
	char name[NAME_ROOM];

	json_open(j, NULL, '{');
	json_text(j, "vcpu", vcpu_name(name, v->id, l->stream.vm));
	json_number(j, "ran_ns", ticks_to_ns(vcpu_ran(v), f->hz));
	json_number(j, "ran_permille", permille(vcpu_ran(v), f->span));
	json_open(j, "ran_by_class_ns", '{');
	for (unsigned int i = 0; i < SCHED_CLASS_COUNT; i++)
		json_number(j, sched_class_name(name, i), ticks_to_ns(v->ran[i], f->hz));
	json_number(j, "unknown", ticks_to_ns(v->ran[CLASS_UNKNOWN], f->hz));
	json_close(j, '}');
	json_number(j, "exits", exits(v));
	json_number(j, "exits_per_s", per_second(exits(v), f));
	late_json(j, "tick_late", &v->tick_late, f->hz);
	late_json(j, "entry_late", &v->entry_late, f->hz);
	late_json(j, "wake_late", &v->wake_late, f->hz);
	worst_json(j, &v->worst, f->hz);
	json_close(j, '}');
}

static void losses_json(struct json *j, const char *key, const struct losses *l)
{
	json_open(j, key, '{');
	json_number(j, "made", l->total);
	json_number(j, "decoded", l->decoded);
	json_number(j, "overwritten", l->overwritten);
	json_number(j, "ring_full", l->full);
	json_number(j, "lost_on_line", l->line);
	json_number(j, "waiting", l->waiting);
	json_close(j, '}');
}

void live_json(struct live *l, FILE *out, uint64_t now)
{
	struct json j = { .out = out, .compact = true };
	struct figures f;

	json_open(&j, NULL, '{');
	if (!l->stream.hz) {
		json_text(&j, "note", "no status yet");
		json_close(&j, '}');
		return;
	}
	figures(l, now, &f);
	json_number(&j, "boot", l->stream.number);
	json_number(&j, "begin_ns", ticks_to_ns(f.begin, f.hz));
	json_number(&j, "end_ns", ticks_to_ns(now, f.hz));
	json_number(&j, "records", f.records);
	json_number(&j, "lost_records", f.lost);
	losses_json(&j, "records_since_begin", &f.all);
	json_open(&j, "cpus", '[');
	for (unsigned int i = 0; i < l->stream.cpus; i++)
		cpu_json(&j, l, i, &f);
	json_close(&j, ']');
	json_open(&j, "vcpus", '[');
	for (size_t i = 0; i < l->analysis->count; i++)
		vcpu_json(&j, l, l->analysis->vcpus[i], &f);
	json_close(&j, ']');
	json_close(&j, '}');
}
