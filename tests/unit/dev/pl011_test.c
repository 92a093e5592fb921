/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv/dev/pl011.c as its guest sees it: registers of DDI 0183G by number, interrupt line, FIFOs, loop back; then the exact
 * sequences of the drivers that have to work.
 */
#include "support.h"

#include <string.h>

#include "abi/platform.h"
#include "camber/console.h"
#include "camber/dev.h"

#define DR 0x00
#define RSR 0x04
#define FR 0x18
#define IBRD 0x24
#define FBRD 0x28
#define LCR_H 0x2c
#define CR 0x30
#define IFLS 0x34
#define IMSC 0x38
#define RIS 0x3c
#define MIS 0x40
#define ICR 0x44
#define DMACR 0x48

#define RXIS 0x10
#define TXIS 0x20
#define RTIS 0x40
#define OEIS 0x400

#define RXFE 0x10
#define RXFF 0x40
#define TXFE 0x80

#define FEN 0x10
#define LBE 0x80

#define BACKLOG 1024 /* bytes that wait before the FIFO */

static struct vm *vm;

static bool access(uint64_t offset, uint32_t bytes, bool write, uint64_t *value)
{
	struct mmio_access a = { .offset = offset, .value = *value, .bytes = bytes, .write = write };
	const struct mmio_region *r = mmio_find(&vm->mmio, gpa(GUEST_UART_BASE + offset), bytes);
	bool ok;

	assert_non_null(r);
	ok = r->handler(NULL, r->dev, &a);
	*value = a.value;
	return ok;
}

static uint32_t rd(uint64_t offset)
{
	uint64_t value = 0;

	assert_true(access(offset, 4, false, &value));
	assert_true(value <= UINT32_MAX);
	return (uint32_t)value;
}

static void wr(uint64_t offset, uint32_t data)
{
	uint64_t value = data;

	assert_true(access(offset, 4, true, &value));
}

static bool irq(void)
{
	return host_irq_level(vm, GUEST_UART_INTID);
}

static int begin(void **state)
{
	(void)state;
	for (struct vm_device *d = vm->devices; d; d = d->next)
		d->reset(d);
	(void)unit_wire();
	assert_false(irq());
	return 0;
}

static void reset_values(void **state)
{
	static const struct {
		uint64_t offset;
		uint32_t value;
	} regs[] = {
		{ RSR, 0 },      { FR, 0x90 },    { 0x20, 0 },     { IBRD, 0 },     { FBRD, 0 },     { LCR_H, 0 },
		{ CR, 0x300 },   { IFLS, 0x12 },  { IMSC, 0 },     { RIS, 0 },      { MIS, 0 },      { ICR, 0 },
		{ DMACR, 0 },    { 0xfe0, 0x11 }, { 0xfe4, 0x10 }, { 0xfe8, 0x34 }, { 0xfec, 0x00 }, { 0xff0, 0x0d },
		{ 0xff4, 0xf0 }, { 0xff8, 0x05 }, { 0xffc, 0xb1 }, { 0x100, 0 },    { 0x80, 0 },     { 0xfdc, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(regs); i++)
		assert_int_equal(rd(regs[i].offset), regs[i].value);
}

static void registers_keep_what_exists(void **state)
{
	static const struct {
		uint64_t offset;
		uint32_t mask;
	} regs[] = { { 0x20, 0xff }, { IBRD, 0xffff }, { FBRD, 0x3f },  { LCR_H, 0xff },
		     { CR, 0xff87 }, { IFLS, 0x3f },   { IMSC, 0x7ff }, { DMACR, 7 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
		wr(regs[i].offset, UINT32_MAX);
		assert_int_equal(rd(regs[i].offset), regs[i].mask);
		wr(regs[i].offset, 0);
		assert_int_equal(rd(regs[i].offset), 0);
	}
	/* Read-only ones don't move. */
	wr(FR, 0);
	wr(RIS, UINT32_MAX);
	wr(MIS, UINT32_MAX);
	wr(0xfe0, 0);
	assert_int_equal(rd(FR), 0x90);
	assert_int_equal(rd(RIS), 0);
	assert_int_equal(rd(0xfe0), 0x11);
}

static void all_widths(void **state)
{
	uint64_t value;

	(void)state;
	wr(CR, 0xf301);
	value = 0;
	assert_true(access(CR, 1, false, &value));
	assert_int_equal(value, 0x01);
	assert_true(access(CR + 1, 1, false, &value));
	assert_int_equal(value, 0xf3);
	assert_true(access(CR, 2, false, &value));
	assert_int_equal(value, 0xf301);
	assert_true(access(CR + 2, 2, false, &value));
	assert_int_equal(value, 0);
	for (uint32_t bytes = 1; bytes <= 4; bytes *= 2) {
		value = 0;
		assert_true(access(FR, bytes, false, &value));
		assert_int_equal(value, 0x90);
		value = 'a';
		assert_true(access(DR, bytes, true, &value));
	}
	wr(DR, '\n');
	assert_string_equal(unit_wire(), "[uart] aaa\r\n");
	/* Bytes behind a register's first one can't be written alone; nothing is 8 bytes wide. */
	value = 0xff;
	assert_true(access(CR + 1, 1, true, &value));
	assert_int_equal(rd(CR), 0xf301);
	assert_false(access(FR, 8, false, &value));
	assert_false(access(IMSC, 8, true, &value));
	assert_int_equal(rd(IMSC), 0);
}

static void transmit_interrupt(void **state)
{
	unsigned int drives = host_irq_drives(vm, GUEST_UART_INTID);

	(void)state;
	/* Enabled with an empty FIFO nothing happens: the level has to be passed first (2.8.2). */
	wr(IMSC, TXIS);
	assert_false(irq());
	wr(DR, 'x');
	assert_int_equal(rd(RIS), TXIS);
	assert_int_equal(rd(MIS), TXIS);
	assert_true(irq());
	for (int i = 0; i < 100; i++)
		wr(DR, 'y');
	assert_int_equal(rd(FR), 0x90); /* always room */
	assert_int_equal(host_irq_drives(vm, GUEST_UART_INTID), drives + 1);
	wr(ICR, TXIS);
	assert_int_equal(rd(RIS), 0);
	assert_false(irq());
	wr(DR, 'z');
	assert_true(irq());
	wr(IMSC, 0);
	assert_false(irq());
	assert_int_equal(rd(RIS), TXIS);
	assert_int_equal(rd(MIS), 0);
	assert_int_equal(host_irq_drives(vm, GUEST_UART_INTID), drives + 4);
}

static void receive_with_fifo(void **state)
{
	static const struct {
		uint32_t select, level;
	} levels[] = { { 0, 2 }, { 1, 4 }, { 2, 8 }, { 3, 12 }, { 4, 14 } };

	for (size_t l = 0; l < ARRAY_SIZE(levels); l++) {
		(void)begin(state);
		wr(LCR_H, FEN | 0x60);
		wr(IFLS, levels[l].select << 3);
		wr(IMSC, RXIS);
		for (uint32_t n = 1; n <= 16; n++) {
			unit_type("a");
			assert_int_equal(rd(FR), n == 16 ? TXFE | RXFF : TXFE);
			assert_int_equal(rd(RIS), n >= levels[l].level ? RXIS | RTIS : RTIS);
			assert_int_equal(irq(), n >= levels[l].level);
		}
		for (uint32_t n = 15; n + 1 > 0; n--) {
			assert_int_equal(rd(DR), 'a');
			assert_int_equal(rd(RIS), n >= levels[l].level ? RXIS | RTIS : n ? RTIS : 0);
			assert_int_equal(irq(), n >= levels[l].level);
		}
		assert_int_equal(rd(FR), TXFE | RXFE);
	}
}

static void receive_without_fifo(void **state)
{
	(void)state;
	wr(IMSC, RXIS | RTIS);
	unit_type("a");
	assert_int_equal(rd(FR), TXFE | RXFF);
	assert_int_equal(rd(RIS), RXIS | RTIS);
	assert_true(irq());
	unit_type("bc"); /* wait outside */
	assert_int_equal(rd(DR), 'a');
	assert_int_equal(rd(FR), TXFE | RXFF);
	assert_int_equal(rd(DR), 'b');
	assert_int_equal(rd(DR), 'c');
	assert_int_equal(rd(FR), TXFE | RXFE);
	assert_int_equal(rd(RIS), 0);
	assert_false(irq());
	assert_int_equal(rd(DR) & 0xf00, 0); /* reading nothing is no error */
}

/* A guest that clears the interrupt without reading hears of the next byte all the same. */
static void cleared_but_not_read(void **state)
{
	(void)state;
	wr(LCR_H, FEN);
	wr(IMSC, RXIS | RTIS);
	for (int i = 0; i < 20; i++) {
		unit_type("a");
		assert_true(irq());
		wr(ICR, RXIS | RTIS);
		assert_false(irq());
	}
}

/* A pasted script: more than the FIFO holds, nothing is lost and the order kept. */
static void bursts_wait_before_the_fifo(void **state)
{
	char text[BACKLOG + 1];

	(void)state;
	for (size_t i = 0; i < BACKLOG; i++)
		text[i] = (char)('A' + i % 50);
	text[BACKLOG] = '\0';
	wr(LCR_H, FEN);
	wr(IMSC, RTIS);
	unit_type(text);
	for (size_t i = 0; i < BACKLOG; i++) {
		assert_true(irq());
		assert_int_equal(rd(DR), text[i]);
	}
	assert_false(irq());
	assert_int_equal(rd(RSR), 0);
}

static void overrun_from_the_line(void **state)
{
	(void)state;
	wr(LCR_H, FEN);
	wr(IMSC, OEIS);
	for (int i = 0; i < 16 + BACKLOG; i++)
		unit_type("a");
	assert_int_equal(rd(RIS) & OEIS, 0);
	assert_false(irq());
	unit_type("b");
	assert_true(irq());
	assert_int_equal(rd(RSR), 8);
	assert_int_equal(rd(DR), 0x800 | 'a');
	assert_int_equal(rd(DR), 'a');
	wr(ICR, OEIS);
	assert_false(irq());
	wr(RSR, 0);
	assert_int_equal(rd(RSR), 0);
	for (int i = 0; i < 14 + BACKLOG; i++)
		assert_int_equal(rd(DR), 'a');
	assert_int_equal(rd(FR), TXFE | RXFE);
}

static void loop_back(void **state)
{
	(void)state;
	wr(LCR_H, FEN);
	wr(CR, 0x301 | LBE);
	unit_type("line"); /* cut off */
	assert_int_equal(rd(FR), TXFE | RXFE);
	for (int i = 0; i < 16; i++)
		wr(DR, (uint32_t)('a' + i));
	assert_int_equal(rd(FR), TXFE | RXFF);
	assert_int_equal(rd(RSR), 0);
	wr(DR, 'z');
	assert_int_equal(rd(RSR), 8);
	assert_int_equal(rd(RIS), OEIS | RTIS | RXIS | TXIS);
	assert_int_equal(rd(DR), 0x800 | 'a');
	for (int i = 1; i < 16; i++)
		assert_int_equal(rd(DR), 'a' + i);
	assert_int_equal(rd(FR), TXFE | RXFE);
	assert_string_equal(unit_wire(), "");
	/* Modem outputs come back as inputs: RTS-CTS, DTR-DSR, OUT1-DCD, OUT2-RI (2.4.9). */
	wr(CR, LBE | 0x800);
	assert_int_equal(rd(FR), 0x91);
	wr(CR, LBE | 0x400);
	assert_int_equal(rd(FR), 0x92);
	wr(CR, LBE | 0x1000);
	assert_int_equal(rd(FR), 0x94);
	wr(CR, LBE | 0x2000);
	assert_int_equal(rd(FR), 0x190);
	wr(CR, 0x3c00);
	assert_int_equal(rd(FR), 0x90);
}

static void switching_the_fifo_empties_it(void **state)
{
	(void)state;
	wr(LCR_H, FEN);
	wr(CR, LBE);
	wr(DR, 'a');
	wr(DR, 'b');
	wr(LCR_H, FEN | 0x60); /* not a switch */
	assert_int_equal(rd(DR), 'a');
	wr(LCR_H, 0x60);
	assert_int_equal(rd(FR), TXFE | RXFE);
	assert_int_equal(rd(RIS) & (RXIS | RTIS), 0);
}

/* What the last life of the VM left of a line ends with it. */
static void reset_ends_the_line(void **state)
{
	wr(DR, 'x');
	for (struct vm_device *d = vm->devices; d; d = d->next)
		d->reset(d);
	assert_string_equal(unit_wire(), "[uart] x\r\n");
	(void)begin(state);
	assert_string_equal(unit_wire(), "");
	wr(DR, 'y');
	wr(DR, '\n');
	assert_string_equal(unit_wire(), "[uart] y\r\n");
}

static void reset_forgets(void **state)
{
	(void)state;
	wr(LCR_H, FEN);
	wr(IMSC, 0x7ff);
	wr(CR, 0xff01);
	for (int i = 0; i < 40; i++)
		unit_type("a");
	assert_true(irq());
	(void)begin(state);
	reset_values(state);
	assert_false(irq());
	wr(LCR_H, FEN);
	assert_int_equal(rd(FR), TXFE | RXFE);
}

/* Linux 6.x amba-pl011: early console, start-up, interrupt handler, transmit from a full buffer. */
static void linux_driver(void **state)
{
	const char *text = "Welcome to Linux, sent from the interrupt handler\n";
	unsigned int interrupts = 0;

	(void)state;
	/* pl011_putc() of the early console, before anybody has set the UART up. */
	for (const char *p = "early\n"; *p; p++) {
		while (rd(FR) & 0x20)
			fail();
		wr(DR, (unsigned char)*p);
		while (rd(FR) & 0x08)
			fail();
	}
	assert_string_equal(unit_wire(), "[uart] early\r\n");
	/* pl011_hwinit(), pl011_startup(), pl011_set_termios() */
	wr(ICR, 0x750);
	assert_int_equal(rd(RIS) & 0x750, 0);
	wr(IMSC, RTIS | RXIS);
	wr(IFLS, 0x12);
	wr(CR, 0x301);
	wr(IBRD, 13);
	wr(FBRD, 1);
	wr(LCR_H, 0x70);
	wr(CR, 0xf01);
	unit_type("typed ahead");
	wr(ICR, RTIS | RXIS);
	for (int i = 0; i < 32 && !(rd(FR) & RXFE); i++)
		(void)rd(DR);
	wr(IMSC, RTIS | RXIS);
	assert_false(irq());
	/* start_tx fills the FIFO once; the interrupt asks for the rest. */
	wr(IMSC, RTIS | RXIS | TXIS);
	wr(DR, (unsigned char)*text++);
	while (irq()) {
		uint32_t status = rd(RIS) & (RTIS | RXIS | TXIS);

		assert_true(++interrupts < 20);
		wr(ICR, status & ~(uint32_t)(TXIS | RTIS | RXIS));
		if (status & TXIS) {
			for (int i = 0; i < 8 && *text; i++)
				wr(DR, (unsigned char)*text++);
			if (!*text)
				wr(IMSC, RTIS | RXIS);
		}
	}
	assert_string_equal(unit_wire(), "[uart] Welcome to Linux, sent from the interrupt handler\r\n");
	/* A key: receive timeout. */
	unit_type("q");
	assert_true(irq());
	assert_int_equal(rd(MIS), RTIS);
	assert_int_equal(rd(DR), 'q');
	assert_false(irq());
}

/* U-Boot's and EDK2's drivers poll: initialise, wait for room, wait for data. */
static void polling_drivers(void **state)
{
	(void)state;
	wr(CR, 0);
	wr(IBRD, 13);
	wr(FBRD, 1);
	wr(LCR_H, 0x70);
	wr(CR, 0x301);
	assert_int_equal(rd(FR) & 0x20, 0);
	wr(DR, '>');
	wr(DR, '\n');
	assert_string_equal(unit_wire(), "[uart] >\r\n");
	assert_int_not_equal(rd(FR) & RXFE, 0);
	unit_type("k");
	assert_int_equal(rd(FR) & RXFE, 0);
	assert_int_equal(rd(DR), 'k');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(reset_values, begin),
		cmocka_unit_test_setup(registers_keep_what_exists, begin),
		cmocka_unit_test_setup(all_widths, begin),
		cmocka_unit_test_setup(transmit_interrupt, begin),
		cmocka_unit_test_setup(receive_with_fifo, begin),
		cmocka_unit_test_setup(receive_without_fifo, begin),
		cmocka_unit_test_setup(cleared_but_not_read, begin),
		cmocka_unit_test_setup(bursts_wait_before_the_fifo, begin),
		cmocka_unit_test_setup(overrun_from_the_line, begin),
		cmocka_unit_test_setup(loop_back, begin),
		cmocka_unit_test_setup(switching_the_fifo_empties_it, begin),
		cmocka_unit_test_setup(reset_ends_the_line, begin),
		cmocka_unit_test_setup(reset_forgets, begin),
		cmocka_unit_test_setup(linux_driver, begin),
		cmocka_unit_test_setup(polling_drivers, begin),
	};

	time_init(1000000000);
	unit_memory(UINT64_C(0x100000));
	unit_cpus(1);
	vm = unit_vm("uart", 1);
	if (vpl011_create(vm) || !vpl011_create(vm)) /* a second one has no place */
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
