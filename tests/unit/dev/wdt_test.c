/* SPDX-License-Identifier: Apache-2.0 */
/* hv/dev/wdt.c as its guests and the life cycle see it: registers, both timeouts, limits, start, pause, restart. */
#include "support.h"

#include "abi/platform.h"
#include "camber/dev.h"

#define WRR 0x00000
#define IIDR_REFRESH 0x00fcc
#define WCS 0x10000
#define WOR 0x10008
#define WOR_HIGH 0x1000c
#define WCV 0x10010
#define IIDR_CONTROL 0x10fcc

#define EN 1u
#define WS0 2u
#define WS1 4u

#define HZ UINT64_C(62500000)
#define MS (HZ / 1000)

static struct bundle_vm cfg[2];
static struct vm *vms[2];
static unsigned int bites[2];
static const char *reason;

/* In the place of the life cycle's: the VM and the reason are all that matters here. */
void vm_watchdog_bite(struct vm *vm, const char *why)
{
	bites[vm == vms[1]]++;
	reason = why;
}

static uint64_t access(struct vm *vm, uint64_t offset, uint32_t bytes, bool write, uint64_t value)
{
	struct mmio_access a = { .offset = offset, .value = value, .bytes = bytes, .write = write };
	const struct mmio_region *r = mmio_find(&vm->mmio, gpa(GUEST_WDT_BASE + offset), bytes);

	assert_non_null(r);
	assert_true(r->handler(NULL, r->dev, &a));
	return a.value;
}

static uint32_t rd(struct vm *vm, uint64_t offset)
{
	uint64_t value = access(vm, offset, 4, false, UINT64_MAX);

	assert_true(value <= UINT32_MAX);
	return (uint32_t)value;
}

static uint64_t rd64(struct vm *vm, uint64_t offset)
{
	return rd(vm, offset) | (uint64_t)rd(vm, offset + 4) << 32;
}

static void wr(struct vm *vm, uint64_t offset, uint32_t value)
{
	(void)access(vm, offset, 4, true, value);
}

static bool irq(const struct vm *vm)
{
	return host_irq_level(vm, GUEST_WDT_INTID);
}

static void restart(struct vm *vm)
{
	for (struct vm_device *d = vm->devices; d; d = d->next)
		d->reset(d);
}

static void pause_vm(struct vm *vm, bool paused)
{
	for (struct vm_device *d = vm->devices; d; d = d->next)
		d->pause(d, paused);
}

/* VM 0: at most 1000 ms between refreshes, off at the start; VM 1: 400 ms, and 3000 ms from its start. */
static int begin(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		wr(vms[i], WCS, 0); /* WS1 of an earlier test */
		restart(vms[i]);
		bites[i] = 0;
	}
	reason = NULL;
	return 0;
}

static void registers(void **state)
{
	struct vm *vm = vms[0];
	uint64_t wcv;

	(void)state;
	assert_int_equal(rd(vm, IIDR_REFRESH), 0x0001043b);
	assert_int_equal(rd(vm, IIDR_CONTROL), 0x0001043b);
	assert_int_equal(access(vm, IIDR_CONTROL + 2, 1, false, 0), 0x01);
	assert_int_equal(rd(vm, WCS), 0);
	assert_int_equal(rd(vm, WRR), 0);
	assert_int_equal(rd(vm, 0xffc), 0);
	assert_int_equal(rd(vm, 0x1fffc), 0);
	wr(vm, WCS, UINT32_MAX & ~EN);
	assert_int_equal(rd(vm, WCS), 0);
	wr(vm, WCS, UINT32_MAX);
	assert_int_equal(rd(vm, WCS), EN);
	/* Reserved, read-only, too narrow: that is no refresh either. */
	wcv = rd64(vm, WCV);
	(void)unit_pass(MS);
	wr(vm, WCS + 4, 0);
	wr(vm, IIDR_CONTROL, 0);
	(void)access(vm, WCS, 1, true, 0);
	assert_int_equal(rd(vm, WCS), EN);
	assert_int_equal(rd64(vm, WCV), wcv);
	assert_int_equal(rd(vm, WCS + 4), 0);
	wr(vm, WOR, 0x12345678);
	wr(vm, WOR_HIGH, UINT32_MAX);
	assert_int_equal(rd(vm, WOR), 0x12345678);
	assert_int_equal(rd(vm, WOR_HIGH), 0xffff);
	assert_int_equal(access(vm, WOR + 2, 2, false, 0), 0x1234);
	(void)access(vm, WOR, 8, true, UINT64_C(0xffff000000000100));
	assert_int_equal(access(vm, WOR, 8, false, 0), 0x100);
	assert_int_equal(access(vm, WCV, 8, false, 0), arch_now() + 0x100);
	assert_int_equal(rd64(vm, WCV), arch_now() + 0x100);
}

static void off_at_the_start(void **state)
{
	(void)state;
	pause_vm(vms[1], true);
	assert_int_equal(unit_pass(100 * HZ), 0);
	assert_false(irq(vms[0]));
	assert_int_equal(bites[0], 0);
}

static void two_timeouts(void **state)
{
	struct vm *vm = vms[0];

	(void)state;
	wr(vm, WOR, 200 * MS);
	wr(vm, WCS, EN);
	assert_int_equal(rd64(vm, WCV), arch_now() + 200 * MS);
	(void)unit_pass(200 * MS - 1);
	assert_false(irq(vm));
	(void)unit_pass(1);
	assert_true(irq(vm));
	assert_int_equal(rd(vm, WCS), EN | WS0);
	assert_int_equal(rd64(vm, WCV), arch_now() + 200 * MS);
	(void)unit_pass(200 * MS - 1);
	assert_int_equal(bites[0], 0);
	(void)unit_pass(1);
	assert_int_equal(bites[0], 1);
	assert_string_equal(reason, "not refreshed in time");
	assert_int_equal(rd(vm, WCS), EN | WS0 | WS1);
	/* Once. */
	(void)unit_pass(10 * HZ);
	assert_int_equal(bites[0], 1);
}

static void refreshed_by(struct vm *vm, uint64_t offset, uint32_t value)
{
	wr(vm, WOR, 200 * MS);
	wr(vm, WCS, EN);
	(void)unit_pass(300 * MS);
	assert_true(irq(vm));
	wr(vm, offset, value);
	assert_false(irq(vm));
	assert_int_equal(rd(vm, WCS), EN);
	assert_int_equal(rd64(vm, WCV), arch_now() + 200 * MS);
	(void)unit_pass(399 * MS);
	assert_int_equal(bites[0], 0);
}

static void refreshes(void **state)
{
	(void)state;
	pause_vm(vms[1], true);
	refreshed_by(vms[0], WRR, 0);
	refreshed_by(vms[0], WRR, 0xdeadbeef);
	refreshed_by(vms[0], WCS, EN);
	refreshed_by(vms[0], WOR, 200 * MS);
	refreshed_by(vms[0], WOR_HIGH, 0);
}

/* For hours, as long as somebody is there. */
static void regular_refreshes(void **state)
{
	(void)state;
	pause_vm(vms[1], true);
	wr(vms[0], WCS, EN);
	for (unsigned int i = 0; i < 10000; i++) {
		(void)unit_pass(499 * MS);
		assert_false(irq(vms[0]));
		wr(vms[0], WRR, 0);
	}
	assert_int_equal(bites[0], 0);
}

static void switched_off(void **state)
{
	(void)state;
	pause_vm(vms[1], true);
	wr(vms[0], WCS, EN);
	(void)unit_pass(600 * MS);
	assert_true(irq(vms[0]));
	wr(vms[0], WCS, 0);
	assert_false(irq(vms[0]));
	assert_int_equal(unit_pass(100 * HZ), 0);
	assert_int_equal(bites[0], 0);
	/* On again: a whole timeout. */
	wr(vms[0], WCS, EN);
	(void)unit_pass(999 * MS);
	assert_int_equal(bites[0], 0);
	(void)unit_pass(1 * MS);
	assert_int_equal(bites[0], 1);
}

/* The configuration's limit holds, whatever the guest writes. */
static void limit(void **state)
{
	struct vm *vm = vms[0];

	(void)state;
	wr(vm, WOR_HIGH, 0xffff);
	wr(vm, WOR, UINT32_MAX);
	wr(vm, WCS, EN);
	assert_int_equal(rd64(vm, WOR), BIT64(48) - 1);
	assert_int_equal(rd64(vm, WCV), arch_now() + 500 * MS);
	(void)access(vm, WCV, 8, true, UINT64_MAX);
	assert_int_equal(rd64(vm, WCV), arch_now() + 500 * MS);
	(void)unit_pass(500 * MS);
	assert_true(irq(vm));
	(void)access(vm, WCV, 8, true, UINT64_MAX);
	wr(vm, WCV + 4, UINT32_MAX);
	assert_int_equal(rd64(vm, WCV), arch_now() + 500 * MS);
	(void)unit_pass(500 * MS);
	assert_int_equal(bites[0], 1);
}

/* Sooner may be: by WOR, by WCV, at once. */
static void sooner(void **state)
{
	struct vm *vm = vms[0];

	(void)state;
	wr(vm, WCS, EN);
	(void)access(vm, WCV, 8, true, arch_now() + MS);
	assert_int_equal(rd64(vm, WCV), arch_now() + MS);
	(void)unit_pass(MS);
	assert_true(irq(vm));
	wr(vm, WRR, 0);
	wr(vm, WOR, 0);
	wr(vm, WOR_HIGH, 0);
	(void)unit_pass(1);
	assert_int_equal(bites[0], 1);
}

static void from_the_start(void **state)
{
	struct vm *vm = vms[1];

	(void)state;
	assert_int_equal(rd(vm, WCS), EN);
	(void)unit_pass(1499 * MS);
	assert_false(irq(vm));
	(void)unit_pass(1 * MS);
	assert_true(irq(vm));
	(void)unit_pass(1499 * MS);
	assert_int_equal(bites[1], 0);
	(void)unit_pass(1 * MS);
	assert_int_equal(bites[1], 1);
	assert_int_equal(bites[0], 0);
	assert_string_equal(reason, "not refreshed since the start");
}

/* From the first refresh on the other limit holds. */
static void after_the_start(void **state)
{
	struct vm *vm = vms[1];

	(void)state;
	(void)unit_pass(2900 * MS);
	wr(vm, WRR, 0);
	assert_false(irq(vm));
	assert_int_equal(rd64(vm, WCV), arch_now() + 200 * MS);
	(void)unit_pass(399 * MS);
	assert_int_equal(bites[1], 0);
	(void)unit_pass(1 * MS);
	assert_int_equal(bites[1], 1);
	assert_string_equal(reason, "not refreshed in time");
}

/* What was left before a pause is left after it, in either timeout. */
static void pauses(void **state)
{
	struct vm *vm = vms[1];

	(void)state;
	(void)unit_pass(1000 * MS);
	pause_vm(vm, true);
	pause_vm(vm, true); /* stopped while it was paused, say */
	assert_int_equal(unit_pass(100 * HZ), 0);
	pause_vm(vm, false);
	pause_vm(vm, false);
	assert_int_equal(rd64(vm, WCV), arch_now() + 500 * MS);
	(void)unit_pass(499 * MS);
	assert_false(irq(vm));
	(void)unit_pass(1 * MS);
	assert_true(irq(vm));
	(void)unit_pass(1400 * MS);
	pause_vm(vm, true);
	(void)unit_pass(100 * HZ);
	pause_vm(vm, false);
	assert_true(irq(vm));
	(void)access(vm, WCV, 8, true, UINT64_MAX);
	assert_int_equal(rd64(vm, WCV), arch_now() + 100 * MS);
	(void)unit_pass(99 * MS);
	assert_int_equal(bites[1], 0);
	(void)unit_pass(1 * MS);
	assert_int_equal(bites[1], 1);
}

static void restarts(void **state)
{
	struct vm *vm = vms[0];

	(void)state;
	wr(vm, WOR, 5 * MS);
	wr(vm, WCS, EN);
	(void)unit_pass(6 * MS);
	assert_true(irq(vm));
	pause_vm(vm, true);
	pause_vm(vms[1], true);
	restart(vm);
	/* Nothing is left of the life before. */
	assert_false(irq(vm));
	assert_int_equal(rd(vm, WCS), 0);
	assert_int_equal(unit_pass(100 * HZ), 0);
	assert_int_equal(bites[0], 0);
	wr(vm, WCS, EN);
	assert_int_equal(rd64(vm, WCV), arch_now() + 500 * MS);
	(void)unit_pass(1000 * MS);
	assert_int_equal(bites[0], 1);
	/* But for the sign of a bite, up to the first refresh. */
	pause_vm(vm, true);
	restart(vm);
	assert_int_equal(rd(vm, WCS), WS1);
	assert_false(irq(vm));
	assert_int_equal(unit_pass(100 * HZ), 0);
	wr(vm, WRR, 0);
	assert_int_equal(rd(vm, WCS), 0);
}

/* The CPU that took the timer's interrupt waits for the lock while the guest, on another CPU, refreshes. */
static void too_late(void **state)
{
	struct vm *vm = vms[0];
	struct timer *t;

	(void)state;
	pause_vm(vms[1], true);
	wr(vm, WCS, EN);
	t = list_entry(unit_cpu(0)->timers.head.next, struct timer, node);
	(void)unit_pass(500 * MS - 1);
	wr(vm, WRR, 0);
	t->fn(t);
	assert_false(irq(vm));
	wr(vm, WCS, 0);
	t->fn(t);
	assert_false(irq(vm));
	wr(vm, WCS, EN);
	pause_vm(vm, true);
	t->fn(t);
	pause_vm(vm, false);
	assert_false(irq(vm));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(registers, begin),
		cmocka_unit_test_setup(off_at_the_start, begin),
		cmocka_unit_test_setup(two_timeouts, begin),
		cmocka_unit_test_setup(refreshes, begin),
		cmocka_unit_test_setup(regular_refreshes, begin),
		cmocka_unit_test_setup(switched_off, begin),
		cmocka_unit_test_setup(limit, begin),
		cmocka_unit_test_setup(sooner, begin),
		cmocka_unit_test_setup(from_the_start, begin),
		cmocka_unit_test_setup(after_the_start, begin),
		cmocka_unit_test_setup(pauses, begin),
		cmocka_unit_test_setup(restarts, begin),
		cmocka_unit_test_setup(too_late, begin),
	};

	time_init(HZ);
	unit_memory(UINT64_C(0x100000));
	unit_cpus(1);
	cfg[0].watchdog_ms = 1000;
	cfg[1].watchdog_ms = 400;
	cfg[1].watchdog_boot_ms = 3000;
	for (uint32_t i = 0; i < 2; i++) {
		vms[i] = unit_vm(i ? "b" : "a", i + 1);
		vms[i]->cfg = &cfg[i];
		if (vwdt_create(vms[i]))
			return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
