/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statistics over releases: minimum, mean, maximum and a histogram in powers of two. Pure arithmetic on the caller's
 * struct, no output, no locking of its own.
 */
#include "app/jitter.h"

void jitter_clear(struct jitter *jitter)
{
	*jitter = (struct jitter){ .min_ns = UINT64_MAX };
}

void jitter_add(struct jitter *jitter, uint64_t late_ns, uint64_t missed)
{
	uint32_t bucket = 0;

	while (bucket < JITTER_BUCKETS - 1 && late_ns >= JITTER_BUCKET_NS(bucket))
		bucket++;
	jitter->bucket_count[bucket]++;
	jitter->count++;
	jitter->missed += missed;
	jitter->sum_ns += late_ns;
	if (late_ns < jitter->min_ns)
		jitter->min_ns = late_ns;
	if (late_ns > jitter->max_ns)
		jitter->max_ns = late_ns;
}
