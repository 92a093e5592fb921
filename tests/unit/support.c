/* SPDX-License-Identifier: Apache-2.0 */
/* What unit tests share; see support.h. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "camber/arch/stage2.h"
#include "camber/arch/vcpu.h"
#include "camber/console.h"
#include "camber/panic.h"

char unit_panic_text[256];

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(unit_panic_text, sizeof(unit_panic_text), fmt, ap);
	va_end(ap);
	if (!host_end_to)
		(void)fprintf(stderr, "panic: %s\n", unit_panic_text);
	host_end(HOST_END_PANIC);
}

void panic_finish(void)
{
	host_end(HOST_END_PANIC);
}

void unit_memory(uint64_t bytes)
{
	assert_int_equal(mem_add(host_ram_add(bytes), bytes), 0);
}

static struct pcpu cpus[PCPU_MAX];

void unit_cpus(unsigned int count)
{
	memset(cpus, 0, sizeof(cpus));
	for (unsigned int i = 0; i < count; i++) {
		pcpu_register(&cpus[i], i, i);
		cpus[i].online = true;
	}
	host_set_pcpu(&cpus[0]);
}

struct pcpu *unit_cpu(unsigned int id)
{
	return &cpus[id];
}

struct vm *unit_vm(const char *label, uint32_t id)
{
	struct vm *vm = arch_vm_alloc();

	vm->label = label;
	vm->id = id;
	gmap_init(&vm->map, id, arch_stage2_ipa_bits());
	assert_int_equal(arch_vm_init(vm), 0);
	return vm;
}

static char wire[16384];
static size_t wire_used;
static const char *typed = "";
static bool started;

static size_t wire_put(void *dev, const char *text, size_t n)
{
	(void)dev;
	assert_true(wire_used + n < sizeof(wire));
	memcpy(&wire[wire_used], text, n);
	wire_used += n;
	return n;
}

static int wire_get(void *dev)
{
	(void)dev;
	return *typed ? (unsigned char)*typed++ : -1;
}

static void wire_irq(void *dev)
{
	(void)dev;
}

static void wire_irq_transmit(void *dev, bool on)
{
	(void)dev;
	(void)on;
}

static const struct uart_ops wire_ops = {
	.put = wire_put,
	.get = wire_get,
	.irq_enable = wire_irq,
	.irq_transmit = wire_irq_transmit,
	.irq_ack = wire_irq,
};

const char *unit_wire(void)
{
	static char copy[sizeof(wire)];

	if (!started) {
		console_init(&wire_ops, NULL);
		started = true;
	}
	memcpy(copy, wire, wire_used);
	copy[wire_used] = '\0';
	wire_used = 0;
	return copy;
}

unsigned int unit_pass(uint64_t ticks)
{
	uint64_t until = arch_now() + ticks;
	unsigned int interrupts = 0;

	while (host_timer(0) <= until) {
		host_set_now(MAX(arch_now(), host_timer(0)));
		timer_queue_run(&unit_cpu(0)->timers);
		interrupts++;
	}
	host_set_now(until);
	return interrupts;
}

void unit_type_burst(const char *text)
{
	typed = text;
	console_irq();
}

void unit_type(const char *text)
{
	typed = text;
	while (*typed)
		console_irq();
}
