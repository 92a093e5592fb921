/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who ran when on each CPU. See plot.h.
 *
 * A band for each CPU: boxes for who ran, above them dark ones for stays in the hypervisor, and lines from the moment a timer
 * interrupt was due to the one at which the guest got it. Where records are missing there is a hatched box.
 */
#include <stdlib.h>

#include "plot.h"

#define BOXES_MAX 200000u

#define SERIES_STAYS 0x20000u /* beside vCPUs, TRACE_NOBODY and ANALYSIS_UNKNOWN */
#define SERIES_LATE 0x20001u

struct series {
	uint32_t id;
	char *text;
	size_t bytes;
	FILE *out;
};

struct lane {
	bool seen;
	uint32_t running;
	uint64_t since, last;
};

struct timeline {
	struct plot *plot;
	struct series *series;
	size_t count, room;
	uint64_t boxes;
	unsigned int cpus;
	struct lane lane[HVTRACE_CPUS];
};

static FILE *series_of(struct timeline *t, uint32_t id)
{
	struct series *s;

	for (size_t i = 0; i < t->count; i++)
		if (t->series[i].id == id)
			return t->series[i].out;
	t->series = mem_grow(t->series, t->count, &t->room, sizeof(*t->series));
	s = &t->series[t->count++];
	*s = (struct series){ .id = id };
	s->out = open_memstream(&s->text, &s->bytes);
	if (!s->out) {
		(void)fprintf(stderr, "hvtrace: out of memory\n");
		exit(1);
	}
	return s->out;
}

static double ms(const struct timeline *t, uint64_t ticks)
{
	return (double)ticks_to_ns(ticks, t->plot->report.boot->hz) / 1e6;
}

static void box(struct timeline *t, uint32_t id, uint8_t cpu, uint64_t from, uint64_t to, double low, double high)
{
	const struct report *r = &t->plot->report;

	from = from > r->begin ? from : r->begin;
	to = to < r->end ? to : r->end;
	if (from >= to)
		return;
	(void)fprintf(series_of(t, id), "%.6f %.6f %.2f %.2f\n", ms(t, from), ms(t, to), cpu + low, cpu + high);
	t->boxes++;
}

/* Who ran did so up to now. */
static void lane_until(struct timeline *t, uint8_t cpu, uint64_t now)
{
	struct lane *lane = &t->lane[cpu];

	/* Nobody is no box: the band stays empty there. */
	if (lane->seen && lane->running != TRACE_NOBODY)
		box(t, lane->running, cpu, lane->since, now, -0.35, 0.25);
	lane->since = now;
}

static void take(struct timeline *t, const struct record *r, uint64_t missing)
{
	struct lane *lane = &t->lane[r->cpu];
	uint64_t ago = r->event == TRACE_EXIT ? r->word[2] : r->event == TRACE_TICK ? r->word[1] : 0;
	uint64_t from = r->time > ago ? r->time - ago : 0;

	t->cpus = r->cpu >= t->cpus ? r->cpu + 1u : t->cpus;
	if (!lane->seen)
		*lane = (struct lane){ true, ANALYSIS_UNKNOWN, r->time, r->time };
	if (missing) {
		lane_until(t, r->cpu, lane->last);
		lane->running = ANALYSIS_UNKNOWN;
		lane_until(t, r->cpu, r->time);
	}
	lane->last = r->time;
	if (r->event == TRACE_SWITCH) {
		if (lane->running == ANALYSIS_UNKNOWN)
			lane->running = r->word[0];
		lane_until(t, r->cpu, r->time);
		lane->running = r->word[2];
	} else if (r->event == TRACE_EXIT) {
		if (lane->running == ANALYSIS_UNKNOWN)
			lane->running = r->word[0];
		box(t, SERIES_STAYS, r->cpu, from, r->time, 0.27, 0.35);
	} else if (r->event == TRACE_TICK && ago && r->time <= t->plot->report.end && from >= t->plot->report.begin &&
		   report_wants(&t->plot->report, r->word[0])) {
		(void)fprintf(series_of(t, SERIES_LATE), "%.6f %.6f %.2f %.2f\n", ms(t, from), ms(t, r->time - from),
			      r->cpu + 0.4, 0.0);
		t->boxes++;
	}
}

static const char *style(const struct timeline *t, const struct series *s, char text[192])
{
	char name[NAME_ROOM];

	if (s->id == SERIES_LATE)
		return "using 1:3:2:4 with vectors nohead linewidth 3 linecolor rgb '#d00000' title 'timer interrupt late'";
	if (s->id == SERIES_STAYS)
		return "using 1:3:1:2:3:4 with boxxyerror fillstyle solid 1 noborder linecolor rgb '#202020' title 'in the hypervisor'";
	if (s->id == ANALYSIS_UNKNOWN)
		return "using 1:3:1:2:3:4 with boxxyerror fillstyle pattern 4 linecolor rgb '#a0a0a0' title 'unknown (records lost)'";
	(void)snprintf(text, 192, "using 1:3:1:2:3:4 with boxxyerror fillstyle solid 0.7 noborder title '%s'",
		       vcpu_name(name, s->id, t->plot->report.boot->vm));
	return text;
}

static void write_script(FILE *script, struct timeline *t)
{
	const struct report *r = &t->plot->report;
	char text[192];

	plot_head(script, t->plot, "Who ran", 160 + 120 * t->cpus);
	(void)fprintf(script, "set xlabel 'ms since the counter began'\nset format x '%%.3f'\nset xrange [%.6f:%.6f]\n",
		      ms(t, r->begin), ms(t, r->end));
	(void)fprintf(script, "set yrange [-0.6:%.1f]\nset ytics (", t->cpus - 0.4);
	for (unsigned int i = 0; i < t->cpus; i++)
		(void)fprintf(script, "%s'CPU %u' %u", i ? ", " : "", i, i);
	(void)fprintf(script, ")\nset key outside top horizontal\nset grid x\n");
	for (size_t i = 0; i < t->count; i++)
		(void)fprintf(script, "$series%zu << END\n%sEND\n", i, t->series[i].text);
	for (size_t i = 0; i < t->count; i++)
		(void)fprintf(script, "%s $series%zu %s", i ? ", \\\n" : "plot", i, style(t, &t->series[i], text));
	(void)fprintf(script, "\n");
}

int plot_timeline(FILE *script, struct plot *p)
{
	struct timeline *t = mem_alloc(sizeof(*t));
	const struct record *r;
	struct cursor c;
	uint64_t missing;
	int ret = 0;

	t->plot = p;
	cursor_start(&c, p->report.boot);
	while ((r = cursor_next(&c, &missing)))
		take(t, r, missing);
	cursor_free(&c);
	for (unsigned int i = 0; i < t->cpus; i++)
		lane_until(t, (uint8_t)i, p->report.boot->cpu[i].losses.waiting ? t->lane[i].last : p->report.end);
	for (size_t i = 0; i < t->count; i++)
		(void)fclose(t->series[i].out);
	if (!t->boxes)
		ret = fail("nothing to draw: no scheduler events in that time; switch on the class sched");
	else if (t->boxes > BOXES_MAX)
		ret = fail("%llu boxes are too many for a picture; choose less with --from and --to",
			   (unsigned long long)t->boxes);
	else
		write_script(script, t);
	for (size_t i = 0; i < t->count; i++)
		free(t->series[i].text);
	free(t->series);
	free(t);
	return ret;
}
