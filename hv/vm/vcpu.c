/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vCPUs: waiting, kicking, and the one way back to a guest when something is pending.
 *
 * vcpu_leave_slow() runs on the CPU's own stack, no lock held. It is the only place that changes which vCPU a CPU runs.
 */
#include "camber/vm.h"

#include "camber/arch/cpu.h"
#include "camber/arch/vcpu.h"
#include "camber/panic.h"
#include "vm_priv.h"

static struct vcpu *of_unit(struct sched_unit *u)
{
	return container_of(u, struct vcpu, unit);
}

void vcpu_kick(struct vcpu *v, enum sched_wake why)
{
	struct pcpu *p;
	uint32_t place;

	/* Pairs with sched_pick(): it makes the unit RUNNING before its interrupts are loaded. */
	arch_mb();
	place = READ_ONCE(v->unit.place);
	if (sched_place_state(place) == SCHED_RUNNING) {
		p = pcpu_get(sched_place_cpu(place));
		if (p != arch_pcpu() || p->current != v)
			pcpu_post(p, PCPU_WORK_IRQS);
		return;
	}
	(void)sched_wake(&v->unit, why);
}

static void wait_until(struct vcpu *v, uint64_t until)
{
	struct pcpu *p = arch_pcpu();

	if (arch_vcpu_irq_pending(v))
		return;
	sched_block(&v->unit, until);
	/* Blocked is visible now: whatever comes from here on wakes it; what came before is seen by this look. */
	arch_mb();
	if (arch_vcpu_irq_pending(v))
		(void)sched_wake(&v->unit, SCHED_WAKE_EVENT);
	pcpu_post_here(p, PCPU_WORK_RESCHED);
}

void vcpu_wait(struct vcpu *v)
{
	wait_until(v, 0);
}

int vcpu_rt_sleep(struct vcpu *v, uint64_t until)
{
	int ret = sched_rt_sleep(&v->unit, until);

	if (!ret)
		wait_until(v, until);
	return ret;
}

void vcpu_yield(void)
{
	struct pcpu *p = arch_pcpu();

	if (sched_yield(&p->sched))
		pcpu_post_here(p, PCPU_WORK_RESCHED);
}

static __cold void unload(struct pcpu *p)
{
	struct vcpu *v = p->loaded;

	arch_vcpu_switch(v, NULL);
	p->loaded = NULL;
	sched_release(&p->sched, &v->unit);
}

/* Nobody can run: sleep until an interrupt changes that. The stay isn't charged to anybody. */
static void idle(struct pcpu *p)
{
	uint64_t start = arch_now();

	p->current = NULL;
	/*
	 * One whose cap is used up: an interrupt that is pending for it must not keep the CPU from sleeping. And where a
	 * real-time unit may wake next it doesn't wait for another's state to be saved.
	 */
	if (p->loaded &&
	    unlikely(sched_unit_state(&p->loaded->unit) == SCHED_QUEUED || (p->sched.rt_ppm && !p->loaded->unit.rt)))
		unload(p);
	else if (p->loaded)
		arch_vcpu_idle(p->loaded);
	while (!READ_ONCE(p->work))
		if (trace_turn(arch_now()) || arch_irq_waits())
			arch_cpu_idle();
	p->stay_start = arch_now();
	p->sched.idle_ticks += p->stay_start - start;
}

/* What the scheduler chose becomes what the hardware holds. */
static void load(struct pcpu *p, struct vcpu *next)
{
	struct vcpu *prev = p->loaded;

	if (prev == next) {
		p->current = next;
		arch_vcpu_resume(next);
		return;
	}
	ASSERT(next->unit.place == ((uint32_t)SCHED_RUNNING << 8 | p->id));
	arch_vcpu_switch(prev, next);
	p->loaded = next;
	p->current = next;
	if (unlikely(sched_joined(&p->sched))) {
		sched_hold(&p->sched, &next->unit);
		if (prev)
			sched_release(&p->sched, &prev->unit);
	}
}

unsigned int vcpu_holder(const struct vcpu *v)
{
	unsigned int cpu = READ_ONCE(v->unit.resident);

	return cpu == SCHED_NOWHERE ? sched_unit_cpu(&v->unit) : cpu;
}

/* vCPUs of this CPU that went off: their state must not stay in the hardware, the VM may be waiting for that. */
static __cold void let_go(struct pcpu *p)
{
	struct vm *vm;
	unsigned int i, j;

	for (i = 0; (vm = vm_get(i)); i++) {
		for (j = 0; j < vm->vcpu_count; j++) {
			struct vcpu *v = vm->vcpu[j];

			if (!READ_ONCE(v->leaving) || sched_unit_state(&v->unit) != SCHED_OFF ||
			    vcpu_holder(v) != p->id)
				continue;
			p->current = NULL;
			if (unlikely(!v->powered && vm_vcpu_record(v))) {
				if (p->loaded != v)
					arch_vcpu_switch(p->loaded, v);
				p->loaded = v;
				arch_vcpu_log(v);
			}
			if (p->loaded == v)
				unload(p);
			else /* chosen, perhaps, and never loaded */
				sched_release(&p->sched, &v->unit);
			vm_vcpu_gone(v);
		}
	}
}

/* The scheduler chose somebody else, or nobody, or a VM that is still being loaded. True: enter p->current. */
static bool settle(struct pcpu *p, struct sched_unit *u)
{
	struct vcpu *next;

	if (unlikely(!u)) {
		idle(p);
		return false;
	}
	next = of_unit(u);
	if (unlikely(READ_ONCE(next->vm->state) != VM_RUNNING)) {
		p->current = NULL;
		/* STOPPING, PAUSING: whoever does it is about to take this unit off; nothing of it runs until then. */
		if (next->vm->state == VM_LOADING)
			vm_load_turn(next->vm);
		arch_cpu_poll();
		p->stay_start = arch_now(); /* each turn is a stay of its own, bounded by its budget */
		pcpu_post_here(p, PCPU_WORK_RESCHED);
		return false;
	}
	/* The switch is long: what has come meanwhile may want another one. */
	if (p->loaded != next && unlikely(arch_irq_waits())) {
		p->current = NULL;
		arch_cpu_poll();
		if (READ_ONCE(p->work) & ~PCPU_WORK_IRQS)
			return false;
	}
	load(p, next);
	return true;
}

struct vcpu *vcpu_leave_slow(struct pcpu *p)
{
	bool ready;

	do {
		uint32_t work = __atomic_exchange_n(&p->work, 0, __ATOMIC_ACQUIRE);
		struct sched_unit *u;

		if (!(work & ~PCPU_WORK_IRQS) && p->current) {
			arch_vcpu_sync_irqs(p->current);
			ready = true;
			continue;
		}
		if (unlikely(work & PCPU_WORK_TIMERS))
			timer_queue_run(&p->timers);
		u = sched_pick(&p->sched);
		arch_mb(); /* pairs with vcpu_kick(): RUNNING is visible before virtual interrupts are looked at */
		if (unlikely(work & PCPU_WORK_LEAVING))
			let_go(p);
		ready = settle(p, u);
	} while (unlikely(!ready || READ_ONCE(p->work)));
	return p->current;
}
