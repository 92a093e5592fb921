/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Samples: values in ticks with how often each came, so percentiles are exact however many there are.
 *
 * Percentiles are by nearest rank: the smallest value that at least so many of the samples don't exceed (as the guests and tests/bench have it).
 */
#ifndef HVTRACE_SAMPLE_H
#define HVTRACE_SAMPLE_H

#include "hvtrace.h"

struct sample {
	uint64_t value;
	uint64_t count; /* 0: the slot is free */
};

struct samples {
	struct sample *slots; /* a hash table, then (sorted) a list */
	size_t room;          /* a power of two */
	size_t used;          /* different values */
	uint64_t count;
	uint64_t total; /* UINT64_MAX: that or more */
	uint64_t max;
	bool sorted;
};

void samples_add(struct samples *s, uint64_t value);
/* Makes them a list by value; adding again is possible after that. */
void samples_sort(struct samples *s);
/* Sorts; 0 if there are none. permille 1000: the largest. */
uint64_t samples_rank(struct samples *s, unsigned int permille);
void samples_clear(struct samples *s); /* keeps the memory */
void samples_free(struct samples *s);

#endif
