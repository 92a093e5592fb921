/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reader of the flattened device tree (Devicetree Specification v0.4, chapter 5): boot arguments, CPUs, memory.
 * One pass over the structure block; every offset and length is checked against the header's sizes first, and the
 * tree is never written.
 */
#include "probe.h"

#define FDT_MAGIC 0xd00dfeedu
#define FDT_BEGIN_NODE 1u
#define FDT_END_NODE 2u
#define FDT_PROP 3u
#define FDT_NOP 4u
#define FDT_END 9u
#define FDT_MAX_BYTES (2u << 20)
#define DEPTH_MAX 8u

enum node_kind { NODE_OTHER, NODE_ROOT, NODE_CHOSEN, NODE_CPUS, NODE_CPU, NODE_MEMORY };

struct node {
	enum node_kind kind;
	uint32_t cells_addr, cells_size; /* #address-cells, #size-cells: how the children's reg is read */
};

struct walk {
	const uint8_t *structs, *strings;
	uint32_t struct_bytes, string_bytes;
	uint32_t at;
	uint32_t open; /* nodes we are inside of; the innermost is node[open - 1] */
	struct node node[DEPTH_MAX];
};

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint64_t be_cells(const uint8_t *p, uint32_t cells)
{
	return cells == 2 ? (uint64_t)be32(p) << 32 | be32(p + 4) : be32(p);
}

static enum node_kind classify(const struct walk *w, const char *name)
{
	enum node_kind parent;

	if (!w->open)
		return NODE_ROOT;
	parent = w->node[w->open - 1].kind;
	if (parent == NODE_ROOT && !strcmp(name, "chosen"))
		return NODE_CHOSEN;
	if (parent == NODE_ROOT && !strcmp(name, "cpus"))
		return NODE_CPUS;
	if (parent == NODE_ROOT && !strncmp(name, "memory", 6))
		return NODE_MEMORY;
	if (parent == NODE_CPUS && !strncmp(name, "cpu@", 4))
		return NODE_CPU;
	return NODE_OTHER;
}

static void take_reg(const struct walk *w, struct fdt_info *out, const uint8_t *value, uint32_t len)
{
	const struct node *parent = &w->node[w->open - 2];
	enum node_kind kind = w->node[w->open - 1].kind;
	uint32_t addr = parent->cells_addr, size = parent->cells_size;

	if (addr < 1 || addr > 2 || size > 2 || len < 4 * (addr + size))
		return;
	if (kind == NODE_CPU) {
		if (out->cpu_count < CPU_MAX)
			out->mpidr[out->cpu_count++] = be_cells(value, addr);
	} else if (kind == NODE_MEMORY && size && !out->ram_bytes) {
		out->ram_base = be_cells(value, addr);
		out->ram_bytes = be_cells(value + 4 * addr, size);
	}
}

static void take_property(struct walk *w, struct fdt_info *out, const char *name, const uint8_t *value, uint32_t len)
{
	struct node *node = &w->node[w->open - 1];

	if (!strcmp(name, "#address-cells") && len == 4) {
		node->cells_addr = be32(value);
	} else if (!strcmp(name, "#size-cells") && len == 4) {
		node->cells_size = be32(value);
	} else if (!strcmp(name, "bootargs") && node->kind == NODE_CHOSEN) {
		for (uint32_t i = 0; i < len && i < sizeof(out->bootargs) - 1; i++)
			out->bootargs[i] = (char)value[i];
	} else if (!strcmp(name, "reg") && w->open > 1) {
		take_reg(w, out, value, len);
	}
}

/* Length of the string at p if it ends within limit bytes, else -1. */
static int32_t text_len(const uint8_t *p, uint32_t limit)
{
	for (uint32_t i = 0; i < limit; i++) {
		if (!p[i])
			return (int32_t)i;
	}
	return -1;
}

static const char *step(struct walk *w, struct fdt_info *out, bool *end)
{
	uint32_t left = w->struct_bytes - w->at, token, len, name_off;
	int32_t n;

	if (left < 4)
		return "structure block ends early";
	token = be32(w->structs + w->at);
	w->at += 4, left -= 4;
	switch (token) {
	case FDT_NOP:
		return NULL;
	case FDT_END:
		*end = true;
		return NULL;
	case FDT_END_NODE:
		if (!w->open)
			return "more ends than nodes";
		w->open--;
		return NULL;
	case FDT_BEGIN_NODE:
		n = text_len(w->structs + w->at, left);
		if (n < 0 || w->open >= DEPTH_MAX)
			return "node name or depth";
		w->node[w->open] = (struct node){ classify(w, (const char *)w->structs + w->at), 2, 1 };
		w->open++;
		w->at += ((uint32_t)n + 4) & ~3u;
		return w->at > w->struct_bytes ? "node name" : NULL;
	case FDT_PROP:
		if (left < 8 || !w->open)
			return "property header";
		len = be32(w->structs + w->at);
		name_off = be32(w->structs + w->at + 4);
		w->at += 8, left -= 8;
		if (len > left || name_off >= w->string_bytes ||
		    text_len(w->strings + name_off, w->string_bytes - name_off) < 0)
			return "property";
		take_property(w, out, (const char *)w->strings + name_off, w->structs + w->at, len);
		w->at += (len + 3) & ~3u;
		return w->at > w->struct_bytes ? "property" : NULL;
	default:
		return "unknown token";
	}
}

bool fdt_read(uint64_t address, struct fdt_info *out, const char **why)
{
	const uint8_t *fdt = (const uint8_t *)address;
	struct walk w = { .at = 0 };
	uint32_t total, struct_off, string_off;
	bool end = false;

	memset(out, 0, sizeof(*out));
	*why = "no magic";
	if (be32(fdt) != FDT_MAGIC)
		return false;
	total = be32(fdt + 4);
	struct_off = be32(fdt + 8);
	string_off = be32(fdt + 12);
	w.string_bytes = be32(fdt + 32);
	w.struct_bytes = be32(fdt + 36);
	*why = "header sizes";
	if (total > FDT_MAX_BYTES || struct_off > total || w.struct_bytes > total - struct_off || string_off > total ||
	    w.string_bytes > total - string_off)
		return false;
	w.structs = fdt + struct_off;
	w.strings = fdt + string_off;
	for (*why = NULL; !end && !*why;)
		*why = step(&w, out, &end);
	return !*why;
}
