/* SPDX-License-Identifier: Apache-2.0 */
/* Scripts for gnuplot 5: what `hvtrace plot` draws. Data are in the script; nothing else is read. */
#ifndef HVTRACE_PLOT_H
#define HVTRACE_PLOT_H

#include <stdio.h>

#include "report.h"

struct plot {
	struct report report;
	const char *out; /* picture */
	bool png;        /* else SVG */
};

/* How late timer interrupts and wake-ups were: a curve for each vCPU. -1 after fail(), if there are none. */
int plot_cdf(FILE *script, struct plot *p);
/* Who ran on each CPU, stays in the hypervisor, late timer interrupts. */
int plot_timeline(FILE *script, struct plot *p);

/* Terminal, output, title. */
void plot_head(FILE *script, const struct plot *p, const char *title, unsigned int height);

#endif
