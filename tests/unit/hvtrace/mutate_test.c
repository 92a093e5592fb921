/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A million damaged lines into the decoder: nothing invented, every whole frame decoded. CAMBER_HVTRACE_INPUTS is another count,
 * CAMBER_HVTRACE_SEED another sequence.
 */
#include "mutate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka.h needs those above first. */
#include <cmocka.h>

#define INPUTS 1000000u

static uint64_t state;

static uint64_t next(void)
{
	/* xorshift64* (Vigna, 2016) */
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * UINT64_C(2685821657736338717) >> 11;
}

static uint64_t setting(const char *name, uint64_t value)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : value;
}

static void million(void **unused)
{
	uint64_t inputs = setting("CAMBER_HVTRACE_INPUTS", INPUTS), first = setting("CAMBER_HVTRACE_SEED", 1);
	struct mutate_counts counts = { 0 };

	(void)unused;
	for (uint64_t i = 0; i < inputs; i++) {
		uint8_t script[1 + 4 * 8];
		const char *wrong;
		size_t n;

		state = first + i * UINT64_C(0x9e3779b97f4a7c15) + 1;
		/* Often one step or two, sometimes many; the first input has none. */
		n = i ? 1 + 4 * (next() % 4 ? 1 + next() % 2 : next() % 9) : 1;
		for (size_t k = 0; k < n; k++)
			script[k] = (uint8_t)next();
		wrong = mutate_check(script, n, &counts);
		if (wrong)
			fail_msg("input %llu: %s", (unsigned long long)i, wrong);
	}
	print_message("%llu inputs: %llu frames damaged, %llu whole, %llu records checked\n",
		      (unsigned long long)counts.inputs, (unsigned long long)counts.damaged,
		      (unsigned long long)counts.whole, (unsigned long long)counts.records);
	assert_int_equal(counts.inputs, inputs);
	/* It would be no test if nothing were hit, or everything. */
	assert_true(counts.damaged > inputs && counts.whole > inputs);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(million) };

	return cmocka_run_group_tests_name("hvtrace/mutate", tests, NULL, NULL);
}
