/* SPDX-License-Identifier: Apache-2.0 */
/* Boot arguments of the experiment's program. */
#ifndef RTOS_P1_OPTIONS_H
#define RTOS_P1_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct options {
	uint64_t rounds;
	uint64_t period_us;
	uint64_t work_us;  /* own CPU time in each round */
	uint64_t phase_us; /* against multiples of the period */
	uint64_t start_ms; /* how long to let the neighbours come up */
	bool rel;          /* the next deadline: a period from now, not from the last one */
	bool announce;     /* by calls to the hypervisor */
	bool off;          /* power off at the end */
};

/* Fills *options from the defaults and bootargs. False, with a line on the console, if one isn't understood. */
bool options_parse(const char *bootargs, struct options *options);

#endif
