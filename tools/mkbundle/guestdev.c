/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The board's devices in a guest's tree: each node is the board's one, with the guest's addresses and interrupts.
 *
 * Copied is what means the same in any tree. What refers to other nodes (phandles) is left out, clocks of a fixed
 * frequency apart, which get a node of their own. Nodes inside the device's one are not copied.
 */
#include "guestdt.h"

#include <libfdt.h>
#include <string.h>

/* Written here, or meaningless without nodes that the guest's tree doesn't have. '*' stands for anything. */
static const char *const not_copied[] = {
	"reg",
	"interrupts",
	"status",
	"clocks",
	"phandle",
	"linux,phandle",
	"ranges",
	"interrupt-parent",
	"interrupt-map",
	"interrupt-map-mask",
	"interrupt-affinity",
	"assigned-clock*",
	"power-domain*",
	"pinctrl-*",
	"resets",
	"reset-names",
	"*gpio",
	"*gpios",
	"*-supply",
	"phys",
	"phy-names",
	"phy-handle",
	"memory-region*",
	"interconnect*",
	"mboxes",
	"mbox-names",
	"nvmem-cell*",
	"msi-parent",
	"operating-points-v2",
	"thermal-sensors",
	"#cooling-cells",
	"syscon",
	"*-syscon",
	"hwlocks",
	"access-controllers",
};

static bool matches(const char *name, const char *pattern)
{
	size_t length = strlen(pattern);
	size_t name_length = strlen(name);

	if (pattern[0] == '*')
		return name_length >= length - 1 && !strcmp(name + name_length - (length - 1), pattern + 1);
	if (pattern[length - 1] == '*')
		return !strncmp(name, pattern, length - 1);
	return !strcmp(name, pattern);
}

static bool is_copied(const char *name)
{
	for (size_t i = 0; i < ARRAY_COUNT(not_copied); i++)
		if (matches(name, not_copied[i]))
			return false;
	return true;
}

/* Names without what they name come from a damaged tree, or from clocks that are written below. */
static bool is_left_out(const struct board *board, const struct device *dev, const char *name)
{
	if (!strcmp(name, "clock-names"))
		return !fdt_getprop(board->fdt, dev->at, "clocks", NULL);
	return dev->clock_hz && !strcmp(name, "clock-frequency");
}

static bool is_primecell(const struct board *board, int node)
{
	return !fdt_node_check_compatible(board->fdt, node, "arm,primecell");
}

/* The fixed clock of this frequency: apb-pclk, or a node written here, behind the device's. */
static void write_clock(struct tree *t, uint32_t phandle, uint32_t hz)
{
	char name[24];

	snprintf(name, sizeof(name), "clock-%u", phandle);
	tree_begin(t, name);
	tree_string(t, "compatible", "fixed-clock");
	CELLS(t, "#clock-cells", 0);
	CELLS(t, "clock-frequency", hz);
	CELLS(t, "phandle", phandle);
	tree_end(t);
}

/* Frequencies of the device's clocks, which passthrough.c found fixed. */
static uint32_t clock_rates(const struct board *board, const struct device *dev, uint32_t max, uint32_t *hz)
{
	int bytes = 0;
	const fdt32_t *clocks = fdt_getprop(board->fdt, dev->at, "clocks", &bytes);
	uint32_t count = 0;

	if (clocks && dev->clock_hz) {
		/* How many cells a foreign clock's reference takes is its provider's affair: names count better. */
		int names = fdt_stringlist_count(board->fdt, dev->at, "clock-names");

		for (count = 0; count < max && count < (names > 0 ? (uint32_t)names : 1); count++)
			hz[count] = dev->clock_hz;
		return count;
	}
	for (; clocks && count < max && bytes >= 4; bytes -= 4, clocks++) {
		int clock = fdt_node_offset_by_phandle(board->fdt, fdt32_ld(clocks));

		hz[count++] = fdt32_ld((const fdt32_t *)fdt_getprop(board->fdt, clock, "clock-frequency", NULL));
	}
	return count;
}

static void write_clocks(struct tree *t, const struct board *board, const struct device *dev)
{
	uint32_t hz[8];
	uint32_t phandles[ARRAY_COUNT(hz)];
	uint32_t first = t->next_phandle;
	uint32_t count = clock_rates(board, dev, ARRAY_COUNT(hz), hz);

	for (uint32_t i = 0; i < count; i++) {
		phandles[i] = hz[i] == GUEST_UART_CLOCK_HZ ? PHANDLE_CLOCK : 0;
		for (uint32_t other = 0; other < i && !phandles[i]; other++)
			if (hz[other] == hz[i])
				phandles[i] = phandles[other];
		if (!phandles[i])
			phandles[i] = t->next_phandle++;
	}
	if (count)
		tree_cells(t, "clocks", phandles, count);
	else if (dev->clock_hz)
		CELLS(t, "clock-frequency", dev->clock_hz);
	if (!count && is_primecell(board, dev->at)) {
		CELLS(t, "clocks", PHANDLE_CLOCK);
		tree_string(t, "clock-names", "apb_pclk");
	}
	tree_end(t);
	for (uint32_t i = 0; i < count; i++)
		if (phandles[i] == first) {
			write_clock(t, first, hz[i]);
			first++;
		}
}

static void write_device(struct tree *t, const struct board *board, const struct device *dev)
{
	const char *board_name = fdt_get_name(board->fdt, dev->at, NULL);
	uint32_t cells[4 * BUNDLE_DEVICE_REGS];
	char name[64];
	int at;

	snprintf(name, sizeof(name), "%.*s@%llx", (int)strcspn(board_name, "@"), board_name,
		 (unsigned long long)dev->reg[0].base);
	tree_begin(t, name);
	fdt_for_each_property_offset(at, board->fdt, dev->at)
	{
		const char *prop;
		int bytes;
		const void *data = fdt_getprop_by_offset(board->fdt, at, &prop, &bytes);

		if (is_copied(prop) && !is_left_out(board, dev, prop))
			tree_bytes(t, prop, data, (size_t)bytes);
	}
	for (uint32_t i = 0; i < dev->reg_count; i++)
		memcpy(&cells[4 * i], (const uint32_t[]){ CELL64(dev->reg[i].base), CELL64(dev->reg[i].bytes) }, 16);
	tree_cells(t, "reg", cells, 4 * dev->reg_count);
	_Static_assert(3 * BUNDLE_DEVICE_IRQS <= 32, "tree_cells() takes so many");
	if (dev->irq_count) {
		uint32_t irqs[3 * BUNDLE_DEVICE_IRQS];

		for (uint32_t i = 0; i < dev->irq_count; i++) {
			irqs[3 * i] = GIC_SPI;
			irqs[3 * i + 1] = dev->irqs[i];
			irqs[3 * i + 2] = dev->board_irqs[i].trigger;
		}
		tree_cells(t, "interrupts", irqs, 3 * dev->irq_count);
	}
	tree_string(t, "status", "okay");
	write_clocks(t, board, dev);
}

void guestdev_write(struct tree *t, const struct board *board, const struct vm *vm)
{
	for (uint32_t i = 0; i < vm->device_count; i++)
		write_device(t, board, &vm->devices[i]);
}
