/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The measured rounds. The path from an interrupt to the next programming is short and the same in each round; nothing in it waits
 * for anything but time.
 */
#include "rounds.h"

#include "rtos.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define LOOPS_PER_US 500u /* of two instructions */

/* So many instructions of CPU time, however long they take: being pre-empted makes them no fewer. */
static void work(uint64_t loops)
{
	if (loops)
		__asm__ volatile("1: subs %0, %0, #1; b.ne 1b" : "+r"(loops) : : "cc");
}

void rounds_align(const struct options *options, struct rounds *rounds)
{
	uint64_t period = rtos_us(options->period_us), ready = rtos_in_us(options->start_ms * 1000);

	memset(rounds->late, 0xff, options->rounds * sizeof(rounds->late[0])); /* all of it is mapped from now on */
	rounds->begin = (ready / period + 1) * period + rtos_us(options->phase_us);
	rtos_sleep_until(rounds->begin);
}

const char *rounds_run(const struct options *options, struct rounds *rounds)
{
	uint64_t period = rtos_us(options->period_us), loops = options->work_us * LOOPS_PER_US, own = UINT64_MAX;
	uint64_t first = rtos_now(), now = first, deadline = (options->rel ? now : rounds->begin) + period;

	rounds->overruns = 0;
	for (rounds->done = 0; rounds->done < options->rounds; rounds->done++) {
		bool slept = rtos_sleep_until(deadline) == RTOS_OK;
		uint64_t served = slept ? rtos_irq_entry_time() : rtos_now();

		if (rtos_announce_refused())
			return "the hypervisor refused the sleep";
		rounds->late[rounds->done] = served - deadline;
		rounds->overruns += !slept;
		work(loops);
		now = rtos_now();
		if (now - served < own)
			own = now - served;
		deadline = (options->rel ? now : deadline) + period;
	}
	rounds->total = now - first;
	rounds->own = own;
	return NULL;
}
