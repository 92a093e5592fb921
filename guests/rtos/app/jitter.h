/* SPDX-License-Identifier: Apache-2.0 */
/* The periodic task's lateness: how long after its deadline it ran. */
#ifndef RTOS_APP_JITTER_H
#define RTOS_APP_JITTER_H

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

/* Adds one release. */
void jitter_add(struct jitter *jitter, uint64_t late_ns, uint64_t missed);

#endif
