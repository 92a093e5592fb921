/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Code that the guest writes itself: instructions by number, for sweeps, and self-modifying code.
 */
#include "hostile.h"

#include "gic.h"
#include "psci.h"

#define RET 0xd65f03c0u
#define MOVZ_X0 0xd2800000u /* imm16 at bit 5 */
#define NOP 0xd503201fu

static uint32_t buffer[1024] __attribute__((aligned(4096)));

static void make_ready(const void *code, size_t bytes)
{
	dsb();
	for (uintptr_t at = (uintptr_t)code & ~63ul; at < (uintptr_t)code + bytes; at += 64)
		__asm__ volatile("dc cvau, %0; dsb ish; ic ivau, %0" ::"r"(at) : "memory");
	__asm__ volatile("dsb ish; isb" ::: "memory");
}

uint64_t code_write(uint32_t opcode)
{
	buffer[0] = opcode;
	buffer[1] = RET;
	make_ready(buffer, 8);
	return (uintptr_t)buffer;
}

uint64_t code_run(uint32_t opcode, uint64_t value)
{
	return ((uint64_t(*)(uint64_t))(uintptr_t)code_write(opcode))(value);
}

/* ---- self-modifying code ---- */

/* A constant in an instruction, changed and executed 20000 times. */
enum outcome case_code_patch(void)
{
	for (uint32_t i = 0; i < 20000; i++) {
		uint32_t want = i * 7 & 0xffff;
		uint64_t got = code_run(MOVZ_X0 | want << 5, 0);

		CHECK(got == want, "round %u: the code gives %lx, was written to give %x", i, got, want);
	}
	return OUTCOME_OK;
}

/* Instructions that trap, one after the other through the same word: each is answered as itself. */
enum outcome case_code_traps(void)
{
	for (uint32_t i = 0; i < 1000; i++) {
		trap_expect();
		(void)code_run(0, 0); /* UDF */
		TRY(want_trap("UDF", ESR_UNDEF, FAR_ANY));
		CHECK((int32_t)code_run(0xd4000002, 0x840000ff) == PSCI_NOT_SUPPORTED, "round %u: HVC", i);
		CHECK(code_run(0xd5380400, 0) == sysreg_read(id_aa64pfr0_el1), "round %u: ID_AA64PFR0_EL1", i);
		trap_expect();
		(void)code_run(0xb9400000, NOWHERE); /* LDR W0, [X0] */
		TRY(want_trap("LDR", ESR_DATA_ABORT(0), NOWHERE));
		CHECK(code_run(NOP, i) == i, "round %u: NOP", i);
	}
	return OUTCOME_OK;
}

/* A page full of code, written anew in each round. */
enum outcome case_code_page(void)
{
	for (uint32_t round = 0; round < 20; round++) {
		uint64_t got;

		for (uint32_t i = 0; i < ARRAY_SIZE(buffer) - 1; i++)
			buffer[i] = round & 1 ? 0x91000400u : 0xd1000400u; /* ADD, SUB X0, X0, #1 */
		buffer[ARRAY_SIZE(buffer) - 1] = RET;
		make_ready(buffer, sizeof(buffer));
		got = ((uint64_t(*)(uint64_t))(uintptr_t)buffer)(5000);
		CHECK(got == (round & 1 ? 5000 + 1023 : 5000 - 1023), "round %u: %lu", round, got);
	}
	return OUTCOME_OK;
}

static uint32_t shared_code[2] __attribute__((aligned(64)));

/* Runs what the other CPU writes: each result is one of those that were ever there. */
static void execute_shared(struct cpu *c)
{
	c->stage = 1;
	while (!cpu_stop && c->stage == 1) {
		uint64_t got;

		isb();
		got = ((uint64_t(*)(uint64_t))(uintptr_t)shared_code)(0);
		if (got > 0xff)
			c->result[1] = got;
		c->result[0]++;
		cpu_yield();
	}
}

enum outcome case_code_cross(void)
{
	struct cpu *c = &cpus[1];

	shared_code[0] = MOVZ_X0;
	shared_code[1] = RET;
	make_ready(shared_code, sizeof(shared_code));
	c->result[0] = c->result[1] = 0;
	TRY(cpu_start(1, execute_shared));
	CHECK(WAIT_FOR(c->stage == 1 && c->result[0], PATIENCE_US), "cpu 1 does not execute it");
	for (uint32_t i = 0; i < 2000; i++) {
		shared_code[0] = MOVZ_X0 | (i & 0xff) << 5;
		make_ready(shared_code, sizeof(shared_code));
	}
	c->stage = 2;
	TRY(cpu_join(1));
	CHECK(!c->result[1], "cpu 1 saw %lx", c->result[1]);
	return OUTCOME_OK;
}
