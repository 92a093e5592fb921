/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arithmetic of what a CPU is promised to real-time VMs, in exact fractions.
 *
 * Fractions of unlike periods are brought to one denominator, the product of all periods, so nothing is ever rounded before
 * it is compared: 16 periods below 2^24 and the factors below need 411 bits. No state, no messages.
 */
#include "mkbundle.h"

#include <string.h>

#define WORDS 13u

_Static_assert(BUNDLE_RT_PERIOD_MAX_US < 1u << 24 && BUNDLE_VM_MAX * BUNDLE_VCPU_MAX <= 1u << 7 &&
		       BUNDLE_RT_PPM_ALL < 1u << 20 && BUNDLE_VM_MAX * 24 + 7 + 20 <= WORDS * 32,
	       "numbers are too small");

struct number {
	uint32_t word[WORDS]; /* the lowest first */
};

static void multiply(struct number *n, uint32_t factor)
{
	uint64_t carry = 0;

	for (uint32_t i = 0; i < WORDS; i++) {
		carry += (uint64_t)n->word[i] * factor;
		n->word[i] = (uint32_t)carry;
		carry >>= 32;
	}
}

static void add(struct number *n, const struct number *more)
{
	uint64_t carry = 0;

	for (uint32_t i = 0; i < WORDS; i++) {
		carry += (uint64_t)n->word[i] + more->word[i];
		n->word[i] = (uint32_t)carry;
		carry >>= 32;
	}
}

static int compare(const struct number *a, const struct number *b)
{
	for (uint32_t i = WORDS; i--;)
		if (a->word[i] != b->word[i])
			return a->word[i] < b->word[i] ? -1 : 1;
	return 0;
}

int rt_compare(const struct rt_share *shares, uint32_t count, uint32_t ppm)
{
	struct number sum = { { 0 } };
	struct number all = { { ppm } };

	for (uint32_t i = 0; i < count; i++) {
		struct number share = { { shares[i].budget_us } };

		multiply(&share, shares[i].vcpus);
		for (uint32_t other = 0; other < count; other++)
			if (other != i)
				multiply(&share, shares[other].period_us);
		add(&sum, &share);
		multiply(&all, shares[i].period_us);
	}
	multiply(&sum, BUNDLE_RT_PPM_ALL);
	return compare(&sum, &all);
}

uint32_t rt_ppm(const struct rt_share *shares, uint32_t count)
{
	uint32_t low = 0;
	uint32_t high = BUNDLE_VM_MAX * BUNDLE_VCPU_MAX * BUNDLE_RT_PPM_ALL;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (rt_compare(shares, count, middle) > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const char *rt_percent(struct rt_percent_text *to, uint32_t ppm)
{
	int length = snprintf(to->text, sizeof(to->text), "%u.%04u", ppm / 10000, ppm % 10000);

	/* One place behind the point, more only where they say something. */
	while (length > 2 && to->text[length - 1] == '0' && to->text[length - 2] != '.')
		to->text[--length] = 0;
	return to->text;
}
