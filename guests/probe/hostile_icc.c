/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile use of the CPU interface (IHI 0069, 12.2) and of SGIs: ends of what was never begun, wrong orders, active
 * priorities written by hand, group 0, targets that don't exist.
 */
#include "hostile.h"

#include "access.h"
#include "gic.h"
#include "psci.h"

#define RPR_IDLE 0xffu

static const uint32_t odd_intids[] = {
	0, 7, 27, 31, 32, 95, 96, 512, 1019, 1020, 1021, 1022, 1023, 1024, 8192, 0xffffff
};

static enum outcome idle(const char *after)
{
	CHECK((gic_rpr() & 0xff) == RPR_IDLE, "%s: RPR is %x", after, gic_rpr());
	CHECK(gic_hppir() == INTID_SPURIOUS, "%s: HPPIR is %u", after, gic_hppir());
	return still_sound();
}

enum outcome case_icc_eoi_never(void)
{
	for (unsigned int round = 0; round < 100; round++)
		for (unsigned int i = 0; i < ARRAY_SIZE(odd_intids); i++)
			gic_eoi(odd_intids[i]);
	return idle("EOIR of what wasn't acknowledged");
}

enum outcome case_icc_eoi0_never(void)
{
	for (unsigned int round = 0; round < 100; round++)
		for (unsigned int i = 0; i < ARRAY_SIZE(odd_intids); i++)
			sysreg_write(s3_0_c12_c8_1, odd_intids[i]);
	return idle("EOIR0 of what wasn't acknowledged");
}

enum outcome case_icc_dir_never(void)
{
	for (unsigned int split = 0; split < 2; split++) {
		gic_set_eoimode(split);
		for (unsigned int round = 0; round < 100; round++)
			for (unsigned int i = 0; i < ARRAY_SIZE(odd_intids); i++)
				gic_dir(odd_intids[i]);
	}
	return idle("DIR of what isn't active");
}

/* Acknowledges `count` nested interrupts, each more urgent than the one before. */
static enum outcome nest(uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		gic_setup_edge(40 + i, (uint8_t)(0xf0 - 8 * i));
		gic_set_pending(40 + i);
		CHECK(WAIT_FOR(gic_hppir() == 40 + i, PATIENCE_US), "interrupt %u isn't pending", 40 + i);
		CHECK(gic_ack() == 40 + i, "acknowledged another one");
	}
	return OUTCOME_OK;
}

/* What wrong ends leave active is UNPREDICTABLE (IHI 0069, 12.2.10), so it is taken back by hand. */
static void settle(uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		gic_clear_active(40 + i);
		gic_clear_pending(40 + i);
	}
}

/* First acknowledged, first ended: priorities drop in the wrong order, the VM's own confusion. */
enum outcome case_icc_eoi_order(void)
{
	for (unsigned int round = 0; round < 20; round++) {
		TRY(nest(8));
		for (uint32_t i = 0; i < 8; i++)
			gic_eoi(40 + i);
		settle(8);
	}
	return idle("EOIR in the wrong order");
}

enum outcome case_icc_eoi_twice(void)
{
	for (unsigned int round = 0; round < 20; round++) {
		TRY(nest(4));
		for (uint32_t i = 0; i < 8; i++)
			gic_eoi(40 + 3 - i / 2);
		settle(4);
	}
	return idle("EOIR twice each");
}

/* More nested interrupts than list registers, ended in the wrong order and through the wrong register. */
enum outcome case_icc_nest_deep(void)
{
	gic_set_eoimode(true);
	TRY(nest(20));
	for (uint32_t i = 0; i < 20; i++) {
		gic_dir(40 + i);
		gic_dir(40 + i);
	}
	for (uint32_t i = 0; i < 40; i++)
		gic_eoi(40 + i % 20);
	settle(20);
	return idle("20 nested interrupts in the wrong order");
}

/* Acknowledged in one mode, ended in the other. */
enum outcome case_icc_eoimode_flip(void)
{
	for (unsigned int round = 0; round < 50; round++) {
		gic_set_eoimode(round & 1);
		TRY(nest(2));
		gic_set_eoimode(!(round & 1));
		gic_eoi(41);
		gic_eoi(40);
		gic_dir(40);
		gic_dir(41);
		settle(2);
	}
	gic_set_eoimode(false);
	return idle("a change of EOImode in between");
}

static void active_here(struct cpu *c)
{
	gic_setup_edge(48, 0x80);
	c->stage = 1;
	while (!cpu_stop && gic_ack() != 48)
		cpu_yield();
	c->stage = 2;
	while (!cpu_stop && c->stage == 2)
		cpu_yield();
	c->result[0] = gic_is_active(48);
	gic_eoi(48);
}

/* A CPU deactivates what another one is handling, and ends it too. */
enum outcome case_icc_dir_foreign(void)
{
	struct cpu *c = &cpus[1];

	TRY(cpu_start(1, active_here));
	CHECK(WAIT_FOR(c->stage == 1, PATIENCE_US), "cpu 1 does not start");
	gic_set_pending(48);
	CHECK(WAIT_FOR(c->stage == 2, PATIENCE_US), "cpu 1 gets no interrupt");
	gic_set_eoimode(true);
	for (unsigned int i = 0; i < 100; i++) {
		gic_dir(48);
		gic_eoi(48);
	}
	c->stage = 3;
	TRY(cpu_join(1));
	return idle("DIR of what another CPU is handling");
}

enum outcome case_icc_iar_empty(void)
{
	for (unsigned int i = 0; i < 20000; i++) {
		uint32_t one = gic_ack(), zero = (uint32_t)sysreg_read(s3_0_c12_c8_0) & 0xffffff;

		CHECK(one == INTID_SPURIOUS && zero == INTID_SPURIOUS, "IAR1 gives %u, IAR0 %u", one, zero);
	}
	return idle("acknowledging nothing");
}

/* Active priorities are the guest's to write: they mask its own interrupts, and nothing else (IHI 0069, 12.2.5). */
enum outcome case_icc_active_priorities(void)
{
	struct cpu *c = cpu_self();

	gic_setup_edge(40, 0x80);
	for (unsigned int bit = 0; bit < 32; bit++) {
		sysreg_write(s3_0_c12_c9_0, 1ull << bit); /* AP1R0 */
		isb();
		gic_set_pending(40);
		(void)gic_rpr();
		(void)gic_hppir();
		gic_eoi(40);
	}
	sysreg_write(s3_0_c12_c9_0, ~0ull);
	sysreg_write(s3_0_c12_c8_4, ~0ull); /* AP0R0 */
	isb();
	irq_enable();
	delay_us(20);
	CHECK(!c->irq_count, "an interrupt comes though every priority is active");
	irq_disable();
	sysreg_write(s3_0_c12_c9_0, 0);
	sysreg_write(s3_0_c12_c8_4, 0);
	isb();
	gic_clear_pending(40);
	return idle("active priorities by hand");
}

/* An interrupt of group 0 is offered as FIQ, acknowledged by IAR0 alone. */
enum outcome case_icc_group0(void)
{
	uint32_t intid;

	gic_setup_edge(40, 0x80);
	gicd_write(GICD_IGROUPR + 4, ~(1u << 8));
	gicd_write(GICD_CTLR, GICD_CTLR_ARE | 3);
	sysreg_write(s3_0_c12_c12_6, 1); /* IGRPEN0 */
	isb();
	gic_set_pending(40);
	CHECK(WAIT_FOR(((uint32_t)sysreg_read(s3_0_c12_c8_2) & 0xffffff) == 40, PATIENCE_US), "HPPIR0 is %lx",
	      sysreg_read(s3_0_c12_c8_2));
	intid = (uint32_t)sysreg_read(s3_0_c12_c8_0) & 0xffffff;
	CHECK(intid == 40, "IAR0 gives %u, want 40", intid);
	sysreg_write(s3_0_c12_c8_1, 40);
	sysreg_write(s3_0_c12_c12_6, 0);
	isb();
	return idle("group 0");
}

enum outcome case_icc_masks(void)
{
	for (uint32_t value = 0; value < 256; value++) {
		gic_set_pmr(value);
		CHECK(((uint32_t)sysreg_read(icc_pmr_el1) & ~value) == 0, "PMR reads %lx, wrote %x",
		      sysreg_read(icc_pmr_el1), value);
	}
	for (uint64_t value = 0; value < 16; value++) {
		sysreg_write(icc_bpr1_el1, value);
		sysreg_write(s3_0_c12_c8_3, value); /* BPR0 */
		isb();
		CHECK(sysreg_read(icc_bpr1_el1) < 8 && sysreg_read(s3_0_c12_c8_3) < 8, "binary points read %lx, %lx",
		      sysreg_read(icc_bpr1_el1), sysreg_read(s3_0_c12_c8_3));
	}
	sysreg_write(s3_0_c12_c8_3, 0);
	return idle("priority masks and binary points");
}

enum outcome case_icc_control(void)
{
	uint64_t ctlr = sysreg_read(icc_ctlr_el1);

	sysreg_write(icc_ctlr_el1, ~0ull);
	isb();
	/* CBPR, EOImode and PMHE can be written; the rest says what there is. */
	CHECK((sysreg_read(icc_ctlr_el1) ^ ctlr) < 0x80, "ICC_CTLR_EL1 %lx after ones, was %lx",
	      sysreg_read(icc_ctlr_el1), ctlr);
	sysreg_write(icc_ctlr_el1, 0);
	sysreg_write(icc_igrpen1_el1, ~0ull);
	isb();
	CHECK(sysreg_read(icc_igrpen1_el1) == 1, "ICC_IGRPEN1_EL1 %lx after ones", sysreg_read(icc_igrpen1_el1));
	return idle("control registers");
}

/* There is no other interface to fall back to. */
enum outcome case_icc_sre(void)
{
	static const uint64_t values[] = { 0, 6, ~0ull };

	for (unsigned int i = 0; i < ARRAY_SIZE(values); i++) {
		sysreg_write(icc_sre_el1, values[i]);
		isb();
		CHECK(sysreg_read(icc_sre_el1) == 7, "ICC_SRE_EL1 reads %lx, wrote %lx", sysreg_read(icc_sre_el1),
		      values[i]);
	}
	return idle("ICC_SRE_EL1");
}

/* Reads of write-only registers and writes of read-only ones. */
enum outcome case_icc_directions(void)
{
	WANT_UNDEF("read of ICC_EOIR1_EL1", (void)sysreg_read(s3_0_c12_c12_1));
	WANT_UNDEF("read of ICC_EOIR0_EL1", (void)sysreg_read(s3_0_c12_c8_1));
	WANT_UNDEF("read of ICC_DIR_EL1", (void)sysreg_read(s3_0_c12_c11_1));
	WANT_UNDEF("read of ICC_SGI1R_EL1", (void)sysreg_read(s3_0_c12_c11_5));
	WANT_UNDEF("read of ICC_ASGI1R_EL1", (void)sysreg_read(s3_0_c12_c11_6));
	WANT_UNDEF("read of ICC_SGI0R_EL1", (void)sysreg_read(s3_0_c12_c11_7));
	WANT_UNDEF("write of ICC_IAR1_EL1", sysreg_write(s3_0_c12_c12_0, 0));
	WANT_UNDEF("write of ICC_IAR0_EL1", sysreg_write(s3_0_c12_c8_0, 0));
	WANT_UNDEF("write of ICC_RPR_EL1", sysreg_write(s3_0_c12_c11_3, 0));
	WANT_UNDEF("write of ICC_HPPIR1_EL1", sysreg_write(s3_0_c12_c12_2, 0));
	WANT_UNDEF("write of ICC_HPPIR0_EL1", sysreg_write(s3_0_c12_c8_2, 0));
	return OUTCOME_OK;
}

/* The hypervisor's half of the interface: ICH_* and the registers of EL2 and EL3, each of them both ways. */
enum outcome case_icc_el2(void)
{
	for (uint32_t crm = 8; crm < 16; crm++) {
		for (uint32_t op2 = 0; op2 < 8; op2++) {
			for (uint32_t op1 = 4; op1 < 8; op1 += 2) {
				uint32_t reg = 3u << 19 | op1 << 16 | 12u << 12 | crm << 8 | op2 << 5;

				WANT_UNDEF("read of ICH_*", (void)code_run(0xd5200000u | reg, 0));
				WANT_UNDEF("write of ICH_*", (void)code_run(0xd5000000u | reg, 0));
			}
		}
	}
	return idle("ICH_*");
}

/* EL0 has no CPU interface. */
enum outcome case_icc_el0(void)
{
	static const uint32_t reads[] = {
		0xd538cc00, /* ICC_IAR1_EL1 */
		0xd538cb60, /* ICC_RPR_EL1 */
		0xd5384600, /* ICC_PMR_EL1 */
		0xd518cc20, /* write of ICC_EOIR1_EL1 */
		0xd518cba0, /* write of ICC_SGI1R_EL1 */
	};
	struct el0_exit x;

	mmu_on();
	for (unsigned int i = 0; i < ARRAY_SIZE(reads); i++) {
		el0_run((const void *)(uintptr_t)code_write(reads[i]), 0, 0, &x);
		TRY(want_exit("an access to the CPU interface", &x, ESR_UNDEF, FAR_ANY));
	}
	return OUTCOME_OK;
}

/* ---- SGIs ---- */

static void count_sgis(struct cpu *c)
{
	for (uint32_t i = 0; i < 16; i++)
		gic_enable(i);
	irq_enable();
	c->stage = 1;
	while (!cpu_stop && c->stage == 1)
		cpu_yield();
	irq_disable();
	c->result[0] = c->irq_count;
}

/* Sends SGIs of a kind while all CPUs count, and ends with how many came to CPU 0 and to the others together. */
static enum outcome send_and_count(const uint64_t *values, unsigned int n, uint32_t *mine, uint32_t *theirs)
{
	struct cpu *c = cpu_self();

	c->irq_count = 0;
	TRY(others_start(count_sgis));
	for (uint32_t i = 0; i < 16; i++)
		gic_enable(i);
	irq_enable();
	for (unsigned int i = 0; i < n; i++) {
		sysreg_write(icc_sgi1r_el1, values[i]);
		isb();
	}
	delay_us(200);
	irq_disable();
	*mine = c->irq_count;
	*theirs = 0;
	for (uint32_t i = 1; i < cpu_count; i++) {
		cpus[i].stage = 2;
		TRY(cpu_join(i));
		*theirs += (uint32_t)cpus[i].result[0];
	}
	return OUTCOME_OK;
}

static enum outcome send_to_nobody(const uint64_t *values, unsigned int n)
{
	uint32_t mine, theirs;

	TRY(send_and_count(values, n, &mine, &theirs));
	CHECK(!mine && !theirs, "%u SGIs came here, %u elsewhere, want none", mine, theirs);
	return idle("SGIs to nobody");
}

/* A field of ICC_SGI1R_EL1 walks through all values but 0; the target list holds every CPU there is. */
static enum outcome send_field(unsigned int shift, unsigned int bits)
{
	static uint64_t values[255];
	unsigned int n = (1u << bits) - 1;

	for (unsigned int i = 0; i < n; i++)
		values[i] = (uint64_t)(i + 1) << shift | (uint64_t)(i & 15) << 24 | 0xffff;
	return send_to_nobody(values, n);
}

enum outcome case_sgi_aff1(void)
{
	return send_field(16, 8);
}

enum outcome case_sgi_aff2(void)
{
	return send_field(32, 8);
}

enum outcome case_sgi_aff3(void)
{
	return send_field(48, 8);
}

enum outcome case_sgi_range(void)
{
	return send_field(44, 4);
}

enum outcome case_sgi_targets(void)
{
	static uint64_t values[16 * 16];
	unsigned int n = 0;

	for (unsigned int bit = cpu_count; bit < 16; bit++)
		for (uint64_t intid = 0; intid < 16; intid++)
			values[n++] = intid << 24 | 1ull << bit;
	TRY(send_to_nobody(values, n));
	values[0] = 0;
	values[1] = (0xffffull << cpu_count & 0xffff) | 15ull << 24;
	return send_to_nobody(values, 2);
}

/* Routing mode 1 ignores every target: all CPUs but the sender get one. */
enum outcome case_sgi_all_garbage(void)
{
	static const uint64_t values[] = { ICC_SGI1R_IRM | 0xff00f0ff00ffffffull };
	uint32_t mine, theirs;

	TRY(send_and_count(values, ARRAY_SIZE(values), &mine, &theirs));
	CHECK(!mine && theirs == cpu_count - 1, "%u SGIs came here, %u elsewhere, want 0 and %u", mine, theirs,
	      cpu_count - 1);
	return idle("SGIs to all");
}

/* Bits that must be zero. */
enum outcome case_sgi_reserved(void)
{
	static const uint64_t values[] = { 1ull << 28 | 1, 2ull << 28 | 1ull << 24 | 1, 0xffull << 56 | 2ull << 24 | 1,
					   7ull << 41 | 3ull << 24 | 1 };
	uint32_t mine, theirs;

	TRY(send_and_count(values, ARRAY_SIZE(values), &mine, &theirs));
	CHECK(mine <= ARRAY_SIZE(values) && !theirs, "%u SGIs came here, %u elsewhere", mine, theirs);
	return idle("SGIs with reserved bits");
}

/* SGIs to CPUs that are off wait for nobody and wake nobody. */
enum outcome case_sgi_off(void)
{
	for (uint64_t intid = 0; intid < 16; intid++)
		for (uint32_t i = 1; i < cpu_count; i++)
			gic_sgi(cpus[i].mpidr, (uint32_t)intid);
	gic_sgi_others(9);
	delay_us(200);
	for (uint32_t i = 1; i < cpu_count; i++)
		CHECK(psci_hvc(PSCI_AFFINITY_INFO, cpus[i].mpidr, 0, 0) == AFFINITY_OFF, "cpu %u was woken", i);
	/* Latched in their redistributors; taken back there. */
	for (uint32_t i = 1; i < cpu_count; i++)
		write32(GUEST_GICR_BASE + (uint64_t)i * GUEST_GICR_STRIDE + GICR_SGI_FRAME + GICD_ICPENDR, ~0u);
	return idle("SGIs to CPUs that are off");
}

/* SGI0R raises interrupts of group 0 only (IHI 0069, 12.2.18): these here are of group 1. */
enum outcome case_sgi_group0(void)
{
	struct cpu *c = cpu_self();

	for (uint32_t i = 0; i < 16; i++)
		gic_enable(i);
	irq_enable();
	for (uint64_t intid = 0; intid < 16; intid++)
		sysreg_write(s3_0_c12_c11_7, intid << 24 | 1);
	delay_us(50);
	irq_disable();
	CHECK(!c->irq_count, "%u SGIs of group 1 came by ICC_SGI0R_EL1", c->irq_count);
	return idle("ICC_SGI0R_EL1");
}
