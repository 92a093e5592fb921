/* SPDX-License-Identifier: Apache-2.0 */
/* hvtrace report: where time went, from a whole trace. */
#include "cmd.h"
#include "report.h"

static const char help[] =
	"usage: hvtrace report [options] SOURCE\n"
	"\n"
	"Says of each VM and vCPU: how long it ran in which class of the scheduler, how long it waited for a CPU, what left it for the\n"
	"hypervisor and how long that took, the longest stay there, how late its timers' interrupts and its wake-ups were, and how long\n"
	"interrupts took. Percentiles are by nearest rank, over all records. What is missing in the trace is said first.\n"
	"\n"
	"      --json               for programs: keys have their units in their names\n";

bool report_wants(const struct report *r, uint32_t vcpu)
{
	return r->filter->vm < 0 || vcpu >> 8 == (uint32_t)r->filter->vm;
}

void report_make(struct report *r, const struct reader *t, const struct boot *b, const struct filter *f)
{
	const struct record *record;
	struct cursor c;
	uint64_t missing;
	bool inside = false;

	*r = (struct report){ t, b, analysis_new(), f, b->begin, b->end };
	cursor_start(&c, b);
	while ((record = cursor_next(&c, &missing))) {
		uint64_t ns = ticks_to_ns(record->time, b->hz);

		if (!inside && ns >= f->from_ns) {
			/* What was before tells who runs at the beginning, and isn't counted. */
			inside = true;
			if (r->analysis->records) {
				r->begin = scale(f->from_ns, 1000000000, b->hz);
				analysis_until(r->analysis, r->begin);
				analysis_clear(r->analysis);
			}
		}
		if (ns > f->to_ns) {
			r->end = scale(f->to_ns, 1000000000, b->hz);
			break;
		}
		analysis_record(r->analysis, record, missing);
	}
	cursor_free(&c);
	if (!inside)
		analysis_clear(r->analysis);
	/* CPUs whose last records aren't here: what they did then isn't known. */
	for (unsigned int i = 0; i < r->analysis->cpus; i++)
		if (b->cpu[i].losses.waiting)
			analysis_lost(r->analysis, (uint8_t)i);
	analysis_until(r->analysis, r->end);
}

unsigned int report_bars(struct samples *s, uint64_t hz, struct bar bars[REPORT_BARS])
{
	static const unsigned int steps[] = { 1, 2, 5 };
	uint64_t ten = 1;
	unsigned int n = 0;
	size_t i = 0;

	samples_sort(s);
	for (unsigned int step = 0; i < s->used && n < REPORT_BARS; step++) {
		struct bar *bar = &bars[n];

		*bar = (struct bar){ ten * steps[step % 3], 0 };
		if (step % 3 == 2)
			ten *= 10;
		for (; i < s->used && (n + 1 == REPORT_BARS || ticks_to_ns(s->slots[i].value, hz) <= bar->to_ns); i++)
			bar->count += s->slots[i].count;
		/* Empty ones before the first aren't told. */
		if (n || bar->count)
			n++;
	}
	return n;
}

static void counts_json(struct json *j, const struct decode_counts *c)
{
	json_open(j, "line", '{');
	json_number(j, "bytes", c->bytes);
	json_number(j, "text_bytes", c->text);
	json_number(j, "skipped_bytes", c->skipped);
	json_number(j, "frames", c->frames);
	json_number(j, "bad_frames", c->bad);
	json_number(j, "malformed_frames", c->malformed);
	json_number(j, "unknown_frames", c->unknown);
	json_number(j, "refused_records", c->refused);
	json_number(j, "unknown_events", c->strange);
	json_close(j, '}');
}

static int all(const struct options *o, struct filter *f, bool json)
{
	struct json j = { .out = stdout };
	struct reader t;
	int ret = options_read(o, &t);

	if (!ret && json) {
		json_open(&j, NULL, '{');
		json_text(&j, "format", "hvtrace-report-1");
		counts_json(&j, &t.counts);
		json_open(&j, "boots", '[');
	}
	for (size_t i = 0; !ret && i < t.count; i++) {
		struct report r;

		ret = filter_vm(f, t.boots[i]->vm);
		if (ret)
			break;
		report_make(&r, &t, t.boots[i], f);
		if (!r.analysis->records)
			ret = fail("%s: no records in that time; the trace has %llu.%06llu to %llu.%06llu s", o->source,
				   (unsigned long long)(ticks_to_ns(t.boots[i]->begin, t.boots[i]->hz) / 1000000000),
				   (unsigned long long)(ticks_to_ns(t.boots[i]->begin, t.boots[i]->hz) / 1000 %
							1000000),
				   (unsigned long long)(ticks_to_ns(t.boots[i]->end, t.boots[i]->hz) / 1000000000),
				   (unsigned long long)(ticks_to_ns(t.boots[i]->end, t.boots[i]->hz) / 1000 % 1000000));
		else if (json)
			report_json(&j, &r);
		else
			report_text(stdout, &r);
		analysis_free(r.analysis);
	}
	if (!ret && json) {
		json_close(&j, ']');
		json_close(&j, '}');
	}
	reader_free(&t);
	return ret;
}

static int run(int argc, char **argv)
{
	struct filter f = { .vm_text = NULL };
	bool json = false;
	const char *source;
	const struct option_spec own[] = { FILTER_OPTIONS(&f),
					   { "--json", false, NULL, &json },
					   { NULL, false, NULL, NULL } };
	struct options o;
	char text[2048];
	int ret;

	(void)snprintf(text, sizeof(text), "%s%s", help, filter_help);
	ret = options_parse(&o, own, argc, argv, 1, &source, text);
	if (ret || (ret = filter_parse(&f)))
		return ret;
	return all(&o, &f, json);
}

const struct command cmd_report = { "report", "where time went: run time, waits, exits, lateness, interrupts", run };
