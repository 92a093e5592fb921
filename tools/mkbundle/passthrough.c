/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices of the board that VMs own: what the board's tree says of each, and whether it can be given away.
 *
 * A device goes to a VM whole pages of registers at a time, so nothing else may lie in them; its interrupts must be its
 * own SPIs; and it must not do DMA, because without an IOMMU it would read and write any VM's memory. The hypervisor
 * looks the node up once more in the tree that the firmware hands over.
 */
#include "mkbundle.h"

#include <libfdt.h>
#include <stdarg.h>
#include <string.h>

static int dev_fail(struct mkbundle *m, const struct device *dev, const char *prop, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static int dev_fail(struct mkbundle *m, const struct device *dev, const char *prop, const char *fmt, ...)
{
	char text[768];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return diag_fail(m, "%s: %s: %s: %s", m->source, dev->node, prop, text);
}

static const char *board_path(struct mkbundle *m, int node)
{
	char path[256];

	return fdt_get_path(m->board.fdt, node, path, sizeof(path)) ? "?" : pool_printf(m, "%s", path);
}

static bool is_like(const struct board *board, int node, const char *prefix)
{
	int bytes;
	const char *list = fdt_getprop(board->fdt, node, "compatible", &bytes);

	const char *end;

	/* Each string of the list up to its NUL; what has none is none. */
	for (const char *at = list; at && (end = memchr(at, 0, (size_t)(list + bytes - at))); at = end + 1)
		if (!strncmp(at, prefix, strlen(prefix)))
			return true;
	return false;
}

static bool is_inside(const struct board *board, int node, int outer)
{
	while (node > 0 && node != outer)
		node = fdt_parent_offset(board->fdt, node);
	return node == outer;
}

/* The node of /chosen/stdout-path, which may be an alias and may have options behind a colon. */
static int console_node(const struct board *board)
{
	int bytes;
	const char *path = fdt_getprop(board->fdt, fdt_path_offset(board->fdt, "/chosen"), "stdout-path", &bytes);

	if (!path || bytes < 2 || path[bytes - 1])
		return -1;
	return fdt_path_offset_namelen(board->fdt, path, (int)strcspn(path, ":"));
}

/* What is the hypervisor's own, or no device. */
static const char *not_for_vms(const struct board *board, int node)
{
	if (node == console_node(board))
		return "the hypervisor's console";
	if (is_inside(board, node, fdt_node_offset_by_phandle(board->fdt, board->gic)))
		return "the interrupt controller";
	if (is_like(board, node, "arm,armv8-timer") || is_like(board, node, "arm,armv7-timer"))
		return "the hypervisor's timer";
	if (board_is_type(board, node, "memory"))
		return "memory";
	return NULL;
}

static bool is_disabled(const struct board *board, int node)
{
	int bytes;
	const char *status = fdt_getprop(board->fdt, node, "status", &bytes);

	return status && bytes > 0 && strncmp(status, "okay", (size_t)bytes) && strncmp(status, "ok", (size_t)bytes);
}

static const char *dma_property(const struct board *board, int node)
{
	static const char *const props[] = { "iommus", "dmas", "dma-coherent", "dma-ranges", "iommu-map", "msi-map" };

	for (size_t i = 0; i < ARRAY_COUNT(props); i++)
		if (fdt_getprop(board->fdt, node, props[i], NULL))
			return props[i];
	return is_like(board, node, "virtio,") ? "compatible" : NULL;
}

static int find_node(struct mkbundle *m, struct device *dev)
{
	const struct board *board = &m->board;
	const char *what;
	const char *path;

	if (!board->fdt)
		return dev_fail(m, dev, "path", "the board's tree is not known; give it with --board, as make does");
	dev->at = fdt_path_offset(board->fdt, dev->path);
	if (dev->at < 0)
		return dev_fail(m, dev, "path", "%s has no node \"%s\"; look there for its full path", board->path,
				dev->path);
	path = board_path(m, dev->at);
	if (strcmp(path, dev->path))
		return dev_fail(m, dev, "path", "\"%s\" is not the full path; write \"%s\"", dev->path, path);
	what = not_for_vms(board, dev->at);
	if (what)
		return dev_fail(m, dev, "path", "\"%s\" is %s, which no VM can own; choose another device", dev->path,
				what);
	if (is_disabled(board, dev->at))
		return dev_fail(m, dev, "path", "\"%s\" is disabled in %s ('status'); remove the node", dev->path,
				board->path);
	what = dma_property(board, dev->at);
	if (what)
		return dev_fail(
			m, dev, "path",
			"\"%s\" has DMA (its '%s' says so), and there is no IOMMU yet to confine it; remove the "
			"node",
			dev->path, what);
	return 0;
}

static int read_regs(struct mkbundle *m, struct device *dev)
{
	uint32_t count = 0;
	struct range reg;
	int found;

	while ((found = board_reg(&m->board, dev->at, count, &reg)) > 0) {
		if (count == BUNDLE_DEVICE_REGS)
			return dev_fail(m, dev, "path",
					"\"%s\" has more than %u register ranges; it cannot be passed through: remove "
					"the node",
					dev->path, BUNDLE_DEVICE_REGS);
		if (!reg.bytes || (reg.base | reg.bytes) % BUNDLE_ALIGN)
			return dev_fail(m, dev, "path",
					"\"%s\" has 0x%llx bytes at 0x%llx, not whole pages of 4 KiB: its neighbours "
					"would come along; remove the node",
					dev->path, (unsigned long long)reg.bytes, (unsigned long long)reg.base);
		dev->board_reg[count++] = reg;
	}
	if (found < 0 || !count)
		return dev_fail(m, dev, "path", "\"%s\" has no registers ('reg') that a CPU reaches; remove the node",
				dev->path);
	if (!dev->reg_count)
		memcpy(dev->reg, dev->board_reg, count * sizeof(reg));
	else if (dev->reg_count != count)
		return dev_fail(m, dev, "reg", "has %u ranges, the device has %u; give an address and size for each",
				dev->reg_count, count);
	dev->reg_count = count;
	for (uint32_t i = 0; i < count; i++) {
		if (dev->reg[i].bytes != dev->board_reg[i].bytes)
			return dev_fail(m, dev, "reg", "range %u has 0x%llx bytes, the device's has 0x%llx; write that",
					i, (unsigned long long)dev->reg[i].bytes,
					(unsigned long long)dev->board_reg[i].bytes);
		if (dev->reg[i].base % BUNDLE_ALIGN)
			return dev_fail(m, dev, "reg",
					"range %u at 0x%llx is not page-aligned; choose a multiple of 4096", i,
					(unsigned long long)dev->reg[i].base);
	}
	if (dev->reg[0].base != dev->unit)
		return dev_fail(m, dev, "reg", "begins at 0x%llx, the node's name says 0x%llx; make them equal",
				(unsigned long long)dev->reg[0].base, (unsigned long long)dev->unit);
	return 0;
}

/* The interrupts of a node as SPIs; -1: they go elsewhere, or are no SPIs; -2: too many. */
static int board_irqs(const struct board *board, int node, struct board_irq *irqs)
{
	int gic = fdt_node_offset_by_phandle(board->fdt, board->gic);
	int bytes = 0;
	const fdt32_t *cells = fdt_getprop(board->fdt, gic, "#interrupt-cells", &bytes);
	uint32_t per = cells && bytes == 4 ? fdt32_ld(cells) : 0;
	const fdt32_t *parent = NULL;
	uint32_t count;

	if (fdt_getprop(board->fdt, node, "interrupts-extended", NULL))
		return -1;
	cells = fdt_getprop(board->fdt, node, "interrupts", &bytes);
	if (!cells)
		return 0;
	count = (uint32_t)bytes / 4;
	for (int at = node; at >= 0 && !parent; at = fdt_parent_offset(board->fdt, at))
		parent = fdt_getprop(board->fdt, at, "interrupt-parent", &bytes);
	if (!parent || bytes != 4 || fdt32_ld(parent) != board->gic || per < 3 || per > 4)
		return -1;
	count /= per;
	if (count > BUNDLE_DEVICE_IRQS)
		return -2;
	for (uint32_t i = 0; i < count; i++, cells += per) {
		if (fdt32_ld(cells) != 0) /* 1: PPI, 2 and 3: extended ones */
			return -1;
		irqs[i] = (struct board_irq){ fdt32_ld(cells + 1), fdt32_ld(cells + 2) };
	}
	return (int)count;
}

static int read_irqs(struct mkbundle *m, struct device *dev)
{
	int count = board_irqs(&m->board, dev->at, dev->board_irqs);

	if (count == -1)
		return dev_fail(m, dev, "path",
				"\"%s\" has an interrupt that is no SPI of the interrupt controller; remove the node",
				dev->path);
	if (count < 0)
		return dev_fail(m, dev, "path",
				"\"%s\" has more than %u interrupts; it cannot be passed through: remove the node",
				dev->path, BUNDLE_DEVICE_IRQS);
	if (!dev->irq_count)
		for (int i = 0; i < count; i++)
			dev->irqs[i] = dev->board_irqs[i].spi;
	else if (dev->irq_count != (uint32_t)count)
		return dev_fail(m, dev, "interrupts", "has %u numbers, the device has %d interrupts; give one for each",
				dev->irq_count, count);
	dev->irq_count = (uint32_t)count;
	return 0;
}

/* Whatever else on the board lies in the same pages or raises the same interrupt. */
static int check_neighbours(struct mkbundle *m, const struct device *dev)
{
	const struct board *board = &m->board;
	struct board_irq irqs[BUNDLE_DEVICE_IRQS];
	struct range reg;

	for (int node = fdt_next_node(board->fdt, 0, NULL); node >= 0; node = fdt_next_node(board->fdt, node, NULL)) {
		int count;

		if (is_inside(board, node, dev->at))
			continue;
		for (uint32_t i = 0; board_reg(board, node, i, &reg) > 0; i++)
			for (uint32_t r = 0; r < dev->reg_count; r++)
				if (ranges_overlap(reg, dev->board_reg[r]))
					return dev_fail(m, dev, "path",
							"\"%s\" shares pages of registers with \"%s\"; remove the node",
							dev->path, board_path(m, node));
		count = board_irqs(board, node, irqs);
		for (int i = 0; i < count; i++)
			for (uint32_t r = 0; r < dev->irq_count; r++)
				if (irqs[i].spi == dev->board_irqs[r].spi)
					return dev_fail(m, dev, "path",
							"\"%s\" shares SPI %u with \"%s\"; remove the node", dev->path,
							irqs[i].spi, board_path(m, node));
	}
	return 0;
}

static int check_taken(struct mkbundle *m, const struct device *dev)
{
	uint32_t count = 0;

	for (uint32_t v = 0; v < m->vm_count; v++) {
		for (uint32_t i = 0; i < m->vms[v].device_count; i++) {
			const struct device *other = &m->vms[v].devices[i];

			if (other == dev)
				return 0;
			if (is_inside(&m->board, dev->at, other->at) || is_inside(&m->board, other->at, dev->at))
				return dev_fail(m, dev, "path", "\"%s\" is taken by %s; give it to one of the two",
						dev->path, other->node);
			if (++count == BUNDLE_DEVICE_MAX)
				return dev_fail(m, dev, "path", "a profile has at most %u devices; remove one",
						BUNDLE_DEVICE_MAX);
		}
	}
	return 0;
}

/* What lies where in the guest; a device must be clear of all that comes before it in this list. */
struct place {
	const char *name;
	struct range range;
};

static int check_places(struct mkbundle *m, const struct vm *vm, const struct device *dev)
{
	const struct place places[] = {
		{ "RAM", vm_ram(vm) },
		{ "the ROM's space", { 0, vm->rom ? ROM_BYTES_MAX : 0 } },
		{ "the GIC's distributor", { GUEST_GICD_BASE, GUEST_GICD_SIZE } },
		{ "the GIC's redistributors", { GUEST_GICR_BASE, (uint64_t)vm->vcpu_count * GUEST_GICR_STRIDE } },
		{ "the PL011", { GUEST_UART_BASE, vm->flags & BUNDLE_VM_UART ? GUEST_UART_SIZE : 0 } },
		{ "the PL031", { GUEST_RTC_BASE, vm->flags & BUNDLE_VM_RTC ? GUEST_RTC_SIZE : 0 } },
		{ "the stolen-time page", { GUEST_PVTIME_BASE, vm->flags & BUNDLE_VM_XEN ? 0 : GUEST_PVTIME_SIZE } },
		{ "the watchdog", { GUEST_WDT_BASE, vm->watchdog_ms ? GUEST_WDT_SIZE : 0 } },
	};

	for (uint32_t r = 0; r < dev->reg_count; r++) {
		if (dev->reg[r].base > GUEST_IPA_MAX - dev->reg[r].bytes)
			return dev_fail(m, dev, "reg",
					"0x%llx is beyond the guest's 40 address bits; choose a lower one",
					(unsigned long long)dev->reg[r].base);
		for (size_t i = 0; i < ARRAY_COUNT(places); i++)
			if (places[i].range.bytes && ranges_overlap(places[i].range, dev->reg[r]))
				return dev_fail(m, dev, "reg",
						"0x%llx overlaps %s of the guest; choose another address with 'reg'",
						(unsigned long long)dev->reg[r].base, places[i].name);
		for (const struct device *other = vm->devices; other <= dev; other++)
			for (uint32_t o = 0; o < (other == dev ? r : other->reg_count); o++)
				if (ranges_overlap(other->reg[o], dev->reg[r]))
					return dev_fail(m, dev, "reg",
							"0x%llx overlaps range %u of %s; choose another address",
							(unsigned long long)dev->reg[r].base, o, other->node);
	}
	return 0;
}

static int check_irqs(struct mkbundle *m, const struct vm *vm, const struct device *dev)
{
	const struct {
		const char *name;
		uint32_t spi;
		bool there;
	} fixed[] = {
		{ "the PL011", GUEST_UART_INTID - 32, vm->flags & BUNDLE_VM_UART },
		{ "the PL031", GUEST_RTC_INTID - 32, vm->flags & BUNDLE_VM_RTC },
		{ "the watchdog", GUEST_WDT_INTID - 32, vm->watchdog_ms },
	};

	for (uint32_t i = 0; i < dev->irq_count; i++) {
		if (dev->irqs[i] >= vm->spi_count)
			return dev_fail(m, dev, "interrupts",
					"SPI %u is not one of the VM's %u; raise nr_spis or choose a lower one",
					dev->irqs[i], vm->spi_count);
		for (size_t f = 0; f < ARRAY_COUNT(fixed); f++)
			if (fixed[f].there && fixed[f].spi == dev->irqs[i])
				return dev_fail(
					m, dev, "interrupts",
					"SPI %u is that of %s of the guest; choose another: 'interrupts = <...>;'",
					dev->irqs[i], fixed[f].name);
		for (const struct device *other = vm->devices; other <= dev; other++)
			for (uint32_t o = 0; o < (other == dev ? i : other->irq_count); o++)
				if (other->irqs[o] == dev->irqs[i])
					return dev_fail(m, dev, "interrupts",
							"SPI %u is that of %s; choose another: 'interrupts = <...>;'",
							dev->irqs[i],
							other == dev ? "another interrupt of it" : other->node);
	}
	return 0;
}

/* Every clock must be one whose frequency is known here. */
static int check_clocks(struct mkbundle *m, const struct device *dev)
{
	const struct board *board = &m->board;
	int bytes = 0;
	const fdt32_t *clocks = fdt_getprop(board->fdt, dev->at, "clocks", &bytes);

	if (!clocks || dev->clock_hz)
		return 0;
	for (int i = 0; i < bytes / 4; i++) {
		int clock = fdt_node_offset_by_phandle(board->fdt, fdt32_ld(&clocks[i]));
		int size = 0;

		if (clock < 0 || !is_like(board, clock, "fixed-clock") ||
		    !fdt_getprop(board->fdt, clock, "clock-frequency", &size) || size != 4)
			return dev_fail(m, dev, "clock-frequency",
					"missing; the clock of \"%s\" is no fixed one, so say its frequency",
					dev->path);
	}
	return 0;
}

int passthrough_check(struct mkbundle *m)
{
	for (uint32_t v = 0; v < m->vm_count; v++) {
		struct vm *vm = &m->vms[v];

		for (uint32_t i = 0; i < vm->device_count; i++) {
			struct device *dev = &vm->devices[i];

			if (find_node(m, dev) || check_taken(m, dev) || read_regs(m, dev) || read_irqs(m, dev) ||
			    check_neighbours(m, dev) || check_places(m, vm, dev) || check_irqs(m, vm, dev) ||
			    check_clocks(m, dev))
				return -1;
		}
	}
	return 0;
}
