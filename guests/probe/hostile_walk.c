/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile translation: fetches from where nothing is, tables of stage 1 in places that aren't the guest's, descriptors full
 * of garbage, address translation instructions. The identity map stays whole; what is wrong is reached by TTBR1.
 */
#include "hostile.h"

#include "access.h"
#include "gic.h"

/* Where a table, or code, may not lie: outside, in devices, in the hypervisor's memory, at the end of the map. */
static const uint64_t table_places[] = {
	0x00000000, GUEST_GICD_BASE, 0x08080000, GUEST_GICR_BASE, GUEST_UART_BASE, GUEST_RTC_BASE, NOWHERE,
	0x3ffff000, 0x42000000,      0x7ff00000, 0x7fffe000,      0x80000000,      1ull << 40,     (1ull << 44) - 4096,
};

/* ---- execute ---- */

static enum outcome exec_at(uint64_t at, uint64_t ipa)
{
	struct cpu *c = cpu_self();

	trap_expect();
	access_execute(at);
	TRY(want_trap("a branch", ESR_FETCH_ABORT, at));
	CHECK(c->trap_elr == at, "a branch to %lx (IPA %lx): ELR %lx", at, ipa, c->trap_elr);
	return OUTCOME_OK;
}

enum outcome case_exec_outside(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(table_places); i++)
		TRY(exec_at(table_places[i], table_places[i]));
	return exec_at(ram_end(), ram_end());
}

enum outcome case_exec_outside_mmu(void)
{
	mmu_on();
	for (unsigned int i = 0; i < ARRAY_SIZE(table_places); i++)
		TRY(exec_at(mmu_address(MMU_EL1, table_places[i]), table_places[i]));
	return exec_at(mmu_address(MMU_EL1, ram_end()), ram_end());
}

enum outcome case_exec_outside_el0(void)
{
	struct el0_exit x;

	mmu_on();
	for (unsigned int i = 0; i < ARRAY_SIZE(table_places); i++) {
		uint64_t at = mmu_address(MMU_EL0, table_places[i]);

		/* el0_run() translates an address of ours; this one lies elsewhere by as much. */
		el0_run((const void *)(uintptr_t)table_places[i], 0, 0, &x);
		TRY(want_exit("a branch", &x, ESR_FETCH_ABORT - ESR_FROM_EL0, at));
		CHECK(x.elr == at, "a branch to %lx at EL0: ELR %lx", at, x.elr);
	}
	return OUTCOME_OK;
}

/* Straight-line code that runs off the end of RAM. */
enum outcome case_exec_off_the_end(void)
{
	uint64_t at = ram_end() - 8;

	write32(at, 0xd503201f); /* NOP */
	write32(at + 4, 0xd503201f);
	dsb();
	__asm__ volatile("ic iallu; dsb sy; isb" ::: "memory");
	trap_expect();
	access_execute(at);
	TRY(want_trap("code at the end of RAM", ESR_FETCH_ABORT, ram_end()));
	CHECK(cpu_self()->trap_elr == ram_end(), "ELR %lx", cpu_self()->trap_elr);
	return OUTCOME_OK;
}

/* A PC that isn't a multiple of 4 is the guest's own fault. */
enum outcome case_exec_unaligned(void)
{
	const uint64_t places[] = { GUEST_RAM_BASE + 0x200001, GUEST_RAM_BASE + 0x200002, ram_end() - 1 };

	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
		trap_expect();
		access_execute(places[i]);
		TRY(want_trap("a branch to an odd address", 0x8a000000ul, places[i]));
	}
	return OUTCOME_OK;
}

/* ---- tables of stage 1 ---- */

/* A root table, or with `level` the table of that level, at a place; then `deed` at an address translated by it. */
static void build_walk(unsigned int level, uint64_t at)
{
	uint64_t *table;

	if (!level) {
		mmu_set_high(at);
		return;
	}
	for (unsigned int i = 0; i < level; i++) {
		table = mmu_spare(i);
		table[0] = (i + 1 < level ? (uintptr_t)mmu_spare_at(i + 1) : at) | MMU_TABLE;
	}
	dsb();
	mmu_set_high((uintptr_t)mmu_spare_at(0));
}

enum deed { READ, WRITE, FETCH, EL0_READ };

static enum outcome walk(unsigned int level, uint64_t at, enum deed deed)
{
	const struct access *load = access_find("ldr_x");
	struct el0_exit x;

	build_walk(level, at);
	switch (deed) {
	case READ:
		trap_expect();
		(void)read64(MMU_HIGH + 0x120);
		return want_trap("a load", ESR_DATA_ABORT(0), MMU_HIGH + 0x120);
	case WRITE:
		trap_expect();
		write64(MMU_HIGH + 0x120, 0);
		/* A walk reads: WnR says so, or what the instruction wanted. */
		cpu_self()->trap_esr &= ~ESR_WNR;
		return want_trap("a store", ESR_DATA_ABORT(0), MMU_HIGH + 0x120);
	case FETCH:
		trap_expect();
		access_execute(MMU_HIGH + 0x120);
		return want_trap("a branch", ESR_FETCH_ABORT, MMU_HIGH + 0x120);
	default:
		el0_run((const void *)load->run, MMU_HIGH + 0x120, 0, &x);
		return want_exit("a load", &x, ESR_DATA_ABORT(0) - ESR_FROM_EL0, MMU_HIGH + 0x120);
	}
}

static enum outcome walks(unsigned int level, enum deed deed)
{
	mmu_on();
	for (unsigned int i = 0; i < ARRAY_SIZE(table_places); i++)
		TRY(walk(level, table_places[i], deed));
	return walk(level, ram_end(), deed);
}

enum outcome case_walk_root_read(void)
{
	return walks(0, READ);
}

enum outcome case_walk_root_write(void)
{
	return walks(0, WRITE);
}

enum outcome case_walk_root_fetch(void)
{
	return walks(0, FETCH);
}

enum outcome case_walk_root_el0(void)
{
	return walks(0, EL0_READ);
}

enum outcome case_walk_level1(void)
{
	return walks(1, READ);
}

enum outcome case_walk_level2(void)
{
	return walks(2, READ);
}

enum outcome case_walk_level3(void)
{
	return walks(3, READ);
}

enum outcome case_walk_level3_fetch(void)
{
	return walks(3, FETCH);
}

/* A table that is its own next one: the walk ends, and the page is the table. */
enum outcome case_walk_recursive(void)
{
	uint64_t *table = mmu_spare(0);

	table[0] = (uintptr_t)table | MMU_NORMAL | MMU_TABLE;
	dsb();
	mmu_on();
	mmu_set_high((uintptr_t)table);
	trap_expect();
	CHECK(read64(MMU_HIGH) == table[0], "the table reads %lx through itself, is %lx", read64(MMU_HIGH), table[0]);
	return want_nothing("a recursive table");
}

/* Reserved encodings: the guest's own translation fault at that level, never the hypervisor's. */
enum outcome case_walk_reserved(void)
{
	/* A block at level 0 and at level 3; bits that must be zero. */
	static const uint64_t garbage[] = { MMU_BLOCK, ~1ull, 0x5555555555555554ull, ~3ull };

	mmu_on();
	for (unsigned int i = 0; i < ARRAY_SIZE(garbage); i++) {
		uint64_t *table = mmu_spare(0);

		table[0] = garbage[i];
		dsb();
		mmu_set_high((uintptr_t)table);
		trap_expect();
		(void)read64(MMU_HIGH);
		TRY(want_trap("a load by a reserved descriptor", 0x96000004ul, MMU_HIGH));
	}
	return OUTCOME_OK;
}

/* Every bit of a descriptor but those that make it a block, one after the other: an answer, and no more. */
enum outcome case_walk_bits(void)
{
	struct cpu *c = cpu_self();

	mmu_on();
	for (unsigned int bit = 2; bit < 64; bit++) {
		uint64_t *root = mmu_spare(0), *table = mmu_spare(1);
		uint32_t ec;

		root[0] = (uintptr_t)table | MMU_TABLE;
		table[0] = GUEST_RAM_BASE | MMU_NORMAL | MMU_BLOCK;
		table[0] ^= 1ull << bit;
		dsb();
		mmu_set_high((uintptr_t)root);
		trap_expect();
		(void)read64(MMU_HIGH + 0x200000);
		if (!trap_done())
			continue;
		ec = ESR_EC(c->trap_esr);
		CHECK(ec == EC_DATA_ABORT && c->trap_far == MMU_HIGH + 0x200000, "bit %u: ESR %lx FAR %lx", bit,
		      c->trap_esr, c->trap_far);
	}
	return OUTCOME_OK;
}

/* An output address beyond what the CPU has: the guest's own address size fault; beyond stage 2: an external abort. */
enum outcome case_walk_output(void)
{
	struct cpu *c = cpu_self();

	mmu_on();
	for (unsigned int bit = 41; bit < 48; bit++) {
		uint64_t *root = mmu_spare(0), *table = mmu_spare(1);

		root[0] = (uintptr_t)table | MMU_TABLE;
		table[0] = 1ull << bit | MMU_NORMAL | MMU_BLOCK;
		dsb();
		mmu_set_high((uintptr_t)root);
		trap_expect();
		(void)read64(MMU_HIGH + 8);
		CHECK(trap_done() == 1, "an output address of 2^%u: no abort", bit);
		CHECK(c->trap_esr == ESR_DATA_ABORT(0) || (c->trap_esr & ~3ul) == 0x96000000ul,
		      "an output address of 2^%u: ESR %lx", bit, c->trap_esr);
		CHECK(c->trap_far == MMU_HIGH + 8, "an output address of 2^%u: FAR %lx", bit, c->trap_far);
	}
	return OUTCOME_OK;
}

/* ---- address translation instructions ---- */

#define PAR_F 1ull
#define PAR_PA 0x0000fffffffff000ull

static uint64_t at_result(void)
{
	isb();
	return sysreg_read(par_el1);
}

enum outcome case_at_own(void)
{
	uint64_t va, par;

	mmu_on();
	trap_expect();
	va = mmu_address(MMU_EL1, GUEST_RAM_BASE + 0x200000);
	__asm__ volatile("at s1e1r, %0" ::"r"(va) : "memory");
	par = at_result();
	TRY(want_nothing("AT S1E1R"));
	CHECK((par & (PAR_PA | PAR_F)) == GUEST_RAM_BASE + 0x200000, "PAR %lx", par);
	mmu_set_high((uintptr_t)mmu_spare(0));
	trap_expect();
	__asm__ volatile("at s1e1r, %0" ::"r"(MMU_HIGH) : "memory");
	par = at_result();
	TRY(want_nothing("AT S1E1R of an address without translation"));
	CHECK(par & PAR_F, "PAR %lx of an address without translation", par);
	return OUTCOME_OK;
}

/* Stage 1 alone is asked: whether anything lies there doesn't matter. */
enum outcome case_at_outside(void)
{
	uint64_t va, par;

	mmu_on();
	for (unsigned int i = 0; i < ARRAY_SIZE(table_places); i++) {
		va = mmu_address(MMU_EL0, table_places[i]);
		trap_expect();
		__asm__ volatile("at s1e0w, %0" ::"r"(va) : "memory");
		par = at_result();
		TRY(want_nothing("AT S1E0W"));
		CHECK((par & (PAR_PA | PAR_F)) == table_places[i], "PAR %lx, want %lx", par, table_places[i]);
	}
	return OUTCOME_OK;
}

/* The walk itself leads outside: a data abort, as for a load (DDI 0487, D8.3, "Synchronous External aborts"). */
static enum outcome at_walk(unsigned int level, uint64_t at)
{
	struct cpu *c = cpu_self();

	build_walk(level, at);
	trap_expect();
	__asm__ volatile("at s1e1r, %0" ::"r"(MMU_HIGH) : "memory");
	CHECK(trap_done() == 1, "AT by a table at %lx: no abort, PAR %lx", at, at_result());
	/* CM and WnR are set for AT by hardware (ISS of a data abort). */
	CHECK((c->trap_esr & ~(1ul << 8 | ESR_WNR)) == ESR_DATA_ABORT(0) && c->trap_far == MMU_HIGH,
	      "AT by a table at %lx: ESR %lx FAR %lx", at, c->trap_esr, c->trap_far);
	return OUTCOME_OK;
}

enum outcome case_at_walk_root(void)
{
	mmu_on();
	for (unsigned int i = 0; i < ARRAY_SIZE(table_places); i++)
		TRY(at_walk(0, table_places[i]));
	return OUTCOME_OK;
}

enum outcome case_at_walk_level3(void)
{
	mmu_on();
	for (unsigned int i = 0; i < ARRAY_SIZE(table_places); i++)
		TRY(at_walk(3, table_places[i]));
	return OUTCOME_OK;
}
