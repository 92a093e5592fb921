/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules about more than one property of a VM, and about more than one VM.
 *
 * Runs before any image is opened, changes nothing but the overridden boot arguments. What depends on the images
 * (sizes, overlaps) is judged in place.c, what is about scheduling in sched.c.
 */
#include "mkbundle.h"

#include <stdarg.h>
#include <string.h>

int vm_fail(struct mkbundle *m, const struct vm *vm, const char *prop, const char *fmt, ...)
{
	char text[768];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return diag_fail(m, "%s: %s: %s: %s", m->source, vm->node, prop, text);
}

static int check_label(struct mkbundle *m, const struct vm *vm)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	static const char rest[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";

	if (!vm->label)
		return vm_fail(m, vm, "label", "missing; give the VM a name: 'label = \"...\";'");
	if (strlen(vm->label) >= BUNDLE_LABEL_BYTES)
		return vm_fail(m, vm, "label", "\"%s\" is too long; use at most %u characters", vm->label,
			       BUNDLE_LABEL_BYTES - 1);
	if (!strchr(first, vm->label[0]) || strspn(vm->label, rest) != strlen(vm->label))
		return vm_fail(m, vm, "label",
			       "\"%s\" has to start with a-z or 0-9 and go on with a-z, 0-9, _ or -; rename it",
			       vm->label);
	for (uint32_t i = 0; i < m->vm_count; i++)
		if (!strcmp(m->vms[i].label, vm->label))
			return vm_fail(m, vm, "label", "\"%s\" is taken by %s; choose another", vm->label,
				       m->vms[i].node);
	return 0;
}

static int check_cpus(struct mkbundle *m, const struct vm *vm)
{
	if (!vm->vcpu_count)
		return vm_fail(m, vm, "cpus", "missing; say how many vCPUs the VM has: 'cpus = <1>;'");
	if (vm->pcpus_count && vm->pcpu_masks_count)
		return vm_fail(m, vm, "pcpu-masks", "contradicts 'pcpus'; keep one of the two");
	if (vm->pcpus_count > 1 && vm->pcpus_count != vm->vcpu_count)
		return vm_fail(m, vm, "pcpus",
			       "has %u entries for %u vCPUs; give one per vCPU, or a single one for all",
			       vm->pcpus_count, vm->vcpu_count);
	if (vm->pcpu_masks_count > 1 && vm->pcpu_masks_count != vm->vcpu_count)
		return vm_fail(m, vm, "pcpu-masks",
			       "has %u entries for %u vCPUs; give one per vCPU, or a single one for all",
			       vm->pcpu_masks_count, vm->vcpu_count);
	return 0;
}

/* What the hypervisor would refuse at boot. */
static int check_limits(struct mkbundle *m, const struct vm *vm)
{
	const struct limits *limits = &m->opt.limits;

	if (limits->spis && vm->spi_count > limits->spis)
		return vm_fail(m, vm, "nr_spis",
			       "is %u, the hypervisor is configured for %u; lower it or raise CONFIG_SPI_MAX",
			       vm->spi_count, limits->spis);
	for (uint32_t i = 0; limits->cpus && i < vm->pcpus_count; i++)
		if (vm->pcpus[i] >= limits->cpus)
			return vm_fail(m, vm, "pcpus",
				       "names CPU %u, the hypervisor is configured for %u; mend it or CONFIG_CPU_MAX",
				       vm->pcpus[i], limits->cpus);
	for (uint32_t i = 0; limits->cpus && i < vm->pcpu_masks_count; i++)
		if (!(vm->pcpu_masks[i] & (uint32_t)((UINT64_C(1) << limits->cpus) - 1)))
			return vm_fail(m, vm, "pcpu-masks",
				       "mask 0x%x has none of the %u CPUs configured; mend it or CONFIG_CPU_MAX",
				       vm->pcpu_masks[i], limits->cpus);
	return 0;
}

/* vCPUs that no CPU of the board could run. */
static int check_pinning(struct mkbundle *m, const struct vm *vm)
{
	uint32_t cpus = m->board.fdt ? m->board.cpu_count : 0;

	for (uint32_t i = 0; cpus && i < vm->pcpus_count; i++)
		if (vm->pcpus[i] >= cpus)
			return vm_fail(
				m, vm, "pcpus",
				"pinning impossible: names CPU %u, the board has %u (from 0 on); choose one of them",
				vm->pcpus[i], cpus);
	for (uint32_t i = 0; cpus && i < vm->pcpu_masks_count; i++)
		if (!(vm->pcpu_masks[i] & (uint32_t)((UINT64_C(1) << cpus) - 1)))
			return vm_fail(m, vm, "pcpu-masks",
				       "pinning impossible: mask 0x%x has none of the board's %u CPUs; set one's bit",
				       vm->pcpu_masks[i], cpus);
	return 0;
}

struct range vm_ram(const struct vm *vm)
{
	return (struct range){ GUEST_RAM_BASE, vm->memory_mib * MIB };
}

static int check_static_mem(struct mkbundle *m, const struct vm *vm)
{
	const struct range *mem = &vm->static_mem;
	bool inside = !m->board.fdt;

	if (!mem->bytes)
		return 0;
	if (mem->bytes != vm_ram(vm).bytes)
		return vm_fail(m, vm, "xen,static-mem", "has 0x%llx bytes, memory-mib says 0x%llx; make them equal",
			       (unsigned long long)mem->bytes, (unsigned long long)vm_ram(vm).bytes);
	if (mem->base % (2 * MIB))
		return vm_fail(m, vm, "xen,static-mem", "begins at 0x%llx, not a multiple of 2 MiB; align it",
			       (unsigned long long)mem->base);
	for (uint32_t i = 0; i < m->board.ram_count; i++)
		inside |= mem->base >= m->board.ram[i].base && mem->bytes <= m->board.ram[i].bytes &&
			  mem->base - m->board.ram[i].base <= m->board.ram[i].bytes - mem->bytes;
	if (!inside)
		return vm_fail(m, vm, "xen,static-mem",
			       "0x%llx..0x%llx is not in the board's memory (0x%llx..0x%llx); move it",
			       (unsigned long long)mem->base, (unsigned long long)(mem->base + mem->bytes),
			       (unsigned long long)m->board.ram[0].base,
			       (unsigned long long)(m->board.ram[0].base + m->board.ram[0].bytes));
	for (uint32_t i = 0; i < m->vm_count; i++)
		if (m->vms[i].static_mem.bytes && ranges_overlap(m->vms[i].static_mem, *mem))
			return vm_fail(m, vm, "xen,static-mem", "overlaps that of %s; move one of them",
				       m->vms[i].node);
	return 0;
}

/* Properties that would have no effect are mistakes, too. */
static int check_life(struct mkbundle *m, const struct vm *vm)
{
	if (vm->start_delay_ms && !(vm->flags & BUNDLE_VM_AUTOSTART))
		return vm_fail(m, vm, "start-delay-ms", "has no effect with 'no-autostart'; remove one of the two");
	if (vm->restart_delay_ms && vm->on_crash != BUNDLE_ON_RESTART)
		return vm_fail(m, vm, "restart-delay-ms",
			       "has no effect without 'on-crash = \"restart\";'; add that or remove it");
	if (vm->crash_limit && vm->on_crash != BUNDLE_ON_RESTART)
		return vm_fail(m, vm, "crash-limit",
			       "has no effect without 'on-crash = \"restart\";'; add that or remove it");
	if (vm->watchdog_boot_ms && !vm->watchdog_ms)
		return vm_fail(m, vm, "watchdog-boot-ms", "has no effect without 'watchdog-ms'; add that or remove it");
	return 0;
}

static int check_reserved(struct mkbundle *m, struct vm *vm)
{
	for (uint32_t i = 0; i < vm->reserved_count; i++) {
		if (reserved_check(m, vm, &vm->reserved[i]))
			return -1;
		for (uint32_t o = 0; o < i; o++)
			if (ranges_overlap(vm->reserved[o].reg, vm->reserved[i].reg))
				return diag_fail(m, "%s: %s: reg: overlaps %s; move one of them", m->source,
						 vm->reserved[i].node, vm->reserved[o].node);
	}
	return 0;
}

static int check_images(struct mkbundle *m, const struct vm *vm)
{
	if (!vm->memory_mib)
		return vm_fail(m, vm, "memory-mib", "missing; say how much RAM the VM has: 'memory-mib = <64>;'");
	if (vm->memory_mib % 2)
		return vm_fail(m, vm, "memory-mib", "is %u, but RAM comes in pieces of 2 MiB; choose %u",
			       vm->memory_mib, vm->memory_mib + 1);
	if (!vm->kernel && !vm->rom)
		return vm_fail(m, vm, "kernel", "missing; name what the VM starts with 'kernel' or 'rom'");
	if (vm->kernel && vm->rom)
		return vm_fail(m, vm, "rom", "contradicts 'kernel'; keep one of the two");
	if (vm->rom && (vm->has_load || vm->has_entry))
		return vm_fail(m, vm, vm->has_load ? "load" : "entry", "a ROM lies and starts at address 0; remove it");
	if (vm->has_entry && !vm->has_load)
		return vm_fail(m, vm, "entry", "means a raw image, which needs 'load' too; add it or remove 'entry'");
	if (vm->initrd && !vm->kernel)
		return vm_fail(m, vm, "initrd", "needs a Linux 'kernel'; remove it");
	if (vm->bootargs && strlen(vm->bootargs) > BOOTARGS_MAX)
		return vm_fail(m, vm, "bootargs", "has %zu characters, Linux reads %u; shorten it",
			       strlen(vm->bootargs), BOOTARGS_MAX);
	return 0;
}

int check_vm(struct mkbundle *m, struct vm *vm)
{
	const char *bootargs;

	if (check_label(m, vm))
		return -1;
	bootargs = pairs_use(&m->opt.bootargs, vm->label);
	if (bootargs)
		vm->bootargs = bootargs;
	if (check_cpus(m, vm) || check_limits(m, vm) || check_pinning(m, vm) || check_images(m, vm) ||
	    check_static_mem(m, vm) || check_reserved(m, vm) || check_life(m, vm) || sched_check_vm(m, vm))
		return -1;
	if (vm->stray)
		vm->flags |= BUNDLE_VM_STRAY_STOP;
	if (!vm->enhanced)
		vm->flags |= BUNDLE_VM_XEN;
	return 0;
}

/* Insertion keeps the order of the file among equals. */
static void sort_by_start_order(struct mkbundle *m)
{
	for (uint32_t i = 1; i < m->vm_count; i++) {
		struct vm vm = m->vms[i];
		uint32_t at = i;

		for (; at && m->vms[at - 1].start_order > vm.start_order; at--)
			m->vms[at] = m->vms[at - 1];
		m->vms[at] = vm;
	}
}

int check_profile(struct mkbundle *m)
{
	if (!m->vm_count)
		return diag_fail(m, "%s: /: has no VM; add a node vm@1", m->source);
	if (m->opt.limits.vms && m->vm_count > m->opt.limits.vms)
		return diag_fail(
			m, "%s: /: has %u VMs, the hypervisor is configured for %u; remove some or raise CONFIG_VM_MAX",
			m->source, m->vm_count, m->opt.limits.vms);
	if (passthrough_check(m))
		return -1;
	sort_by_start_order(m);
	return sched_check(m);
}
