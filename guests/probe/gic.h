/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GICv3 (Arm IHI 0069): distributor and redistributor registers, and what the cases do with them.
 */
#ifndef PROBE_GIC_H
#define PROBE_GIC_H

#include "abi/platform.h"
#include "probe.h"

/* IHI 0069H, 12.9 */
#define GICD_CTLR 0x0000
#define GICD_TYPER 0x0004
#define GICD_IIDR 0x0008
#define GICD_IGROUPR 0x0080
#define GICD_ISENABLER 0x0100
#define GICD_ICENABLER 0x0180
#define GICD_ISPENDR 0x0200
#define GICD_ICPENDR 0x0280
#define GICD_ISACTIVER 0x0300
#define GICD_ICACTIVER 0x0380
#define GICD_IPRIORITYR 0x0400
#define GICD_ICFGR 0x0c00
#define GICD_IROUTER 0x6000
#define GICD_PIDR2 0xffe8

#define GICD_CTLR_GRP1 (1u << 1)
#define GICD_CTLR_ARE (1u << 4)
#define GICD_CTLR_RWP (1u << 31)

/* IHI 0069H, 12.11; the SGI frame's registers have the distributor's offsets */
#define GICR_CTLR 0x0000
#define GICR_IIDR 0x0004
#define GICR_TYPER 0x0008
#define GICR_WAKER 0x0014
#define GICR_PIDR2 0xffe8
#define GICR_SGI_FRAME 0x10000

#define GICR_TYPER_LAST (1u << 4)
#define GICR_WAKER_SLEEP (1u << 1)
#define GICR_WAKER_CHILDREN (1u << 2)

#define ICC_SGI1R_IRM (1ull << 40)
#define ICC_CTLR_EOIMODE (1ull << 1)

#define INTID_SPURIOUS 1023u
#define PRIO_DEFAULT 0xa0u

static inline uint32_t gicd_read(uint32_t reg)
{
	return read32(GUEST_GICD_BASE + reg);
}

static inline void gicd_write(uint32_t reg, uint32_t value)
{
	write32(GUEST_GICD_BASE + reg, value);
}

void gic_init(void);               /* distributor: all interrupts known and off; once, before cpu_init */
void gic_cpu_init(void);           /* this CPU's redistributor and CPU interface; PPIs and SGIs off but SGIs' group */
uint64_t gic_redist(uint32_t cpu); /* address of a CPU's redistributor, 0 if there is none */
void gic_reset(void); /* boot CPU: back to the state after gic_init and gic_cpu_init, nothing pending or active */
uint32_t gic_line_count(void); /* INTIDs that the distributor has */

/* Any INTID; SGIs and PPIs are those of the calling CPU. */
void gic_enable(uint32_t intid);
void gic_disable(uint32_t intid);
void gic_set_pending(uint32_t intid);
void gic_clear_pending(uint32_t intid);
bool gic_is_pending(uint32_t intid);
void gic_set_active(uint32_t intid);
void gic_clear_active(uint32_t intid);
bool gic_is_active(uint32_t intid);
void gic_set_prio(uint32_t intid, uint8_t prio);
void gic_set_edge(uint32_t intid, bool edge);
void gic_route(uint32_t intid, uint64_t mpidr);
/* An interrupt ready to be raised by gic_set_pending: edge, to this CPU, with this priority, enabled. */
void gic_setup_edge(uint32_t intid, uint8_t prio);

/* CPU interface */
uint32_t gic_ack(void);
void gic_eoi(uint32_t intid);
void gic_dir(uint32_t intid);
uint32_t gic_rpr(void);
uint32_t gic_hppir(void);
void gic_set_pmr(uint32_t value);
void gic_set_eoimode(bool split);
void gic_sgi(uint64_t mpidr, uint32_t intid);
void gic_sgi_others(uint32_t intid);

void gic_handle_irq(void); /* from vectors.S */
void gic_irq_default(struct cpu *c, uint32_t intid);
void gic_log(struct cpu *c, uint32_t intid);

/* Let what is pending come in: opens IRQs for a moment. */
void gic_take_pending(void);
/* Times that an INTID is in the CPU's log. */
uint32_t gic_log_count(const struct cpu *c, uint32_t intid);

#endif
