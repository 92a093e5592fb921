/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the board has, from its device tree: boards/<board>/board.dts, or the tree that its firmware hands over.
 *
 * The tree may be any board's, so nothing in it is taken on trust but its structure, which tree_is_valid() has checked.
 * Addresses are physical ones: each bus above a device may move them ('ranges', Devicetree Specification 0.4, 2.3.8).
 */
#include "mkbundle.h"

#include <libfdt.h>
#include <string.h>

/* What is no VM's: the hypervisor's code, stacks, logs, tables, and RAM comes in pieces of 2 MiB. */
#define HYPERVISOR_BYTES (2 * MIB)

/* Only the version that dtc writes: libfdt 1.6.1's own check follows a null pointer in some older, damaged ones. */
bool tree_is_valid(const void *fdt, size_t bytes)
{
	return bytes >= sizeof(struct fdt_header) && fdt_magic(fdt) == FDT_MAGIC && fdt_version(fdt) == 17 &&
	       fdt_last_comp_version(fdt) == 16 && !fdt_check_full(fdt, bytes) && fdt_path_offset(fdt, "/") == 0;
}

/* A number of 1 or 2 cells. */
static uint64_t number(const fdt32_t *cells, int count)
{
	uint64_t value = fdt32_ld(cells);

	return count == 1 ? value : value << 32 | fdt32_ld(cells + 1);
}

static bool cells_usable(int address, int size)
{
	return address >= 1 && address <= 2 && size >= 1 && size <= 2;
}

/* The address `at` behind the bus `bus`, as the bus above it says it. */
static bool translate(const struct board *board, int bus, uint64_t *at, uint64_t count)
{
	int above = fdt_parent_offset(board->fdt, bus);
	int child_cells = fdt_address_cells(board->fdt, bus);
	int cells = fdt_address_cells(board->fdt, above);
	int size_cells = fdt_size_cells(board->fdt, bus);
	int bytes = 0;
	const fdt32_t *ranges = fdt_getprop(board->fdt, bus, "ranges", &bytes);
	int entry = child_cells + cells + size_cells;

	if (!ranges)
		return false;
	if (!bytes)
		return true;
	if (!cells_usable(child_cells, size_cells) || !cells_usable(cells, 1))
		return false;
	for (; bytes >= 4 * entry; bytes -= 4 * entry, ranges += entry) {
		uint64_t from = number(ranges, child_cells);
		uint64_t to = number(ranges + child_cells, cells);
		uint64_t size = number(ranges + child_cells + cells, size_cells);

		if (*at < from || *at - from > size || count > size - (*at - from))
			continue;
		*at = to + (*at - from);
		return true;
	}
	return false;
}

int board_reg(const struct board *board, int node, uint32_t index, struct range *range)
{
	int bus = fdt_parent_offset(board->fdt, node);
	int address_cells = bus < 0 ? 0 : fdt_address_cells(board->fdt, bus);
	int size_cells = bus < 0 ? 0 : fdt_size_cells(board->fdt, bus);
	int bytes = 0;
	const fdt32_t *reg = fdt_getprop(board->fdt, node, "reg", &bytes);
	int entry = address_cells + size_cells;

	if (!reg || !cells_usable(address_cells, size_cells) || (uint64_t)bytes / 4 / (uint64_t)entry <= index)
		return 0;
	reg += index * (uint32_t)entry;
	range->base = number(reg, address_cells);
	range->bytes = number(reg + address_cells, size_cells);
	for (; bus > 0; bus = fdt_parent_offset(board->fdt, bus))
		if (!translate(board, bus, &range->base, range->bytes))
			return -1;
	return range->bytes > UINT64_MAX - range->base ? -1 : 1;
}

bool board_is_type(const struct board *board, int node, const char *type)
{
	int bytes;
	const char *have = fdt_getprop(board->fdt, node, "device_type", &bytes);

	return have && (size_t)bytes == strlen(type) + 1 && !memcmp(have, type, (size_t)bytes);
}

static void read_ram(struct board *board, int node)
{
	struct range range;

	for (uint32_t i = 0; board->ram_count < BOARD_RAM_MAX && board_reg(board, node, i, &range) > 0; i++) {
		board->ram[board->ram_count++] = range;
		board->ram_bytes += range.bytes;
	}
}

/* A board's cores may differ; "arm,cortex-a53" and the like say so. */
static void read_cpu(struct board *board, int node)
{
	int bytes = 0;
	const char *kind = fdt_getprop(board->fdt, node, "compatible", &bytes);

	if (!kind || bytes <= 0 || !memchr(kind, 0, (size_t)bytes))
		board->cpu_kinds_known = false;
	else if (board->cpu_count < PCPU_MAX)
		board->cpu_kind[board->cpu_count] = kind;
	board->cpu_count++;
}

int board_use(struct mkbundle *m, const void *fdt, const char *path)
{
	struct board *board = &m->board;
	const fdt32_t *parent;
	int bytes;
	int node;

	*board = (struct board){ .fdt = fdt, .path = path, .cpu_kinds_known = true };
	fdt_for_each_subnode(node, fdt, 0) if (board_is_type(board, node, "memory")) read_ram(board, node);
	fdt_for_each_subnode(node, fdt, fdt_path_offset(fdt, "/cpus")) if (board_is_type(board, node, "cpu"))
		read_cpu(board, node);
	parent = fdt_getprop(fdt, 0, "interrupt-parent", &bytes);
	board->gic = parent && bytes == 4 ? fdt32_ld(parent) : 0;
	if (!board->ram_bytes)
		return diag_fail(m, "%s: /: has no memory; add a node with 'device_type = \"memory\";'", path);
	if (!board->cpu_count || board->cpu_count > PCPU_MAX)
		return diag_fail(m, "%s: /cpus: has %u CPUs; list the board's, from 1 to %u", path, board->cpu_count,
				 PCPU_MAX);
	if (fdt_node_offset_by_phandle(fdt, board->gic) < 0)
		return diag_fail(m, "%s: /: interrupt-parent: does not name the interrupt controller; add it", path);
	return 0;
}

int board_read(struct mkbundle *m, const char *path)
{
	uint8_t *fdt;
	size_t bytes;

	if (file_read(m, path, &fdt, &bytes))
		return -1;
	if (!tree_is_valid(fdt, bytes))
		return diag_fail(m, "%s: not a compiled device tree; give the board's, compiled by dtc", path);
	return board_use(m, fdt, path);
}

static unsigned long long mib_up(uint64_t bytes)
{
	return align_up(bytes, MIB) / MIB;
}

int board_check_memory(struct mkbundle *m, uint64_t bundle_bytes)
{
	const struct board *board = &m->board;
	uint64_t guests = 0;
	uint64_t all;

	if (!board->fdt)
		return 0;
	if (bundle_bytes + HYPERVISOR_BYTES > board->ram_bytes)
		return diag_fail(m,
				 "%s: /: the bundle has %llu MiB and the hypervisor %llu, the board only %llu; use "
				 "smaller images",
				 m->source, mib_up(bundle_bytes), mib_up(HYPERVISOR_BYTES), mib_up(board->ram_bytes));
	for (uint32_t i = 0; i < m->vm_count; i++)
		for (uint32_t r = 0; r < m->vms[i].mem_count; r++)
			guests += m->vms[i].mem[r].bytes;
	all = guests + align_up(bundle_bytes, 2 * MIB) + HYPERVISOR_BYTES;
	if (all > board->ram_bytes)
		return diag_fail(m,
				 "%s: /: memory-mib: the VMs have %llu MiB, the bundle %llu, the hypervisor %llu: %llu "
				 "more than the board's %llu; lower it",
				 m->source, mib_up(guests), mib_up(align_up(bundle_bytes, 2 * MIB)),
				 mib_up(HYPERVISOR_BYTES), mib_up(all - board->ram_bytes), mib_up(board->ram_bytes));
	return 0;
}
