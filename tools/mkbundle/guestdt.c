/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device tree that a guest finds at the start of its RAM.
 *
 * Describes hv/include/abi/platform.h in the shape that QEMU's `virt` machine gives its own tree (names, compatibles,
 * order of clocks), because that is what kernels and firmware were tried with. Only what the hypervisor really provides
 * is in it. Nothing random (kaslr-seed, rng-seed): the same profile gives the same bytes.
 */
#include "mkbundle.h"

#include <libfdt.h>
#include <string.h>

#define TREE_BYTES_MAX (16 * KIB) /* the tree with the longest command line and 8 CPUs takes a third of it */

#define PHANDLE_GIC 1u
#define PHANDLE_CLOCK 2u

/* GICv3 interrupt specifiers: Linux, Documentation/devicetree/bindings/interrupt-controller/arm,gic-v3.yaml */
#define GIC_SPI 0u
#define GIC_PPI 1u
#define GIC_LEVEL_HIGH 4u

/* libfdt's first error; later calls are skipped, so the tree below reads as a tree. */
struct tree {
	void *fdt;
	int error;
};

static void begin(struct tree *t, const char *name)
{
	t->error = t->error ? t->error : fdt_begin_node(t->fdt, name);
}

static void end(struct tree *t)
{
	t->error = t->error ? t->error : fdt_end_node(t->fdt);
}

static void bytes(struct tree *t, const char *name, const void *data, size_t count)
{
	t->error = t->error ? t->error : fdt_property(t->fdt, name, data, (int)count);
}

static void string(struct tree *t, const char *name, const char *value)
{
	bytes(t, name, value, strlen(value) + 1);
}

/* A list of strings is written as "first\0second": the literal's own NUL ends the last one. */
#define STRINGS(t, name, literal) bytes(t, name, literal, sizeof(literal))

static void cells(struct tree *t, const char *name, const uint32_t *values, size_t count)
{
	fdt32_t data[16];

	for (size_t i = 0; i < count; i++)
		data[i] = cpu_to_fdt32(values[i]);
	bytes(t, name, data, count * sizeof(data[0]));
}

#define CELLS(t, name, ...)                                                                                            \
	cells(t, name, (const uint32_t[]){ __VA_ARGS__ }, sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))
#define CELL64(value) (uint32_t)((uint64_t)(value) >> 32), (uint32_t)(value)

static void write_chosen(struct tree *t, const struct vm *vm)
{
	begin(t, "chosen");
	if (vm->bootargs)
		string(t, "bootargs", vm->bootargs);
	if (vm->flags & BUNDLE_VM_UART)
		string(t, "stdout-path", "/pl011@9000000");
	if (vm->initrd_end > vm->initrd_start) {
		CELLS(t, "linux,initrd-start", CELL64(vm->initrd_start));
		CELLS(t, "linux,initrd-end", CELL64(vm->initrd_end));
	}
	end(t);
}

static void write_cpus(struct tree *t, const struct vm *vm)
{
	begin(t, "cpus");
	CELLS(t, "#address-cells", 1);
	CELLS(t, "#size-cells", 0);
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		char name[16];

		snprintf(name, sizeof(name), "cpu@%x", i);
		begin(t, name);
		string(t, "device_type", "cpu");
		string(t, "compatible", "arm,armv8");
		CELLS(t, "reg", i); /* MPIDR_EL1.Aff0 */
		string(t, "enable-method", "psci");
		end(t);
	}
	end(t);

	begin(t, "psci");
	STRINGS(t, "compatible", "arm,psci-1.0\0arm,psci-0.2");
	string(t, "method", "hvc");
	end(t);
}

static void write_interrupts(struct tree *t, const struct vm *vm)
{
	begin(t, "timer");
	STRINGS(t, "compatible", "arm,armv8-timer\0arm,armv7-timer");
	CELLS(t, "interrupts", GIC_PPI, GUEST_PPI_SEC_TIMER - 16, GIC_LEVEL_HIGH, GIC_PPI, GUEST_PPI_PTIMER - 16,
	      GIC_LEVEL_HIGH, GIC_PPI, GUEST_PPI_VTIMER - 16, GIC_LEVEL_HIGH, GIC_PPI, GUEST_PPI_HYP_TIMER - 16,
	      GIC_LEVEL_HIGH);
	bytes(t, "always-on", NULL, 0);
	end(t);

	begin(t, "intc@8000000");
	string(t, "compatible", "arm,gic-v3");
	CELLS(t, "reg", CELL64(GUEST_GICD_BASE), CELL64(GUEST_GICD_SIZE), CELL64(GUEST_GICR_BASE),
	      CELL64((uint64_t)vm->vcpu_count * GUEST_GICR_STRIDE));
	CELLS(t, "#redistributor-regions", 1);
	CELLS(t, "#interrupt-cells", 3);
	CELLS(t, "#address-cells", 2);
	CELLS(t, "#size-cells", 2);
	bytes(t, "ranges", NULL, 0);
	bytes(t, "interrupt-controller", NULL, 0);
	CELLS(t, "phandle", PHANDLE_GIC);
	end(t);
}

static void write_devices(struct tree *t, const struct vm *vm)
{
	begin(t, "apb-pclk");
	string(t, "compatible", "fixed-clock");
	CELLS(t, "#clock-cells", 0);
	CELLS(t, "clock-frequency", GUEST_UART_CLOCK_HZ);
	string(t, "clock-output-names", "clk24mhz");
	CELLS(t, "phandle", PHANDLE_CLOCK);
	end(t);

	if (vm->flags & BUNDLE_VM_UART) {
		begin(t, "pl011@9000000");
		STRINGS(t, "compatible", "arm,pl011\0arm,primecell");
		CELLS(t, "reg", CELL64(GUEST_UART_BASE), CELL64(GUEST_UART_SIZE));
		CELLS(t, "interrupts", GIC_SPI, GUEST_UART_INTID - 32, GIC_LEVEL_HIGH);
		CELLS(t, "clocks", PHANDLE_CLOCK, PHANDLE_CLOCK);
		STRINGS(t, "clock-names", "uartclk\0apb_pclk");
		end(t);
	}
	if (vm->flags & BUNDLE_VM_RTC) {
		begin(t, "pl031@9010000");
		STRINGS(t, "compatible", "arm,pl031\0arm,primecell");
		CELLS(t, "reg", CELL64(GUEST_RTC_BASE), CELL64(GUEST_RTC_SIZE));
		CELLS(t, "interrupts", GIC_SPI, GUEST_RTC_INTID - 32, GIC_LEVEL_HIGH);
		CELLS(t, "clocks", PHANDLE_CLOCK);
		string(t, "clock-names", "apb_pclk");
		end(t);
	}
}

_Static_assert(GUEST_GICD_BASE == 0x8000000 && GUEST_UART_BASE == 0x9000000 && GUEST_RTC_BASE == 0x9010000 &&
		       GUEST_RAM_BASE == 0x40000000,
	       "node names above and below spell these addresses");

int guestdt_write(struct mkbundle *m, const struct vm *vm, void **data, size_t *count)
{
	struct tree t = { .fdt = pool_alloc(m, TREE_BYTES_MAX) };

	t.error = fdt_create(t.fdt, TREE_BYTES_MAX);
	t.error = t.error ? t.error : fdt_finish_reservemap(t.fdt);
	begin(&t, "");
	CELLS(&t, "#address-cells", 2);
	CELLS(&t, "#size-cells", 2);
	CELLS(&t, "interrupt-parent", PHANDLE_GIC);
	string(&t, "compatible", "linux,dummy-virt");
	string(&t, "model", "linux,dummy-virt");
	bytes(&t, "dma-coherent", NULL, 0);
	if (vm->flags & BUNDLE_VM_UART) {
		begin(&t, "aliases");
		string(&t, "serial0", "/pl011@9000000");
		end(&t);
	}
	write_chosen(&t, vm);
	begin(&t, "memory@40000000");
	string(&t, "device_type", "memory");
	CELLS(&t, "reg", CELL64(GUEST_RAM_BASE), CELL64(vm->memory_mib * MIB));
	end(&t);
	write_cpus(&t, vm);
	write_interrupts(&t, vm);
	write_devices(&t, vm);
	end(&t);
	t.error = t.error ? t.error : fdt_finish(t.fdt);
	if (t.error)
		return vm_fail(m, vm, "bootargs", "the guest's device tree cannot be written (%s); shorten it",
			       fdt_strerror(t.error));
	*data = t.fdt;
	*count = fdt_totalsize(t.fdt);
	return 0;
}
