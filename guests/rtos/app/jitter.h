/* SPDX-License-Identifier: Apache-2.0 */
/* The periodic task's lateness: how long after its deadline the interrupt handler was entered. */
#ifndef RTOS_APP_JITTER_H
#define RTOS_APP_JITTER_H

#include "kernel/task.h"

#include <stdint.h>

#define JITTER_BUCKETS 20u /* bucket i: below 128 ns << i; the last one: everything else */
#define JITTER_BUCKET_NS(i) (UINT64_C(128) << (i))

struct jitter {
	uint64_t count;  /* releases measured */
	uint64_t missed; /* releases that were skipped or not finished before the next one */
	uint64_t min_ns, max_ns, sum_ns;
	uint32_t bucket_count[JITTER_BUCKETS];
};

void jitter_clear(struct jitter *jitter);

/* Adds one release. Task context. */
void jitter_add(struct jitter *jitter, const struct task_release *release);

#endif
