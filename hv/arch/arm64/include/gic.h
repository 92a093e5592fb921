/* SPDX-License-Identifier: Apache-2.0 */
/* Physical interrupt controller: what differs between GIC versions, behind one constant table. */
#ifndef ARM64_GIC_H
#define ARM64_GIC_H

#include "camber/types.h"

struct platform;

/* SGIs between physical CPUs. */
#define GIC_SGI_KICK 0u
#define GIC_SGI_STOP 1u

#define GIC_PRIO_DEFAULT 0xa0u

struct gic_vif;

struct gic_ops {
	const char *name;
	/* Boot CPU: distributor. 0, or -ENODEV with a line of log. */
	int (*init)(const struct platform *hw);
	/* Each CPU: redistributor or CPU interface, virtual interface. 0 or -ENODEV. */
	int (*init_cpu)(unsigned int cpu);
	/*
	 * Acknowledges what is pending (one interrupt, if any), drops its priority, and passes it on: the loaded vCPU's
	 * virtual timer to vgic_vtimer_fired(), which leaves it active; all else to gic_handle_other().
	 */
	void (*handle_irqs)(void);
	void (*deactivate)(uint32_t intid);
	void (*send_sgi)(unsigned int cpu, uint32_t sgi);
	/* SPI: to this CPU. PPI: on this CPU. */
	void (*enable)(uint32_t intid);
	void (*disable)(uint32_t intid);               /* SPI: neither pending nor active afterwards */
	void (*configure)(uint32_t intid, bool edge);  /* SPI, disabled */
	void (*route)(uint32_t intid, uint64_t hw_id); /* SPI: to the CPU of that affinity */
	void (*set_active)(uint32_t intid);            /* SPI, or PPI of this CPU */
	/*
	 * Virtual CPU interface of this CPU. List registers, in GICv3's format: code for each, one behind the other, void
	 * write(uint64_t value) and uint64_t read(void); a table of addresses would have to be relocated.
	 */
	const char *lr_write, *lr_read;
	void (*hcr_write)(uint64_t value);
	uint32_t (*eoi_count)(void);
	void (*vif_save)(struct gic_vif *vif);
	void (*vif_load)(const struct gic_vif *vif);
};

extern const struct gic_ops *gic;
extern unsigned int gic_lr_count; /* list registers that the CPUs have (1..16) */
extern const struct gic_ops gicv3_ops;

#define GIC_LR_CODE 8u /* bytes for each list register */

static inline uint64_t gic_lr_read(unsigned int n)
{
	return ((uint64_t(*)(void))(uintptr_t)(gic->lr_read + (size_t)n * GIC_LR_CODE))();
}

static inline void gic_lr_write(unsigned int n, uint64_t value)
{
	((void (*)(uint64_t))(uintptr_t)(gic->lr_write + (size_t)n * GIC_LR_CODE))(value);
}

/* Chooses the driver for the machine; 0, or -ENODEV with one clear line. */
int gic_init(const struct platform *hw);

/* Boot: who handles the interrupt platform.trace_intid, which no VM owns. */
void gic_trace_irq(void (*irq)(void));

/* Takes and handles an interrupt that is pending on this CPU, if there is one. */
void gic_handle_irqs(void);

/* For drivers: an interrupt whose priority was dropped, not yet deactivated. */
void gic_handle_other(uint32_t intid);

#endif
