/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls to firmware or hypervisor, and the life of the secondary CPUs. A secondary is on only while it works for a
 * case: cpu_start() starts it through CPU_ON, cpu_join() waits for its CPU_OFF. Mailboxes are struct cpu fields that
 * one side writes before the call that makes the other side run.
 */
#include "psci.h"

#include "gic.h"

struct cpu cpus[CPU_MAX];
uint32_t cpu_count = 1;
volatile bool cpu_stop;

#define CALL(insn)                                                                                                     \
	register uint64_t x0 __asm__("x0") = fn;                                                                       \
	register uint64_t x1 __asm__("x1") = a1;                                                                       \
	register uint64_t x2 __asm__("x2") = a2;                                                                       \
	register uint64_t x3 __asm__("x3") = a3;                                                                       \
	__asm__ volatile(insn                                                                                          \
			 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)                                                      \
			 :                                                                                             \
			 : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", \
			   "memory");                                                                                  \
	return (int64_t)x0

int64_t psci_hvc(uint64_t fn, uint64_t a1, uint64_t a2, uint64_t a3)
{
	CALL("hvc #0");
}

int64_t psci_smc(uint64_t fn, uint64_t a1, uint64_t a2, uint64_t a3)
{
	CALL("smc #0");
}

int64_t xen_call(uint64_t number, uint64_t a0, uint64_t a1)
{
	register uint64_t x0 __asm__("x0") = a0;
	register uint64_t x1 __asm__("x1") = a1;
	register uint64_t x16 __asm__("x16") = number;

	__asm__ volatile("hvc #0xea1" : "+r"(x0), "+r"(x1), "+r"(x16)::"x2", "x3", "x4", "x5", "x17", "memory");
	return (int64_t)x0;
}

bool under_hypervisor(void)
{
	static int known = -1;
	int64_t version;

	if (known < 0) {
		trap_expect();
		version = xen_call(XEN_VERSION, 0, 0);
		known = option_number("hv", trap_done() == 0 && version > 0) != 0;
	}
	return known;
}

void vm_yield(void)
{
	(void)xen_call(XEN_SCHED_OP, XEN_SCHEDOP_YIELD, 0);
}

void cpu_init(uint32_t index)
{
	struct cpu *c = &cpus[index];

	c->index = index;
	c->on_irq = NULL;
	c->irq_count = 0;
	c->spurious_count = 0;
	c->trap_armed = false;
	sysreg_write(tpidr_el1, (uintptr_t)c);
	/* Timers are off until a case programs them; what reset leaves in ENABLE is unknown (DDI 0487, D24.10). */
	sysreg_write(cntv_ctl_el0, 0);
	sysreg_write(cntp_ctl_el0, 0);
	gic_cpu_init();
}

void cpu_secondary_main(uint64_t index, uint64_t daif, uint64_t sctlr)
{
	struct cpu *c = &cpus[index % CPU_MAX];

	c->start_context = index;
	c->start_daif = daif;
	c->start_sctlr = sctlr;
	cpu_init(c->index);
	c->work(c);
	c->done = true;
	irq_disable();
	gic_cpu_init();
	(void)psci_hvc(PSCI_CPU_OFF, 0, 0, 0);
}

enum outcome cpu_start(uint32_t index, void (*work)(struct cpu *c))
{
	struct cpu *c = &cpus[index];
	int64_t err;

	c->index = index;
	c->work = work;
	c->stage = 0;
	c->irq_count = 0;
	c->crashed = false;
	c->done = false;
	c->started = true;
	dsb();
	err = psci_hvc(PSCI_CPU_ON, c->mpidr, (uintptr_t)secondary_start, index);
	CHECK(err == PSCI_SUCCESS, "CPU_ON of cpu %u gives %ld", index, err);
	return OUTCOME_OK;
}

static bool cpu_is_off(uint32_t index)
{
	return psci_hvc(PSCI_AFFINITY_INFO, cpus[index].mpidr, 0, 0) == AFFINITY_OFF;
}

enum outcome cpu_join(uint32_t index)
{
	struct cpu *c = &cpus[index];
	/* CPU_ON may return before the CPU counts as on, so off alone does not mean that it has worked. */
	bool off = WAIT_FOR((c->done || c->crashed) && cpu_is_off(index), PATIENCE_US);

	CHECK(!c->crashed, "cpu %u took an exception: ESR %lx FAR %lx ELR %lx", index, c->trap_esr, c->trap_far,
	      c->trap_elr);
	c->started = !off;
	CHECK(off, "cpu %u does not switch off (stage %u, %u irqs)", index, c->stage, c->irq_count);
	return OUTCOME_OK;
}

bool cpu_stop_all(void)
{
	bool all_off = true;

	cpu_stop = true;
	for (uint32_t i = 1; i < cpu_count; i++) {
		struct cpu *c = &cpus[i];

		if (!c->started)
			continue;
		/* A sleeping loop wakes up and looks at cpu_stop. */
		if (!c->done)
			gic_sgi(c->mpidr, 15);
		all_off &= WAIT_FOR((c->done || c->crashed) && cpu_is_off(i), PATIENCE_US);
		c->started = false;
	}
	cpu_stop = false;
	return all_off;
}
