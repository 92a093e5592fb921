/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of FP/SIMD registers and of the C library in several tasks at a time, with time slices so short that they
 * interleave.
 */
#include "test/fp.h"
#include "test/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ABOVE (TEST_PRIORITY + 1)
#define TASKS 4u
#define SLICE_US 7u

/* Runs entry in TASKS equal tasks that take turns; entry's argument is the task's number. */
static void run_interleaved(void (*entry)(void *arg))
{
	rtos_time_slice(rtos_us(SLICE_US));
	rtos_task_set_priority(NULL, ABOVE + 1);
	for (unsigned int n = 0; n < TASKS; n++)
		test_start(n, ABOVE, entry, (void *)(uintptr_t)n);
	rtos_task_set_priority(NULL, TEST_PRIORITY);
	test_join();
	rtos_time_slice(0);
}

static void holds_fp(void *arg)
{
	uint64_t seed = 1000 * (uintptr_t)arg + (uintptr_t)arg;

	for (uint32_t i = 0; i < 200; i++) {
		CHECK(fp_hold(seed, 1000 + 37 * i) == 0);
		CHECK(fp_yield(seed, 3) == 0);
	}
}

void test_fp_registers(void)
{
	run_interleaved(holds_fp);
	CHECK(test_task(0)->switch_count > 200 * 3 + 100); /* more often than it yielded: it was pre-empted */
}

static void uses_state(void *arg)
{
	unsigned int n = (unsigned int)(uintptr_t)arg;

	for (uint32_t i = 0; i < 100; i++) {
		char text[40], number[40], *place, *end;
		double value = n * 1000 + i + 0.125;

		snprintf(text, sizeof(text), "a%u b%u c%u", n, n, n);
		snprintf(number, sizeof(number), "%.4f", value);
		errno = (int)(100 + n);
		place = strtok(text, " ");
		rtos_yield();
		CHECK(strtod(number, &end) == value && !*end); /* exact in binary */
		place = strtok(NULL, " ");
		CHECK(place && place[0] == 'b' && place[1] == (char)('0' + n));
		rtos_yield();
		CHECK(errno == (int)(100 + n));
		CHECK(lseek(1, 0, SEEK_SET) == -1 && errno == ESPIPE);
		rtos_yield();
		CHECK(errno == ESPIPE);
	}
}

void test_libc_state(void)
{
	errno = 7;
	run_interleaved(uses_state);
	CHECK(errno == 7);
}

static void uses_heap(void *arg)
{
	unsigned char n = (unsigned char)(uintptr_t)arg;
	unsigned char *blocks[16] = { 0 };

	for (uint32_t i = 0; i < 2000; i++) {
		uint32_t slot = i * 7 % 16, bytes = 16 + i * 13 % 400;

		if (blocks[slot]) {
			CHECK(blocks[slot][0] == n && blocks[slot][15] == n);
			free(blocks[slot]);
		}
		blocks[slot] = malloc(bytes);
		CHECK(blocks[slot]);
		if (blocks[slot])
			memset(blocks[slot], n, bytes);
	}
	for (uint32_t slot = 0; slot < 16; slot++)
		free(blocks[slot]);
}

void test_libc_malloc(void)
{
	run_interleaved(uses_heap);
}

static void prints_unfinished(void *arg)
{
	printf("rtos-test: stream %u", (unsigned int)(uintptr_t)arg); /* flushed at the end, by the kernel */
}

/* The heap doesn't grow with the number of tasks that printed and ended. */
void test_libc_streams(void)
{
	void *before = NULL;

	for (uint32_t i = 0; i < 50; i++) {
		test_start(0, ABOVE, prints_unfinished, (void *)(uintptr_t)i);
		test_join();
		printf("\n");
		if (i == 9)
			before = sbrk(0);
	}
	CHECK(sbrk(0) == before);
}
