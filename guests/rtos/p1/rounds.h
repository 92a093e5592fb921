/* SPDX-License-Identifier: Apache-2.0 */
/* The measured rounds: sleep, note the lateness, work. */
#ifndef RTOS_P1_ROUNDS_H
#define RTOS_P1_ROUNDS_H

#include "options.h"

#include <stdint.h>

/* In ticks. */
struct rounds {
	uint64_t *late; /* of each round; the caller's memory */
	uint64_t begin; /* the grid's point that the first round's deadline is one period after */
	uint64_t done;
	uint64_t total;    /* from the first programming to the end of the last round */
	uint64_t own;      /* the shortest way from an interrupt to the next programming: this program's own path */
	uint64_t overruns; /* deadlines that had passed when they were to be programmed */
};

/* Sleeps until a multiple of the period plus the phase, start-ms ahead or later. */
void rounds_align(const struct options *options, struct rounds *rounds);

/* All rounds; NULL, or why it ended early. */
const char *rounds_run(const struct options *options, struct rounds *rounds);

#endif
