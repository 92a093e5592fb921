/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual machines and their vCPUs: portable halves. An architecture's structures contain these as first member.
 *
 * Life of a VM: OFF -> LOADING (images copied in bounded steps by vCPU 0's CPU, charged to the VM) -> RUNNING -> STOPPING
 * (each vCPU leaves its CPU) -> OFF, or LOADING again after a reset. WAITING is OFF with a start that is due later. RUNNING ->
 * PAUSING (each vCPU leaves its CPU) -> PAUSED -> RUNNING; the VM's virtual counter stands still while it is PAUSED.
 */
#ifndef CAMBER_VM_H
#define CAMBER_VM_H

#include "abi/bundle.h"
#include "camber/log.h"
#include "camber/mem.h"
#include "camber/mmio.h"
#include "camber/pcpu.h"
#include "camber/sched.h"

#define VM_MAX CONFIG_VM_MAX

/* Both in the order of their names in lifecycle.c. */
enum vm_state { VM_OFF, VM_LOADING, VM_RUNNING, VM_STOPPING, VM_WAITING, VM_PAUSING, VM_PAUSED };

enum vm_stop {
	VM_STOP_OFF,     /* the guest powered itself off */
	VM_STOP_RESET,   /* the guest asked for a reset, or somebody did for it: on-reboot decides */
	VM_STOP_CRASH,   /* on-crash decides */
	VM_STOP_DAMAGED, /* its images: stays off */
	VM_STOP_ORDER,   /* the monitor: stays off */
	VM_STOP_RESTART, /* the monitor: starts again */
};

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
	struct sched_group group;
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
	uint64_t started_at;                              /* arch_now() ticks */
	uint32_t crashes_in_row;                          /* each within BUNDLE_CRASH_WINDOW_MS of a start */
	bool resume_wanted;                               /* PAUSING: not for long */
	bool record;                                      /* STOPPING: each vCPU's last state goes to the log */
	struct timer start;                               /* WAITING: when */
	struct log_limit guest_log, life_log, record_log; /* what this VM may cause */
	/* Devices restored to their reset state at each start: */
	struct vm_device *devices;
};

/* Whoever keeps state for a VM that a restart must clear. */
struct vm_device {
	struct vm_device *next;
	void (*reset)(struct vm_device *dev);
	/*
	 * May be NULL. True: the VM runs no more from here on, it is paused or has stopped. False: it goes on; not called at a start,
	 * which reset() precedes. vm->lock held.
	 */
	void (*pause)(struct vm_device *dev, bool paused);
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

/* By label, or by number in decimal; NULL if there is none. */
struct vm *vm_find(const char *name);

/* A word for messages. */
const char *vm_state_name(enum vm_state state);

/* OFF or WAITING -> LOADING; -EBUSY otherwise. Any CPU. */
int vm_start(struct vm *vm);

/* OFF -> WAITING for so many milliseconds, then as vm_start(); -EBUSY otherwise. Any CPU. */
int vm_start_later(struct vm *vm, uint32_t ms);

/*
 * LOADING, RUNNING, PAUSING or PAUSED -> STOPPING; what happens then depends on why and on the VM's configuration. WAITING -> OFF
 * by VM_STOP_ORDER. STOPPING: VM_STOP_ORDER and VM_STOP_RESTART take the place of the earlier reason. -EBUSY if there was nothing to
 * stop. Any CPU; returns at once.
 */
int vm_stop(struct vm *vm, enum vm_stop why);

/* RUNNING -> PAUSING, then PAUSED; PAUSING or PAUSED -> RUNNING. -EBUSY otherwise. Any CPU; both return at once. */
int vm_pause(struct vm *vm);
int vm_resume(struct vm *vm);

/*
 * The guest is beyond repair: vm_stop(VM_STOP_CRASH), one line of log with the reason, and the last state of each of its vCPUs
 * when that has left its CPU. Own CPU of v.
 */
void vm_crash(struct vcpu *v, const char *fmt, ...) __printf(2, 3);

/* The same where no vCPU is to blame: its watchdog wasn't refreshed. Any CPU. */
void vm_watchdog_bite(struct vm *vm, const char *why);

/* For lines that a guest can cause: so many in a second for each VM, the rest counted. */
#define VM_LOG_BURST 8
#define log_guest(vm, ...)                                                                                             \
	do {                                                                                                           \
		if (log_limit_pass(&(vm)->guest_log, VM_LOG_BURST))                                                    \
			log_line(__VA_ARGS__);                                                                         \
	} while (0)

/* A vCPU of a RUNNING VM goes on (state prepared by the caller, vm->lock held) or off. */
void vcpu_power_on_locked(struct vcpu *v);
void vcpu_power_off(struct vcpu *v);

/* Interrupt or event for a vCPU: make it look at its virtual interrupts, wherever it is. */
void vcpu_kick(struct vcpu *v, enum sched_wake why);

/* The vCPU waits for an interrupt (Arm WFI): blocks unless one is pending. Own CPU. */
void vcpu_wait(struct vcpu *v);

/*
 * The vCPU announces a sleep until tick `until`, after which it has real-time priority, and waits as by vcpu_wait(). 0, or what
 * sched_rt_sleep() says. Own CPU.
 */
int vcpu_rt_sleep(struct vcpu *v, uint64_t until);

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
