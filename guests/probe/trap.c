/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exceptions. An expected one (trap_expect) is recorded and its instruction skipped; any other one on the boot CPU ends
 * the running case as failed, and on a secondary CPU stops that CPU, which the boot CPU notices in cpu_join().
 */
#include "probe.h"

#include "psci.h"

struct trap_mark trap_case_mark;
volatile bool trap_case_mark_valid;

void trap_expect(void)
{
	struct cpu *c = cpu_self();

	c->trap_count = 0;
	c->trap_esr = 0;
	c->trap_armed = true;
	isb();
}

uint32_t trap_done(void)
{
	struct cpu *c = cpu_self();

	isb();
	c->trap_armed = false;
	return c->trap_count;
}

/* kind = number of the vector: bits 1:0 0 sync, 1 IRQ, 2 FIQ, 3 SError. */
void trap_handle(struct frame *f, unsigned int kind)
{
	struct cpu *c = cpu_self();

	c->trap_esr = sysreg_read(esr_el1);
	c->trap_far = sysreg_read(far_el1);
	c->trap_elr = f->elr;
	if (c->trap_armed && (kind & 3) == 0) {
		c->trap_count++;
		/* A fetch abort: return from the call that went astray (access_execute). */
		f->elr = ESR_EC(c->trap_esr) == EC_FETCH_ABORT ? f->x[30] : f->elr + 4;
		return;
	}
	if (c->index) {
		c->crashed = true;
		dsb();
		(void)psci_hvc(PSCI_CPU_OFF, 0, 0, 0);
		for (;;)
			wfi();
	}
	(void)fail("exception: vector %u ESR %lx ELR %lx FAR %lx", kind, c->trap_esr, c->trap_elr, c->trap_far);
	if (trap_case_mark_valid) {
		trap_case_mark_valid = false;
		trap_return(&trap_case_mark);
	}
	print("probe: exception outside a case: vector %u ESR %lx ELR %lx FAR %lx\n", kind, c->trap_esr, c->trap_elr,
	      c->trap_far);
	(void)psci_hvc(PSCI_SYSTEM_OFF, 0, 0, 0);
	for (;;)
		wfi();
}
