/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile calls: PSCI (DEN 0022) with wrong arguments, SMCCC (DEN 0028) functions nobody has, HVC and SMC with other
 * immediates, Xen's hypercalls with bad numbers and pointers.
 */
#include "hostile.h"

#include "abi/camber_call.h"
#include "access.h"
#include "gic.h"
#include "psci.h"
#include "timer.h"

#define PSCI_SYSTEM_RESET2 0x84000012u

static bool is(int64_t result, int32_t want)
{
	return (int32_t)result == want;
}

/* ---- CPU_ON ---- */

static enum outcome refused_entry(uint64_t entry)
{
	int64_t r = psci_hvc(PSCI_CPU_ON, cpus[1].mpidr, entry, 0);

	CHECK(is(r, PSCI_INVALID_ADDRESS), "CPU_ON at %lx gives %ld, want INVALID_ADDRESS", entry, r);
	r = psci_hvc(PSCI_AFFINITY_INFO, cpus[1].mpidr, 0, 0);
	CHECK(r == AFFINITY_OFF, "after CPU_ON at %lx cpu 1 is on", entry);
	return OUTCOME_OK;
}

enum outcome case_psci_entry_unaligned(void)
{
	for (uint64_t i = 1; i < 4; i++)
		TRY(refused_entry((uintptr_t)secondary_start + i));
	return OUTCOME_OK;
}

enum outcome case_psci_entry_outside(void)
{
	static const uint64_t entries[] = {
		0,
		0x10000000,
		0x3ffffffc,
		0x42000000,
		0x7fffe000,
		0x80000000,
		(1ull << 44) - 4,
		1ull << 44,
		0xffff000040200000ull,
		~3ull,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(entries); i++)
		TRY(refused_entry(entries[i]));
	return refused_entry(ram_end());
}

enum outcome case_psci_entry_device(void)
{
	static const uint64_t entries[] = { GUEST_GICD_BASE, GUEST_GICR_BASE, GUEST_UART_BASE, GUEST_RTC_BASE };

	for (unsigned int i = 0; i < ARRAY_SIZE(entries); i++)
		TRY(refused_entry(entries[i]));
	return OUTCOME_OK;
}

static const uint64_t bad_mpidr[] = {
	CPU_MAX,         0xff,     1ull << 8,  0xff00,     1ull << 16,         0xff0000,
	1ull << 24,      1u << 30, 1u << 31,   1ull << 32, 0xff00000000ull,    1ull << 40,
	1ull << 63 | 1u, ~0ull,    0xffffffff, 0x00aabbcc, 0x8000000080000001,
};

enum outcome case_psci_mpidr(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(bad_mpidr); i++) {
		int64_t r = psci_hvc(PSCI_CPU_ON, bad_mpidr[i], (uintptr_t)secondary_start, 0);

		CHECK(is(r, PSCI_INVALID_PARAMETERS), "CPU_ON of %lx gives %ld, want INVALID_PARAMETERS", bad_mpidr[i],
		      r);
	}
	return OUTCOME_OK;
}

enum outcome case_psci_affinity(void)
{
	int64_t r;

	for (unsigned int i = 0; i < ARRAY_SIZE(bad_mpidr); i++) {
		r = psci_hvc(PSCI_AFFINITY_INFO, bad_mpidr[i], 0, 0);
		CHECK(is(r, PSCI_INVALID_PARAMETERS), "AFFINITY_INFO of %lx gives %ld", bad_mpidr[i], r);
	}
	for (uint64_t level = 1; level; level <<= 3) {
		r = psci_hvc(PSCI_AFFINITY_INFO, cpus[0].mpidr, level, 0);
		/* Levels above 0 are optional since PSCI 1.0 (5.7); those that don't exist are wrong. */
		CHECK(is(r, PSCI_INVALID_PARAMETERS), "AFFINITY_INFO at level %lx gives %ld", level, r);
	}
	return OUTCOME_OK;
}

static void wait_for_stop(struct cpu *c)
{
	gic_enable(15);
	dsb();
	c->stage++;
	while (!cpu_stop && c->stage < 100)
		cpu_yield();
}

enum outcome case_psci_on_self(void)
{
	for (unsigned int i = 0; i < 100; i++) {
		int64_t r = psci_hvc(PSCI_CPU_ON, cpus[0].mpidr, (uintptr_t)secondary_start, i);

		CHECK(is(r, PSCI_ALREADY_ON), "CPU_ON of itself gives %ld", r);
	}
	return OUTCOME_OK;
}

enum outcome case_psci_on_twice(void)
{
	struct cpu *c = &cpus[1];
	int64_t r;

	TRY(cpu_start(1, wait_for_stop));
	/* At once, while it may not have come up, and when it has. */
	for (unsigned int i = 0; i < 100; i++) {
		r = psci_hvc(PSCI_CPU_ON, c->mpidr, (uintptr_t)secondary_start, 0x1234);
		CHECK(is(r, PSCI_ALREADY_ON) || is(r, PSCI_ON_PENDING), "second CPU_ON gives %ld", r);
	}
	CHECK(WAIT_FOR(c->stage == 1, PATIENCE_US), "cpu 1 does not start");
	r = psci_hvc(PSCI_CPU_ON, c->mpidr, NOWHERE, 0);
	CHECK(is(r, PSCI_ALREADY_ON) || is(r, PSCI_INVALID_ADDRESS), "CPU_ON with a bad entry while on gives %ld", r);
	CHECK(c->start_context == 1 && c->stage == 1, "cpu 1 started again: context %lx stage %u", c->start_context,
	      c->stage);
	c->stage = 100;
	return cpu_join(1);
}

static volatile bool race_go;
static volatile uint32_t race_round;

/* CPU 1: tries to start CPU 2 in each round, as CPU 0 does. */
static void race_rival(struct cpu *c)
{
	uint32_t round = 0;

	while (!cpu_stop && round < 50) {
		if (race_round == round) {
			cpu_yield();
			continue;
		}
		round++;
		c->result[0] = (uint64_t)psci_hvc(PSCI_CPU_ON, cpus[2].mpidr, (uintptr_t)secondary_start, 2);
		dsb();
		c->stage = round;
	}
}

static void race_target(struct cpu *c)
{
	c->result[0]++;
	while (!cpu_stop && !race_go)
		cpu_yield();
}

/* Two CPUs start a third at the same time: one of them does. */
enum outcome case_psci_on_race(void)
{
	struct cpu *c = &cpus[2];

	race_round = 0;
	TRY(cpu_start(1, race_rival));
	for (uint32_t round = 1; round <= 50; round++) {
		int64_t mine;

		race_go = false;
		c->index = 2, c->work = race_target, c->result[0] = 0, c->done = false, c->crashed = false,
		c->started = true;
		dsb();
		race_round = round;
		mine = psci_hvc(PSCI_CPU_ON, c->mpidr, (uintptr_t)secondary_start, 2);
		CHECK(WAIT_FOR(cpus[1].stage == round, PATIENCE_US), "round %u: the rival hangs", round);
		CHECK((mine == 0) + ((int32_t)cpus[1].result[0] == 0) == 1, "round %u: CPU_ON gives %ld and %d", round,
		      mine, (int32_t)cpus[1].result[0]);
		CHECK(WAIT_FOR(c->result[0] == 1, PATIENCE_US), "round %u: cpu 2 does not start", round);
		race_go = true;
		TRY(cpu_join(2));
		CHECK(c->result[0] == 1, "round %u: cpu 2 started %lu times", round, c->result[0]);
	}
	return cpu_join(1);
}

static void once(struct cpu *c)
{
	c->stage = 1;
}

/* The 32-bit form takes the low halves (DEN 0028, 3.1). */
enum outcome case_psci_on32_garbage(void)
{
	struct cpu *c = &cpus[1];
	int64_t r;

	c->index = 1, c->work = once, c->stage = 0, c->done = false, c->crashed = false, c->started = true;
	dsb();
	r = psci_hvc(0xffffffff00000000ull | PSCI_CPU_ON_32, 0xabcdef0100000000ull | c->mpidr,
		     0xdead000000000000ull | (uintptr_t)secondary_start, 0x7777777700000001ull);
	CHECK(is(r, PSCI_SUCCESS), "CPU_ON (32) with garbage above gives %ld", r);
	TRY(cpu_join(1));
	CHECK(c->stage == 1 && c->start_context == 1, "cpu 1: stage %u context %lx", c->stage, c->start_context);
	return OUTCOME_OK;
}

enum outcome case_psci_on_off_churn(void)
{
	for (unsigned int i = 0; i < 500; i++) {
		TRY(cpu_start(1 + i % (cpu_count - 1), once));
		TRY(cpu_join(1 + i % (cpu_count - 1)));
	}
	return OUTCOME_OK;
}

/* x1 to x30, SP and the registers that hostile_asm.S names, q0 to q31. */
#define FIRST_STATE_WORDS (30 + 20 + 64)

/* What a vCPU finds when it is switched on: nothing that anybody else left. */
enum outcome case_psci_on_clean(void)
{
	static volatile uint64_t found[FIRST_STATE_WORDS];
	int64_t r;

	for (unsigned int round = 0; round < 5; round++) {
		for (unsigned int i = 0; i < FIRST_STATE_WORDS; i++)
			found[i] = 0x5a5a;
		r = psci_hvc(PSCI_CPU_ON, cpus[1].mpidr, (uintptr_t)first_state_entry, (uintptr_t)found);
		CHECK(is(r, PSCI_SUCCESS), "CPU_ON gives %ld", r);
		CHECK(WAIT_FOR(psci_hvc(PSCI_AFFINITY_INFO, cpus[1].mpidr, 0, 0) == AFFINITY_OFF &&
				       found[FIRST_STATE_WORDS - 1] != 0x5a5a,
			       PATIENCE_US),
		      "cpu 1 does not come and go");
		for (unsigned int i = 0; i < FIRST_STATE_WORDS; i++)
			CHECK(!found[i], "word %u of its first state is %lx", i, found[i]);
	}
	return OUTCOME_OK;
}

/* ---- other functions ---- */

/* Every power state is standby: it returns with SUCCESS as an interrupt is pending. */
enum outcome case_psci_suspend_states(void)
{
	static const uint64_t states[] = { 0, 1, 0xffff, 1 << 16, 3 << 24, 1 << 30, 1u << 31, 0xffffffff, ~0ull };

	for (unsigned int i = 0; i < ARRAY_SIZE(states); i++) {
		int64_t r;

		timer_setup(&vtimer);
		vtimer.set_cval(now() + us_to_ticks(100));
		vtimer.set_ctl(TIMER_ENABLE);
		r = psci_hvc(PSCI_CPU_SUSPEND, states[i], NOWHERE + i, 0);
		CHECK(is(r, PSCI_SUCCESS), "CPU_SUSPEND to %lx gives %ld", states[i], r);
		CHECK(WAIT_FOR(vtimer.ctl() & TIMER_ISTATUS, PATIENCE_US), "the timer isn't due");
		vtimer.set_ctl(0);
	}
	return still_sound();
}

enum outcome case_psci_reset2_types(void)
{
	static const uint64_t types[] = { 1, 2, 0x7fffffff, 0x80000000, 0xffffffff };

	for (unsigned int i = 0; i < ARRAY_SIZE(types); i++) {
		int64_t r = psci_hvc(PSCI_SYSTEM_RESET2, types[i], 0, 0);

		CHECK(is(r, PSCI_INVALID_PARAMETERS), "SYSTEM_RESET2 of type %lx gives %ld", types[i], r);
		r = psci_hvc(PSCI_SYSTEM_RESET2 | 1u << 30, types[i], 0, 0);
		CHECK(is(r, PSCI_INVALID_PARAMETERS), "SYSTEM_RESET2 (64) of type %lx gives %ld", types[i], r);
	}
	return OUTCOME_OK;
}

/* Functions that have only a 32-bit form, called in the 64-bit one: unknown, above all where success would end the VM. */
enum outcome case_smccc_64_of_32(void)
{
	static const uint32_t functions[] = { 0xc4000000, 0xc4000002, 0xc4000006, 0xc4000008,
					      0xc4000009, 0xc400000a, 0xc0000000, 0xc0000001 };

	for (unsigned int i = 0; i < ARRAY_SIZE(functions); i++) {
		int64_t r = psci_hvc(functions[i], PSCI_VERSION, 0, 0);

		CHECK(is(r, PSCI_NOT_SUPPORTED), "function %x gives %ld, want NOT_SUPPORTED", functions[i], r);
	}
	return OUTCOME_OK;
}

static bool psci_known(uint32_t number)
{
	return number <= 0xa || number == 0x12;
}

/* All other numbers of PSCI's range, in both forms and by both conduits. */
enum outcome case_psci_unknown(void)
{
	for (uint32_t n = 0; n < 0x400; n++) {
		for (uint32_t form = 0; form < 2; form++) {
			uint32_t function = 0x84000000u | form << 30 | n;
			int64_t hvc, smc;

			if (psci_known(n))
				continue;
			hvc = psci_hvc(function, 0, 0, 0);
			smc = psci_smc(function, 0, 0, 0);
			CHECK(is(hvc, PSCI_NOT_SUPPORTED) && is(smc, PSCI_NOT_SUPPORTED),
			      "function %x gives %ld by HVC, %ld by SMC", function, hvc, smc);
			hvc = psci_hvc(PSCI_FEATURES, function, 0, 0);
			CHECK(is(hvc, PSCI_NOT_SUPPORTED), "PSCI_FEATURES(%x) gives %ld", function, hvc);
		}
	}
	return OUTCOME_OK;
}

/* Every owner of DEN 0028, table 6-2, fast and yielding, 32 and 64 bits, but the architecture's, PSCI's and our own. */
enum outcome case_smccc_owners(void)
{
	static const uint16_t numbers[] = { 0, 1, 0x12, 0x100, 0x7fff, 0x8000, 0xff00, 0xff01, 0xff03, 0xffff };

	for (uint32_t top = 0; top < 4; top++) {
		for (uint32_t owner = 0; owner < 64; owner++) {
			for (unsigned int i = 0; i < ARRAY_SIZE(numbers); i++) {
				uint32_t function = top << 30 | owner << 24 | numbers[i];
				int64_t hvc, smc;

				if (top >= 2 && (owner == 0 || owner == 4) &&
				    (numbers[i] <= 0x12 || numbers[i] == 0x8000))
					continue;
				if (function == CAMBER_CALL_UID)
					continue;
				hvc = psci_hvc(function, 0, 0, 0);
				smc = psci_smc(function, 0, 0, 0);
				CHECK(is(hvc, PSCI_NOT_SUPPORTED) && is(smc, PSCI_NOT_SUPPORTED),
				      "function %x gives %ld by HVC, %ld by SMC", function, hvc, smc);
			}
		}
	}
	return OUTCOME_OK;
}

/* The function number is W0; what is above it doesn't count (DEN 0028, 3.1). */
enum outcome case_smccc_upper_half(void)
{
	int64_t want = psci_hvc(PSCI_VERSION, 0, 0, 0), r = psci_hvc(0xdeadbeef00000000ull | PSCI_VERSION, 0, 0, 0);

	CHECK(r == want, "PSCI_VERSION with garbage above gives %lx, want %lx", (uint64_t)r, (uint64_t)want);
	r = psci_hvc(0x8000000100000000ull | 0x840000ff, 0, 0, 0);
	CHECK(is(r, PSCI_NOT_SUPPORTED), "an unknown function with garbage above gives %ld", r);
	return OUTCOME_OK;
}

/* ARCH_FEATURES of anything that isn't there; workarounds called without being there. */
enum outcome case_smccc_features(void)
{
	static const uint32_t not_there[] = { 0x80000002, 0x80000003, 0x80007fff, 0x8000ffff, 0x84000000,
					      0xc5000022, 0x86000000, 0,          ~0u };

	for (unsigned int i = 0; i < ARRAY_SIZE(not_there); i++) {
		int64_t r = psci_hvc(SMCCC_ARCH_FEATURES, not_there[i], 0, 0);

		CHECK(is(r, PSCI_NOT_SUPPORTED), "ARCH_FEATURES(%x) gives %ld", not_there[i], r);
	}
	trap_expect();
	(void)psci_hvc(0x80008000, 0, 0, 0);
	(void)psci_hvc(0x80003fff, 0, 0, 0);
	return want_nothing("SMCCC_ARCH_WORKAROUND_1 and _3");
}

/* X4 to X17 come back (DEN 0028, 2.6), callee-saved registers and SP do. hostile_asm.S compares. */
enum outcome case_smccc_registers(void)
{
	static const uint64_t functions[] = { PSCI_VERSION, PSCI_FEATURES, 0x840000ff, 0, SMCCC_VERSION, ~0ull };

	for (unsigned int i = 0; i < ARRAY_SIZE(functions); i++) {
		uint64_t changed = call_registers_hvc(functions[i]);

		CHECK(!changed, "HVC of %lx changes registers: mask %lx", functions[i], changed);
		changed = call_registers_smc(functions[i]);
		CHECK(!changed, "SMC of %lx changes registers: mask %lx", functions[i], changed);
	}
	return OUTCOME_OK;
}

/* Immediates other than the two that mean something: NOT_SUPPORTED, one at a time over all 16 bits and their neighbours. */
static enum outcome immediates(uint32_t opcode, bool xen)
{
	for (uint32_t i = 1; i < 0x10000; i += i < 0x100 || (i > 0xe00 && i < 0xf00) ? 1 : 0x101) {
		uint64_t r;

		if (xen && i == 0xea1)
			continue;
		r = code_run(opcode | i << 5, PSCI_VERSION);
		CHECK((int32_t)r == PSCI_NOT_SUPPORTED, "immediate %x gives %lx, want NOT_SUPPORTED", i, r);
	}
	return OUTCOME_OK;
}

enum outcome case_hvc_immediates(void)
{
	return immediates(0xd4000002, true);
}

enum outcome case_smc_immediates(void)
{
	return immediates(0xd4000003, false);
}

/* Calls are EL1's: from EL0 they are undefined (DDI 0487, HVC, SMC). */
enum outcome case_calls_el0(void)
{
	static const uint32_t opcodes[] = { 0xd4000002, 0xd4000003, 0xd401d422 /* HVC #0xEA1 */ };
	struct el0_exit x;

	mmu_on();
	for (unsigned int i = 0; i < ARRAY_SIZE(opcodes); i++) {
		el0_run((const void *)(uintptr_t)code_write(opcodes[i]), PSCI_SYSTEM_OFF, 0, &x);
		TRY(want_exit("a call", &x, ESR_UNDEF, FAR_ANY));
	}
	return OUTCOME_OK;
}

/* ---- Xen ---- */

#define ENOSYS 38

/* Numbers that Camber's table doesn't have. */
enum outcome case_xen_numbers(void)
{
	static const uint64_t high[] = { 64,         65,   100, 255, 256, 1ull << 31, 1ull << 32, 1ull << 32 | 17,
					 1ull << 63, ~0ull };
	int64_t r;

	for (uint64_t n = 48; n < 64; n++) {
		r = xen_call(n, 0, 0);
		CHECK(r == -ENOSYS, "hypercall %lu gives %ld, want -ENOSYS", n, r);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(high); i++) {
		r = xen_call(high[i], 0, 0);
		CHECK(r == -ENOSYS, "hypercall %lx gives %ld, want -ENOSYS", high[i], r);
	}
	return OUTCOME_OK;
}

static const uint64_t bad_pointers[] = { 0,          1,     NOWHERE, GUEST_UART_BASE, 0x7fffe000, 1ull << 44,
					 1ull << 63, ~0ull, ~7ull };

/* Every number with sub-operations nobody has and pointers to where nothing is: an error each. */
enum outcome case_xen_pointers(void)
{
	for (uint64_t n = 0; n < 48; n++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(bad_pointers); i++) {
			int64_t r;

			trap_expect();
			r = xen_call(n, 0xfffff000u + i, bad_pointers[i]);
			TRY(want_nothing("a hypercall"));
			CHECK(r < 0, "hypercall %lu with pointer %lx gives %ld, want an error", n, bad_pointers[i], r);
		}
	}
	return OUTCOME_OK;
}

enum outcome case_xen_version_ops(void)
{
	for (uint64_t op = 1; op < 64; op++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(bad_pointers); i++) {
			int64_t r;

			trap_expect();
			r = xen_call(XEN_VERSION, op, bad_pointers[i]);
			TRY(want_nothing("xen_version"));
			CHECK(r <= 0, "xen_version %lu with pointer %lx gives %ld, want an error", op, bad_pointers[i],
			      r);
		}
	}
	return OUTCOME_OK;
}

enum outcome case_xen_sched_ops(void)
{
	for (uint64_t op = 64; op < 128; op++) {
		int64_t r = xen_call(XEN_SCHED_OP, op, NOWHERE);

		CHECK(r == -ENOSYS, "sched_op %lu gives %ld, want -ENOSYS", op, r);
	}
	return OUTCOME_OK;
}

/* SCHEDOP_block with an interrupt pending that PSTATE masks comes back. */
enum outcome case_xen_block(void)
{
	for (unsigned int i = 0; i < 1000; i++) {
		gic_setup_edge(5, 0x80);
		gic_sgi(cpus[0].mpidr, 5);
		CHECK(xen_call(XEN_SCHED_OP, 1, 0) == 0, "SCHEDOP_block fails");
	}
	return still_sound();
}
