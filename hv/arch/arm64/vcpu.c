/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VMs and vCPUs of arm64: creation, reset, and the switch from one vCPU to another on a CPU.
 *
 * Locking: creation and reset happen with the vCPUs off; the switch on the CPU's own stack with no lock held.
 */
#include "arm64.h"
#include "abi/platform.h"
#include "camber/arch/cpu.h"
#include "camber/errno.h"
#include "camber/log.h"
#include "gic.h"
#include "sysregs.h"

#define HCR_GUEST                                                                                                      \
	(HCR_RW | HCR_VM | HCR_SWIO | HCR_FMO | HCR_IMO | HCR_AMO | HCR_TWI | HCR_TID3 | HCR_TSC | HCR_TIDCP |         \
	 HCR_TACR | HCR_TLOR | HCR_TERR)

struct vm *arch_vm_alloc(void)
{
	struct arm64_vm *vm = mem_alloc_zeroed(sizeof(*vm), "a virtual machine");

	return &vm->vm;
}

struct vcpu *arch_vcpu_alloc(void)
{
	struct arm64_vcpu *a = mem_alloc_zeroed(sizeof(*a), "a vCPU");

	return &a->v;
}

__cold int arch_vm_init(struct vm *vm)
{
	struct arm64_vm *m = to_arm_vm(vm);
	int ret;

	m->vttbr = ptr_to_hpa(vm->map.root).addr | (uint64_t)vm->id << 48;
	m->cntvoff = 0;
	ret = pvtime_vm_init(m);
	return ret ? ret : vgic_vm_init(m);
}

__cold void arch_vcpu_init(struct vcpu *v)
{
	struct arm64_vcpu *a = to_arm(v);

	a->mpidr = BIT64(31) | v->index; /* Aff0, as the guest's tree says */
	a->last_cpu = PCPU_MAX;
	a->hcr = HCR_GUEST;
	vtimer_init(a);
}

__cold void arch_vm_reset(struct vm *vm)
{
	unsigned int i;

	to_arm_vm(vm)->cntvoff = 0;
	vgic_vm_reset(to_arm_vm(vm));
	for (i = 0; i < vm->vcpu_count; i++) {
		struct arm64_vcpu *a = to_arm(vm->vcpu[i]);

		vtimer_reset(a);
		vgic_vcpu_reset(a);
		pvtime_vcpu_reset(a);
	}
	vgic_hw_enable(to_arm_vm(vm), true);
}

__cold void arch_vm_pause(struct vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->vcpu_count; i++)
		timer_cancel(&to_arm(vm->vcpu[i])->timer.virt);
	to_arm_vm(vm)->paused_at = arch_now();
}

__cold void arch_vm_resume(struct vm *vm)
{
	/* No vCPU has seen a later time than that of the pause, and each is loaded anew. */
	to_arm_vm(vm)->cntvoff += arch_now() - to_arm_vm(vm)->paused_at;
}

__cold void arch_vm_stopped(struct vm *vm)
{
	unsigned int i;

	vgic_hw_enable(to_arm_vm(vm), false);
	for (i = 0; i < vm->vcpu_count; i++)
		vtimer_reset(to_arm(vm->vcpu[i]));
}

__cold void arch_vcpu_set_entry(struct vcpu *v, gpa_t entry, uint64_t arg0)
{
	struct arm64_vcpu *a = to_arm(v);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(a->x); i++)
		a->x[i] = 0;
	a->x[0] = arg0;
	a->el1 = (struct el1_context){
		.elr_el2 = entry.addr,
		.spsr_el2 = SPSR_EL1H | SPSR_DAIF,
		.sctlr = SCTLR_EL1_RESET,
	};
	a->hcr &= ~HCR_VSE;
	a->special &= (uint8_t)~VCPU_SERROR;
	/* Its CPU interface comes out of reset (IHI 0069 12.2); the redistributor keeps what it was told. */
	a->vgic.vif = (struct gic_vif){ 0 };
	vtimer_reset(a);
	fpsimd_reset(a);
}

static __attribute__((noinline)) void save_special(struct arm64_vcpu *a)
{
	if (a->special & VCPU_SERROR) { /* taken meanwhile? the bit clears itself */
		a->hcr = (a->hcr & ~HCR_VSE) | (read_sysreg(hcr_el2) & HCR_VSE);
		if (!(a->hcr & HCR_VSE))
			a->special &= (uint8_t)~VCPU_SERROR;
	}
	a->special &= (uint8_t)~VCPU_SAVED;
	/* FP registers stay on the CPU, unless the vCPU may not. */
	if (a->special & VCPU_MOVES)
		fpsimd_leave(a);
}

/* VTTBR_EL2 is the new guest's. */
static __attribute__((noinline)) void load_special(struct arm64_vcpu *a)
{
	struct arm64_vm *vm = to_arm_vm(a->v.vm);
	struct arm64_pcpu *p = arm_pcpu();

	if ((a->special & VCPU_MOVES) && a->last_cpu != p->p.id) {
		a->last_cpu = (uint8_t)p->p.id;
		vtimer_move(a);
	}
	if (a->special & VCPU_STOLEN)
		pvtime_update(a);
	if ((a->special & VCPU_SIBLINGS) && vm->last_vcpu[p->p.id] != a->v.index) {
		/* A sibling ran here last: same VMID, but its own idea of ASIDs and of what is local. */
		vm->last_vcpu[p->p.id] = (uint8_t)a->v.index;
		isb();
		__asm__ volatile("tlbi vmalle1" ::: "memory");
		dsb(nsh);
	}
}

static void save(struct arm64_vcpu *a)
{
	if (likely(!(a->special & VCPU_SAVED)))
		el1_save(&a->el1);
	vgic_save(a);
	vtimer_save(a);
	if (unlikely(a->special))
		save_special(a);
}

static void load(struct arm64_vcpu *a)
{
	struct arm64_vm *vm = to_arm_vm(a->v.vm);
	struct arm64_pcpu *p = arm_pcpu();
	bool due;

	a->el2_stack = p->stack_top;
	el1_load(&a->el1);
	write_sysreg(vmpidr_el2, a->mpidr);
	write_sysreg(hcr_el2, a->hcr);
	isb();
	write_sysreg(vttbr_el2, vm->vttbr);
	if (unlikely(a->special))
		load_special(a);
	/* Now walks may happen: everything that they use is the new guest's (see context.S). */
	isb();
	write_sysreg(tcr_el1, a->el1.tcr);
	write_sysreg(cptr_el2, p->fp_owner == a ? CPTR_GUEST : CPTR_GUEST | CPTR_TFP);
	due = vtimer_load(a);
	vgic_load(a);
	if (due)
		vgic_vtimer_due(a);
}

void arch_vcpu_switch(struct vcpu *prev, struct vcpu *next)
{
	if (prev)
		save(to_arm(prev));
	if (next)
		load(to_arm(next));
	else if (prev)
		fpsimd_leave(to_arm(prev));
}

void arch_vcpu_idle(struct vcpu *v)
{
	struct arm64_vcpu *a = to_arm(v);

	if (!(a->special & VCPU_SAVED))
		el1_save(&a->el1);
	a->special |= VCPU_SAVED;
}

void arch_vcpu_resume(struct vcpu *v)
{
	struct arm64_vcpu *a = to_arm(v);

	a->special &= (uint8_t)~VCPU_SAVED;
	if (unlikely(a->special & VCPU_STOLEN)) /* it may have waited for its cap, on a CPU that idled */
		pvtime_update(a);
	vgic_sync(a);
}

void arch_vcpu_sync_irqs(struct vcpu *v)
{
	vgic_sync(to_arm(v));
}

bool arch_vcpu_irq_pending(struct vcpu *v)
{
	return vgic_irq_pending(to_arm(v));
}

void arch_vm_irq_line(struct vm *vm, uint32_t intid, bool level)
{
	vgic_line_spi(to_arm_vm(vm), intid, level);
}

void arch_vcpu_set_alone(struct vcpu *v, bool alone)
{
	struct arm64_vcpu *a = to_arm(v);

	a->hcr = alone ? a->hcr & ~HCR_TWI : a->hcr | HCR_TWI;
	/* What it invalidates and orders on one CPU must hold on the next (Arm ARM D19.2.48). */
	if (!sched_unit_fixed(&v->unit)) {
		a->special |= VCPU_MOVES;
		a->hcr |= HCR_FB | HCR_BSU_IS;
	}
	if (v->vm->vcpu_count > 1)
		a->special |= VCPU_SIBLINGS;
}

uint64_t arch_vcpu_pc(const struct vcpu *v)
{
	const struct arm64_vcpu *a = (const struct arm64_vcpu *)v;

	return arch_pcpu()->loaded == v ? read_sysreg(elr_el2) : a->el1.elr_el2;
}
