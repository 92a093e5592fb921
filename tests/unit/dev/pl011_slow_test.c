/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv/dev/pl011.c when the console's line is slower than the guest: what the guest sees of it (DDI 0183G, 2.8.2, 3.3.3), and
 * that drivers which keep to the manual lose nothing.
 */
#include "slow_uart.h"

#include <stdio.h>

#include "abi/platform.h"
#include "camber/dev.h"

#define DR 0x00
#define FR 0x18
#define LCR_H 0x2c
#define CR 0x30
#define IFLS 0x34
#define IMSC 0x38
#define RIS 0x3c
#define MIS 0x40
#define ICR 0x44

#define RXIS 0x10
#define TXIS 0x20
#define RTIS 0x40

#define BUSY 0x08
#define RXFE 0x10
#define TXFF 0x20
#define TXFE 0x80

#define FEN 0x10
#define LBE 0x80

#define TX_FIFO 32u

static struct vm *vm;
static unsigned int written; /* bytes of the text below */

static uint32_t rd(uint64_t offset)
{
	struct mmio_access a = { .offset = offset, .bytes = 4 };
	const struct mmio_region *r = mmio_find(&vm->mmio, gpa(GUEST_UART_BASE + offset), 4);

	assert_non_null(r);
	assert_true(r->handler(NULL, r->dev, &a));
	return (uint32_t)a.value;
}

static void wr(uint64_t offset, uint32_t value)
{
	struct mmio_access a = { .offset = offset, .bytes = 4, .write = true, .value = value };
	const struct mmio_region *r = mmio_find(&vm->mmio, gpa(GUEST_UART_BASE + offset), 4);

	assert_non_null(r);
	assert_true(r->handler(NULL, r->dev, &a));
}

static bool irq(void)
{
	return host_irq_level(vm, GUEST_UART_INTID);
}

/* The text that everybody sends: lines of 10 bytes, numbered. */
static char text_byte(unsigned int i)
{
	char line[12];

	(void)snprintf(line, sizeof(line), "n %07u\n", i / 10 % 10000000);
	return line[i % 10];
}

static void send(void)
{
	wr(DR, (unsigned char)text_byte(written++));
}

static void check_all_arrived(void)
{
	const char *p;
	char want[24];
	unsigned int n = 0;

	while (written % 10) {
		while (rd(FR) & TXFF)
			assert_true(slow_step());
		send();
	}
	while (rd(FR) & BUSY)
		assert_true(slow_step());
	slow_drain();
	for (p = slow_wire(); *p; p += strlen(want), n++) {
		(void)snprintf(want, sizeof(want), "[uart] n %07u\r\n", n);
		assert_memory_equal(p, want, strlen(want));
	}
	assert_int_equal(10 * n, written);
}

static void reset(void)
{
	for (struct vm_device *d = vm->devices; d; d = d->next)
		d->reset(d);
}

static int begin(void **state)
{
	(void)state;
	slow = (typeof(slow)){ .typed = "" };
	written = 0;
	reset();
	assert_int_equal(rd(FR), TXFE | RXFE);
	return 0;
}

/* Sends until the console holds the port; the line that is held was just completed. */
static void until_held(void)
{
	while (!(rd(FR) & BUSY))
		send();
	assert_int_equal(written % 10, 0);
	assert_true(written > 500);
}

static void until_ready(void)
{
	while (rd(FR) & BUSY)
		assert_true(slow_step());
}

static void flags_and_levels(void **state)
{
	static const uint32_t levels[5] = { 4, 8, 16, 24, 28 };

	for (uint32_t select = 0; select < 5; select++) {
		(void)begin(state);
		wr(LCR_H, FEN);
		wr(IFLS, select);
		until_held();
		/* The FIFO itself is empty, so the guest may go on. */
		assert_int_equal(rd(FR), TXFE | RXFE | BUSY);
		assert_int_equal(rd(RIS), TXIS);
		wr(IMSC, TXIS);
		assert_true(irq());
		for (uint32_t n = 1; n <= TX_FIFO; n++) {
			send();
			assert_int_equal(rd(FR), RXFE | BUSY | (n == TX_FIFO ? TXFF : 0));
			assert_int_equal(rd(RIS), n <= levels[select] ? TXIS : 0);
			assert_int_equal(irq(), n <= levels[select]);
		}
		/* Room on the line: everything leaves, the interrupt comes. */
		until_ready();
		assert_int_equal(rd(FR), TXFE | RXFE);
		assert_int_equal(rd(RIS), TXIS);
		assert_true(irq());
		check_all_arrived();
	}
}

static void without_fifo(void **state)
{
	(void)state;
	until_held();
	assert_int_equal(rd(FR), TXFE | RXFE | BUSY);
	send();
	assert_int_equal(rd(FR), TXFF | RXFE | BUSY);
	assert_int_equal(rd(RIS), 0);
	until_ready();
	assert_int_equal(rd(RIS), TXIS);
	check_all_arrived();
}

/* U-Boot, EDK2, early consoles: wait for room before every byte. Linux' console waits for the end of BUSY besides. */
static void polling_driver_loses_nothing(void **state)
{
	unsigned int waits = 0;

	for (uint32_t fifo = 0; fifo <= FEN; fifo += FEN) {
		(void)begin(state);
		wr(LCR_H, fifo);
		while (written < 30000) {
			while (rd(FR) & TXFF) {
				assert_true(slow_step());
				waits++;
			}
			send();
		}
		assert_true(waits > 10000);
		check_all_arrived();
	}
}

/* Linux' amba-pl011: 16 bytes for each interrupt, half of the 32 that an r1p5 has, without a look at the flags. */
static void interrupt_driver_loses_nothing(void **state)
{
	unsigned int interrupts = 0;

	(void)state;
	wr(IFLS, 0x12);
	wr(LCR_H, 0x70);
	wr(CR, 0xf01);
	wr(IMSC, TXIS | RXIS | RTIS);
	send();
	while (written < 30000) {
		while (!irq())
			assert_true(slow_step());
		interrupts++;
		assert_int_equal(rd(MIS), TXIS);
		for (int i = 0; i < 16; i++)
			send();
		(void)slow_step();
	}
	assert_true(interrupts > 1000);
	wr(IMSC, 0);
	check_all_arrived();
}

/* The interrupt cleared by hand while the port is held: it comes again when bytes have left. */
static void cleared_while_held(void **state)
{
	(void)state;
	wr(LCR_H, FEN);
	wr(IMSC, TXIS);
	until_held();
	send();
	assert_true(irq());
	wr(ICR, TXIS);
	assert_false(irq());
	until_ready();
	assert_true(irq());
	wr(IMSC, 0);
	check_all_arrived();
}

/* A guest that doesn't look loses its own bytes, as on hardware, and the line goes on. */
static void a_guest_that_does_not_look(void **state)
{
	const char *p;
	unsigned int lines = 0;

	(void)state;
	wr(LCR_H, FEN);
	for (unsigned int i = 0; i < 100000; i++)
		send();
	assert_true(rd(FR) & TXFF);
	until_ready();
	wr(DR, '\n');
	slow_drain();
	for (p = slow_wire(); *p; p = strstr(p, "\r\n") + 2, lines++)
		assert_memory_equal(p, "[uart] ", 7);
	assert_in_range(lines, 50, 1000);
}

/* The VM starts anew: its FIFO is empty, what was complete comes out, and no interrupt is left over. */
static void reset_while_held(void **state)
{
	unsigned int sent;

	(void)state;
	wr(LCR_H, FEN);
	until_held();
	sent = written;
	for (int i = 0; i < 20; i++)
		send();
	reset();
	assert_int_equal(rd(FR), TXFE | RXFE | BUSY);
	assert_int_equal(rd(RIS), 0);
	until_ready();
	assert_int_equal(rd(RIS), 0);
	assert_int_equal(rd(FR), TXFE | RXFE);
	written = sent;
	check_all_arrived();
}

static void loop_back_while_held(void **state)
{
	(void)state;
	wr(LCR_H, FEN);
	until_held();
	wr(CR, 0x301 | LBE);
	wr(DR, 'x');
	assert_int_equal(rd(FR), TXFE | BUSY);
	assert_int_equal(rd(DR), 'x');
	wr(CR, 0x301);
	assert_int_equal(rd(FR), TXFE | RXFE | BUSY);
	until_ready();
	check_all_arrived();
}

/* Input arrives while output waits. */
static void receive_while_held(void **state)
{
	(void)state;
	wr(LCR_H, FEN);
	wr(IMSC, RTIS);
	until_held();
	slow_type("q");
	assert_true(irq());
	assert_int_equal(rd(FR), TXFE | BUSY);
	assert_int_equal(rd(DR), 'q');
	assert_false(irq());
	until_ready();
	assert_false(irq());
	check_all_arrived();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(flags_and_levels, begin),
		cmocka_unit_test_setup(without_fifo, begin),
		cmocka_unit_test_setup(polling_driver_loses_nothing, begin),
		cmocka_unit_test_setup(interrupt_driver_loses_nothing, begin),
		cmocka_unit_test_setup(cleared_while_held, begin),
		cmocka_unit_test_setup(a_guest_that_does_not_look, begin),
		cmocka_unit_test_setup(reset_while_held, begin),
		cmocka_unit_test_setup(loop_back_while_held, begin),
		cmocka_unit_test_setup(receive_while_held, begin),
	};

	time_init(1000000000);
	unit_memory(UINT64_C(0x100000));
	unit_cpus(1);
	vm = unit_vm("uart", 1);
	console_init(&slow_ops, NULL);
	if (vpl011_create(vm))
		return 1;
	console_input_start();
	console_async();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
