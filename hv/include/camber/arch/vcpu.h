/* SPDX-License-Identifier: Apache-2.0 */
/* What an architecture owes for VMs and vCPUs. */
#ifndef CAMBER_ARCH_VCPU_H
#define CAMBER_ARCH_VCPU_H

#include "camber/vm.h"

/* What guests may ask of the parts above; handed down once at boot. */
struct guest_ops {
	/* Xen hypercall: number, arguments at args; the result goes to args[0]. */
	void (*hypercall)(struct vcpu *v, uint64_t number, uint64_t *args);
};
void arch_set_guest_ops(const struct guest_ops *ops);

/* Allocates the architecture's VM and vCPU structures (boot memory, never freed). */
struct vm *arch_vm_alloc(void);
struct vcpu *arch_vcpu_alloc(void);

/* Boot: interrupt controller, traps and identity of a VM whose portable fields are filled in. */
int arch_vm_init(struct vm *vm);
void arch_vcpu_init(struct vcpu *v);

/*
 * Boot: gives the VM a device of the board, found in the firmware's tree: registers into its map, interrupts to its interrupt
 * controller. 0, or a line of log with the reason and an error.
 */
int arch_vm_add_device(struct vm *vm, const struct bundle_device *dev);

/* To the state after a VM's reset: interrupt controller and vCPUs. All vCPUs are off. */
void arch_vm_reset(struct vm *vm);

/*
 * All vCPUs have left their CPUs: the VM's time stands still from the one on and goes on with the other; it has stopped, and
 * nothing may reach it any more (timers, interrupts of its devices). vm->lock held.
 */
void arch_vm_pause(struct vm *vm);
void arch_vm_resume(struct vm *vm);
void arch_vm_stopped(struct vm *vm);

/* First instruction and argument for a vCPU that is off. */
void arch_vcpu_set_entry(struct vcpu *v, gpa_t entry, uint64_t arg0);

/* Saves prev (may be NULL) and loads next (may be NULL: only save); own CPU. p->loaded is updated by the caller. */
void arch_vcpu_switch(struct vcpu *prev, struct vcpu *next);

/* The CPU will idle with v loaded: what can be done now needn't be done when another vCPU is to run at once. Own CPU. */
void arch_vcpu_idle(struct vcpu *v);

/* v, still loaded, goes on after it didn't run: its interrupts may have changed. Own CPU. */
void arch_vcpu_resume(struct vcpu *v);

/* Interrupts were changed from another CPU: bring the hardware's view of the loaded vCPU up to date. */
void arch_vcpu_sync_irqs(struct vcpu *v);

/* Is an interrupt deliverable, or about to be? Own CPU, loaded or not. */
bool arch_vcpu_irq_pending(struct vcpu *v);

/*
 * Drives the level of a shared interrupt of a VM (Arm: SPI by INTID). Any CPU; device lock may be held. Wakes or kicks
 * the vCPU it is routed to.
 */
void arch_vm_irq_line(struct vm *vm, uint32_t intid, bool level);

/* Guest PC, for messages. */
uint64_t arch_vcpu_pc(const struct vcpu *v);

/* A log record of registers and back-trace. The vCPU is loaded on this CPU and doesn't run. */
void arch_vcpu_log(const struct vcpu *v);

/* The vCPU's trapping policy changed (alone on its CPU or not). */
void arch_vcpu_set_alone(struct vcpu *v, bool alone);

#endif
