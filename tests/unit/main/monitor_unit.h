/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor over VMs made of a bundle, on a slow line: what is typed, what is answered. Included by one test program each, so
 * everything is static.
 */
#ifndef UNIT_MONITOR_UNIT_H
#define UNIT_MONITOR_UNIT_H

#include "slow_uart.h"

#include <stdlib.h>

#include "abi/bundle.h"
#include "abi/platform.h"
#include "camber/main.h"

#define MIB UINT64_C(0x100000)

#define FILE_VMS 3

static struct {
	struct bundle_header header;
	struct bundle_vm vm[FILE_VMS];
	struct bundle_load load[1];
	uint8_t image[16];
} file;

static struct log_ring ring, previous;
static uint64_t now;
static unsigned int turns;    /* timer interrupts of the last settle() */
static size_t most_in_a_turn; /* bytes that one of them wrote */

static int attach(struct vm *vm)
{
	(void)vm;
	return 0;
}

/* A VM of the bundle: vCPU 0 on CPU 0, vCPU 1 on CPU 1; the test changes the rest. */
static struct bundle_vm *file_vm(const char *label, uint32_t vcpus)
{
	struct bundle_vm *vm = &file.vm[file.header.vm_count++];

	*vm = (struct bundle_vm){
		.id = file.header.vm_count,
		.vcpu_count = vcpus,
		.pcpu_mask = { 1, 2 },
		.mem_count = 1,
		.mem = { { .ipa = GUEST_RAM_BASE, .bytes = 2 * MIB } },
		.load_count = 1,
		.entry_ipa = GUEST_RAM_BASE,
		.weight = 256,
		.spi_count = 32,
	};
	(void)strcpy(vm->label, label);
	return vm;
}

static void make_vms(void)
{
	uint32_t count = file.header.vm_count;

	file.header = (struct bundle_header){
		.magic = BUNDLE_MAGIC,
		.version = BUNDLE_VERSION,
		.total_bytes = sizeof(file),
		.head_bytes = (uint32_t)((char *)file.image - (char *)&file),
		.vm_count = count,
		.vm_offset = (uint32_t)((char *)file.vm - (char *)&file),
		.load_count = 1,
		.load_offset = (uint32_t)((char *)file.load - (char *)&file),
	};
	file.load[0] = (struct bundle_load){
		.offset = file.header.head_bytes,
		.file_bytes = sizeof(file.image),
		.ipa = GUEST_RAM_BASE,
		.mem_bytes = sizeof(file.image),
		.crc = crc32(0, file.image, sizeof(file.image)),
	};
	assert_int_equal(vm_create_all(&file.header, attach), 0);
}

/* Until nothing happens any more: the line carries what waits, timers expire. */
static void settle(void)
{
	turns = 0;
	most_in_a_turn = 0;
	for (;;) {
		size_t before = slow.used + slow.count;

		slow_drain();
		before = slow.used;
		if (host_timer(0) == TIME_NEVER)
			break;
		now = MAX(now, host_timer(0));
		host_set_now(now);
		timer_queue_run(&unit_cpu(0)->timers);
		turns++;
		slow_drain();
		most_in_a_turn = MAX(most_in_a_turn, slow.used - before);
	}
}

/* What the line carries after this was typed. */
static const char *type(const char *text)
{
	slow_type(text);
	settle();
	return slow_wire();
}

/* Setup of a test: nothing typed, nothing on the line, batch mode. */
static inline int batch(void **state)
{
	(void)state;
	console_interactive = false;
	(void)type("\x03\r");
	(void)slow_wire();
	return 0;
}

/* 2 CPUs, a tick is a nanosecond; the keyboard goes to the monitor. `options`: boot arguments, may be NULL. */
static inline void begin_with(const char *options)
{
	time_init(1000000000);
	unit_memory(16 * MIB);
	unit_cpus(2);
	console_init(&slow_ops, NULL);
	log_init(&ring, &previous);
	log_set_sink(console_write);
	make_vms();
	trace_start(aligned_alloc(64, trace_area_bytes(2)), 2,
		    (struct trace_cpu *[]){ &unit_cpu(0)->trace, &unit_cpu(1)->trace });
	main_options(options);
	console_input_start();
	monitor_init();
	slow_type("\x01\x01\x01");
}

static inline void begin(void)
{
	begin_with(NULL);
	settle();
}

#endif
