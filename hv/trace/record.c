/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a record: what runs at each event.
 *
 * Must never wait, nor touch what another CPU writes but for `sent`, and that only when a full ring is to stop. Own CPU, interrupts
 * masked; no lock. The cache isn't cleaned: that would be a call for each record. trace_keep() does it for all of them when a reset
 * is on purpose; one that isn't, by a board's watchdog, loses what no cache line has been evicted of.
 */
#include "trace_priv.h"

__attribute__((noinline)) void trace_record(struct trace_cpu *own, uint32_t head, uint32_t a, uint32_t b, uint32_t c,
					    uint32_t d, uint32_t e)
{
	struct trace_record *r = own->ring;
	uint64_t n = own->made;

	/* The store below depends on this look at `sent`, which the reader moves after it has copied (stream.c, release). */
	if (unlikely(READ_ONCE(own->stop)) && n - READ_ONCE(own->sent) >= KEPT) {
		WRITE_ONCE(own->unnumbered, own->unnumbered + 1);
		return;
	}
	r += n % SLOTS;
	r->time = arch_now();
	r->head = (uint32_t)n << TRACE_HEAD_NUMBER_SHIFT | head;
	r->word[0] = a;
	r->word[1] = b;
	r->word[2] = c;
	r->word[3] = d;
	r->word[4] = e;
	/*
	 * One fence for two things. This record is complete before its number is seen, as a release store would have it. And the number
	 * before it, which the previous call published, is seen before anything of the next call's record: whoever sees any of
	 * record m finds `made` to be m - 1 at least. Pairs with the fence in trace_ring_take().
	 */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	WRITE_ONCE(own->made, n + 1);
}

__attribute__((noinline)) void trace_record2(struct trace_cpu *own, uint32_t head, uint32_t a, uint32_t b)
{
	trace_record(own, head, a, b, 0, 0, 0);
}

__cold __attribute__((noinline)) uint32_t trace_ticks(uint64_t from, uint64_t to)
{
	return to < from ? 0 : (uint32_t)MIN(to - from, (uint64_t)TRACE_TICKS_MAX);
}
