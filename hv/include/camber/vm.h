/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual machines and their vCPUs: portable halves. An architecture's structures contain these as first member.
 *
 * Life of a VM: OFF -> LOADING (images copied in bounded steps by vCPU 0's CPU, charged to the VM) -> RUNNING -> STOPPING
 * (each vCPU leaves its CPU) -> OFF, or LOADING again after a reset.
 */
#ifndef CAMBER_VM_H
#define CAMBER_VM_H

#include "abi/bundle.h"
#include "camber/mem.h"
#include "camber/mmio.h"
#include "camber/pcpu.h"
#include "camber/sched.h"

#define VM_MAX CONFIG_VM_MAX

enum vm_state { VM_OFF, VM_LOADING, VM_RUNNING, VM_STOPPING };
enum vm_stop { VM_STOP_OFF, VM_STOP_RESET, VM_STOP_CRASH, VM_STOP_DAMAGED };

struct vcpu {
	struct sched_unit unit;
	struct vm *vm;
	uint32_t index;
	/* vm->lock: */
	bool powered; /* on, in PSCI's sense */
	bool leaving; /* went off; its CPU has yet to let go of it */
	/* Written by its own CPU, read by the monitor: */
	uint64_t hypercalls[64]; /* by number */
	/* Its own CPU only: */
	const struct mmio_region *mmio_last; /* region of its last access; never NULL */
};

struct vm {
	/* Read-only after boot: */
	const struct bundle_vm *cfg;
	const char *label;
	uint32_t id; /* VMID */
	uint32_t vcpu_count;
	struct vcpu *vcpu[BUNDLE_VCPU_MAX];
	struct gmap map;
	struct mmio_map mmio;
	uint64_t xen_allowed; /* hypercalls this VM may make: bit per number */
	/* vm->lock: */
	struct spinlock lock;
	enum vm_state state;
	enum vm_stop stop_reason;
	uint32_t present_count; /* vCPUs that are on, or still leaving */
	uint32_t load_index;    /* LOADING: entry of the load table, and byte in it */
	uint64_t load_pos;
	uint32_t load_crc;
	uint64_t load_bytes, load_ticks; /* of the last or current loading, for the log */
	uint64_t starts;
	uint64_t crashes;
	/* Devices restored to their reset state at each start: */
	struct vm_device *devices;
};

/* Whoever keeps state for a VM that a restart must clear. */
struct vm_device {
	struct vm_device *next;
	void (*reset)(struct vm_device *dev);
};

static inline void vm_add_device(struct vm *vm, struct vm_device *dev)
{
	dev->next = vm->devices;
	vm->devices = dev;
}

/* VMs of the bundle in start order; NULL beyond the last. */
struct vm *vm_get(unsigned int index);

/*
 * Makes all VMs of a checked bundle (memory, maps, vCPUs, interrupt controllers); boot only. `attach` adds a VM's devices.
 * Returns 0 or logs one line with the remedy and returns an error.
 */
int vm_create_all(const struct bundle_header *bundle, int (*attach)(struct vm *vm));

/* OFF -> LOADING; -EBUSY otherwise. */
int vm_start(struct vm *vm);

/* Any state but OFF -> STOPPING; what happens then depends on why and on the VM's configuration. Any CPU. */
void vm_stop(struct vm *vm, enum vm_stop why);

/* The guest is beyond repair: one line of log with reason and vCPU state, then vm_stop(VM_STOP_CRASH). */
void vm_crash(struct vcpu *v, const char *fmt, ...) __printf(2, 3);

/* A vCPU of a RUNNING VM goes on (state prepared by the caller, vm->lock held) or off. */
void vcpu_power_on_locked(struct vcpu *v);
void vcpu_power_off(struct vcpu *v);

/* Interrupt or event for a vCPU: make it look at its virtual interrupts, wherever it is. */
void vcpu_kick(struct vcpu *v, enum sched_wake why);

/* The vCPU waits for an interrupt (Arm WFI): blocks unless one is pending. Own CPU. */
void vcpu_wait(struct vcpu *v);

/* The vCPU that runs on this CPU gives way. */
void vcpu_yield(void);

/*
 * The one way back to a guest when work is pending: settles, in order, interrupts, scheduling, loading; idles if nobody
 * can run. Returns the vCPU to enter (p->current), its state loaded. Called by architecture code on the CPU's own stack.
 */
struct vcpu *vcpu_leave_slow(struct pcpu *p);

/* Checks magic, version, lengths, tables and the header's checksum; logs the reason and returns -EINVAL. */
int bundle_check(const void *data, uint64_t bytes);

/*
 * Copies up to `budget` bytes of the VM's images; 1 = more to do, 0 = done, < 0 = damaged (logged). Only for a VM that is
 * LOADING, on one CPU at a time; no lock needed.
 */
int bundle_load_step(struct vm *vm, const struct bundle_header *bundle, uint64_t budget);

#endif
