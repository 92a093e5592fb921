/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual GIC: list registers (IHI 0069 section 12.4).
 *
 * The common case, an interrupt for the vCPU loaded here with a list register to spare, is one write. Everything else folds:
 * all list registers are read back into virq state, emptied, and refilled with the best candidates by priority. What
 * doesn't fit waits in `pend`; NPIE tells when the guest has taken all that was offered, LRENPIE when it ended an
 * interrupt that is in no list register, and TDIR makes ICC_DIR_EL1 trap meanwhile.
 * Locking: vm->vgic.lock held, vCPU loaded on this CPU.
 */
#include "arm64.h"
#include "abi/platform.h"
#include "camber/arch/cpu.h"
#include "gic.h"
#include "sysregs.h"

static inline struct arm64_vm *vm_of(struct arm64_vcpu *a)
{
	return to_arm_vm(a->v.vm);
}

static void set_hcr(struct arm64_vcpu *a, uint64_t hcr)
{
	if (hcr != a->vgic.hcr) {
		a->vgic.hcr = hcr;
		gic->hcr_write(hcr);
	}
}

/* A pending interrupt as a list register. A level that isn't tied to hardware asks to be told of its end. */
static inline uint64_t lr_pending(const struct arm64_vcpu *a, const struct virq *q, uint32_t intid)
{
	uint64_t lr = ICH_LR_PENDING | (uint64_t)q->prio << ICH_LR_PRIO_SHIFT | intid;

	if (q->flags & VIRQ_GROUP1)
		lr |= ICH_LR_GROUP1;
	if (q->flags & VIRQ_HW)
		lr |= ICH_LR_HW | (uint64_t)vgic_hw_intid(&to_arm_vm(a->v.vm)->vgic, intid) << ICH_LR_PINTID_SHIFT;
	else if (!(q->flags & VIRQ_EDGE))
		lr |= ICH_LR_EOI;
	return lr;
}

/* Keeps VIRQ_PENDING for what left `pend` by way of a list register: the fold needs it for level latches only. */
static inline void put_lr(struct arm64_vcpu *a, unsigned int n, struct virq *q, uint32_t intid, uint64_t lr)
{
	gic_lr_write(n, lr);
	a->vgic.lr_intid[n] = (uint16_t)intid;
	a->vgic.lr_used |= BIT32(n);
	q->lr = (uint8_t)(n + 1);
}

static void inject_slow(struct arm64_vcpu *a, struct virq *q, uint32_t intid)
{
	struct vgic_vcpu *g = &a->vgic;
	unsigned int n = (unsigned int)__builtin_ctz(~g->lr_used);

	if (!q->lr && !g->busy && n < gic_lr_count && virq_deliverable(&vm_of(a)->vgic, q)) {
		put_lr(a, n, q, intid, lr_pending(a, q, intid));
		return;
	}
	if (q->lr && (q->flags & VIRQ_PENDING))
		q->flags |= VIRQ_AGAIN;
	vgic_fold_locked(a);
	vgic_set_pend_locked(vm_of(a), a, q, intid);
	vgic_flush_locked(a);
}

/*
 * A virq of the vCPU loaded here changed: offers it to the guest, or withdraws it. The usual case is the interrupt that came
 * last time too: its list register is inactive and still says everything, as any change of configuration folds.
 */
void vgic_inject_locked(struct arm64_vcpu *a, struct virq *q, uint32_t intid)
{
	if (likely(q->lr && !a->vgic.busy && virq_deliverable(&vm_of(a)->vgic, q))) {
		unsigned int n = q->lr - 1u;
		uint64_t lr = gic_lr_read(n);

		if (likely(!(lr & ICH_LR_STATE))) {
			gic_lr_write(n, lr | ICH_LR_PENDING);
			return;
		}
	}
	inject_slow(a, q, intid);
}

void vgic_vtimer_due(struct arm64_vcpu *a)
{
	struct vgic_vm *g = &vm_of(a)->vgic;
	struct virq *q = &a->vgic.priv[GUEST_PPI_VTIMER];

	if (trace_on(TICK))
		vtimer_trace(a);
	/* As if acknowledged: silent until the guest ends it. */
	gic->set_active(GUEST_PPI_VTIMER);
	/* The usual case: it is the only one, and no sibling looks. */
	if (likely(!(a->special & VCPU_SIBLINGS) && !a->vgic.attention && virq_open(g, q))) {
		q->flags |= VIRQ_PENDING;
		put_lr(a, 0, q, GUEST_PPI_VTIMER, lr_pending(a, q, GUEST_PPI_VTIMER));
		return;
	}
	spin_lock(&g->lock);
	q->flags |= VIRQ_PENDING;
	inject_slow(a, q, GUEST_PPI_VTIMER);
	spin_unlock(&g->lock);
}

/* One list register's content back into its virq. */
static __cold void fold_one(struct arm64_vcpu *a, unsigned int n)
{
	struct vgic_vcpu *g = &a->vgic;
	uint32_t intid = g->lr_intid[n];
	struct virq *q = vgic_irq(vm_of(a), a, intid);
	uint64_t lr = gic_lr_read(n);

	q->lr = 0;
	if (!(lr & ICH_LR_PENDING))
		q->flags &= (uint8_t)~VIRQ_PENDING; /* taken */
	if (unlikely(q->flags & VIRQ_AGAIN))
		q->flags = (uint8_t)((q->flags & ~VIRQ_AGAIN) | VIRQ_PENDING);
	if (lr & ICH_LR_ACTIVE) {
		q->flags |= VIRQ_ACTIVE;
		bitmap_set(g->active, intid);
		g->active_any = true;
	} else {
		if (!(lr & ICH_LR_PENDING))
			trace(EOI, a->v.unit.id, intid);
		q->flags &= (uint8_t)~VIRQ_ACTIVE;
		if (virq_deliverable(&vm_of(a)->vgic, q)) {
			bitmap_set(g->pend, intid);
			g->busy |= VGIC_BUSY_PEND;
		}
	}
}

/* The best of a set by priority, then by number; VGIC_IRQS when it is empty. */
static __cold uint32_t best_of(struct arm64_vcpu *a, const uint64_t set[VGIC_WORDS])
{
	uint32_t best = VGIC_IRQS, prio = 256, w;

	for (w = 0; w < VGIC_WORDS; w++) {
		uint64_t bits = set[w];

		while (bits) {
			uint32_t intid = w * 64 + (uint32_t)__builtin_ctzll(bits);
			struct virq *q = vgic_irq(vm_of(a), a, intid);

			bits &= bits - 1;
			if (q->prio < prio) {
				prio = q->prio;
				best = intid;
			}
		}
	}
	return best;
}

static void deactivate(struct arm64_vcpu *a, struct virq *q, uint32_t intid)
{
	q->flags &= (uint8_t)~VIRQ_ACTIVE;
	bitmap_clear(a->vgic.active, intid);
	if (q->flags & VIRQ_HW)
		gic->deactivate(vgic_hw_intid(&vm_of(a)->vgic, intid));
	vgic_set_pend_locked(vm_of(a), a, q, intid);
}

/*
 * Interrupts that the guest ended while they were in no list register (EOImode 0: EOIcount). It ends them in the order of
 * their priority, highest first, so the best active ones are those.
 */
static __cold void end_spilled(struct arm64_vcpu *a, uint32_t count)
{
	while (count--) {
		uint32_t intid = best_of(a, a->vgic.active);

		if (intid == VGIC_IRQS)
			return;
		deactivate(a, vgic_irq(vm_of(a), a, intid), intid);
	}
}

__cold void vgic_fold_locked(struct arm64_vcpu *a)
{
	struct vgic_vcpu *g = &a->vgic;
	uint32_t used = g->lr_used;

	if (unlikely(g->busy & VGIC_BUSY_SPILLED)) {
		end_spilled(a, gic->eoi_count());
		gic->hcr_write(g->hcr); /* EOIcount back to zero */
	}
	while (used) {
		unsigned int n = (unsigned int)__builtin_ctz(used);

		used &= used - 1;
		fold_one(a, n);
		gic_lr_write(n, 0);
	}
	g->lr_used = 0;
}

/* Active interrupts go back into free list registers, the best first; what doesn't fit is "spilled". */
static __cold unsigned int place_active(struct arm64_vcpu *a, unsigned int next, unsigned int limit)
{
	struct vgic_vcpu *g = &a->vgic;

	g->active_any = false;
	for (;;) {
		uint32_t intid = best_of(a, g->active);
		struct virq *q;
		uint64_t lr;

		if (intid == VGIC_IRQS)
			return next;
		if (next >= limit) {
			g->active_any = true;
			g->busy |= VGIC_BUSY_SPILLED;
			return next;
		}
		q = vgic_irq(vm_of(a), a, intid);
		lr = (lr_pending(a, q, intid) & ~ICH_LR_STATE) | ICH_LR_ACTIVE;
		/* Pending again while active: allowed but for hardware interrupts, whose source waits. */
		if ((q->flags & (VIRQ_PENDING | VIRQ_ENABLED | VIRQ_HW)) == (VIRQ_PENDING | VIRQ_ENABLED))
			lr |= ICH_LR_PENDING;
		else if (q->flags & VIRQ_PENDING)
			q->flags |= VIRQ_AGAIN; /* not offered, so the fold must not take it for taken */
		bitmap_clear(g->active, intid);
		put_lr(a, next++, q, intid, lr);
	}
}

/* Fills empty list registers (after a fold): one for the best pending, then the active ones, then more pending. */
__cold void vgic_flush_locked(struct arm64_vcpu *a)
{
	struct vgic_vcpu *g = &a->vgic;
	unsigned int next = 0, limit = gic_lr_count;
	uint64_t hcr = ICH_HCR_EN;
	bool pending = g->busy & VGIC_BUSY_PEND;

	g->resync = false;
	g->busy &= (uint8_t)~VGIC_BUSY_SPILLED;
	if (g->busy & VGIC_BUSY_HOLD) {
		/* The guest goes on meanwhile, and may end what is active now: counted like any that has no list register. */
		if (g->active_any) {
			g->busy |= VGIC_BUSY_SPILLED;
			set_hcr(a, hcr | ICH_HCR_LRENPIE | ICH_HCR_TDIR);
		}
		return;
	}
	g->busy = 0;
	while (pending) {
		uint32_t intid = best_of(a, g->pend);
		struct virq *q;

		if (intid == VGIC_IRQS)
			break;
		if (next >= limit) {
			g->busy |= VGIC_BUSY_PEND;
			hcr |= ICH_HCR_NPIE;
			break;
		}
		q = vgic_irq(vm_of(a), a, intid);
		bitmap_clear(g->pend, intid);
		put_lr(a, next++, q, intid, lr_pending(a, q, intid));
		if (g->active_any && next == 1)
			next = place_active(a, next, limit);
	}
	if (g->active_any && !(g->busy & VGIC_BUSY_SPILLED))
		(void)place_active(a, next, limit);
	if (g->busy & VGIC_BUSY_SPILLED)
		hcr |= ICH_HCR_LRENPIE | ICH_HCR_TDIR;
	set_hcr(a, hcr);
}

/* The usual request from another CPU: one interrupt became pending. False: it takes a fold. */
static bool deliver_changed(struct arm64_vcpu *a)
{
	struct vgic_vcpu *g = &a->vgic;
	uint32_t intid = g->changed;
	struct virq *q;
	unsigned int n;

	if (intid == VGIC_CHANGED_MANY || (g->busy & ~VGIC_BUSY_PEND))
		return false;
	q = vgic_irq(vm_of(a), a, intid);
	if (!virq_deliverable(&vm_of(a)->vgic, q))
		return false;
	if (likely(q->lr)) {
		uint64_t lr;

		n = q->lr - 1u;
		lr = gic_lr_read(n);
		if (lr & ICH_LR_STATE)
			return false;
		q->flags &= (uint8_t)~VIRQ_AGAIN;
		gic_lr_write(n, lr | ICH_LR_PENDING);
	} else {
		n = (unsigned int)__builtin_ctz(~g->lr_used);
		if (n >= gic_lr_count)
			return false;
		bitmap_clear(g->pend, intid);
		put_lr(a, n, q, intid, lr_pending(a, q, intid));
	}
	g->busy = 0; /* nothing was when it was recorded */
	g->resync = false;
	return true;
}

void vgic_sync(struct arm64_vcpu *a)
{
	struct arm64_vm *vm = vm_of(a);

	if (!READ_ONCE(a->vgic.resync))
		return;
	spin_lock_here(&vm->vgic.lock);
	if (!deliver_changed(a)) {
		vgic_fold_locked(a);
		vgic_flush_locked(a);
	}
	spin_unlock_here(&vm->vgic.lock);
}

__cold void vgic_maintenance(struct arm64_vcpu *a)
{
	struct arm64_vm *vm = vm_of(a);

	spin_lock(&vm->vgic.lock);
	vgic_fold_locked(a);
	vgic_flush_locked(a);
	spin_unlock(&vm->vgic.lock);
}

/* ICC_DIR_EL1 trapped: deactivate whatever the guest names, in a list register or not. */
__cold void vgic_dir(struct arm64_vcpu *a, uint32_t intid)
{
	struct arm64_vm *vm = vm_of(a);
	struct virq *q = vgic_irq(vm, a, intid);

	if (!q)
		return;
	spin_lock(&vm->vgic.lock);
	vgic_fold_locked(a);
	/* One that a sibling has active is the sibling's to end: its list registers are out of reach (IHI 0069 12.2.7). */
	if ((q->flags & VIRQ_ACTIVE) && vgic_owner(vm, a, intid) == a)
		deactivate(a, q, intid);
	vgic_flush_locked(a);
	spin_unlock(&vm->vgic.lock);
}

/* The virtual timer's physical interrupt is active on this CPU on the vCPU's behalf. */
static bool holds_timer(const struct vgic_vcpu *g)
{
	return g->priv[GUEST_PPI_VTIMER].flags & (VIRQ_PENDING | VIRQ_ACTIVE);
}

/*
 * The usual case: nothing but the timer's interrupt is in a list register, the first, and the guest is done with it. What is in there
 * stays: invalid, it means nothing to the next guest (IHI 0069 12.4.8). Only siblings touch the private interrupts of others.
 */
static inline bool fold_timer(struct vgic_vcpu *g)
{
	struct virq *q = &g->priv[GUEST_PPI_VTIMER];

	if (g->attention != 1 || g->lr_intid[0] != GUEST_PPI_VTIMER || (q->flags & VIRQ_AGAIN) ||
	    (gic_lr_read(0) & ICH_LR_STATE))
		return false;
	q->lr = 0;
	q->flags &= (uint8_t) ~(VIRQ_PENDING | VIRQ_ACTIVE);
	g->lr_used = 0;
	return true;
}

static __attribute__((noinline)) void save_slow(struct arm64_vcpu *a)
{
	struct arm64_vm *vm = vm_of(a);
	struct vgic_vcpu *g = &a->vgic;

	spin_lock(&vm->vgic.lock);
	vgic_fold_locked(a);
	g->busy &= (uint8_t)~VGIC_BUSY_HOLD;
	spin_unlock(&vm->vgic.lock);
	if (holds_timer(g))
		gic->deactivate(GUEST_PPI_VTIMER);
	if (g->hcr != ICH_HCR_EN)
		gic->hcr_write(ICH_HCR_EN);
}

/* On switching out: afterwards memory alone describes the vCPU, and the physical timer interrupt is nobody's. */
void vgic_save(struct arm64_vcpu *a)
{
	struct vgic_vcpu *g = &a->vgic;

	/* With nothing in list registers memory is right already. A sibling that asks now finds that too. */
	if (g->attention || holds_timer(g)) {
		if ((a->special & VCPU_SIBLINGS) || !fold_timer(g))
			save_slow(a);
	}
	g->loaded = false;
	gic->vif_save(&g->vif);
}

static __attribute__((noinline)) void load_slow(struct arm64_vcpu *a)
{
	struct arm64_vm *vm = vm_of(a);
	struct vgic_vcpu *g = &a->vgic;

	/* Not to be signalled by hardware again before the guest ends it. */
	if (holds_timer(g))
		gic->set_active(GUEST_PPI_VTIMER);
	spin_lock(&vm->vgic.lock);
	g->hcr = ICH_HCR_EN; /* as the last one to be saved left it */
	vgic_flush_locked(a);
	spin_unlock(&vm->vgic.lock);
}

void vgic_load(struct arm64_vcpu *a)
{
	struct vgic_vcpu *g = &a->vgic;

	/* Whoever changes anything from now on finds the vCPU running and kicks; one look at each is enough. */
	g->loaded = true;
	if (unlikely(g->attention) || unlikely(holds_timer(g)))
		load_slow(a);
	gic->vif_load(&g->vif);
}

bool vgic_irq_pending(struct arm64_vcpu *a)
{
	struct vgic_vcpu *g = &a->vgic;
	uint32_t used, w;

	if (arch_pcpu()->loaded == &a->v) {
		for (used = g->lr_used; used; used &= used - 1)
			if (gic_lr_read((unsigned int)__builtin_ctz(used)) & ICH_LR_PENDING)
				return true;
	}
	if (READ_ONCE(g->busy) & VGIC_BUSY_PEND)
		for (w = 0; w < VGIC_WORDS; w++)
			if (READ_ONCE(g->pend[w]))
				return true;
	return READ_ONCE(g->resync);
}
