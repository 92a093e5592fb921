/* SPDX-License-Identifier: Apache-2.0 */
/* Xen's public guest ABI: hypercalls. */
#ifndef CAMBER_XEN_H
#define CAMBER_XEN_H

#include "camber/vm.h"

#define XEN_HYPERCALLS 64

/* Hypercalls that a VM with the Xen interface may make: bit per number. */
uint64_t xen_default_allowed(void);

/*
 * One hypercall of the vCPU that runs on this CPU: number and arguments as in Xen's public/arch-arm.h (x16; x0..x4 at args).
 * The result, or a negative errno, goes to args[0]. No lock held.
 */
void xen_hypercall(struct vcpu *v, uint64_t number, uint64_t *args);

#endif
