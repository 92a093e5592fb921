/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binary heap of deadlines, slots 1 to count; parent of slot n is n / 2. Never waits, never allocates: a
 * deadline's owner is a task or one of two others, so the array can't overflow. Interrupts masked throughout.
 */
#include "kernel/deadline.h"

#include "arch/port.h"

static struct {
	uint64_t armed; /* what the timer is set to; UINT64_MAX: nothing */
	uint32_t count;
	struct rtos_deadline *slot[DEADLINE_MAX + 1];
} heap;

static void heap_put(uint32_t slot, struct rtos_deadline *deadline)
{
	heap.slot[slot] = deadline;
	deadline->slot = slot;
}

/* Towards the root until the parent isn't later. */
static void heap_rise(uint32_t slot, struct rtos_deadline *deadline)
{
	while (slot > 1 && heap.slot[slot / 2]->at > deadline->at) {
		heap_put(slot, heap.slot[slot / 2]);
		slot /= 2;
	}
	heap_put(slot, deadline);
}

/* Away from the root until no child is earlier. */
static void heap_sink(uint32_t slot, struct rtos_deadline *deadline)
{
	for (;;) {
		uint32_t child = 2 * slot;

		if (child > heap.count)
			break;
		if (child < heap.count && heap.slot[child + 1]->at < heap.slot[child]->at)
			child++;
		if (heap.slot[child]->at >= deadline->at)
			break;
		heap_put(slot, heap.slot[child]);
		slot = child;
	}
	heap_put(slot, deadline);
}

void deadline_add(struct rtos_deadline *deadline, uint64_t at)
{
	deadline->at = at;
	heap_rise(++heap.count, deadline);
	if (at < heap.armed) {
		heap.armed = at;
		port_timer_arm(at);
	}
}

void deadline_take(struct rtos_deadline *deadline)
{
	uint32_t slot = deadline->slot;
	struct rtos_deadline *last;

	deadline->slot = 0;
	last = heap.slot[heap.count--];
	if (last == deadline)
		return;
	if (slot > 1 && heap.slot[slot / 2]->at > last->at)
		heap_rise(slot, last);
	else
		heap_sink(slot, last);
}

void deadline_run(uint64_t now)
{
	while (heap.count && heap.slot[1]->at <= now) {
		struct rtos_deadline *deadline = heap.slot[1];

		deadline_take(deadline);
		deadline->expired(deadline);
	}
	if (heap.count) {
		heap.armed = heap.slot[1]->at;
		port_timer_arm(heap.armed);
	} else {
		heap.armed = UINT64_MAX;
		port_timer_off();
	}
}

uint64_t deadline_armed(void)
{
	return heap.armed;
}

void deadline_reset(void)
{
	while (heap.count)
		heap.slot[heap.count--]->slot = 0;
	heap.armed = UINT64_MAX;
	port_timer_off();
}
