/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv/vm/{vm,vcpu,lifecycle,bundle}.c together over the host's models: VMs of a bundle are made, started, run, stopped,
 * crashed and restarted. The cache model judges every start, the TLB model every switch.
 */
#include "support.h"

#include <string.h>

#include "abi/platform.h"
#include "camber/arch/vcpu.h"
#include "camber/dev.h"
#include "camber/errno.h"
#include "camber/guestmem.h"
#include "camber/lib.h"
#include "camber/log.h"

#define MIB UINT64_C(0x100000)
#define IMAGE_BYTES 100000u /* several steps of loading */

static struct {
	struct bundle_header header;
	struct bundle_vm vm[2];
	struct bundle_load load[2];
	uint8_t image[IMAGE_BYTES];
} file;

static struct vm *a, *b;
static struct pcpu *cpu;
static char logged[8192];

static void keep(const char *text, size_t n)
{
	size_t used = strlen(logged);

	if (used + n >= sizeof(logged))
		used = 0;
	memcpy(&logged[used], text, n);
	logged[used + n] = '\0';
}

static int attach(struct vm *vm)
{
	return vpl011_create(vm) ? -EIO : vpl031_create(vm);
}

/* VM a: two vCPUs on CPU 0 and 1; VM b: one vCPU on CPU 0. */
static void make_bundle(void)
{
	file.header = (struct bundle_header){
		.magic = BUNDLE_MAGIC,
		.version = BUNDLE_VERSION,
		.total_bytes = sizeof(file),
		.head_bytes = (uint32_t)((char *)file.image - (char *)&file),
		.vm_count = 2,
		.vm_offset = (uint32_t)((char *)file.vm - (char *)&file),
		.load_count = 2,
		.load_offset = (uint32_t)((char *)file.load - (char *)&file),
	};
	for (size_t i = 0; i < IMAGE_BYTES; i++)
		file.image[i] = (uint8_t)(i * 7 + i / 256);
	for (uint32_t i = 0; i < 2; i++) {
		file.vm[i] = (struct bundle_vm){
			.id = i + 1,
			.vcpu_count = 2 - i,
			.pcpu_mask = { 1, 2 },
			.mem_count = 1,
			.mem = { { .ipa = GUEST_RAM_BASE, .bytes = 2 * MIB } },
			.load_first = i,
			.load_count = 1,
			.entry_ipa = GUEST_RAM_BASE + 0x1000,
			.arg0 = GUEST_RAM_BASE,
			.on_crash = BUNDLE_ON_STOP,
			.on_reboot = BUNDLE_ON_RESTART,
			.weight = 256,
			.spi_count = 32,
		};
		file.vm[i].label[0] = (char)('a' + i);
		file.load[i] = (struct bundle_load){
			.offset = file.header.head_bytes,
			.file_bytes = IMAGE_BYTES,
			.mem_bytes = IMAGE_BYTES + 30000,
			.ipa = GUEST_RAM_BASE + 0x1000,
			.crc = crc32(0, file.image, IMAGE_BYTES),
		};
	}
	file.header.header_crc = crc32(0, &file, file.header.head_bytes);
}

/* Lets a CPU look at its work; NULL: it went idle. */
static struct vcpu *turn(unsigned int id)
{
	struct vcpu *volatile v = NULL;

	host_set_pcpu(unit_cpu(id));
	if (host_catch(v = vcpu_leave_slow(unit_cpu(id))) == HOST_END_IDLE)
		v = NULL;
	host_set_pcpu(cpu);
	return v;
}

/* Every test ends with both VMs off and no rule broken. */
static int end(void **state)
{
	(void)state;
	vm_stop(a, VM_STOP_OFF);
	vm_stop(b, VM_STOP_OFF);
	(void)turn(1);
	(void)turn(0);
	logged[0] = '\0';
	host_set_now(arch_now() + 1000000000); /* so much may be logged in a second */
	host_on_poll(NULL);
	return a->state != VM_OFF || b->state != VM_OFF || host_violations() ? -1 : 0;
}

static void starts_from_its_image(void **state)
{
	uint8_t copy[64];

	(void)state;
	assert_int_equal(vm_start(a), 0);
	assert_int_equal(a->state, VM_LOADING);
	assert_int_equal(vm_start(a), -EBUSY);
	assert_ptr_equal(turn(0), a->vcpu[0]);
	assert_int_equal(a->state, VM_RUNNING);
	assert_int_equal(host_vcpu_entry(a->vcpu[0]), GUEST_RAM_BASE + 0x1000);
	assert_int_equal(host_vcpu_arg0(a->vcpu[0]), GUEST_RAM_BASE);
	assert_int_equal(guestmem_read(&a->map, copy, gpa(GUEST_RAM_BASE + 0x1000 + IMAGE_BYTES - 32), 64), 0);
	assert_memory_equal(copy, &file.image[IMAGE_BYTES - 32], 32);
	for (size_t i = 32; i < 64; i++)
		assert_int_equal(copy[i], 0);
	assert_int_equal(vm_start(a), -EBUSY);
	assert_null(turn(1)); /* the second one is off until the guest asks for it */
	assert_non_null(strstr(logged, "vm a: started, 2 vCPUs"));
}

static void secondary_on_and_off(void **state)
{
	(void)state;
	assert_int_equal(vm_start(a), 0);
	assert_non_null(turn(0));
	spin_lock(&a->lock);
	arch_vcpu_set_entry(a->vcpu[1], gpa(GUEST_RAM_BASE + 0x2000), 5);
	vcpu_power_on_locked(a->vcpu[1]);
	spin_unlock(&a->lock);
	assert_ptr_equal(turn(1), a->vcpu[1]);
	host_set_pcpu(unit_cpu(1));
	vcpu_power_off(a->vcpu[1]);
	assert_null(turn(1));
	assert_int_equal(a->state, VM_RUNNING);
	assert_null(unit_cpu(1)->loaded);
	/* The last one off is the VM's end. */
	vcpu_power_off(a->vcpu[0]);
	assert_null(turn(0));
	assert_int_equal(a->state, VM_OFF);
	assert_null(cpu->loaded);
}

static void reset_begins_anew(void **state)
{
	uint64_t starts = a->starts;
	uint8_t byte = 0;

	(void)state;
	assert_int_equal(vm_start(a), 0);
	assert_non_null(turn(0));
	spin_lock(&a->lock);
	arch_vcpu_set_entry(a->vcpu[1], gpa(GUEST_RAM_BASE + 0x1000), 0);
	vcpu_power_on_locked(a->vcpu[1]);
	spin_unlock(&a->lock);
	assert_non_null(turn(1));
	/* The guest damages its own image. */
	assert_int_equal(guestmem_write(&a->map, gpa(GUEST_RAM_BASE + 0x1000), "garbage", 7), 0);
	vm_stop(a, VM_STOP_RESET);
	assert_int_equal(a->state, VM_STOPPING);
	assert_null(turn(0)); /* waits for the other, and for nobody else */
	assert_int_equal(a->state, VM_STOPPING);
	assert_null(turn(1));
	assert_ptr_equal(turn(0), a->vcpu[0]);
	assert_int_equal(a->state, VM_RUNNING);
	assert_int_equal(a->starts, starts + 2);
	assert_int_equal(guestmem_read(&a->map, &byte, gpa(GUEST_RAM_BASE + 0x1000), 1), 0);
	assert_int_equal(byte, file.image[0]);
	assert_non_null(strstr(logged, "vm a: reset, starting again"));
}

static void crash_stays_off(void **state)
{
	uint64_t crashes = b->crashes;

	(void)state;
	assert_int_equal(vm_start(a), 0);
	assert_int_equal(vm_start(b), 0);
	assert_non_null(turn(0));
	assert_non_null(turn(0));
	vm_crash(b->vcpu[0], "access to 0x%x", 0x1234);
	assert_ptr_equal(turn(0), a->vcpu[0]); /* the other one goes on */
	assert_int_equal(b->state, VM_OFF);
	assert_int_equal(b->crashes, crashes + 1);
	assert_non_null(strstr(logged, "vm b: vCPU 0: access to 0x1234"));
	assert_non_null(strstr(logged, "vm b: crashed"));
	assert_int_equal(vm_start(b), 0);
	(void)turn(0);
}

static void damaged_image_does_not_run(void **state)
{
	unsigned int loads = host_vcpu_loads(a->vcpu[0]);

	(void)state;
	file.image[5] ^= 1;
	assert_int_equal(vm_start(a), 0);
	assert_null(turn(0));
	assert_int_equal(a->state, VM_OFF);
	assert_int_equal(host_vcpu_loads(a->vcpu[0]), loads);
	file.image[5] ^= 1;
	assert_int_equal(vm_start(a), 0);
	assert_ptr_equal(turn(0), a->vcpu[0]);
}

static unsigned int polls;

static void stop_while_loading(void)
{
	if (++polls == 2)
		vm_stop(a, VM_STOP_OFF);
}

static void stopped_while_loading(void **state)
{
	unsigned int loads = host_vcpu_loads(a->vcpu[0]);

	(void)state;
	polls = 0;
	host_on_poll(stop_while_loading);
	assert_int_equal(vm_start(a), 0);
	assert_null(turn(0));
	assert_int_equal(a->state, VM_OFF);
	assert_int_equal(host_vcpu_loads(a->vcpu[0]), loads);
	host_on_poll(NULL);
	assert_int_equal(vm_start(a), 0);
	assert_ptr_equal(turn(0), a->vcpu[0]);
}

static void waits_and_wakes(void **state)
{
	(void)state;
	assert_int_equal(vm_start(a), 0);
	assert_non_null(turn(0));
	/* An interrupt is pending: it doesn't sleep. */
	host_set_irq_pending(a->vcpu[0], true);
	vcpu_wait(a->vcpu[0]);
	assert_ptr_equal(turn(0), a->vcpu[0]);
	host_set_irq_pending(a->vcpu[0], false);
	vcpu_wait(a->vcpu[0]);
	assert_null(turn(0));
	assert_null(cpu->current);
	assert_ptr_equal(cpu->loaded, a->vcpu[0]); /* its state stays until another needs the place */
	/* Another CPU interrupts it. */
	host_set_pcpu(unit_cpu(1));
	unsigned int kicks = host_kicks(0);

	vcpu_kick(a->vcpu[0], SCHED_WAKE_EVENT);
	assert_int_equal(host_kicks(0), kicks + 1);
	assert_ptr_equal(turn(0), a->vcpu[0]);
	/* Running: its list of interrupts is brought up to date, no more. */
	unsigned int syncs = host_vcpu_syncs(a->vcpu[0]);

	host_set_pcpu(unit_cpu(1));
	vcpu_kick(a->vcpu[0], SCHED_WAKE_EVENT);
	assert_int_equal(cpu->work, PCPU_WORK_IRQS);
	assert_ptr_equal(turn(0), a->vcpu[0]);
	assert_int_equal(host_vcpu_syncs(a->vcpu[0]), syncs + 1);
}

static struct {
	struct vm_device dev;
	unsigned int resets, pauses, resumes;
} witness;

static void witness_reset(struct vm_device *dev)
{
	(void)dev;
	witness.resets++;
}

static void witness_pause(struct vm_device *dev, bool paused)
{
	(void)dev;
	if (paused)
		witness.pauses++;
	else
		witness.resumes++;
}

/* Starts VM a with both vCPUs on. */
static void both_on(void)
{
	assert_int_equal(vm_start(a), 0);
	assert_non_null(turn(0));
	spin_lock(&a->lock);
	arch_vcpu_set_entry(a->vcpu[1], gpa(GUEST_RAM_BASE + 0x1000), 0);
	vcpu_power_on_locked(a->vcpu[1]);
	spin_unlock(&a->lock);
	assert_non_null(turn(1));
}

static void pauses_and_resumes(void **state)
{
	unsigned int pauses = witness.pauses, resumes = witness.resumes;

	(void)state;
	assert_int_equal(vm_pause(a), -EBUSY);
	assert_int_equal(vm_resume(a), -EBUSY);
	both_on();
	/* One runs, one waits. */
	host_set_pcpu(unit_cpu(1));
	vcpu_wait(a->vcpu[1]);
	assert_null(turn(1));
	assert_int_equal(vm_pause(a), 0);
	assert_int_equal(a->state, VM_PAUSING);
	assert_null(turn(0));
	assert_int_equal(a->state, VM_PAUSING);
	assert_null(turn(1));
	assert_int_equal(a->state, VM_PAUSED);
	assert_int_equal(witness.pauses, pauses + 1);
	assert_null(unit_cpu(1)->loaded);
	/* Nothing wakes it. */
	vcpu_kick(a->vcpu[0], SCHED_WAKE_EVENT);
	vcpu_kick(a->vcpu[1], SCHED_WAKE_TIMER);
	assert_null(turn(0));
	assert_null(turn(1));
	assert_int_equal(vm_pause(a), -EBUSY);
	assert_int_equal(vm_start(a), -EBUSY);
	assert_int_equal(vm_resume(a), 0);
	assert_int_equal(a->state, VM_RUNNING);
	assert_int_equal(witness.resumes, resumes + 1);
	assert_ptr_equal(turn(0), a->vcpu[0]);
	assert_ptr_equal(turn(1), a->vcpu[1]); /* its wait ended, as a WFI may at any time */
}

static void resumed_while_pausing(void **state)
{
	(void)state;
	both_on();
	assert_int_equal(vm_pause(a), 0);
	assert_null(turn(0));
	assert_int_equal(vm_resume(a), 0);
	assert_int_equal(a->state, VM_PAUSING); /* the other one is on its CPU still */
	assert_ptr_equal(turn(1), a->vcpu[1]);
	assert_int_equal(a->state, VM_RUNNING);
	assert_ptr_equal(turn(0), a->vcpu[0]);
}

static void vcpus_come_and_go_while_pausing(void **state)
{
	(void)state;
	both_on();
	assert_int_equal(vm_pause(a), 0);
	/* vCPU 1 was just turning itself off. */
	vcpu_power_off(a->vcpu[1]);
	assert_null(turn(0));
	assert_int_equal(a->state, VM_PAUSING);
	assert_null(turn(1));
	assert_int_equal(a->state, VM_PAUSED);
	assert_int_equal(vm_resume(a), 0);
	assert_ptr_equal(turn(0), a->vcpu[0]);
	assert_null(turn(1)); /* it is off */
	/* And vCPU 0 turns it on while it is being taken away itself. */
	assert_int_equal(vm_pause(a), 0);
	spin_lock(&a->lock);
	arch_vcpu_set_entry(a->vcpu[1], gpa(GUEST_RAM_BASE + 0x1000), 0);
	vcpu_power_on_locked(a->vcpu[1]);
	spin_unlock(&a->lock);
	assert_null(turn(1));
	assert_null(turn(0));
	assert_int_equal(a->state, VM_PAUSED);
	assert_int_equal(vm_resume(a), 0);
	assert_ptr_equal(turn(0), a->vcpu[0]);
	assert_ptr_equal(turn(1), a->vcpu[1]);
}

static void stopped_while_paused(void **state)
{
	(void)state;
	both_on();
	assert_int_equal(vm_pause(a), 0);
	assert_null(turn(0));
	assert_null(turn(1));
	assert_int_equal(vm_stop(a, VM_STOP_RESTART), 0);
	assert_null(turn(1));
	assert_ptr_equal(turn(0), a->vcpu[0]); /* begun anew */
	assert_int_equal(a->state, VM_RUNNING);
	assert_int_equal(vm_pause(a), 0);
	assert_int_equal(vm_stop(a, VM_STOP_ORDER), 0); /* on its way to a pause */
	assert_null(turn(0));
	assert_int_equal(a->state, VM_OFF);
	assert_non_null(strstr(logged, "vm a: stopped by order"));
	assert_int_equal(vm_stop(a, VM_STOP_ORDER), -EBUSY);
}

static void order_overrides(void **state)
{
	(void)state;
	assert_int_equal(vm_start(a), 0);
	assert_non_null(turn(0));
	assert_int_equal(vm_stop(a, VM_STOP_RESET), 0);
	assert_int_equal(vm_stop(a, VM_STOP_RESET), -EBUSY);
	assert_int_equal(vm_stop(a, VM_STOP_ORDER), 0);
	assert_null(turn(0));
	assert_int_equal(a->state, VM_OFF); /* though on-reboot says restart */
}

/* Lets time pass on CPU 0 up to `ns` from now, and its timers run. */
static void pass(uint64_t ns)
{
	host_set_now(arch_now() + ns); /* a tick is a nanosecond here */
	timer_queue_run(&cpu->timers);
}

static void delayed_start(void **state)
{
	(void)state;
	assert_int_equal(vm_start_later(a, 50), 0);
	assert_int_equal(a->state, VM_WAITING);
	assert_int_equal(vm_start_later(a, 50), -EBUSY);
	pass(49 * 1000000);
	assert_int_equal(a->state, VM_WAITING);
	pass(1000000);
	assert_int_equal(a->state, VM_LOADING);
	assert_ptr_equal(turn(0), a->vcpu[0]);
	/* A start that waits can be called off, or brought forward. */
	assert_int_equal(vm_stop(a, VM_STOP_ORDER), 0);
	assert_null(turn(0));
	assert_int_equal(vm_start_later(a, 50), 0);
	assert_int_equal(vm_stop(a, VM_STOP_RESET), -EBUSY);
	assert_int_equal(vm_stop(a, VM_STOP_ORDER), 0);
	assert_int_equal(a->state, VM_OFF);
	pass(60 * 1000000);
	assert_int_equal(a->state, VM_OFF);
	assert_int_equal(vm_start_later(a, 50), 0);
	assert_int_equal(vm_start(a), 0);
	assert_ptr_equal(turn(0), a->vcpu[0]);
	pass(60 * 1000000);
	assert_int_equal(a->state, VM_RUNNING);
}

static void crashes_in_a_row(void **state)
{
	struct bundle_vm *cfg = &file.vm[1];

	(void)state;
	cfg->on_crash = BUNDLE_ON_RESTART;
	cfg->crash_limit = 3;
	cfg->restart_delay_ms = 10;
	assert_int_equal(vm_start(b), 0);
	assert_ptr_equal(turn(0), b->vcpu[0]);
	for (int i = 0; i < 2; i++) {
		vm_crash(b->vcpu[0], "again");
		assert_null(turn(0));
		assert_int_equal(b->state, VM_WAITING);
		pass(10 * 1000000);
		assert_ptr_equal(turn(0), b->vcpu[0]);
	}
	/* A life that was long enough: the row begins anew. */
	pass((uint64_t)BUNDLE_CRASH_WINDOW_MS * 1000000);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(b->state, VM_RUNNING);
		vm_watchdog_bite(b, "not refreshed");
		assert_null(turn(0));
		if (i == 2)
			break;
		pass(10 * 1000000);
		assert_ptr_equal(turn(0), b->vcpu[0]);
	}
	assert_int_equal(b->state, VM_OFF);
	assert_non_null(strstr(logged, "vm b: watchdog: not refreshed"));
	assert_non_null(strstr(logged, "vm b: crashed, left off: crash-limit reached"));
	/* Who is off is bitten no more. */
	logged[0] = '\0';
	vm_watchdog_bite(b, "not refreshed");
	assert_string_equal(logged, "");
	cfg->on_crash = BUNDLE_ON_STOP;
	cfg->crash_limit = 0;
	cfg->restart_delay_ms = 0;
}

static void devices_are_told(void **state)
{
	unsigned int resets = witness.resets, pauses = witness.pauses, resumes = witness.resumes;

	(void)state;
	assert_int_equal(vm_start(a), 0);
	assert_non_null(turn(0));
	assert_int_equal(witness.resets, resets + 1);
	assert_int_equal(vm_stop(a, VM_STOP_ORDER), 0);
	assert_null(turn(0));
	assert_int_equal(witness.pauses, pauses + 1);
	assert_int_equal(witness.resumes, resumes);
}

static void found_by_name(void **state)
{
	(void)state;
	assert_ptr_equal(vm_find("a"), a);
	assert_ptr_equal(vm_find("2"), b);
	assert_null(vm_find("c"));
	assert_null(vm_find(""));
	assert_null(vm_find("02"));
	assert_string_equal(vm_state_name(VM_PAUSED), "paused");
}

static void alone_or_not(void **state)
{
	(void)state;
	assert_false(host_vcpu_alone(a->vcpu[0])); /* shares CPU 0 with b */
	assert_true(host_vcpu_alone(a->vcpu[1]));
	assert_false(host_vcpu_alone(b->vcpu[0]));
}

static void found_by_index(void **state)
{
	(void)state;
	assert_ptr_equal(vm_get(1), b);
	assert_null(vm_get(2));
}

int main(void)
{
	static struct log_ring ring, previous;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(starts_from_its_image, end),
		cmocka_unit_test_teardown(secondary_on_and_off, end),
		cmocka_unit_test_teardown(reset_begins_anew, end),
		cmocka_unit_test_teardown(crash_stays_off, end),
		cmocka_unit_test_teardown(damaged_image_does_not_run, end),
		cmocka_unit_test_teardown(stopped_while_loading, end),
		cmocka_unit_test_teardown(waits_and_wakes, end),
		cmocka_unit_test_teardown(pauses_and_resumes, end),
		cmocka_unit_test_teardown(resumed_while_pausing, end),
		cmocka_unit_test_teardown(vcpus_come_and_go_while_pausing, end),
		cmocka_unit_test_teardown(stopped_while_paused, end),
		cmocka_unit_test_teardown(order_overrides, end),
		cmocka_unit_test_teardown(delayed_start, end),
		cmocka_unit_test_teardown(crashes_in_a_row, end),
		cmocka_unit_test_teardown(devices_are_told, end),
		cmocka_unit_test_teardown(found_by_name, end),
		cmocka_unit_test_teardown(alone_or_not, end),
		cmocka_unit_test_teardown(found_by_index, end),
	};

	time_init(1000000000);
	log_init(&ring, &previous);
	log_set_sink(keep);
	unit_memory(16 * MIB);
	unit_cpus(2);
	cpu = unit_cpu(0);
	make_bundle();
	if (bundle_check(&file, sizeof(file)) || vm_create_all(&file.header, attach))
		return 1;
	a = vm_get(0);
	b = vm_get(1);
	witness.dev.reset = witness_reset;
	witness.dev.pause = witness_pause;
	vm_add_device(a, &witness.dev);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
