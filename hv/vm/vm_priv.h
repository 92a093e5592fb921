/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of hv/vm. */
#ifndef VM_PRIV_H
#define VM_PRIV_H

#include "camber/vm.h"

/* A vCPU whose unit became OFF has left the hardware of its CPU. That CPU, no lock held. */
void vm_vcpu_gone(struct vcpu *v);

/* One bounded step of loading the VM's images, on vCPU 0's CPU; ends in RUNNING, or OFF when they are damaged. */
void vm_load_turn(struct vm *vm);

extern const struct bundle_header *vm_bundle;

#endif
