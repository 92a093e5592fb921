/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The experiment of "Timer-based credit scheduler for low-latency tasks" (Kim, Ko; 2012), the guest that is to be on time: one task
 * that sleeps, and keeps how late each of its interrupts came: from the programmed deadline to the vector's third
 * instruction. Nothing is printed between the line `p1: up` and the result, so the console costs no round anything.
 */
#include "options.h"
#include "rounds.h"
#include "rtos.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static struct options options;

static _Noreturn void finish(void)
{
	if (options.off)
		printf("p1: the machine did not end: %d\n", (int)rtos_off());
	for (;;)
		rtos_sleep_until(RTOS_FOREVER);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Nearest rank: the smallest one that at least so many of 1000 don't exceed. */
static uint64_t permille_ns(const uint64_t *sorted, uint64_t count, uint64_t permille)
{
	return rtos_ticks_to_ns(sorted[(count * permille + 999) / 1000 - 1]);
}

void app_main(void)
{
	struct rounds rounds;
	const char *why;
	int result;

	if (!options_parse(rtos_bootargs(), &options))
		finish();
	rounds.late = malloc(options.rounds * sizeof(rounds.late[0]));
	RTOS_ASSERT(rounds.late);
	printf("p1: up\n");
	rounds_align(&options, &rounds);
	result = options.announce ? rtos_announce_sleep(options.rel ? RTOS_ANNOUNCE_FOR : RTOS_ANNOUNCE_UNTIL) :
				    RTOS_OK;
	if (result != RTOS_OK) {
		printf("p1: FAIL sleeps can't be announced: %s\n",
		       result == RTOS_EDENIED ? "not a real-time VM" : "there are no such calls");
		finish();
	}
	why = rounds_run(&options, &rounds);
	if (why) {
		printf("p1: FAIL round %" PRIu64 ": %s\n", rounds.done, why);
		finish();
	}
	qsort(rounds.late, rounds.done, sizeof(rounds.late[0]), compare);
	printf("p1: total_ns=%" PRIu64 " own_ns=%" PRIu64 " late_p50_ns=%" PRIu64 " late_p99_ns=%" PRIu64
	       " late_p999_ns=%" PRIu64 " late_max_ns=%" PRIu64 " overruns=%" PRIu64 "\n",
	       rtos_ticks_to_ns(rounds.total), rtos_ticks_to_ns(rounds.own), permille_ns(rounds.late, rounds.done, 500),
	       permille_ns(rounds.late, rounds.done, 990), permille_ns(rounds.late, rounds.done, 999),
	       permille_ns(rounds.late, rounds.done, 1000), rounds.overruns);
	finish();
}
