/* SPDX-License-Identifier: Apache-2.0 */
/* Boot arguments of the real-time guest. */
#ifndef RTOS_APP_OPTIONS_H
#define RTOS_APP_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#define HANG_LOOKS 5u /* in hang_ms */

struct options {
	uint64_t periods;   /* power off after so many; 0 = never */
	uint64_t report;    /* a jitter line every so many periods; 0 = none */
	uint64_t period_us; /* of the periodic task */
	uint64_t hang_ms;   /* the end, if there is no idle time for so long; 0 = never */
	bool quiet;         /* only "up", what was asked for, and errors */
};

/* Fills *options from the defaults and bootargs; what it doesn't understand costs a line on the console. */
void options_parse(const char *bootargs, struct options *options);

#endif
