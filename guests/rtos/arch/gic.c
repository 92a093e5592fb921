/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GICv3 (IHI 0069): distributor, one redistributor, CPU interface by system registers.
 *
 * Everything is group 1, SPIs go to this CPU by affinity routing. EOImode 0: one write ends an interrupt. The handler
 * table is written with interrupts masked and read by irq_handle(); one CPU, so there is no lock. Part of the public
 * interface is here: rtos_irq_attach() and what else is about the interrupt controller.
 */
#include "arch/gic.h"

#include "arch/cpu.h"
#include "kernel/sched.h"

#include "abi/platform.h"

#include <stddef.h>

/* Distributor, IHI 0069 12.9. With one security state bits 1 and 4 mean the same as seen from non-secure. */
#define GICD_CTLR 0x0000
#define GICD_CTLR_ENABLE_GRP1 (1u << 1)
#define GICD_CTLR_ARE (1u << 4)
#define GICD_CTLR_RWP (1u << 31)
#define GICD_TYPER 0x0004
#define GICD_IROUTER(n) (0x6000 + 8 * (uintptr_t)(n))

/* Common to the distributor and the redistributor's SGI frame. */
#define GIC_IGROUPR(n) (0x0080 + 4 * ((uintptr_t)(n) / 32))
#define GIC_ISENABLER(n) (0x0100 + 4 * ((uintptr_t)(n) / 32))
#define GIC_ICENABLER(n) (0x0180 + 4 * ((uintptr_t)(n) / 32))
#define GIC_ICPENDR(n) (0x0280 + 4 * ((uintptr_t)(n) / 32))
#define GIC_ICACTIVER(n) (0x0380 + 4 * ((uintptr_t)(n) / 32))
#define GIC_IPRIORITYR(n) (0x0400 + ((uintptr_t)(n) & ~(uintptr_t)3))
#define GIC_ICFGR(n) (0x0c00 + 4 * ((uintptr_t)(n) / 16))

/* Redistributor, IHI 0069 12.11. */
#define GICR_TYPER 0x0008
#define GICR_TYPER_LAST (UINT64_C(1) << 4)
#define GICR_WAKER 0x0014
#define GICR_WAKER_PROCESSOR_SLEEP (1u << 1)
#define GICR_WAKER_CHILDREN_ASLEEP (1u << 2)
#define GICR_SGI_FRAME 0x10000

/* CPU interface, IHI 0069 12.2, by encoding: assemblers know the names only with +gic. */
#define ICC_IAR1_EL1 S3_0_C12_C12_0
#define ICC_EOIR1_EL1 S3_0_C12_C12_1
#define ICC_BPR1_EL1 S3_0_C12_C12_3
#define ICC_CTLR_EL1 S3_0_C12_C12_4
#define ICC_SRE_EL1 S3_0_C12_C12_5
#define ICC_IGRPEN1_EL1 S3_0_C12_C12_7
#define ICC_PMR_EL1 S3_0_C4_C6_0
#define ICC_SGI1R_EL1 S3_0_C12_C11_5

#define INTID_MASK 0xffffffu
#define INTID_SPECIAL 1020u /* 1020..1023: nothing to handle, nothing to end */
#define INTID_NONE UINT32_MAX
#define SPI_FIRST 32u
#define SGI_COUNT 16u

/* Polls of a register before we call the GIC broken; it needs a handful. */
#define GIC_POLL_LIMIT 100000u

struct attached {
	rtos_irq_handler_t *handler;
	void *arg;
};

static uintptr_t redistributor;
static struct attached attached[RTOS_INTID_MAX + 1];
static uint32_t stray_count;

static bool gic_wait_clear(uintptr_t reg, uint32_t bits)
{
	for (uint32_t i = 0; i < GIC_POLL_LIMIT; i++) {
		if (!(mmio_read32(reg) & bits))
			return true;
		cpu_yield();
	}
	return false;
}

/* Finds this CPU's redistributor: GICR_TYPER[63:32] is the affinity, MPIDR_EL1 has Aff3 in bits 39:32. */
static bool gic_find_redistributor(void)
{
	uint64_t mpidr = sysreg_read(mpidr_el1);
	uint32_t affinity = (uint32_t)((mpidr & 0xffffff) | ((mpidr >> 8) & 0xff000000));
	uintptr_t base = GUEST_GICR_BASE;
	uint64_t typer;

	do {
		typer = mmio_read64(base + GICR_TYPER);
		if ((uint32_t)(typer >> 32) == affinity) {
			redistributor = base;
			return true;
		}
		base += GUEST_GICR_STRIDE;
	} while (!(typer & GICR_TYPER_LAST) && base < GUEST_UART_BASE);
	return false;
}

/* Brings one group of 32 interrupts to a known state: group 1, disabled, neither pending nor active. */
static void gic_quiesce(uintptr_t frame, uint32_t intid)
{
	mmio_write32(frame + GIC_ICENABLER(intid), ~0u);
	mmio_write32(frame + GIC_ICPENDR(intid), ~0u);
	mmio_write32(frame + GIC_ICACTIVER(intid), ~0u);
	mmio_write32(frame + GIC_IGROUPR(intid), ~0u);
}

const char *gic_init(void)
{
	uint32_t lines;

	/* ID_AA64PFR0_EL1.GIC: without system registers the accesses below would be undefined. */
	if (((sysreg_read(id_aa64pfr0_el1) >> 24) & 0xf) == 0)
		return "no GICv3 system registers (bare QEMU: -M virt,gic-version=3)";
	sysreg_write(ICC_SRE_EL1, 1);
	isb();
	if (!(sysreg_read(ICC_SRE_EL1) & 1))
		return "GICv3 system registers are not enabled for EL1";

	mmio_write32(GUEST_GICD_BASE + GICD_CTLR, GICD_CTLR_ARE);
	if (!gic_wait_clear(GUEST_GICD_BASE + GICD_CTLR, GICD_CTLR_RWP))
		return "GICD_CTLR.RWP does not clear";
	lines = 32 * ((mmio_read32(GUEST_GICD_BASE + GICD_TYPER) & 0x1f) + 1);
	for (uint32_t intid = SPI_FIRST; intid < lines && intid <= RTOS_INTID_MAX; intid += 32)
		gic_quiesce(GUEST_GICD_BASE, intid);
	mmio_write32(GUEST_GICD_BASE + GICD_CTLR, GICD_CTLR_ARE | GICD_CTLR_ENABLE_GRP1);

	if (!gic_find_redistributor())
		return "no redistributor for this CPU";
	mmio_write32(redistributor + GICR_WAKER, mmio_read32(redistributor + GICR_WAKER) & ~GICR_WAKER_PROCESSOR_SLEEP);
	if (!gic_wait_clear(redistributor + GICR_WAKER, GICR_WAKER_CHILDREN_ASLEEP))
		return "GICR_WAKER.ChildrenAsleep does not clear";
	gic_quiesce(redistributor + GICR_SGI_FRAME, 0);

	sysreg_write(ICC_PMR_EL1, 0xff);
	sysreg_write(ICC_BPR1_EL1, 0);
	sysreg_write(ICC_CTLR_EL1, 0);
	sysreg_write(ICC_IGRPEN1_EL1, 1);
	isb();
	return NULL;
}

void gic_attach(uint32_t intid, uint32_t priority, rtos_irq_handler_t *handler, void *arg)
{
	uintptr_t frame = intid < SPI_FIRST ? redistributor + GICR_SGI_FRAME : GUEST_GICD_BASE;
	uint32_t priority_shift = 8 * (intid % 4), config_shift = 2 * (intid % 16);
	uint32_t value;

	attached[intid] = (struct attached){ handler, arg };
	value = mmio_read32(frame + GIC_IPRIORITYR(intid)) & ~(0xffu << priority_shift);
	mmio_write32(frame + GIC_IPRIORITYR(intid), value | priority << priority_shift);
	if (intid >= SGI_COUNT) { /* GICR_ICFGR0 is read-only */
		value = mmio_read32(frame + GIC_ICFGR(intid)) & ~(3u << config_shift);
		mmio_write32(frame + GIC_ICFGR(intid), value);
	}
	if (intid >= SPI_FIRST)
		mmio_write64(frame + GICD_IROUTER(intid), sysreg_read(mpidr_el1) & UINT64_C(0xff00ffffff));
	mmio_write32(frame + GIC_ISENABLER(intid), 1u << (intid % 32));
}

int rtos_irq_attach(uint32_t intid, enum rtos_irq_priority priority, rtos_irq_handler_t *handler, void *arg)
{
	uint64_t saved;

	if (intid > RTOS_INTID_MAX || !handler || (uint32_t)priority > 0xff || intid == GUEST_PPI_VTIMER ||
	    intid == GUEST_UART_INTID)
		return RTOS_EINVAL;
	saved = irq_save();
	gic_attach(intid, (uint32_t)priority, handler, arg);
	irq_restore(saved);
	return RTOS_OK;
}

/* ICC_SGI1R_EL1 (IHI 0069, 12.2.20): INTID, affinity and, in the target list, this CPU alone. */
int rtos_irq_raise(uint32_t intid)
{
	uint64_t mpidr = sysreg_read(mpidr_el1);
	uint64_t aff0 = mpidr & 0xff, aff1 = mpidr >> 8 & 0xff, aff2 = mpidr >> 16 & 0xff, aff3 = mpidr >> 32 & 0xff;

	if (intid > RTOS_INTID_SOFTWARE_MAX)
		return RTOS_EINVAL;
	sysreg_write(ICC_SGI1R_EL1, aff3 << 48 | aff0 / 16 << 44 | aff2 << 32 | (uint64_t)intid << 24 | aff1 << 16 |
					    UINT64_C(1) << aff0 % 16);
	isb();
	return RTOS_OK;
}

uint64_t rtos_irq_entry_time(void)
{
	return sched.interrupt_entry;
}

uint32_t rtos_irq_stray_count(void)
{
	return stray_count;
}

/*
 * From vectors.S, on the interrupts' stack. One interrupt a call: a second one is taken again right after the
 * exception return. Returns 0, or the task that must run instead of the interrupted one; bit 0 then says that this was
 * the idle task.
 */
uintptr_t irq_handle(uint64_t entry);
uintptr_t irq_handle(uint64_t entry)
{
	uint32_t intid = (uint32_t)sysreg_read(ICC_IAR1_EL1) & INTID_MASK;
	struct rtos_task *top;

	dsb_sy(); /* the acknowledge is seen by the GIC before the handler quiets the device (IHI 0069, 4.4) */
	sched.in_interrupt = true;
	sched.interrupt_entry = entry;
	if (intid <= RTOS_INTID_MAX && attached[intid].handler)
		attached[intid].handler(attached[intid].arg);
	else if (intid >= INTID_SPECIAL && intid < INTID_SPECIAL + 4)
		intid = INTID_NONE;
	else
		stray_count++;
	sched.in_interrupt = false;
	dsb_sy(); /* the device dropped its line before the interrupt can be signalled again */
	if (intid != INTID_NONE)
		sysreg_write(ICC_EOIR1_EL1, intid);
	isb();
	top = sched_top();
	if (top == sched.current)
		return 0;
	return (uintptr_t)top | (sched.current->priority == 0);
}
