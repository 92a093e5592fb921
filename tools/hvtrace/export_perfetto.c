/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Export as trace-event JSON (the "Trace Event Format" of Chrome's tracing): ui.perfetto.dev, chrome://tracing, and others.
 *
 * One process is the machine: for each CPU a thread that shows who runs on it, and one with the stays in the hypervisor. Each VM is a
 * process with a thread for each vCPU: running, by class, and waiting for a CPU. Records that last no time are instants on the
 * thread of the vCPU, or of the CPU, that they are about. Lateness and losses are counters. Slices of one thread never
 * overlap: what would is cut. Times are microseconds since the counter was 0, as in the hypervisor's log.
 */
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "export.h"
#include "export_states.h"

/* Processes and threads have numbers that no two share. */
#define PID_MACHINE 1u
#define PID_VM(vm) (2u + (vm))
#define TID_CPU(cpu) (1u + 2u * (cpu))
#define TID_STAYS(cpu) (2u + 2u * (cpu))
#define TID_VCPU(vcpu) (0x10000u + (vcpu))

struct perfetto {
	FILE *out;
	const struct boot *boot;
	bool some;                     /* an event is written */
	uint64_t stayed[HVTRACE_CPUS]; /* end of the latest stay */
	uint64_t lost[HVTRACE_CPUS];   /* records so far */
	bool cpu_named[HVTRACE_CPUS];
	bool vm_named[HVTRACE_VMS];
	bool vcpu_named[TRACE_NOBODY];
};

/* --- JSON ------------------------------------------------------------------------------------------------------------- */

static void put_text(FILE *out, const char *text)
{
	(void)fputc('"', out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			(void)fprintf(out, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			(void)fprintf(out, "\\u%04x", c);
		else
			(void)fputc(c, out);
	}
	(void)fputc('"', out);
}

static void put_us(FILE *out, uint64_t ticks, const struct boot *boot)
{
	char text[US_ROOM];

	(void)fputs(us_text(text, ticks_to_ns(ticks, boot->hz)), out);
}

/* {"ph":...,"name":...,"pid":...,"tid":...  and whatever the caller adds, and the bracket */
static void begin(struct perfetto *p, char phase, const char *name, uint32_t pid, uint32_t tid)
{
	(void)fprintf(p->out, "%s\n{\"ph\":\"%c\",\"name\":", p->some ? "," : "", phase);
	put_text(p->out, name);
	(void)fprintf(p->out, ",\"pid\":%u,\"tid\":%u", pid, tid);
	p->some = true;
}

static void put_name(struct perfetto *p, const char *what, uint32_t pid, uint32_t tid, const char *name, uint32_t order)
{
	char sort[32];

	begin(p, 'M', what, pid, tid);
	(void)fprintf(p->out, ",\"args\":{\"name\":");
	put_text(p->out, name);
	(void)fprintf(p->out, "}}");
	(void)snprintf(sort, sizeof(sort), "%.*s_sort_index", (int)strcspn(what, "_"), what);
	begin(p, 'M', sort, pid, tid);
	(void)fprintf(p->out, ",\"args\":{\"sort_index\":%u}}", order);
}

/* --- who is who ------------------------------------------------------------------------------------------------------- */

static void name_cpu(struct perfetto *p, uint32_t cpu)
{
	char name[NAME_ROOM];

	if (p->cpu_named[cpu])
		return;
	p->cpu_named[cpu] = true;
	(void)snprintf(name, sizeof(name), "CPU %u", cpu);
	put_name(p, "thread_name", PID_MACHINE, TID_CPU(cpu), name, TID_CPU(cpu));
	(void)snprintf(name, sizeof(name), "CPU %u hypervisor", cpu);
	put_name(p, "thread_name", PID_MACHINE, TID_STAYS(cpu), name, TID_STAYS(cpu));
}

static void name_vm(struct perfetto *p, uint32_t vm)
{
	char name[NAME_ROOM], label[NAME_ROOM];

	if (p->vm_named[vm])
		return;
	p->vm_named[vm] = true;
	(void)snprintf(name, sizeof(name), "VM %.*s", (int)sizeof(name) - 4, vm_name(label, vm, p->boot->vm));
	put_name(p, "process_name", PID_VM(vm), 0, name, PID_VM(vm));
}

static void name_vcpu(struct perfetto *p, uint32_t vcpu)
{
	char name[NAME_ROOM];

	if (p->vcpu_named[vcpu])
		return;
	p->vcpu_named[vcpu] = true;
	name_vm(p, vcpu >> 8);
	put_name(p, "thread_name", PID_VM(vcpu >> 8), TID_VCPU(vcpu), vcpu_name(name, vcpu, p->boot->vm), vcpu & 0xff);
}

/* --- slices ----------------------------------------------------------------------------------------------------------- */

static void begin_slice(struct perfetto *p, const char *name, uint32_t pid, uint32_t tid, uint64_t from, uint64_t to)
{
	char text[US_ROOM];

	begin(p, 'X', name, pid, tid);
	(void)fprintf(p->out, ",\"ts\":");
	put_us(p->out, from, p->boot);
	(void)fprintf(p->out, ",\"dur\":");
	/* The difference of the rounded ends, so that the next slice's begin is this one's end. */
	(void)fputs(us_text(text, ticks_to_ns(to, p->boot->hz) - ticks_to_ns(from, p->boot->hz)), p->out);
}

static void on_change(void *ctx, const struct run_change *c)
{
	struct perfetto *p = ctx;
	char vcpu[NAME_ROOM], class[NAME_ROOM] = "unknown", name[NAME_ROOM + 16];

	if ((c->from != RUN_RUNNING && c->from != RUN_QUEUED) || c->vcpu == TRACE_NOBODY || c->time <= c->since ||
	    c->doubt)
		return;
	name_vcpu(p, c->vcpu);
	vcpu_name(vcpu, c->vcpu, p->boot->vm);
	if (c->class != RUN_NO_CLASS)
		sched_class_name(class, c->class);
	(void)snprintf(name, sizeof(name), "%s %s", c->from == RUN_RUNNING ? "running" : "waiting", class);
	begin_slice(p, name, PID_VM(c->vcpu >> 8), TID_VCPU(c->vcpu), c->since, c->time);
	(void)fprintf(p->out, ",\"args\":{\"cpu\":%u}}", c->cpu);
	if (c->from != RUN_RUNNING)
		return;
	name_cpu(p, c->cpu);
	begin_slice(p, vcpu, PID_MACHINE, TID_CPU(c->cpu), c->since, c->time);
	(void)fprintf(p->out, ",\"args\":{\"class\":\"%s\"}}", class);
}

static void begin_counter(struct perfetto *p, const char *name, uint32_t pid, uint64_t time, const char *series)
{
	begin(p, 'C', name, pid, 0);
	(void)fprintf(p->out, ",\"ts\":");
	put_us(p->out, time, p->boot);
	(void)fprintf(p->out, ",\"args\":{");
	put_text(p->out, series);
	(void)fputc(':', p->out);
}

static void on_gap(void *ctx, const struct run_gap *g)
{
	struct perfetto *p = ctx;
	char name[NAME_ROOM];

	name_cpu(p, g->cpu);
	if (!g->missing)
		return;
	p->lost[g->cpu] += g->missing;
	if (g->end > g->begin) {
		(void)snprintf(name, sizeof(name), "%llu records lost", (unsigned long long)g->missing);
		begin_slice(p, name, PID_MACHINE, TID_CPU(g->cpu), g->begin, g->end);
		(void)fprintf(p->out, ",\"cname\":\"terrible\"}");
	}
	(void)snprintf(name, sizeof(name), "records lost, CPU %u", g->cpu);
	begin_counter(p, name, PID_MACHINE, g->end, "records");
	(void)fprintf(p->out, "%llu}}", (unsigned long long)p->lost[g->cpu]);
}

/* --- records ---------------------------------------------------------------------------------------------------------- */

static void put_args(struct perfetto *p, const struct record *r)
{
	const struct event *e = event_find(r->event);
	char text[NAME_ROOM];

	(void)fprintf(p->out, ",\"args\":{");
	for (unsigned int i = 0; e && i < e->fields; i++) {
		char key[NAME_ROOM];

		(void)snprintf(key, sizeof(key), "%s%s", e->field[i].name,
			       e->field[i].kind == WORD_TICKS ? " (us)" : "");
		(void)fputs(i ? "," : "", p->out);
		put_text(p->out, key);
		(void)fputc(':', p->out);
		put_text(p->out, field_text(text, &e->field[i], r, p->boot->vm, p->boot->hz));
	}
	for (unsigned int i = 0; !e && i < r->words && i < TRACE_WORDS; i++)
		(void)fprintf(p->out, "%s\"word %u\":\"0x%x\"", i ? "," : "", i, r->word[i]);
	(void)fprintf(p->out, "}}");
}

static void put_stay(struct perfetto *p, const struct record *r)
{
	uint64_t from = r->word[2] < r->time ? r->time - r->word[2] : 0;
	char name[NAME_ROOM];

	from = from > p->stayed[r->cpu] ? from : p->stayed[r->cpu];
	if (from >= r->time)
		return;
	begin_slice(p, cause_name(name, r->word[1]), PID_MACHINE, TID_STAYS(r->cpu), from, r->time);
	put_args(p, r);
	p->stayed[r->cpu] = r->time;
}

/* The vCPU that an event is about, from its first field of that kind. */
static uint32_t about(const struct event *e, const struct record *r)
{
	for (unsigned int i = 0; e && i < e->fields; i++)
		if (e->field[i].kind == WORD_VCPU)
			return r->word[e->field[i].word];
	return TRACE_NOBODY;
}

static void put_instant(struct perfetto *p, const struct record *r)
{
	const struct event *e = event_find(r->event);
	uint32_t vcpu = about(e, r), pid = PID_MACHINE, tid = TID_STAYS(r->cpu);
	char scope = 't', name[NAME_ROOM];

	if (run_is_vcpu(vcpu)) {
		name_vcpu(p, vcpu);
		pid = PID_VM(vcpu >> 8);
		tid = TID_VCPU(vcpu);
	} else if (r->event == TRACE_VM && r->word[0] < HVTRACE_VMS) {
		name_vm(p, r->word[0]);
		pid = PID_VM(r->word[0]);
		tid = TID_VCPU(r->word[0] << 8);
		scope = 'p';
	} else if (r->event == TRACE_HV_FAULT) {
		scope = 'g';
	}
	if (e)
		(void)snprintf(name, sizeof(name), "%s", e->name);
	else
		(void)snprintf(name, sizeof(name), "event %u", r->event);
	begin(p, 'i', name, pid, tid);
	(void)fprintf(p->out, ",\"s\":\"%c\",\"ts\":", scope);
	put_us(p->out, r->time, p->boot);
	put_args(p, r);
}

static void put_lateness(struct perfetto *p, const struct record *r, uint32_t vcpu, uint32_t ticks, const char *what)
{
	char name[2 * NAME_ROOM], who[NAME_ROOM];

	if (!run_is_vcpu(vcpu) || ticks == TRACE_TICKS_MAX)
		return;
	name_vcpu(p, vcpu);
	(void)snprintf(name, sizeof(name), "%s late (us), %s", what, vcpu_name(who, vcpu, p->boot->vm));
	begin_counter(p, name, PID_VM(vcpu >> 8), r->time, "late");
	put_us(p->out, ticks, p->boot);
	(void)fprintf(p->out, "}}");
}

static void on_record(void *ctx, const struct record *r)
{
	struct perfetto *p = ctx;

	name_cpu(p, r->cpu);
	switch (r->event) {
	case TRACE_SWITCH:
		if (r->word[4])
			put_lateness(p, r, r->word[2], r->word[4], "switch");
		return;
	case TRACE_EXIT:
		put_stay(p, r);
		return;
	case TRACE_TICK:
		put_lateness(p, r, r->word[0], r->word[1], "tick");
		break;
	case TRACE_RT_EXPIRE:
		put_lateness(p, r, r->word[0], r->word[1], "expire");
		break;
	default:
		break;
	}
	put_instant(p, r);
}

/* --- the file --------------------------------------------------------------------------------------------------------- */

int export_perfetto(const struct reader *t, const struct boot *boot, const char *out)
{
	struct perfetto *p = mem_alloc(sizeof(*p));
	const struct run_sink sink = { p, on_record, on_change, on_gap };
	const struct losses *l = &boot->losses;
	int err = -1;

	(void)t;
	p->boot = boot;
	p->out = out_open(out);
	if (p->out) {
		(void)fprintf(
			p->out,
			"{\"displayTimeUnit\":\"ns\",\n\"otherData\":{\"writer\":\"hvtrace\",\"boot\":%u,\"counter_hz\":%llu,"
			"\"records_made\":%llu,\"records_decoded\":%llu},\n\"traceEvents\":[",
			boot->number, (unsigned long long)boot->hz, (unsigned long long)l->total,
			(unsigned long long)l->decoded);
		put_name(p, "process_name", PID_MACHINE, 0, "CPUs", 0);
		run_states(boot, &sink);
		(void)fprintf(p->out, "\n]}\n");
		err = out_close(p->out, out);
	}
	free(p);
	return err;
}
