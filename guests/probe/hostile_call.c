/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile use of the hypervisor's own calls (abi/camber_call.h): by a VM that may not, with arguments that make no sense, of
 * functions that don't exist, without end. In a real-time VM the same cases show what such a VM is told.
 */
#include "hostile.h"

#include "abi/camber_call.h"
#include "gic.h"
#include "psci.h"
#include "timer.h"

#define NS_PER_MS 1000000ull
#define HOUR_NS 3600000000000ull
#define SOON_US 8000u /* refused calls are back by then, sleeps of 10 ms aren't */

/* What a call with a good argument is worth in this VM. */
static bool real_time(void)
{
	return psci_hvc(CAMBER_CALL_RT_MODE, CAMBER_RT_TRANSPARENT, 0, 0) == CAMBER_OK;
}

/* One call by both conduits. */
static enum outcome want_result(uint32_t function, uint64_t argument, int64_t want)
{
	int64_t hvc = psci_hvc(function, argument, 0, 0), smc = psci_smc(function, argument, 0, 0);

	CHECK(hvc == want && smc == want, "%x with %lx gives %ld by HVC, %ld by SMC, want %ld", function, argument, hvc,
	      smc, want);
	return OUTCOME_OK;
}

enum outcome case_call_uid(void)
{
	register uint64_t x0 __asm__("x0") = CAMBER_CALL_UID;
	register uint64_t x1 __asm__("x1") = ~0ull;
	register uint64_t x2 __asm__("x2") = ~0ull;
	register uint64_t x3 __asm__("x3") = ~0ull;
	uint64_t changed;

	__asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"memory");
	CHECK(x0 == CAMBER_UID_0 && x1 == CAMBER_UID_1 && x2 == CAMBER_UID_2 && x3 == CAMBER_UID_3,
	      "the UID is %lx %lx %lx %lx", x0, x1, x2, x3);
	changed = call_registers_hvc(CAMBER_CALL_UID) | call_registers_smc(CAMBER_CALL_UID);
	CHECK(!changed, "other registers change: mask %lx", changed);
	return OUTCOME_OK;
}

/* Real-time mode and sleeps that any real-time VM would be granted. */
enum outcome case_call_denied(void)
{
	uint64_t began = now();

	if (real_time())
		return skip("a real-time VM");
	TRY(want_result(CAMBER_CALL_RT_MODE, CAMBER_RT_TRANSPARENT, CAMBER_DENIED));
	TRY(want_result(CAMBER_CALL_RT_MODE, CAMBER_RT_ANNOUNCED, CAMBER_DENIED));
	TRY(want_result(CAMBER_CALL_RT_SLEEP, 10 * NS_PER_MS, CAMBER_DENIED));
	TRY(want_result(CAMBER_CALL_RT_SLEEP_UNTIL, now() + us_to_ticks(10000), CAMBER_DENIED));
	CHECK(now() - began < us_to_ticks(SOON_US), "denied after %lu ns", ticks_to_ns(now() - began));
	return still_sound();
}

static const uint64_t absurd_ns[] = {
	0,
	1,
	999,
	NS_PER_MS,
	5 * NS_PER_MS - 1000,
	HOUR_NS + NS_PER_MS,
	1ull << 62,
	(1ull << 63) - 1,
	1ull << 63,
	~0ull - 1,
	~0ull,
};

/* Of what isn't a real-time VM everything is denied, absurd or not. */
enum outcome case_call_sleep_absurd(void)
{
	int64_t want = real_time() ? CAMBER_INVALID : CAMBER_DENIED;

	for (unsigned int i = 0; i < ARRAY_SIZE(absurd_ns); i++)
		TRY(want_result(CAMBER_CALL_RT_SLEEP, absurd_ns[i], want));
	return still_sound();
}

enum outcome case_call_sleep_until_absurd(void)
{
	bool rt = real_time();
	int64_t invalid = rt ? CAMBER_INVALID : CAMBER_DENIED, passed = rt ? CAMBER_OK : CAMBER_DENIED;

	TRY(want_result(CAMBER_CALL_RT_SLEEP_UNTIL, 0, passed));
	TRY(want_result(CAMBER_CALL_RT_SLEEP_UNTIL, now(), passed));
	TRY(want_result(CAMBER_CALL_RT_SLEEP_UNTIL, now() + us_to_ticks(1000), invalid));
	TRY(want_result(CAMBER_CALL_RT_SLEEP_UNTIL, now() + us_to_ticks(2 * HOUR_NS / 1000), invalid));
	TRY(want_result(CAMBER_CALL_RT_SLEEP_UNTIL, (1ull << 63) - 1, invalid));
	TRY(want_result(CAMBER_CALL_RT_SLEEP_UNTIL, 1ull << 63, invalid));
	TRY(want_result(CAMBER_CALL_RT_SLEEP_UNTIL, ~0ull, invalid));
	return still_sound();
}

enum outcome case_call_mode_absurd(void)
{
	for (unsigned int bit = 1; bit < 64; bit++) {
		TRY(want_result(CAMBER_CALL_RT_MODE, 1ull << bit, CAMBER_INVALID));
		TRY(want_result(CAMBER_CALL_RT_MODE, 1ull << bit | CAMBER_RT_ANNOUNCED, CAMBER_INVALID));
	}
	return want_result(CAMBER_CALL_RT_MODE, ~0ull, CAMBER_INVALID);
}

static bool known(uint32_t function)
{
	return function == CAMBER_CALL_UID || function == CAMBER_CALL_RT_MODE || function == CAMBER_CALL_RT_SLEEP ||
	       function == CAMBER_CALL_RT_SLEEP_UNTIL;
}

/* The neighbours of what there is, in all four forms: fast and yielding, of 32 and 64 bits. */
static enum outcome want_unknown(uint32_t first, uint32_t last)
{
	for (uint32_t top = 0; top < 4; top++) {
		for (uint32_t number = first; number <= last; number++) {
			uint32_t function = top << 30 | 6u << 24 | number;

			if (!known(function))
				TRY(want_result(function, 10 * NS_PER_MS, PSCI_NOT_SUPPORTED));
		}
	}
	return OUTCOME_OK;
}

enum outcome case_call_unknown(void)
{
	TRY(want_unknown(0, 0x1ff));
	return want_unknown(0xfe00, 0xffff);
}
