/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual GIC: distributor and redistributor registers (IHI 0069 sections 12.9 to 12.11), one security state (DS = 1),
 * affinity routing always on, no LPIs.
 *
 * A change to interrupts of the vCPU loaded here is fold, change, refill. If another CPU has the vCPU loaded, its pending
 * and active state is in that CPU's list registers: the vCPU is asked to fold and hold, and the guest's instruction is
 * executed again until it has; nothing waits in EL2.
 * Locking: vm->vgic.lock. Values are the guest's: every index is bounded by the register's place.
 */
#include "arm64.h"
#include "abi/platform.h"
#include "camber/arch/cpu.h"
#include "gic.h"
#include "gic_regs.h"
#include "sysregs.h"

#define CTLR_ENABLES 3u
#define CTLR_ARE BIT32(4)
#define CTLR_DS BIT32(6)

#define TYPER_NO1N BIT32(25)
#define TYPER_IDBITS (9u << 19) /* 10 bits of INTID: 0..1023 */
#define IIDR_VALUE 0x0000143bu  /* Arm Limited; product and revision of no silicon */
#define PIDR2_GICV3 0x3bu

#define IROUTER_IRM BIT64(31)

/* --- reaching a vCPU's exact state --------------------------------------------------------------------------------------- */

/* True: the vCPU's virqs in memory are exact. False: it was asked; try again. */
static bool settle(struct arm64_vcpu *b)
{
	struct vgic_vcpu *g = &b->vgic;

	if (arch_pcpu()->loaded == &b->v) {
		vgic_fold_locked(b);
		return true;
	}
	if (!g->loaded || !g->lr_used)
		return true;
	g->busy |= VGIC_BUSY_HOLD;
	g->changed = VGIC_CHANGED_MANY;
	g->resync = true;
	vcpu_kick(&b->v, SCHED_WAKE_EVENT);
	return false;
}

/* After a change: back to normal. */
static void release(struct arm64_vcpu *b)
{
	struct vgic_vcpu *g = &b->vgic;

	g->busy &= (uint8_t)~VGIC_BUSY_HOLD;
	if (arch_pcpu()->loaded == &b->v) {
		vgic_flush_locked(b);
		return;
	}
	if (g->loaded || g->busy) {
		g->changed = VGIC_CHANGED_MANY;
		g->resync = true;
		vcpu_kick(&b->v, SCHED_WAKE_EVENT);
	}
}

/* The vCPUs that own those of the interrupts from `first` on whose bit is set in `which`, as a bit mask. */
static uint32_t owners(struct arm64_vm *vm, struct arm64_vcpu *priv, uint32_t first, uint32_t which)
{
	uint32_t mask = 0;

	if (first < VGIC_PRIVATE)
		return BIT32(priv->v.index);
	for (; which; which &= which - 1)
		mask |= BIT32(vm->vgic.spi[first - VGIC_PRIVATE + (uint32_t)__builtin_ctz(which)].target);
	return mask;
}

/* --- one interrupt's change ------------------------------------------------------------------------------------------------ */

/* Whether this CPU can reach the physical interrupt behind one of b's: an SPI always, a PPI on its own CPU. */
static bool reaches_hw(const struct arm64_vcpu *b, const struct virq *q, uint32_t intid)
{
	return (q->flags & VIRQ_HW) && (intid >= VGIC_PRIVATE || arch_pcpu()->loaded == &b->v);
}

/* A hardware interrupt that is pending and not active: its line decides anew. */
static void rearm_hw(struct arm64_vcpu *b, struct virq *q, uint32_t intid)
{
	if ((q->flags & (VIRQ_PENDING | VIRQ_ACTIVE)) == VIRQ_PENDING && reaches_hw(b, q, intid)) {
		q->flags &= (uint8_t)~VIRQ_PENDING;
		gic->deactivate(vgic_hw_intid(&to_arm_vm(b->v.vm)->vgic, intid));
	}
}

static void set_flag(struct virq *q, uint8_t flag, bool on)
{
	q->flags = (uint8_t)(on ? q->flags | flag : q->flags & ~flag);
}

static void set_active(struct arm64_vcpu *b, struct virq *q, uint32_t intid, bool on)
{
	bool was = q->flags & VIRQ_ACTIVE;

	set_flag(q, VIRQ_ACTIVE, on);
	if (on) {
		bitmap_set(b->vgic.active, intid);
		b->vgic.active_any = true;
	} else {
		bitmap_clear(b->vgic.active, intid);
	}
	if (was != on && reaches_hw(b, q, intid)) {
		uint32_t hw = vgic_hw_intid(&to_arm_vm(b->v.vm)->vgic, intid);

		if (on)
			gic->set_active(hw);
		else
			gic->deactivate(hw);
	}
}

/* Write of one bit register's bit that is 1, for one interrupt. */
static void bit_write(struct arm64_vcpu *b, struct virq *q, uint32_t intid, uint32_t reg)
{
	switch (reg) {
	case GICD_ISENABLER:
		/* A level may have gone meanwhile; an edge that came is kept. */
		if (!(q->flags & (VIRQ_ENABLED | VIRQ_EDGE)))
			rearm_hw(b, q, intid);
		set_flag(q, VIRQ_ENABLED, true);
		break;
	case GICD_ICENABLER:
		set_flag(q, VIRQ_ENABLED, false);
		break;
	case GICD_ISPENDR:
		set_flag(q, VIRQ_PENDING, true);
		break;
	case GICD_ICPENDR:
		if (q->flags & VIRQ_HW)
			rearm_hw(b, q, intid);
		else
			set_flag(q, VIRQ_PENDING, false);
		break;
	case GICD_ISACTIVER:
		set_active(b, q, intid, true);
		break;
	case GICD_ICACTIVER:
		set_active(b, q, intid, false);
		break;
	default:
		break;
	}
}

static bool bit_read(const struct virq *q, uint32_t reg)
{
	switch (reg) {
	case GICD_IGROUPR:
		return q->flags & VIRQ_GROUP1;
	case GICD_ISENABLER:
	case GICD_ICENABLER:
		return q->flags & VIRQ_ENABLED;
	case GICD_ISPENDR:
	case GICD_ICPENDR:
		return virq_pending(q);
	default:
		return q->flags & VIRQ_ACTIVE;
	}
}

/* --- banks of registers ------------------------------------------------------------------------------------------------------ */

/* A stretch of interrupts that one access names. */
struct bank {
	struct arm64_vm *vm;
	struct arm64_vcpu *priv; /* whose private interrupts; NULL: SPIs only */
	uint32_t first, count;
	uint32_t which;  /* bit n: interrupt first + n is concerned */
	uint32_t owners; /* their vCPUs */
};

/* Folds all owners; false: some vCPU has to be waited for. */
static bool bank_open(struct bank *b)
{
	uint32_t mask;
	bool ready = true;

	b->owners = owners(b->vm, b->priv, b->first, b->which);
	for (mask = b->owners; mask; mask &= mask - 1)
		ready &= settle(to_arm(b->vm->vm.vcpu[__builtin_ctz(mask)]));
	return ready;
}

static void bank_close(struct bank *b)
{
	uint32_t mask;

	for (mask = b->owners; mask; mask &= mask - 1)
		release(to_arm(b->vm->vm.vcpu[__builtin_ctz(mask)]));
}

static void access_bits(struct bank *b, uint32_t reg, struct mmio_access *a)
{
	uint32_t which, value = 0;

	for (which = b->which; which; which &= which - 1) {
		uint32_t i = (uint32_t)__builtin_ctz(which), intid = b->first + i;
		struct virq *q = vgic_irq(b->vm, b->priv, intid);
		struct arm64_vcpu *owner;

		if (!a->write) {
			value |= (uint32_t)bit_read(q, reg) << i;
			continue;
		}
		owner = vgic_owner(b->vm, b->priv, intid);
		if (reg == GICD_IGROUPR)
			set_flag(q, VIRQ_GROUP1, (a->value >> i) & 1);
		else
			bit_write(owner, q, intid, reg);
		vgic_set_pend_locked(b->vm, owner, q, intid);
	}
	if (!a->write)
		a->value = value;
}

static void access_priority(struct bank *b, struct mmio_access *a)
{
	uint64_t value = 0;
	uint32_t i;

	for (i = 0; i < b->count; i++) {
		struct virq *q = vgic_irq(b->vm, b->priv, b->first + i);

		if (a->write)
			q->prio = (a->value >> (8 * i)) & VGIC_PRIO_MASK;
		else
			value |= (uint64_t)q->prio << (8 * i);
	}
	if (!a->write)
		a->value = value;
}

/* SGIs are always edge-triggered; PPIs and the board's own SPIs keep what the platform says: writes of these are ignored. */
static void access_config(struct bank *b, struct mmio_access *a)
{
	uint32_t i, value = 0;

	for (i = 0; i < b->count; i++) {
		struct virq *q = vgic_irq(b->vm, b->priv, b->first + i);

		if (!a->write)
			value |= (q->flags & VIRQ_EDGE ? 2u : 0u) << (2 * i);
		else if (b->first >= VGIC_PRIVATE && !(q->flags & VIRQ_HW))
			set_flag(q, VIRQ_EDGE, (a->value >> (2 * i)) & 2);
	}
	if (!a->write)
		a->value = value;
}

/* The registers that distributor and SGI frame have in common. False: no such register. */
static bool access_bank(struct arm64_vm *vm, struct arm64_vcpu *priv, uint32_t offset, struct mmio_access *a)
{
	struct bank b = { .vm = vm, .priv = priv };
	uint32_t limit = priv ? VGIC_PRIVATE : VGIC_PRIVATE + vm->vgic.spi_count;
	uint32_t reg, kind;

	if (offset < GICD_IPRIORITYR) {
		reg = offset & ~UINT32_C(0x7f);
		kind = 1;
		b.first = (offset & 0x7c) * 8;
		b.count = 32;
	} else if (offset < GICD_ITARGETSR) {
		reg = GICD_IPRIORITYR;
		kind = 8;
		b.first = offset - GICD_IPRIORITYR;
		b.count = a->bytes;
	} else {
		reg = GICD_ICFGR;
		kind = 2;
		b.first = (offset & 0xfc) * 4;
		b.count = 16;
	}
	if (kind != 8 && a->bytes != 4)
		return false;
	if (!priv && b.first < VGIC_PRIVATE) { /* with affinity routing these are the redistributor's: RAZ/WI */
		a->value = 0;
		return true;
	}
	if (b.first + b.count > limit) {
		a->value = 0;
		return true;
	}
	/* A write of set and clear registers concerns the ones that are 1. */
	b.which = b.count == 32 ? UINT32_MAX : BIT32(b.count) - 1;
	if (a->write && kind == 1 && reg != GICD_IGROUPR)
		b.which = (uint32_t)a->value;
	spin_lock(&vm->vgic.lock);
	/* Configuration isn't in list registers: a read of it needs nobody's state. */
	if (!a->write && (reg < GICD_ISPENDR || kind != 1)) {
		b.owners = 0;
	} else if (!bank_open(&b)) {
		a->retry = true;
		spin_unlock(&vm->vgic.lock);
		return true;
	}
	if (kind == 1)
		access_bits(&b, reg, a);
	else if (kind == 8)
		access_priority(&b, a);
	else
		access_config(&b, a);
	bank_close(&b);
	spin_unlock(&vm->vgic.lock);
	return true;
}

static bool is_bank(uint32_t offset)
{
	return (offset >= GICD_IGROUPR && offset < GICD_ITARGETSR) || (offset >= GICD_ICFGR && offset < GICD_IGRPMODR);
}

/* --- distributor --------------------------------------------------------------------------------------------------------------- */

/* A group's enable changes what is deliverable everywhere. */
static void ctlr_write(struct arm64_vm *vm, struct mmio_access *a)
{
	struct bank b = { .vm = vm };
	uint32_t i, intid;

	spin_lock(&vm->vgic.lock);
	b.owners = 0;
	for (i = 0; i < vm->vm.vcpu_count; i++) {
		b.owners |= BIT32(i);
		a->retry |= !settle(to_arm(vm->vm.vcpu[i]));
	}
	if (!a->retry) {
		vm->vgic.ctlr = (uint32_t)a->value & CTLR_ENABLES;
		for (i = 0; i < vm->vm.vcpu_count; i++)
			for (intid = 0; intid < VGIC_PRIVATE; intid++)
				vgic_set_pend_locked(vm, to_arm(vm->vm.vcpu[i]),
						     &to_arm(vm->vm.vcpu[i])->vgic.priv[intid], intid);
		for (i = 0; i < vm->vgic.spi_count; i++)
			vgic_set_pend_locked(vm, to_arm(vm->vm.vcpu[vm->vgic.spi[i].target]), &vm->vgic.spi[i],
					     i + VGIC_PRIVATE);
		bank_close(&b);
	}
	spin_unlock(&vm->vgic.lock);
}

/* IROUTER: affinity to vCPU; 1-of-N (IRM) goes to vCPU 0; an affinity that nobody has leaves the interrupt where it is. */
static void router_access(struct arm64_vm *vm, uint32_t spi, struct mmio_access *a)
{
	struct virq *q = &vm->vgic.spi[spi];
	uint8_t bit = (uint8_t)(1u << (spi % 8));
	struct bank b = { .vm = vm, .first = spi + VGIC_PRIVATE, .count = 1, .which = 1 };
	uint64_t target;

	if (!a->write) {
		a->value = q->target | (vm->vgic.spi_any[spi / 8] & bit ? IROUTER_IRM : 0);
		return;
	}
	target = a->value & IROUTER_IRM ? 0 : a->value & UINT64_C(0xff00ffffff);
	spin_lock(&vm->vgic.lock);
	if (!bank_open(&b)) {
		a->retry = true;
		spin_unlock(&vm->vgic.lock);
		return;
	}
	if (target < vm->vm.vcpu_count) {
		struct arm64_vcpu *from = to_arm(vm->vm.vcpu[q->target]), *to = to_arm(vm->vm.vcpu[target]);

		bitmap_clear(from->vgic.pend, b.first);
		/* An active interrupt stays with the vCPU that is handling it until it ends there. */
		if (!(q->flags & VIRQ_ACTIVE)) {
			q->target = (uint8_t)target;
			if (q->flags & VIRQ_HW)
				gic->route(vm->vgic.spi_hw[spi], pcpu_get(sched_unit_cpu(&to->v.unit))->hw_id);
			vgic_set_pend_locked(vm, to, q, b.first);
			b.owners |= BIT32(target);
			(void)settle(to); /* only gains one: what it holds in list registers can stay */
		}
		if (a->value & IROUTER_IRM)
			vm->vgic.spi_any[spi / 8] |= bit;
		else
			vm->vgic.spi_any[spi / 8] &= (uint8_t)~bit;
	}
	bank_close(&b);
	spin_unlock(&vm->vgic.lock);
}

static bool router(struct arm64_vm *vm, uint32_t offset, struct mmio_access *a)
{
	uint32_t intid = (offset - GICD_IROUTER) / 8;
	struct mmio_access whole = { .write = a->write, .value = a->value };

	if (intid < VGIC_PRIVATE || intid - VGIC_PRIVATE >= vm->vgic.spi_count) {
		a->value = 0;
		return true;
	}
	if (a->bytes < 4)
		return false;
	if (a->bytes == 4 && (offset & 4)) { /* upper half: Aff3 is always 0 */
		a->value = 0;
		return true;
	}
	router_access(vm, intid - VGIC_PRIVATE, &whole);
	a->retry = whole.retry;
	if (!a->write)
		a->value = a->bytes == 4 ? (uint32_t)whole.value : whole.value;
	return true;
}

void vgic_dist_init(struct arm64_vm *vm)
{
	vm->vgic.typer = vm->vgic.spi_count / 32 | (vm->vm.vcpu_count - 1) << 5 | TYPER_IDBITS | TYPER_NO1N;
}

bool vgic_dist_mmio(struct vcpu *v __unused, void *dev, struct mmio_access *a)
{
	struct arm64_vm *vm = dev;
	uint32_t offset = (uint32_t)a->offset;

	if (likely(offset == GICD_TYPER)) {
		a->value = vm->vgic.typer;
		return true;
	}
	switch (offset) {
	case GICD_CTLR:
		if (a->bytes != 4)
			return false;
		if (a->write)
			ctlr_write(vm, a);
		else
			a->value = vm->vgic.ctlr | CTLR_ARE | CTLR_DS;
		return true;
	case GICD_IIDR:
		a->value = IIDR_VALUE;
		return true;
	case GIC_PIDR2:
		a->value = PIDR2_GICV3;
		return true;
	default:
		break;
	}
	if (is_bank(offset))
		return access_bank(vm, NULL, offset, a);
	if (offset >= GICD_IROUTER && offset < GICD_IROUTER_END)
		return router(vm, offset, a);
	a->value = 0; /* reserved and optional registers: RAZ/WI */
	return true;
}

/* --- redistributor --------------------------------------------------------------------------------------------------------------- */

static uint64_t redist_typer(const struct arm64_vcpu *a)
{
	uint64_t affinity = a->v.index;

	return affinity << 32 | (uint64_t)a->v.index << 8 |
	       (a->v.index + 1 == a->v.vm->vcpu_count ? GICR_TYPER_LAST : 0);
}

bool vgic_redist_mmio(struct vcpu *v __unused, void *dev, struct mmio_access *a)
{
	struct arm64_vm *vm = dev;
	uint32_t index = (uint32_t)(a->offset / GUEST_GICR_STRIDE);
	uint32_t offset = (uint32_t)(a->offset % GUEST_GICR_STRIDE);
	struct arm64_vcpu *r = to_arm(vm->vm.vcpu[index]);
	uint64_t typer;

	if (offset >= GICR_SGI_FRAME) {
		offset -= GICR_SGI_FRAME;
		if (is_bank(offset))
			return access_bank(vm, r, offset, a);
		a->value = 0;
		return true;
	}
	switch (offset) {
	case GICR_IIDR:
		a->value = IIDR_VALUE;
		return true;
	case GICR_TYPER:
	case GICR_TYPER + 4:
		typer = redist_typer(r);
		a->value = offset == GICR_TYPER ? (a->bytes == 8 ? typer : (uint32_t)typer) : typer >> 32;
		return true;
	case GICR_WAKER: /* ChildrenAsleep follows ProcessorSleep at once */
		if (a->write)
			r->vgic.processor_sleep = (a->value >> 1) & 1;
		else
			a->value = r->vgic.processor_sleep ? 6 : 0;
		return true;
	case GIC_PIDR2:
		a->value = PIDR2_GICV3;
		return true;
	default:
		a->value = 0;
		return true;
	}
}
