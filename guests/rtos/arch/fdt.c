/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flattened device tree reader (Devicetree Specification 0.4, chapter 5): /chosen/bootargs and /memory, nothing else.
 *
 * Every offset and length is checked against the header's sizes, which are checked against the 2 MiB that are reserved
 * for the tree. Reads only; runs once at boot.
 */
#include "arch/fdt.h"

#include "arch/layout.h"

#include <stdbool.h>
#include <stddef.h>

#define FDT_MAGIC 0xd00dfeedu
#define FDT_VERSION 17u
#define FDT_BEGIN_NODE 1u
#define FDT_END_NODE 2u
#define FDT_PROP 3u
#define FDT_NOP 4u
#define FDT_END 9u

/* Word indices in the header (5.2). */
#define FDT_HEADER_TOTAL 1
#define FDT_HEADER_STRUCT 2
#define FDT_HEADER_STRINGS 3
#define FDT_HEADER_VERSION 5
#define FDT_HEADER_COMPATIBLE 6
#define FDT_HEADER_STRINGS_BYTES 8
#define FDT_HEADER_STRUCT_BYTES 9
#define FDT_HEADER_BYTES 40u

#define TREE_LIMIT (LAYOUT_RAM_BASE + LAYOUT_TREE_BYTES)

struct span {
	const uint8_t *base;
	uint32_t bytes;
};

struct walk {
	struct span structure, strings;
	uint32_t offset;
	uint32_t depth;      /* 1 in the root node */
	const char *node;    /* name of the depth-2 node we are in */
	uint32_t addr_cells; /* of the root */
	uint32_t size_cells;
};

struct property {
	const char *name;
	struct span value;
};

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The length of a string that must end inside the span, or -1. */
static int64_t span_string(const struct span *span, uint32_t offset)
{
	for (uint32_t i = offset; i < span->bytes; i++) {
		if (span->base[i] == '\0')
			return i - offset;
	}
	return -1;
}

/* Equal, up to the end or to the unit address: "memory@40000000" is "memory". */
static bool name_is(const char *name, const char *wanted)
{
	while (*wanted && *name == *wanted) {
		name++;
		wanted++;
	}
	return *wanted == '\0' && (*name == '\0' || *name == '@');
}

static const char *fdt_check(uint64_t addr, struct walk *walk)
{
	const uint8_t *header = (const uint8_t *)addr;
	uint32_t total, struct_offset, strings_offset;

	if (addr < LAYOUT_RAM_BASE || addr > TREE_LIMIT - FDT_HEADER_BYTES || addr % 8)
		return "not in the first 2 MiB of RAM";
	if (be32(header) != FDT_MAGIC)
		return "no magic";
	total = be32(header + 4 * FDT_HEADER_TOTAL);
	struct_offset = be32(header + 4 * FDT_HEADER_STRUCT);
	strings_offset = be32(header + 4 * FDT_HEADER_STRINGS);
	walk->structure.bytes = be32(header + 4 * FDT_HEADER_STRUCT_BYTES);
	walk->strings.bytes = be32(header + 4 * FDT_HEADER_STRINGS_BYTES);
	if (be32(header + 4 * FDT_HEADER_VERSION) < FDT_VERSION ||
	    be32(header + 4 * FDT_HEADER_COMPATIBLE) > FDT_VERSION)
		return "unknown version";
	if (total > TREE_LIMIT - addr)
		return "larger than 2 MiB";
	if (struct_offset > total || walk->structure.bytes > total - struct_offset || struct_offset % 4 ||
	    strings_offset > total || walk->strings.bytes > total - strings_offset)
		return "blocks outside the tree";
	walk->structure.base = header + struct_offset;
	walk->strings.base = header + strings_offset;
	return NULL;
}

/* Takes bytes (padded to 4) off the structure block; NULL at its end. */
static const uint8_t *walk_take(struct walk *walk, uint32_t bytes)
{
	uint32_t left = walk->structure.bytes - walk->offset;
	const uint8_t *p = walk->structure.base + walk->offset;

	if (bytes > left)
		return NULL;
	bytes = (bytes + 3) & ~3u;
	walk->offset += bytes < left ? bytes : left;
	return p;
}

static bool walk_property(struct walk *walk, struct property *property)
{
	const uint8_t *head = walk_take(walk, 8);
	uint32_t name_offset;

	if (!head)
		return false;
	property->value.bytes = be32(head);
	name_offset = be32(head + 4);
	property->value.base = walk_take(walk, property->value.bytes);
	if (!property->value.base || span_string(&walk->strings, name_offset) < 0)
		return false;
	property->name = (const char *)walk->strings.base + name_offset;
	return true;
}

static uint64_t read_cells(const uint8_t *p, uint32_t cells)
{
	uint64_t value = 0;

	for (uint32_t i = 0; i < cells; i++)
		value = value << 32 | be32(p + 4 * i);
	return value;
}

/* "reg" of a memory node: banks of (address, size). */
static void note_memory(const struct walk *walk, const struct span *reg, struct fdt_facts *facts)
{
	uint32_t entry_bytes = 4 * (walk->addr_cells + walk->size_cells);

	if (walk->addr_cells > 2 || walk->size_cells > 2 || entry_bytes == 0)
		return;
	for (uint32_t i = 0; i + entry_bytes <= reg->bytes; i += entry_bytes) {
		uint64_t base = read_cells(reg->base + i, walk->addr_cells);
		uint64_t bytes = read_cells(reg->base + i + 4 * walk->addr_cells, walk->size_cells);

		if (base == LAYOUT_RAM_BASE)
			facts->ram_end = bytes < LAYOUT_RAM_LIMIT - LAYOUT_RAM_BASE ? base + bytes : LAYOUT_RAM_LIMIT;
	}
}

/* "reg" of the watchdog (binding arm,sbsa-gwdt): the control frame, then the refresh frame. */
static void note_watchdog(const struct walk *walk, const struct span *reg, struct fdt_facts *facts)
{
	uint32_t entry_bytes = 4 * (walk->addr_cells + walk->size_cells);

	if (walk->addr_cells > 2 || walk->size_cells > 2 || reg->bytes < 2 * entry_bytes)
		return;
	facts->watchdog_control = read_cells(reg->base, walk->addr_cells);
	facts->watchdog_refresh = read_cells(reg->base + entry_bytes, walk->addr_cells);
}

static void note_property(struct walk *walk, const struct property *property, struct fdt_facts *facts)
{
	if (walk->depth == 1) {
		if (name_is(property->name, "#address-cells") && property->value.bytes == 4)
			walk->addr_cells = be32(property->value.base);
		if (name_is(property->name, "#size-cells") && property->value.bytes == 4)
			walk->size_cells = be32(property->value.base);
	} else if (walk->depth == 2 && name_is(walk->node, "memory") && name_is(property->name, "reg")) {
		note_memory(walk, &property->value, facts);
	} else if (walk->depth == 2 && name_is(walk->node, "watchdog") && name_is(property->name, "reg")) {
		note_watchdog(walk, &property->value, facts);
	} else if (walk->depth == 2 && name_is(walk->node, "chosen") && name_is(property->name, "bootargs")) {
		if (span_string(&property->value, 0) >= 0)
			facts->bootargs = (const char *)property->value.base;
	}
}

/* Every turn takes at least four bytes off the structure block, so this ends. */
static const char *fdt_walk(struct walk *walk, struct fdt_facts *facts)
{
	for (;;) {
		const uint8_t *token = walk_take(walk, 4);
		struct property property;
		int64_t length;

		if (!token)
			return "structure without an end";
		switch (be32(token)) {
		case FDT_BEGIN_NODE:
			length = span_string(&walk->structure, walk->offset);
			if (length < 0)
				return "node name without an end";
			if (++walk->depth == 2)
				walk->node = (const char *)walk->structure.base + walk->offset;
			walk_take(walk, (uint32_t)length + 1);
			break;
		case FDT_END_NODE:
			if (walk->depth-- == 0)
				return "unbalanced nodes";
			break;
		case FDT_PROP:
			if (!walk_property(walk, &property))
				return "property outside its block";
			note_property(walk, &property, facts);
			break;
		case FDT_NOP:
			break;
		case FDT_END:
			return NULL;
		default:
			return "unknown token";
		}
	}
}

const char *fdt_read(uint64_t candidate, struct fdt_facts *facts)
{
	struct walk walk = { .addr_cells = 2, .size_cells = 1, .node = "" }; /* 2.3.5: the defaults */
	const char *error;

	facts->bootargs = "";
	facts->watchdog_control = facts->watchdog_refresh = 0;
	facts->ram_end = LAYOUT_RAM_LIMIT;
	if (fdt_check(candidate, &walk) && (error = fdt_check(LAYOUT_RAM_BASE, &walk)))
		return error;
	return fdt_walk(&walk, facts);
}
