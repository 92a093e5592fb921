/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The case functions, one list for the registry in cases.c. Each starts with interrupts masked, timers off, the GIC as
 * after gic_reset(), the other CPUs off; what it leaves behind is cleaned by the runner.
 */
#ifndef PROBE_CASES_H
#define PROBE_CASES_H

#include "probe.h"

/* CASE(name, cpus, flags, what it shows) */
#define CASE(name, min_cpus, flags, what) enum outcome case_##name(void);
#include "cases.def"
#include "hostile.def"
#undef CASE

#endif
