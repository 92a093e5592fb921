/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FP/SIMD state, switched lazily: a CPU keeps the registers of the last vCPU that used them (fp_owner) and traps the first
 * use by another (CPTR_EL2.TFP). EL2 itself never touches them (-mgeneral-regs-only). Own CPU, no lock: a vCPU that may go
 * to another CPU gives its registers up when it is switched out.
 */
#include "arm64.h"
#include "sysregs.h"

void fpsimd_reset(struct arm64_vcpu *a)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(a->fp.q); i++)
		a->fp.q[i] = 0;
	a->fp.fpcr = 0;
	a->fp.fpsr = 0;
}

void fpsimd_leave(struct arm64_vcpu *a)
{
	struct arm64_pcpu *p = arm_pcpu();

	if (p->fp_owner != a)
		return;
	write_sysreg(cptr_el2, CPTR_GUEST);
	isb();
	fpsimd_save(&a->fp);
	p->fp_owner = NULL;
}

enum trap_result fpsimd_trap(struct arm64_vcpu *a, uint64_t esr __unused)
{
	struct arm64_pcpu *p = arm_pcpu();

	write_sysreg(cptr_el2, CPTR_GUEST);
	isb();
	if (p->fp_owner)
		fpsimd_save(&p->fp_owner->fp);
	fpsimd_load(&a->fp);
	p->fp_owner = a;
	return TRAP_HANDLED; /* the instruction again */
}
