/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profile reader: the device tree that dtc made of boards/<board>/<profile>.dts -> m->vms, in the order of the file.
 *
 * Tables say which properties exist and what may stand in them; docs/config.md describes the same for people.
 * Nothing is guessed or skipped: a node or property that is not in the tables is an error, as is a valid one that this
 * version cannot honour. Opens no file.
 */
#include "rules.h"

#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

static const char *const stop_or_restart[] = { [BUNDLE_ON_STOP] = "stop", [BUNDLE_ON_RESTART] = "restart", NULL };
static const char *const abort_or_stop[] = { "abort", "stop", NULL };
static const char *const enabled_or_disabled[] = { "enabled", "disabled", NULL };

static int read_pcpus(struct mkbundle *m, const struct prop *p)
{
	if (prop_cells(m, p, BUNDLE_VCPU_MAX, p->vm->pcpus, &p->vm->pcpus_count))
		return -1;
	for (uint32_t i = 0; i < p->vm->pcpus_count; i++)
		if (p->vm->pcpus[i] >= PCPU_MAX)
			return prop_fail(m, p, "names CPU %u; choose CPUs from 0 to %u", p->vm->pcpus[i], PCPU_MAX - 1);
	return 0;
}

static int read_pcpu_masks(struct mkbundle *m, const struct prop *p)
{
	if (prop_cells(m, p, BUNDLE_VCPU_MAX, p->vm->pcpu_masks, &p->vm->pcpu_masks_count))
		return -1;
	for (uint32_t i = 0; i < p->vm->pcpu_masks_count; i++)
		if (!p->vm->pcpu_masks[i])
			return prop_fail(m, p, "mask %u is 0, so vCPU %u could never run; set a bit per allowed CPU", i,
					 i);
	return 0;
}

static int read_load(struct mkbundle *m, const struct prop *p)
{
	p->vm->has_load = true;
	return prop_address(m, p, &p->vm->load_ipa);
}

static int read_entry(struct mkbundle *m, const struct prop *p)
{
	p->vm->has_entry = true;
	return prop_address(m, p, &p->vm->raw_entry);
}

static int read_nr_spis(struct mkbundle *m, const struct prop *p)
{
	if (prop_u32(m, p, 32, SPI_COUNT_MAX, &p->vm->spi_count))
		return -1;
	if (p->vm->spi_count % 32)
		return prop_fail(m, p, "is %u; the interrupt controller counts SPIs in steps of 32: choose a multiple",
				 p->vm->spi_count);
	return 0;
}

/* Xen takes it without value, too. */
static int read_enhanced(struct mkbundle *m, const struct prop *p)
{
	return p->bytes ? prop_choice(m, p, enabled_or_disabled, &p->vm->enhanced) : 0;
}

static int read_static_mem(struct mkbundle *m, const struct prop *p)
{
	uint32_t count;

	return prop_ranges(m, p, 1, &p->vm->static_mem, &count);
}

static const struct prop_rule vm_rules[] = {
	{ IGNORED("compatible") },
	{ IGNORED("phandle") },
	{ STRING("label", vm, label) },
	{ U32("cpus", vm, vcpu_count, 1, BUNDLE_VCPU_MAX) },
	{ CALL("pcpus", read_pcpus) },
	{ CALL("pcpu-masks", read_pcpu_masks) },
	{ U32("memory-mib", vm, memory_mib, 2, MEMORY_MIB_MAX) },
	{ CALL("xen,static-mem", read_static_mem) },
	{ BOOL("scrub", vm, scrub) },
	{ STRING("kernel", vm, kernel) },
	{ STRING("initrd", vm, initrd) },
	{ STRING("bootargs", vm, bootargs) },
	{ STRING("rom", vm, rom) },
	{ CALL("load", read_load) },
	{ CALL("entry", read_entry) },
	{ FLAG("vpl011", BUNDLE_VM_UART) },
	{ NO_FLAG("no-vpl011", BUNDLE_VM_UART) },
	{ FLAG("rtc", BUNDLE_VM_RTC) },
	{ NO_FLAG("no-rtc", BUNDLE_VM_RTC) },
	{ CALL("nr_spis", read_nr_spis) },
	{ CALL("xen,enhanced", read_enhanced) },
	{ CHOICE("stray-access", vm, stray, abort_or_stop) },
	{ FLAG("autostart", BUNDLE_VM_AUTOSTART) },
	{ NO_FLAG("no-autostart", BUNDLE_VM_AUTOSTART) },
	{ U32("start-order", vm, start_order, 0, START_ORDER_MAX) },
	{ U32("start-delay-ms", vm, start_delay_ms, 0, DELAY_MS_MAX) },
	{ CHOICE("on-crash", vm, on_crash, stop_or_restart) },
	{ U32("restart-delay-ms", vm, restart_delay_ms, 0, DELAY_MS_MAX) },
	{ U32("crash-limit", vm, crash_limit, 0, CRASH_LIMIT_MAX) },
	{ CHOICE("on-reboot", vm, on_reboot, stop_or_restart) },
	{ U32("watchdog-ms", vm, watchdog_ms, 0, WATCHDOG_MS_MAX) },
	{ U32("watchdog-boot-ms", vm, watchdog_boot_ms, 0, WATCHDOG_MS_MAX) },
	{ .name = NULL },
};

/* Xen's: docs/misc/arm/device-tree/booting.txt, "Creating Multiple Domains directly from Xen". */
static const struct prop_hint vm_hints[] = {
	{ "memory", "write 'memory-mib = <...>;' (Xen's counts KiB)" },
	{ "spis", "it is called 'nr_spis', as in Xen" },
	{ "uart", "it is called 'vpl011', as in Xen" },
	{ "no-uart", "it is called 'no-vpl011'" },
	{ "xen", "write 'xen,enhanced = \"enabled\";', as in Xen" },
	{ "no-xen", "write 'xen,enhanced = \"disabled\";', as in Xen" },
	{ "static-mem", "it is called 'xen,static-mem', as in Xen" },
	{ "ramdisk", "it is called 'initrd'" },
	{ "cmdline", "it is called 'bootargs', as in Xen" },
	{ "vcpus", "it is called 'cpus', as in Xen" },
	{ "cpupool", "name physical CPUs with 'pcpus'" },
	{ "domain-cpupool", "name physical CPUs with 'pcpus'" },
	{ "direct-map", "remove it: RAM begins at 0x40000000; 'xen,static-mem' says where on the board it lies" },
	{ "passthrough", "remove it, and add a node device@<address> for each device" },
	{ "#address-cells", "remove it: addresses and sizes have two cells each" },
	{ "#size-cells", "remove it: addresses and sizes have two cells each" },
	{ "#xen,static-mem-address-cells", "remove it: addresses and sizes have two cells each" },
	{ "#xen,static-mem-size-cells", "remove it: addresses and sizes have two cells each" },
	{ "mac", "remove it: networks are not supported yet" },
	{ "weight", "it belongs into the node 'sched'" },
	{ "cap-percent", "it belongs into the node 'sched'" },
	{ "rt", "it belongs into the node 'sched'" },
	{ "rt-budget-us", "it belongs into the node 'sched'" },
	{ "rt-period-us", "it belongs into the node 'sched'" },
	{ .name = NULL },
};

static const struct prop_rule sched_rules[] = {
	{ IGNORED("phandle") },
	{ U32("weight", vm, weight, 0, BUNDLE_WEIGHT_MAX) },
	{ U32("cap-percent", vm, cap_percent, 1, 100 * BUNDLE_VCPU_MAX) },
	{ FLAG("rt", BUNDLE_VM_RT) },
	{ U32("rt-budget-us", vm, rt_budget_us, BUNDLE_RT_BUDGET_MIN_US, BUNDLE_RT_PERIOD_MAX_US) },
	{ U32("rt-period-us", vm, rt_period_us, BUNDLE_RT_PERIOD_MIN_US, BUNDLE_RT_PERIOD_MAX_US) },
	{ .name = NULL },
};

/* Those of Xen's tools (xl sched-credit, xl sched-rtds) and of half-remembered ones. */
static const struct prop_hint sched_hints[] = {
	{ "cap", "it is called 'cap-percent'" },        { "budget", "it is called 'rt-budget-us'" },
	{ "rt-budget", "it is called 'rt-budget-us'" }, { "period", "it is called 'rt-period-us'" },
	{ "rt-period", "it is called 'rt-period-us'" }, { .name = NULL },
};

static const struct prop_rule root_rules[] = {
	{ IGNORED("compatible") },
	{ .name = NULL },
};

static const struct prop_hint no_hints[] = {
	{ .name = NULL },
};

static const struct node_kind vm_kind = { vm_rules, vm_hints };
static const struct node_kind sched_kind = { sched_rules, sched_hints };
static const struct node_kind root_kind = { root_rules, no_hints };

static bool name_is(const char *name, const char *base)
{
	size_t length = strlen(base);

	return !strncmp(name, base, length) && (!name[length] || name[length] == '@');
}

static bool is_compatible(const void *fdt, int node, const char *want)
{
	int bytes;
	const char *have = fdt_getprop(fdt, node, "compatible", &bytes);

	return have && (size_t)bytes == strlen(want) + 1 && !memcmp(have, want, (size_t)bytes);
}

/* "vm@1": the unit address is the VM's number, its VMID, and what the monitor calls it. */
static int read_vm_id(struct mkbundle *m, struct vm *vm, const char *name)
{
	const char *digits = strchr(name, '@') ? strchr(name, '@') + 1 : "";
	char *end;
	unsigned long id = strtoul(digits, &end, 16);

	if (!*digits || strspn(digits, "0123456789abcdef") != strlen(digits) || *end || id < 1 || id > VM_ID_MAX)
		return diag_fail(m, "%s: %s: a VM's node is called vm@<number>, 1 to %x (hexadecimal); rename it",
				 m->source, vm->node, VM_ID_MAX);
	for (uint32_t i = 0; i < m->vm_count; i++)
		if (m->vms[i].id == id)
			return diag_fail(m, "%s: %s: number %lx is taken by %s; choose another", m->source, vm->node,
					 id, m->vms[i].node);
	vm->id = (uint32_t)id;
	return 0;
}

static int read_inner(struct mkbundle *m, const void *fdt, int node, struct vm *vm)
{
	const char *name = fdt_get_name(fdt, node, NULL);
	const char *path = pool_printf(m, "%s/%s", vm->node, name);

	if (name_is(name, "net") || name_is(name, "pci"))
		return diag_fail(m, "%s: %s: %s nodes are not supported yet; remove it", m->source, path,
				 name_is(name, "net") ? "network" : "PCI");
	if (strcmp(name, "sched") && !name_is(name, "device") && !name_is(name, "reserved"))
		return diag_fail(m,
				 "%s: %s: no such node here; a VM may have 'sched', device@<address> and "
				 "reserved@<address> (see docs/config.md)",
				 m->source, path);
	if (fdt_first_subnode(fdt, node) >= 0)
		return diag_fail(m, "%s: %s: must not have nodes inside; remove them", m->source, path);
	if (name_is(name, "device"))
		return device_read(m, fdt, node, path, vm);
	if (name_is(name, "reserved"))
		return reserved_read(m, fdt, node, path, vm);
	return rules_read(m, fdt, node, path, vm, vm, &sched_kind);
}

static int read_vm(struct mkbundle *m, const void *fdt, int node, const char *name)
{
	struct vm *vm = &m->vms[m->vm_count];
	int sub;

	if (m->vm_count == BUNDLE_VM_MAX)
		return diag_fail(m, "%s: /%s: a profile holds at most %u VMs; remove one", m->source, name,
				 BUNDLE_VM_MAX);
	memset(vm, 0, sizeof(*vm));
	vm->node = pool_printf(m, "/%s", name);
	vm->flags = BUNDLE_VM_AUTOSTART | BUNDLE_VM_UART | BUNDLE_VM_RTC;
	vm->on_crash = BUNDLE_ON_STOP;
	vm->on_reboot = BUNDLE_ON_RESTART;
	vm->spi_count = 64;
	vm->weight = WEIGHT_UNSAID;
	if (read_vm_id(m, vm, name))
		return -1;
	if (!is_compatible(fdt, node, "camber,vm"))
		return diag_fail(m, "%s: %s: compatible: missing or wrong; write 'compatible = \"camber,vm\";'",
				 m->source, vm->node);
	if (rules_read(m, fdt, node, vm->node, vm, vm, &vm_kind))
		return -1;
	for (sub = fdt_first_subnode(fdt, node); sub >= 0; sub = fdt_next_subnode(fdt, sub))
		if (read_inner(m, fdt, sub, vm))
			return -1;
	if (check_vm(m, vm))
		return -1;
	m->vm_count++;
	return 0;
}

int profile_read(struct mkbundle *m, const void *fdt, size_t bytes)
{
	int node;

	m->vm_count = 0;
	if (!tree_is_valid(fdt, bytes))
		return diag_fail(m, "%s: not a compiled device tree; run 'dtc -I dts -O dtb' on the profile first",
				 m->source);
	if (!is_compatible(fdt, 0, "camber,config"))
		return diag_fail(m, "%s: /: compatible: missing or wrong; write 'compatible = \"camber,config\";'",
				 m->source);
	if (rules_read(m, fdt, 0, "/", NULL, NULL, &root_kind))
		return -1;
	for (node = fdt_first_subnode(fdt, 0); node >= 0; node = fdt_next_subnode(fdt, node)) {
		const char *name = fdt_get_name(fdt, node, NULL);

		if (name_is(name, "switch") || is_compatible(fdt, node, "camber,switch"))
			return diag_fail(m, "%s: /%s: switch nodes are not supported yet; remove it", m->source, name);
		if (!name_is(name, "vm"))
			return diag_fail(m, "%s: /%s: no such node here; write vm@<number> (see docs/config.md)",
					 m->source, name);
		if (read_vm(m, fdt, node, name))
			return -1;
	}
	return check_profile(m);
}
