/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Generic timers of guests (Arm ARM D12).
 *
 * The virtual timer is the hardware's while the vCPU is loaded, its interrupt tied to PPI 27 by a hardware list register;
 * while the vCPU is switched out, a software timer on its CPU's queue stands in. CNTVOFF_EL2 is a VM's constant. The EL1
 * physical timer is emulated: stock kernels don't use it, so switching its registers would be paid for by everybody.
 * Own CPU or vCPU not loaded; no lock held but the ones that the vGIC and the timer queue take.
 */
#include "arm64.h"
#include "abi/platform.h"
#include "camber/arch/cpu.h"
#include "sysregs.h"

static struct arm64_vcpu *of_virt(struct timer *t)
{
	return container_of(t, struct arm64_vcpu, timer.virt);
}

static struct arm64_vcpu *of_phys(struct timer *t)
{
	return container_of(t, struct arm64_vcpu, timer.phys);
}

static struct timer_queue *own_queue(void)
{
	return &arch_pcpu()->timers;
}

/*
 * The deadline of a vCPU that isn't loaded has come. Its interrupt is made pending when it is loaded (vtimer_load()): nobody but the vCPU
 * itself looks at it.
 */
static void virt_expired(struct timer *t)
{
	struct arm64_vcpu *a = of_virt(t);

	if (!a->v.unit.due)
		a->v.unit.due = t->deadline;
	(void)sched_wake(&a->v.unit, SCHED_WAKE_TIMER);
}

/* --- physical timer, emulated ----------------------------------------------------------------------------------------- */

static uint64_t phys_count(void)
{
	return arch_now();
}

static bool phys_due(const struct vtimer *t)
{
	/* TimerConditionMet: unsigned distance as a signed number would make 2^64-1 "past"; the comparison is unsigned. */
	return (t->cntp_ctl & CNT_CTL_ENABLE) && phys_count() >= t->cntp_cval;
}

static void phys_update(struct arm64_vcpu *a)
{
	struct vtimer *t = &a->timer;
	bool due = phys_due(t);

	if ((t->cntp_ctl & (CNT_CTL_ENABLE | CNT_CTL_IMASK)) == CNT_CTL_ENABLE && !due)
		timer_arm(&t->phys, own_queue(), t->cntp_cval);
	else
		timer_cancel(&t->phys);
	vgic_line_private(a, GUEST_PPI_PTIMER, due && !(t->cntp_ctl & CNT_CTL_IMASK));
}

static void phys_expired(struct timer *t)
{
	phys_update(of_phys(t));
}

bool vtimer_ptimer_access(struct arm64_vcpu *a, uint32_t op2, uint64_t *value, bool write)
{
	struct vtimer *t = &a->timer;

	if (!write) {
		switch (op2) {
		case 0: /* TVAL: 32 bits, sign irrelevant to a read of Xt (zero-extended in 63:32, RES0) */
			*value = (uint32_t)(t->cntp_cval - phys_count());
			return true;
		case 1:
			*value = t->cntp_ctl | (phys_due(t) ? CNT_CTL_ISTATUS : 0);
			return true;
		default:
			*value = t->cntp_cval;
			return true;
		}
	}
	switch (op2) {
	case 0:
		t->cntp_cval = phys_count() + (uint64_t)(int64_t)(int32_t)*value;
		break;
	case 1:
		t->cntp_ctl = *value & (CNT_CTL_ENABLE | CNT_CTL_IMASK);
		break;
	default:
		t->cntp_cval = *value;
	}
	phys_update(a);
	return true;
}

/* --- virtual timer ------------------------------------------------------------------------------------------------------ */

void vtimer_init(struct arm64_vcpu *a)
{
	timer_init(&a->timer.virt, virt_expired);
	timer_init(&a->timer.phys, phys_expired);
}

void vtimer_reset(struct arm64_vcpu *a)
{
	timer_cancel(&a->timer.virt);
	timer_cancel(&a->timer.phys);
	a->timer.cntv_ctl = 0;
	a->timer.cntv_cval = 0;
	a->timer.cntp_ctl = 0;
	a->timer.cntp_cval = 0;
}

/* When the interrupt comes that the guest has programmed; TIME_NEVER: none, or it has come, and only the guest can program the next. */
static inline uint64_t virt_deadline(const struct arm64_vcpu *a)
{
	const struct vtimer *t = &a->timer;
	uint64_t deadline;

	if ((t->cntv_ctl & (CNT_CTL_ENABLE | CNT_CTL_IMASK)) != CNT_CTL_ENABLE ||
	    (a->vgic.priv[GUEST_PPI_VTIMER].flags & (VIRQ_PENDING | VIRQ_ACTIVE)) ||
	    __builtin_add_overflow(t->cntv_cval, to_arm_vm(a->v.vm)->cntvoff, &deadline))
		return TIME_NEVER;
	return deadline;
}

/* The vGIC has been saved. */
void vtimer_save(struct arm64_vcpu *a)
{
	struct vtimer *t = &a->timer;
	struct sched_unit *u = &a->v.unit;
	uint64_t deadline;

	t->cntv_ctl = read_sysreg(cntv_ctl_el0);
	t->cntv_cval = read_sysreg(cntv_cval_el0);
	write_sysreg(cntv_ctl_el0, 0);
	deadline = virt_deadline(a);
	/* One that is only waiting for its CPU finds out by itself, in vtimer_load(). */
	if (sched_unit_state(u) == SCHED_BLOCKED && deadline != TIME_NEVER &&
	    likely(!u->sleeps || !sched_rt_sleep_ends(u, deadline)))
		timer_arm(&t->virt, own_queue(), deadline);
}

__cold __attribute__((noinline)) void vtimer_trace(const struct arm64_vcpu *a)
{
	uint64_t deadline = read_sysreg(cntv_cval_el0) + to_arm_vm(a->v.vm)->cntvoff;

	trace_put_fast(&arch_pcpu()->trace, TICK, a->v.unit.id, trace_span(arch_now() - deadline));
}

void vtimer_move(struct arm64_vcpu *a)
{
	timer_cancel_sync(&a->timer.virt);
	timer_cancel_sync(&a->timer.phys);
	phys_update(a);
}

bool vtimer_load(struct arm64_vcpu *a)
{
	struct vtimer *t = &a->timer;
	uint64_t deadline;

	if (timer_armed(&t->virt))
		timer_cancel(&t->virt);
	write_sysreg(cntvoff_el2, to_arm_vm(a->v.vm)->cntvoff);
	write_sysreg(cntv_cval_el0, t->cntv_cval);
	write_sysreg(cntv_ctl_el0, t->cntv_ctl);
	deadline = virt_deadline(a);
	return deadline != TIME_NEVER && arch_now() >= deadline;
}

void arch_timer_set(uint64_t deadline)
{
	if (deadline == TIME_NEVER) {
		write_sysreg(cnthp_ctl_el2, 0);
		return;
	}
	write_sysreg(cnthp_cval_el2, deadline);
	write_sysreg(cnthp_ctl_el2, CNT_CTL_ENABLE);
}
