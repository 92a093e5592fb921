/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine, read from the firmware's device tree with libfdt (Devicetree Specification 0.4, and the bindings of the
 * nodes named here). Boot CPU only; the tree is trusted as far as firmware is, but its structure is checked first.
 */
#include "platform.h"

#include <libfdt.h>

#include "arm64.h"
#include "camber/errno.h"
#include "sysregs.h"

struct platform platform;

static const void *fdt;

/* What this file wants to know of a node, gathered in one pass over its properties. */
struct node {
	const char *name;
	const fdt32_t *reg, *interrupts, *stride;
	const char *compatible, *device_type, *method;
	const char *stdout_path, *bootargs;
	uint64_t initrd_start, initrd_end;
	int reg_bytes, interrupts_bytes, compatible_bytes, stride_bytes;
	int address_cells, size_cells; /* for its children */
	bool enabled;
};

/* Deeper nodes than these hold nothing that is looked for. */
#define LEVELS 4

/* PL011s that may turn out to be what /chosen calls the console. */
#define UARTS 4
static struct {
	const char *name;
	struct range range;
	uint32_t intid;
} uarts[UARTS];
static unsigned int uart_count;
static const char *stdout_path;

/* One cell list entry of 1 or 2 cells. */
static uint64_t cells(const fdt32_t *p, int n)
{
	return n == 2 ? (uint64_t)fdt32_to_cpu(p[0]) << 32 | fdt32_to_cpu(p[1]) : fdt32_to_cpu(p[0]);
}

static uint64_t number(const void *value, int bytes)
{
	return bytes == 4 || bytes == 8 ? cells(value, bytes / 4) : 0;
}

/* A string property: terminated, or not there. */
static const char *text(const char *value, int bytes)
{
	return bytes > 0 && value[bytes - 1] == '\0' ? value : NULL;
}

enum kind { CELLS, NUMBER, COUNT, TEXT, STATUS };

static const struct property {
	char name[21]; /* here, not by address: nothing to relocate */
	uint8_t kind;
	uint8_t at, bytes_at; /* in struct node; bytes_at 0: length not kept */
} properties[] = {
	{ "reg", CELLS, offsetof(struct node, reg), offsetof(struct node, reg_bytes) },
	{ "interrupts", CELLS, offsetof(struct node, interrupts), offsetof(struct node, interrupts_bytes) },
	{ "redistributor-stride", CELLS, offsetof(struct node, stride), offsetof(struct node, stride_bytes) },
	{ "compatible", TEXT, offsetof(struct node, compatible), offsetof(struct node, compatible_bytes) },
	{ "device_type", TEXT, offsetof(struct node, device_type), 0 },
	{ "method", TEXT, offsetof(struct node, method), 0 },
	{ "enable-method", TEXT, offsetof(struct node, method), 0 },
	{ "bootargs", TEXT, offsetof(struct node, bootargs), 0 },
	{ "stdout-path", TEXT, offsetof(struct node, stdout_path), 0 },
	{ "status", STATUS, 0, 0 },
	{ "#address-cells", COUNT, offsetof(struct node, address_cells), 0 },
	{ "#size-cells", COUNT, offsetof(struct node, size_cells), 0 },
	{ "linux,initrd-start", NUMBER, offsetof(struct node, initrd_start), 0 },
	{ "linux,initrd-end", NUMBER, offsetof(struct node, initrd_end), 0 },
};

static void read_property(struct node *n, const char *name, const void *value, int bytes)
{
	const struct property *p = properties, *end = properties + ARRAY_SIZE(properties);
	const char *string = text(value, bytes);

	while (p < end && strcmp(p->name, name))
		p++;
	if (p == end)
		return;
	if (p->bytes_at)
		*(int *)((char *)n + p->bytes_at) = bytes;
	switch (p->kind) {
	case CELLS:
		*(const void **)((char *)n + p->at) = value;
		break;
	case TEXT:
		*(const char **)((char *)n + p->at) = string;
		break;
	case STATUS:
		n->enabled = string && (!strcmp(string, "okay") || !strcmp(string, "ok"));
		break;
	case COUNT:
		*(int *)((char *)n + p->at) = (int)number(value, bytes);
		break;
	default:
		*(uint64_t *)((char *)n + p->at) = number(value, bytes);
	}
}

static void gather(int offset, struct node *n)
{
	const char *name;
	const void *value;
	int p, bytes;

	*n = (struct node){ .address_cells = 2, .size_cells = 1, .enabled = true };
	n->name = fdt_get_name(fdt, offset, NULL);
	if (!n->name)
		n->name = "";
	fdt_for_each_property_offset(p, fdt, offset)
	{
		value = fdt_getprop_by_offset(fdt, p, &name, &bytes);
		if (value)
			read_property(n, name, value, bytes);
	}
}

/* Entry `index` of a node's reg property, in its parent's cells. */
static bool reg_get(const struct node *n, const struct node *parent, int index, struct range *out)
{
	int ac = parent->address_cells, sc = parent->size_cells;
	const fdt32_t *reg = n->reg;

	if (!reg || ac < 1 || ac > 2 || sc < 1 || sc > 2 || n->reg_bytes < (index + 1) * (ac + sc) * 4)
		return false;
	reg += index * (ac + sc);
	out->base = cells(reg, ac);
	out->bytes = cells(reg + ac, sc);
	return out->base + out->bytes >= out->base;
}

static bool add_range(struct range *list, unsigned int *count, const struct range *r)
{
	if (*count >= PLATFORM_RANGES)
		return false;
	list[(*count)++] = *r;
	return true;
}

static const char *read_ranges(const struct node *n, const struct node *parent, bool memory)
{
	struct range r;
	int i;

	for (i = 0; reg_get(n, parent, i, &r); i++) {
		if (!r.bytes)
			continue;
		if (memory && !add_range(platform.memory, &platform.memory_count, &r))
			return "too many memory ranges";
		if (!memory && !add_range(platform.reserved, &platform.reserved_count, &r))
			return "too many /reserved-memory entries";
	}
	return NULL;
}

static const char *read_memreserve(void)
{
	int i, n = fdt_num_mem_rsv(fdt);
	struct range r;

	for (i = 0; i < n; i++)
		if (!fdt_get_mem_rsv(fdt, i, &r.base, &r.bytes) && r.bytes &&
		    !add_range(platform.reserved, &platform.reserved_count, &r))
			return "too many /memreserve/ entries";
	return NULL;
}

static void read_cpu(const struct node *n, const struct node *parent)
{
	uint64_t mpidr;

	if (!n->reg || parent->address_cells < 1 || parent->address_cells > 2 ||
	    n->reg_bytes < 4 * parent->address_cells)
		return;
	mpidr = cells(n->reg, parent->address_cells);
	if (mpidr == platform.cpu_mpidr[0])
		return;
	if (platform.cpu_count >= CONFIG_CPU_MAX || !n->method || strcmp(n->method, "psci"))
		platform.cpu_ignored++;
	else
		platform.cpu_mpidr[platform.cpu_count++] = mpidr;
}

static const char *read_psci(const struct node *n)
{
	if (!n->method || strcmp(n->method, "smc"))
		return "PSCI's conduit isn't SMC: something else already runs at EL2 or above it";
	platform.smp = &smp_boot_psci;
	return NULL;
}

static void read_gicv3(const struct node *n, const struct node *parent)
{
	platform.gic_seen = platform.gic_is_v3 = reg_get(n, parent, 0, &platform.gicd) &&
						 reg_get(n, parent, 1, &platform.gicr);
	platform.gicr_stride = n->stride ? number(n->stride, n->stride_bytes) : 0;
}

static void read_uart(const struct node *n, const struct node *parent)
{
	if (uart_count >= UARTS || !reg_get(n, parent, 0, &uarts[uart_count].range))
		return;
	uarts[uart_count].name = n->name;
	/* An SPI: cells type (0), number, flags. */
	if (n->interrupts && n->interrupts_bytes >= 12 && fdt32_to_cpu(n->interrupts[0]) == 0)
		uarts[uart_count].intid = 32 + fdt32_to_cpu(n->interrupts[1]);
	uart_count++;
}

/* One entry of a compatible list. */
static const char *read_device(const struct node *n, const struct node *parent, const char *compatible)
{
	if (!strcmp(compatible, "arm,pl011"))
		read_uart(n, parent);
	else if (!strcmp(compatible, "arm,gic-v3"))
		read_gicv3(n, parent);
	else if (!strcmp(compatible, "arm,cortex-a15-gic") || !strcmp(compatible, "arm,gic-400"))
		platform.gic_seen = true;
	else if (!strcmp(compatible, "arm,pl031"))
		(void)reg_get(n, parent, 0, &platform.rtc);
	else if (!strcmp(compatible, "arm,psci-1.0") || !strcmp(compatible, "arm,psci-0.2"))
		return read_psci(n);
	return NULL;
}

static void read_chosen(const struct node *n)
{
	stdout_path = n->stdout_path;
	platform.bootargs = n->bootargs;
	if (n->initrd_start && n->initrd_end > n->initrd_start) {
		platform.bundle.base = n->initrd_start;
		platform.bundle.bytes = n->initrd_end - n->initrd_start;
	}
}

static const char *read_node(const struct node *n, const struct node *parent, int depth)
{
	const char *error = NULL;
	int at;

	if (depth == 2 && !strcmp(parent->name, "reserved-memory"))
		return read_ranges(n, parent, false);
	if (depth == 1 && !strcmp(n->name, "chosen"))
		read_chosen(n);
	if (n->device_type && !strcmp(n->device_type, "memory"))
		return read_ranges(n, parent, true);
	if (n->device_type && !strcmp(n->device_type, "cpu"))
		read_cpu(n, parent);
	for (at = 0; n->compatible && at < n->compatible_bytes && !error; at += (int)strlen(n->compatible + at) + 1)
		error = read_device(n, parent, n->compatible + at);
	return error;
}

/* Once over the whole tree: each look-up by path or property would be another walk. */
static const char *read_nodes(void)
{
	static struct node level[LEVELS];
	int offset, depth = -1;
	const char *error = NULL, *first_error = NULL;

	/* On after an error: the console may come later. */
	for (offset = fdt_next_node(fdt, -1, &depth); offset >= 0 && depth >= 0;
	     offset = fdt_next_node(fdt, offset, &depth)) {
		if (depth >= LEVELS)
			continue;
		gather(offset, &level[depth]);
		if (depth == 0)
			continue;
		level[depth].enabled &= level[depth - 1].enabled;
		if (level[depth].enabled)
			error = read_node(&level[depth], &level[depth - 1], depth);
		if (!first_error)
			first_error = error;
	}
	return first_error;
}

/* The console: the PL011 that stdout-path's last component names, else the first. The trace's: the first other. */
static void choose_uart(void)
{
	const char *name = stdout_path ? strrchr(stdout_path, '/') : NULL;
	unsigned int i, best = 0;

	for (i = 0; name && i < uart_count; i++) {
		size_t n = strlen(uarts[i].name);

		if (!strncmp(name + 1, uarts[i].name, n) && (name[1 + n] == '\0' || name[1 + n] == ':'))
			best = i;
	}
	if (uart_count) {
		platform.uart = uarts[best].range;
		platform.uart_intid = uarts[best].intid;
	}
	if (uart_count > 1) {
		platform.trace_uart = uarts[!best].range;
		platform.trace_intid = uarts[!best].intid;
	}
}

const char *platform_read(const void *dtb)
{
	const char *error;

	fdt = dtb;
	if (!dtb || !IS_ALIGNED((uintptr_t)dtb, 8u))
		return "no device tree: x0 at entry must point to one (8-byte aligned)";
	if (fdt_check_header(dtb) || fdt_version(dtb) < 17)
		return "what x0 points to is not a device tree (version 17 or later)";
	platform.dtb_base = (uintptr_t)dtb;
	platform.dtb_bytes = fdt_totalsize(dtb);
	platform.cpu_mpidr[0] = read_sysreg(mpidr_el1) & UINT64_C(0xff00ffffff);
	platform.cpu_count = 1;
	error = read_nodes();
	choose_uart();
	if (!error)
		error = read_memreserve();
	if (!error && !platform.memory_count)
		error = "no memory node";
	if (!error && !platform.smp)
		error = "no PSCI node: firmware with PSCI 0.2 or later is needed to start CPUs and to reset";
	return error;
}
