/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Register views of the GIC: identification, widths, read-back, reserved fields, the walk over the redistributors.
 */
#include "cases.h"

#include "gic.h"

#define SPI_A 40u

enum outcome case_gicd_ids(void)
{
	uint32_t typer = gicd_read(GICD_TYPER), pidr2 = gicd_read(GICD_PIDR2);

	CHECK((pidr2 >> 4 & 0xf) == 3, "GICD_PIDR2 %x: not a GICv3", pidr2);
	CHECK(gic_line_count() >= 64, "GICD_TYPER %x: only %u INTIDs", typer, gic_line_count());
	CHECK((typer >> 19 & 0x1f) >= 9, "GICD_TYPER %x: IDbits below 10", typer);
	CHECK(!(typer & 1u << 10), "GICD_TYPER %x: two security states shown", typer);
	CHECK(gicd_read(GICD_IIDR), "GICD_IIDR is 0");
	CHECK(gicd_read(GICD_CTLR) & GICD_CTLR_ARE, "GICD_CTLR %x: no affinity routing", gicd_read(GICD_CTLR));
	/* Read-only registers stay. */
	gicd_write(GICD_TYPER, ~typer);
	gicd_write(GICD_PIDR2, 0);
	CHECK(gicd_read(GICD_TYPER) == typer && gicd_read(GICD_PIDR2) == pidr2, "an ID register was written");
	return OUTCOME_OK;
}

/* Words, bytes and their mix; what an interrupt's priority does not implement reads 0. */
enum outcome case_gicd_bytes(void)
{
	uint64_t spi = GUEST_GICD_BASE + GICD_IPRIORITYR + SPI_A;
	uint64_t sgi = gic_redist(0) + GICR_SGI_FRAME + GICD_IPRIORITYR;
	const uint64_t regs[] = { spi, sgi };

	for (unsigned int r = 0; r < ARRAY_SIZE(regs); r++) {
		write32(regs[r], 0x40302010);
		for (uint32_t i = 0; i < 4; i++)
			CHECK(read8(regs[r] + i) == 0x10 * (i + 1), "byte %u is %x after the word 40302010", i,
			      read8(regs[r] + i));
		write8(regs[r] + 2, 0x70);
		CHECK(read32(regs[r]) == 0x40702010, "word is %x after byte 2 = 70", read32(regs[r]));
		write8(regs[r], 0xff);
		CHECK((read8(regs[r]) & 0xf0) == 0xf0, "priority ff reads %x", read8(regs[r]));
		CHECK(read32(regs[r]) >> 8 == 0x407020, "neighbours %x after a byte write", read32(regs[r]));
	}
	return OUTCOME_OK;
}

enum outcome case_gicd_readback(void)
{
	uint32_t cfgr = GICD_ICFGR + 4 * (SPI_A / 16), field = 2u << 2 * (SPI_A % 16);
	uint32_t bit = 1u << SPI_A % 32;
	uint64_t sgi = gic_redist(0) + GICR_SGI_FRAME;

	gicd_write(cfgr, field);
	CHECK(gicd_read(cfgr) & field, "ICFGR %x: edge does not read back", gicd_read(cfgr));
	gicd_write(cfgr, 0);
	CHECK(!(gicd_read(cfgr) & field), "ICFGR %x: level does not read back", gicd_read(cfgr));
	gicd_write(GICD_ISENABLER + 4, bit);
	CHECK(gicd_read(GICD_ISENABLER + 4) == bit && gicd_read(GICD_ICENABLER + 4) == bit, "enables %x, %x; want %x",
	      gicd_read(GICD_ISENABLER + 4), gicd_read(GICD_ICENABLER + 4), bit);
	gicd_write(GICD_ICENABLER + 4, bit);
	CHECK(!gicd_read(GICD_ISENABLER + 4), "enables %x after clearing", gicd_read(GICD_ISENABLER + 4));
	CHECK(gicd_read(GICD_IGROUPR + 4) == ~0u, "IGROUPR1 %x, wrote all ones", gicd_read(GICD_IGROUPR + 4));
	/* Word 0 belongs to the redistributors (affinity routing): RAZ/WI here. */
	gicd_write(GICD_ISENABLER, ~0u);
	CHECK(!gicd_read(GICD_ISENABLER) && !gicd_read(GICD_IPRIORITYR),
	      "distributor's word 0: enables %x, priorities %x", gicd_read(GICD_ISENABLER), gicd_read(GICD_IPRIORITYR));
	CHECK(!read32(sgi + GICD_ISENABLER), "it reached the redistributor: %x", read32(sgi + GICD_ISENABLER));
	/* SGIs are edge, for good. */
	write32(sgi + GICD_ICFGR, 0);
	CHECK(read32(sgi + GICD_ICFGR) == 0xaaaaaaaa, "GICR_ICFGR0 %x, want aaaaaaaa", read32(sgi + GICD_ICFGR));
	write32(sgi + GICD_ISENABLER, 1u << 5 | 1u << 27);
	CHECK(read32(sgi + GICD_ISENABLER) == (1u << 5 | 1u << 27), "GICR_ISENABLER0 %x", read32(sgi + GICD_ISENABLER));
	/* A reserved offset is RAZ/WI, not a fault. */
	gicd_write(0x5000, ~0u);
	CHECK(!gicd_read(0x5000), "reserved offset 5000 reads %x", gicd_read(0x5000));
	return OUTCOME_OK;
}

/* One redistributor per CPU of the device tree, in any order; the last one says so. */
enum outcome case_gicr_walk(void)
{
	uint64_t base = GUEST_GICR_BASE;
	uint32_t found = 0;

	for (uint32_t n = 0; n < CPU_MAX * 2; n++, base += GUEST_GICR_STRIDE) {
		uint64_t typer = read64(base + GICR_TYPER);
		uint64_t aff = (typer >> 32 & 0xffffff) | (typer >> 56) << 32;
		uint32_t low = read32(base + GICR_TYPER), high = read32(base + GICR_TYPER + 4);

		CHECK(typer == (low | (uint64_t)high << 32), "redistributor %u: TYPER %lx, by halves %x %x", n, typer,
		      high, low);
		CHECK((read32(base + GICR_PIDR2) >> 4 & 0xf) == 3, "redistributor %u: PIDR2 %x", n,
		      read32(base + GICR_PIDR2));
		CHECK((typer >> 8 & 0xffff) == n, "redistributor %u: processor number %lu", n, typer >> 8 & 0xffff);
		for (uint32_t i = 0; i < cpu_count; i++)
			found += aff == cpus[i].mpidr;
		CHECK(found == n + 1, "redistributor %u: affinity %lx is no CPU of ours", n, aff);
		if (typer & GICR_TYPER_LAST) {
			CHECK(found == cpu_count, "%u redistributors, %u CPUs", found, cpu_count);
			return OUTCOME_OK;
		}
	}
	return fail("no redistributor has TYPER.Last set");
}

enum outcome case_gicr_waker(void)
{
	uint64_t rd = gic_redist(0);

	CHECK(!(read32(rd + GICR_WAKER) & (GICR_WAKER_SLEEP | GICR_WAKER_CHILDREN)), "WAKER %x of a running CPU",
	      read32(rd + GICR_WAKER));
	CHECK(!(read32(rd + GICR_CTLR) & 1u << 31), "GICR_CTLR %x: UWP stays set", read32(rd + GICR_CTLR));
	CHECK(read32(rd + GICR_IIDR) == gicd_read(GICD_IIDR), "GICR_IIDR %x, GICD_IIDR %x", read32(rd + GICR_IIDR),
	      gicd_read(GICD_IIDR));
	return OUTCOME_OK;
}

/* CPU interface: what it says about itself and what can be written. */
enum outcome case_icc_regs(void)
{
	uint64_t ctlr = sysreg_read(icc_ctlr_el1), pri_bits = (ctlr >> 8 & 7) + 1;

	CHECK(sysreg_read(icc_sre_el1) & 1, "ICC_SRE_EL1 %lx: SRE is 0", sysreg_read(icc_sre_el1));
	CHECK(pri_bits >= 4, "ICC_CTLR_EL1 %lx: %lu priority bits", ctlr, pri_bits);
	sysreg_write(icc_igrpen1_el1, 0);
	isb();
	CHECK(!sysreg_read(icc_igrpen1_el1), "ICC_IGRPEN1 reads %lx, wrote 0", sysreg_read(icc_igrpen1_el1));
	sysreg_write(icc_igrpen1_el1, 1);
	isb();
	CHECK(sysreg_read(icc_igrpen1_el1) == 1, "ICC_IGRPEN1 reads %lx, wrote 1", sysreg_read(icc_igrpen1_el1));
	gic_set_pmr(0);
	CHECK(!sysreg_read(icc_pmr_el1), "PMR reads %lx, wrote 0", sysreg_read(icc_pmr_el1));
	gic_set_pmr(0xff);
	CHECK(sysreg_read(icc_pmr_el1) == (0xff & ~(0xffull >> pri_bits)), "PMR reads %lx, wrote ff, %lu bits",
	      sysreg_read(icc_pmr_el1), pri_bits);
	/* HPPIR shows the most urgent one, without acknowledging it. */
	gic_setup_edge(SPI_A, 0x80);
	gic_setup_edge(SPI_A + 1, 0x70);
	gic_set_pending(SPI_A);
	CHECK(gic_hppir() == SPI_A, "HPPIR %u, want %u", gic_hppir(), SPI_A);
	gic_set_pending(SPI_A + 1);
	CHECK(gic_hppir() == SPI_A + 1, "HPPIR %u, want %u", gic_hppir(), SPI_A + 1);
	CHECK(gic_is_pending(SPI_A + 1), "HPPIR took the pending state");
	gic_take_pending();
	CHECK(cpu_self()->irq_count == 2, "%u interrupts, want 2", cpu_self()->irq_count);
	return OUTCOME_OK;
}
