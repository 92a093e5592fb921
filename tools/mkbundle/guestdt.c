/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device tree that a guest finds at the start of its RAM.
 *
 * Describes hv/include/abi/platform.h in the shape that QEMU's `virt` machine gives its own tree (names, compatibles,
 * order of clocks), because that is what kernels and firmware were tried with. Only what the hypervisor really provides
 * is in it. Nothing random (kaslr-seed, rng-seed): the same profile gives the same bytes.
 */
#include "guestdt.h"

#include "reserved.h"

#include <libfdt.h>
#include <string.h>

#define TREE_BYTES_MAX (64 * KIB) /* what docs/config.md keeps free for it at the start of RAM */

void tree_begin(struct tree *t, const char *name)
{
	t->error = t->error ? t->error : fdt_begin_node(t->fdt, name);
}

void tree_end(struct tree *t)
{
	t->error = t->error ? t->error : fdt_end_node(t->fdt);
}

void tree_bytes(struct tree *t, const char *name, const void *data, size_t count)
{
	t->error = t->error ? t->error : fdt_property(t->fdt, name, data, (int)count);
}

void tree_string(struct tree *t, const char *name, const char *value)
{
	tree_bytes(t, name, value, strlen(value) + 1);
}

void tree_cells(struct tree *t, const char *name, const uint32_t *values, size_t count)
{
	fdt32_t data[32];

	for (size_t i = 0; i < count; i++)
		data[i] = cpu_to_fdt32(values[i]);
	tree_bytes(t, name, data, count * sizeof(data[0]));
}

static void write_chosen(struct tree *t, const struct vm *vm)
{
	tree_begin(t, "chosen");
	if (vm->bootargs)
		tree_string(t, "bootargs", vm->bootargs);
	if (vm->flags & BUNDLE_VM_UART)
		tree_string(t, "stdout-path", "/pl011@9000000");
	if (vm->initrd_end > vm->initrd_start) {
		CELLS(t, "linux,initrd-start", CELL64(vm->initrd_start));
		CELLS(t, "linux,initrd-end", CELL64(vm->initrd_end));
	}
	tree_end(t);
}

static void write_cpus(struct tree *t, const struct vm *vm)
{
	tree_begin(t, "cpus");
	CELLS(t, "#address-cells", 1);
	CELLS(t, "#size-cells", 0);
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		char name[16];

		snprintf(name, sizeof(name), "cpu@%x", i);
		tree_begin(t, name);
		tree_string(t, "device_type", "cpu");
		tree_string(t, "compatible", "arm,armv8");
		CELLS(t, "reg", i); /* MPIDR_EL1.Aff0 */
		tree_string(t, "enable-method", "psci");
		tree_end(t);
	}
	tree_end(t);

	tree_begin(t, "psci");
	STRINGS(t, "compatible", "arm,psci-1.0\0arm,psci-0.2");
	tree_string(t, "method", "hvc");
	tree_end(t);
}

static void write_interrupts(struct tree *t, const struct vm *vm)
{
	tree_begin(t, "timer");
	STRINGS(t, "compatible", "arm,armv8-timer\0arm,armv7-timer");
	CELLS(t, "interrupts", GIC_PPI, GUEST_PPI_SEC_TIMER - 16, GIC_LEVEL_HIGH, GIC_PPI, GUEST_PPI_PTIMER - 16,
	      GIC_LEVEL_HIGH, GIC_PPI, GUEST_PPI_VTIMER - 16, GIC_LEVEL_HIGH, GIC_PPI, GUEST_PPI_HYP_TIMER - 16,
	      GIC_LEVEL_HIGH);
	tree_bytes(t, "always-on", NULL, 0);
	tree_end(t);

	tree_begin(t, "intc@8000000");
	tree_string(t, "compatible", "arm,gic-v3");
	CELLS(t, "reg", CELL64(GUEST_GICD_BASE), CELL64(GUEST_GICD_SIZE), CELL64(GUEST_GICR_BASE),
	      CELL64((uint64_t)vm->vcpu_count * GUEST_GICR_STRIDE));
	CELLS(t, "#redistributor-regions", 1);
	CELLS(t, "#interrupt-cells", 3);
	CELLS(t, "#address-cells", 2);
	CELLS(t, "#size-cells", 2);
	tree_bytes(t, "ranges", NULL, 0);
	tree_bytes(t, "interrupt-controller", NULL, 0);
	CELLS(t, "phandle", PHANDLE_GIC);
	tree_end(t);
}

static void write_devices(struct tree *t, const struct vm *vm)
{
	tree_begin(t, "apb-pclk");
	tree_string(t, "compatible", "fixed-clock");
	CELLS(t, "#clock-cells", 0);
	CELLS(t, "clock-frequency", GUEST_UART_CLOCK_HZ);
	tree_string(t, "clock-output-names", "clk24mhz");
	CELLS(t, "phandle", PHANDLE_CLOCK);
	tree_end(t);

	if (vm->flags & BUNDLE_VM_UART) {
		tree_begin(t, "pl011@9000000");
		STRINGS(t, "compatible", "arm,pl011\0arm,primecell");
		CELLS(t, "reg", CELL64(GUEST_UART_BASE), CELL64(GUEST_UART_SIZE));
		CELLS(t, "interrupts", GIC_SPI, GUEST_UART_INTID - 32, GIC_LEVEL_HIGH);
		CELLS(t, "clocks", PHANDLE_CLOCK, PHANDLE_CLOCK);
		STRINGS(t, "clock-names", "uartclk\0apb_pclk");
		tree_end(t);
	}
	if (vm->flags & BUNDLE_VM_RTC) {
		tree_begin(t, "pl031@9010000");
		STRINGS(t, "compatible", "arm,pl031\0arm,primecell");
		CELLS(t, "reg", CELL64(GUEST_RTC_BASE), CELL64(GUEST_RTC_SIZE));
		CELLS(t, "interrupts", GIC_SPI, GUEST_RTC_INTID - 32, GIC_LEVEL_HIGH);
		CELLS(t, "clocks", PHANDLE_CLOCK);
		tree_string(t, "clock-names", "apb_pclk");
		tree_end(t);
	}
}

/* Linux, Documentation/devicetree/bindings/watchdog/arm,sbsa-gwdt.yaml: control frame first. */
static void write_watchdog(struct tree *t, const struct vm *vm)
{
	if (!vm->watchdog_ms)
		return;
	tree_begin(t, "watchdog@9100000");
	tree_string(t, "compatible", "arm,sbsa-gwdt");
	CELLS(t, "reg", CELL64(GUEST_WDT_BASE + GUEST_WDT_FRAME), CELL64(GUEST_WDT_FRAME), CELL64(GUEST_WDT_BASE),
	      CELL64(GUEST_WDT_FRAME));
	CELLS(t, "interrupts", GIC_SPI, GUEST_WDT_INTID - 32, GIC_LEVEL_HIGH);
	CELLS(t, "timeout-sec", vm->watchdog_ms < 1000 ? 1 : vm->watchdog_ms / 1000);
	tree_end(t);
}

static void write_reserved(struct tree *t, const struct vm *vm)
{
	if (!vm->reserved_count)
		return;
	tree_begin(t, "reserved-memory");
	CELLS(t, "#address-cells", 2);
	CELLS(t, "#size-cells", 2);
	tree_bytes(t, "ranges", NULL, 0);
	for (uint32_t i = 0; i < vm->reserved_count; i++) {
		const struct reserved *res = &vm->reserved[i];
		char name[40];

		snprintf(name, sizeof(name), "%s@%llx", res->label, (unsigned long long)res->reg.base);
		tree_begin(t, name);
		CELLS(t, "reg", CELL64(res->reg.base), CELL64(res->reg.bytes));
		if (res->compatible)
			tree_string(t, "compatible", res->compatible);
		if (res->no_map)
			tree_bytes(t, "no-map", NULL, 0);
		for (uint32_t p = 0; p < RAMOOPS_PROPS; p++)
			if (res->ramoops_said & 1u << p)
				CELLS(t, ramoops_props[p], res->ramoops[p]);
		tree_end(t);
	}
	tree_end(t);
}

_Static_assert(GUEST_GICD_BASE == 0x8000000 && GUEST_WDT_BASE == 0x9100000 && GUEST_UART_BASE == 0x9000000 &&
		       GUEST_RTC_BASE == 0x9010000 && GUEST_RAM_BASE == 0x40000000,
	       "node names above and below spell these addresses");

int guestdt_write(struct mkbundle *m, const struct vm *vm, void **data, size_t *count)
{
	struct tree t = { .fdt = pool_alloc(m, TREE_BYTES_MAX), .next_phandle = PHANDLE_FREE };

	t.error = fdt_create(t.fdt, TREE_BYTES_MAX);
	t.error = t.error ? t.error : fdt_finish_reservemap(t.fdt);
	tree_begin(&t, "");
	CELLS(&t, "#address-cells", 2);
	CELLS(&t, "#size-cells", 2);
	CELLS(&t, "interrupt-parent", PHANDLE_GIC);
	tree_string(&t, "compatible", "linux,dummy-virt");
	tree_string(&t, "model", "linux,dummy-virt");
	tree_bytes(&t, "dma-coherent", NULL, 0);
	if (vm->flags & BUNDLE_VM_UART) {
		tree_begin(&t, "aliases");
		tree_string(&t, "serial0", "/pl011@9000000");
		tree_end(&t);
	}
	write_chosen(&t, vm);
	tree_begin(&t, "memory@40000000");
	tree_string(&t, "device_type", "memory");
	CELLS(&t, "reg", CELL64(GUEST_RAM_BASE), CELL64(vm->memory_mib * MIB));
	tree_end(&t);
	write_reserved(&t, vm);
	write_cpus(&t, vm);
	write_interrupts(&t, vm);
	write_devices(&t, vm);
	write_watchdog(&t, vm);
	guestdev_write(&t, &m->board, vm);
	tree_end(&t);
	t.error = t.error ? t.error : fdt_finish(t.fdt);
	if (t.error)
		return vm_fail(m, vm, "device", "the guest's device tree has no room for its devices (%s); remove some",
			       fdt_strerror(t.error));
	*data = t.fdt;
	*count = fdt_totalsize(t.fdt);
	return 0;
}
