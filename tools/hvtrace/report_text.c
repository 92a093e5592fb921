/* SPDX-License-Identifier: Apache-2.0 */
/* A report for people. All times are microseconds with nanoseconds behind the point, but for stamps, which are the log's seconds. */
#include <string.h>

#include "cmd.h"
#include "report.h"

#define BAR_WIDTH 50u

static void heading(FILE *out, const char *indent, const char *what)
{
	(void)fprintf(out, "%s%-18s %10s %14s %12s %12s %12s %12s\n", indent, what, "count", "total us", "p50 us",
		      "p99 us", "p99.9 us", "max us");
}

static void line(FILE *out, const char *indent, const char *what, struct samples *s, uint64_t hz)
{
	char total[US_ROOM], p50[US_ROOM], p99[US_ROOM], p999[US_ROOM], max[US_ROOM];

	(void)fprintf(out, "%s%-18s %10llu %14s %12s %12s %12s %12s\n", indent, what, (unsigned long long)s->count,
		      us_text(total, ticks_to_ns(s->total, hz)), us_text(p50, ticks_to_ns(samples_rank(s, 500), hz)),
		      us_text(p99, ticks_to_ns(samples_rank(s, 990), hz)),
		      us_text(p999, ticks_to_ns(samples_rank(s, 999), hz)), us_text(max, ticks_to_ns(s->max, hz)));
}

static void part_line(FILE *out, const char *what, uint64_t ticks, uint64_t whole, uint64_t hz)
{
	char us[US_ROOM];

	(void)fprintf(out, "    %-18s %14s us %7.2f %%\n", what, us_text(us, ticks_to_ns(ticks, hz)),
		      whole ? 100.0 * (double)ticks / (double)whole : 0.0);
}

static void worst_line(FILE *out, const char *indent, const struct worst *w, const struct report *r)
{
	char us[US_ROOM], cause[NAME_ROOM], name[NAME_ROOM] = "?";
	uint64_t ns = ticks_to_ns(w->time, r->boot->hz);

	if (!w->ticks)
		return;
	if (w->vcpu != ANALYSIS_UNKNOWN)
		(void)vcpu_name(name, w->vcpu, r->boot->vm);
	(void)fprintf(
		out,
		"%slongest stay: %s us%s, cause %s (ESR 0x%08x), guest %s, pc 0x%llx, on CPU %u at %llu.%09llu s\n",
		indent, us_text(us, ticks_to_ns(w->ticks, r->boot->hz)), w->ticks == TRACE_TICKS_MAX ? " or more" : "",
		cause_name(cause, w->cause), w->cause, name, (unsigned long long)w->pc, w->cpu,
		(unsigned long long)(ns / 1000000000), (unsigned long long)(ns % 1000000000));
}

static void histogram(FILE *out, struct samples *s, uint64_t hz)
{
	struct bar bars[REPORT_BARS];
	unsigned int n = report_bars(s, hz, bars);
	uint64_t most = 0, below = 0;

	for (unsigned int i = 0; i < n; i++)
		most = bars[i].count > most ? bars[i].count : most;
	for (unsigned int i = 0; i < n; i++) {
		unsigned int width = (unsigned int)((double)bars[i].count * BAR_WIDTH / (double)most + 0.5);
		char us[US_ROOM];

		below += bars[i].count;
		(void)fprintf(out, "      <= %12s us %10llu %7.3f %% %.*s\n", us_text(us, bars[i].to_ns),
			      (unsigned long long)bars[i].count, 100.0 * (double)below / (double)s->count,
			      (int)(width ? width : bars[i].count != 0),
			      "##################################################");
	}
}

static void lateness(FILE *out, struct vcpu_stats *v, uint64_t hz)
{
	const struct {
		const char *what;
		struct samples *s;
	} kinds[] = {
		{ "timer interrupt", &v->tick_late },
		{ "guest entered", &v->entry_late },
		{ "wake-up", &v->wake_late },
		{ "rt ticker", &v->expire_late },
	};
	bool any = false;

	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
		if (!kinds[i].s->count)
			continue;
		if (!any)
			heading(out, "    ", "late");
		any = true;
		line(out, "    ", kinds[i].what, kinds[i].s, hz);
		histogram(out, kinds[i].s, hz);
	}
}

static void exits(FILE *out, struct vcpu_stats *v, const struct report *r)
{
	bool any = false;

	for (unsigned int i = 0; i < CAUSES; i++) {
		char name[NAME_ROOM];

		if (!v->exits[i].count)
			continue;
		if (!any)
			heading(out, "    ", "exits");
		any = true;
		line(out, "    ", cause_key_name(name, i), &v->exits[i], r->boot->hz);
	}
	worst_line(out, "    ", &v->worst, r);
}

static void interrupts(FILE *out, struct vcpu_stats *v, uint64_t hz)
{
	bool any = false;

	for (size_t i = 0; i < v->irq_count; i++) {
		struct vcpu_irq *irq = &v->irqs[i];
		const struct {
			const char *what;
			struct samples *s;
		} parts[] = { { "irq-inject", &irq->irq_inject },
			      { "inject-eoi", &irq->inject_eoi },
			      { "irq-eoi", &irq->irq_eoi } };

		for (size_t k = 0; k < ARRAY_COUNT(parts); k++) {
			char what[NAME_ROOM];

			if (!parts[k].s->count)
				continue;
			if (!any)
				heading(out, "    ", "interrupts");
			any = true;
			(void)snprintf(what, sizeof(what), "%u %s", irq->intid, parts[k].what);
			line(out, "    ", what, parts[k].s, hz);
		}
	}
}

static void vcpu(FILE *out, struct vcpu_stats *v, const struct report *r)
{
	static const char *const whys[WAKE_WHYS] = { "timer", "event", "ipi", "sleep", "start" };
	uint64_t hz = r->boot->hz, ran = vcpu_ran(v), woken = 0;
	char name[NAME_ROOM];

	(void)fprintf(out, "\n  vCPU %s\n", vcpu_name(name, v->id, r->boot->vm));
	if (ran)
		part_line(out, "ran", ran, r->end - r->begin, hz);
	for (unsigned int i = 0; i <= SCHED_CLASS_COUNT; i++) {
		char what[NAME_ROOM + 8];

		(void)snprintf(what, sizeof(what), "  as %s",
			       i == CLASS_UNKNOWN ? "(unknown)" : sched_class_name(name, i));
		if (v->ran[i])
			part_line(out, what, v->ran[i], r->end - r->begin, hz);
	}
	for (unsigned int i = 0; i < WAKE_WHYS; i++)
		woken += v->wakeups[i];
	if (woken || v->turns || v->blocks) {
		(void)fprintf(out,
			      "    turns %llu, blocked %llu times, woken %llu times:", (unsigned long long)v->turns,
			      (unsigned long long)v->blocks, (unsigned long long)woken);
		for (unsigned int i = 0; i < WAKE_WHYS; i++)
			(void)fprintf(out, " %s %llu", whys[i], (unsigned long long)v->wakeups[i]);
		(void)fprintf(out, "; overruns %llu\n", (unsigned long long)v->overruns);
	}
	if (v->waits.count) {
		heading(out, "    ", "waits");
		line(out, "    ", "for a CPU", &v->waits, hz);
	}
	exits(out, v, r);
	lateness(out, v, hz);
	interrupts(out, v, hz);
	if (v->psci || v->faults)
		(void)fprintf(out, "    PSCI calls %llu, faults %llu\n", (unsigned long long)v->psci,
			      (unsigned long long)v->faults);
}

static void cpu(FILE *out, unsigned int i, const struct report *r)
{
	struct cpu_stats *c = &r->analysis->cpu[i];
	uint64_t span = r->end - r->begin, hz = r->boot->hz;
	char text[LOSSES_ROOM];

	if (!c->seen)
		return;
	(void)fprintf(out, "\nCPU %u: records %s\n", i, losses_text(text, &r->boot->cpu[i].losses));
	if (c->switches || c->busy || c->idle) {
		part_line(out, "guests", c->busy, span, hz);
		part_line(out, "idle", c->idle, span, hz);
	}
	if (c->unknown)
		part_line(out, "unknown", c->unknown, span, hz);
	(void)fprintf(out, "    switches %llu, physical interrupts %llu\n", (unsigned long long)c->switches,
		      (unsigned long long)c->irqs);
	if (c->stays.count || c->timer_late.count)
		heading(out, "    ", "hypervisor");
	if (c->stays.count)
		line(out, "    ", "stays", &c->stays, hz);
	if (c->timer_late.count)
		line(out, "    ", "timers late", &c->timer_late, hz);
	worst_line(out, "    ", &c->worst, r);
}

void report_text(FILE *out, struct report *r)
{
	uint64_t hz = r->boot->hz, begin = ticks_to_ns(r->begin, hz), end = ticks_to_ns(r->end, hz), span = end - begin;
	struct analysis *a = r->analysis;
	uint32_t vm = UINT32_MAX;
	char name[NAME_ROOM];

	print_losses(out, "", r->reader, r->boot);
	(void)fprintf(out, "boot %u: %llu.%09llu to %llu.%09llu s, %llu.%09llu s, %llu records%s\n", r->boot->number,
		      (unsigned long long)(begin / 1000000000), (unsigned long long)(begin % 1000000000),
		      (unsigned long long)(end / 1000000000), (unsigned long long)(end % 1000000000),
		      (unsigned long long)(span / 1000000000), (unsigned long long)(span % 1000000000),
		      (unsigned long long)a->records, r->boot->dumped ? ", some of them out of a dump" : "");
	for (unsigned int i = 0; r->filter->vm < 0 && i < a->cpus; i++)
		cpu(out, i, r);
	for (size_t i = 0; i < a->count; i++) {
		if (!report_wants(r, a->vcpus[i]->id))
			continue;
		if (a->vcpus[i]->id >> 8 != vm) {
			vm = a->vcpus[i]->id >> 8;
			(void)fprintf(out, "\nVM %u %s%s\n", vm, vm_name(name, vm, r->boot->vm),
				      r->boot->vm[vm].rt ? ", real-time" : "");
		}
		vcpu(out, a->vcpus[i], r);
	}
}
