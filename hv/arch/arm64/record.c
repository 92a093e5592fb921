/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last state of a vCPU, for people: registers and the return addresses on its stack.
 *
 * The vCPU is loaded on this CPU and complete in memory (vcpu_leave_slow() was entered). Guest memory is read only by way of
 * its own stage 1 (AT), its map and guestmem: whatever the frame pointers say, nothing else is touched. No lock held.
 */
#include "arm64.h"
#include "camber/guestmem.h"
#include "camber/log.h"
#include "sysregs.h"

#define TRACE_DEPTH 12u
#define SPSR_EL_MASK UINT64_C(0xc)

#define PAR_F BIT64(0)
#define PAR_PA UINT64_C(0x0000fffffffff000)

/* A frame record (AAPCS64 6.4.6): the caller's frame pointer and the return address. */
static bool read_frame(const struct arm64_vcpu *a, uint64_t at, bool user, uint64_t frame[2])
{
	uint64_t par;

	if (at % 8 || at % PAGE_SIZE > PAGE_SIZE - 2 * sizeof(frame[0]))
		return false;
	if (user)
		__asm__ volatile("at s1e0r, %0" ::"r"(at) : "memory");
	else
		__asm__ volatile("at s1e1r, %0" ::"r"(at) : "memory");
	isb();
	par = read_sysreg(par_el1);
	return !(par & PAR_F) &&
	       !guestmem_read(&a->v.vm->map, frame, gpa((par & PAR_PA) | at % PAGE_SIZE), 2 * sizeof(frame[0]));
}

static void log_trace(const struct arm64_vcpu *a, uint64_t pstate)
{
	uint64_t frame[2], at = a->x[29];
	char text[TRACE_DEPTH * 19 + 1];
	unsigned int i;
	int n = 0;

	text[0] = '\0';
	for (i = 0; i < TRACE_DEPTH && at; i++) {
		if (!read_frame(a, at, !(pstate & SPSR_EL_MASK), frame))
			break;
		n += snprintf(&text[n], sizeof(text) - (size_t)n, " 0x%llx", (unsigned long long)frame[1]);
		if (frame[0] <= at) /* the stack's end, or no stack */
			break;
		at = frame[0];
	}
	log_line("vm %s: vCPU %u: back-trace%s", a->v.vm->label, a->v.index, n ? text : " empty");
}

__cold void arch_vcpu_log(const struct vcpu *v)
{
	const struct arm64_vcpu *a = (const struct arm64_vcpu *)v;
	uint64_t pstate = read_sysreg(spsr_el2);
	unsigned int i;

	log_line("vm %s: vCPU %u: PC 0x%llx PSTATE 0x%llx LR 0x%llx SP 0x%llx SP_EL0 0x%llx", v->vm->label, v->index,
		 (unsigned long long)read_sysreg(elr_el2), (unsigned long long)pstate, (unsigned long long)a->x[30],
		 (unsigned long long)read_sysreg(sp_el1), (unsigned long long)read_sysreg(sp_el0));
	log_line("vm %s: vCPU %u: ESR_EL1 0x%llx FAR_EL1 0x%llx ELR_EL1 0x%llx VBAR_EL1 0x%llx SCTLR_EL1 0x%llx",
		 v->vm->label, v->index, (unsigned long long)read_sysreg(esr_el1),
		 (unsigned long long)read_sysreg(far_el1), (unsigned long long)read_sysreg(elr_el1),
		 (unsigned long long)read_sysreg(vbar_el1), (unsigned long long)read_sysreg(sctlr_el1));
	for (i = 0; i < 28; i += 4)
		log_line("vm %s: x%-2u %016llx %016llx %016llx %016llx", v->vm->label, i, (unsigned long long)a->x[i],
			 (unsigned long long)a->x[i + 1], (unsigned long long)a->x[i + 2],
			 (unsigned long long)a->x[i + 3]);
	log_line("vm %s: x28 %016llx %016llx %016llx", v->vm->label, (unsigned long long)a->x[28],
		 (unsigned long long)a->x[29], (unsigned long long)a->x[30]);
	if (!(pstate & SPSR_AARCH32))
		log_trace(a, pstate);
}
