/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delivery of interrupts: order, priorities, masks, enables, pending state, routing, level and edge.
 * SPIs are raised by GICD_ISPENDR; none of those used has a device behind it unless a case says so.
 */
#include "cases.h"

#include "gic.h"

#include "dev.h"

/* SPIs that no device of the platform drives. */
#define SPI_A 40u
#define SPI_B 41u
#define SPI_C 42u

/* ---- 64 SPIs of 8 priorities ---- */

#define MANY 64u

/* Mixed, so that INTID order is not priority order: 8 SPIs of each priority 0x10, 0x20 .. 0x80. */
static uint8_t many_prio(uint32_t i)
{
	return (uint8_t)(0x10 + (i * 5 + i / 8) % 8 * 0x10);
}

static enum outcome many_check(const struct cpu *c, uint32_t base)
{
	CHECK(c->irq_count == MANY, "%u interrupts, want %u", c->irq_count, MANY);
	for (uint32_t i = 0; i < MANY; i++) {
		uint32_t intid = c->irq_log[i];

		CHECK(intid >= base && intid < base + MANY, "interrupt %u, none of those raised", intid);
		CHECK(gic_log_count(c, intid) == 1, "interrupt %u came %u times", intid, gic_log_count(c, intid));
		CHECK(!i || many_prio(c->irq_log[i - 1] - base) <= many_prio(intid - base),
		      "place %u: interrupt %u of priority %x after %u of %x", i, intid, many_prio(intid - base),
		      c->irq_log[i - 1], many_prio(c->irq_log[i - 1] - base));
		CHECK(c->irq_rpr[i] == many_prio(intid - base), "interrupt %u: running priority %x, want %x", intid,
		      c->irq_rpr[i], many_prio(intid - base));
	}
	return OUTCOME_OK;
}

static enum outcome many_setup(uint32_t *base)
{
	uint32_t lines = gic_line_count();

	/* 32..95 when there are no more: then also the UART's and the clock's, idle and set to edge. */
	*base = lines >= 160 ? 96 : 32;
	if (lines < *base + MANY)
		return skip("%u INTIDs are too few", lines);
	for (uint32_t i = 0; i < MANY; i++)
		gic_setup_edge(*base + i, many_prio(i));
	return OUTCOME_OK;
}

enum outcome case_spi_order(void)
{
	uint32_t base;

	TRY(many_setup(&base));
	gicd_write(GICD_ISPENDR + base / 8, ~0u);
	gicd_write(GICD_ISPENDR + base / 8 + 4, ~0u);
	dsb();
	gic_take_pending();
	return many_check(cpu_self(), base);
}

/* Raised one by one while none can be taken, lowest priority first: the late ones must overtake. */
enum outcome case_spi_order_late(void)
{
	uint32_t base;

	TRY(many_setup(&base));
	for (uint32_t prio = 0x80; prio; prio -= 0x10) {
		for (uint32_t i = 0; i < MANY; i++) {
			if (many_prio(i) == prio)
				gic_set_pending(base + i);
		}
	}
	for (uint32_t i = 0; i < MANY; i++)
		CHECK(gic_is_pending(base + i), "interrupt %u raised, but ISPENDR does not show it", base + i);
	gic_take_pending();
	return many_check(cpu_self(), base);
}

/* ---- preemption and running priority ---- */

#define NEST 6u

static volatile uint32_t nest_depth, nest_deepest;

/* Each handler raises a more urgent interrupt and an equal one, and opens IRQs: only the more urgent may come. */
static void on_nest(struct cpu *c, uint32_t intid)
{
	uint32_t i = intid - SPI_A;
	uint64_t elr = sysreg_read(elr_el1), spsr = sysreg_read(spsr_el1);

	gic_log(c, intid);
	if (++nest_depth > nest_deepest)
		nest_deepest = nest_depth;
	if (i + 1 < NEST) {
		gic_set_pending(intid + 1);
		gic_take_pending();
	}
	nest_depth--;
	gic_eoi(intid);
	sysreg_write(elr_el1, elr);
	sysreg_write(spsr_el1, spsr);
}

enum outcome case_preempt(void)
{
	struct cpu *c = cpu_self();

	/* Deeper than four list registers; priorities 0x90, 0x80 .. */
	nest_depth = nest_deepest = 0;
	for (uint32_t i = 0; i < NEST; i++)
		gic_setup_edge(SPI_A + i, (uint8_t)(0x90 - 0x10 * i));
	c->on_irq = on_nest;
	gic_set_pending(SPI_A);
	gic_take_pending();
	CHECK(c->irq_count == NEST, "%u interrupts, want %u", c->irq_count, NEST);
	CHECK(nest_deepest == NEST, "nested %u deep, want %u", nest_deepest, NEST);
	for (uint32_t i = 0; i < NEST; i++)
		CHECK(c->irq_log[i] == SPI_A + i && c->irq_rpr[i] == 0x90 - 0x10 * i,
		      "place %u: interrupt %u running at %x, want %u at %x", i, c->irq_log[i], c->irq_rpr[i], SPI_A + i,
		      0x90 - 0x10 * i);
	CHECK(gic_rpr() == 0xff, "running priority %x when idle", gic_rpr());
	CHECK(!sysreg_read(icc_ap1r0_el1), "ICC_AP1R0_EL1 %lx when idle", sysreg_read(icc_ap1r0_el1));
	return OUTCOME_OK;
}

/* Equal and lower priorities do not preempt; they come, by priority, when the running one has ended. */
enum outcome case_preempt_equal(void)
{
	gic_setup_edge(SPI_A, 0x50);
	gic_setup_edge(SPI_B, 0x50);
	gic_setup_edge(SPI_C, 0x60);
	gic_set_pending(SPI_A);
	CHECK(gic_ack() == SPI_A, "first not acknowledged");
	gic_set_pending(SPI_C);
	gic_set_pending(SPI_B);
	CHECK(gic_rpr() == 0x50, "running priority %x, want 50", gic_rpr());
	gic_take_pending();
	CHECK(cpu_self()->irq_count == 0, "interrupt %u preempts one of priority 50", cpu_self()->irq_log[0]);
	gic_eoi(SPI_A);
	gic_take_pending();
	CHECK(cpu_self()->irq_count == 2 && cpu_self()->irq_log[0] == SPI_B && cpu_self()->irq_log[1] == SPI_C,
	      "%u interrupts: %u, %u; want %u, %u", cpu_self()->irq_count, cpu_self()->irq_log[0],
	      cpu_self()->irq_log[1], SPI_B, SPI_C);
	return OUTCOME_OK;
}

/* The binary point joins priorities into groups: inside a group nothing preempts, order stays. */
enum outcome case_bpr(void)
{
	uint64_t least;

	sysreg_write(icc_bpr1_el1, 0);
	isb();
	least = sysreg_read(icc_bpr1_el1);
	CHECK(least <= 4, "smallest ICC_BPR1_EL1 is %lu", least);
	sysreg_write(icc_bpr1_el1, 6);
	isb();
	CHECK(sysreg_read(icc_bpr1_el1) == 6, "ICC_BPR1_EL1 reads %lu, wrote 6", sysreg_read(icc_bpr1_el1));
	/* BPR1 = 6: bits 7:6 are the group priority (one security state: IHI 0069H, 4.8.2, as BPR0 plus one step) */
	gic_setup_edge(SPI_A, 0x38);
	gic_setup_edge(SPI_B, 0x20);
	gic_set_pending(SPI_A);
	CHECK(gic_ack() == SPI_A, "first not acknowledged");
	gic_set_pending(SPI_B);
	CHECK(gic_ack() == INTID_SPURIOUS, "20 preempts 38 although both are in group 0x00..0x3f");
	gic_eoi(SPI_A);
	CHECK(gic_ack() == SPI_B, "second not acknowledged after the end of the first");
	gic_eoi(SPI_B);

	sysreg_write(icc_bpr1_el1, least);
	isb();
	gic_set_pending(SPI_A);
	CHECK(gic_ack() == SPI_A, "first not acknowledged");
	gic_set_pending(SPI_B);
	CHECK(gic_ack() == SPI_B, "20 does not preempt 38 with the smallest binary point %lu", least);
	CHECK(gic_rpr() == 0x20, "running priority %x, want 20", gic_rpr());
	gic_eoi(SPI_B);
	CHECK(gic_rpr() == 0x38, "running priority %x, want 38", gic_rpr());
	gic_eoi(SPI_A);
	return OUTCOME_OK;
}

/* ---- masks and enables ---- */

/* An interrupt is signalled when its priority is below (more urgent than) PMR. */
enum outcome case_pmr(void)
{
	static const uint8_t masks[] = { 0x00, 0x40, 0x80, 0xf8 };

	for (unsigned int i = 0; i < ARRAY_SIZE(masks); i++) {
		gic_set_pmr(masks[i]);
		CHECK(sysreg_read(icc_pmr_el1) == masks[i], "PMR reads %lx, wrote %x", sysreg_read(icc_pmr_el1),
		      masks[i]);
	}
	gic_setup_edge(SPI_A, 0x80);
	gic_set_pmr(0x80);
	gic_set_pending(SPI_A);
	gic_take_pending();
	CHECK(cpu_self()->irq_count == 0, "priority 80 passes PMR 80");
	CHECK(gic_ack() == INTID_SPURIOUS, "priority 80 acknowledged under PMR 80");
	CHECK(gic_is_pending(SPI_A), "masked, and no longer pending");
	gic_set_pmr(0x88);
	gic_take_pending();
	CHECK(cpu_self()->irq_count == 1, "%u deliveries under PMR 88, want 1", cpu_self()->irq_count);
	/* A masked one must not stand in the way of a more urgent one. */
	gic_setup_edge(SPI_B, 0x20);
	gic_set_pmr(0x40);
	gic_set_pending(SPI_A);
	gic_set_pending(SPI_B);
	gic_take_pending();
	CHECK(cpu_self()->irq_count == 2 && cpu_self()->irq_log[1] == SPI_B, "PMR 40: %u interrupts, last %u",
	      cpu_self()->irq_count, cpu_self()->irq_log[1]);
	return OUTCOME_OK;
}

enum outcome case_igrpen(void)
{
	struct cpu *c = cpu_self();

	gic_setup_edge(SPI_A, 0x80);
	sysreg_write(icc_igrpen1_el1, 0);
	isb();
	gic_set_pending(SPI_A);
	CHECK(gic_ack() == INTID_SPURIOUS, "acknowledged although ICC_IGRPEN1 is 0");
	CHECK(!(sysreg_read(isr_el1) & 1 << 7), "signalled although ICC_IGRPEN1 is 0");
	gic_take_pending();
	CHECK(c->irq_count == 0, "delivered although ICC_IGRPEN1 is 0");
	sysreg_write(icc_igrpen1_el1, 1);
	isb();
	gic_take_pending();
	CHECK(c->irq_count == 1, "%u deliveries after ICC_IGRPEN1 = 1, want 1", c->irq_count);

	/* The distributor's own switch holds back SPIs. */
	gicd_write(GICD_CTLR, GICD_CTLR_ARE);
	gic_set_pending(SPI_A);
	gic_take_pending();
	CHECK(c->irq_count == 1, "delivered although GICD_CTLR.EnableGrp1 is 0");
	gicd_write(GICD_CTLR, GICD_CTLR_ARE | GICD_CTLR_GRP1);
	gic_take_pending();
	CHECK(c->irq_count == 2, "%u deliveries after EnableGrp1 = 1, want 2", c->irq_count);
	return OUTCOME_OK;
}

/* Disabling withholds an interrupt that may already wait in a list register; enabling lets it come, once. */
enum outcome case_disable_pending(void)
{
	struct cpu *c = cpu_self();

	gic_setup_edge(SPI_A, 0x80);
	for (uint32_t round = 1; round <= 3; round++) {
		gic_set_pending(SPI_A);
		CHECK(gic_hppir() == SPI_A, "round %u: highest pending is %u, want %u", round, gic_hppir(), SPI_A);
		gic_disable(SPI_A);
		CHECK(gic_is_pending(SPI_A), "round %u: disabled, and no longer pending", round);
		CHECK(gic_ack() == INTID_SPURIOUS, "round %u: acknowledged although disabled", round);
		gic_take_pending();
		CHECK(c->irq_count == round - 1, "round %u: delivered although disabled", round);
		gic_enable(SPI_A);
		gic_take_pending();
		CHECK(c->irq_count == round, "round %u: %u deliveries, want %u", round, c->irq_count, round);
	}
	return OUTCOME_OK;
}

/* ISPENDR and ICPENDR read back, per bit and per word, and taking back withdraws. */
enum outcome case_pending_readback(void)
{
	struct cpu *c = cpu_self();

	for (uint32_t i = SPI_A; i < SPI_A + 4; i++)
		gic_setup_edge(i, 0x80);
	gicd_write(GICD_ISPENDR + 4, 0xfu << 8);
	CHECK((gicd_read(GICD_ISPENDR + 4) >> 8 & 0xf) == 0xf, "ISPENDR1 %x, want 4 bits", gicd_read(GICD_ISPENDR + 4));
	CHECK((gicd_read(GICD_ICPENDR + 4) >> 8 & 0xf) == 0xf, "ICPENDR1 %x, want 4 bits", gicd_read(GICD_ICPENDR + 4));
	gicd_write(GICD_ICPENDR + 4, 5u << 8);
	CHECK((gicd_read(GICD_ISPENDR + 4) >> 8 & 0xf) == 0xa, "ISPENDR1 %x after clearing two",
	      gicd_read(GICD_ISPENDR + 4));
	gicd_write(GICD_ISPENDR + 4, 0);
	CHECK((gicd_read(GICD_ISPENDR + 4) >> 8 & 0xf) == 0xa, "ISPENDR1 %x after a write of 0",
	      gicd_read(GICD_ISPENDR + 4));
	gic_take_pending();
	CHECK(c->irq_count == 2 && gic_log_count(c, SPI_B) == 1 && gic_log_count(c, SPI_A + 3) == 1,
	      "%u delivered: %u, %u; want %u and %u", c->irq_count, c->irq_log[0], c->irq_log[1], SPI_B, SPI_A + 3);
	CHECK(!(gicd_read(GICD_ISPENDR + 4) >> 8 & 0xf), "ISPENDR1 %x after delivery", gicd_read(GICD_ISPENDR + 4));
	/* PPIs likewise: no timer is on, so only software makes this one pending. */
	gic_enable(GUEST_PPI_PMU);
	gic_set_pending(GUEST_PPI_PMU);
	CHECK(gic_is_pending(GUEST_PPI_PMU), "PPI %u set pending, reads 0", GUEST_PPI_PMU);
	gic_clear_pending(GUEST_PPI_PMU);
	CHECK(!gic_is_pending(GUEST_PPI_PMU), "PPI %u cleared, reads 1", GUEST_PPI_PMU);
	gic_take_pending();
	CHECK(c->irq_count == 2, "PPI %u delivered after being cleared", GUEST_PPI_PMU);
	return OUTCOME_OK;
}

enum outcome case_spurious(void)
{
	CHECK(gic_ack() == INTID_SPURIOUS, "IAR is not 1023 when idle");
	CHECK(gic_hppir() == INTID_SPURIOUS, "HPPIR is %u when idle", gic_hppir());
	CHECK(gic_rpr() == 0xff, "RPR is %x when idle", gic_rpr());
	/* The end of an interrupt that was not acknowledged changes nothing. */
	gic_eoi(INTID_SPURIOUS);
	CHECK(gic_rpr() == 0xff, "RPR is %x after EOI of 1023", gic_rpr());
	gic_setup_edge(SPI_A, 0x80);
	gic_set_pending(SPI_A);
	gic_clear_pending(SPI_A);
	CHECK(gic_ack() == INTID_SPURIOUS, "acknowledged although taken back");
	gic_take_pending();
	CHECK(cpu_self()->irq_count == 0, "delivered although taken back");
	return OUTCOME_OK;
}

/* ---- routing ---- */

static void take_spis(struct cpu *c)
{
	gic_enable(15); /* cpu_stop_all's wake-up */
	dsb();
	c->stage = 1;
	while (c->irq_count < c->result[0] && !cpu_stop) {
		wfi();
		irq_enable();
		isb();
		irq_disable();
	}
}

/* IROUTER moves an SPI to another CPU and back, also one that is already pending there. */
enum outcome case_irouter(void)
{
	struct cpu *c = cpu_self(), *other = &cpus[1];
	uint64_t reg = GUEST_GICD_BASE + GICD_IROUTER + 8 * SPI_A;

	gic_setup_edge(SPI_A, 0x80);
	CHECK(read64(reg) == c->mpidr, "IROUTER reads %lx, wrote %lx", read64(reg), c->mpidr);
	gic_set_pending(SPI_A);
	gic_take_pending();
	CHECK(c->irq_count == 1, "%u at this CPU before the move, want 1", c->irq_count);

	other->result[0] = 1;
	TRY(cpu_start(1, take_spis));
	CHECK(WAIT_FOR(other->stage == 1, PATIENCE_US), "cpu 1 does not start");
	gic_route(SPI_A, other->mpidr);
	CHECK(read64(reg) == other->mpidr, "IROUTER reads %lx, wrote %lx", read64(reg), other->mpidr);
	gic_set_pending(SPI_A);
	TRY(cpu_join(1));
	CHECK(other->irq_log[0] == SPI_A, "cpu 1 took %u, want %u", other->irq_log[0], SPI_A);
	gic_take_pending();
	CHECK(c->irq_count == 1, "taken here too");

	/* Pending here, masked by PSTATE, then sent away. */
	other->result[0] = 1;
	TRY(cpu_start(1, take_spis));
	gic_route(SPI_A, c->mpidr);
	gic_set_pending(SPI_A);
	CHECK(gic_hppir() == SPI_A, "not pending here");
	gic_route(SPI_A, other->mpidr);
	TRY(cpu_join(1));
	gic_take_pending();
	CHECK(c->irq_count == 1 && other->irq_count == 1, "%u here and %u there, want 1 and 1", c->irq_count,
	      other->irq_count);
	return OUTCOME_OK;
}

/* ---- level and edge ---- */

/* Edge raised again while active: once more after the end, however often. */
enum outcome case_edge_repend(void)
{
	struct cpu *c = cpu_self();

	gic_setup_edge(SPI_A, 0x80);
	gic_set_pending(SPI_A);
	CHECK(gic_ack() == SPI_A, "not acknowledged");
	CHECK(!gic_is_pending(SPI_A) && gic_is_active(SPI_A), "pending %u, active %u; want 0, 1", gic_is_pending(SPI_A),
	      gic_is_active(SPI_A));
	for (unsigned int i = 0; i < 3; i++)
		gic_set_pending(SPI_A);
	CHECK(gic_is_pending(SPI_A) && gic_is_active(SPI_A), "pending %u, active %u; want both", gic_is_pending(SPI_A),
	      gic_is_active(SPI_A));
	gic_take_pending();
	CHECK(c->irq_count == 0, "delivered while active");
	gic_eoi(SPI_A);
	gic_take_pending();
	CHECK(c->irq_count == 1, "%u deliveries after the end, want 1", c->irq_count);
	return OUTCOME_OK;
}

static void on_uart(struct cpu *c, uint32_t intid)
{
	gic_log(c, intid);
	if (c->irq_count == 5)
		write32(GUEST_UART_BASE + UARTIMSC, 0);
	gic_eoi(intid);
}

/* The UART's transmit interrupt is a level: it comes again after each EOI until it is masked at the device. */
enum outcome case_level_uart(void)
{
	struct cpu *c = cpu_self();

	gic_set_edge(GUEST_UART_INTID, false);
	gic_route(GUEST_UART_INTID, c->mpidr);
	gic_enable(GUEST_UART_INTID);
	c->on_irq = on_uart;
	print("probe: info level_uart a transmission\n");
	CHECK(WAIT_FOR(read32(GUEST_UART_BASE + UARTRIS) & UARTINT_TX, SECOND_US), "UARTRIS %x after transmission",
	      read32(GUEST_UART_BASE + UARTRIS));
	CHECK(!gic_is_pending(GUEST_UART_INTID), "pending although masked at the UART");
	write32(GUEST_UART_BASE + UARTIMSC, UARTINT_TX);
	CHECK(read32(GUEST_UART_BASE + UARTMIS) == UARTINT_TX, "UARTMIS %x, want %x", read32(GUEST_UART_BASE + UARTMIS),
	      UARTINT_TX);
	CHECK(gic_is_pending(GUEST_UART_INTID), "line high, ISPENDR 0");
	/* Clearing the pending state of a level does not last while the line is high. */
	gic_clear_pending(GUEST_UART_INTID);
	CHECK(gic_is_pending(GUEST_UART_INTID), "line high, ISPENDR 0 after ICPENDR");
	gic_take_pending();
	CHECK(WAIT_FOR(c->irq_count >= 5, 0), "came %u times with the line high, want 5", c->irq_count);
	CHECK(c->irq_count == 5, "came %u times, want 5 until masked", c->irq_count);
	CHECK(c->irq_log[0] == GUEST_UART_INTID, "interrupt %u, want %u", c->irq_log[0], GUEST_UART_INTID);
	CHECK(!gic_is_pending(GUEST_UART_INTID), "still pending with the line low");
	/* The line falls before anybody looks: nothing may come. */
	write32(GUEST_UART_BASE + UARTIMSC, UARTINT_TX);
	write32(GUEST_UART_BASE + UARTIMSC, 0);
	gic_take_pending();
	CHECK(c->irq_count == 5, "came although the line fell before");
	return OUTCOME_OK;
}
