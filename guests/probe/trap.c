/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exceptions. An expected one (trap_expect) is recorded and its instruction skipped; any other one on the boot CPU ends
 * the running case as failed, and on a secondary CPU stops that CPU, which the boot CPU notices in cpu_join(). All of them
 * end a stay at EL0.
 */
#include "probe.h"

#include "psci.h"

#define SPSR_IL (1ull << 20)

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

static void skip_instruction(struct frame *f, uint32_t ec)
{
	/* The PC itself is what was wrong: return from the call that went astray (access_execute). */
	if (ec == EC_FETCH_ABORT || ec == EC_PC_ALIGNMENT || ec == EC_ILLEGAL_STATE)
		f->elr = f->x[30];
	else
		f->elr += 4;
	f->spsr &= ~SPSR_IL;
}

/* kind = number of the vector: bits 1:0 0 sync, 1 IRQ, 2 FIQ, 3 SError. */
void trap_handle(struct frame *f, unsigned int kind)
{
	struct cpu *c = cpu_self();

	c->trap_esr = sysreg_read(esr_el1);
	c->trap_far = sysreg_read(far_el1);
	c->trap_elr = f->elr;
	if (c->el0 && kind >= 8) {
		c->el0_x0 = f->x[0];
		trap_return(&c->el0_mark);
	}
	if (c->trap_armed && (kind & 3) == 0) {
		c->trap_count++;
		skip_instruction(f, ESR_EC(c->trap_esr));
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
