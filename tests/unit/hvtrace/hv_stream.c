/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hypervisor's own rings and stream as a program: makes records on a few CPUs, sends them, also too few of them in time, and dumps.
 *
 * usage: hv_stream own|console overwrite|stop|reset MADE
 *
 * What goes out is the standard output; each record that was made is a line in the file MADE: boot, CPU, number, time, event and
 * words, and for each CPU and boot there is a line with how many found the ring full. "reset": a warm reset in the middle, after which the
 * boot before is dumped.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "camber/trace.h"

#define HZ UINT64_C(62500000)
#define CPUS 3u
#define ROUNDS 400u

static struct trace_cpu cpus[CPUS];
static struct trace_area *area;
static FILE *made;
static uint32_t seed = 12345;
static bool console;

static const uint8_t event_words[] = {
#define TRACE_EVENT(NAME, name, number, class, words, fields, what) [number] = words,
	TRACE_EVENTS(TRACE_EVENT)
#undef TRACE_EVENT
};

static uint32_t number(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

static size_t put(void *dev, const char *bytes, size_t n)
{
	(void)dev;
	/* A line that takes a part, or nothing. */
	if (!console)
		n = n ? number() % (n + 1) : 0;
	else if (number() % 4 == 0)
		n = 0;
	return fwrite(bytes, 1, n, stdout);
}

static void about_cpu(unsigned int cpu, uint64_t *idle, uint64_t *stays, uint64_t *ticks)
{
	*idle = 1000 * cpu;
	*stays = 7;
	*ticks = UINT64_C(1) << 40;
}

static const char *about_vm(unsigned int vm, unsigned int *vcpus, bool *rt)
{
	*vcpus = vm;
	*rt = vm == 1;
	return vm == 1 ? "rtos" : vm == 2 ? "ivi" : NULL;
}

static void make(unsigned int cpu)
{
	struct trace_cpu *t = &cpus[cpu];
	uint32_t word[TRACE_WORDS] = { 0 }, event;
	uint64_t before = t->made;

	do
		event = number() % ARRAY_SIZE(event_words);
	while (!event_words[event]);
	for (unsigned int i = 0; i < event_words[event]; i++)
		word[i] = number() << 8 >> number() % 32;
	trace_record(t, TRACE_HEAD(event, event_words[event]), word[0], word[1], word[2], word[3], word[4]);
	if (t->made == before)
		return; /* the ring is full */
	(void)fprintf(made, "%u %u %llu %llu %u", area->boot & 0xff, cpu, (unsigned long long)before,
		      (unsigned long long)arch_now(), event);
	for (unsigned int i = 0; i < event_words[event]; i++)
		(void)fprintf(made, " %u", word[i]);
	(void)fprintf(made, "\n");
}

static void turns(unsigned int count)
{
	for (; count; count--) {
		uint64_t when = trace_turn(arch_now());

		if (when != UINT64_MAX && when > arch_now())
			host_set_now(when);
		host_set_now(arch_now() + 10);
	}
}

static void boot(void)
{
	struct trace_cpu *table[CPUS];

	memset(cpus, 0, sizeof(cpus));
	for (unsigned int i = 0; i < CPUS; i++)
		table[i] = &cpus[i];
	trace_start(area, CPUS, table);
	trace_set_classes(&cpus[0], UINT32_MAX);
	/* That made a record. */
	for (unsigned int i = 0; i < CPUS; i++)
		for (uint64_t n = 0; n < cpus[i].made; n++) {
			const struct trace_record *r = &cpus[i].ring[n];

			(void)fprintf(made, "%u %u %llu %llu %u %u %u\n", area->boot & 0xff, i, (unsigned long long)n,
				      (unsigned long long)r->time, (r->head >> 3) & 0xff, r->word[0], r->word[1]);
		}
}

static void full_ones(void)
{
	for (unsigned int i = 0; i < CPUS; i++)
		(void)fprintf(made, "full %u %u %llu\n", area->boot & 0xff, i, (unsigned long long)cpus[i].unnumbered);
}

static void rounds(void)
{
	for (unsigned int i = 0; i < ROUNDS; i++) {
		/* Mostly as much as leaves in time, now and then a burst. */
		for (unsigned int n = number() % (i % 50 == 49 ? 1500 : 8); n; n--) {
			host_set_now(arch_now() + number() % 1000);
			make(number() % CPUS);
		}
		turns(60);
	}
	turns(20000);
}

int main(int argc, char **argv)
{
	static const struct trace_about about = { about_cpu, about_vm };
	struct trace_line line = { .put = put };
	struct trace_area *before;

	made = argc == 4 ? fopen(argv[3], "w") : NULL;
	if (!made)
		return 2;
	line.console = console = !strcmp(argv[1], "console");
	area = aligned_alloc(64, trace_area_bytes(CPUS));
	memset(area, 0x5a, trace_area_bytes(CPUS));
	host_set_now(HZ);
	boot();
	trace_stream_init(&about, HZ, NULL);
	trace_stream_set(&line, 0);
	trace_set_stop(!strcmp(argv[2], "stop"));
	turns(2000);
	rounds();
	full_ones();
	if (!strcmp(argv[2], "reset")) {
		if (!trace_area_valid(area, CPUS))
			return 3;
		trace_stream_set(NULL, 0);
		turns(2000);
		before = aligned_alloc(64, trace_area_bytes(CPUS));
		memcpy(before, area, trace_area_bytes(CPUS));
		host_set_now(HZ / 2);
		boot();
		trace_previous(before);
		trace_stream_set(&line, 0);
		rounds();
		if (trace_dump(true))
			return 4;
		turns(20000);
		full_ones();
	} else if (trace_dump(false)) {
		return 5;
	}
	turns(20000);
	trace_stream_set(NULL, 0);
	turns(2000);
	return fclose(made) || fflush(stdout) ? 1 : 0;
}
