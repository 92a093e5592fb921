/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start of the boot CPU: read the device tree, choose by the boot arguments, run, end as asked.
 */
#include "gic.h"
#include "life.h"
#include "load.h"
#include "psci.h"
#include "timer.h"

void probe_main(uint64_t x0);

struct fdt_info machine;
uint64_t patience_us = 5 * SECOND_US;

static bool find_tree(uint64_t x0, struct fdt_info *fi)
{
	const char *why, *why_ram;

	/* x0 is only believed if it points into RAM as we know it: reading elsewhere could fault. */
	if (x0 > GUEST_RAM_BASE && x0 < GUEST_RAM_BASE + (1ull << 40) && !(x0 & 7)) {
		trap_expect();
		(void)read32(x0);
		if (!trap_done() && fdt_read(x0, fi, &why))
			return true;
	}
	if (fdt_read(GUEST_RAM_BASE, fi, &why_ram))
		return true;
	print("probe: no device tree at the start of RAM (%s): one CPU, no options\n", why_ram);
	return false;
}

static void finish(void)
{
	const char *then = option_text("then");

	if (then && !strcmp(then, "reset")) {
		(void)psci_hvc(PSCI_SYSTEM_RESET, 0, 0, 0);
	} else if (!then || !strcmp(then, "off")) {
		(void)psci_hvc(PSCI_SYSTEM_OFF, 0, 0, 0);
	} else {
		if (strcmp(then, "stay"))
			print("probe: option then=%s is none of off, reset, stay: staying\n", then);
		for (;;)
			wfi();
	}
	print("probe: the machine did not end\n");
	for (;;)
		wfi();
}

void probe_main(uint64_t x0)
{
	unsigned int ok = 0, failed = 0, skipped = 0;
	const char *run, *bench, *role, *crash;
	bool tree;

	print_init();
	if (sysreg_read(currentel) != 1 << 2) {
		print("probe: started at EL%lu, wants EL1\n", sysreg_read(currentel) >> 2);
		for (;;)
			wfi();
	}
	sysreg_write(tpidr_el1, (uintptr_t)&cpus[0]);
	tick_hz = sysreg_read(cntfrq_el0);
	tree = find_tree(x0, &machine);
	options_init(tree ? machine.bootargs : "");
	patience_us = option_number("patience_ms", patience_us / 1000) * 1000;
	cpus[0].mpidr = sysreg_read(mpidr_el1) & 0xff00ffffffull;
	cpu_count = tree && machine.cpu_count ? machine.cpu_count : 1;
	for (uint32_t i = 1, n = 0; i < cpu_count; i++, n++) {
		n += machine.mpidr[n] == cpus[0].mpidr;
		cpus[i].index = i;
		cpus[i].mpidr = machine.mpidr[n];
	}
	gic_init();
	cpu_init(0);
	print("probe: up\n");

	/* Let the neighbours of a test come up first. */
	if (option_number("wait_ms", 0))
		timer_nap_us(1000 * option_number("wait_ms", 0));
	run = option_text("run");
	bench = option_text("bench");
	role = option_text("role");
	crash = option_text("crash");
	if (role && !peer_run(role) && !life_role(role) && !load_role(role)) {
		print("probe: FAIL no role named %s\n", role);
		failed++;
	}
	if (bench)
		bench_run(bench, &failed);
	if (run || (!bench && !role && !crash))
		cases_run(run ? run : "all", &ok, &failed, &skipped);
	print("probe: done %u ok, %u failed, %u skipped\n", ok, failed, skipped);
	if (crash && !life_crash(crash))
		print("probe: FAIL no crash named %s\n", crash);
	finish();
}
