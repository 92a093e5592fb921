/* SPDX-License-Identifier: Apache-2.0 */
/* hv/dev/pl031.c as its guests see it: time, setting it, match interrupt, independence of two VMs. */
#include "support.h"

#include "abi/platform.h"
#include "camber/dev.h"

#define DR 0x00
#define MR 0x04
#define LR 0x08
#define CR 0x0c
#define IMSC 0x10
#define RIS 0x14
#define MIS 0x18
#define ICR 0x1c

#define HZ UINT64_C(62500000)
#define EPOCH UINT64_C(1767225600) /* 1 January 2026 */

static struct vm *vms[2];
static uint64_t wall(void)
{
	/* The board's clock doesn't tick when the counter does: a third of a second later. */
	return EPOCH + (arch_now() + 2 * HZ / 3) / HZ;
}

static bool access(struct vm *vm, uint64_t offset, uint32_t bytes, bool write, uint64_t *value)
{
	struct mmio_access a = { .offset = offset, .value = *value, .bytes = bytes, .write = write };
	const struct mmio_region *r = mmio_find(&vm->mmio, gpa(GUEST_RTC_BASE + offset), bytes);
	bool ok;

	assert_non_null(r);
	ok = r->handler(NULL, r->dev, &a);
	*value = a.value;
	return ok;
}

static uint32_t rd(struct vm *vm, uint64_t offset)
{
	uint64_t value = 0;

	assert_true(access(vm, offset, 4, false, &value));
	return (uint32_t)value;
}

static void wr(struct vm *vm, uint64_t offset, uint32_t data)
{
	uint64_t value = data;

	assert_true(access(vm, offset, 4, true, &value));
}

static bool irq(const struct vm *vm)
{
	return host_irq_level(vm, GUEST_RTC_INTID);
}

static int begin(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2; i++)
		for (struct vm_device *d = vms[i]->devices; d; d = d->next)
			d->reset(d);
	vpl031_set_source(wall);
	assert_int_equal(host_timer(0), TIME_NEVER);
	return 0;
}

static void registers(void **state)
{
	static const uint8_t id[] = { 0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };
	uint64_t value = 0;

	(void)state;
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(rd(vms[0], 0xfe0 + 4 * i), id[i]);
	assert_int_equal(rd(vms[0], CR), 1);
	wr(vms[0], CR, 0);
	assert_int_equal(rd(vms[0], CR), 1);
	assert_int_equal(rd(vms[0], LR), 0);
	assert_int_equal(rd(vms[0], IMSC), 0);
	wr(vms[0], IMSC, UINT32_MAX);
	assert_int_equal(rd(vms[0], IMSC), 1);
	wr(vms[0], DR, 5);
	assert_int_equal(rd(vms[0], DR), (uint32_t)wall());
	assert_int_equal(rd(vms[0], 0x20), 0);
	assert_false(access(vms[0], DR, 8, false, &value));
	value = 7;
	assert_true(access(vms[0], LR, 1, true, &value)); /* a part of a time: ignored */
	assert_int_equal(rd(vms[0], DR), (uint32_t)wall());
	assert_true(access(vms[0], DR, 1, false, &value));
	assert_int_equal(value, wall() & 0xff);
}

static void goes_with_the_board(void **state)
{
	uint32_t start = rd(vms[0], DR);

	(void)state;
	assert_int_equal(start, (uint32_t)wall());
	(void)unit_pass(100 * HZ);
	assert_int_equal(rd(vms[0], DR), start + 100);
	/* No clock on the board: uptime. */
	vpl031_set_source(NULL);
	assert_int_equal(rd(vms[0], DR), arch_now() / HZ);
}

static void setting_is_private(void **state)
{
	(void)state;
	wr(vms[0], LR, 1000);
	assert_int_equal(rd(vms[0], LR), 1000);
	assert_int_equal(rd(vms[0], DR), 1000);
	assert_int_equal(rd(vms[1], DR), (uint32_t)wall());
	(void)unit_pass(5 * HZ);
	assert_int_equal(rd(vms[0], DR), 1005);
	wr(vms[0], LR, UINT32_MAX); /* wraps like the 32-bit counter that it is */
	(void)unit_pass(2 * HZ);
	assert_int_equal(rd(vms[0], DR), 1);
}

static void match_interrupt(void **state)
{
	(void)state;
	wr(vms[0], IMSC, 1);
	wr(vms[0], MR, rd(vms[0], DR) + 60);
	assert_false(irq(vms[0]));
	(void)unit_pass(58 * HZ);
	assert_false(irq(vms[0]));
	assert_in_range(unit_pass(3 * HZ), 1, 20);
	assert_true(irq(vms[0]));
	assert_false(irq(vms[1]));
	assert_int_equal(rd(vms[0], RIS), 1);
	assert_int_equal(rd(vms[0], MIS), 1);
	wr(vms[0], IMSC, 0);
	assert_false(irq(vms[0]));
	assert_int_equal(rd(vms[0], RIS), 1);
	assert_int_equal(rd(vms[0], MIS), 0);
	wr(vms[0], IMSC, 1);
	wr(vms[0], ICR, 1);
	assert_false(irq(vms[0]));
	assert_int_equal(rd(vms[0], RIS), 0);
	/* Once. */
	assert_int_equal(unit_pass(1000 * HZ), 0);
	assert_false(irq(vms[0]));
}

/* It doesn't come early, and at most an eighth of a second late. */
static void match_is_on_time(void **state)
{
	for (uint64_t phase = 0; phase < 8; phase++) {
		uint32_t target;

		(void)begin(state);
		(void)unit_pass(phase * HZ / 8);
		wr(vms[0], IMSC, 1);
		target = rd(vms[0], DR) + 3;
		wr(vms[0], MR, target);
		while (rd(vms[0], DR) != target) {
			assert_false(irq(vms[0]));
			(void)unit_pass(HZ / 64);
		}
		(void)unit_pass(HZ / 8);
		assert_true(irq(vms[0]));
	}
	(void)begin(state);
}

static void match_now_and_after_setting(void **state)
{
	(void)state;
	wr(vms[0], MR, rd(vms[0], DR));
	assert_int_equal(rd(vms[0], RIS), 1);
	assert_false(irq(vms[0]));
	wr(vms[0], ICR, 1);
	wr(vms[0], IMSC, 1);
	wr(vms[0], MR, 2000);
	wr(vms[0], LR, 1990);
	(void)unit_pass(11 * HZ);
	assert_true(irq(vms[0]));
	/* A moved alarm doesn't come at its old time. */
	wr(vms[0], ICR, 1);
	wr(vms[0], MR, rd(vms[0], DR) + 10);
	wr(vms[0], MR, rd(vms[0], DR) + 100);
	(void)unit_pass(50 * HZ);
	assert_false(irq(vms[0]));
}

static void reset_stops_the_alarm(void **state)
{
	(void)state;
	wr(vms[0], LR, 12345);
	wr(vms[0], IMSC, 1);
	wr(vms[0], MR, 12350);
	(void)begin(state);
	assert_int_equal(unit_pass(100 * HZ), 0);
	assert_false(irq(vms[0]));
	assert_int_equal(rd(vms[0], DR), (uint32_t)wall());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(registers, begin),
		cmocka_unit_test_setup(goes_with_the_board, begin),
		cmocka_unit_test_setup(setting_is_private, begin),
		cmocka_unit_test_setup(match_interrupt, begin),
		cmocka_unit_test_setup(match_is_on_time, begin),
		cmocka_unit_test_setup(match_now_and_after_setting, begin),
		cmocka_unit_test_setup(reset_stops_the_alarm, begin),
	};

	time_init(HZ);
	unit_memory(UINT64_C(0x100000));
	unit_cpus(1);
	for (uint32_t i = 0; i < 2; i++) {
		vms[i] = unit_vm(i ? "b" : "a", i + 1);
		if (vpl031_create(vms[i]))
			return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
