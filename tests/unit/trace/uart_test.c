/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trace over a PL011 whose FIFO fills: drivers/uart/pl011.c as it is, on a model of the UART's registers (DDI 0183 G, 3.2 and
 * 3.3) whose line drains 16 bytes of FIFO at 115,200 baud in virtual time. Nothing is lost, doubled or out of order, wherever in a
 * frame the FIFO was full.
 *
 * The driver is compiled with the compiler's calls for the thread sanitizer, which come before each volatile access; here they are
 * the bus. Before a read the model puts the register's value where it will be read; what a write left there it sees at the next
 * call, the driver's return included.
 */
#include "trace_unit.h"

#include <string.h>

#include "camber/uart_pl011.h"

#define DR 0x00
#define FR 0x18
#define LCR_H 0x2c
#define CR 0x30
#define FR_BUSY 0x08u
#define FR_RXFE 0x10u
#define FR_TXFF 0x20u
#define FR_TXFE 0x80u
#define BAUD 115200u

/* --- the UART --------------------------------------------------------------------------------------------------------- */

static struct {
	uint32_t reg[0x1000 / 4];
	uint32_t *written; /* a write whose value isn't looked at yet */
	uint8_t fifo[32];
	unsigned int depth, count, most;
	uint64_t next;      /* tick at which the byte on the line has left, in bits of BAUD; 0: the line is idle */
	unsigned int fulls; /* reads that found the FIFO full */
	unsigned int lost;  /* bytes written to a full FIFO */
	uint64_t sent;
} uart;

static void leave(void)
{
	char byte = (char)uart.fifo[0];

	memmove(uart.fifo, uart.fifo + 1, --uart.count);
	uart.sent++;
	unit_decode(&unit_decoder, &byte, 1);
}

/* Bytes leave as time passes: start bit, 8 bits, stop bit. */
static void drain(void)
{
	while (uart.count && uart.next <= arch_now() * BAUD) {
		leave();
		uart.next += 10 * HZ;
	}
	if (!uart.count)
		uart.next = 0;
}

static void settle(void)
{
	if (!uart.written)
		return;
	if (uart.written == &uart.reg[DR / 4]) {
		assert_true(uart.reg[CR / 4] & 0x101);
		if (!uart.count)
			uart.next = MAX(uart.next, arch_now() * BAUD + 10 * HZ);
		if (uart.count < uart.depth)
			uart.fifo[uart.count++] = (uint8_t)uart.reg[DR / 4];
		else
			uart.lost++;
		uart.most = MAX(uart.most, uart.count);
	}
	uart.written = NULL;
}

void __tsan_init(void);
void __tsan_func_entry(void *caller);
void __tsan_func_exit(void *unused);
void __tsan_read1(void *p);
void __tsan_volatile_read4(void *p);
void __tsan_volatile_write4(void *p);

void __tsan_init(void)
{
}

void __tsan_func_entry(void *caller)
{
	(void)caller;
}

void __tsan_func_exit(void *unused)
{
	(void)unused;
	settle();
}

void __tsan_read1(void *p)
{
	(void)p; /* text */
}

void __tsan_volatile_read4(void *p)
{
	settle();
	assert_ptr_equal(p, &uart.reg[FR / 4]);
	drain();
	uart.reg[FR / 4] = FR_RXFE | (uart.count ? FR_BUSY : FR_TXFE) | (uart.count == uart.depth ? FR_TXFF : 0);
	uart.fulls += uart.count == uart.depth;
}

void __tsan_volatile_write4(void *p)
{
	settle();
	assert_in_range((uintptr_t)p, (uintptr_t)uart.reg, (uintptr_t)uart.reg + sizeof(uart.reg) - 4);
	uart.written = p;
}

/* --- tests ------------------------------------------------------------------------------------------------------------ */

static struct trace_line line;

static void power_on(unsigned int depth)
{
	memset(&uart, 0, sizeof(uart));
	uart.depth = depth;
	line = (struct trace_line){ .put = pl011_ops.put, .dev = pl011_init((uintptr_t)uart.reg) };
	assert_int_equal(uart.reg[LCR_H / 4], 0x70);
	unit_seed = depth;
	unit_trace_reset(UNIT_CPUS);
}

/* `rate` the stream keeps to, turns when it asks for them plus up to `late` ticks; records come as fast as they like. */
static void run(uint32_t rate, uint64_t late, unsigned int records)
{
	uint64_t when, start = arch_now(), most;

	trace_stream_set(&line, rate);
	for (unsigned int i = 0; i < records;) {
		when = trace_turn(arch_now());
		if (when > arch_now()) {
			unit_make(unit_random() % UNIT_CPUS);
			i++;
			host_set_now(when + (late ? unit_random() % late : 0));
		} else {
			host_set_now(arch_now() + 30);
		}
	}
	drain();
	/* Never more than the wire can have carried. */
	most = ((arch_now() - start) * BAUD / 10) / HZ + 1;
	assert_true(uart.sent <= most);
	unit_turns(30 * HZ);
	drain();
	assert_int_equal(uart.count, 0);
	assert_int_equal(uart.lost, 0);
	assert_int_equal(unit_decoder.bad, 0);
	assert_int_equal(unit_decoder.repeated, 0);
	assert_int_equal(unit_decoder.used, 0);
	unit_check_exact();
	trace_stream_set(NULL, 0);
	unit_turns(HZ);
	drain();
	assert_true(unit_status.flags & TRACE_STATUS_ENDED);
}

/* As fast as the line takes it: the FIFO is full again and again, at every place of a frame. */
static void test_full(void **state)
{
	(void)state;
	power_on(16);
	run(0, 0, 20000);
	assert_int_equal(uart.most, 16);
	assert_true(uart.fulls > 1000);
}

/* FIFOs of later revisions are deeper, which the driver doesn't rely on; and turns come late. */
static void test_deep(void **state)
{
	(void)state;
	power_on(32);
	run(0, HZ / 200, 5000);
	assert_true(uart.most > 16);
}

/* At the line's own rate: late turns make good what they missed, so it fills now and then. */
static void test_paced(void **state)
{
	(void)state;
	power_on(16);
	run(BAUD / 10, 0, 5000);
	power_on(16);
	run(BAUD / 10, HZ / 100, 5000);
	assert_true(uart.fulls > 100);
}

/* Told a rate that the line doesn't have. */
static void test_wrong_rate(void **state)
{
	(void)state;
	power_on(16);
	run(4 * BAUD / 10, 0, 10000);
	assert_true(uart.fulls > 1000);
}

/* Full at every number of bytes that a put can take, and each byte of a frame. */
static void test_boundaries(void **state)
{
	uint8_t seen[TRACE_TURN_BYTES] = { 0 };
	unsigned int kinds = 0;

	(void)state;
	power_on(16);
	trace_stream_set(&line, 0);
	for (unsigned int i = 0; i < 200000 && kinds < 16; i++) {
		uint64_t before = uart.sent + uart.count;
		unsigned int taken;

		if (i % 4 == 0)
			unit_make(unit_random() % UNIT_CPUS);
		(void)trace_turn(arch_now());
		drain();
		taken = (unsigned int)(uart.sent + uart.count - before);
		assert_true(taken <= TRACE_TURN_BYTES);
		if (uart.fulls && uart.count == 16 && taken < TRACE_TURN_BYTES && !seen[taken]) {
			seen[taken] = 1;
			kinds++;
		}
		/* The next look comes when any number of bytes has left. */
		host_set_now(arch_now() + unit_random() % 16 * 10 * HZ / BAUD);
	}
	assert_in_range(kinds, 15, 16);
	unit_turns(30 * HZ);
	drain();
	assert_int_equal(uart.lost, 0);
	assert_int_equal(unit_decoder.bad, 0);
	unit_check_exact();
}

/* A panic polls a UART that is full, and ends all the same if it stays so: time stands still here. */
static void test_panic(void **state)
{
	(void)state;
	power_on(16);
	trace_stream_set(&line, 1000);
	unit_make_many(0, 100);
	for (unsigned int i = 0; i < 100; i++)
		(void)trace_turn(arch_now());
	trace_panic(16);
	assert_in_range(uart.fulls, 1000, 4000000);
	assert_int_equal(uart.lost, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full),       cmocka_unit_test(test_deep),       cmocka_unit_test(test_paced),
		cmocka_unit_test(test_wrong_rate), cmocka_unit_test(test_boundaries), cmocka_unit_test(test_panic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
