/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GICv3 driver of the probe. All interrupts are group 1 (the machine has one security state). Unlike a kernel's, it
 * hides nothing: cases set and read single states. Each CPU touches its own redistributor only; the distributor
 * belongs to the boot CPU, except single bits in set/clear registers.
 */
#include "gic.h"

#define SRE_SRE 1ull

uint32_t gic_line_count(void)
{
	uint32_t count = 32 * ((gicd_read(GICD_TYPER) & 0x1f) + 1);

	return count > 1020 ? 1020 : count;
}

static void gicd_wait(void)
{
	(void)WAIT_FOR(!(gicd_read(GICD_CTLR) & GICD_CTLR_RWP), SECOND_US);
}

static void gicd_quiet(void)
{
	uint32_t lines = gic_line_count();

	for (uint32_t n = 1; n < lines / 32; n++) {
		gicd_write(GICD_ICENABLER + 4 * n, ~0u);
		gicd_write(GICD_ICPENDR + 4 * n, ~0u);
		gicd_write(GICD_ICACTIVER + 4 * n, ~0u);
	}
	gicd_wait();
}

/* All in group 1, middle priority, level; forwarding on. */
static void gicd_defaults(void)
{
	uint32_t lines = gic_line_count();

	for (uint32_t n = 1; n < lines / 32; n++)
		gicd_write(GICD_IGROUPR + 4 * n, ~0u);
	for (uint32_t n = 8; n < lines / 4; n++)
		gicd_write(GICD_IPRIORITYR + 4 * n, PRIO_DEFAULT * 0x01010101u);
	for (uint32_t n = 2; n < lines / 16; n++)
		gicd_write(GICD_ICFGR + 4 * n, 0);
	gicd_write(GICD_CTLR, GICD_CTLR_ARE | GICD_CTLR_GRP1);
	gicd_wait();
}

void gic_init(void)
{
	gicd_write(GICD_CTLR, 0);
	gicd_wait();
	gicd_quiet();
	gicd_defaults();
}

uint64_t gic_redist(uint32_t cpu)
{
	uint64_t base = GUEST_GICR_BASE;

	/* GICR_TYPER[63:32] is Aff3.Aff2.Aff1.Aff0 (IHI 0069H, 12.11.37). */
	for (uint32_t n = 0; n < 2 * CPU_MAX; n++, base += GUEST_GICR_STRIDE) {
		uint64_t typer = read64(base + GICR_TYPER);
		uint64_t aff = (typer >> 32 & 0xffffff) | (typer >> 56) << 32;

		if (aff == cpus[cpu].mpidr)
			return base;
		if (typer & GICR_TYPER_LAST)
			break;
	}
	return 0;
}

/* Base for an INTID's set/clear registers: SGI frame of this CPU or distributor. */
static uint64_t frame(uint32_t intid)
{
	static uint64_t redist[CPU_MAX];
	uint32_t me = cpu_self()->index;

	if (intid >= 32)
		return GUEST_GICD_BASE;
	if (!redist[me])
		redist[me] = gic_redist(me) + GICR_SGI_FRAME;
	return redist[me];
}

static void redist_quiet(void)
{
	uint64_t sgi = frame(0);

	write32(sgi + GICD_ICENABLER, ~0u);
	write32(sgi + GICD_ICPENDR, ~0u);
	write32(sgi + GICD_ICACTIVER, ~0u);
	for (uint32_t n = 0; n < 8; n++)
		write32(sgi + GICD_IPRIORITYR + 4 * n, PRIO_DEFAULT * 0x01010101u);
	dsb();
}

static void cpu_interface_reset(void)
{
	sysreg_write(icc_pmr_el1, 0xff);
	sysreg_write(icc_bpr1_el1, 0);
	sysreg_write(icc_ctlr_el1, 0);
	sysreg_write(icc_igrpen1_el1, 1);
	isb();
}

void gic_cpu_init(void)
{
	uint64_t sgi = frame(0), rd = sgi - GICR_SGI_FRAME;

	write32(rd + GICR_WAKER, read32(rd + GICR_WAKER) & ~GICR_WAKER_SLEEP);
	(void)WAIT_FOR(!(read32(rd + GICR_WAKER) & GICR_WAKER_CHILDREN), SECOND_US);
	write32(sgi + GICD_IGROUPR, ~0u);
	redist_quiet();
	sysreg_write(icc_sre_el1, sysreg_read(icc_sre_el1) | SRE_SRE);
	isb();
	cpu_interface_reset();
}

void gic_reset(void)
{
	struct cpu *c = cpu_self();

	irq_disable();
	/* What a failed case left acknowledged: drop the running priorities, then deactivate all. */
	gic_set_eoimode(false);
	for (uint32_t n = 0; n < 64 && gic_rpr() != 0xff; n++) {
		for (uint32_t i = 0; i < gic_line_count() && gic_rpr() != 0xff; i++) {
			if (gic_is_active(i))
				gic_eoi(i);
		}
	}
	gicd_quiet();
	gicd_defaults();
	redist_quiet();
	cpu_interface_reset();
	c->on_irq = NULL;
	c->irq_count = 0;
	c->spurious_count = 0;
}

static void bit_write(uint32_t reg, uint32_t intid)
{
	write32(frame(intid) + reg + 4 * (intid / 32), 1u << intid % 32);
}

static bool bit_read(uint32_t reg, uint32_t intid)
{
	return read32(frame(intid) + reg + 4 * (intid / 32)) >> intid % 32 & 1;
}

void gic_enable(uint32_t intid)
{
	bit_write(GICD_ISENABLER, intid);
}

/* Effects of the write are over when it returns: RWP covers enables (IHI 0069H, 12.9.4 and 12.11.2). */
void gic_disable(uint32_t intid)
{
	bit_write(GICD_ICENABLER, intid);
	if (intid >= 32)
		gicd_wait();
	else
		(void)WAIT_FOR(!(read32(frame(intid) - GICR_SGI_FRAME + GICR_CTLR) & 1u << 3), SECOND_US);
}

void gic_set_pending(uint32_t intid)
{
	bit_write(GICD_ISPENDR, intid);
	dsb();
}

void gic_clear_pending(uint32_t intid)
{
	bit_write(GICD_ICPENDR, intid);
	dsb();
}

bool gic_is_pending(uint32_t intid)
{
	return bit_read(GICD_ISPENDR, intid);
}

void gic_set_active(uint32_t intid)
{
	bit_write(GICD_ISACTIVER, intid);
	dsb();
}

void gic_clear_active(uint32_t intid)
{
	bit_write(GICD_ICACTIVER, intid);
	dsb();
}

bool gic_is_active(uint32_t intid)
{
	return bit_read(GICD_ISACTIVER, intid);
}

void gic_set_prio(uint32_t intid, uint8_t prio)
{
	write8(frame(intid) + GICD_IPRIORITYR + intid, prio);
}

void gic_set_edge(uint32_t intid, bool edge)
{
	uint64_t reg = frame(intid) + GICD_ICFGR + 4 * (intid / 16);
	uint32_t bit = 2u << 2 * (intid % 16);

	write32(reg, edge ? read32(reg) | bit : read32(reg) & ~bit);
}

void gic_route(uint32_t intid, uint64_t mpidr)
{
	write64(GUEST_GICD_BASE + GICD_IROUTER + 8 * intid, mpidr);
}

void gic_setup_edge(uint32_t intid, uint8_t prio)
{
	gic_disable(intid);
	if (intid >= 32) {
		gic_route(intid, cpu_self()->mpidr);
		gic_set_edge(intid, true);
	}
	gic_clear_pending(intid);
	gic_set_prio(intid, prio);
	gic_enable(intid);
}

uint32_t gic_ack(void)
{
	uint32_t intid = (uint32_t)sysreg_read(icc_iar1_el1);

	/* The priority change must be seen by what follows (IHI 0069H, 4.1.1). */
	dsb();
	isb();
	return intid & 0xffffff;
}

void gic_eoi(uint32_t intid)
{
	sysreg_write(icc_eoir1_el1, intid);
	isb();
}

void gic_dir(uint32_t intid)
{
	sysreg_write(icc_dir_el1, intid);
	isb();
}

uint32_t gic_rpr(void)
{
	return (uint32_t)sysreg_read(icc_rpr_el1);
}

uint32_t gic_hppir(void)
{
	return (uint32_t)sysreg_read(icc_hppir1_el1) & 0xffffff;
}

void gic_set_pmr(uint32_t value)
{
	sysreg_write(icc_pmr_el1, value);
	isb();
	dsb();
}

void gic_set_eoimode(bool split)
{
	sysreg_write(icc_ctlr_el1, split ? ICC_CTLR_EOIMODE : 0);
	isb();
}

void gic_sgi(uint64_t mpidr, uint32_t intid)
{
	/* Aff3[55:48] Aff2[39:32] INTID[27:24] Aff1[23:16] target list (IHI 0069H, 12.2.16) */
	uint64_t value = (mpidr >> 32 & 0xff) << 48 | (mpidr >> 16 & 0xff) << 32 | (uint64_t)intid << 24 |
			 (mpidr >> 8 & 0xff) << 16 | 1ull << (mpidr & 0xf);

	dsb();
	sysreg_write(icc_sgi1r_el1, value);
	isb();
}

void gic_sgi_others(uint32_t intid)
{
	dsb();
	sysreg_write(icc_sgi1r_el1, ICC_SGI1R_IRM | (uint64_t)intid << 24);
	isb();
}

void gic_log(struct cpu *c, uint32_t intid)
{
	uint32_t n = c->irq_count;

	c->irq_log[n % IRQ_LOG] = (uint16_t)intid;
	c->irq_rpr[n % IRQ_LOG] = (uint8_t)gic_rpr();
	dsb();
	c->irq_count = n + 1;
}

void gic_irq_default(struct cpu *c, uint32_t intid)
{
	gic_log(c, intid);
	gic_eoi(intid);
}

void gic_handle_irq(void)
{
	struct cpu *c = cpu_self();
	uint32_t intid = gic_ack();

	if (intid >= 1020)
		c->spurious_count++;
	else if (c->on_irq)
		c->on_irq(c, intid);
	else
		gic_irq_default(c, intid);
}

void gic_take_pending(void)
{
	irq_enable();
	isb();
	delay_us(20);
	irq_disable();
}

uint32_t gic_log_count(const struct cpu *c, uint32_t intid)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < c->irq_count && i < IRQ_LOG; i++)
		count += c->irq_log[i] == intid;
	return count;
}
