/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traps from guests: handlers of the simpler exception classes (the table of all is in vectors.S), and the end of each stay in EL2.
 *
 * Entered from vectors.S on the CPU's own stack with interrupts masked. No lock is held here; handlers take their own. A
 * class that nobody handles becomes an undefined instruction in the guest, never a hang.
 */
#include "arm64.h"
#include "camber/log.h"
#include "sysregs.h"

static void (*hypercall)(struct vcpu *v, uint64_t number, uint64_t *args);

void arch_set_guest_ops(const struct guest_ops *ops)
{
	hypercall = ops->hypercall;
}

/* The immediate separates Xen's hypercalls from SMCCC; ELR is behind the instruction already. */
void trap_hvc(struct arm64_vcpu *a, uint64_t esr)
{
	if (likely((esr & 0xffff) == 0xea1))
		hypercall(&a->v, a->x[16], a->x);
	else if ((esr & 0xffff) == 0)
		smccc_call(a);
	else
		a->x[0] = (uint64_t)-1; /* SMCCC NOT_SUPPORTED */
}

enum trap_result trap_smc(struct arm64_vcpu *a, uint64_t esr)
{
	if ((esr & 0xffff) == 0)
		smccc_call(a);
	else
		a->x[0] = (uint64_t)-1;
	return TRAP_SKIP; /* trapped by HCR_EL2.TSC: ELR is at the instruction */
}

enum trap_result trap_wfx(struct arm64_vcpu *a, uint64_t esr)
{
	if (esr & 1)
		vcpu_yield(); /* WFE */
	else
		vcpu_wait(&a->v);
	return TRAP_SKIP; /* whoever runs next is chosen later, on the way out */
}

enum trap_result trap_unknown(struct arm64_vcpu *a, uint64_t esr)
{
	log_guest(a->v.vm,
		  "vm %s: vCPU %u: exception class 0x%x not handled (ESR 0x%llx PC 0x%llx): undefined instruction",
		  a->v.vm->label, a->v.index, (unsigned int)(esr >> ESR_EC_SHIFT), (unsigned long long)esr,
		  (unsigned long long)read_sysreg(elr_el2));
	return TRAP_UNHANDLED;
}

/* Features that ID registers hide: their instructions are undefined, without a word. */
enum trap_result trap_hidden(struct arm64_vcpu *a __unused, uint64_t esr __unused)
{
	return TRAP_UNHANDLED;
}

/* A T32 instruction of an IT block has been done: the next one's condition (Arm ARM F1, ITAdvance()). */
static __cold uint64_t it_advance(uint64_t spsr)
{
	uint64_t it = ((spsr >> 8) & 0xfc) | ((spsr >> 25) & 3);

	it = it & 7 ? (it & 0xe0) | ((it << 1) & 0x1f) : 0;
	return (spsr & ~UINT64_C(0x0600fc00)) | (it & 0xfc) << 8 | (it & 3) << 25;
}

/* What a handler of a class without fast path, or of an AArch32 instruction, answered. */
void trap_finish(enum trap_result result)
{
	uint64_t spsr = read_sysreg(spsr_el2);

	if (result == TRAP_SKIP) {
		write_sysreg(elr_el2, read_sysreg(elr_el2) + (read_sysreg(esr_el2) & ESR_IL ? 4 : 2));
		if (unlikely(spsr & SPSR_AARCH32))
			write_sysreg(spsr_el2, it_advance(spsr));
	} else if (result == TRAP_UNHANDLED) {
		inject_undef();
	}
}

/*
 * An SError taken while a guest ran: without RAS its origin is unknown. It belongs to the guest unless the hypervisor wrote
 * to a device just before, so it goes to the guest as a virtual SError.
 */
void trap_serror(struct arm64_vcpu *a)
{
	log_guest(a->v.vm, "vm %s: vCPU %u: SError (ESR 0x%llx) passed on", a->v.vm->label, a->v.index,
		  (unsigned long long)read_sysreg(esr_el2));
	a->hcr |= HCR_VSE;
	a->special |= VCPU_SERROR;
	write_sysreg(hcr_el2, a->hcr);
}

/* A stay that is longer than all before, or any while they are traced. */
void trap_stay_end(uint64_t stay)
{
	struct pcpu *p = arch_pcpu();
	uint64_t pc = read_sysreg(elr_el2);

	if (stay > p->stay_worst) {
		p->stay_worst = stay;
		p->stay_worst_pc = pc;
		p->stay_worst_cause = read_sysreg(esr_el2);
	}
	if (trace_on_cpu(p, EXIT)) {
		trace_put_fast(&p->trace, EXIT, p->current->unit.id, (uint32_t)read_sysreg(esr_el2), trace_span(stay),
			       trace_lo(pc), trace_hi(pc));
		return;
	}
	p->stay_limit = (int64_t)p->stay_worst;
	arch_mb(); /* pairs with whoever switches the class on */
	if (trace_on(EXIT))
		p->stay_limit = -1;
}
