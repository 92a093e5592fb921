/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The measured task collects lateness and never prints; the print task writes lines at its leisure.
 *
 * Lines: "rtos: up" once, after PROOF_PERIODS releases in a row of which none was missed; "rtos: late" when such a row
 * failed; "rtos: jitter" every options.report periods. Tasks don't preempt each other, so both share plain variables.
 */
#include "app/report.h"

#include "app/jitter.h"
#include "kernel/psci.h"
#include "kernel/timer.h"

#include <inttypes.h>
#include <stdio.h>

#define PROOF_PERIODS 10u

static struct options options;
static struct jitter total, window, proof;
static struct jitter window_done, proof_done; /* for the print task, valid with the flags below */
static bool window_due, proof_due, end_due;
static bool proven;
static uint64_t proof_failures;

static void measure_proof(const struct task_release *release)
{
	jitter_add(&proof, release);
	if (proof.count < PROOF_PERIODS)
		return;
	proven = proof.missed == 0;
	proof_done = proof;
	proof_due = true;
	jitter_clear(&proof);
}

static void measure_run(const struct task_release *release)
{
	uint64_t periods;

	jitter_add(&total, release);
	jitter_add(&window, release);
	if (!proven)
		measure_proof(release);
	if (options.report && window.count >= options.report) {
		window_done = window;
		window_due = true;
		jitter_clear(&window);
	}
	periods = total.count + total.missed; /* missed ones too: the end comes in bounded time */
	if (options.periods && periods >= options.periods)
		end_due = true;
	if (window_due || proof_due || end_due)
		task_release(&report_print_task);
}

static void print_line(const char *what, const struct jitter *jitter)
{
	uint64_t min_ns = jitter->count ? jitter->min_ns : 0;
	uint64_t mean_ns = jitter->count ? jitter->sum_ns / jitter->count : 0;

	printf("rtos: %s n=%" PRIu64 " min=%" PRIu64 "ns mean=%" PRIu64 "ns max=%" PRIu64 "ns missed=%" PRIu64 "\n",
	       what, jitter->count, min_ns, mean_ns, jitter->max_ns, jitter->missed);
}

/* The 1st failure is told, then the 2nd, 4th, 8th..., so that a guest that is always late doesn't fill the console. */
static void print_proof(void)
{
	if (proof_done.missed == 0) {
		printf("rtos: up\n");
		return;
	}
	proof_failures++;
	if ((proof_failures & (proof_failures - 1)) == 0)
		printf("rtos: late: %" PRIu64 " missed in %u periods, worst %" PRIu64 "ns; not up yet\n",
		       proof_done.missed, PROOF_PERIODS, proof_done.max_ns);
}

void report_print_total(void)
{
	const char *separator = "";

	print_line("jitter total", &total);
	printf("rtos: histogram");
	for (uint32_t i = 0; i < JITTER_BUCKETS; i++) {
		if (!total.bucket_count[i])
			continue;
		if (i < JITTER_BUCKETS - 1)
			printf("%s <%" PRIu64 "ns:%" PRIu32, separator, JITTER_BUCKET_NS(i), total.bucket_count[i]);
		else
			printf("%s more:%" PRIu32, separator, total.bucket_count[i]);
		separator = ",";
	}
	printf("\n");
}

static void print_run(const struct task_release *release)
{
	(void)release;
	if (proof_due) {
		proof_due = false;
		print_proof();
	}
	if (window_due) {
		window_due = false;
		if (!options.quiet)
			print_line("jitter", &window_done);
	}
	if (end_due) {
		report_print_total();
		printf("rtos: off\n");
		printf("rtos: PSCI SYSTEM_OFF failed: %" PRId64 "\n", psci_system_off());
		options.periods = 0; /* go on for ever rather than ask again every period */
		end_due = false;
	}
}

void report_init(const struct options *chosen)
{
	options = *chosen;
	report_measure_task.period_ticks = timer_us_to_ticks(options.period_us);
	jitter_clear(&total);
	jitter_clear(&window);
	jitter_clear(&proof);
}

struct task report_measure_task = { .name = "measure", .run = measure_run };
struct task report_print_task = { .name = "print", .run = print_run };
