/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual PL011 under any sequence of accesses, input and time. What must hold after each step: the interrupt line is
 * RIS & IMSC, the two ways to the flag register agree, and flags and interrupts tell the same story.
 */
#include "fuzz.h"

#include <string.h>

#include "abi/platform.h"
#include "camber/arch/vcpu.h"
#include "camber/console.h"
#include "camber/dev.h"

static struct vm *vm;
static const struct mmio_region *region;
static struct pcpu cpu;
static const char *typed = "";
static char typed_buffer[2];
static uint64_t now;

static size_t wire_put(void *dev, const char *text, size_t n)
{
	(void)dev;
	/* In batch mode nothing reaches the terminal that could control it. */
	for (size_t i = 0; i < n; i++)
		FUZZ_CHECK((unsigned char)text[i] >= ' ' || text[i] == '\t' || text[i] == '\r' || text[i] == '\n');
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

static const struct uart_ops ops = { .put = wire_put,
				     .get = wire_get,
				     .irq_enable = wire_irq,
				     .irq_transmit = wire_irq_transmit,
				     .irq_ack = wire_irq };

static void once(void)
{
	if (vm)
		return;
	time_init(1000000000);
	FUZZ_CHECK(mem_add(host_ram_add(UINT64_C(0x100000)), UINT64_C(0x100000)) == 0);
	pcpu_register(&cpu, 0, 0);
	host_set_pcpu(&cpu);
	console_init(&ops, NULL);
	vm = arch_vm_alloc();
	vm->label = "fuzz";
	vm->id = 1;
	FUZZ_CHECK(vpl011_create(vm) == 0);
	region = mmio_find(&vm->mmio, gpa(GUEST_UART_BASE), 4);
	FUZZ_CHECK(region != NULL);
}

static uint64_t access(uint64_t offset, uint32_t bytes, bool write, uint64_t value)
{
	struct mmio_access a = { .offset = offset, .value = value, .bytes = bytes, .write = write };
	bool ok = region->handler(NULL, region->dev, &a);

	FUZZ_CHECK(ok || bytes == 8);
	FUZZ_CHECK(write || !ok || bytes == 8 || a.value < BIT64(8 * bytes));
	return a.value;
}

static void check_state(void)
{
	uint32_t fr = (uint32_t)access(0x18, 4, false, 0);
	uint32_t ris = (uint32_t)access(0x3c, 4, false, 0);
	uint32_t imsc = (uint32_t)access(0x38, 4, false, 0);

	FUZZ_CHECK(host_irq_level(vm, GUEST_UART_INTID) == ((ris & imsc) != 0));
	FUZZ_CHECK(access(0x40, 4, false, 0) == (ris & imsc));
	FUZZ_CHECK(access(0x18, 1, false, 0) == (fr & 0xff));
	FUZZ_CHECK((fr & 0xa8) == 0x80);           /* transmitter: empty, not full, not busy */
	FUZZ_CHECK((fr & 0x50) != 0x50);           /* not empty and full */
	FUZZ_CHECK(!(fr & 0x10) || !(ris & 0x40)); /* no receive timeout without data */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };

	once();
	for (struct vm_device *d = vm->devices; d; d = d->next)
		d->reset(d);
	while (in.left) {
		uint8_t op = (uint8_t)fuzz_number(&in, 1);
		uint32_t bytes = 1u << (op >> 4 & 3);

		if (op < 0x40) { /* registers that exist, mostly */
			(void)access(((uint64_t)(op & 15) * 4 + (op & 8 ? 0x18 : 0)) & ~(uint64_t)(bytes - 1), bytes,
				     fuzz_number(&in, 1) & 1, fuzz_number(&in, 2));
		} else if (op < 0x80) {
			(void)access((fuzz_number(&in, 2) % (GUEST_UART_SIZE - 7)) & ~(uint64_t)(bytes - 1), bytes,
				     op & 1, fuzz_number(&in, bytes));
		} else if (op < 0xc0) {
			typed_buffer[0] = (char)(fuzz_number(&in, 1) | 0x20);
			typed = typed_buffer;
			console_irq();
		} else {
			now += fuzz_number(&in, 1) * 1000000;
			host_set_now(now);
			timer_queue_run(&cpu.timers);
		}
		check_state();
	}
	FUZZ_CHECK(host_violations() == 0);
	return 0;
}
