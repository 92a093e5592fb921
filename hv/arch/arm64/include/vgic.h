/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual GICv3 (IHI 0069) of a VM.
 *
 * State lives in struct virq except for what is in a list register of the vCPU that is loaded on a CPU. List registers are
 * used only while loaded: saving a vCPU folds them back, so a vCPU that isn't loaded is described by memory alone.
 * One lock per VM guards all of it. Another CPU may change virq state at any time and then asks the vCPU's CPU to
 * synchronise (vgic_vcpu.resync); it never touches a foreign list register.
 */
#ifndef ARM64_VGIC_H
#define ARM64_VGIC_H

#include "camber/mmio.h"
#include "camber/spinlock.h"

#define VGIC_PRIVATE 32u
#define VGIC_IRQS (VGIC_PRIVATE + CONFIG_SPI_MAX)
#define VGIC_WORDS ((VGIC_IRQS + 63) / 64)
#define VGIC_LR_MAX 16u
#define VGIC_PRIO_MASK 0xf8u /* 5 bits, as the hardware interface has at least */

#define VIRQ_ENABLED (1u << 0)
#define VIRQ_PENDING (1u << 1) /* latched: edge, SGI, or ISPENDR */
#define VIRQ_LINE (1u << 2)    /* level of the input, for level-sensitive ones */
#define VIRQ_ACTIVE (1u << 3)
#define VIRQ_EDGE (1u << 4)
#define VIRQ_GROUP1 (1u << 5)
#define VIRQ_HW (1u << 6) /* a physical interrupt is tied to it: for PPIs that of the same number, for SPIs spi_hw[] */
#define VIRQ_AGAIN (1u << 7) /* became pending anew while another CPU's list register held it */

/* Virtual CPU interface of a vCPU that isn't loaded (IHI 0069 12.4): ICH_VMCR_EL2, ICH_AP0R<n>_EL2, ICH_AP1R<n>_EL2. */
struct gic_vif {
	uint64_t vmcr;
	uint64_t ap0r[4], ap1r[4];
};

struct virq {
	uint8_t flags;
	uint8_t prio;
	uint8_t lr;     /* list register + 1 of the vCPU that owns it, 0 = none; may be stale: an inactive LR */
	uint8_t target; /* vCPU index (SPIs) */
};

#define VGIC_BUSY_PEND (1u << 0)    /* some bit of pend may be set */
#define VGIC_BUSY_SPILLED (1u << 1) /* active ones remained outside at the last refill */
#define VGIC_BUSY_HOLD (1u << 2)    /* a sibling is at work on its state: fold, but don't refill */

#define VGIC_CHANGED_MANY UINT16_MAX

struct vgic_vcpu {
	struct virq priv[VGIC_PRIVATE];
	uint64_t pend[VGIC_WORDS];   /* deliverable and not in a list register, by INTID */
	uint64_t active[VGIC_WORDS]; /* active and not in a list register */
	uint16_t lr_intid[VGIC_LR_MAX];
	union {
		struct {
			uint32_t lr_used; /* list registers written since the last fold; 0 = memory says it all */
			bool resync;      /* a fold and a refill are due on the CPU that has it loaded */
			uint8_t busy;     /* VGIC_BUSY_*: a new interrupt can't just take a list register */
			bool active_any;  /* some bit of active may be set */
			bool unused;
		};
		uint64_t
			attention; /* all of them: none is the usual case; no list register is used where it is loaded */
	};
	bool loaded;             /* on some CPU */
	uint16_t changed;        /* with resync: the one interrupt that another CPU changed, or VGIC_CHANGED_MANY */
	uint8_t processor_sleep; /* GICR_WAKER */
	uint64_t hcr;            /* ICH_HCR_EL2 as wanted while loaded */
	struct gic_vif vif;
};

struct vgic_vm {
	struct spinlock lock;
	uint32_t ctlr; /* GICD_CTLR enables: bit 0 group 0, bit 1 group 1 */
	uint32_t spi_count;
	uint32_t typer; /* GICD_TYPER */
	struct virq spi[CONFIG_SPI_MAX];
	uint16_t spi_hw[CONFIG_SPI_MAX];      /* with VIRQ_HW: the board's INTID behind it; 0: none. Boot only */
	uint8_t spi_edge[CONFIG_SPI_MAX / 8]; /* and whether that is edge-triggered */
	uint8_t spi_any[CONFIG_SPI_MAX / 8];  /* IROUTER.Interrupt_Routing_Mode */
};

static inline bool virq_pending(const struct virq *q)
{
	return (q->flags & VIRQ_PENDING) || (q->flags & (VIRQ_LINE | VIRQ_EDGE)) == VIRQ_LINE;
}

/* Enabled, its group too, and not active: once pending it may be offered to the guest. */
static inline bool virq_open(const struct vgic_vm *g, const struct virq *q)
{
	return (q->flags & (VIRQ_ENABLED | VIRQ_ACTIVE)) == VIRQ_ENABLED &&
	       (g->ctlr & (q->flags & VIRQ_GROUP1 ? 2 : 1));
}

static inline bool virq_deliverable(const struct vgic_vm *g, const struct virq *q)
{
	return virq_pending(q) && virq_open(g, q);
}

struct arm64_vcpu;
struct arm64_vm;

/* What the handler of a trap did. */
enum trap_result {
	TRAP_HANDLED,   /* done; PC already right */
	TRAP_SKIP,      /* done; go on after the trapped instruction */
	TRAP_UNHANDLED, /* nobody emulates it: undefined instruction in the guest */
};

int vgic_vm_init(struct arm64_vm *vm);
void vgic_vm_reset(struct arm64_vm *vm);
void vgic_vcpu_reset(struct arm64_vcpu *a);

/* Makes a shared interrupt pending (edge meaning) that the VM has. Any CPU. Wakes, raises or kicks its vCPU. */
void vgic_pend_spi(struct arm64_vm *vm, uint32_t intid);

/* Sets the level of a private (own CPU or not loaded) or shared interrupt. */
void vgic_line_spi(struct arm64_vm *vm, uint32_t intid, bool level);
void vgic_line_private(struct arm64_vcpu *a, uint32_t intid, bool level);

/*
 * The hardware's virtual timer fired for the loaded vCPU, which is woken if it sleeps in EL2; the physical interrupt stays
 * active until the guest is done.
 */
void vgic_vtimer_fired(struct arm64_vcpu *a);

/* The virtual timer's deadline came while the vCPU, which has just been loaded, wasn't. */
void vgic_vtimer_due(struct arm64_vcpu *a);

/*
 * An SPI of the board belongs to a virtual SPI of a VM from now on (boot; it stays disabled until the VM starts). 0, or -EINVAL when the
 * VM has no such SPI, -EBUSY when one of them is taken.
 */
int vgic_hw_assign(struct arm64_vm *vm, uint32_t intid, uint32_t hw_intid, bool edge);

/* The board's SPIs of a VM that starts, on the CPU of its vCPU 0, or that has stopped. */
void vgic_hw_enable(struct arm64_vm *vm, bool on);

/*
 * An SPI of the board was acknowledged and its priority dropped. True: it is a VM's and stays active until the guest
 * deactivates the virtual one. Any CPU.
 */
bool vgic_hw_fired(uint32_t hw_intid);

/* Write to ICC_SGI1R_EL1 (IHI 0069 12.2.17): SGIs of either group. */
enum trap_result vgic_sgi(struct arm64_vcpu *a, uint64_t sgir);
/* Write to ICC_SGI0R_EL1 or ICC_ASGI1R_EL1: only where the SGI is of group 0 (one security state, IHI 0069 table 12-14). */
enum trap_result vgic_sgi_group0(struct arm64_vcpu *a, uint64_t sgir);
/* ICC_DIR_EL1 while spilled active interrupts exist. */
void vgic_dir(struct arm64_vcpu *a, uint32_t intid);

/* Does what another CPU asked for (resync). Own CPU, loaded. */
void vgic_sync(struct arm64_vcpu *a);

/* Maintenance interrupt: list registers can be refilled. Own CPU, loaded. */
void vgic_maintenance(struct arm64_vcpu *a);

void vgic_save(struct arm64_vcpu *a);
void vgic_load(struct arm64_vcpu *a);
bool vgic_irq_pending(struct arm64_vcpu *a);

/* MMIO of distributor and redistributors. */
void vgic_dist_init(struct arm64_vm *vm);
mmio_handler vgic_dist_mmio;
mmio_handler vgic_redist_mmio;

/* --- between vgic.c, vgic_lr.c and vgic_dist.c; lock held ---------------------------------------------------------------- */

struct virq *vgic_irq(struct arm64_vm *vm, struct arm64_vcpu *priv, uint32_t intid);
static inline uint32_t vgic_hw_intid(const struct vgic_vm *g, uint32_t intid)
{
	return intid < VGIC_PRIVATE ? intid : g->spi_hw[intid - VGIC_PRIVATE];
}
struct arm64_vcpu *vgic_owner(struct arm64_vm *vm, struct arm64_vcpu *priv, uint32_t intid);
void vgic_set_pend_locked(struct arm64_vm *vm, struct arm64_vcpu *a, const struct virq *q, uint32_t intid);
void vgic_fold_locked(struct arm64_vcpu *a);
void vgic_flush_locked(struct arm64_vcpu *a);
void vgic_inject_locked(struct arm64_vcpu *a, struct virq *q, uint32_t intid);

#endif
