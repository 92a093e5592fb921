/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads: the roles burn, rtburn, dodge, storm and ipi-storm, for tests and measurements of who gets how much of a CPU. All
 * CPUs of the VM do the same, for ever, and say nothing but one line when report_ms= have passed. Work is counted in instructions
 * (load_asm.S), so being pre-empted makes it no less.
 */
#include "load.h"

#include "abi/camber_call.h"
#include "gic.h"
#include "psci.h"
#include "timer.h"

#define BALL 1u /* the SGI of ipi-storm */

static struct {
	const char *role;
	void (*run)(struct cpu *c);
	uint64_t began, report_at;
	uint64_t work_us, rest_ticks; /* burn */
	uint64_t grid, ahead, behind; /* dodge, in ticks */
	uint64_t nap;                 /* storm, in ticks */
} load;

static volatile uint64_t did[CPU_MAX]; /* written by its CPU alone */

/* By the boot CPU, which alone prints, once. */
static void report(const struct cpu *c)
{
	uint64_t in = now() - load.began, sum = 0;

	if (c->index || now() < load.report_at)
		return;
	load.report_at = ~0ull;
	for (uint32_t i = 0; i < cpu_count; i++)
		sum += did[i];
	print("probe: %s did=%lu in=%lu", load.role, sum, ticks_to_ns(in) / 1000);
	for (uint32_t i = 0; i < cpu_count && cpu_count > 1; i++)
		print("%s%lu", i ? "," : " each=", did[i]);
	print("\n");
}

/* Works for so long, but not beyond `until`. */
static void burn(const struct cpu *c, uint64_t us, uint64_t until)
{
	while (us) {
		uint64_t stop = !c->index && load.report_at < until ? load.report_at : until;

		us -= load_burn(us, stop, &did[c->index]);
		report(c);
		if (now() >= until)
			return;
	}
}

/* An interrupt that was pending when the compare value moved on comes all the same. */
static void on_irq(struct cpu *c, uint32_t intid)
{
	if (intid == vtimer.intid && now() >= vtimer.cval())
		vtimer.set_ctl(0);
	c->irq_count++;
	gic_eoi(intid);
}

static void wait_once(void)
{
	wfi();
	irq_enable();
	isb();
	irq_disable();
}

static void nap_until(uint64_t deadline)
{
	vtimer.set_cval(deadline);
	vtimer.set_ctl(TIMER_ENABLE);
	do {
		wait_once();
	} while (now() < deadline);
}

static void run_burn(struct cpu *c)
{
	for (;;) {
		burn(c, load.work_us, ~0ull);
		if (load.rest_ticks)
			nap_until(now() + load.rest_ticks);
	}
}

/* Asleep whenever a scheduler that samples looks, awake else. */
static void run_dodge(struct cpu *c)
{
	for (;;) {
		uint64_t look = (now() + load.ahead) / load.grid * load.grid + load.grid;

		burn(c, ~0ull, look - load.ahead);
		nap_until(look + load.behind);
		report(c);
	}
}

static void run_storm(struct cpu *c)
{
	for (;;) {
		vtimer.set_cval(now() + load.nap);
		vtimer.set_ctl(TIMER_ENABLE);
		wait_once();
		did[c->index]++;
		report(c);
	}
}

/* Each returns what its neighbour sent. Without a neighbour: the other storm. */
static void run_ipi_storm(struct cpu *c)
{
	uint32_t neighbour = c->index ^ 1, seen = 0;

	if (neighbour >= cpu_count)
		run_storm(c);
	if (!c->index)
		gic_sgi(cpus[neighbour].mpidr, BALL);
	for (;;) {
		while (c->irq_count == seen)
			wait_once();
		seen = c->irq_count;
		gic_sgi(cpus[neighbour].mpidr, BALL);
		did[c->index]++;
		report(c);
	}
}

static const struct {
	const char *name;
	void (*run)(struct cpu *c);
} roles[] = {
	{ "burn", run_burn },   { "rtburn", run_burn },         { "dodge", run_dodge },
	{ "storm", run_storm }, { "ipi-storm", run_ipi_storm },
};

static void run_one(struct cpu *c)
{
	c->on_irq = on_irq;
	timer_setup(&vtimer);
	gic_enable(BALL);
	c->stage = 1;
	if (option_number("phase_us", 0))
		nap_until(load.began + us_to_ticks(option_number("phase_us", 0)));
	load.run(c);
}

static bool options_usable(void)
{
	uint64_t duty = option_number("duty", 100), cycle_us = option_number("cycle_us", 10000);
	uint64_t report_ms = option_number("report_ms", 0), grid_us = option_number("grid_us", 10000);
	uint64_t ahead_us = option_number("ahead_us", 50), behind_us = option_number("behind_us", 20);

	if (!duty || duty > 100 || !cycle_us || cycle_us > SECOND_US || cycle_us * duty < 100) {
		print("probe: FAIL duty=%lu is not 1 to 100 percent, or cycle_us=%lu not up to a second\n", duty,
		      cycle_us);
		return false;
	}
	if (grid_us > SECOND_US || ahead_us + behind_us >= grid_us) {
		print("probe: FAIL ahead_us=%lu and behind_us=%lu leave nothing of grid_us=%lu\n", ahead_us, behind_us,
		      grid_us);
		return false;
	}
	load.work_us = duty == 100 || !strcmp(load.role, "rtburn") ? ~0ull : cycle_us * duty / 100;
	load.rest_ticks = load.work_us == ~0ull ? 0 : us_to_ticks(cycle_us - load.work_us);
	load.grid = us_to_ticks(grid_us);
	load.ahead = us_to_ticks(ahead_us);
	load.behind = us_to_ticks(behind_us);
	load.nap = us_to_ticks(option_number("nap_us", 1));
	load.report_at = report_ms ? load.began + us_to_ticks(report_ms * 1000) : ~0ull;
	return true;
}

static bool announce(void)
{
	int64_t result = psci_hvc(CAMBER_CALL_RT_MODE, CAMBER_RT_ANNOUNCED, 0, 0);

	if (result != CAMBER_OK)
		print("probe: FAIL announced mode refused: %ld\n", result);
	return result == CAMBER_OK;
}

bool load_role(const char *role)
{
	for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
		if (strcmp(role, roles[i].name))
			continue;
		load.role = roles[i].name;
		load.run = roles[i].run;
		load.began = now();
		if (!options_usable() || (option_number("announce", 0) && !announce()))
			return true;
		for (uint32_t other = 1; other < cpu_count; other++) {
			if (cpu_start(other, run_one) != OUTCOME_OK || !WAIT_FOR(cpus[other].stage == 1, PATIENCE_US)) {
				print("probe: FAIL cpu %u does not start\n", other);
				return true;
			}
		}
		run_one(cpu_self());
	}
	return false;
}
