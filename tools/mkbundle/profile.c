/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profile reader: the device tree that dtc made of boards/<board>/<profile>.dts -> m->vms, in the order of the file.
 *
 * Two tables say which properties exist and what may stand in them; docs/config.md describes the same for people.
 * Nothing is guessed or skipped: a node or property that is not in the tables is an error, as is a valid one that this
 * version cannot honour. Opens no file.
 */
#include "mkbundle.h"

#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

static const char *const stop_or_restart[] = { [BUNDLE_ON_STOP] = "stop", [BUNDLE_ON_RESTART] = "restart", NULL };
static const char *const abort_or_stop[] = { "abort", "stop", NULL };

enum prop_type {
	PROP_IGNORED, /* "compatible": already looked at; "phandle": dtc adds it */
	PROP_STRING,
	PROP_U32,
	PROP_CHOICE,
	PROP_FLAG, /* sets flag */
	PROP_NO_FLAG,
	PROP_CALL,
};

struct prop_rule {
	const char *name;
	enum prop_type type;
	size_t field; /* in struct vm, or the flag */
	uint32_t low;
	uint32_t high;
	const char *const *words;
	int (*call)(struct mkbundle *m, const struct prop *p);
};

#define IGNORED(n) .name = n, .type = PROP_IGNORED
#define STRING(n, f) .name = n, .type = PROP_STRING, .field = offsetof(struct vm, f)
#define U32(n, f, l, h) .name = n, .type = PROP_U32, .field = offsetof(struct vm, f), .low = l, .high = h
#define CHOICE(n, f, w) .name = n, .type = PROP_CHOICE, .field = offsetof(struct vm, f), .words = w
#define FLAG(n, f) .name = n, .type = PROP_FLAG, .field = f
#define NO_FLAG(n, f) .name = n, .type = PROP_NO_FLAG, .field = f
#define CALL(n, c) .name = n, .type = PROP_CALL, .call = c

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

static int read_spis(struct mkbundle *m, const struct prop *p)
{
	if (prop_u32(m, p, 32, SPI_COUNT_MAX, &p->vm->spi_count))
		return -1;
	if (p->vm->spi_count % 32)
		return prop_fail(m, p, "is %u; the interrupt controller counts SPIs in steps of 32: choose a multiple",
				 p->vm->spi_count);
	return 0;
}

static const struct prop_rule vm_rules[] = {
	{ IGNORED("compatible") },
	{ IGNORED("phandle") },
	{ STRING("label", label) },
	{ U32("cpus", vcpu_count, 1, BUNDLE_VCPU_MAX) },
	{ CALL("pcpus", read_pcpus) },
	{ CALL("pcpu-masks", read_pcpu_masks) },
	{ U32("memory-mib", memory_mib, 2, MEMORY_MIB_MAX) },
	{ STRING("kernel", kernel) },
	{ STRING("initrd", initrd) },
	{ STRING("bootargs", bootargs) },
	{ STRING("rom", rom) },
	{ CALL("load", read_load) },
	{ CALL("entry", read_entry) },
	{ CHOICE("on-crash", on_crash, stop_or_restart) },
	{ CHOICE("on-reboot", on_reboot, stop_or_restart) },
	{ CHOICE("stray-access", stray, abort_or_stop) },
	{ U32("watchdog-ms", watchdog_ms, 0, UINT32_MAX) },
	{ CALL("spis", read_spis) },
	{ FLAG("autostart", BUNDLE_VM_AUTOSTART) },
	{ NO_FLAG("no-autostart", BUNDLE_VM_AUTOSTART) },
	{ FLAG("uart", BUNDLE_VM_UART) },
	{ NO_FLAG("no-uart", BUNDLE_VM_UART) },
	{ FLAG("rtc", BUNDLE_VM_RTC) },
	{ NO_FLAG("no-rtc", BUNDLE_VM_RTC) },
	{ FLAG("xen", BUNDLE_VM_XEN) },
	{ NO_FLAG("no-xen", BUNDLE_VM_XEN) },
	{ .name = NULL },
};

static const struct prop_rule sched_rules[] = {
	{ IGNORED("phandle") },
	{ U32("weight", weight, 1, 65535) },
	{ U32("cap-percent", cap_percent, 0, 100 * BUNDLE_VCPU_MAX) },
	{ FLAG("rt", BUNDLE_VM_RT) },
	{ U32("rt-budget-us", rt_budget_us, 1, UINT32_MAX) },
	{ U32("rt-period-us", rt_period_us, 1, UINT32_MAX) },
	{ .name = NULL },
};

static const struct prop_rule root_rules[] = {
	{ IGNORED("compatible") },
	{ .name = NULL },
};

static int set_flag(struct mkbundle *m, const struct prop *p, uint32_t flag, bool on)
{
	if (prop_empty(m, p))
		return -1;
	if (p->vm->flags_said & flag)
		return prop_fail(m, p, "contradicts '%s%s'; keep one of the two", on ? "no-" : "",
				 on ? p->name : p->name + strlen("no-"));
	p->vm->flags_said |= flag;
	p->vm->flags = on ? p->vm->flags | flag : p->vm->flags & ~flag;
	return 0;
}

static int apply_rule(struct mkbundle *m, const struct prop_rule *rule, const struct prop *p)
{
	char *field;

	if (rule->type == PROP_IGNORED)
		return 0;
	field = (char *)p->vm + rule->field;
	switch (rule->type) {
	case PROP_IGNORED:
		break;
	case PROP_STRING:
		return prop_string(m, p, (const char **)(void *)field);
	case PROP_U32:
		return prop_u32(m, p, rule->low, rule->high, (uint32_t *)(void *)field);
	case PROP_CHOICE:
		return prop_choice(m, p, rule->words, (uint32_t *)(void *)field);
	case PROP_FLAG:
	case PROP_NO_FLAG:
		return set_flag(m, p, (uint32_t)rule->field, rule->type == PROP_FLAG);
	case PROP_CALL:
		return rule->call(m, p);
	}
	return prop_fail(m, p, "no way to read it");
}

static int read_props(struct mkbundle *m, const void *fdt, int node, const char *path, struct vm *vm,
		      const struct prop_rule *rules)
{
	int at;

	for (at = fdt_first_property_offset(fdt, node); at >= 0; at = fdt_next_property_offset(fdt, at)) {
		struct prop p = { .vm = vm, .node = path };
		const struct prop_rule *rule = rules;
		int bytes = 0;

		p.data = fdt_getprop_by_offset(fdt, at, &p.name, &bytes);
		if (!p.data || bytes < 0 || !p.name)
			return diag_fail(m, "%s: %s: the compiled profile is damaged; run dtc again", m->source, path);
		p.bytes = (uint32_t)bytes;
		while (rule->name && strcmp(rule->name, p.name))
			rule++;
		if (!rule->name)
			return prop_fail(m, &p,
					 "no such property here; remove it or mend its name (see docs/config.md)");
		if (apply_rule(m, rule, &p))
			return -1;
	}
	return 0;
}

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

static int read_vm(struct mkbundle *m, const void *fdt, int node, const char *name)
{
	struct vm *vm = &m->vms[m->vm_count];
	int sub;

	if (m->vm_count == BUNDLE_VM_MAX)
		return diag_fail(m, "%s: /%s: a profile holds at most %u VMs; remove one", m->source, name,
				 BUNDLE_VM_MAX);
	memset(vm, 0, sizeof(*vm));
	vm->node = pool_printf(m, "/%s", name);
	vm->flags = BUNDLE_VM_AUTOSTART | BUNDLE_VM_UART | BUNDLE_VM_RTC | BUNDLE_VM_XEN;
	vm->on_crash = BUNDLE_ON_STOP;
	vm->on_reboot = BUNDLE_ON_RESTART;
	vm->spi_count = 64;
	vm->weight = 256;
	if (read_vm_id(m, vm, name))
		return -1;
	if (!is_compatible(fdt, node, "camber,vm"))
		return diag_fail(m, "%s: %s: compatible: missing or wrong; write 'compatible = \"camber,vm\";'",
				 m->source, vm->node);
	if (read_props(m, fdt, node, vm->node, vm, vm_rules))
		return -1;
	for (sub = fdt_first_subnode(fdt, node); sub >= 0; sub = fdt_next_subnode(fdt, sub)) {
		const char *sub_name = fdt_get_name(fdt, sub, NULL);
		const char *path;

		if (!sub_name)
			return diag_fail(m, "%s: %s: the compiled profile is damaged; run dtc again", m->source,
					 vm->node);
		path = pool_printf(m, "%s/%s", vm->node, sub_name);
		if (name_is(sub_name, "net") || name_is(sub_name, "pci"))
			return diag_fail(m, "%s: %s: %s nodes are not supported yet; remove it", m->source, path,
					 name_is(sub_name, "net") ? "network" : "PCI");
		if (strcmp(sub_name, "sched"))
			return diag_fail(
				m, "%s: %s: no such node here; a VM may have one called 'sched' (see docs/config.md)",
				m->source, path);
		if (fdt_first_subnode(fdt, sub) >= 0)
			return diag_fail(m, "%s: %s: must not have nodes inside; remove them", m->source, path);
		if (read_props(m, fdt, sub, path, vm, sched_rules))
			return -1;
	}
	if (check_vm(m, vm))
		return -1;
	m->vm_count++;
	return 0;
}

/* Only the version that dtc writes: libfdt 1.6.1's own check follows a null pointer in some older, damaged ones. */
static bool is_device_tree(const void *fdt, size_t bytes)
{
	return bytes >= sizeof(struct fdt_header) && fdt_magic(fdt) == FDT_MAGIC && fdt_version(fdt) == 17 &&
	       fdt_last_comp_version(fdt) == 16 && !fdt_check_full(fdt, bytes);
}

int profile_read(struct mkbundle *m, const void *fdt, size_t bytes)
{
	int root;
	int node;

	m->vm_count = 0;
	if (!is_device_tree(fdt, bytes))
		return diag_fail(m, "%s: not a compiled device tree; run 'dtc -I dts -O dtb' on the profile first",
				 m->source);
	root = fdt_path_offset(fdt, "/");
	if (root < 0 || !is_compatible(fdt, root, "camber,config"))
		return diag_fail(m, "%s: /: compatible: missing or wrong; write 'compatible = \"camber,config\";'",
				 m->source);
	if (read_props(m, fdt, root, "/", NULL, root_rules))
		return -1;
	for (node = fdt_first_subnode(fdt, root); node >= 0; node = fdt_next_subnode(fdt, node)) {
		const char *name = fdt_get_name(fdt, node, NULL);

		if (!name)
			return diag_fail(m, "%s: /: the compiled profile is damaged; run dtc again", m->source);
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
