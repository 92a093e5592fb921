/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CPUs: register set-up of each, bring-up of the others, power. Boot CPU starts the others one after the other and waits,
 * bounded, until each is online.
 */
#include "arm64.h"
#include "camber/arch/cache.h"
#include "camber/arch/cpu.h"
#include "camber/errno.h"
#include "camber/log.h"
#include "camber/panic.h"
#include "gic.h"
#include "platform.h"
#include "sysregs.h"

#define PSCI_CPU_ON64 0xc4000003u
#define PSCI_SYSTEM_OFF 0x84000008u
#define PSCI_SYSTEM_RESET 0x84000009u

#define START_TIMEOUT_NS 1000000000u

extern char secondary_start[];

/* In .data: filled in before .bss is cleared, and read by CPUs whose caches are off. */
struct arm64_pcpu arm64_pcpus[CONFIG_CPU_MAX] __section(".data") __aligned(64);
struct cpu_stacks arm64_stacks[CONFIG_CPU_MAX] __section(".bss.page_aligned") __aligned(4096);

static int psci_start(uint64_t hw_id, uint64_t entry, uint64_t context)
{
	return el2_call_smc(PSCI_CPU_ON64, hw_id, entry, context) == 0 ? 0 : -EIO;
}

const struct smp_boot_ops smp_boot_psci = {
	.name = "PSCI",
	.start = psci_start,
};

void cpu_init(struct arm64_pcpu *p)
{
	errata_init(p);
	p->p.sched.kind = (uint32_t)read_sysreg(midr_el1) & MIDR_PART_MASK;
	write_sysreg(vbar_el2, p->vectors);
	/* No guest is loaded: nothing trapped for EL2's own sake. */
	write_sysreg(hcr_el2, HCR_RW | HCR_FMO | HCR_IMO | HCR_AMO);
	write_sysreg(hstr_el2, 0);
	write_sysreg(cnthctl_el2, CNTHCTL_EL1PCTEN);
	write_sysreg(cntvoff_el2, 0);
	write_sysreg(cnthp_ctl_el2, 0);
	write_sysreg(vpidr_el2, read_sysreg(midr_el1));
	p->mdcr = (read_sysreg(mdcr_el2) & MDCR_HPMN) | MDCR_TPMCR | MDCR_TPM | MDCR_TDA | MDCR_TDOSA | MDCR_TDRA |
		  MDCR_TPMS | MDCR_TTRF;
	write_sysreg(mdcr_el2, p->mdcr);
	write_sysreg(cptr_el2, CPTR_RES1 | CPTR_TZ | CPTR_TFP | CPTR_TTA);
	stage2_init_cpu();
	isb();
}

void smp_init(void)
{
	unsigned int i;

	for (i = 0; i < platform.cpu_count; i++) {
		struct arm64_pcpu *p = &arm64_pcpus[i];

		p->stack_top = (uint64_t)arm64_stacks[i].stack + EL2_STACK_BYTES;
		p->emergency_top = (uint64_t)arm64_stacks[i].emergency + EL2_EMERGENCY_BYTES;
		p->mpidr = platform.cpu_mpidr[i];
		pcpu_register(&p->p, i, p->mpidr);
	}
}

void smp_start_secondaries(void)
{
	unsigned int i;

	for (i = 1; i < platform.cpu_count; i++) {
		struct arm64_pcpu *p = &arm64_pcpus[i];
		uint64_t limit = arch_now() + time_ns_to_ticks(START_TIMEOUT_NS);

		/* It reads these with its caches off. */
		arch_cache_clean(p, sizeof(*p));
		if (platform.smp->start(p->mpidr, (uint64_t)secondary_start, (uint64_t)p)) {
			log_line("cpu %u: firmware refuses to start it (%s, MPIDR 0x%llx)", i, platform.smp->name,
				 (unsigned long long)p->mpidr);
			continue;
		}
		while (!READ_ONCE(p->p.online) && arch_now() < limit)
			arch_cpu_relax();
		if (!READ_ONCE(p->p.online))
			panic("CPU %u was started and did not come up", i);
	}
}

void arch_cpu_stop_others(void)
{
	uint64_t limit = arch_now() + time_ns_to_ticks(10000000);
	unsigned int i;

	for (i = 0; gic && i < platform.cpu_count; i++)
		if (&arm64_pcpus[i] != arm_pcpu() && arm64_pcpus[i].p.online)
			gic->send_sgi(i, GIC_SGI_STOP);
	for (i = 0; i < platform.cpu_count; i++)
		while (&arm64_pcpus[i] != arm_pcpu() && arm64_pcpus[i].p.online && !READ_ONCE(arm64_pcpus[i].stopped) &&
		       arch_now() < limit)
			arch_cpu_relax();
}

void arch_halt(void)
{
	for (;;)
		__asm__ volatile("wfe");
}

void arch_reboot(void)
{
	(void)el2_call_smc(PSCI_SYSTEM_RESET, 0, 0, 0);
	arch_halt();
}
