/* SPDX-License-Identifier: Apache-2.0 */
/* Distribution of lateness, cumulated. See plot.h. */
#include "plot.h"

#define POINTS 2000u /* of a curve: more can't be seen */
#define WIDE 50u     /* the largest so many times the smallest: logarithmic */

struct curve {
	struct samples *samples;
	uint32_t vcpu;
	const char *what;
};

static size_t curves(struct plot *p, struct curve *out, size_t room)
{
	struct analysis *a = p->report.analysis;
	size_t n = 0;

	for (size_t i = 0; i < a->count; i++) {
		struct vcpu_stats *v = a->vcpus[i];

		if (!report_wants(&p->report, v->id))
			continue;
		if (v->tick_late.count && n < room)
			out[n++] = (struct curve){ &v->tick_late, v->id, "timer interrupt" };
		if (v->entry_late.count && n < room)
			out[n++] = (struct curve){ &v->entry_late, v->id, "guest entered" };
		if (v->wake_late.count && n < room)
			out[n++] = (struct curve){ &v->wake_late, v->id, "wake-up" };
	}
	return n;
}

static void data(FILE *script, size_t number, struct samples *s, uint64_t hz, bool wide)
{
	uint64_t below = 0, told = 0;

	samples_sort(s);
	(void)fprintf(script, "$curve%zu << END\n", number);
	(void)fprintf(script, "%.3f 0\n", (double)ticks_to_ns(s->slots[0].value, hz) / 1000 + (wide ? 0.001 : 0));
	for (size_t i = 0; i < s->used; i++) {
		uint64_t ns = ticks_to_ns(s->slots[i].value, hz);

		below += s->slots[i].count;
		if (i + 1 < s->used && (below - told) * POINTS < s->count)
			continue;
		told = below;
		/* A logarithmic axis has no place for 0. */
		(void)fprintf(script, "%.3f %.6f\n", (double)ns / 1000 + (wide ? 0.001 : 0),
			      (double)below / (double)s->count);
	}
	(void)fprintf(script, "END\n");
}

int plot_cdf(FILE *script, struct plot *p)
{
	struct curve curve[64];
	size_t n = curves(p, curve, ARRAY_COUNT(curve));
	uint64_t hz = p->report.boot->hz, least = UINT64_MAX, most = 0;
	bool wide;

	if (!n)
		return fail(
			"nothing was late: no timer interrupts or wake-ups in the trace; switch on the classes rt and sched");
	for (size_t i = 0; i < n; i++) {
		samples_sort(curve[i].samples);
		least = curve[i].samples->slots[0].value < least ? curve[i].samples->slots[0].value : least;
		most = curve[i].samples->max > most ? curve[i].samples->max : most;
	}
	wide = most / WIDE > least;
	plot_head(script, p, "How late, cumulated", 600);
	(void)fprintf(script,
		      "set xlabel 'late by, us'\nset ylabel 'share that is no later'\nset yrange [0:1.02]\nset grid\n"
		      "set key outside below\n%s",
		      wide ? "set logscale x\n" : "");
	for (size_t i = 0; i < n; i++)
		data(script, i, curve[i].samples, hz, wide);
	for (size_t i = 0; i < n; i++) {
		char name[NAME_ROOM], p99[US_ROOM], max[US_ROOM];

		(void)fprintf(script,
			      "%s $curve%zu using 1:2 with steps linewidth 2 title '%s %s: %llu, p99 %s us, max %s us'",
			      i ? ", \\\n" : "plot", i, vcpu_name(name, curve[i].vcpu, p->report.boot->vm),
			      curve[i].what, (unsigned long long)curve[i].samples->count,
			      us_text(p99, ticks_to_ns(samples_rank(curve[i].samples, 990), hz)),
			      us_text(max, ticks_to_ns(curve[i].samples->max, hz)));
	}
	(void)fprintf(script, "\n");
	return 0;
}
