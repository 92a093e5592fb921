/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Software-generated interrupts, to the own CPU and to others.
 */
#include "cases.h"

#include "gic.h"

static uint64_t my_mpidr(void)
{
	return cpu_self()->mpidr;
}

/* Raised five times while pending: one delivery; raised again while active: one more. */
enum outcome case_sgi_collapse(void)
{
	struct cpu *c = cpu_self();

	gic_enable(3);
	for (unsigned int i = 0; i < 5; i++)
		gic_sgi(my_mpidr(), 3);
	CHECK(gic_is_pending(3), "raised, but ISPENDR0 does not show it");
	gic_take_pending();
	CHECK(c->irq_count == 1 && c->irq_log[0] == 3, "%u deliveries (first %u) of an SGI raised 5 times",
	      c->irq_count, c->irq_log[0]);
	CHECK(!gic_is_pending(3) && !gic_is_active(3), "still pending %u or active %u", gic_is_pending(3),
	      gic_is_active(3));
	gic_sgi(my_mpidr(), 3);
	CHECK(gic_ack() == 3, "not acknowledged");
	gic_sgi(my_mpidr(), 3);
	gic_sgi(my_mpidr(), 3);
	CHECK(gic_is_active(3) && gic_is_pending(3), "active %u, pending %u; want both", gic_is_active(3),
	      gic_is_pending(3));
	CHECK(gic_ack() == INTID_SPURIOUS, "delivered again while active");
	gic_eoi(3);
	gic_take_pending();
	CHECK(c->irq_count == 2, "%u deliveries, want the one raised while active", c->irq_count);
	return OUTCOME_OK;
}

/* All 16 SGIs queued at once, as many as a GIC has list registers at most; each is delivered once, by priority. */
enum outcome case_sgi_burst(void)
{
	struct cpu *c = cpu_self();

	for (uint32_t i = 0; i < 16; i++) {
		gic_set_prio(i, (uint8_t)(0xf0 - (i ^ 5) % 8 * 0x10));
		gic_enable(i);
	}
	for (uint32_t round = 1; round <= 3; round++) {
		for (uint32_t i = 0; i < 16; i++)
			gic_sgi(my_mpidr(), i * 7 % 16);
		gic_take_pending();
		CHECK(c->irq_count == 16 * round, "round %u: %u delivered, want %u", round, c->irq_count, 16 * round);
		for (uint32_t i = 0; i < 16; i++)
			CHECK(gic_log_count(c, i) == round, "SGI %u delivered %u times, want %u", i,
			      gic_log_count(c, i), round);
		for (uint32_t i = 16 * round - 15; i < 16 * round; i++)
			CHECK(c->irq_rpr[i] >= c->irq_rpr[i - 1], "priority %x after %x", c->irq_rpr[i],
			      c->irq_rpr[i - 1]);
	}
	return OUTCOME_OK;
}

/* A disabled SGI stays pending and comes when it is enabled. */
enum outcome case_sgi_disabled(void)
{
	struct cpu *c = cpu_self();

	gic_sgi(my_mpidr(), 4);
	gic_take_pending();
	CHECK(c->irq_count == 0, "delivered while disabled");
	CHECK(gic_is_pending(4), "not pending while disabled");
	gic_enable(4);
	gic_take_pending();
	CHECK(c->irq_count == 1, "%u deliveries after enabling, want 1", c->irq_count);
	return OUTCOME_OK;
}

/* Sleeps or spins until it has had `result[0]` interrupts. */
static void wait_for_irqs(struct cpu *c)
{
	for (uint32_t i = 0; i < 15; i++)
		gic_enable(i);
	gic_enable(15); /* cpu_stop_all's wake-up */
	dsb();
	c->stage = 1;
	while (c->irq_count < c->result[0] && !cpu_stop) {
		if (c->result[1])
			wfi();
		irq_enable();
		isb();
		cpu_yield();
		irq_disable();
	}
	c->stage = 2;
}

static enum outcome start_waiter(uint32_t cpu, uint32_t irqs, bool sleep)
{
	cpus[cpu].result[0] = irqs;
	cpus[cpu].result[1] = sleep;
	TRY(cpu_start(cpu, wait_for_irqs));
	CHECK(WAIT_FOR(cpus[cpu].stage == 1, PATIENCE_US), "cpu %u does not start", cpu);
	return OUTCOME_OK;
}

/* One by one to CPU 1, sleeping and spinning: each arrives, in its order. */
enum outcome case_sgi_other(void)
{
	struct cpu *c = &cpus[1];

	for (uint32_t sleep = 0; sleep < 2; sleep++) {
		TRY(start_waiter(1, 15, sleep));
		for (uint32_t i = 0; i < 15; i++) {
			gic_sgi(c->mpidr, i);
			CHECK(WAIT_FOR(c->irq_count == i + 1, PATIENCE_US), "SGI %u does not arrive (cpu 1 %s)", i,
			      sleep ? "sleeps" : "spins");
			CHECK(c->irq_log[i] == i, "SGI %u arrived, want %u", c->irq_log[i], i);
		}
		TRY(cpu_join(1));
		CHECK(cpu_self()->irq_count == 0, "the sender got one itself");
	}
	return OUTCOME_OK;
}

/* Interrupt Routing Mode 1: every CPU but the sender gets exactly one. */
enum outcome case_sgi_all_but_self(void)
{
	for (uint32_t i = 1; i < cpu_count; i++)
		TRY(start_waiter(i, 1, i & 1));
	gic_enable(6);
	gic_sgi_others(6);
	for (uint32_t i = 1; i < cpu_count; i++) {
		TRY(cpu_join(i));
		CHECK(cpus[i].irq_count == 1 && cpus[i].irq_log[0] == 6, "cpu %u: %u interrupts, first %u", i,
		      cpus[i].irq_count, cpus[i].irq_log[0]);
	}
	gic_take_pending();
	CHECK(cpu_self()->irq_count == 0, "the sender got %u itself", cpu_self()->irq_log[0]);
	return OUTCOME_OK;
}

/* A target list with several CPUs, one that does not exist, and the sender. */
enum outcome case_sgi_list(void)
{
	struct cpu *c = cpu_self();
	uint64_t list = 1 << 15;

	for (uint32_t i = 0; i < cpu_count; i++) {
		if (cpus[i].mpidr >> 4)
			return skip("CPU %u has affinity %lx, beyond one target list", i, cpus[i].mpidr);
		list |= 1ull << cpus[i].mpidr;
		if (i)
			TRY(start_waiter(i, 1, true));
	}
	gic_enable(7);
	sysreg_write(icc_sgi1r_el1, 7ull << 24 | list);
	isb();
	for (uint32_t i = 1; i < cpu_count; i++)
		TRY(cpu_join(i));
	gic_take_pending();
	CHECK(c->irq_count == 1 && c->irq_log[0] == 7, "%u at the sender, first %u", c->irq_count, c->irq_log[0]);
	return OUTCOME_OK;
}

/* CPU 0 and 1 send each other SGIs as fast as answers come: none may be lost. */
static void ping_pong(struct cpu *c)
{
	uint32_t rounds = (uint32_t)c->result[0];

	gic_enable(8);
	gic_enable(15);
	dsb();
	c->stage = 1;
	for (uint32_t i = 0; i < rounds && !cpu_stop; i++) {
		while (c->irq_count <= i && !cpu_stop) {
			wfi();
			irq_enable();
			isb();
			irq_disable();
		}
		gic_sgi(cpus[0].mpidr, 8);
	}
	c->stage = 2;
}

enum outcome case_sgi_ping_pong(void)
{
	struct cpu *c = cpu_self(), *other = &cpus[1];
	uint32_t rounds = (uint32_t)option_number("rounds", 1000);

	gic_enable(8);
	other->result[0] = rounds;
	TRY(cpu_start(1, ping_pong));
	CHECK(WAIT_FOR(other->stage == 1, PATIENCE_US), "cpu 1 does not start");
	irq_enable();
	for (uint32_t i = 0; i < rounds; i++) {
		gic_sgi(other->mpidr, 8);
		CHECK(WAIT_FOR(c->irq_count == i + 1, PATIENCE_US), "round %u: no answer; cpu 1 has had %u", i,
		      other->irq_count);
	}
	irq_disable();
	TRY(cpu_join(1));
	CHECK(other->irq_count == rounds && c->irq_count == rounds, "%u and %u of %u arrived", other->irq_count,
	      c->irq_count, rounds);
	return OUTCOME_OK;
}
