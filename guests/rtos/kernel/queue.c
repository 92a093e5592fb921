/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Message queues: a ring of items of one size.
 *
 * Senders wait only while it is full and receivers only while it is empty. Who can't wait any longer is served by the
 * other side: an item goes straight to the first waiting receiver; whoever takes an item from a full ring puts the
 * first waiting sender's in. So nobody who wakes has to look again, nothing is overtaken, and each item is copied a
 * constant number of times.
 */
#include "arch/port.h"
#include "kernel/sched.h"

/* The kernel doesn't call the C library: its memcpy may use FP/SIMD registers. */
static void copy(void *to, const void *from, uint32_t bytes)
{
	if (((uintptr_t)to | (uintptr_t)from | bytes) % sizeof(uint64_t) == 0) {
		uint64_t *to_words = to;
		const uint64_t *from_words = from;

		for (uint32_t i = 0; i < bytes / sizeof(uint64_t); i++)
			to_words[i] = from_words[i];
	} else {
		uint8_t *to_bytes = to;
		const uint8_t *from_bytes = from;

		for (uint32_t i = 0; i < bytes; i++)
			to_bytes[i] = from_bytes[i];
	}
}

static void ring_put(struct rtos_queue *queue, const void *item)
{
	copy(queue->items + (size_t)queue->write * queue->item_bytes, item, queue->item_bytes);
	queue->write = queue->write + 1 == queue->capacity ? 0 : queue->write + 1;
	queue->count++;
}

static void ring_get(struct rtos_queue *queue, void *item)
{
	copy(item, queue->items + (size_t)queue->read * queue->item_bytes, queue->item_bytes);
	queue->read = queue->read + 1 == queue->capacity ? 0 : queue->read + 1;
	queue->count--;
}

int rtos_queue_init(struct rtos_queue *queue, void *items, uint32_t item_bytes, uint32_t capacity)
{
	if (!items || !item_bytes || item_bytes > RTOS_QUEUE_ITEM_MAX || !capacity || capacity > INT32_MAX / item_bytes)
		return RTOS_EINVAL;
	*queue = (struct rtos_queue){ .items = items, .item_bytes = item_bytes, .capacity = capacity };
	return RTOS_OK;
}

/* Waits in one of the lists; whoever wakes the task has dealt with its item. */
static int queue_wait(struct rtos_list *list, enum rtos_task_state state, void *item, uint64_t deadline, uint64_t saved)
{
	int result = sched_may_wait(deadline, saved);

	if (result != RTOS_OK)
		return result;
	sched.current->item = item;
	return sched_wait(list, state, deadline);
}

int rtos_queue_send(struct rtos_queue *queue, const void *item, uint64_t deadline)
{
	uint64_t saved = port_irq_save();
	struct rtos_task *receiver = queue->receivers.first;
	int result = RTOS_OK;

	if (receiver) {
		copy(receiver->item, item, queue->item_bytes);
		sched_wake(receiver, RTOS_OK);
		sched_resched(saved);
	} else if (queue->count < queue->capacity) {
		ring_put(queue, item);
	} else {
		/* Only read, by ring_put() in rtos_queue_receive(). */
		result = queue_wait(&queue->senders, RTOS_TASK_WAIT_SEND, (void *)(uintptr_t)item, deadline, saved);
	}
	port_irq_restore(saved);
	return result;
}

int rtos_queue_receive(struct rtos_queue *queue, void *item, uint64_t deadline)
{
	uint64_t saved = port_irq_save();
	struct rtos_task *sender = queue->senders.first;
	int result = RTOS_OK;

	if (queue->count) {
		ring_get(queue, item);
		if (sender) {
			ring_put(queue, sender->item);
			sched_wake(sender, RTOS_OK);
			sched_resched(saved);
		}
	} else {
		result = queue_wait(&queue->receivers, RTOS_TASK_WAIT_RECEIVE, item, deadline, saved);
	}
	port_irq_restore(saved);
	return result;
}

uint32_t rtos_queue_count(const struct rtos_queue *queue)
{
	return *(const volatile uint32_t *)&queue->count;
}
