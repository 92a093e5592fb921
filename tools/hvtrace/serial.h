/* SPDX-License-Identifier: Apache-2.0 */
/* Terminals among the sources: raw, at a speed, and as they were before when the source is closed. */
#ifndef HVTRACE_SERIAL_H
#define HVTRACE_SERIAL_H

#include "source.h"

int serial_set(struct source *s, uint64_t speed);
void serial_restore(struct source *s); /* nothing if it was never set */

#endif
