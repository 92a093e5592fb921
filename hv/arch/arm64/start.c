/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot of the arm64 hypervisor in C: from the rough map to guests. Boot CPU; secondaries join at start_secondary().
 *
 * The order matters: console first, so that everything later can say what is wrong; memory before the map, the map before
 * locks are contended, interrupts before other CPUs, all CPUs before VMs are assigned to them.
 */
#include "arm64.h"
#include "camber/arch/cpu.h"
#include "camber/console.h"
#include "camber/dev.h"
#include "camber/log.h"
#include "camber/main.h"
#include "camber/panic.h"
#include "camber/uart_pl011.h"
#include "gic.h"
#include "platform.h"
#include "sysregs.h"

extern char image_text[], image_end[];

static void console_start(void)
{
	/* Firmware's tree may have no console: then the configured one speaks, if there is one, and hears nothing. */
	if (!platform.uart.bytes)
		platform.uart = (struct range){ CONFIG_EARLY_UART_BASE, CONFIG_EARLY_UART_BASE ? PAGE_SIZE : 0 };
	if (!platform.uart.base)
		return;
	console_init(&pl011_ops, pl011_init(platform.uart.base));
	log_set_sink(console_write);
}

const struct uart_ops *arch_trace_uart(void **dev, void (*irq)(void))
{
	if (!platform.trace_uart.bytes || device_taken(&platform.trace_uart))
		return NULL;
	*dev = pl011_init(platform.trace_uart.base);
	if (platform.trace_intid) {
		gic_trace_irq(irq);
		pl011_ops.irq_enable(*dev);
	}
	return &pl011_ops;
}

static void die(const char *why)
{
	log_line("boot: %s", why);
	arch_halt();
}

static void memory_start(void)
{
	uint64_t image = (uint64_t)image_text, end = (uint64_t)image_end;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < platform.memory_count && !ret; i++)
		ret = mem_add(hpa(platform.memory[i].base), platform.memory[i].bytes);
	if (!ret)
		ret = mem_reserve_own(hpa(image), end - image);
	if (!ret)
		ret = mem_reserve(hpa(platform.dtb_base), platform.dtb_bytes);
	if (!ret)
		ret = mem_reserve(hpa(platform.bundle.base), platform.bundle.bytes);
	for (i = 0; i < platform.reserved_count && !ret; i++)
		ret = mem_reserve(hpa(platform.reserved[i].base), platform.reserved[i].bytes);
	if (ret)
		panic("memory in the device tree is inconsistent (error %d)", -ret);
}

static const struct range *memory_of(uint64_t addr)
{
	const struct range *r = platform.memory;

	for (; r < platform.memory + platform.memory_count; r++)
		if (addr - r->base < r->bytes)
			return r;
	return NULL;
}

/* A bundle that no loader passed lies right behind the image (one file for both). */
static void bundle_find(void)
{
	const struct bundle_header *h = (const void *)image_end;
	uint64_t base = (uint64_t)image_end;
	const struct range *r;

	if (platform.bundle.bytes || h->magic != BUNDLE_MAGIC)
		return;
	platform.bundle.base = base;
	/* Its length isn't checked yet: no further than the RAM that it begins in. */
	r = memory_of(base);
	if (r)
		platform.bundle.bytes = MIN(h->total_bytes, r->base + r->bytes - base);
}

/* A bundle that a loader passed may be said to be anywhere. */
static void bundle_check_place(void)
{
	const struct range *b = &platform.bundle, *r = memory_of(b->base);

	if (!b->bytes || (r && b->bytes <= r->base + r->bytes - b->base))
		return;
	log_line("bundle: 0x%llx bytes at 0x%llx (linux,initrd-start, -end) aren't in RAM",
		 (unsigned long long)b->bytes, (unsigned long long)b->base);
	die("no guest can be started, halted");
}

static uint64_t rtc_seconds(void)
{
	return *(volatile uint32_t *)(uintptr_t)platform.rtc.base; /* PL031 RTCDR */
}

static void mmu_start(void)
{
	uint64_t tcr, mair, sctlr, ttbr = el2_mmu_build();

	el2_mmu_config(&tcr, &mair, &sctlr);
	el2_mmu_switch(ttbr, tcr, mair, sctlr);
}

/* Rings for all CPUs, and a copy of what the previous boot left in them. */
static void trace_rings(struct trace_area *area, size_t bytes)
{
	struct trace_cpu *cpus[CONFIG_CPU_MAX];
	unsigned int i;

	if (trace_area_valid(area, platform.cpu_count))
		trace_previous(memcpy(mem_alloc_zeroed(bytes, "the previous trace"), area, bytes));
	for (i = 0; i < platform.cpu_count; i++)
		cpus[i] = &arm64_pcpus[i].p.trace;
	trace_start(area, platform.cpu_count, cpus);
}

void start_primary(uint64_t dtb, uint64_t base __unused)
{
	struct arm64_pcpu *p = &arm64_pcpus[0];
	struct log_ring *ring, *previous;
	const char *error = platform_read((const void *)dtb);
	hpa_t ring_at, trace_at = hpa(0);
	size_t trace_bytes;

	console_start();
	if (error)
		die(error);
	time_init(read_sysreg(cntfrq_el0));
	bundle_find();
	bundle_check_place();
	smp_init();
	memory_start();
	/* The very first allocation: at the same place after a warm reset. */
	if (mem_alloc(sizeof(*ring), PAGE_SIZE, &ring_at))
		die("no memory for the log");
	/* The next one, for the same reason. */
	trace_bytes = trace_area_bytes(platform.cpu_count);
	if (trace_bytes && mem_alloc(trace_bytes, PAGE_SIZE, &trace_at))
		die("no memory for the trace");
	mmu_start();
	ring = hpa_to_ptr(ring_at);
	previous = mem_alloc_zeroed(sizeof(*previous), "the previous log");
	log_init(ring, previous);
	log_line("camber " CONFIG_VERSION " on %s, %u CPU%s%s, counter %llu Hz, image at 0x%llx", CONFIG_BOARD,
		 platform.cpu_count, platform.cpu_count > 1 ? "s" : "", platform.cpu_ignored ? " (more ignored)" : "",
		 (unsigned long long)time_hz(), (unsigned long long)(uintptr_t)image_text);
	cpu_init(p);
	trace_rings(hpa_to_ptr(trace_at), trace_bytes);
	if (gic_init(&platform) || gic->init_cpu(0))
		die("no usable interrupt controller");
	p->p.online = true;
	smp_start_secondaries();
	if (platform.rtc.bytes)
		vpl031_set_source(rtc_seconds);
	if (platform.uart_intid) {
		gic->enable(platform.uart_intid);
		console_input_start();
	}
	main_options(platform.bootargs);
	main_boot((const void *)platform.bundle.base, platform.bundle.bytes);
	p->p.stay_start = arch_now(); /* booting isn't a stay */
	p->p.sched.idle_ticks = p->p.stay_start;
	enter_guests();
}

void start_secondary(struct arm64_pcpu *p)
{
	cpu_init(p);
	if (gic->init_cpu(p->p.id))
		panic("CPU %u has no usable interrupt controller", p->p.id);
	/* Release: what was set up above is visible to whoever sees the CPU online. */
	__atomic_store_n(&p->p.online, true, __ATOMIC_RELEASE);
	p->p.stay_start = arch_now();
	p->p.sched.idle_ticks = p->p.stay_start;
	enter_guests();
}
