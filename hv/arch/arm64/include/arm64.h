/* SPDX-License-Identifier: Apache-2.0 */
/* The architecture's own structures and functions; nothing outside hv/arch/arm64 includes this. */
#ifndef ARM64_H
#define ARM64_H

#include "camber/arch/vcpu.h"
#include "vgic.h"

/* What the EL1 context of a vCPU consists of; ELR_EL2 and SPSR_EL2 too, as EL2 isn't preemptible and never touches them. */
struct el1_context {
	/* In the order of context.S: */
	uint64_t elr_el2, spsr_el2;
	uint64_t sctlr, cpacr;
	uint64_t ttbr0, ttbr1;
	uint64_t amair, contextidr;
	uint64_t vbar, tpidr_el1;
	uint64_t tpidr_el0, tpidrro_el0;
	uint64_t sp_el0, sp_el1;
	uint64_t elr, spsr;
	uint64_t esr, far;
	uint64_t afsr0, afsr1;
	uint64_t par, csselr;
	uint64_t cntkctl, mair;
	uint64_t tcr;
};
_Static_assert(offsetof(struct el1_context, ttbr0) == 32, "context.S");
_Static_assert(offsetof(struct el1_context, sp_el0) == 96, "context.S");
_Static_assert(offsetof(struct el1_context, esr) == 128, "context.S");
_Static_assert(offsetof(struct el1_context, mair) == 184, "context.S");

struct fp_context {
	__uint128_t q[32];
	uint64_t fpcr, fpsr;
};

/* Generic timer of a vCPU (Arm ARM D12). */
struct vtimer {
	uint64_t cntv_ctl, cntv_cval; /* while not loaded */
	struct timer virt;            /* stands in for CNTV while not loaded */
	uint64_t cntp_ctl, cntp_cval; /* emulated */
	struct timer phys;
};

#define VCPU_MOVES 1u    /* may be loaded on another CPU than the last time */
#define VCPU_SIBLINGS 2u /* its VM has other vCPUs */
#define VCPU_SERROR 4u   /* a virtual SError is pending, or was */
#define VCPU_SAVED 8u    /* loaded, but its EL1 context is in memory too: its CPU idles */
#define VCPU_STOLEN 16u  /* asked for its stolen time (pvtime.c) */

struct arm64_vcpu {
	struct vcpu v; /* first */
	/*
	 * SP_EL2 points to x[0] while the guest runs: the entry code saves straight into the vCPU. x19..x29 are only
	 * current where the comment at their use says so.
	 */
	uint64_t x[31] __aligned(16);
	uint64_t el2_stack; /* of the CPU that has it loaded */
	struct el1_context el1;
	uint64_t hcr;
	uint64_t mpidr;
	uint8_t special;  /* VCPU_*: what makes switching it more work */
	uint8_t last_cpu; /* VCPU_MOVES: where it was loaded last */
	struct vtimer timer;
	struct vgic_vcpu vgic;
	uint64_t waited_before; /* what it had waited at its VM's start */
	struct fp_context fp __aligned(16);
};

struct arm64_vm {
	struct vm vm; /* first */
	uint64_t vttbr;
	uint64_t cntvoff; /* 0 at a start, and then the length of its pauses in ticks */
	uint64_t paused_at;
	uint8_t last_vcpu[CONFIG_CPU_MAX]; /* which vCPU ran last on each CPU: that CPU's data */
	struct vgic_vm vgic;
	struct pv_page *pvtime; /* stolen time; NULL: not offered */
};

static inline struct arm64_vcpu *to_arm(struct vcpu *v)
{
	return (struct arm64_vcpu *)v;
}

static inline struct arm64_vm *to_arm_vm(struct vm *vm)
{
	return (struct arm64_vm *)vm;
}

#define EL2_STACK_BYTES 8192
#define EL2_EMERGENCY_BYTES 4096

/* One CPU's stacks: an overflow of either runs into the unmapped page below it. */
struct cpu_stacks {
	char guard[PAGE_SIZE];
	char stack[EL2_STACK_BYTES];
	char emergency_guard[PAGE_SIZE];
	char emergency[EL2_EMERGENCY_BYTES];
};

struct arm64_pcpu {
	struct pcpu p; /* first; TPIDR_EL2 points here */
	uint64_t stack_top, emergency_top;
	uint64_t faults;             /* nested EL2 faults on this CPU */
	struct arm64_vcpu *fp_owner; /* whose FP/SIMD registers the CPU holds */
	uint64_t mpidr;
	uint64_t vectors; /* VBAR_EL2, chosen by the errata table */
	uint64_t mdcr;
	bool stopped;
	uint8_t bhb_loops;
};

static inline struct arm64_pcpu *arm_pcpu(void)
{
	return (struct arm64_pcpu *)arch_pcpu();
}

extern struct arm64_pcpu arm64_pcpus[CONFIG_CPU_MAX];
extern struct cpu_stacks arm64_stacks[CONFIG_CPU_MAX];

/* --- traps ------------------------------------------------------------------------------------------------------------ */

/* Exit classes of interrupts, in the gap that exception classes from guests leave (struct pcpu.exits). */
#define EXIT_CLASS_IRQ 0x3f
#define EXIT_CLASS_SERROR 0x3e

/*
 * Called from vectors.S, which also counts the exit, takes the time at both ends and goes on after a TRAP_SKIP. Handlers may
 * be called with x19..x28 of the array stale unless their class has no target register (see sync_full there).
 */
enum trap_result trap_wfx(struct arm64_vcpu *a, uint64_t esr);
enum trap_result trap_smc(struct arm64_vcpu *a, uint64_t esr);
enum trap_result trap_hidden(struct arm64_vcpu *a, uint64_t esr);
enum trap_result trap_unknown(struct arm64_vcpu *a, uint64_t esr);
void trap_hvc(struct arm64_vcpu *a, uint64_t esr);
void trap_serror(struct arm64_vcpu *a);
void trap_finish(enum trap_result result);
void trap_stay_end(uint64_t stay);

enum trap_result abort_data(struct arm64_vcpu *a, uint64_t esr);
enum trap_result abort_instruction(struct arm64_vcpu *a, uint64_t esr);
enum trap_result sysreg_trap(struct arm64_vcpu *a, uint64_t esr);
enum trap_result fpsimd_trap(struct arm64_vcpu *a, uint64_t esr);

/* Exceptions injected into EL1 (Arm ARM D1.3, AArch64.TakeException). */
void inject_undef(void);
void inject_abort(bool instruction, uint64_t far, uint64_t iss);
#define FSC_EXTERNAL 0x10

/* --- SMCCC and PSCI for guests ----------------------------------------------------------------------------------------- */

/* HVC #0 / SMC #0; x0..x3 in a->x, results there. */
void smccc_call(struct arm64_vcpu *a);
/* PSCI functions by SMCCC function number; false if it isn't one. */
bool psci_call(struct arm64_vcpu *a, uint32_t function);
int64_t psci_features(uint32_t function);
/* Calls of abi/camber_call.h; false if it isn't one. */
bool vendor_call(struct arm64_vcpu *a, uint32_t function);

/* Stolen time (Arm DEN0057). */
#define PV_TIME_FEATURES 0xc5000020u
int pvtime_vm_init(struct arm64_vm *vm); /* 0, or gmap_map()'s error */
void pvtime_vcpu_reset(struct arm64_vcpu *a);
/* What PV_TIME_FEATURES answers about a function. */
uint64_t pvtime_features(struct arm64_vcpu *a, uint32_t function);
/* False if it isn't one of its functions, or the VM isn't offered them. */
bool pvtime_call(struct arm64_vcpu *a, uint32_t function);
/* The vCPU, which has VCPU_STOLEN, has got this CPU. */
void pvtime_update(struct arm64_vcpu *a);

/* --- identity ---------------------------------------------------------------------------------------------------------- */

/* Guest's view of an ID register in the space op0 3, op1 0, CRn 0, CRm 1..7: filtered; all others read zero. */
uint64_t idreg_read(uint32_t crm, uint32_t op2);

/* --- context ----------------------------------------------------------------------------------------------------------- */

void el1_save(struct el1_context *c);
void el1_load(const struct el1_context *c);
void fpsimd_reset(struct arm64_vcpu *a);
void fpsimd_leave(struct arm64_vcpu *a); /* before the vCPU may run elsewhere */
void fpsimd_save(struct fp_context *c);
void fpsimd_load(const struct fp_context *c);

/* --- timers ------------------------------------------------------------------------------------------------------------ */

/* Records that the timer interrupt of the loaded vCPU is given to it, and how late. */
void vtimer_trace(const struct arm64_vcpu *a);

void vtimer_init(struct arm64_vcpu *a);
void vtimer_reset(struct arm64_vcpu *a);
void vtimer_save(struct arm64_vcpu *a); /* after the vGIC was saved */
/* Before the vGIC is loaded. True: the deadline has come meanwhile, vgic_vtimer_due() is to be called after that. */
bool vtimer_load(struct arm64_vcpu *a);
void vtimer_move(struct arm64_vcpu *a); /* before it is loaded on another CPU than the last time */
bool vtimer_ptimer_access(struct arm64_vcpu *a, uint32_t op2, uint64_t *value, bool write);

/* --- CPU set-up ---------------------------------------------------------------------------------------------------------- */

void cpu_init(struct arm64_pcpu *p); /* own CPU: EL2 registers but for the MMU */
void errata_init(struct arm64_pcpu *p);
uint64_t el2_mmu_build(void); /* TTBR0_EL2 of the final map */
void el2_mmu_switch(uint64_t ttbr, uint64_t tcr, uint64_t mair, uint64_t sctlr);
void el2_mmu_config(uint64_t *tcr, uint64_t *mair, uint64_t *sctlr);
void stage2_init_cpu(void);
void smp_init(void);
void smp_start_secondaries(void);
uint64_t el2_call_smc(uint64_t fn, uint64_t a0, uint64_t a1, uint64_t a2);

void start_primary(uint64_t dtb, uint64_t base) __noreturn;
void start_secondary(struct arm64_pcpu *p) __noreturn;
void enter_guests(void) __noreturn;
void fault_el2(const uint64_t *regs, uint64_t vector) __noreturn;

#endif
