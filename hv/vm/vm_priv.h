/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of hv/vm. */
#ifndef VM_PRIV_H
#define VM_PRIV_H

#include "camber/vm.h"

/* The CPU that has to let go of a vCPU: whose hardware holds its state, else the one that it ran on last. */
unsigned int vcpu_holder(const struct vcpu *v);

/* A vCPU whose unit became OFF has left the hardware of its CPU. That CPU, no lock held. */
void vm_vcpu_gone(struct vcpu *v);

/* Whether the last state of a vCPU that leaves for good goes to the log. */
bool vm_vcpu_record(const struct vcpu *v);

/* Timers of a VM that has just been made. */
void vm_life_init(struct vm *vm);

/* One bounded step of loading the VM's images, on vCPU 0's CPU; ends in RUNNING, or OFF when they are damaged. */
void vm_load_turn(struct vm *vm);

extern const struct bundle_header *vm_bundle;

static inline const struct bundle_device *bundle_devices(const struct bundle_header *h)
{
	return (const void *)((const char *)h + h->device_offset);
}

#endif
