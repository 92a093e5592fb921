/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Physical interrupts: choice of the GIC driver, and who handles what arrives at EL2.
 *
 * Own CPU, interrupts masked, no lock held. Handlers may leave work behind (p->work) but never wait.
 */
#include "gic.h"

#include "abi/platform.h"
#include "arm64.h"
#include "camber/arch/cpu.h"
#include "camber/console.h"
#include "camber/errno.h"
#include "camber/log.h"
#include "platform.h"
#include "sysregs.h"

const struct gic_ops *gic;
unsigned int gic_lr_count;

int gic_init(const struct platform *hw)
{
	if (!hw->gic_seen) {
		log_line("no interrupt controller in the device tree: a GICv3 is needed (QEMU: -M virt,gic-version=3)");
		return -ENODEV;
	}
	if (!hw->gic_is_v3) {
		log_line("GICv2 found: this board needs GICv3 (QEMU: -M virt,gic-version=3)");
		return -ENODEV;
	}
	gic = &gicv3_ops;
	return gic->init(hw);
}

static void handle_sgi(struct pcpu *p, uint32_t intid)
{
	uint32_t irqs = PCPU_WORK_IRQS;

	if (unlikely(intid == GIC_SGI_STOP)) {
		((struct arm64_pcpu *)p)->stopped = true;
		arch_halt();
	}
	/*
	 * A kick: coming here was the point, the work flags say why. The most frequent reason, an interrupt for the vCPU
	 * that runs, is served right here rather than by way of vcpu_leave_slow().
	 */
	if (p->current && __atomic_compare_exchange_n(&p->work, &irqs, 0, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		vgic_sync(to_arm(p->current));
}

static void (*trace_irq)(void);

void gic_trace_irq(void (*irq)(void))
{
	trace_irq = irq;
	gic->enable(platform.trace_intid);
}

/* Handled wholly in EL2, so it ends here. */
void gic_handle_other(uint32_t intid)
{
	struct pcpu *p = arch_pcpu();

	if (intid < 16) {
		gic->deactivate(intid);
		handle_sgi(p, intid);
		return;
	}
	if (intid == GUEST_PPI_HYP_TIMER) {
		timer_queue_run(&p->timers);
	} else if (intid == GUEST_PPI_MAINTENANCE) {
		if (p->loaded)
			vgic_maintenance(to_arm(p->loaded));
	} else if (intid == platform.uart_intid) {
		console_irq();
	} else if (intid != GUEST_PPI_VTIMER) { /* that one: late, its vCPU was just unloaded */
		static struct log_limit limit;

		if (vgic_hw_fired(intid))
			return;
		if (trace_irq && intid == platform.trace_intid)
			trace_irq();
		else if (log_limit_pass(&limit, 1))
			log_line("interrupt %u is nobody's", intid);
	}
	gic->deactivate(intid);
}

/* One interrupt a turn: a second one traps again at once, so no loop is needed, and none can be made to run long. */
void gic_handle_irqs(void)
{
	gic->handle_irqs();
}

void arch_cpu_poll(void)
{
	gic_handle_irqs();
}

void arch_cpu_idle(void)
{
	/* Masked interrupts wake too (Arm ARM D1.6.2), and the handler is called directly: no vector is taken. */
	dsb(sy);
	__asm__ volatile("wfi" ::: "memory");
	write_sysreg(esr_el2, 0); /* the next stay begins with an interrupt */
	gic_handle_irqs();
}

void arch_cpu_kick(unsigned int cpu)
{
	gic->send_sgi(cpu, GIC_SGI_KICK);
}
