/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual GIC: making interrupts pending and finding out who has to be told.
 *
 * Locking: vm->vgic.lock for all virq state. Kicks and wake-ups take the scheduler pool's lock inside it, or come after it.
 */
#include "vgic.h"

#include "abi/platform.h"
#include "arm64.h"
#include "camber/arch/cpu.h"
#include "camber/errno.h"
#include "gic.h"
#include "sysregs.h"

struct virq *vgic_irq(struct arm64_vm *vm, struct arm64_vcpu *priv, uint32_t intid)
{
	if (intid < VGIC_PRIVATE)
		return &priv->vgic.priv[intid];
	if (intid - VGIC_PRIVATE < vm->vgic.spi_count)
		return &vm->vgic.spi[intid - VGIC_PRIVATE];
	return NULL;
}

/* The vCPU that an interrupt is delivered to. */
struct arm64_vcpu *vgic_owner(struct arm64_vm *vm, struct arm64_vcpu *priv, uint32_t intid)
{
	if (intid < VGIC_PRIVATE)
		return priv;
	return to_arm(vm->vm.vcpu[vm->vgic.spi[intid - VGIC_PRIVATE].target]);
}

static inline bool loaded_here(const struct arm64_vcpu *a)
{
	return arch_pcpu()->loaded == &a->v;
}

/* The pending set of a vCPU whose virq isn't in a list register. */
void vgic_set_pend_locked(struct arm64_vm *vm, struct arm64_vcpu *a, const struct virq *q, uint32_t intid)
{
	if (virq_deliverable(&vm->vgic, q)) {
		bitmap_set(a->vgic.pend, intid);
		a->vgic.busy |= VGIC_BUSY_PEND;
	} else {
		bitmap_clear(a->vgic.pend, intid);
	}
}

/*
 * Brings the pending set, or for the vCPU loaded here the list registers, in line with a virq that changed. Returns true if
 * the vCPU has to be told after the lock is released.
 */
static inline __attribute__((always_inline)) bool update(struct arm64_vm *vm, struct arm64_vcpu *a, struct virq *q,
							 uint32_t intid)
{
	struct vgic_vcpu *g = &a->vgic;

	if (loaded_here(a)) {
		vgic_inject_locked(a, q, intid);
		return arch_pcpu()->current != &a->v;
	}
	g->changed = g->resync || g->busy ? VGIC_CHANGED_MANY : (uint16_t)intid;
	if (q->lr) {
		/* In a list register of another CPU: only that CPU knows its state. */
		if (q->flags & VIRQ_PENDING)
			q->flags |= VIRQ_AGAIN;
	} else {
		vgic_set_pend_locked(vm, a, q, intid);
		if (!virq_deliverable(&vm->vgic, q))
			return false;
	}
	g->resync = true;
	return true;
}

/* Where a call more doesn't matter. */
static __attribute__((noinline)) bool update_call(struct arm64_vm *vm, struct arm64_vcpu *a, struct virq *q,
						  uint32_t intid)
{
	if (q->flags & (VIRQ_PENDING | VIRQ_LINE))
		trace(INJECT, a->v.unit.id, intid);
	return update(vm, a, q, intid);
}

static void pend_private(struct arm64_vcpu *a, uint32_t intid, enum sched_wake why)
{
	struct arm64_vm *vm = to_arm_vm(a->v.vm);
	struct virq *q = &a->vgic.priv[intid];
	bool tell;

	spin_lock_here(&vm->vgic.lock);
	trace(INJECT, a->v.unit.id, intid);
	q->flags |= VIRQ_PENDING;
	tell = update(vm, a, q, intid);
	spin_unlock_here(&vm->vgic.lock);
	if (tell)
		vcpu_kick(&a->v, why);
}

/* The inputs of level-sensitive interrupts; for edge-triggered ones a rising level is an edge. */
static void set_line(struct arm64_vm *vm, struct arm64_vcpu *a, struct virq *q, uint32_t intid, bool level)
{
	bool was = q->flags & VIRQ_LINE, tell;

	if (was == level)
		return;
	q->flags ^= VIRQ_LINE;
	if (level && (q->flags & VIRQ_EDGE))
		q->flags |= VIRQ_PENDING;
	if (!level && (q->flags & VIRQ_EDGE))
		return;
	tell = update_call(vm, a, q, intid);
	if (tell)
		vcpu_kick(&a->v, SCHED_WAKE_EVENT);
}

void vgic_line_private(struct arm64_vcpu *a, uint32_t intid, bool level)
{
	struct arm64_vm *vm = to_arm_vm(a->v.vm);

	spin_lock(&vm->vgic.lock);
	set_line(vm, a, &a->vgic.priv[intid], intid, level);
	spin_unlock(&vm->vgic.lock);
}

void vgic_line_spi(struct arm64_vm *vm, uint32_t intid, bool level)
{
	struct virq *q = vgic_irq(vm, NULL, intid);

	if (!q || intid < VGIC_PRIVATE)
		return;
	spin_lock(&vm->vgic.lock);
	set_line(vm, vgic_owner(vm, NULL, intid), q, intid, level);
	spin_unlock(&vm->vgic.lock);
}

__cold void vgic_pend_spi(struct arm64_vm *vm, uint32_t intid)
{
	struct arm64_vcpu *a;
	bool tell;

	spin_lock(&vm->vgic.lock);
	a = vgic_owner(vm, NULL, intid);
	vgic_irq(vm, NULL, intid)->flags |= VIRQ_PENDING;
	tell = update_call(vm, a, vgic_irq(vm, NULL, intid), intid);
	spin_unlock(&vm->vgic.lock);
	if (tell)
		vcpu_kick(&a->v, SCHED_WAKE_EVENT);
}

/*
 * Physical PPI 27 was acknowledged and its priority dropped; it stays active, and with that silent, until the guest
 * deactivates the virtual one, or until vgic_save() or a re-enable lets it go.
 */
void vgic_vtimer_fired(struct arm64_vcpu *a)
{
	struct arm64_vm *vm = to_arm_vm(a->v.vm);
	struct virq *q = &a->vgic.priv[GUEST_PPI_VTIMER];

	if (trace_on(TICK))
		vtimer_trace(a);
	spin_lock_here(&vm->vgic.lock);
	q->flags |= VIRQ_PENDING;
	vgic_inject_locked(a, q, GUEST_PPI_VTIMER);
	spin_unlock_here(&vm->vgic.lock);
	if (unlikely(arch_pcpu()->current != &a->v))
		(void)sched_wake(&a->v.unit, SCHED_WAKE_TIMER);
}

/* --- SGIs --------------------------------------------------------------------------------------------------------------- */

#define SGIR_TARGETS(v) ((v)&0xffff)
#define SGIR_AFF1(v) (((v) >> 16) & 0xff)
#define SGIR_INTID_SHIFT 24
#define SGIR_INTID(v) (((v) >> SGIR_INTID_SHIFT) & 15)
#define SGIR_AFF2(v) (((v) >> 32) & 0xff)
#define SGIR_IRM(v) (((v) >> 40) & 1)
#define SGIR_RS(v) (((v) >> 44) & 15)
#define SGIR_AFF3(v) (((v) >> 48) & 0xff)

static inline __attribute__((always_inline)) uint32_t sgi_targets(const struct arm64_vcpu *a, uint64_t sgir)
{
	uint32_t all = BIT32(a->v.vm->vcpu_count) - 1;

	if (SGIR_IRM(sgir))
		return all & ~BIT32(a->v.index);
	if (sgir & UINT64_C(0x00fff0ff00ff0000)) /* Aff3, RS, Aff2, Aff1: no such vCPU */
		return 0;
	return SGIR_TARGETS(sgir) & all;
}

__cold enum trap_result vgic_sgi_group0(struct arm64_vcpu *a, uint64_t sgir)
{
	uint32_t targets = sgi_targets(a, sgir), i;

	for (i = 0; i < a->v.vm->vcpu_count; i++)
		if (to_arm(a->v.vm->vcpu[i])->vgic.priv[SGIR_INTID(sgir)].flags & VIRQ_GROUP1)
			targets &= ~BIT32(i);
	return vgic_sgi(a, (uint64_t)SGIR_INTID(sgir) << SGIR_INTID_SHIFT | targets);
}

enum trap_result vgic_sgi(struct arm64_vcpu *a, uint64_t sgir)
{
	struct vm *vm = a->v.vm;
	uint32_t targets = sgi_targets(a, sgir), i;

	while (targets) {
		i = (uint32_t)__builtin_ctz(targets);
		targets &= targets - 1;
		pend_private(to_arm(vm->vcpu[i]), SGIR_INTID(sgir), SCHED_WAKE_IPI);
	}
	return TRAP_SKIP;
}

/* --- reset ---------------------------------------------------------------------------------------------------------------- */

__cold int vgic_vm_init(struct arm64_vm *vm)
{
	uint32_t spis = vm->vm.cfg->spi_count;
	int ret;

	if (spis > CONFIG_SPI_MAX)
		return -E2BIG;
	vm->vgic.spi_count = spis;
	vgic_dist_init(vm);
	ret = mmio_add(&vm->vm.mmio, gpa(GUEST_GICD_BASE), GUEST_GICD_SIZE, vgic_dist_mmio, vm);
	if (!ret)
		ret = mmio_add(&vm->vm.mmio, gpa(GUEST_GICR_BASE), (uint64_t)GUEST_GICR_STRIDE * vm->vm.vcpu_count,
			       vgic_redist_mmio, vm);
	return ret;
}

__cold void vgic_vm_reset(struct arm64_vm *vm)
{
	unsigned int i;

	vm->vgic.ctlr = 0;
	for (i = 0; i < CONFIG_SPI_MAX; i++) {
		/* Lines are the devices' and stay; everything else as after reset (group 0, level, priority 0). */
		uint8_t flags = vm->vgic.spi[i].flags & VIRQ_LINE;

		if (vm->vgic.spi_hw[i])
			flags = (vm->vgic.spi_edge[i / 8] >> (i % 8)) & 1 ? VIRQ_HW | VIRQ_EDGE : VIRQ_HW;
		vm->vgic.spi[i] = (struct virq){ .flags = flags };
		vm->vgic.spi_any[i / 8] = 0;
	}
}

__cold void vgic_vcpu_reset(struct arm64_vcpu *a)
{
	unsigned int i;

	a->vgic = (struct vgic_vcpu){ .processor_sleep = 1, .hcr = ICH_HCR_EN };
	for (i = 0; i < 16; i++)
		a->vgic.priv[i].flags = VIRQ_EDGE;
	a->vgic.priv[GUEST_PPI_VTIMER].flags = VIRQ_HW;
}
