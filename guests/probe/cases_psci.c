/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PSCI 1.1 (DEN 0022) and SMCCC (DEN 0028) by HVC, and the same by SMC where a hypervisor answers it.
 */
#include "cases.h"

#include "gic.h"
#include "psci.h"
#include "timer.h"

enum outcome case_psci_version(void)
{
	int64_t version = psci_hvc(PSCI_VERSION, 0, 0, 0);

	CHECK(version >= 0x00010000 && version < 0x00100000, "PSCI_VERSION is %lx", (uint64_t)version);
	return OUTCOME_OK;
}

enum outcome case_psci_features(void)
{
	static const uint32_t have[] = { PSCI_VERSION,    PSCI_CPU_OFF,      PSCI_CPU_ON,   PSCI_AFFINITY_INFO,
					 PSCI_SYSTEM_OFF, PSCI_SYSTEM_RESET, PSCI_FEATURES, PSCI_CPU_SUSPEND };
	static const uint32_t have_not[] = { 0x840000ff, 0xc40000ff, 0x82000000, 0 };

	for (unsigned int i = 0; i < ARRAY_SIZE(have); i++)
		CHECK((int32_t)psci_hvc(PSCI_FEATURES, have[i], 0, 0) >= 0, "PSCI_FEATURES(%x) gives %ld", have[i],
		      psci_hvc(PSCI_FEATURES, have[i], 0, 0));
	for (unsigned int i = 0; i < ARRAY_SIZE(have_not); i++)
		CHECK((int32_t)psci_hvc(PSCI_FEATURES, have_not[i], 0, 0) == PSCI_NOT_SUPPORTED,
		      "PSCI_FEATURES(%x) gives %ld, want NOT_SUPPORTED", have_not[i],
		      psci_hvc(PSCI_FEATURES, have_not[i], 0, 0));
	return OUTCOME_OK;
}

/* The functions that a guest looks for before it trusts SMCCC. */
enum outcome case_smccc(void)
{
	int64_t version;

	CHECK((int32_t)psci_hvc(PSCI_FEATURES, SMCCC_VERSION, 0, 0) >= 0, "PSCI_FEATURES does not know SMCCC_VERSION");
	version = psci_hvc(SMCCC_VERSION, 0, 0, 0);
	CHECK(version >= 0x00010001 && version < 0x00020000, "SMCCC_VERSION is %lx, want 1.1 or later",
	      (uint64_t)version);
	CHECK((int32_t)psci_hvc(SMCCC_ARCH_FEATURES, SMCCC_VERSION, 0, 0) >= 0,
	      "ARCH_FEATURES(SMCCC_VERSION) gives %ld", psci_hvc(SMCCC_ARCH_FEATURES, SMCCC_VERSION, 0, 0));
	CHECK((int32_t)psci_hvc(SMCCC_ARCH_FEATURES, 0x8000ffff, 0, 0) == PSCI_NOT_SUPPORTED,
	      "ARCH_FEATURES(unknown) gives %ld", psci_hvc(SMCCC_ARCH_FEATURES, 0x8000ffff, 0, 0));
	return OUTCOME_OK;
}

enum outcome case_psci_smc(void)
{
	int64_t version;

	trap_expect();
	version = psci_smc(PSCI_VERSION, 0, 0, 0);
	if (trap_done()) {
		CHECK(ESR_EC(cpu_self()->trap_esr) == EC_UNKNOWN, "SMC: ESR %lx", cpu_self()->trap_esr);
		return skip("SMC is UNDEF here");
	}
	CHECK(version == psci_hvc(PSCI_VERSION, 0, 0, 0), "PSCI_VERSION by SMC is %lx", (uint64_t)version);
	CHECK(psci_smc(PSCI_AFFINITY_INFO, cpus[0].mpidr, 0, 0) == AFFINITY_ON, "AFFINITY_INFO by SMC gives %ld",
	      psci_smc(PSCI_AFFINITY_INFO, cpus[0].mpidr, 0, 0));
	CHECK((int32_t)psci_smc(0x840000ff, 0, 0, 0) == PSCI_NOT_SUPPORTED, "unknown function by SMC gives %ld",
	      psci_smc(0x840000ff, 0, 0, 0));
	return OUTCOME_OK;
}

enum outcome case_psci_info(void)
{
	int64_t r = psci_hvc(PSCI_MIGRATE_INFO_TYPE, 0, 0, 0);

	CHECK((int32_t)r == 2 || (int32_t)r == PSCI_NOT_SUPPORTED, "MIGRATE_INFO_TYPE gives %ld", r);
	r = psci_hvc(PSCI_AFFINITY_INFO, cpus[0].mpidr, 0, 0);
	CHECK(r == AFFINITY_ON, "AFFINITY_INFO of this CPU gives %ld", r);
	r = psci_hvc(PSCI_AFFINITY_INFO, 0x00aabbcc, 0, 0);
	CHECK((int32_t)r == PSCI_INVALID_PARAMETERS, "AFFINITY_INFO of no CPU gives %ld", r);
	for (uint32_t i = 1; i < cpu_count; i++) {
		r = psci_hvc(PSCI_AFFINITY_INFO, cpus[i].mpidr, 0, 0);
		CHECK(r == AFFINITY_OFF, "AFFINITY_INFO of cpu %u, off, gives %ld", i, r);
	}
	return OUTCOME_OK;
}

enum outcome case_cpu_on_errors(void)
{
	int64_t r = psci_hvc(PSCI_CPU_ON, cpus[0].mpidr, (uintptr_t)secondary_start, 0);

	CHECK((int32_t)r == PSCI_ALREADY_ON, "CPU_ON of this CPU gives %ld, want ALREADY_ON", r);
	r = psci_hvc(PSCI_CPU_ON, 0x00aabbcc, (uintptr_t)secondary_start, 0);
	CHECK((int32_t)r == PSCI_INVALID_PARAMETERS, "CPU_ON of no CPU gives %ld, want INVALID_PARAMETERS", r);
	return OUTCOME_OK;
}

static void note_start(struct cpu *c)
{
	c->result[0] = sysreg_read(mpidr_el1) & 0xff00ffffff;
	c->result[1] = sysreg_read(currentel) >> 2;
	c->stage = 1;
}

/* The state that PSCI promises at the entry point (DEN 0022, 6.4). */
enum outcome case_cpu_on_state(void)
{
	for (uint32_t i = 1; i < cpu_count; i++) {
		struct cpu *c = &cpus[i];

		c->start_context = 0;
		TRY(cpu_start(i, note_start));
		TRY(cpu_join(i));
		CHECK(c->stage == 1, "cpu %u went off before it worked", i);
		CHECK(c->result[0] == c->mpidr, "cpu %u started as %lx, want %lx", i, c->result[0], c->mpidr);
		CHECK(c->result[1] == 1, "cpu %u started at EL%lu", i, c->result[1]);
		CHECK(c->start_context == i, "cpu %u: context %lx, want %x", i, c->start_context, i);
		CHECK(!(c->start_sctlr & 0x1005), "cpu %u: SCTLR_EL1 %lx: MMU or caches on", i, c->start_sctlr);
		CHECK(c->start_daif == 0x3c0, "cpu %u: DAIF %lx, want all masked", i, c->start_daif);
	}
	return OUTCOME_OK;
}

static void stay(struct cpu *c)
{
	gic_enable(15);
	dsb();
	c->stage = 1;
	while (!cpu_stop && c->stage == 1)
		cpu_yield();
}

enum outcome case_cpu_on_again(void)
{
	struct cpu *c = &cpus[1];
	int64_t r;

	for (uint32_t i = 0; i < 20; i++) {
		TRY(cpu_start(1, note_start));
		TRY(cpu_join(1));
		CHECK(c->stage == 1, "round %u: cpu 1 went off before it worked", i);
	}
	TRY(cpu_start(1, stay));
	CHECK(WAIT_FOR(c->stage == 1, PATIENCE_US), "cpu 1 does not start");
	r = psci_hvc(PSCI_AFFINITY_INFO, c->mpidr, 0, 0);
	CHECK(r == AFFINITY_ON, "AFFINITY_INFO of cpu 1, on, gives %ld", r);
	r = psci_hvc(PSCI_CPU_ON, c->mpidr, (uintptr_t)secondary_start, 1);
	CHECK((int32_t)r == PSCI_ALREADY_ON, "CPU_ON of cpu 1, on, gives %ld", r);
	c->stage = 2;
	return cpu_join(1);
}

static void off_with_timer(struct cpu *c)
{
	timer_setup(&vtimer);
	timer_setup(&ptimer);
	vtimer.set_cval(vtimer.count() + us_to_ticks(500));
	vtimer.set_ctl(TIMER_ENABLE);
	ptimer.set_cval(ptimer.count() + us_to_ticks(500));
	ptimer.set_ctl(TIMER_ENABLE);
	c->stage = 1;
	c->done = true;
	(void)psci_hvc(PSCI_CPU_OFF, 0, 0, 0);
}

/* A CPU that goes off with its timers armed stays off when they expire, and comes back sound. */
enum outcome case_cpu_off_timer(void)
{
	for (uint32_t i = 0; i < 3; i++) {
		TRY(cpu_start(1, off_with_timer));
		TRY(cpu_join(1));
		CHECK(cpus[1].stage == 1, "cpu 1 went off before it armed its timers");
		delay_us(2000);
		CHECK(psci_hvc(PSCI_AFFINITY_INFO, cpus[1].mpidr, 0, 0) == AFFINITY_OFF,
		      "cpu 1 was woken by its timer");
		CHECK(cpu_self()->irq_count == 0, "its interrupt %u came to this CPU", cpu_self()->irq_log[0]);
		TRY(cpu_start(1, note_start));
		TRY(cpu_join(1));
		CHECK(cpus[1].irq_count == 0, "cpu 1 found an old interrupt");
	}
	return OUTCOME_OK;
}

/* Every CPU at once on, and off again. */
enum outcome case_cpu_on_all(void)
{
	for (uint32_t round = 0; round < 5; round++) {
		for (uint32_t i = 1; i < cpu_count; i++)
			TRY(cpu_start(i, stay));
		for (uint32_t i = 1; i < cpu_count; i++)
			CHECK(WAIT_FOR(cpus[i].stage == 1, PATIENCE_US), "round %u: cpu %u does not start", round, i);
		for (uint32_t i = 1; i < cpu_count; i++)
			cpus[i].stage = 2;
		for (uint32_t i = 1; i < cpu_count; i++)
			TRY(cpu_join(i));
	}
	return OUTCOME_OK;
}

static void on_timer(struct cpu *c, uint32_t intid)
{
	vtimer.set_ctl(0);
	gic_irq_default(c, intid);
}

/* Standby (StateType 0) is WFI with a result: SUCCESS once an interrupt is pending. */
enum outcome case_cpu_suspend(void)
{
	struct cpu *c = cpu_self();
	uint64_t deadline;
	int64_t r;

	c->on_irq = on_timer;
	timer_setup(&vtimer);
	deadline = now() + us_to_ticks(1000);
	vtimer.set_cval(deadline);
	vtimer.set_ctl(TIMER_ENABLE);
	r = psci_hvc(PSCI_CPU_SUSPEND, 0, 0, 0);
	CHECK((int32_t)r == PSCI_SUCCESS, "standby gives %ld", r);
	CHECK(WAIT_FOR(vtimer.ctl() & TIMER_ISTATUS, PATIENCE_US), "timer not due after standby");
	gic_take_pending();
	CHECK(c->irq_count == 1, "%u interrupts after standby, want 1", c->irq_count);
	return OUTCOME_OK;
}

/*
 * An entry outside the guest's memory: INVALID_ADDRESS, or the CPU starts and faults for itself. Named last in the
 * registry, since in the second case CPU 1 is lost.
 */
enum outcome case_cpu_on_address(void)
{
	int64_t r = psci_hvc(PSCI_CPU_ON, cpus[1].mpidr, 0x0b000000, 0);

	CHECK((int32_t)r == PSCI_INVALID_ADDRESS || (int32_t)r == PSCI_SUCCESS, "CPU_ON at 0b000000 gives %ld", r);
	if ((int32_t)r == PSCI_SUCCESS)
		info("cpu 1 was started where nothing is");
	return OUTCOME_OK;
}
