/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Xen hypercalls: table and permission. So far what a guest needs to see that a hypervisor is there and to give way:
 * xen_version and sched_op; everything else answers -ENOSYS.
 *
 * Arguments are the guest's and hostile. No lock held on entry.
 */
#include "camber/xen.h"

#include "camber/errno.h"

#define HYPERVISOR_xen_version 17
#define HYPERVISOR_sched_op 29

#define XENVER_version 0
#define SCHEDOP_yield 0
#define SCHEDOP_block 1

#define XEN_VERSION (4u << 16 | 17u)

typedef int64_t hypercall_fn(struct vcpu *v, const uint64_t *args);

/* public/version.h: sub-op 0 needs no buffer. */
static int64_t do_xen_version(struct vcpu *v __unused, const uint64_t *args)
{
	return args[0] == XENVER_version ? (int64_t)XEN_VERSION : -ENOSYS;
}

/* public/sched.h */
static int64_t do_sched_op(struct vcpu *v, const uint64_t *args)
{
	switch (args[0]) {
	case SCHEDOP_yield:
		vcpu_yield();
		return 0;
	case SCHEDOP_block:
		vcpu_wait(v);
		return 0;
	default:
		return -ENOSYS;
	}
}

static hypercall_fn *const table[XEN_HYPERCALLS] = {
	[HYPERVISOR_xen_version] = do_xen_version,
	[HYPERVISOR_sched_op] = do_sched_op,
};

uint64_t xen_default_allowed(void)
{
	uint64_t allowed = 0;
	unsigned int i;

	for (i = 0; i < XEN_HYPERCALLS; i++)
		if (table[i])
			allowed |= BIT64(i);
	return allowed;
}

void xen_hypercall(struct vcpu *v, uint64_t number, uint64_t *args)
{
	struct vm *vm = v->vm;

	/* `allowed` has bits only where the table has entries. */
	if (unlikely(number >= XEN_HYPERCALLS || !(vm->xen_allowed >> number & 1))) {
		args[0] = (uint64_t)-ENOSYS;
		return;
	}
	v->hypercalls[number]++;
	args[0] = (uint64_t)table[number](v, args);
}
