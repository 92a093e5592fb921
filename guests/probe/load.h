/* SPDX-License-Identifier: Apache-2.0 */
/* Loads of a CPU, for tests of a scheduler. */
#ifndef PROBE_LOAD_H
#define PROBE_LOAD_H

#include "probe.h"

/* role=burn, rtburn, dodge, storm, ipi-storm: for ever, or back at once after a line with FAIL. False: no such role. */
bool load_role(const char *role);

/*
 * load_asm.S: computes for `us` units of 1000 instructions, or until the counter has come to `until`; returns how many units
 * that were, each of which it has added to *did.
 */
uint64_t load_burn(uint64_t us, uint64_t until, volatile uint64_t *did);

#endif
