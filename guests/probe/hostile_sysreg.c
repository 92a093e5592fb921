/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile system registers and instructions: features that are hidden, the whole space of encodings, registers of EL2 and
 * EL3, exception returns to where none may lead. What doesn't exist is undefined: EC 0 at the instruction, and no more.
 */
#include "hostile.h"

#include "access.h"
#include "psci.h"

/* The encoding in MRS and MSR (DDI 0487, C5.1.2). */
#define REG(op0, op1, crn, crm, op2)                                                                                   \
	(((uint32_t)(op0)&1) << 19 | (uint32_t)(op1) << 16 | (uint32_t)(crn) << 12 | (uint32_t)(crm) << 8 |            \
	 (uint32_t)(op2) << 5)
#define MRS 0xd5300000u /* op0 2 or 3, Rt = X0 */
#define MSR 0xd5100000u
#define SYS 0xd5080000u /* op0 1 */
#define SYSL 0xd5280000u

/* An extension of the CPU that the guest's own CPACR_EL1 switches off: its trap, not the hypervisor's. */
#define EC_FP 0x07u
#define EC_SME 0x1du

static enum outcome undef(const char *what, uint32_t opcode, uint64_t value)
{
	struct cpu *c = cpu_self();
	uint64_t at = code_write(opcode);
	uint32_t count;

	trap_expect();
	(void)((uint64_t(*)(uint64_t))(uintptr_t)at)(value);
	count = trap_done();
	CHECK(count == 1, "%s (%x): %u exceptions, want UNDEF", what, opcode, count);
	CHECK(c->trap_esr == ESR_UNDEF && c->trap_elr == at, "%s (%x): ESR %lx ELR %lx, want UNDEF", what, opcode,
	      c->trap_esr, c->trap_elr);
	return OUTCOME_OK;
}

/* Read and write. */
static enum outcome absent(const char *what, uint32_t reg)
{
	TRY(undef(what, MRS | reg, 0));
	return undef(what, MSR | reg, 0);
}

/* Reads zero, takes what is written. */
static enum outcome zero(const char *what, uint32_t reg)
{
	uint64_t got;

	trap_expect();
	(void)code_run(MSR | reg, ~0ull);
	got = code_run(MRS | reg, ~0ull);
	TRY(want_nothing(what));
	CHECK(got == 0, "%s reads %lx after ones, want 0", what, got);
	return OUTCOME_OK;
}

/* What a CPU may lack is zero or absent. */
static enum outcome zero_or_absent(const char *what, uint32_t reg)
{
	uint64_t got = 0;
	bool readable;

	trap_expect();
	got = code_run(MRS | reg, ~0ull);
	readable = !trap_done();
	return readable ? (got ? fail("%s reads %lx, want 0", what, got) : zero(what, reg)) : absent(what, reg);
}

struct range {
	uint8_t op0, op1, crn, crm_first, crm_last, op2_first, op2_last;
};

static enum outcome absent_range(const char *what, const struct range *r)
{
	for (uint32_t crm = r->crm_first; crm <= r->crm_last; crm++)
		for (uint32_t op2 = r->op2_first; op2 <= r->op2_last; op2++)
			TRY(absent(what, REG(r->op0, r->op1, r->crn, crm, op2)));
	return OUTCOME_OK;
}

#define ABSENT_CASE(name, what, ...)                                                                                   \
	enum outcome case_##name(void)                                                                                 \
	{                                                                                                              \
		static const struct range ranges[] = { __VA_ARGS__ };                                                  \
                                                                                                                       \
		for (unsigned int i = 0; i < ARRAY_SIZE(ranges); i++)                                                  \
			TRY(absent_range(what, &ranges[i]));                                                           \
		return OUTCOME_OK;                                                                                     \
	}

/* ---- features that are hidden: nothing of them is there (DDI 0487, D24) ---- */

/* PMCR, PMCNTENSET/CLR, PMOVSCLR, PMSELR, PMCCNTR, PMXEVTYPER, PMXEVCNTR, PMUSERENR; PMINTENSET/CLR. */
ABSENT_CASE(sys_pmu_control, "the PMU", { 3, 3, 9, 12, 12, 0, 3 }, { 3, 3, 9, 12, 12, 5, 5 }, { 3, 3, 9, 13, 13, 0, 2 },
	    { 3, 3, 9, 14, 14, 0, 0 }, { 3, 3, 9, 14, 14, 3, 3 }, { 3, 0, 9, 14, 14, 1, 2 })
/* PMEVCNTR<n>, PMEVTYPER<n>, PMCCFILTR. */
ABSENT_CASE(sys_pmu_counters, "an event counter", { 3, 3, 14, 8, 11, 0, 7 }, { 3, 3, 14, 12, 15, 0, 7 })
ABSENT_CASE(sys_spe, "statistical profiling", { 3, 0, 9, 9, 9, 0, 6 }, { 3, 0, 9, 10, 10, 0, 3 })
ABSENT_CASE(sys_trbe, "the trace buffer", { 3, 0, 9, 11, 11, 0, 7 }, { 3, 0, 1, 2, 2, 1, 1 })
ABSENT_CASE(sys_trace, "a trace unit", { 2, 1, 0, 0, 15, 0, 7 }, { 2, 1, 1, 0, 4, 4, 4 }, { 2, 1, 2, 0, 15, 0, 7 },
	    { 2, 1, 3, 0, 15, 0, 7 })
ABSENT_CASE(sys_amu, "activity monitors", { 3, 3, 13, 2, 2, 0, 7 }, { 3, 3, 13, 3, 3, 0, 1 }, { 3, 3, 13, 4, 5, 0, 7 },
	    { 3, 3, 13, 6, 7, 0, 7 }, { 3, 3, 13, 12, 15, 0, 7 })
ABSENT_CASE(sys_ras, "error records", { 3, 0, 5, 3, 3, 0, 1 }, { 3, 0, 5, 4, 4, 0, 6 }, { 3, 0, 5, 5, 5, 0, 3 })
ABSENT_CASE(sys_lor, "limited ordering regions", { 3, 0, 10, 4, 4, 0, 3 })
ABSENT_CASE(sys_mpam, "MPAM", { 3, 0, 10, 5, 5, 0, 1 })
ABSENT_CASE(sys_mte, "memory tagging", { 3, 0, 1, 0, 0, 5, 6 }, { 3, 0, 5, 6, 6, 0, 1 })
ABSENT_CASE(sys_pauth_keys, "pointer authentication keys", { 3, 0, 2, 1, 1, 0, 3 }, { 3, 0, 2, 2, 2, 0, 3 },
	    { 3, 0, 2, 3, 3, 0, 1 })

/* SVE and SME with the guest's own switch open: the rest is the hypervisor's answer. */
enum outcome case_sys_sve(void)
{
	uint64_t cpacr = sysreg_read(cpacr_el1);
	enum outcome result;

	sysreg_write(cpacr_el1, cpacr | 3ull << 16 | 3ull << 24); /* ZEN, SMEN */
	isb();
	result = absent("ZCR_EL1", REG(3, 0, 1, 2, 0));
	if (result == OUTCOME_OK)
		result = undef("RDVL", 0x04bf5020, 0);
	if (result == OUTCOME_OK)
		result = undef("PTRUE", 0x2518e3e0, 0);
	sysreg_write(cpacr_el1, cpacr);
	isb();
	return result;
}

enum outcome case_sys_sme(void)
{
	static const uint32_t regs[] = { REG(3, 0, 1, 2, 4), REG(3, 0, 1, 2, 6), REG(3, 3, 4, 2, 2),
					 REG(3, 3, 13, 0, 5) };
	uint64_t cpacr = sysreg_read(cpacr_el1);
	enum outcome result = OUTCOME_OK;

	sysreg_write(cpacr_el1, cpacr | 3ull << 16 | 3ull << 24);
	isb();
	for (unsigned int i = 0; i < ARRAY_SIZE(regs) && result == OUTCOME_OK; i++)
		result = absent("SME", regs[i]);
	if (result == OUTCOME_OK)
		result = undef("SMSTART", 0xd503477f, 0);
	sysreg_write(cpacr_el1, cpacr);
	isb();
	return result;
}

/* Those that use a key, by their encodings outside the hint space. */
enum outcome case_sys_pauth_instructions(void)
{
	uint64_t sctlr = sysreg_read(sctlr_el1);
	enum outcome result;

	/* Without EnIA they do nothing on a CPU that has them; with it they ask for keys. */
	sysreg_write(sctlr_el1, sctlr | 1ull << 31);
	isb();
	result = undef("PACIA X0, X1", 0xdac10020, 0);
	if (result == OUTCOME_OK)
		result = undef("ERETAA", 0xd69f0bff, 0);
	sysreg_write(sctlr_el1, sctlr);
	isb();
	TRY(result);
	return undef("PACGA X0, X1, X2", 0x9ac23020, 0);
}

/* Memory copy and set, hidden: SETP [X0]!, X1!, X2; CPYFP [X0]!, [X1]!, X2!. */
enum outcome case_sys_mops(void)
{
	TRY(undef("SETP", 0x19c20420, NOWHERE));
	return undef("CPYFP", 0x19010440, NOWHERE);
}

/* ---- debug: read as zero, write ignored, so nothing ever stops ---- */

/* As many of each as ID_AA64DFR0_EL1 says; more may be there. */
enum outcome case_debug_breakpoints(void)
{
	uint64_t dfr0 = sysreg_read(id_aa64dfr0_el1);
	uint32_t breakpoints = (dfr0 >> 12 & 0xf) + 1, watchpoints = (dfr0 >> 20 & 0xf) + 1;

	for (uint32_t n = 0; n < 16; n++) {
		for (uint32_t kind = 4; kind < 8; kind++) {
			uint32_t reg = REG(2, 0, 0, n, kind);

			if (n < (kind < 6 ? breakpoints : watchpoints))
				TRY(zero("a break- or watchpoint register", reg));
			else
				TRY(zero_or_absent("a break- or watchpoint register", reg));
		}
	}
	return OUTCOME_OK;
}

/* A breakpoint on code and a watchpoint on data that are then used: nothing happens. */
enum outcome case_debug_armed(void)
{
	static volatile uint64_t watched;
	uint64_t at = code_write(0xd503201f);

	trap_expect();
	sysreg_write(s2_0_c0_c0_4, at);                          /* DBGBVR0_EL1 */
	sysreg_write(s2_0_c0_c0_5, 0x1e7);                       /* DBGBCR0_EL1: any EL, enabled */
	sysreg_write(s2_0_c0_c0_6, (uintptr_t)&watched);         /* DBGWVR0_EL1 */
	sysreg_write(s2_0_c0_c0_7, 0xffull << 5 | 0x1f);         /* DBGWCR0_EL1: all bytes, load and store */
	sysreg_write(s2_0_c0_c2_2, 1ull << 15 | 1ull << 13 | 1); /* MDSCR_EL1: MDE, KDE, SS */
	__asm__ volatile("msr daifclr, #8; isb" ::: "memory");
	((void (*)(void))(uintptr_t)at)();
	watched = watched + 1;
	__asm__ volatile("msr daifset, #8; isb" ::: "memory");
	return want_nothing("an armed breakpoint");
}

enum outcome case_debug_control(void)
{
	TRY(zero("MDSCR_EL1", REG(2, 0, 0, 2, 2)));
	TRY(zero_or_absent("OSDLR_EL1", REG(2, 0, 1, 3, 4)));
	TRY(zero_or_absent("DBGPRCR_EL1", REG(2, 0, 1, 4, 4)));
	trap_expect();
	(void)code_run(MSR | REG(2, 0, 1, 0, 4), 1); /* OSLAR_EL1: lock */
	(void)code_run(MSR | REG(2, 0, 1, 0, 4), 0);
	CHECK(code_run(MRS | REG(2, 0, 1, 1, 4), 0) == 8, "OSLSR_EL1 reads %lx", code_run(MRS | REG(2, 0, 1, 1, 4), 0));
	TRY(want_nothing("the OS lock"));
	return undef("a write of OSLSR_EL1", MSR | REG(2, 0, 1, 1, 4), 0);
}

/* The debug communication channel: OSDTRRX, MDCCINT, OSDTRTX, OSECCR, claim tags, DBGDTR. Nobody is at its other end. */
enum outcome case_debug_channel(void)
{
	static const uint32_t regs[] = {
		REG(2, 0, 0, 0, 2), REG(2, 0, 0, 2, 0), REG(2, 0, 0, 3, 2), REG(2, 0, 0, 6, 2),
		REG(2, 0, 7, 8, 6), REG(2, 0, 7, 9, 6), REG(2, 3, 0, 4, 0), REG(2, 3, 0, 5, 0)
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(regs); i++)
		TRY(zero_or_absent("the debug channel", regs[i]));
	return OUTCOME_OK;
}

/* BRK is the guest's own exception; HLT and DCPS are undefined without a debugger. */
enum outcome case_debug_instructions(void)
{
	trap_expect();
	(void)code_run(0xd4200000, 0); /* BRK #0 */
	TRY(want_trap("BRK", 0xf2000000ul, FAR_ANY));
	TRY(undef("HLT", 0xd4400000, 0));
	TRY(undef("DCPS1", 0xd4a00001, 0));
	TRY(undef("DCPS2", 0xd4a00002, 0));
	TRY(undef("DCPS3", 0xd4a00003, 0));
	return undef("DRPS", 0xd6bf03e0, 0);
}

/* ---- sweeps ---- */

/* IMPLEMENTATION DEFINED: CRn 11 and 15, all of them (HCR_EL2.TIDCP). */
static enum outcome impdef(uint32_t crn)
{
	for (uint32_t op1 = 0; op1 < 8; op1++)
		for (uint32_t crm = 0; crm < 16; crm++)
			for (uint32_t op2 = 0; op2 < 8; op2++)
				TRY(absent("an IMPLEMENTATION DEFINED register", REG(3, op1, crn, crm, op2)));
	return OUTCOME_OK;
}

enum outcome case_sweep_impdef_11(void)
{
	return impdef(11);
}

enum outcome case_sweep_impdef_15(void)
{
	return impdef(15);
}

/* IMPLEMENTATION DEFINED system instructions. */
enum outcome case_sweep_impdef_sys(void)
{
	for (uint32_t op1 = 0; op1 < 8; op1++)
		for (uint32_t crm = 0; crm < 16; crm++)
			for (uint32_t op2 = 0; op2 < 8; op2++)
				for (uint32_t crn = 11; crn < 16; crn += 4)
					TRY(undef("an IMPLEMENTATION DEFINED instruction",
						  SYS | REG(0, op1, crn, crm, op2), 0));
	return OUTCOME_OK;
}

/* Registers of higher exception levels: op1 4 EL2, 5 EL1 as seen by EL2, 6 EL3, 7 secure EL1. */
static enum outcome sweep_higher(uint32_t op1)
{
	for (uint32_t crn = 0; crn < 16; crn++)
		for (uint32_t crm = 0; crm < 16; crm++)
			for (uint32_t op2 = 0; op2 < 8; op2++)
				TRY(absent("a register of a higher level", REG(3, op1, crn, crm, op2)));
	return OUTCOME_OK;
}

enum outcome case_sweep_el2(void)
{
	return sweep_higher(4);
}

enum outcome case_sweep_el12(void)
{
	return sweep_higher(5);
}

enum outcome case_sweep_el3(void)
{
	return sweep_higher(6);
}

enum outcome case_sweep_secure(void)
{
	return sweep_higher(7);
}

/* Identification: always a value; never to be written. */
enum outcome case_sweep_id(void)
{
	for (uint32_t crm = 1; crm < 8; crm++) {
		for (uint32_t op2 = 0; op2 < 8; op2++) {
			uint32_t reg = REG(3, 0, 0, crm, op2);
			uint64_t first;

			trap_expect();
			first = code_run(MRS | reg, 0);
			TRY(want_nothing("a read of identification"));
			TRY(undef("a write of identification", MSR | reg, ~0ull));
			CHECK(code_run(MRS | reg, 0) == first, "an ID register (%x) changed", reg);
		}
	}
	return OUTCOME_OK;
}

/* FEAT_IDST: unallocated identification is told as such, by the CPU itself. */
static bool id_refusal(uint64_t esr, uint32_t op1, uint32_t crn)
{
	return ESR_EC(esr) == 0x18 && crn == 0 && op1 != 2 && sysreg_read(s3_0_c0_c7_2) >> 36 & 0xf;
}

static bool plain_refusal(uint64_t esr)
{
	uint32_t ec = ESR_EC(esr);

	return esr == ESR_UNDEF || ec == EC_FP || ec == EC_SVE || ec == EC_SME;
}

/* Reading any of a space: a value, or UNDEF, or what CPACR_EL1 refuses. */
static enum outcome sweep_read(uint32_t op0, uint32_t op1)
{
	struct cpu *c = cpu_self();
	uint32_t values = 0;

	for (uint32_t crn = 0; crn < 16; crn++) {
		for (uint32_t crm = 0; crm < 16; crm++) {
			for (uint32_t op2 = 0; op2 < 8; op2++) {
				trap_expect();
				(void)code_run(MRS | REG(op0, op1, crn, crm, op2), 0);
				if (!trap_done())
					values++;
				else
					CHECK(plain_refusal(c->trap_esr) || id_refusal(c->trap_esr, op1, crn),
					      "S%u_%u_C%u_C%u_%u: ESR %lx", op0, op1, crn, crm, op2, c->trap_esr);
			}
		}
	}
	info("%u of 2048 give a value", values);
	return still_sound();
}

#define SWEEP_CASE(op0, op1)                                                                                           \
	enum outcome case_sweep_read_##op0##_##op1(void)                                                               \
	{                                                                                                              \
		return sweep_read(op0, op1);                                                                           \
	}
SWEEP_CASE(3, 0)
SWEEP_CASE(3, 1)
SWEEP_CASE(3, 2)
SWEEP_CASE(3, 3)
SWEEP_CASE(2, 0)
SWEEP_CASE(2, 1)
SWEEP_CASE(2, 2)
SWEEP_CASE(2, 3)

/* Debug space written everywhere: ignored or UNDEF. */
enum outcome case_sweep_write_debug(void)
{
	struct cpu *c = cpu_self();

	for (uint32_t op1 = 0; op1 < 8; op1++) {
		for (uint32_t reg = 0; reg < 2048; reg++) {
			trap_expect();
			(void)code_run(MSR | REG(2, op1, reg >> 7, reg >> 3 & 15, reg & 7), ~0ull);
			if (trap_done())
				CHECK(plain_refusal(c->trap_esr), "S2_%u_C%u_C%u_%u written: ESR %lx", op1, reg >> 7,
				      reg >> 3 & 15, reg & 7, c->trap_esr);
		}
	}
	return still_sound();
}

/* The same spaces from EL0: never more than EL1 gets, told to EL1. */
enum outcome case_sweep_el0(void)
{
	mmu_on();
	for (uint32_t op1 = 0; op1 < 8; op1++) {
		for (uint32_t reg = 0; reg < 2048; reg++) {
			uint32_t crn = reg >> 7, crm = reg >> 3 & 15, op2 = reg & 7;
			struct el0_exit x;

			el0_run((const void *)(uintptr_t)code_write(MRS | REG(3, op1, crn, crm, op2)), 0, 0, &x);
			if (ESR_EC(x.esr) == EC_SVC) {
				CHECK(op1 == 3 || (op1 == 0 && crn == 0), "S3_%u_C%u_C%u_%u gives EL0 %lx", op1, crn,
				      crm, op2, x.x0);
				continue;
			}
			/* EC 0x18: EL1's own control of EL0 (SCTLR_EL1, CNTKCTL_EL1) and the ID space (FEAT_IDST). */
			CHECK(plain_refusal(x.esr) || ESR_EC(x.esr) == 0x18, "S3_%u_C%u_C%u_%u at EL0: ESR %lx", op1,
			      crn, crm, op2, x.esr);
		}
	}
	return OUTCOME_OK;
}

/* Zero written to all of them by EL0: what isn't EL0's is undefined, or EL1's own control. */
enum outcome case_sweep_el0_write(void)
{
	mmu_on();
	for (uint32_t op1 = 0; op1 < 8; op1++) {
		for (uint32_t reg = 0; reg < 2048; reg++) {
			uint32_t crn = reg >> 7, crm = reg >> 3 & 15, op2 = reg & 7;
			struct el0_exit x;

			el0_run((const void *)(uintptr_t)code_write(MSR | REG(3, op1, crn, crm, op2)), 0, 0, &x);
			if (ESR_EC(x.esr) == EC_SVC)
				CHECK(op1 == 3, "S3_%u_C%u_C%u_%u can be written by EL0", op1, crn, crm, op2);
			else
				CHECK(plain_refusal(x.esr) || ESR_EC(x.esr) == 0x18, "S3_%u_C%u_C%u_%u at EL0: ESR %lx",
				      op1, crn, crm, op2, x.esr);
		}
	}
	mmu_off();
	return still_sound();
}

/* Maintenance and translation instructions of EL2 and EL3, all of op1 4 to 7 (op0 1). */
enum outcome case_el2_instructions(void)
{
	for (uint32_t op1 = 4; op1 < 8; op1++)
		for (uint32_t crn = 7; crn < 9; crn++)
			for (uint32_t crm = 0; crm < 16; crm++)
				for (uint32_t op2 = 0; op2 < 8; op2++)
					TRY(undef("an instruction of a higher level", SYS | REG(0, op1, crn, crm, op2),
						  0));
	return OUTCOME_OK;
}

/* ---- exception returns ---- */

#define SPSR_EL1H 0x3c5ul
#define ESR_ILLEGAL 0x3a000000ul

static enum outcome illegal_return(uint64_t spsr)
{
	trap_expect();
	eret_to(spsr);
	TRY(want_trap("an illegal exception return", ESR_ILLEGAL, FAR_ANY));
	CHECK(sysreg_read(currentel) == 1 << 2, "CurrentEL is %lx after a return to %lx", sysreg_read(currentel), spsr);
	return OUTCOME_OK;
}

/* SPSR of EL2, EL3 and levels there aren't (DDI 0487, D1.4.5): PSTATE.IL, and EL1 stays EL1. */
enum outcome case_eret_higher(void)
{
	static const uint8_t modes[] = { 0x8, 0x9, 0xa, 0xb, 0xc, 0xd, 0xe, 0xf };

	for (unsigned int i = 0; i < ARRAY_SIZE(modes); i++)
		TRY(illegal_return(0x3c0 | modes[i]));
	return OUTCOME_OK;
}

/* AArch32 at EL1 and above, which doesn't exist here, and its reserved modes. */
enum outcome case_eret_aarch32(void)
{
	static const uint8_t modes[] = { 0x11, 0x12, 0x13, 0x16, 0x17, 0x1a, 0x1b, 0x1f };

	for (unsigned int i = 0; i < ARRAY_SIZE(modes); i++)
		TRY(illegal_return(0x3c0 | modes[i]));
	return OUTCOME_OK;
}

/* Reserved modes of AArch64. */
enum outcome case_eret_reserved(void)
{
	static const uint8_t modes[] = { 0x1, 0x2, 0x3, 0x6, 0x7 };

	for (unsigned int i = 0; i < ARRAY_SIZE(modes); i++)
		TRY(illegal_return(0x3c0 | modes[i]));
	return OUTCOME_OK;
}

/* Every single bit of SPSR added to a good one, as far as it says nothing about the level: the return works. */
enum outcome case_eret_bits(void)
{
	struct cpu *c = cpu_self();

	for (unsigned int bit = 10; bit < 64; bit++) {
		if (bit == 20) /* IL: its own case */
			continue;
		trap_expect();
		eret_to(SPSR_EL1H | 1ull << bit);
		if (trap_done())
			CHECK(c->trap_esr == ESR_ILLEGAL || ESR_EC(c->trap_esr) == 0x33 || ESR_EC(c->trap_esr) == 0xd,
			      "bit %u: ESR %lx", bit, c->trap_esr);
		CHECK(sysreg_read(currentel) == 1 << 2, "CurrentEL is %lx after bit %u", sysreg_read(currentel), bit);
	}
	TRY(illegal_return(SPSR_EL1H | 1ull << 20));
	__asm__ volatile("msr daifset, #15" ::: "memory");
	return still_sound();
}
