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

/* Writes its result to args[0] itself: the last thing that a hypercall does is then a jump, not a call and a return. */
typedef void hypercall_fn(struct vcpu *v, uint64_t *args);

/* public/version.h: sub-op 0 needs no buffer. */
static void do_xen_version(struct vcpu *v __unused, uint64_t *args)
{
	args[0] = args[0] == XENVER_version ? XEN_VERSION : (uint64_t)-ENOSYS;
}

/* public/sched.h */
static void do_sched_op(struct vcpu *v, uint64_t *args)
{
	uint64_t op = args[0];

	args[0] = 0;
	if (op == SCHEDOP_yield)
		vcpu_yield();
	else if (op == SCHEDOP_block)
		vcpu_wait(v);
	else
		args[0] = (uint64_t)-ENOSYS;
}

/* From the first to the last that there are; each entry is relocated. */
#define FIRST HYPERVISOR_xen_version
#define COUNT (HYPERVISOR_sched_op - FIRST + 1)

static hypercall_fn *const table[COUNT] = {
	[HYPERVISOR_xen_version - FIRST] = do_xen_version,
	[HYPERVISOR_sched_op - FIRST] = do_sched_op,
};

uint64_t xen_default_allowed(void)
{
	uint64_t allowed = 0;
	unsigned int i;

	for (i = 0; i < COUNT; i++)
		if (table[i])
			allowed |= BIT64(FIRST + i);
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
	table[number - FIRST](v, args);
}
