/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The measured task collects lateness and never prints; the print task writes lines at its leisure. Between them is a
 * queue of finished statistics. Where it is full, the measured task goes on collecting and sends later: it never
 * waits.
 *
 * Lines: "rtos: up" once, after PROOF_PERIODS releases in a row of which none was missed; "rtos: late" when such a row
 * failed; "rtos: jitter" every options.report periods.
 */
#include "app/report.h"

#include "app/jitter.h"
#include "app/options.h"
#include "rtos.h"

#include <inttypes.h>
#include <stdio.h>

#define PROOF_PERIODS 10u
#define QUEUE_ITEMS 4u

struct message {
	enum { MESSAGE_PROOF, MESSAGE_WINDOW, MESSAGE_END } kind;
	struct jitter jitter;
};

static struct rtos_queue queue;
static struct message queue_items[QUEUE_ITEMS];

/* The measured task's; `total` is read by others with interrupts masked. */
static struct jitter total, window, proof;
static bool proven, ended;

static bool send(int kind, const struct jitter *jitter)
{
	struct message message = { .kind = kind, .jitter = *jitter };

	return rtos_queue_send(&queue, &message, RTOS_NO_WAIT) == RTOS_OK;
}

static void collect(const struct options *options, uint64_t late_ns, uint64_t missed)
{
	uint64_t saved = rtos_irq_save();

	jitter_add(&total, late_ns, missed);
	rtos_irq_restore(saved);
	jitter_add(&window, late_ns, missed);
	if (!proven) {
		jitter_add(&proof, late_ns, missed);
		if (proof.count >= PROOF_PERIODS && send(MESSAGE_PROOF, &proof)) {
			proven = proof.missed == 0;
			jitter_clear(&proof);
		}
	}
	if (options->report && window.count >= options->report && send(MESSAGE_WINDOW, &window))
		jitter_clear(&window);
	/* Missed ones count too: the end comes in bounded time. */
	if (options->periods && !ended && total.count + total.missed >= options->periods)
		ended = send(MESSAGE_END, &total);
}

/* Deadlines lie on a grid: what this task does, or a late start of it, doesn't move the next ones. */
void report_measure(void *arg)
{
	const struct options *options = arg;
	uint64_t period = rtos_us(options->period_us), deadline = rtos_now();

	for (;;) {
		bool overrun;
		uint64_t late;

		deadline += period;
		overrun = rtos_sleep_until(deadline) != RTOS_OK;
		late = rtos_now() - deadline;
		collect(options, rtos_ticks_to_ns(late), late / period + overrun);
		deadline += late / period * period;
	}
}

static void print_line(const char *what, const struct jitter *jitter)
{
	uint64_t min_ns = jitter->count ? jitter->min_ns : 0;
	uint64_t mean_ns = jitter->count ? jitter->sum_ns / jitter->count : 0;

	printf("rtos: %s n=%" PRIu64 " min=%" PRIu64 "ns mean=%" PRIu64 "ns max=%" PRIu64 "ns missed=%" PRIu64 "\n",
	       what, jitter->count, min_ns, mean_ns, jitter->max_ns, jitter->missed);
}

/* The 1st failure is told, then the 2nd, 4th, 8th..., so that a guest that is always late doesn't fill the console. */
static void print_proof(const struct jitter *jitter)
{
	static uint64_t failures;

	if (jitter->missed == 0) {
		printf("rtos: up\n");
		return;
	}
	failures++;
	if ((failures & (failures - 1)) == 0)
		printf("rtos: late: %" PRIu64 " missed in %" PRIu64 " periods, worst %" PRIu64 "ns; not up yet\n",
		       jitter->missed, jitter->count, jitter->max_ns);
}

void report_print_total(void)
{
	const char *separator = "";
	uint64_t saved = rtos_irq_save();
	struct jitter copy = total;

	rtos_irq_restore(saved);
	print_line("jitter total", &copy);
	printf("rtos: histogram");
	for (uint32_t i = 0; i < JITTER_BUCKETS; i++) {
		if (!copy.bucket_count[i])
			continue;
		if (i < JITTER_BUCKETS - 1)
			printf("%s <%" PRIu64 "ns:%" PRIu32, separator, JITTER_BUCKET_NS(i), copy.bucket_count[i]);
		else
			printf("%s more:%" PRIu32, separator, copy.bucket_count[i]);
		separator = ",";
	}
	printf("\n");
}

void report_print(void *arg)
{
	const struct options *options = arg;
	struct message message;

	while (rtos_queue_receive(&queue, &message, RTOS_FOREVER) == RTOS_OK) {
		switch (message.kind) {
		case MESSAGE_PROOF:
			print_proof(&message.jitter);
			break;
		case MESSAGE_WINDOW:
			if (!options->quiet)
				print_line("jitter", &message.jitter);
			break;
		case MESSAGE_END:
			report_print_total();
			printf("rtos: off\n");
			printf("rtos: PSCI SYSTEM_OFF failed: %" PRId64 "\n", rtos_off());
			break;
		}
	}
}

void report_init(void)
{
	RTOS_ASSERT(rtos_queue_init(&queue, queue_items, sizeof(queue_items[0]), QUEUE_ITEMS) == RTOS_OK);
	jitter_clear(&total);
	jitter_clear(&window);
	jitter_clear(&proof);
}
