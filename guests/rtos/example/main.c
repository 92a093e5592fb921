/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole application to start from. An interrupt (here one that a task raises; a device's is attached alike) gives a
 * semaphore, an urgent task answers it within its deadline and queues what it found, a less urgent one prints.
 *
 * make RTOS_APP=<copy of this folder> build/guests/rtos/<its name>.elf
 */
#include "rtos.h"

#include <inttypes.h>
#include <stdio.h>

#define INTID 1u /* software interrupt; a device's is from the board's device tree, plus 32 */
#define PERIOD_US 10000u

static struct rtos_sem arrived;
static struct rtos_queue results;
static uint64_t result_items[16];
static struct rtos_task control, print, plant;

RTOS_STACK_DEFINE(control_stack, 8192);
RTOS_STACK_DEFINE(print_stack, 8192);
RTOS_STACK_DEFINE(plant_stack, 8192);

RTOS_HANDLER static void handler(void *arg)
{
	rtos_sem_give(arg); /* control runs when this returns */
}

static void control_run(void *arg)
{
	(void)arg;
	while (rtos_sem_take(&arrived, rtos_in_us(2 * PERIOD_US)) == RTOS_OK) {
		uint64_t late = rtos_now() - rtos_irq_entry_time();

		rtos_queue_send(&results, &late, RTOS_NO_WAIT); /* full: lost, but never late */
	}
	rtos_fatal("example: the interrupt stays away");
}

static void print_run(void *arg)
{
	uint64_t late;

	(void)arg;
	for (uint32_t n = 1; rtos_queue_receive(&results, &late, RTOS_FOREVER) == RTOS_OK; n++)
		printf("example: interrupt %" PRIu32 " answered after %" PRIu64 " ns\n", n, rtos_ticks_to_ns(late));
}

static void plant_run(void *arg)
{
	(void)arg;
	for (uint64_t next = rtos_now();; next += rtos_us(PERIOD_US)) {
		rtos_sleep_until(next);
		rtos_irq_raise(INTID);
	}
}

static void start(struct rtos_task *task, struct rtos_task_config config)
{
	RTOS_ASSERT(rtos_task_create(task, &config) == RTOS_OK);
}

void app_main(void)
{
	RTOS_ASSERT(rtos_sem_init(&arrived, 0, 0) == RTOS_OK);
	RTOS_ASSERT(rtos_queue_init(&results, result_items, sizeof(result_items[0]), 16) == RTOS_OK);
	RTOS_ASSERT(rtos_irq_attach(INTID, RTOS_IRQ_URGENT, handler, &arrived) == RTOS_OK);
	start(&control,
	      (struct rtos_task_config){ "control", 20, control_run, NULL, control_stack, sizeof(control_stack) });
	start(&print, (struct rtos_task_config){ "print", 5, print_run, NULL, print_stack, sizeof(print_stack) });
	start(&plant, (struct rtos_task_config){ "plant", 10, plant_run, NULL, plant_stack, sizeof(plant_stack) });
	printf("example: up\n");
}
