/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GICv3 driver (Arm IHI 0069): distributor, redistributors, system-register interfaces for EL2 and for guests.
 *
 * Affinity routing on, everything group 1, EOImode 1 (priority drop and deactivation apart). The boot CPU sets up the
 * distributor; each CPU its own redistributor. Register waits are bounded.
 */
#include "arm64.h"
#include "abi/platform.h"
#include "camber/errno.h"
#include "camber/log.h"
#include "gic.h"
#include "gic_regs.h"
#include "platform.h"
#include "sysregs.h"

#define GICD_CTLR_RWP BIT32(31)
#define GICD_CTLR_ARE BIT32(4)
#define GICD_CTLR_GRP1 BIT32(1)

#define GICR_ISACTIVER0 (GICR_SGI_FRAME + GICD_ISACTIVER)
#define GICR_TYPER_VLPIS BIT64(1)
#define GICR_WAKER_SLEEP BIT32(1)
#define GICR_WAKER_ASLEEP BIT32(2)

extern char gicv3_lr_read[], gicv3_lr_write[];

#define POLL_LIMIT 1000000u

static uint64_t gicd, gicr_base, gicr_bytes, gicr_stride;
static uint64_t rd_base[CONFIG_CPU_MAX];    /* by CPU number */
static uint64_t sgi_target[CONFIG_CPU_MAX]; /* ICC_SGI1R_EL1 without the INTID */
static unsigned int prio_regs;              /* ICH_AP<g>R<n> that exist: 1, 2 or 4 */

static uint32_t read32(uint64_t addr)
{
	return *(volatile uint32_t *)(uintptr_t)addr;
}

static uint64_t read64(uint64_t addr)
{
	return *(volatile uint64_t *)(uintptr_t)addr;
}

static void write32(uint64_t addr, uint32_t v)
{
	*(volatile uint32_t *)(uintptr_t)addr = v;
}

static void write64(uint64_t addr, uint64_t v)
{
	*(volatile uint64_t *)(uintptr_t)addr = v;
}

static bool wait_clear(uint64_t addr, uint32_t mask)
{
	unsigned int i;

	for (i = 0; i < POLL_LIMIT; i++) {
		if (!(read32(addr) & mask))
			return true;
		arch_cpu_relax();
	}
	return false;
}

static __cold int v3_init(const struct platform *hw)
{
	uint32_t lines, i;

	gicd = hw->gicd.base;
	gicr_base = hw->gicr.base;
	gicr_bytes = hw->gicr.bytes;
	gicr_stride = hw->gicr_stride;
	write32(gicd + GICD_CTLR, 0);
	if (!wait_clear(gicd + GICD_CTLR, GICD_CTLR_RWP)) {
		log_line("gic: distributor at 0x%llx doesn't settle (GICD_CTLR.RWP)", (unsigned long long)gicd);
		return -ENODEV;
	}
	lines = MIN(((read32(gicd + GICD_TYPER) & 31) + 1) * 32, 1020u);
	for (i = 32; i < lines; i += 32) {
		write32(gicd + GICD_ICENABLER + i / 8, UINT32_MAX);
		write32(gicd + GICD_ICACTIVER + i / 8, UINT32_MAX);
		write32(gicd + GICD_IGROUPR + i / 8, UINT32_MAX);
	}
	for (i = 32; i < lines; i += 4)
		write32(gicd + GICD_IPRIORITYR + i, GIC_PRIO_DEFAULT * 0x01010101u);
	write32(gicd + GICD_CTLR, GICD_CTLR_ARE | GICD_CTLR_GRP1);
	(void)wait_clear(gicd + GICD_CTLR, GICD_CTLR_RWP);
	log_line("gic: v3, %u interrupts", lines);
	return 0;
}

/* The redistributor whose affinity is this CPU's (IHI 0069 12.11.35). */
static __cold uint64_t find_redistributor(uint64_t mpidr)
{
	uint64_t affinity = (mpidr & 0xffffff) | ((mpidr >> 32) & 0xff) << 24;
	uint64_t at = gicr_base;

	while (at + 0x20000 <= gicr_base + gicr_bytes) {
		uint64_t typer = read64(at + GICR_TYPER);

		if (typer >> 32 == affinity)
			return at;
		if (typer & GICR_TYPER_LAST)
			break;
		at += gicr_stride ? gicr_stride : (typer & GICR_TYPER_VLPIS ? 0x40000 : 0x20000);
	}
	return 0;
}

static __cold int v3_init_cpu(unsigned int cpu)
{
	uint64_t mpidr = read_sysreg(mpidr_el1);
	uint64_t rd = find_redistributor(mpidr), vtr;
	uint32_t i;

	if (!rd) {
		log_line("gic: no redistributor for CPU %u (MPIDR 0x%llx)", cpu, (unsigned long long)mpidr);
		return -ENODEV;
	}
	rd_base[cpu] = rd;
	sgi_target[cpu] = ((mpidr >> 32) & 0xff) << 48 | ((mpidr >> 16) & 0xff) << 32 | ((mpidr >> 8) & 0xff) << 16 |
			  ((mpidr & 0xf0) >> 4) << 44 | BIT64(mpidr & 15);
	write32(rd + GICR_WAKER, read32(rd + GICR_WAKER) & ~GICR_WAKER_SLEEP);
	if (!wait_clear(rd + GICR_WAKER, GICR_WAKER_ASLEEP)) {
		log_line("gic: redistributor of CPU %u doesn't wake", cpu);
		return -ENODEV;
	}
	write32(rd + GICR_SGI_FRAME + GICD_ICENABLER, UINT32_MAX);
	write32(rd + GICR_SGI_FRAME + GICD_ICACTIVER, UINT32_MAX);
	write32(rd + GICR_SGI_FRAME + GICD_IGROUPR, UINT32_MAX);
	for (i = 0; i < 32; i += 4)
		write32(rd + GICR_SGI_FRAME + GICD_IPRIORITYR + i, GIC_PRIO_DEFAULT * 0x01010101u);
	(void)wait_clear(rd + GICR_CTLR, BIT32(3));

	/* SRE, no legacy bypass; not Enable: a guest's access to ICC_SRE_EL1 traps. */
	write_sysreg(ICC_SRE_EL2, 7);
	isb();
	write_sysreg(ICC_SRE_EL1, 7);
	isb();
	write_sysreg(ICC_PMR_EL1, 0xff);
	write_sysreg(ICC_BPR1_EL1, 0);
	write_sysreg(ICC_CTLR_EL1, ICC_CTLR_EOIMODE);
	write_sysreg(ICC_IGRPEN1_EL1, 1);
	vtr = read_sysreg(ICH_VTR_EL2);
	gic_lr_count = (unsigned int)(vtr & 31) + 1;
	prio_regs = 1u << (((vtr >> 26) & 7) - 4); /* PREbits 5, 6, 7: 1, 2, 4 registers */
	for (i = 0; i < gic_lr_count; i++)
		gic_lr_write(i, 0);
	write_sysreg(ICH_HCR_EL2, ICH_HCR_EN);
	isb();
	write32(rd + GICR_SGI_FRAME + GICD_ISENABLER,
		0xffffu | BIT32(GUEST_PPI_MAINTENANCE) | BIT32(GUEST_PPI_HYP_TIMER) | BIT32(GUEST_PPI_VTIMER));
	return 0;
}

static void v3_handle_irqs(void)
{
	uint32_t intid = (uint32_t)read_sysreg(ICC_IAR1_EL1);
	struct pcpu *p = arch_pcpu();

	if (unlikely(intid >= 1020))
		return;
	write_sysreg(ICC_EOIR1_EL1, intid); /* EOImode 1: priority drop only */
	trace(IRQ, intid);
	if (likely(intid == GUEST_PPI_VTIMER && p->loaded))
		vgic_vtimer_fired(to_arm(p->loaded));
	else
		gic_handle_other(intid);
}

static void v3_deactivate(uint32_t intid)
{
	write_sysreg(ICC_DIR_EL1, intid);
}

static void v3_send_sgi(unsigned int cpu, uint32_t sgi)
{
	/* What the other CPU is to see must be visible before the interrupt (IHI 0069 12.1.4). */
	dsb(ishst);
	write_sysreg(ICC_SGI1R_EL1, sgi_target[cpu] | (uint64_t)sgi << 24);
	isb();
}

static __cold void v3_route(uint32_t intid, uint64_t hw_id)
{
	write64(gicd + GICD_IROUTER + 8 * (uint64_t)intid, hw_id);
}

static __cold void v3_enable(uint32_t intid)
{
	uint64_t mpidr = read_sysreg(mpidr_el1);

	if (intid < 32) {
		write32(rd_base[arch_pcpu()->id] + GICR_SGI_FRAME + GICD_ISENABLER, BIT32(intid));
		return;
	}
	v3_route(intid, mpidr & UINT64_C(0xff00ffffff));
	write32(gicd + GICD_ISENABLER + intid / 32 * 4, BIT32(intid % 32));
}

static __cold void v3_disable(uint32_t intid)
{
	write32(gicd + GICD_ICENABLER + intid / 32 * 4, BIT32(intid % 32));
	/* From here on it is delivered to nobody: what it was is cleared for good (IHI 0069 12.9.7). */
	(void)wait_clear(gicd + GICD_CTLR, GICD_CTLR_RWP);
	write32(gicd + GICD_ICPENDR + intid / 32 * 4, BIT32(intid % 32));
	write32(gicd + GICD_ICACTIVER + intid / 32 * 4, BIT32(intid % 32));
}

static __cold void v3_configure(uint32_t intid, bool edge)
{
	uint64_t reg = gicd + GICD_ICFGR + intid / 16 * 4;
	uint32_t bit = BIT32(intid % 16 * 2 + 1);

	write32(reg, edge ? read32(reg) | bit : read32(reg) & ~bit);
}

static void v3_set_active(uint32_t intid)
{
	if (intid < 32)
		write32(rd_base[arch_pcpu()->id] + GICR_ISACTIVER0, BIT32(intid));
	else
		write32(gicd + GICD_ISACTIVER + intid / 32 * 4, BIT32(intid % 32));
	/* The guest's end of interrupt must find it active. */
	dsb(sy);
}

static void v3_hcr_write(uint64_t value)
{
	write_sysreg(ICH_HCR_EL2, value);
}

static uint32_t v3_eoi_count(void)
{
	/* EOImode 1: only ICC_DIR_EL1 deactivates, and that traps; QEMU counts priority drops all the same. */
	if (read_sysreg(ICH_VMCR_EL2) & ICH_VMCR_VEOIM)
		return 0;
	return (uint32_t)(read_sysreg(ICH_HCR_EL2) >> ICH_HCR_EOICOUNT_SHIFT) & 31;
}

static void v3_vif_save(struct gic_vif *vif)
{
	vif->vmcr = read_sysreg(ICH_VMCR_EL2);
	vif->ap0r[0] = read_sysreg(s3_4_c12_c8_0);
	vif->ap1r[0] = read_sysreg(s3_4_c12_c9_0);
	if (prio_regs > 1) {
		vif->ap0r[1] = read_sysreg(s3_4_c12_c8_1);
		vif->ap1r[1] = read_sysreg(s3_4_c12_c9_1);
	}
	if (prio_regs > 2) {
		vif->ap0r[2] = read_sysreg(s3_4_c12_c8_2);
		vif->ap1r[2] = read_sysreg(s3_4_c12_c9_2);
		vif->ap0r[3] = read_sysreg(s3_4_c12_c8_3);
		vif->ap1r[3] = read_sysreg(s3_4_c12_c9_3);
	}
}

static void v3_vif_load(const struct gic_vif *vif)
{
	write_sysreg(ICH_VMCR_EL2, vif->vmcr);
	write_sysreg(s3_4_c12_c8_0, vif->ap0r[0]);
	write_sysreg(s3_4_c12_c9_0, vif->ap1r[0]);
	if (prio_regs > 1) {
		write_sysreg(s3_4_c12_c8_1, vif->ap0r[1]);
		write_sysreg(s3_4_c12_c9_1, vif->ap1r[1]);
	}
	if (prio_regs > 2) {
		write_sysreg(s3_4_c12_c8_2, vif->ap0r[2]);
		write_sysreg(s3_4_c12_c9_2, vif->ap1r[2]);
		write_sysreg(s3_4_c12_c8_3, vif->ap0r[3]);
		write_sysreg(s3_4_c12_c9_3, vif->ap1r[3]);
	}
}

const struct gic_ops gicv3_ops = {
	.name = "GICv3",
	.init = v3_init,
	.init_cpu = v3_init_cpu,
	.handle_irqs = v3_handle_irqs,
	.deactivate = v3_deactivate,
	.send_sgi = v3_send_sgi,
	.enable = v3_enable,
	.disable = v3_disable,
	.configure = v3_configure,
	.route = v3_route,
	.set_active = v3_set_active,
	.lr_write = gicv3_lr_write,
	.lr_read = gicv3_lr_read,
	.hcr_write = v3_hcr_write,
	.eoi_count = v3_eoi_count,
	.vif_save = v3_vif_save,
	.vif_load = v3_vif_load,
};
