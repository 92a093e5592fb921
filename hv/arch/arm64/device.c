/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices of the board that a VM owns: where they are is looked up in the firmware's tree, by the path that the bundle names.
 *
 * Boot CPU only, while the VMs are made. The tree is trusted as far as firmware is; what the bundle asks for is checked against
 * it. The device itself is the guest's from then on: EL2 never touches it, nor maps it. Never called for a device
 * that can do DMA: mkbundle refuses those until there is an IOMMU.
 */
#include <libfdt.h>

#include "arm64.h"
#include "camber/arch/vcpu.h"
#include "camber/errno.h"
#include "camber/log.h"
#include "platform.h"

#define LEVELS 8

#define SPI_CELLS 3
#define SPI_TYPE 0u
#define SPI_FLAGS_EDGE 3u /* rising or falling (Devicetree binding arm,gic-v3) */
#define SPI_LIMIT 988u    /* INTIDs 32 to 1019 */

/* The nodes from the root to the device. */
struct place {
	const void *fdt;
	int node[LEVELS];
	int depth; /* of the device; the root is 0 */
};

static bool find(struct place *p, const char *path)
{
	int at = 0;

	p->depth = 0;
	p->node[0] = 0;
	while (*path == '/') {
		const char *end = strchr(++path, '/');
		size_t n = end ? (size_t)(end - path) : strlen(path);

		at = fdt_subnode_offset_namelen(p->fdt, at, path, (int)n);
		if (at < 0 || ++p->depth == LEVELS)
			return false;
		p->node[p->depth] = at;
		path += n;
	}
	return p->depth && !*path;
}

static uint32_t cell(const struct place *p, int level, const char *name, uint32_t otherwise)
{
	int bytes;
	const fdt32_t *value = fdt_getprop(p->fdt, p->node[level], name, &bytes);

	return value && bytes == 4 ? fdt32_to_cpu(*value) : otherwise;
}

static uint64_t number(const fdt32_t *at, uint32_t n)
{
	return n == 2 ? (uint64_t)fdt32_to_cpu(at[0]) << 32 | fdt32_to_cpu(at[1]) : fdt32_to_cpu(at[0]);
}

/* One step up: an address of level's children as one of its parent's (Devicetree Specification 2.3.8). */
static bool translate(const struct place *p, int level, struct range *r)
{
	uint32_t ac = cell(p, level, "#address-cells", 2), sc = cell(p, level, "#size-cells", 1);
	uint32_t pc = cell(p, level - 1, "#address-cells", 2);
	int bytes, entry = (int)(ac + pc + sc) * 4;
	const fdt32_t *at = fdt_getprop(p->fdt, p->node[level], "ranges", &bytes);

	if (!at || ac - 1 > 1 || pc - 1 > 1 || sc - 1 > 1)
		return false;
	for (; bytes >= entry; bytes -= entry, at += ac + pc + sc) {
		uint64_t from = number(at, ac), length = number(at + ac + pc, sc);

		if (r->base - from < length && r->bytes <= length - (r->base - from)) {
			r->base += number(at + ac, pc) - from;
			return true;
		}
	}
	return fdt_getprop(p->fdt, p->node[level], "ranges", &bytes) && bytes == 0;
}

/* Range n of the device's registers, as the CPUs see it. */
static bool registers(const struct place *p, uint32_t n, struct range *r)
{
	uint32_t ac = cell(p, p->depth - 1, "#address-cells", 2), sc = cell(p, p->depth - 1, "#size-cells", 1);
	int bytes, level;
	const fdt32_t *reg = fdt_getprop(p->fdt, p->node[p->depth], "reg", &bytes);

	if (!reg || ac - 1 > 1 || sc - 1 > 1 || bytes < (int)((n + 1) * (ac + sc) * 4))
		return false;
	reg += n * (ac + sc);
	r->base = number(reg, ac);
	r->bytes = number(reg + ac, sc);
	for (level = p->depth - 1; level > 0; level--)
		if (!translate(p, level, r))
			return false;
	return r->bytes && r->base + r->bytes > r->base;
}

static bool overlap(const struct range *a, const struct range *b)
{
	return a->base < b->base + b->bytes && b->base < a->base + a->bytes;
}

/* What is the hypervisor's own, or memory. */
static bool reserved(const struct range *r)
{
	unsigned int i;

	for (i = 0; i < platform.memory_count; i++)
		if (overlap(r, &platform.memory[i]))
			return true;
	return overlap(r, &platform.gicd) || overlap(r, &platform.gicr) || overlap(r, &platform.uart);
}

/* By whom a page of registers is taken already is in the maps of the VMs: each knows its own only, so here is the list. */
static struct range taken[BUNDLE_DEVICE_MAX * BUNDLE_DEVICE_REGS];
static unsigned int taken_count;

bool device_taken(const struct range *r)
{
	unsigned int t;

	for (t = 0; t < taken_count; t++)
		if (overlap(r, &taken[t]))
			return true;
	return false;
}

static const char *map_registers(struct vm *vm, const struct bundle_device *d, const struct place *p)
{
	struct range r;
	uint32_t i;

	for (i = 0; i < d->reg_count; i++) {
		if (!registers(p, i, &r))
			return "has fewer or other register ranges than the board's description says";
		if (r.base % PAGE_SIZE || ALIGN_UP(r.bytes, PAGE_SIZE) < d->reg[i].bytes)
			return "has a register range that isn't whole pages, or is shorter than the board's description says";
		r.bytes = d->reg[i].bytes;
		if (reserved(&r))
			return "is the hypervisor's own";
		if (device_taken(&r))
			return "shares a page with another device that a VM owns";
		if (taken_count == ARRAY_SIZE(taken) ||
		    gmap_map(&vm->map, gpa(d->reg[i].ipa), hpa(r.base), r.bytes, GMAP_R | GMAP_W | GMAP_DEVICE))
			return "can't be mapped where the guest is to see it";
		taken[taken_count++] = r;
	}
	return NULL;
}

static const char *assign_irqs(struct arm64_vm *vm, const struct bundle_device *d, const struct place *p)
{
	uint32_t i, parent, root = cell(p, 0, "interrupt-parent", 0);
	int bytes = 0, level = p->depth;
	const fdt32_t *irq = fdt_getprop(p->fdt, p->node[level], "interrupts", &bytes);

	while (level > 0 && !fdt_getprop(p->fdt, p->node[level], "interrupt-parent", NULL))
		level--;
	parent = cell(p, level, "interrupt-parent", 0);
	for (i = 0; i < d->irq_count; i++, irq += SPI_CELLS, bytes -= SPI_CELLS * 4) {
		uint32_t intid;

		if (!irq || bytes < SPI_CELLS * 4 || parent != root || fdt32_to_cpu(irq[0]) != SPI_TYPE ||
		    fdt32_to_cpu(irq[1]) >= SPI_LIMIT)
			return "has fewer or other interrupts than the board's description says";
		intid = 32 + fdt32_to_cpu(irq[1]);
		if (intid == platform.uart_intid ||
		    vgic_hw_assign(vm, d->irq[i], intid, fdt32_to_cpu(irq[2]) & SPI_FLAGS_EDGE))
			return "has an interrupt that is taken, or that the VM has no number for";
	}
	return NULL;
}

__cold int arch_vm_add_device(struct vm *vm, const struct bundle_device *d)
{
	struct place p = { .fdt = hpa_to_ptr(hpa(platform.dtb_base)) };
	const char *error, *status;

	if (!find(&p, d->path)) {
		error = "isn't in the firmware's device tree";
	} else {
		status = fdt_getprop(p.fdt, p.node[p.depth], "status", NULL);
		error = status && strcmp(status, "okay") && strcmp(status, "ok") ?
				"is disabled in the firmware's device tree" :
				map_registers(vm, d, &p);
	}
	if (!error)
		error = assign_irqs(to_arm_vm(vm), d, &p);
	if (!error)
		return 0;
	log_line("vm %s: device %s %s", vm->label, d->path, error);
	return -ENODEV;
}
