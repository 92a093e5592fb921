/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reserved@<address> nodes of a VM: pieces of its RAM that nothing is loaded to, so that a restart leaves them as they
 * are, and that the guest's tree lists in /reserved-memory.
 *
 * Judges one node; what it overlaps is judged where the VM's memory is laid out (place.c).
 */
#include "reserved.h"

#include <libfdt.h>
#include <string.h>

const char *const ramoops_props[RAMOOPS_PROPS] = {
	"record-size", "console-size", "ftrace-size", "pmsg-size", "ecc-size", "mem-type", "max-reason",
};

static int read_reg(struct mkbundle *m, const struct prop *p)
{
	struct reserved *res = p->into;
	uint32_t count;

	return prop_ranges(m, p, 1, &res->reg, &count);
}

static int read_ramoops(struct mkbundle *m, const struct prop *p)
{
	struct reserved *res = p->into;
	uint32_t i = 0;

	while (strcmp(ramoops_props[i], p->name))
		i++;
	res->ramoops_said |= 1u << i;
	return prop_u32(m, p, 0, INT32_MAX, &res->ramoops[i]);
}

static const struct prop_rule rules[] = {
	{ IGNORED("phandle") },
	{ STRING("label", reserved, label) },
	{ U32("size-mib", reserved, size_mib, 1, MEMORY_MIB_MAX) },
	{ CALL("reg", read_reg) },
	{ BOOL("no-map", reserved, no_map) },
	{ STRING("compatible", reserved, compatible) },
	{ CALL("record-size", read_ramoops) },
	{ CALL("console-size", read_ramoops) },
	{ CALL("ftrace-size", read_ramoops) },
	{ CALL("pmsg-size", read_ramoops) },
	{ CALL("ecc-size", read_ramoops) },
	{ CALL("mem-type", read_ramoops) },
	{ CALL("max-reason", read_ramoops) },
	{ .name = NULL },
};

static const struct prop_hint hints[] = {
	{ "size", "write 'size-mib = <...>;' or 'reg = <address size>;'" },
	{ "reusable", "remove it: the guest's kernel would use the memory for itself" },
	{ .name = NULL },
};

static const struct node_kind kind = { rules, hints };

/* Words of a node's name: Devicetree Specification 0.4, 2.2.1. */
static bool is_node_name(const char *text)
{
	return strlen(text) < BUNDLE_LABEL_BYTES &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_") == strlen(text);
}

int reserved_check(struct mkbundle *m, const struct vm *vm, struct reserved *res)
{
	struct range ram = vm_ram(vm);

	if (!res->label)
		res->label = "reserved";
	if (!is_node_name(res->label))
		return diag_fail(m, "%s: %s: label: \"%s\" is no name of at most %u of a-z, 0-9, - and _; rename it",
				 m->source, res->node, res->label, BUNDLE_LABEL_BYTES - 1);
	if (!res->size_mib == !res->reg.bytes)
		return diag_fail(m, "%s: %s: size-mib: give either it or 'reg'; one of them says how much is reserved",
				 m->source, res->node);
	if (res->ramoops_said && (!res->compatible || strcmp(res->compatible, "ramoops")))
		return diag_fail(m, "%s: %s: %s: is for 'compatible = \"ramoops\";'; add that or remove it", m->source,
				 res->node, ramoops_props[__builtin_ctz(res->ramoops_said)]);
	if (res->size_mib)
		res->reg = (struct range){ res->unit, res->size_mib * MIB };
	if (res->reg.base != res->unit)
		return diag_fail(m, "%s: %s: reg: begins at 0x%llx, the node's name says 0x%llx; make them equal",
				 m->source, res->node, (unsigned long long)res->reg.base,
				 (unsigned long long)res->unit);
	if ((res->reg.base | res->reg.bytes) % BUNDLE_ALIGN)
		return diag_fail(m, "%s: %s: reg: 0x%llx bytes at 0x%llx are not whole pages of 4 KiB; align them",
				 m->source, res->node, (unsigned long long)res->reg.bytes,
				 (unsigned long long)res->reg.base);
	if (res->reg.base < ram.base || res->reg.bytes > ram.bytes ||
	    res->reg.base - ram.base > ram.bytes - res->reg.bytes)
		return diag_fail(m, "%s: %s: reg: 0x%llx..0x%llx is not in RAM (0x%llx..0x%llx); move or shorten it",
				 m->source, res->node, (unsigned long long)res->reg.base,
				 (unsigned long long)(res->reg.base + res->reg.bytes), (unsigned long long)ram.base,
				 (unsigned long long)(ram.base + ram.bytes));
	return 0;
}

int reserved_read(struct mkbundle *m, const void *fdt, int node, const char *path, struct vm *vm)
{
	struct reserved *res = &vm->reserved[vm->reserved_count];

	if (vm->reserved_count == VM_RESERVED_MAX)
		return diag_fail(m, "%s: %s: a VM has at most %u reserved ranges; remove or join some", m->source, path,
				 VM_RESERVED_MAX);
	*res = (struct reserved){ .node = path };
	if (node_unit(m, path, &res->unit) || rules_read(m, fdt, node, path, vm, res, &kind))
		return -1;
	vm->reserved_count++;
	return 0;
}
