/* SPDX-License-Identifier: Apache-2.0 */
/* A report for programs. Keys stay what they are, new ones may come; units are in their names, times are integers. */
#include "report.h"

#define CDF_POINTS 1000u

static void ns(struct json *j, const char *key, uint64_t ticks, const struct report *r)
{
	json_number(j, key, ticks_to_ns(ticks, r->boot->hz));
}

static void samples_body(struct json *j, struct samples *s, const struct report *r)
{
	json_number(j, "count", s->count);
	if (!s->count)
		return;
	ns(j, "total_ns", s->total, r);
	ns(j, "min_ns", s->used ? (samples_sort(s), s->slots[0].value) : 0, r);
	ns(j, "p50_ns", samples_rank(s, 500), r);
	ns(j, "p90_ns", samples_rank(s, 900), r);
	ns(j, "p99_ns", samples_rank(s, 990), r);
	ns(j, "p999_ns", samples_rank(s, 999), r);
	ns(j, "max_ns", s->max, r);
}

static void samples_json(struct json *j, const char *key, struct samples *s, const struct report *r)
{
	json_open(j, key, '{');
	samples_body(j, s, r);
	json_close(j, '}');
}

/* With histogram and distribution: [ns, permille of the samples that aren't above it], at most one point a permille. */
static void lateness(struct json *j, const char *key, struct samples *s, const struct report *r)
{
	struct bar bars[REPORT_BARS];
	unsigned int n = report_bars(s, r->boot->hz, bars);
	uint64_t last = UINT64_MAX;

	json_open(j, key, '{');
	samples_body(j, s, r);
	json_open(j, "histogram", '[');
	for (unsigned int i = 0; i < n; i++) {
		json_open(j, NULL, '{');
		json_number(j, "to_ns", bars[i].to_ns);
		json_number(j, "count", bars[i].count);
		json_close(j, '}');
	}
	json_close(j, ']');
	json_open(j, "cdf_permille_ns", '[');
	for (unsigned int i = 1; s->count && i <= CDF_POINTS; i++) {
		uint64_t value = samples_rank(s, i);

		/* Of equal values the last permille counts. */
		if (i < CDF_POINTS && samples_rank(s, i + 1) == value)
			continue;
		if (value == last)
			continue;
		last = value;
		json_open(j, NULL, '[');
		json_number(j, NULL, i);
		ns(j, NULL, value, r);
		json_close(j, ']');
	}
	json_close(j, ']');
	json_close(j, '}');
}

static void losses(struct json *j, const struct losses *l)
{
	json_open(j, "records", '{');
	json_number(j, "made", l->total);
	json_number(j, "decoded", l->decoded);
	json_number(j, "overwritten", l->overwritten);
	json_number(j, "ring_full", l->full);
	json_number(j, "lost_on_line", l->line);
	json_number(j, "waiting", l->waiting);
	json_close(j, '}');
}

static void worst(struct json *j, const struct worst *w, const struct report *r)
{
	char text[NAME_ROOM];

	if (!w->ticks)
		return;
	json_open(j, "worst_stay", '{');
	ns(j, "stay_ns", w->ticks, r);
	json_text(j, "cause", cause_name(text, w->cause));
	json_number(j, "esr", w->cause);
	(void)snprintf(text, sizeof(text), "0x%llx", (unsigned long long)w->pc);
	json_text(j, "pc", text);
	if (w->vcpu != ANALYSIS_UNKNOWN)
		json_text(j, "vcpu", vcpu_name(text, w->vcpu, r->boot->vm));
	json_number(j, "cpu", w->cpu);
	ns(j, "end_ns", w->time, r);
	json_close(j, '}');
}

static void cpu(struct json *j, unsigned int i, const struct report *r)
{
	struct cpu_stats *c = &r->analysis->cpu[i];
	const struct boot_cpu *b = &r->boot->cpu[i];

	json_open(j, NULL, '{');
	json_number(j, "cpu", i);
	losses(j, &b->losses);
	ns(j, "guests_ns", c->busy, r);
	ns(j, "idle_ns", c->idle, r);
	ns(j, "unknown_ns", c->unknown, r);
	json_number(j, "switches", c->switches);
	json_number(j, "irqs", c->irqs);
	samples_json(j, "stays", &c->stays, r);
	samples_json(j, "timer_late", &c->timer_late, r);
	worst(j, &c->worst, r);
	if (b->has_status) {
		/* The machine's own counts between the first and the last status of the trace, whatever was recorded. */
		json_open(j, "counted", '{');
		ns(j, "span_ns", b->last_now - b->first_now, r);
		ns(j, "idle_ns", b->last.idle - b->first.idle, r);
		json_number(j, "stays", b->last.stays - b->first.stays);
		ns(j, "stays_ns", b->last.stay_ticks - b->first.stay_ticks, r);
		json_close(j, '}');
	}
	json_close(j, '}');
}

static void exits(struct json *j, struct vcpu_stats *v, const struct report *r)
{
	json_open(j, "exits", '[');
	for (unsigned int i = 0; i < CAUSES; i++) {
		char name[NAME_ROOM];

		if (!v->exits[i].count)
			continue;
		json_open(j, NULL, '{');
		json_text(j, "cause", cause_key_name(name, i));
		samples_body(j, &v->exits[i], r);
		json_close(j, '}');
	}
	json_close(j, ']');
	worst(j, &v->worst, r);
}

static void interrupts(struct json *j, struct vcpu_stats *v, const struct report *r)
{
	json_open(j, "interrupts", '[');
	for (size_t i = 0; i < v->irq_count; i++) {
		json_open(j, NULL, '{');
		json_number(j, "intid", v->irqs[i].intid);
		json_number(j, "injected", v->irqs[i].injected);
		samples_json(j, "irq_to_inject", &v->irqs[i].irq_inject, r);
		samples_json(j, "inject_to_eoi", &v->irqs[i].inject_eoi, r);
		samples_json(j, "irq_to_eoi", &v->irqs[i].irq_eoi, r);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void vcpu(struct json *j, struct vcpu_stats *v, const struct report *r)
{
	static const char *const whys[WAKE_WHYS] = { "timer", "event", "ipi", "sleep", "start" };
	char name[NAME_ROOM];

	json_open(j, NULL, '{');
	json_number(j, "vcpu", v->id & 0xff);
	json_text(j, "name", vcpu_name(name, v->id, r->boot->vm));
	ns(j, "ran_ns", vcpu_ran(v), r);
	json_open(j, "ran_by_class_ns", '{');
	for (unsigned int i = 0; i < SCHED_CLASS_COUNT; i++)
		ns(j, sched_class_name(name, i), v->ran[i], r);
	ns(j, "unknown", v->ran[CLASS_UNKNOWN], r);
	json_close(j, '}');
	json_number(j, "turns", v->turns);
	json_number(j, "blocks", v->blocks);
	json_open(j, "wakeups", '{');
	for (unsigned int i = 0; i < WAKE_WHYS; i++)
		json_number(j, whys[i], v->wakeups[i]);
	json_close(j, '}');
	json_number(j, "overruns", v->overruns);
	json_number(j, "psci_calls", v->psci);
	json_number(j, "faults", v->faults);
	samples_json(j, "waits", &v->waits, r);
	exits(j, v, r);
	lateness(j, "tick_late", &v->tick_late, r);
	lateness(j, "entry_late", &v->entry_late, r);
	lateness(j, "wake_late", &v->wake_late, r);
	lateness(j, "rt_expire_late", &v->expire_late, r);
	interrupts(j, v, r);
	json_close(j, '}');
}

static void vms(struct json *j, const struct report *r)
{
	const struct analysis *a = r->analysis;
	char name[NAME_ROOM];

	json_open(j, "vms", '[');
	for (size_t i = 0; i < a->count;) {
		uint32_t vm = a->vcpus[i]->id >> 8;
		size_t n = i;

		while (n < a->count && a->vcpus[n]->id >> 8 == vm)
			n++;
		if (!report_wants(r, a->vcpus[i]->id)) {
			i = n;
			continue;
		}
		json_open(j, NULL, '{');
		json_number(j, "vm", vm);
		json_text(j, "label", vm_name(name, vm, r->boot->vm));
		json_bool(j, "real_time", r->boot->vm[vm].rt);
		json_open(j, "vcpus", '[');
		for (; i < n; i++)
			vcpu(j, a->vcpus[i], r);
		json_close(j, ']');
		json_close(j, '}');
	}
	json_close(j, ']');
}

void report_json(struct json *j, struct report *r)
{
	json_open(j, NULL, '{');
	json_number(j, "boot", r->boot->number);
	json_number(j, "counter_hz", r->boot->hz);
	ns(j, "begin_ns", r->begin, r);
	ns(j, "end_ns", r->end, r);
	json_bool(j, "complete", !losses_any(&r->boot->losses) && !r->boot->losses.waiting);
	json_bool(j, "dumped", r->boot->dumped);
	losses(j, &r->boot->losses);
	json_number(j, "records_counted", r->analysis->records);
	json_open(j, "classes_on", '[');
	for (unsigned int i = 0; i < 32; i++)
		if (r->boot->classes >> i & 1 && trace_class_name(i))
			json_text(j, NULL, trace_class_name(i));
	json_close(j, ']');
	json_open(j, "cpus", '[');
	for (unsigned int i = 0; i < r->analysis->cpus; i++)
		if (r->analysis->cpu[i].seen)
			cpu(j, i, r);
	json_close(j, ']');
	vms(j, r);
	json_close(j, '}');
}
