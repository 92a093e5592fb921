/* SPDX-License-Identifier: Apache-2.0 */
/* Not linked: the build turns its assembly into asm_offsets.h, structure offsets for the .S files. */
#include "arm64.h"
#include "sysregs.h"

void asm_offsets(void);

#define DEFINE(name, value) __asm__ volatile("\n.ascii \"->" #name " %0\"" : : "i"(value))

void asm_offsets(void)
{
	DEFINE(PCPU_STACK_TOP, offsetof(struct arm64_pcpu, stack_top));
	DEFINE(PCPU_EMERGENCY_TOP, offsetof(struct arm64_pcpu, emergency_top));
	DEFINE(PCPU_BHB_LOOPS, offsetof(struct arm64_pcpu, bhb_loops));
	DEFINE(PCPU_WORK, offsetof(struct arm64_pcpu, p.work));
	DEFINE(PCPU_STAY_START, offsetof(struct arm64_pcpu, p.stay_start));
	DEFINE(PCPU_STAY_TOTAL, offsetof(struct arm64_pcpu, p.stay_total));
	DEFINE(PCPU_STAY_LIMIT, offsetof(struct arm64_pcpu, p.stay_limit));
	DEFINE(PCPU_EXITS, offsetof(struct arm64_pcpu, p.exits));
	DEFINE(EXIT_IRQ, EXIT_CLASS_IRQ);
	DEFINE(EXIT_SERROR, EXIT_CLASS_SERROR);
	DEFINE(TRAP_IS_SKIP, TRAP_SKIP);
	DEFINE(TRAP_IS_UNHANDLED, TRAP_UNHANDLED);
	DEFINE(PCPU_CURRENT, offsetof(struct arm64_pcpu, p.current));
	DEFINE(STACKS_TOP, offsetof(struct cpu_stacks, stack) + EL2_STACK_BYTES);
	DEFINE(STACKS_EMERGENCY_TOP, offsetof(struct cpu_stacks, emergency) + EL2_EMERGENCY_BYTES);
	DEFINE(EL1_TCR, offsetof(struct el1_context, tcr));
	DEFINE(VCPU_X, offsetof(struct arm64_vcpu, x));
	DEFINE(VCPU_STACK, offsetof(struct arm64_vcpu, el2_stack));
}
