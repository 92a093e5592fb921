/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device@<address> nodes of a VM: what the profile says of a device of the board that the VM owns.
 *
 * Reads only; whether the board has the device and whether it can be passed through is judged in passthrough.c.
 */
#include "rules.h"

#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

static int read_path(struct mkbundle *m, const struct prop *p)
{
	struct device *dev = p->into;

	if (prop_string(m, p, &dev->path))
		return -1;
	if (dev->path[0] != '/' || strlen(dev->path) >= BUNDLE_PATH_BYTES)
		return prop_fail(m, p,
				 "\"%s\" is no full path of at most %u characters; write it from the first '/' on",
				 dev->path, BUNDLE_PATH_BYTES - 1);
	return 0;
}

static int read_reg(struct mkbundle *m, const struct prop *p)
{
	struct device *dev = p->into;

	return prop_ranges(m, p, BUNDLE_DEVICE_REGS, dev->reg, &dev->reg_count);
}

static int read_interrupts(struct mkbundle *m, const struct prop *p)
{
	struct device *dev = p->into;

	return prop_cells(m, p, BUNDLE_DEVICE_IRQS, dev->irqs, &dev->irq_count);
}

static const struct prop_rule rules[] = {
	{ IGNORED("phandle") },
	{ CALL("path", read_path) },
	{ CALL("reg", read_reg) },
	{ CALL("interrupts", read_interrupts) },
	{ U32("clock-frequency", device, clock_hz, 1, UINT32_MAX) },
	{ .name = NULL },
};

static const struct prop_hint hints[] = {
	{ "xen,path", "it is called 'path'" },
	{ "xen,reg", "write 'reg = <address size>;' with the guest's addresses, two cells each" },
	{ "xen,force-assign-without-iommu", "remove it: devices without DMA need no IOMMU, others are refused" },
	{ "compatible", "remove it: it is copied from the board's tree" },
	{ "status", "remove it: the guest's tree says \"okay\"" },
	{ "clocks", "say the frequency with 'clock-frequency = <...>;'" },
	{ .name = NULL },
};

static const struct node_kind kind = { rules, hints };

int node_unit(struct mkbundle *m, const char *path, uint64_t *unit)
{
	const char *digits = strrchr(path, '@') ? strrchr(path, '@') + 1 : "";

	if (!*digits || strspn(digits, "0123456789abcdef") != strlen(digits) || strlen(digits) > 16)
		return diag_fail(m, "%s: %s: the node is called <name>@<guest address>, in hexadecimal; rename it",
				 m->source, path);
	*unit = strtoull(digits, NULL, 16);
	return 0;
}

int device_read(struct mkbundle *m, const void *fdt, int node, const char *path, struct vm *vm)
{
	struct device *dev = &vm->devices[vm->device_count];

	if (vm->device_count == BUNDLE_DEVICE_MAX)
		return diag_fail(m, "%s: %s: a VM has at most %u devices; remove one", m->source, path,
				 BUNDLE_DEVICE_MAX);
	*dev = (struct device){ .node = path };
	if (node_unit(m, path, &dev->unit) || rules_read(m, fdt, node, path, vm, dev, &kind))
		return -1;
	if (!dev->path)
		return diag_fail(m, "%s: %s: path: missing; name the node in the board's tree: 'path = \"/...\";'",
				 m->source, path);
	vm->device_count++;
	return 0;
}
