/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Active state: split EOI and deactivation, more active interrupts than list registers, saving and restoring what a
 * stopped machine holds. Interrupts stay masked and are acknowledged by reading ICC_IAR1_EL1, so each step is seen.
 */
#include "cases.h"

#include "gic.h"

#define SPI_A 40u
#define SPI_B 41u
#define SPI_C 42u

static enum outcome ack(uint32_t want)
{
	uint32_t got = gic_ack();

	CHECK(got == want, "acknowledged %u, want %u", got, want);
	return OUTCOME_OK;
}

/* EOImode = 1: EOIR drops the priority only; ICC_DIR_EL1 deactivates, in any order. */
enum outcome case_eoi_order(void)
{
	static const uint32_t orders[][3] = { { 0, 1, 2 }, { 2, 0, 1 }, { 1, 2, 0 } };

	gic_set_eoimode(true);
	CHECK(sysreg_read(icc_ctlr_el1) & ICC_CTLR_EOIMODE, "EOImode cannot be set");
	for (unsigned int o = 0; o < ARRAY_SIZE(orders); o++) {
		for (uint32_t i = 0; i < 3; i++) {
			gic_setup_edge(SPI_A + i, (uint8_t)(0x40 + 0x10 * i));
			gic_set_pending(SPI_A + i);
		}
		/* With the priority dropped a less urgent one follows although the first is active. */
		for (uint32_t i = 0; i < 3; i++) {
			TRY(ack(SPI_A + i));
			CHECK(gic_rpr() == 0x40 + 0x10 * i, "running priority %x, want %x", gic_rpr(), 0x40 + 0x10 * i);
			gic_eoi(SPI_A + i);
			CHECK(gic_rpr() == 0xff, "running priority %x after EOI", gic_rpr());
			CHECK(gic_is_active(SPI_A + i), "interrupt %u not active after EOI", SPI_A + i);
		}
		/* Raised while active: withheld until deactivated. */
		gic_set_pending(SPI_A);
		TRY(ack(INTID_SPURIOUS));
		for (uint32_t i = 0; i < 3; i++) {
			uint32_t intid = SPI_A + orders[o][i];

			gic_dir(intid);
			CHECK(!gic_is_active(intid), "interrupt %u active after DIR", intid);
			if (intid == SPI_A) {
				TRY(ack(SPI_A));
				gic_eoi(SPI_A);
				gic_dir(SPI_A);
			}
		}
		TRY(ack(INTID_SPURIOUS));
	}
	return OUTCOME_OK;
}

/* EOImode = 0: nested interrupts end in reverse order, each EOI also deactivates. */
enum outcome case_eoi_nested(void)
{
	for (uint32_t i = 0; i < 3; i++)
		gic_setup_edge(SPI_A + i, (uint8_t)(0x80 - 0x20 * i));
	for (uint32_t i = 0; i < 3; i++) {
		gic_set_pending(SPI_A + i);
		TRY(ack(SPI_A + i));
	}
	for (uint32_t i = 3; i--;) {
		CHECK(gic_rpr() == 0x80 - 0x20 * i, "running priority %x, want %x", gic_rpr(), 0x80 - 0x20 * i);
		CHECK(gic_is_active(SPI_A + i), "interrupt %u not active", SPI_A + i);
		gic_eoi(SPI_A + i);
		CHECK(!gic_is_active(SPI_A + i), "interrupt %u active after EOI", SPI_A + i);
	}
	CHECK(gic_rpr() == 0xff, "running priority %x when idle", gic_rpr());
	return OUTCOME_OK;
}

/* 16 acknowledged, none deactivated: more than any GIC has list registers; DIR in a mixed order ends each of them. */
enum outcome case_active_overflow(void)
{
	const uint32_t n = 16;

	gic_set_eoimode(true);
	for (uint32_t round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < n; i++) {
			gic_setup_edge(SPI_A + i, (uint8_t)(0x10 + 8 * i));
			gic_set_pending(SPI_A + i);
		}
		for (uint32_t i = 0; i < n; i++) {
			TRY(ack(SPI_A + i));
			gic_eoi(SPI_A + i);
		}
		for (uint32_t i = 0; i < n; i++) {
			CHECK(gic_is_active(SPI_A + i), "interrupt %u of %u lost its active state", SPI_A + i, n);
			/* Pending again, held back by its own active state. */
			gic_set_pending(SPI_A + i);
		}
		TRY(ack(INTID_SPURIOUS));
		for (uint32_t i = 0; i < n; i++) {
			uint32_t intid = SPI_A + (i * 7 + 3) % n;

			gic_dir(intid);
			TRY(ack(intid));
			gic_eoi(intid);
			CHECK(gic_is_active(intid), "interrupt %u: second time not active", intid);
			gic_dir(intid);
			CHECK(!gic_is_active(intid), "interrupt %u still active", intid);
		}
		TRY(ack(INTID_SPURIOUS));
	}
	return OUTCOME_OK;
}

/* 20 nested (EOImode = 0 cannot: priorities end at 32 levels), with every preemption level in ICC_AP1R0_EL1. */
enum outcome case_active_deep(void)
{
	const uint32_t n = 16;

	for (uint32_t i = 0; i < n; i++)
		gic_setup_edge(SPI_A + i, (uint8_t)(0xf0 - 0x10 * i));
	for (uint32_t i = 0; i < n; i++) {
		gic_set_pending(SPI_A + i);
		TRY(ack(SPI_A + i));
	}
	for (uint32_t i = n; i--;) {
		CHECK(gic_rpr() == 0xf0 - 0x10 * i, "running priority %x, want %x", gic_rpr(), 0xf0 - 0x10 * i);
		gic_eoi(SPI_A + i);
		CHECK(!gic_is_active(SPI_A + i), "interrupt %u active after EOI", SPI_A + i);
	}
	return OUTCOME_OK;
}

/* ISACTIVER holds a pending interrupt back although nobody acknowledged it; ICACTIVER lets it come. */
enum outcome case_active_set_clear(void)
{
	struct cpu *c = cpu_self();

	gic_setup_edge(SPI_A, 0x80);
	gic_set_active(SPI_A);
	CHECK(gic_is_active(SPI_A), "ISACTIVER does not read back");
	gic_set_pending(SPI_A);
	gic_take_pending();
	CHECK(c->irq_count == 0, "delivered while active");
	CHECK(gic_is_pending(SPI_A), "no longer pending while active");
	gic_clear_active(SPI_A);
	CHECK(!gic_is_active(SPI_A), "ICACTIVER does not clear");
	gic_take_pending();
	CHECK(c->irq_count == 1, "%u deliveries after ICACTIVER, want 1", c->irq_count);

	/* Taken away under a handler: it may come again at once, and its DIR is then one too many, without harm. */
	gic_set_eoimode(true);
	gic_set_pending(SPI_A);
	TRY(ack(SPI_A));
	gic_eoi(SPI_A);
	gic_clear_active(SPI_A);
	gic_set_pending(SPI_A);
	TRY(ack(SPI_A));
	gic_eoi(SPI_A);
	gic_dir(SPI_A);
	gic_dir(SPI_A);
	CHECK(!gic_is_active(SPI_A), "active after all");
	TRY(ack(INTID_SPURIOUS));
	return OUTCOME_OK;
}

/*
 * What a suspending guest does: save enable, pending and active words, clear all, restore. A is active, B active and
 * pending, C pending.
 */
enum outcome case_active_save_restore(void)
{
	uint32_t enabled, pending, active, mask = 7u << (SPI_A - 32);

	gic_set_eoimode(true);
	for (uint32_t i = SPI_A; i <= SPI_C; i++)
		gic_setup_edge(i, 0x80);
	gic_set_pending(SPI_A);
	TRY(ack(SPI_A));
	gic_eoi(SPI_A);
	gic_set_pending(SPI_B);
	TRY(ack(SPI_B));
	gic_eoi(SPI_B);
	gic_set_pending(SPI_B);
	gic_set_pending(SPI_C);
	enabled = gicd_read(GICD_ISENABLER + 4) & mask;
	pending = gicd_read(GICD_ISPENDR + 4) & mask;
	active = gicd_read(GICD_ISACTIVER + 4) & mask;
	CHECK(enabled == mask && pending == 6u << (SPI_A - 32) && active == 3u << (SPI_A - 32),
	      "enabled %x, pending %x, active %x", enabled, pending, active);

	gicd_write(GICD_ICENABLER + 4, mask);
	gicd_write(GICD_ICPENDR + 4, mask);
	gicd_write(GICD_ICACTIVER + 4, mask);
	dsb();
	CHECK(!((gicd_read(GICD_ISENABLER + 4) | gicd_read(GICD_ISPENDR + 4) | gicd_read(GICD_ISACTIVER + 4)) & mask),
	      "not clear after clearing");
	TRY(ack(INTID_SPURIOUS));

	gicd_write(GICD_ISACTIVER + 4, active);
	gicd_write(GICD_ISPENDR + 4, pending);
	gicd_write(GICD_ISENABLER + 4, enabled);
	dsb();
	CHECK((gicd_read(GICD_ISACTIVER + 4) & mask) == active, "active %x, restored %x",
	      gicd_read(GICD_ISACTIVER + 4) & mask, active);
	CHECK((gicd_read(GICD_ISPENDR + 4) & mask) == pending, "pending %x, restored %x",
	      gicd_read(GICD_ISPENDR + 4) & mask, pending);
	TRY(ack(SPI_C));
	gic_eoi(SPI_C);
	gic_dir(SPI_C);
	TRY(ack(INTID_SPURIOUS));
	gic_dir(SPI_B);
	TRY(ack(SPI_B));
	gic_eoi(SPI_B);
	gic_dir(SPI_B);
	gic_dir(SPI_A);
	TRY(ack(INTID_SPURIOUS));
	return OUTCOME_OK;
}

/*
 * An SPI stays active for hold_ms= while the monitor may stop and resume this VM, or another VM runs on the CPU:
 * active before is active after, it does not come again, and what became pending meanwhile comes when it ends.
 */
enum outcome case_active_hold(void)
{
	struct cpu *c = cpu_self();
	uint64_t hold_ms = option_number("hold_ms", 20);

	gic_set_eoimode(true);
	gic_setup_edge(SPI_A, 0x40);
	gic_setup_edge(SPI_B, 0x40);
	gic_set_pending(SPI_A);
	TRY(ack(SPI_A));
	gic_eoi(SPI_A);
	gic_set_pending(SPI_A);
	info("holds an active interrupt for %lu ms", hold_ms);
	irq_enable();
	(void)WAIT_FOR(c->irq_count, hold_ms * 1000);
	irq_disable();
	CHECK(c->irq_count == 0, "interrupt %u came while %u was active", c->irq_log[0], SPI_A);
	CHECK(gic_is_active(SPI_A) && gic_is_pending(SPI_A), "active %u, pending %u; want both", gic_is_active(SPI_A),
	      gic_is_pending(SPI_A));
	gic_set_pending(SPI_B);
	TRY(ack(SPI_B));
	gic_eoi(SPI_B);
	gic_dir(SPI_B);
	gic_dir(SPI_A);
	TRY(ack(SPI_A));
	gic_eoi(SPI_A);
	gic_dir(SPI_A);
	info("released it");
	return OUTCOME_OK;
}
