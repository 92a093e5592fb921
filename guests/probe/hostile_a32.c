/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile AArch32 at EL0, which a guest has where the CPU has it: its instructions reach the hypervisor by classes of their
 * own (DDI 0487, D1.3: EC 0x03 to 0x08, 0x0c), and are two bytes long in T32. Everything is told to EL1 in AArch64.
 */
#include "hostile.h"

#include "gic.h"

#define EC_SVC32 0x11u
#define A32_SVC 0xef000000u
#define MODE_A32 0x1d0ul /* User mode, A32, interrupts masked */
#define MODE_T32 0x1f0ul

/* One or two instructions, then SVC. */
static uint32_t code[16] __attribute__((aligned(64)));

static bool have_a32(void)
{
	return (sysreg_read(id_aa64pfr0_el1) & 0xf) == 2;
}

/* Runs code at EL0 in AArch32 with r0; what comes back is in `out`. */
static void run(uint64_t mode, uint32_t r0, struct el0_exit *out)
{
	dsb();
	__asm__ volatile("dc cvau, %0; dsb ish; ic ivau, %0; dsb ish; isb" ::"r"(code) : "memory");
	el0_run_a32((uintptr_t)code, mode, r0, out);
}

static void run_a32(uint32_t opcode, uint32_t r0, struct el0_exit *out)
{
	code[0] = opcode;
	code[1] = A32_SVC;
	run(MODE_A32, r0, out);
}

static bool plain_undef(uint64_t esr)
{
	return ESR_EC(esr) == EC_UNKNOWN;
}

#define NEED_A32                                                                                                       \
	if (!have_a32())                                                                                               \
	return OUTCOME_OK /* then there is nothing to abuse */

enum outcome case_a32_calls(void)
{
	/* HVC #0, SMC #0, HVC #0xEA1, UDF, BKPT aside: undefined in User mode. */
	static const uint32_t opcodes[] = { 0xe1400070, 0xe1600070, 0xe14eaa71, 0xe7f000f0 };
	struct el0_exit x;

	NEED_A32;
	mmu_on();
	run_a32(0xe1a00000, 7, &x); /* NOP */
	CHECK(ESR_EC(x.esr) == EC_SVC32 && x.x0 == 7, "SVC: ESR %lx, r0 %lx", x.esr, x.x0);
	for (unsigned int i = 0; i < ARRAY_SIZE(opcodes); i++) {
		run_a32(opcodes[i], 0x84000008, &x);
		CHECK(plain_undef(x.esr), "%x: ESR %lx, want UNDEF", opcodes[i], x.esr);
	}
	return OUTCOME_OK;
}

/* Loads and stores of every size, pairs and lists, outside: an abort from a lower level, at the right address. */
enum outcome case_a32_outside(void)
{
	static const struct {
		uint32_t opcode;
		bool write;
	} accesses[] = {
		{ 0xe5900000, false }, /* LDR r0, [r0] */
		{ 0xe5d00000, false }, /* LDRB */
		{ 0xe1d000b0, false }, /* LDRH */
		{ 0xe1c020d0, false }, /* LDRD r2, r3, [r0] */
		{ 0xe890000c, false }, /* LDM r0, {r2, r3} */
		{ 0xe4901004, false }, /* LDR r1, [r0], #4 */
		{ 0xe1901f9f, false }, /* LDREX r1, [r0] */
		{ 0xe5801000, true },  /* STR r1, [r0] */
		{ 0xe5c01000, true },  /* STRB */
		{ 0xe1c010b0, true },  /* STRH */
		{ 0xe1c020f0, true },  /* STRD r2, r3, [r0] */
		{ 0xe880000c, true },  /* STM r0, {r2, r3} */
		{ 0xf420070f, false }, /* VLD1.8 {d0}, [r0] */
		{ 0xf400070f, true },  /* VST1.8 {d0}, [r0] */
	};
	struct el0_exit x;

	NEED_A32;
	mmu_on();
	for (unsigned int i = 0; i < ARRAY_SIZE(accesses); i++) {
		uint64_t at = mmu_a32_device(NOWHERE), want = ESR_DATA_ABORT(accesses[i].write) - ESR_FROM_EL0;

		run_a32(accesses[i].opcode, (uint32_t)at, &x);
		/* A32 instructions are 4 bytes long: IL is 1. */
		CHECK(x.esr == want && x.far == at, "%x: ESR %lx FAR %lx, want %lx %lx", accesses[i].opcode, x.esr,
		      x.far, want, at);
	}
	return OUTCOME_OK;
}

/* The same to the UART: words work, what has no syndrome doesn't. */
enum outcome case_a32_device(void)
{
	uint64_t id = mmu_a32_device(GUEST_UART_BASE + 0xfe0);
	struct el0_exit x;

	NEED_A32;
	mmu_on();
	run_a32(0xe5900000, (uint32_t)id, &x);
	CHECK(ESR_EC(x.esr) == EC_SVC32 && x.x0 == 0x11, "LDR: ESR %lx, r0 %lx", x.esr, x.x0);
	run_a32(0xe1c020d0, (uint32_t)id, &x);
	TRY(want_exit("LDRD", &x, ESR_DATA_ABORT(0) - ESR_FROM_EL0, id));
	run_a32(0xe890000c, (uint32_t)id, &x);
	return want_exit("LDM", &x, ESR_DATA_ABORT(0) - ESR_FROM_EL0, id);
}

/* T32: the PC goes on by two where the instruction is two bytes long. */
enum outcome case_t32_device(void)
{
	uint64_t id = mmu_a32_device(GUEST_UART_BASE + 0xfe0);
	struct el0_exit x;

	NEED_A32;
	mmu_on();
	code[0] = 0x30016800; /* LDR r0, [r0]; ADDS r0, #1 */
	code[1] = 0xdf00df00; /* SVC #0 */
	run(MODE_T32, (uint32_t)id, &x);
	CHECK(ESR_EC(x.esr) == EC_SVC32 && x.x0 == 0x12, "LDR, ADDS: ESR %lx, r0 %lx", x.esr, x.x0);
	code[0] = 0x0000f8d0; /* LDR.W r0, [r0] */
	code[1] = 0xdf003001; /* ADDS r0, #1; SVC #0 */
	run(MODE_T32, (uint32_t)id, &x);
	CHECK(ESR_EC(x.esr) == EC_SVC32 && x.x0 == 0x12, "LDR.W, ADDS: ESR %lx, r0 %lx", x.esr, x.x0);
	code[0] = 0xdf006800; /* LDR outside: 2 bytes, so IL is 0 */
	run(MODE_T32, (uint32_t)mmu_a32_device(NOWHERE), &x);
	CHECK((x.esr | 1ul << 25) == ESR_DATA_ABORT(0) - ESR_FROM_EL0, "LDR outside: ESR %lx", x.esr);
	return OUTCOME_OK;
}

/* An emulated instruction of an IT block moves the block on: what follows is judged by its own condition. */
enum outcome case_t32_it_block(void)
{
	struct el0_exit x;

	NEED_A32;
	mmu_on();
	code[0] = 0xbf0c4280; /* CMP r0, r0; ITE EQ */
	code[1] = 0x30016800; /* LDREQ r0, [r0]; ADDNE r0, #1 */
	code[2] = 0xdf00df00; /* SVC #0 */
	run(MODE_T32, (uint32_t)mmu_a32_device(GUEST_UART_BASE + 0xfe0), &x);
	CHECK(ESR_EC(x.esr) == EC_SVC32 && x.x0 == 0x11, "LDREQ, ADDNE: ESR %lx, r0 %lx", x.esr, x.x0);
	return OUTCOME_OK;
}

/* Every MRC, MCR of CP15 and CP14 that User mode can try: a value, UNDEF, or EL1's own trap; then the VM goes on. */
static enum outcome coprocessor(uint32_t cp, bool write)
{
	struct el0_exit x;
	uint32_t values = 0;

	mmu_on();
	for (uint32_t n = 0; n < 8 * 16 * 16 * 8; n++) {
		uint32_t opc1 = n & 7, crn = n >> 3 & 15, crm = n >> 7 & 15, opc2 = n >> 11 & 7;
		/* Not the thread registers, whose content doesn't matter either. */
		run_a32(0xee000010 | cp << 8 | (write ? 0 : 1u << 20) | opc1 << 21 | crn << 16 | crm | opc2 << 5, 0,
			&x);
		if (ESR_EC(x.esr) == EC_SVC32) {
			values++;
			continue;
		}
		/* EC 0x03, 0x05: EL1's own control of EL0, by SCTLR_EL1, CNTKCTL_EL1, MDSCR_EL1. */
		CHECK(plain_undef(x.esr) || ESR_EC(x.esr) == 0x03 || ESR_EC(x.esr) == 0x05,
		      "p%u, %u, c%u, c%u, %u: ESR %lx", cp, opc1, crn, crm, opc2, x.esr);
	}
	info("%u of 16384 do something", values);
	mmu_off();
	return still_sound();
}

enum outcome case_a32_cp15_read(void)
{
	NEED_A32;
	return coprocessor(15, false);
}

enum outcome case_a32_cp15_write(void)
{
	NEED_A32;
	return coprocessor(15, true);
}

enum outcome case_a32_cp14_read(void)
{
	NEED_A32;
	return coprocessor(14, false);
}

enum outcome case_a32_cp14_write(void)
{
	NEED_A32;
	return coprocessor(14, true);
}

/* MRRC and MCRR, VMRS, MRS of banked registers, LDC of CP14, SETEND, CP10 and CP11 with odd operands. */
enum outcome case_a32_others(void)
{
	static const uint32_t opcodes[] = {
		0xec510f00, 0xec510f1e, 0xec510f2e, 0xec510e00,
		0xec410f00, 0xec410f2e,                         /* CNTPCT, CNTP_CVAL, PMCCNTR, DBGDRAR */
		0xeef00a10, 0xeef70a10, 0xeef60a10, 0xeef10a10, /* VMRS FPSID, MVFR0, MVFR1, FPSCR */
		0xe1000200, 0xe10e0300, 0xe120f200,             /* banked registers */
		0xedb05e00, 0xec905e01,                         /* LDC p14 */
		0xe320f003, 0xe320f002, 0xf57ff04f, 0xf57ff06f, /* WFI, WFE, DSB, ISB */
		0xf1010200, 0xf1080080,                         /* SETEND BE, CPSIE */
	};
	struct el0_exit x;

	NEED_A32;
	mmu_on();
	for (unsigned int i = 0; i < ARRAY_SIZE(opcodes); i++) {
		/* WFI ends with a pending interrupt. */
		gic_setup_edge(5, 0x80);
		gic_sgi(cpus[0].mpidr, 5);
		run_a32(opcodes[i], (uint32_t)mmu_a32_device(NOWHERE), &x);
		CHECK(ESR_EC(x.esr) == EC_SVC32 || plain_undef(x.esr) || ESR_EC(x.esr) <= 0x08 ||
			      ESR_EC(x.esr) == 0x0c || ESR_EC(x.esr) == 0x24,
		      "%x: ESR %lx", opcodes[i], x.esr);
	}
	mmu_off();
	return still_sound();
}
