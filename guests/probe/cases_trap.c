/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a guest may try and must survive: system registers that are hidden, calls nobody knows, accesses where nothing
 * is. The answer has to be a value, an undefined instruction or an external abort in the guest; never a hang, and never
 * an exception class that EL1 cannot have caused itself.
 */
#include "cases.h"

#include "access.h"
#include "dev.h"
#include "gic.h"
#include "psci.h"

/* ---- system registers ---- */

/* sysregs.S */
#define SYSREG_UNDEF 1u
#define SYSREG_IDREG 2u
#define SYSREG_READ_ONLY 4u

struct sysreg {
	const char *name;
	uint64_t (*read)(void);
	void (*write)(uint64_t value);
	uint64_t expect;
};
extern const struct sysreg sysreg_table[], sysreg_table_end[];

#define EC_FP 0x07u
#define EC_SYSREG 0x18u
#define EC_SME 0x1du

/* Traps that a guest's own CPACR_EL1 causes look like this (SVE and SME registers on CPUs that have them). */
static bool plain_refusal(uint64_t esr)
{
	/* QEMU's own CPU says EC 0x18 for a few registers of extensions it has; a hypervisor must not pass that on. */
	if (ESR_EC(esr) == EC_SYSREG)
		return !under_hypervisor();
	return ESR_EC(esr) == EC_UNKNOWN || ESR_EC(esr) == EC_SVE || ESR_EC(esr) == EC_SME || ESR_EC(esr) == EC_FP;
}

enum outcome case_sysregs(void)
{
	struct cpu *c = cpu_self();
	uint32_t values = 0, refused = 0;

	for (const struct sysreg *r = sysreg_table; r < sysreg_table_end; r++) {
		uint64_t value;
		uint32_t traps;

		trap_expect();
		value = r->read();
		traps = trap_done();
		CHECK(!traps || plain_refusal(c->trap_esr), "%s: read gives ESR %lx", r->name, c->trap_esr);
		CHECK(!(r->expect & SYSREG_UNDEF) || traps, "%s: reads %lx, want UNDEF", r->name, value);
		CHECK(!(r->expect & SYSREG_IDREG) || !traps, "%s: UNDEF, want a value", r->name);
		values += !traps, refused += traps != 0;
		if (r->expect & (SYSREG_READ_ONLY | SYSREG_IDREG))
			continue;
		/* What was read is what is safe to write. */
		trap_expect();
		r->write(traps ? 0 : value);
		traps = trap_done();
		CHECK(!traps || plain_refusal(c->trap_esr), "%s: write gives ESR %lx", r->name, c->trap_esr);
		CHECK(!(r->expect & SYSREG_UNDEF) || traps, "%s: can be written, want UNDEF", r->name);
	}
	info("%u give a value, %u are UNDEF", values, refused);
	return OUTCOME_OK;
}

/* ID registers must not promise what is hidden, and must agree on all CPUs. */
static uint32_t field(uint64_t value, uint32_t shift)
{
	return value >> shift & 0xf;
}

enum outcome case_idregs_hidden(void)
{
	uint64_t pfr0 = sysreg_read(id_aa64pfr0_el1), pfr1 = sysreg_read(id_aa64pfr1_el1);
	uint64_t dfr0 = sysreg_read(id_aa64dfr0_el1), isar1 = sysreg_read(id_aa64isar1_el1);
	uint64_t isar2 = sysreg_read(s3_0_c0_c6_2), zfr0 = sysreg_read(s3_0_c0_c4_4), smfr0 = sysreg_read(s3_0_c0_c4_5);

	CHECK(!field(pfr0, 32), "ID_AA64PFR0 %lx shows SVE", pfr0);
	CHECK(!field(pfr0, 44), "ID_AA64PFR0 %lx shows AMU", pfr0);
	CHECK(!field(pfr0, 40), "ID_AA64PFR0 %lx shows MPAM", pfr0);
	CHECK(!field(pfr1, 8), "ID_AA64PFR1 %lx shows MTE", pfr1);
	CHECK(!field(pfr1, 24), "ID_AA64PFR1 %lx shows SME", pfr1);
	CHECK(!field(dfr0, 8) || field(dfr0, 8) == 0xf, "ID_AA64DFR0 %lx shows a PMU", dfr0);
	CHECK(!field(dfr0, 32), "ID_AA64DFR0 %lx shows SPE", dfr0);
	CHECK(!field(dfr0, 44), "ID_AA64DFR0 %lx shows a trace buffer", dfr0);
	CHECK(!field(dfr0, 4), "ID_AA64DFR0 %lx shows a trace unit", dfr0);
	CHECK(!(isar1 & 0xff000ff0), "ID_AA64ISAR1 %lx shows pointer authentication", isar1);
	CHECK(!(isar2 & 0xff00), "ID_AA64ISAR2 %lx shows pointer authentication", isar2);
	CHECK(!zfr0 && !smfr0, "ID_AA64ZFR0 %lx, ID_AA64SMFR0 %lx without SVE and SME", zfr0, smfr0);
	return OUTCOME_OK;
}

static void read_ids(struct cpu *c)
{
	c->result[0] = sysreg_read(id_aa64pfr0_el1);
	c->result[1] = sysreg_read(id_aa64isar0_el1);
	c->result[2] = sysreg_read(id_aa64mmfr0_el1);
	c->result[3] = sysreg_read(mpidr_el1);
}

enum outcome case_idregs(void)
{
	uint64_t pfr0 = sysreg_read(id_aa64pfr0_el1);

	CHECK(field(pfr0, 4) == 1 || field(pfr0, 4) == 2, "ID_AA64PFR0 %lx: no AArch64 at EL1", pfr0);
	CHECK(field(pfr0, 24), "ID_AA64PFR0 %lx: no GIC system registers", pfr0);
	CHECK((sysreg_read(mpidr_el1) & 1u << 31), "MPIDR_EL1 %lx: RES1 bit", sysreg_read(mpidr_el1));
	read_ids(&cpus[0]);
	for (uint32_t i = 1; i < cpu_count; i++) {
		TRY(cpu_start(i, read_ids));
		TRY(cpu_join(i));
		CHECK((cpus[i].result[3] & 0xff00ffffff) == cpus[i].mpidr, "cpu %u: MPIDR_EL1 %lx, tree has %lx", i,
		      cpus[i].result[3], cpus[i].mpidr);
		for (uint32_t r = 0; r < 3; r++)
			CHECK(cpus[i].result[r] == cpus[0].result[r], "cpu %u: ID register %u is %lx, %lx on cpu 0", i,
			      r, cpus[i].result[r], cpus[0].result[r]);
	}
	return OUTCOME_OK;
}

/* ---- calls ---- */

uint64_t call_hvc_0(uint64_t fn);
uint64_t call_hvc_1(uint64_t fn);
uint64_t call_hvc_4a48(uint64_t fn);
uint64_t call_hvc_ffff(uint64_t fn);
uint64_t call_smc_0(uint64_t fn);
uint64_t call_smc_1(uint64_t fn);
uint64_t call_smc_ffff(uint64_t fn);

/* Function numbers that nobody answers: unallocated ones of each SMCCC owner, 32 and 64 bits, fast and yielding. */
static const uint32_t unknown_functions[] = {
	0x8000ff00, 0x81000001, 0x82000001, 0x83000001, 0x8400001f, 0x840000ff, 0xc4000006, 0xc40000ff,
	0x85000001, 0x87000001, 0xb0000000, 0xbf000000, 0x00000001, 0x02000000, 0x32000000, 0x7fffffff,
};

static enum outcome call_unknown(const char *name, uint64_t (*call)(uint64_t fn), bool psci_conduit)
{
	struct cpu *c = cpu_self();

	for (unsigned int i = 0; i < ARRAY_SIZE(unknown_functions); i++) {
		int64_t result;

		trap_expect();
		result = (int64_t)call(unknown_functions[i]);
		if (trap_done()) {
			CHECK(ESR_EC(c->trap_esr) == EC_UNKNOWN, "%s %x: ESR %lx", name, unknown_functions[i],
			      c->trap_esr);
			CHECK(!psci_conduit, "%s %x is UNDEF, want NOT_SUPPORTED", name, unknown_functions[i]);
		} else {
			/* SMC32 results are 32 bits wide (DEN 0028, 2.7). */
			CHECK((int32_t)result == PSCI_NOT_SUPPORTED, "%s %x gives %lx, want NOT_SUPPORTED", name,
			      unknown_functions[i], (uint64_t)result);
		}
	}
	return OUTCOME_OK;
}

enum outcome case_calls_unknown(void)
{
	TRY(call_unknown("HVC #0", call_hvc_0, true));
	TRY(call_unknown("SMC #0", call_smc_0, false));
	return OUTCOME_OK;
}

enum outcome case_calls_immediate(void)
{
	TRY(call_unknown("HVC #1", call_hvc_1, false));
	TRY(call_unknown("HVC #4a48", call_hvc_4a48, false));
	TRY(call_unknown("HVC #ffff", call_hvc_ffff, false));
	TRY(call_unknown("SMC #1", call_smc_1, false));
	TRY(call_unknown("SMC #ffff", call_smc_ffff, false));
	return OUTCOME_OK;
}

/* Xen's entry with numbers that no table has: -ENOSYS (-38), NOT_SUPPORTED or UNDEF. */
enum outcome case_calls_xen(void)
{
	static const uint64_t numbers[] = { 0, 3, 49, 63, 64, 255, 1ull << 31, ~0ull };

	for (unsigned int i = 0; i < ARRAY_SIZE(numbers); i++) {
		int64_t result;

		trap_expect();
		result = xen_call(numbers[i], 0, 0);
		if (trap_done())
			CHECK(ESR_EC(cpu_self()->trap_esr) == EC_UNKNOWN, "number %lx: ESR %lx", numbers[i],
			      cpu_self()->trap_esr);
		else
			CHECK(result < 0, "number %lx gives %ld, want an error", numbers[i], result);
	}
	return OUTCOME_OK;
}

/* WFE, SEV, hints and barriers go on; a permanently undefined instruction comes back as one. */
enum outcome case_instructions(void)
{
	trap_expect();
	__asm__ volatile("sev; wfe; sevl; wfe; yield; hint #6; hint #20; hint #127; dsb ishst; dmb sy; isb" ::
				 : "memory");
	CHECK(!trap_done(), "a hint or barrier gives ESR %lx", cpu_self()->trap_esr);
	trap_expect();
	__asm__ volatile(".inst 0x00000000" ::: "memory");
	CHECK(trap_done() == 1 && ESR_EC(cpu_self()->trap_esr) == EC_UNKNOWN, "UDF gives ESR %lx",
	      cpu_self()->trap_esr);
	/* Maintenance by set/way, which a hypervisor may trap. */
	trap_expect();
	__asm__ volatile("dc isw, xzr; dc csw, xzr; dc cisw, xzr; ic iallu; ic ialluis; tlbi vmalle1; dsb sy; isb" ::
				 : "memory");
	CHECK(!trap_done(), "cache or TLB maintenance gives ESR %lx", cpu_self()->trap_esr);
	return OUTCOME_OK;
}

/* ---- accesses ---- */

#define ACCESS_BYTES_MAX 64u
#define ESR_FNV (1u << 10)

/* Nothing is there, neither in `virt` nor in our guests' platform: a hole between devices, and one above all RAM. */
static const uint64_t holes[] = { 0x0b000000, 0x0b000ff0, 0x2000000000 };

static enum outcome check_abort(const struct access *a, uint64_t addr)
{
	struct cpu *c = cpu_self();
	uint64_t esr = c->trap_esr;
	uint32_t fsc = ESR_FSC(esr);

	if (ESR_EC(esr) == EC_UNKNOWN && a->flags & (ACCESS_RMW | ACCESS_RCPC | ACCESS_MTE))
		return OUTCOME_OK; /* no such instruction on this CPU */
	CHECK(ESR_EC(esr) == EC_DATA_ABORT, "%s at %lx: ESR %lx, want a data abort", a->name, addr, esr);
	CHECK(fsc == FSC_SYNC_EXTERNAL || (fsc == FSC_ALIGNMENT && a->flags & ACCESS_CACHE),
	      "%s at %lx: fault status %x, want an external abort", a->name, addr, fsc);
	/* Any of the bytes accessed: a device may end inside. */
	CHECK(esr & ESR_FNV || a->flags & ACCESS_CACHE || c->trap_far - addr < ACCESS_BYTES_MAX, "%s at %lx: FAR %lx",
	      a->name, addr, c->trap_far);
	if (!(a->flags & (ACCESS_RMW | ACCESS_CACHE)))
		CHECK(!(esr & ESR_WNR) == !(a->flags & ACCESS_STORE), "%s at %lx: ESR %lx has the wrong WnR", a->name,
		      addr, esr);
	return OUTCOME_OK;
}

enum outcome case_stray_access(void)
{
	for (unsigned int h = 0; h < ARRAY_SIZE(holes); h++) {
		for (const struct access *a = access_table; a < access_table_end; a++) {
			trap_expect();
			a->run(holes[h], ~0ull);
			if (trap_done())
				TRY(check_abort(a, holes[h]));
			else
				CHECK(a->flags & (ACCESS_CACHE | ACCESS_MAYBE | ACCESS_MTE), "%s at %lx: no abort",
				      a->name, holes[h]);
		}
	}
	return OUTCOME_OK;
}

/* A fetch from nowhere or from a device is an instruction abort (EC 0x21), or UNDEF when a device's bytes come back. */
enum outcome case_stray_fetch(void)
{
	for (unsigned int h = 0; h < ARRAY_SIZE(holes); h++) {
		trap_expect();
		access_execute(holes[h]);
		CHECK(trap_done(), "code runs at %lx", holes[h]);
		CHECK(ESR_EC(cpu_self()->trap_esr) == EC_FETCH_ABORT,
		      "fetch at %lx: ESR %lx, want an instruction abort", holes[h], cpu_self()->trap_esr);
	}
	return OUTCOME_OK;
}

/*
 * Any kind of access to a device that exists: a value or an abort, and the machine goes on. Stores go where they do no
 * harm: groups (gic_reset() sets them again), identification, a reserved offset.
 */
enum outcome case_device_access(void)
{
	static const uint64_t places[] = { GUEST_GICD_BASE + GICD_IGROUPR, GUEST_UART_BASE + UARTPERIPHID0,
					   GUEST_RTC_BASE + RTCPERIPHID0, GUEST_GICR_BASE + GICR_SGI_FRAME + 0xc80 };
	uint32_t aborts = 0, values = 0;

	for (unsigned int p = 0; p < ARRAY_SIZE(places); p++) {
		for (const struct access *a = access_table; a < access_table_end; a++) {
			trap_expect();
			a->run(places[p], ~0ull);
			if (trap_done()) {
				TRY(check_abort(a, places[p]));
				aborts++;
			} else {
				values++;
			}
		}
	}
	info("%u accesses worked, %u aborted", values, aborts);
	CHECK(read32(GUEST_UART_BASE + UARTPERIPHID0) == 0x11, "UARTPeriphID0 is %x afterwards",
	      read32(GUEST_UART_BASE + UARTPERIPHID0));
	CHECK((gicd_read(GICD_PIDR2) >> 4 & 0xf) == 3, "GICD_PIDR2 is %x afterwards", gicd_read(GICD_PIDR2));
	return OUTCOME_OK;
}

/* With the MMU off all memory is Device memory: unaligned accesses fault, whatever is at the address. */
enum outcome case_unaligned(void)
{
	static const uint64_t places[] = { GUEST_GICD_BASE + GICD_TYPER + 1, GUEST_UART_BASE + UARTFR + 2, 0x0b000001 };
	struct cpu *c = cpu_self();

	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
		trap_expect();
		(void)read32(places[i]);
		CHECK(trap_done() == 1, "unaligned read at %lx is served", places[i]);
		CHECK(ESR_EC(c->trap_esr) == EC_DATA_ABORT, "unaligned read at %lx: ESR %lx", places[i], c->trap_esr);
		CHECK(ESR_FSC(c->trap_esr) == FSC_ALIGNMENT || ESR_FSC(c->trap_esr) == FSC_SYNC_EXTERNAL,
		      "unaligned read at %lx: fault status %x", places[i], ESR_FSC(c->trap_esr));
	}
	return OUTCOME_OK;
}
