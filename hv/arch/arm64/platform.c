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

/* One cell list entry of 1 or 2 cells. */
static uint64_t cells(const fdt32_t *p, int n)
{
	return n == 2 ? (uint64_t)fdt32_to_cpu(p[0]) << 32 | fdt32_to_cpu(p[1]) : fdt32_to_cpu(p[0]);
}

/* Entry `index` of a node's reg property. */
static bool reg_get(int node, int index, struct range *out)
{
	int parent = fdt_parent_offset(fdt, node);
	int ac = fdt_address_cells(fdt, parent), sc = fdt_size_cells(fdt, parent), len;
	const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &len);

	if (!reg || ac < 1 || ac > 2 || sc < 1 || sc > 2 || len < (index + 1) * (ac + sc) * 4)
		return false;
	reg += index * (ac + sc);
	out->base = cells(reg, ac);
	out->bytes = cells(reg + ac, sc);
	return out->base + out->bytes >= out->base;
}

static bool enabled(int node)
{
	const char *status = fdt_getprop(fdt, node, "status", NULL);

	return !status || !strcmp(status, "okay") || !strcmp(status, "ok");
}

static bool add_range(struct range *list, unsigned int *count, const struct range *r)
{
	if (*count >= PLATFORM_RANGES)
		return false;
	list[(*count)++] = *r;
	return true;
}

static const char *read_memory(void)
{
	struct range r;
	int node, i, n;

	for (node = fdt_node_offset_by_prop_value(fdt, -1, "device_type", "memory", 7); node >= 0;
	     node = fdt_node_offset_by_prop_value(fdt, node, "device_type", "memory", 7)) {
		if (!enabled(node))
			continue;
		for (i = 0; reg_get(node, i, &r); i++)
			if (r.bytes && !add_range(platform.memory, &platform.memory_count, &r))
				return "too many memory ranges";
	}
	if (!platform.memory_count)
		return "no memory node";
	n = fdt_num_mem_rsv(fdt);
	for (i = 0; i < n; i++)
		if (!fdt_get_mem_rsv(fdt, i, &r.base, &r.bytes) && r.bytes &&
		    !add_range(platform.reserved, &platform.reserved_count, &r))
			return "too many /memreserve/ entries";
	node = fdt_path_offset(fdt, "/reserved-memory");
	if (node >= 0) {
		int child;

		fdt_for_each_subnode(child, fdt, node)
		{
			if (!enabled(child))
				continue;
			for (i = 0; reg_get(child, i, &r); i++)
				if (!add_range(platform.reserved, &platform.reserved_count, &r))
					return "too many /reserved-memory entries";
		}
	}
	return NULL;
}

static const char *read_cpus(void)
{
	uint64_t self = read_sysreg(mpidr_el1) & UINT64_C(0xff00ffffff);
	int cpus = fdt_path_offset(fdt, "/cpus"), node, ac;
	unsigned int n = 1;

	if (cpus < 0)
		return "no /cpus node";
	ac = fdt_address_cells(fdt, cpus);
	if (ac < 1 || ac > 2)
		return "/cpus: #address-cells is neither 1 nor 2";
	platform.cpu_mpidr[0] = self;
	fdt_for_each_subnode(node, fdt, cpus)
	{
		const char *type = fdt_getprop(fdt, node, "device_type", NULL), *method;
		int len;
		const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &len);
		uint64_t mpidr;

		if (!type || strcmp(type, "cpu") || !enabled(node) || !reg || len < 4 * ac)
			continue;
		mpidr = cells(reg, ac);
		if (mpidr == self)
			continue;
		method = fdt_getprop(fdt, node, "enable-method", NULL);
		if (n >= CONFIG_CPU_MAX || !method || strcmp(method, "psci")) {
			platform.cpu_ignored++;
			continue;
		}
		platform.cpu_mpidr[n++] = mpidr;
	}
	platform.cpu_count = n;
	return NULL;
}

static const char *read_psci(void)
{
	static const char *const names[] = { "arm,psci-1.0", "arm,psci-0.2" };
	const char *method;
	unsigned int i;
	int node = -1;

	for (i = 0; i < ARRAY_SIZE(names) && node < 0; i++)
		node = fdt_node_offset_by_compatible(fdt, -1, names[i]);
	if (node < 0)
		return "no PSCI node: firmware with PSCI 0.2 or later is needed to start CPUs and to reset";
	method = fdt_getprop(fdt, node, "method", NULL);
	if (!method || strcmp(method, "smc"))
		return "PSCI's conduit isn't SMC: something else already runs at EL2 or above it";
	platform.smp = &smp_boot_psci;
	platform.psci_smc = true;
	return NULL;
}

static void read_gic(void)
{
	const fdt64_t *stride;
	int node = fdt_node_offset_by_compatible(fdt, -1, "arm,gic-v3"), len;

	if (node >= 0) {
		platform.gic_seen = platform.gic_is_v3 = reg_get(node, 0, &platform.gicd) &&
							 reg_get(node, 1, &platform.gicr);
		stride = fdt_getprop(fdt, node, "redistributor-stride", &len);
		if (stride && len == 8)
			platform.gicr_stride = fdt64_to_cpu(*stride);
		return;
	}
	platform.gic_seen = fdt_node_offset_by_compatible(fdt, -1, "arm,cortex-a15-gic") >= 0 ||
			    fdt_node_offset_by_compatible(fdt, -1, "arm,gic-400") >= 0;
}

/* The console: /chosen's stdout-path if it names a PL011, else the first PL011. */
static void read_uart(void)
{
	int chosen = fdt_path_offset(fdt, "/chosen"), node = -1, len;
	const char *path = chosen < 0 ? NULL : fdt_getprop(fdt, chosen, "stdout-path", &len);
	const fdt32_t *irq;

	if (path) {
		const char *colon = strchr(path, ':');

		node = fdt_path_offset_namelen(fdt, path, colon ? (int)(colon - path) : (int)strlen(path));
	}
	if (node < 0 || fdt_node_check_compatible(fdt, node, "arm,pl011"))
		node = fdt_node_offset_by_compatible(fdt, -1, "arm,pl011");
	if (node < 0 || !reg_get(node, 0, &platform.uart)) {
		platform.uart.bytes = 0;
		return;
	}
	irq = fdt_getprop(fdt, node, "interrupts", &len);
	if (irq && len >= 12 && fdt32_to_cpu(irq[0]) == 0)
		platform.uart_intid = 32 + fdt32_to_cpu(irq[1]);
}

static void read_rtc(void)
{
	int node = fdt_node_offset_by_compatible(fdt, -1, "arm,pl031");

	if (node < 0 || !enabled(node) || !reg_get(node, 0, &platform.rtc))
		platform.rtc.bytes = 0;
}

static uint64_t chosen_cells(int chosen, const char *name)
{
	int len;
	const fdt32_t *p = fdt_getprop(fdt, chosen, name, &len);

	return p && (len == 4 || len == 8) ? cells(p, len / 4) : 0;
}

static void read_chosen(void)
{
	int chosen = fdt_path_offset(fdt, "/chosen");
	const char *args;
	uint64_t start, end;

	if (chosen < 0)
		return;
	args = fdt_getprop(fdt, chosen, "bootargs", NULL);
	if (args)
		(void)str_copy(platform.bootargs, args, sizeof(platform.bootargs));
	start = chosen_cells(chosen, "linux,initrd-start");
	end = chosen_cells(chosen, "linux,initrd-end");
	if (start && end > start) {
		platform.bundle.base = start;
		platform.bundle.bytes = end - start;
	}
}

const char *platform_read(const void *dtb)
{
	const char *error;

	fdt = dtb;
	if (!dtb || !IS_ALIGNED((uintptr_t)dtb, 8u))
		return "no device tree: x0 at entry must point to one (8-byte aligned)";
	if (fdt_check_header(dtb))
		return "what x0 points to is not a device tree";
	platform.dtb_base = (uintptr_t)dtb;
	platform.dtb_bytes = fdt_totalsize(dtb);
	error = read_memory();
	if (!error)
		error = read_cpus();
	if (!error)
		error = read_psci();
	read_gic();
	read_uart();
	read_rtc();
	read_chosen();
	return error;
}

const char *platform_bootarg(const char *key)
{
	const char *p = platform.bootargs;
	size_t n = strlen(key);

	while (*p) {
		if (!strncmp(p, key, n) && (key[n - 1] == '=' || p[n] == ' ' || p[n] == '\0'))
			return p + n;
		while (*p && *p != ' ')
			p++;
		while (*p == ' ')
			p++;
	}
	return NULL;
}
