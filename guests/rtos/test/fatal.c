/* SPDX-License-Identifier: Apache-2.0 */
/* Tests that end the machine: what is found wrong, and what is then told. */
#include "test/test.h"

#include <assert.h>
#include <stdlib.h>

#define ABOVE (TEST_PRIORITY + 1)

static volatile double value = 1;

static void raise_handler(rtos_irq_handler_t *handler)
{
	CHECK(rtos_irq_attach(TEST_INTID, RTOS_IRQ_URGENT, handler, NULL) == RTOS_OK);
	CHECK(rtos_irq_raise(TEST_INTID) == RTOS_OK);
	test_spin(rtos_us(100));
}

RTOS_HANDLER static __attribute__((noinline)) uint32_t recurse(uint32_t depth)
{
	volatile uint32_t block[64];

	block[depth % 64] = depth;
	return depth ? recurse(depth - 1) + block[depth % 64] : 0;
}

RTOS_HANDLER static void recursing_handler(void *arg)
{
	(void)arg;
	CHECK(recurse(UINT32_MAX));
}

void test_irq_stack_overflow(void)
{
	raise_handler(recursing_handler);
}

static void fp_handler(void *arg)
{
	(void)arg;
	value *= 2;
}

void test_irq_uses_fp(void)
{
	raise_handler(fp_handler);
}

RTOS_HANDLER static void malloc_handler(void *arg)
{
	(void)arg;
	free(malloc(10));
}

void test_irq_uses_libc(void)
{
	raise_handler(malloc_handler);
}

void test_assertion(void)
{
	RTOS_ASSERT(value == 2);
}

void test_c_assertion(void)
{
	assert(value == 3);
}

void test_null_pointer(void)
{
	/* Not in C: the compiler would know what it does. */
	__asm__ volatile("str wzr, [%0]" : : "r"(UINT64_C(0)) : "memory");
}

static void spins(void *arg)
{
	(void)arg;
	test_spin(rtos_us(100000));
}

void test_hang(void)
{
	rtos_hang_watch(rtos_us(1000), 20);
	test_start(0, ABOVE, spins, NULL);
}

static void keeps(void *arg)
{
	static struct rtos_mutex mutex;

	(void)arg;
	rtos_mutex_lock(&mutex, RTOS_FOREVER);
}

void test_mutex_kept(void)
{
	test_start(0, ABOVE, keeps, NULL);
}
