/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile accesses to distributor and redistributors (IHI 0069, 12.8 to 12.11): reserved offsets, sizes, read-only
 * registers, interrupts and CPUs that don't exist. What is reserved reads as zero and ignores writes; an access of a size
 * that a register doesn't have is an external abort.
 */
#include "hostile.h"

#include "gic.h"
#include "psci.h"

#define FRAME 0x10000u

#define GICD_STATUSR 0x0010
#define GICD_SETSPI_NSR 0x0040
#define GICD_CLRSPI_NSR 0x0048
#define GICD_SETSPI_SR 0x0050
#define GICD_CLRSPI_SR 0x0058
#define GICD_ITARGETSR 0x0800
#define GICD_IGRPMODR 0x0d00
#define GICD_NSACR 0x0e00
#define GICD_SGIR 0x0f00
#define GICD_CPENDSGIR 0x0f10
#define GICD_SPENDSGIR 0x0f20
#define GICR_SETLPIR 0x0040
#define GICR_CLRLPIR 0x0048
#define GICR_PROPBASER 0x0070
#define GICR_PENDBASER 0x0078
#define GICR_INVLPIR 0x00a0
#define GICR_INVALLR 0x00b0
#define GICR_SYNCR 0x00c0

static uint64_t rd_frame(uint32_t cpu)
{
	return GUEST_GICR_BASE + (uint64_t)cpu * GUEST_GICR_STRIDE;
}

/* ---- distributor ---- */

enum outcome case_gicd_read_all(void)
{
	trap_expect();
	for (uint32_t at = 0; at < GUEST_GICD_SIZE; at += 4)
		(void)gicd_read(at);
	return want_nothing("a read of the distributor");
}

/* Not a register, or one that this distributor doesn't have. */
static bool gicd_reserved(uint32_t at)
{
	if (at < GICD_IGROUPR)
		return at > GICD_IIDR;
	if (at < GICD_ITARGETSR)
		return at >= GICD_IPRIORITYR + 1020 && at < GICD_ITARGETSR;
	if (at < GICD_ICFGR)
		return true;
	if (at < GICD_IGRPMODR)
		return false;
	return at < GICD_IROUTER || (at >= 0x8000 && at < 0xffd0);
}

enum outcome case_gicd_holes(void)
{
	trap_expect();
	for (uint32_t at = 0; at < GUEST_GICD_SIZE; at += 4) {
		if (!gicd_reserved(at))
			continue;
		gicd_write(at, ~0u);
		CHECK(!gicd_read(at), "GICD+%x reads %x after ones", at, gicd_read(at));
	}
	TRY(want_nothing("a write to what is reserved"));
	return still_sound();
}

/* Every 32-bit word of the distributor written with ones, then zeroes: whatever it means, the VM lives with it. */
enum outcome case_gicd_write_all(void)
{
	static const uint32_t values[] = { ~0u, 0, 0xa5a5a5a5 };

	trap_expect();
	for (unsigned int i = 0; i < ARRAY_SIZE(values); i++)
		for (uint32_t at = 0; at < GUEST_GICD_SIZE; at += 4)
			gicd_write(at, values[i]);
	TRY(want_nothing("a write to the distributor"));
	return still_sound();
}

static enum outcome sizes_refused(const char *name, uint64_t at)
{
	trap_expect();
	(void)read8(at);
	TRY(want_trap(name, ESR_DATA_ABORT(0), at));
	trap_expect();
	(void)read16(at);
	TRY(want_trap(name, ESR_DATA_ABORT(0), at));
	trap_expect();
	write8(at, 0xff);
	TRY(want_trap(name, ESR_DATA_ABORT(1), at));
	if (at & 7)
		return OUTCOME_OK;
	trap_expect();
	(void)read64(at);
	TRY(want_trap(name, ESR_DATA_ABORT(0), at));
	trap_expect();
	write64(at, ~0ull);
	return want_trap(name, ESR_DATA_ABORT(1), at);
}

enum outcome case_gicd_sizes(void)
{
	TRY(sizes_refused("GICD_CTLR", GUEST_GICD_BASE + GICD_CTLR));
	TRY(sizes_refused("GICD_IGROUPR1", GUEST_GICD_BASE + GICD_IGROUPR + 4));
	TRY(sizes_refused("GICD_ISENABLER2", GUEST_GICD_BASE + GICD_ISENABLER + 8));
	TRY(sizes_refused("GICD_ICENABLER2", GUEST_GICD_BASE + GICD_ICENABLER + 8));
	TRY(sizes_refused("GICD_ISPENDR2", GUEST_GICD_BASE + GICD_ISPENDR + 8));
	TRY(sizes_refused("GICD_ICPENDR2", GUEST_GICD_BASE + GICD_ICPENDR + 8));
	TRY(sizes_refused("GICD_ISACTIVER2", GUEST_GICD_BASE + GICD_ISACTIVER + 8));
	TRY(sizes_refused("GICD_ICACTIVER2", GUEST_GICD_BASE + GICD_ICACTIVER + 8));
	TRY(sizes_refused("GICD_ICFGR2", GUEST_GICD_BASE + GICD_ICFGR + 8));
	/* Banks of interrupts that don't exist have sizes too. */
	return sizes_refused("GICD_ISENABLER30", GUEST_GICD_BASE + GICD_ISENABLER + 120);
}

/* Registers of interrupts behind the last one that TYPER names, 1020 to 1023 among them. */
enum outcome case_gicd_beyond(void)
{
	static const uint16_t bits[] = { GICD_IGROUPR, GICD_ISENABLER, GICD_ICENABLER, GICD_ISPENDR,
					 GICD_ICPENDR, GICD_ISACTIVER, GICD_ICACTIVER };
	uint32_t lines = gic_line_count();

	trap_expect();
	for (unsigned int b = 0; b < ARRAY_SIZE(bits); b++) {
		for (uint32_t n = lines / 32; n < 32; n++) {
			gicd_write(bits[b] + 4u * n, ~0u);
			CHECK(!gicd_read(bits[b] + 4u * n), "GICD+%x reads %x", bits[b] + 4u * n,
			      gicd_read(bits[b] + 4u * n));
		}
	}
	for (uint32_t n = lines / 4; n < 256; n++) {
		gicd_write(GICD_IPRIORITYR + 4 * n, ~0u);
		CHECK(!gicd_read(GICD_IPRIORITYR + 4 * n), "GICD_IPRIORITYR%u reads %x", n,
		      gicd_read(GICD_IPRIORITYR + 4 * n));
	}
	for (uint32_t n = lines / 16; n < 64; n++) {
		gicd_write(GICD_ICFGR + 4 * n, ~0u);
		CHECK(!gicd_read(GICD_ICFGR + 4 * n), "GICD_ICFGR%u reads %x", n, gicd_read(GICD_ICFGR + 4 * n));
	}
	for (uint32_t n = lines; n < 1024; n++) {
		write64(GUEST_GICD_BASE + GICD_IROUTER + 8 * n, ~0ull);
		CHECK(!read64(GUEST_GICD_BASE + GICD_IROUTER + 8 * n), "GICD_IROUTER%u reads %lx", n,
		      read64(GUEST_GICD_BASE + GICD_IROUTER + 8 * n));
	}
	return want_nothing("an access to interrupts that don't exist");
}

/* SGIs and PPIs belong to the redistributors. */
enum outcome case_gicd_word0(void)
{
	static const uint16_t regs[] = { GICD_IGROUPR,   GICD_ISENABLER, GICD_ICENABLER,  GICD_ISPENDR,  GICD_ICPENDR,
					 GICD_ISACTIVER, GICD_ICACTIVER, GICD_IPRIORITYR, GICD_ICFGR + 0 };

	trap_expect();
	for (unsigned int i = 0; i < ARRAY_SIZE(regs); i++) {
		gicd_write(regs[i], ~0u);
		CHECK(!gicd_read(regs[i]), "GICD+%x reads %x after ones", regs[i], gicd_read(regs[i]));
	}
	for (uint32_t n = 0; n < 32; n++) {
		write64(GUEST_GICD_BASE + GICD_IROUTER + 8 * n, 1);
		CHECK(!read64(GUEST_GICD_BASE + GICD_IROUTER + 8 * n), "GICD_IROUTER%u keeps a value", n);
	}
	TRY(want_nothing("an access to word 0"));
	CHECK(!cpu_self()->irq_count && gic_hppir() == INTID_SPURIOUS, "interrupt %u is pending", gic_hppir());
	return OUTCOME_OK;
}

enum outcome case_gicd_ctlr(void)
{
	gicd_write(GICD_CTLR, ~0u);
	CHECK((gicd_read(GICD_CTLR) & ~(3u | 1u << 4 | 1u << 6)) == 0, "GICD_CTLR %x after ones", gicd_read(GICD_CTLR));
	gicd_write(GICD_CTLR, 0);
	CHECK((gicd_read(GICD_CTLR) & 3) == 0 && gicd_read(GICD_CTLR) & 1u << 4, "GICD_CTLR %x after 0",
	      gicd_read(GICD_CTLR));
	return still_sound();
}

enum outcome case_gicd_read_only(void)
{
	static const uint16_t regs[] = { GICD_TYPER, GICD_IIDR, GICD_PIDR2, 0xffd0, 0xfff0, 0xfffc };

	trap_expect();
	for (unsigned int i = 0; i < ARRAY_SIZE(regs); i++) {
		uint32_t before = gicd_read(regs[i]);

		gicd_write(regs[i], ~before);
		CHECK(gicd_read(regs[i]) == before, "GICD+%x can be written", regs[i]);
	}
	return want_nothing("a write to identification");
}

/* Message-based SPIs, GICv2's SGI registers, target registers: not in this distributor. */
enum outcome case_gicd_absent(void)
{
	static const uint16_t regs[] = { GICD_STATUSR,   GICD_SETSPI_NSR, GICD_CLRSPI_NSR, GICD_SETSPI_SR,
					 GICD_CLRSPI_SR, GICD_NSACR,      GICD_SGIR,       GICD_CPENDSGIR,
					 GICD_SPENDSGIR, GICD_IGRPMODR,   GICD_ITARGETSR };

	irq_enable();
	trap_expect();
	for (unsigned int i = 0; i < ARRAY_SIZE(regs); i++)
		for (uint32_t value = 0; value < 96; value++)
			gicd_write(regs[i], value | value << 24);
	TRY(want_nothing("a write to registers of other distributors"));
	delay_us(50);
	irq_disable();
	CHECK(!cpu_self()->irq_count, "interrupt %u came", cpu_self()->irq_log[0]);
	for (uint32_t i = 0; i < gic_line_count(); i++)
		CHECK(!gic_is_pending(i), "interrupt %u is pending", i);
	return OUTCOME_OK;
}

/* An affinity that nobody has leaves the interrupt where it is. */
enum outcome case_irouter_nowhere(void)
{
	static const uint64_t nobody[] = {
		CPU_MAX, 0xff, 0x100, 0xff00, 0x10000, 0xff0000, 1ull << 32, 0xff00000000ull
	};
	struct cpu *c = cpu_self();

	gic_setup_edge(40, 0x80);
	irq_enable();
	for (unsigned int i = 0; i < ARRAY_SIZE(nobody); i++) {
		write64(GUEST_GICD_BASE + GICD_IROUTER + 8 * 40, nobody[i]);
		gic_set_pending(40);
		CHECK(WAIT_FOR(c->irq_count == i + 1, PATIENCE_US), "routed to %lx it is lost", nobody[i]);
	}
	irq_disable();
	return still_sound();
}

/* IRM and every reserved bit; sizes that IROUTER doesn't have. */
enum outcome case_irouter_bits(void)
{
	uint64_t at = GUEST_GICD_BASE + GICD_IROUTER + 8 * 40;

	for (unsigned int bit = 0; bit < 64; bit++) {
		write64(at, 1ull << bit);
		CHECK(!(read64(at) & ~0xff80ffffffull), "IROUTER reads %lx after bit %u", read64(at), bit);
	}
	trap_expect();
	(void)read8(at);
	TRY(want_trap("a byte of IROUTER", ESR_DATA_ABORT(0), at));
	trap_expect();
	write16(at, 0xffff);
	TRY(want_trap("a half-word of IROUTER", ESR_DATA_ABORT(1), at));
	trap_expect();
	write32(at + 4, ~0u);
	write32(at, 0);
	TRY(want_nothing("words of IROUTER"));
	CHECK(read64(at) == 0, "IROUTER reads %lx after 0", read64(at));
	return OUTCOME_OK;
}

static void take_40(struct cpu *c)
{
	irq_enable();
	c->stage = 1;
	(void)WAIT_FOR(c->irq_count, PATIENCE_US);
	irq_disable();
	c->result[0] = gic_log_count(c, 40);
}

/* An SPI routed to a CPU that is off waits there, can be looked at and taken back, and comes when the CPU does. */
enum outcome case_irouter_off_cpu(void)
{
	gic_setup_edge(40, 0x80);
	gic_route(40, cpus[1].mpidr);
	for (unsigned int round = 0; round < 20; round++) {
		gic_set_pending(40);
		CHECK(gic_is_pending(40) && !gic_is_active(40), "round %u: it isn't pending", round);
		gic_clear_pending(40);
		CHECK(!gic_is_pending(40), "round %u: it can't be taken back", round);
		gic_set_pending(40);
		TRY(cpu_start(1, take_40));
		TRY(cpu_join(1));
		CHECK(cpus[1].result[0] == 1, "round %u: it came %lu times", round, cpus[1].result[0]);
	}
	gic_route(40, cpus[0].mpidr);
	return still_sound();
}

static void off_in_the_middle(struct cpu *c)
{
	for (uint32_t i = 0; i < 8; i++) {
		gic_setup_edge(40 + i, 0x80);
		gic_set_pending(40 + i);
	}
	c->stage = 1 + (gic_ack() < 48);
	c->done = true;
	(void)psci_hvc(PSCI_CPU_OFF, 0, 0, 0);
}

/* A CPU that goes off in the middle of an interrupt, with more of them pending: what is left can be seen and taken back. */
enum outcome case_gicd_off_active(void)
{
	for (unsigned int round = 0; round < 20; round++) {
		uint32_t active = 0, pending = 0;

		TRY(cpu_start(1, off_in_the_middle));
		TRY(cpu_join(1));
		CHECK(cpus[1].stage == 2, "round %u: cpu 1 got no interrupt", round);
		for (uint32_t i = 40; i < 48; i++) {
			active += gic_is_active(i);
			pending += gic_is_pending(i);
			gic_clear_active(i);
			gic_clear_pending(i);
			CHECK(!gic_is_active(i) && !gic_is_pending(i), "round %u: interrupt %u stays", round, i);
		}
		CHECK(active == 1 && pending == 7, "round %u: %u active, %u pending, want 1 and 7", round, active,
		      pending);
	}
	return still_sound();
}

/* Everything pending and active that there is. */
enum outcome case_gicd_all_pending(void)
{
	struct cpu *c = cpu_self();
	uint32_t lines = gic_line_count();

	for (uint32_t n = 1; n < lines / 32; n++) {
		for (uint32_t i = 0; i < 32; i++) {
			gic_set_edge(32 * n + i, true);
			gic_route(32 * n + i, c->mpidr);
		}
		gicd_write(GICD_ISENABLER + 4 * n, ~0u);
		gicd_write(GICD_ISPENDR + 4 * n, ~0u);
	}
	irq_enable();
	CHECK(WAIT_FOR(c->irq_count >= lines - 32, PATIENCE_US), "%u interrupts come, want %u", c->irq_count,
	      lines - 32);
	irq_disable();
	CHECK(c->irq_count == lines - 32, "%u interrupts come, want %u", c->irq_count, lines - 32);
	return still_sound();
}

enum outcome case_gicd_all_active(void)
{
	uint32_t lines = gic_line_count();

	for (unsigned int round = 0; round < 3; round++) {
		for (uint32_t n = 1; n < lines / 32; n++)
			gicd_write(GICD_ISACTIVER + 4 * n, ~0u);
		write32(rd_frame(0) + GICR_SGI_FRAME + GICD_ISACTIVER, ~0u);
		/* Ends of interrupts that were never acknowledged. */
		for (uint32_t i = 0; i < lines; i++)
			gic_eoi(i);
		for (uint32_t n = 1; n < lines / 32; n++)
			gicd_write(GICD_ICACTIVER + 4 * n, ~0u);
		write32(rd_frame(0) + GICR_SGI_FRAME + GICD_ICACTIVER, ~0u);
	}
	for (uint32_t i = 0; i < lines; i++)
		CHECK(!gic_is_active(i), "interrupt %u stays active", i);
	return still_sound();
}

/* ---- redistributors ---- */

enum outcome case_gicr_read_all(void)
{
	trap_expect();
	for (uint64_t at = 0; at < (uint64_t)cpu_count * GUEST_GICR_STRIDE; at += 4)
		(void)read32(GUEST_GICR_BASE + at);
	return want_nothing("a read of the redistributors");
}

/* Every word of all redistributors, the other CPUs' too. */
enum outcome case_gicr_write_all(void)
{
	static const uint32_t values[] = { ~0u, 0 };

	trap_expect();
	for (unsigned int i = 0; i < ARRAY_SIZE(values); i++)
		for (uint64_t at = 0; at < (uint64_t)cpu_count * GUEST_GICR_STRIDE; at += 4)
			write32(GUEST_GICR_BASE + at, values[i]);
	TRY(want_nothing("a write to the redistributors"));
	write32(rd_frame(0) + GICR_SGI_FRAME + GICD_IGROUPR, ~0u);
	write32(rd_frame(0) + GICR_SGI_FRAME + GICD_ICPENDR, ~0u);
	return still_sound();
}

/* A redistributor of a CPU that doesn't exist is nothing. */
enum outcome case_gicr_nobody(void)
{
	for (uint32_t cpu = cpu_count; cpu < cpu_count + 8; cpu++) {
		for (uint32_t at = 0; at < GUEST_GICR_STRIDE; at += 0x1004) {
			trap_expect();
			(void)read32(rd_frame(cpu) + at);
			TRY(want_trap("a redistributor of no CPU", ESR_DATA_ABORT(0), rd_frame(cpu) + at));
			trap_expect();
			write32(rd_frame(cpu) + at, ~0u);
			TRY(want_trap("a redistributor of no CPU", ESR_DATA_ABORT(1), rd_frame(cpu) + at));
		}
	}
	return OUTCOME_OK;
}

enum outcome case_gicr_sizes(void)
{
	uint64_t sgi = rd_frame(0) + GICR_SGI_FRAME;

	TRY(sizes_refused("GICR_IGROUPR0", sgi + GICD_IGROUPR));
	TRY(sizes_refused("GICR_ISENABLER0", sgi + GICD_ISENABLER));
	TRY(sizes_refused("GICR_ISPENDR0", sgi + GICD_ISPENDR));
	TRY(sizes_refused("GICR_ICACTIVER0", sgi + GICD_ICACTIVER));
	return sizes_refused("GICR_ICFGR1", sgi + GICD_ICFGR + 4);
}

/* LPIs: not there, so their registers aren't, and tables are never looked at. */
enum outcome case_gicr_lpis(void)
{
	static const uint16_t regs[] = { GICR_SETLPIR, GICR_CLRLPIR, GICR_PROPBASER, GICR_PENDBASER,
					 GICR_INVLPIR, GICR_INVALLR, GICR_SYNCR };

	for (uint32_t cpu = 0; cpu < cpu_count; cpu++) {
		uint64_t rd = rd_frame(cpu);

		CHECK(!(read64(rd + GICR_TYPER) & 1), "GICR_TYPER %lx says LPIs", read64(rd + GICR_TYPER));
		write64(rd + GICR_PROPBASER, NOWHERE | 15);
		write64(rd + GICR_PENDBASER, NOWHERE);
		write32(rd + GICR_CTLR, 1);
		CHECK(!(read32(rd + GICR_CTLR) & 1), "GICR_CTLR.EnableLPIs can be set");
		for (unsigned int i = 0; i < ARRAY_SIZE(regs); i++) {
			write64(rd + regs[i], 8192 + i);
			CHECK(!read64(rd + regs[i]), "GICR+%x reads %lx", regs[i], read64(rd + regs[i]));
		}
	}
	CHECK(gic_hppir() == INTID_SPURIOUS, "interrupt %u is pending", gic_hppir());
	return still_sound();
}

/* A CPU puts its own and others' redistributors to sleep. */
enum outcome case_gicr_sleep(void)
{
	for (uint32_t round = 0; round < 100; round++) {
		for (uint32_t cpu = 0; cpu < cpu_count; cpu++) {
			uint64_t at = rd_frame(cpu) + GICR_WAKER;

			write32(at, ~0u);
			CHECK(read32(at) == 6, "cpu %u: WAKER reads %x", cpu, read32(at));
			write32(at, 0);
			CHECK(read32(at) == 0, "cpu %u: WAKER reads %x", cpu, read32(at));
		}
	}
	return still_sound();
}

/* Frames of other GICs: GICC, GICH, GICV of a GICv2, ITS, GICv2m. */
enum outcome case_gic_other_frames(void)
{
	static const uint64_t frames[] = { 0x08010000, 0x08020000, 0x08030000, 0x08040000, 0x08080000, 0x08090000 };

	for (unsigned int i = 0; i < ARRAY_SIZE(frames); i++) {
		for (uint32_t at = 0; at < FRAME; at += 0x0ffc) {
			trap_expect();
			(void)read32(frames[i] + at);
			TRY(want_trap("another GIC's frame", ESR_DATA_ABORT(0), frames[i] + at));
			trap_expect();
			write32(frames[i] + at, ~0u);
			TRY(want_trap("another GIC's frame", ESR_DATA_ABORT(1), frames[i] + at));
		}
	}
	return OUTCOME_OK;
}
