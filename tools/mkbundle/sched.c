/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules about scheduling: a VM's node 'sched', the kinds of core its vCPUs may run on, and whether the real-time VMs of a profile
 * can all have what they are promised.
 *
 * Real-time vCPUs are judged on the CPUs to which the hypervisor will bind them (BUNDLE_RT_PPM in abi/bundle.h); it does so
 * itself, at boot. Without the board's tree, only those that may run on a single CPU are judged, as nobody knows the others' CPUs.
 */
#include "mkbundle.h"

#include <stdarg.h>
#include <string.h>

/* What a CPU is promised to, in the order of the bundle. */
struct rt_cpu {
	struct rt_share shares[BUNDLE_VM_MAX];
	const struct vm *vms[BUNDLE_VM_MAX];
	uint32_t count;
	uint32_t ppm;
};

static int sched_fail(struct mkbundle *m, const struct vm *vm, const char *prop, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static int sched_fail(struct mkbundle *m, const struct vm *vm, const char *prop, const char *fmt, ...)
{
	char text[DIAG_BYTES];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return diag_fail(m, "%s: %s/sched: %s: %s", m->source, vm->node, prop, text);
}

uint32_t vm_pcpu_mask(const struct vm *vm, uint32_t vcpu)
{
	uint32_t mask = BUNDLE_PCPU_ANY;

	if (vm->pcpus_count)
		mask = UINT32_C(1) << vm->pcpus[vm->pcpus_count == 1 ? 0 : vcpu];
	else if (vm->pcpu_masks_count)
		mask = vm->pcpu_masks[vm->pcpu_masks_count == 1 ? 0 : vcpu];
	return mask & ~vm->other_kinds;
}

/* The CPUs that the hypervisor will use; 0: not known. */
static uint32_t usable_cpus(const struct mkbundle *m)
{
	uint32_t cpus = m->board.fdt ? m->board.cpu_count : 0;

	if (m->opt.limits.cpus)
		cpus = MIN(cpus, m->opt.limits.cpus);
	return (uint32_t)((UINT64_C(1) << cpus) - 1);
}

static uint32_t lowest(uint32_t cpus)
{
	return (uint32_t)__builtin_ctz(cpus);
}

/* All CPUs that are of the same kind as one of `cpus`. Where the tree doesn't say it of each, all are of one. */
static uint32_t same_kind(const struct board *board, uint32_t cpus, uint32_t usable)
{
	uint32_t same = 0;

	if (!board->cpu_kinds_known)
		return cpus ? usable : 0;
	for (; cpus; cpus &= cpus - 1)
		for (uint32_t i = 0; i < board->cpu_count; i++)
			if (!strcmp(board->cpu_kind[lowest(cpus)], board->cpu_kind[i]))
				same |= UINT32_C(1) << i;
	return same & usable;
}

/* "CPUs 0 1 (arm,cortex-a72), CPU 4 (arm,cortex-a53)" */
static const char *cpus_by_kind(struct mkbundle *m, uint32_t cpus)
{
	const char *text = "";

	while (cpus) {
		uint32_t kind = lowest(cpus);
		uint32_t same = cpus & same_kind(&m->board, UINT32_C(1) << kind, cpus);

		text = pool_printf(m, "%s%s%s", text, *text ? ", " : "", same & (same - 1) ? "CPUs" : "CPU");
		cpus &= ~same;
		for (; same; same &= same - 1)
			text = pool_printf(m, "%s %u", text, lowest(same));
		text = pool_printf(m, "%s (%s)", text, m->board.cpu_kind[kind]);
	}
	return text;
}

/* Where all vCPUs of the VM can be, as they stay on one kind of core; 0 with a message. */
static uint32_t vm_cpus(struct mkbundle *m, const struct vm *vm, uint32_t usable)
{
	uint32_t possible = usable;
	uint32_t before = 0;

	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		uint32_t allowed = vm_pcpu_mask(vm, i) & usable;
		uint32_t kinds = possible & same_kind(&m->board, allowed, usable);

		if (!kinds) {
			vm_fail(m, vm, vm->pcpus_count ? "pcpus" : "pcpu-masks",
				"vCPU %u may run on %s only, those before it on %s: a VM stays on one kind of core; choose "
				"CPUs of one kind",
				i, cpus_by_kind(m, allowed), cpus_by_kind(m, before & possible));
			return 0;
		}
		possible = kinds;
		before |= allowed;
	}
	return possible;
}

int sched_check_vm(struct mkbundle *m, struct vm *vm)
{
	bool rt = vm->flags & BUNDLE_VM_RT;
	uint64_t promised = (uint64_t)vm->rt_budget_us * vm->vcpu_count;
	struct rt_percent_text percent;
	uint32_t usable = usable_cpus(m);

	if (vm->weight == WEIGHT_UNSAID)
		vm->weight = rt ? 0 : BUNDLE_WEIGHT_DEFAULT;
	if (!vm->weight && !rt)
		return sched_fail(m, vm, "weight",
				  "is 0, which is for 'rt' only: the VM would never run beside others; choose a value "
				  "from 1 to %u",
				  BUNDLE_WEIGHT_MAX);
	if (vm->cap_percent > 100 * vm->vcpu_count)
		return sched_fail(m, vm, "cap-percent", "is %u, but %u vCPU(s) use at most %u; lower or remove it",
				  vm->cap_percent, vm->vcpu_count, 100 * vm->vcpu_count);
	if (rt && !vm->rt_budget_us)
		return sched_fail(m, vm, "rt-budget-us", "missing; say how much time the RT VM has per period");
	if (rt && !vm->rt_period_us)
		return sched_fail(m, vm, "rt-period-us", "missing; say how long the period of the budget is");
	if (!rt && (vm->rt_budget_us || vm->rt_period_us))
		return sched_fail(m, vm, vm->rt_budget_us ? "rt-budget-us" : "rt-period-us",
				  "has no effect without 'rt'; add 'rt;' or remove it");
	if (vm->rt_budget_us > vm->rt_period_us)
		return sched_fail(m, vm, "rt-budget-us", "%u is more than the period of %u us; lower it",
				  vm->rt_budget_us, vm->rt_period_us);
	if (rt && vm->cap_percent && (uint64_t)vm->cap_percent * vm->rt_period_us < 100 * promised)
		return sched_fail(m, vm, "cap-percent",
				  "is %u, but %u vCPU(s) with %u of %u us each are promised %s %%; raise or remove it",
				  vm->cap_percent, vm->vcpu_count, vm->rt_budget_us, vm->rt_period_us,
				  rt_percent(&percent, rt_ppm(&(struct rt_share){ vm->rt_budget_us, vm->rt_period_us,
										  vm->vcpu_count },
							      1)));
	if (usable) {
		uint32_t possible = vm_cpus(m, vm, usable);

		if (!possible)
			return -1;
		/* In the hypervisor vCPU 0 chooses among what is left, so the others can follow. */
		vm->other_kinds = usable & ~possible;
	}
	return 0;
}

static int fail_overpromised(struct mkbundle *m, const struct vm *vm, uint32_t cpu, const struct rt_cpu *c)
{
	struct rt_percent_text percent;
	const char *text = "";

	for (uint32_t i = 0; i < c->count; i++) {
		const struct rt_share *s = &c->shares[i];
		const char *vcpus = s->vcpus > 1 ? pool_printf(m, "%u vCPUs, each ", s->vcpus) : "";

		text = pool_printf(m, "%s%s%s %% to %s (%s%u of %u us)", text,
				   !i                ? "" :
				   i + 1 == c->count ? " and " :
						       ", ",
				   rt_percent(&percent, rt_ppm(s, 1)), c->vms[i]->node + 1, vcpus, s->budget_us,
				   s->period_us);
	}
	return sched_fail(m, vm, "rt-budget-us",
			  "CPU %u is promised %s, %s %% in all; lower a budget, lengthen a period, or use another CPU",
			  cpu, text, rt_percent(&percent, rt_ppm(c->shares, c->count)));
}

static int promise(struct mkbundle *m, const struct vm *vm, uint32_t cpu, struct rt_cpu *c)
{
	if (!c->count || c->vms[c->count - 1] != vm) {
		c->vms[c->count] = vm;
		c->shares[c->count++] = (struct rt_share){ vm->rt_budget_us, vm->rt_period_us, 0 };
	}
	c->shares[c->count - 1].vcpus++;
	c->ppm += BUNDLE_RT_PPM(vm->rt_budget_us, vm->rt_period_us);
	if (rt_compare(c->shares, c->count, BUNDLE_RT_PPM_ALL) > 0)
		return fail_overpromised(m, vm, cpu, c);
	return 0;
}

int sched_check(struct mkbundle *m)
{
	uint32_t usable = usable_cpus(m);
	struct rt_cpu *cpus = pool_alloc(m, PCPU_MAX * sizeof(*cpus));

	for (uint32_t v = 0; v < m->vm_count; v++) {
		const struct vm *vm = &m->vms[v];
		uint32_t possible = usable ? usable : BUNDLE_PCPU_ANY;

		if (!(vm->flags & BUNDLE_VM_RT))
			continue;
		for (uint32_t i = 0; i < vm->vcpu_count; i++) {
			uint32_t allowed = vm_pcpu_mask(vm, i) & possible;
			uint32_t best = lowest(allowed);

			/* Which of these CPUs there are, nobody knows here. */
			if (!usable && (allowed & (allowed - 1)))
				continue;
			for (; allowed; allowed &= allowed - 1)
				if (cpus[lowest(allowed)].ppm < cpus[best].ppm)
					best = lowest(allowed);
			if (usable)
				possible &= same_kind(&m->board, UINT32_C(1) << best, usable);
			if (promise(m, vm, best, &cpus[best]))
				return -1;
		}
	}
	return 0;
}
