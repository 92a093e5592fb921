/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life cycle of a VM: start, stop, crash, restart.
 *
 * vm->lock guards state and which vCPUs are on. A stop marks every vCPU; each leaves its own CPU by way of
 * vcpu_leave_slow() and the last one decides what comes next. Nothing here waits for another CPU.
 */
#include "camber/vm.h"

#include <stdarg.h>

#include "camber/arch/vcpu.h"
#include "camber/errno.h"
#include "camber/lib.h"
#include "camber/log.h"
#include "vm_priv.h"

/* Bytes of image copied between two looks at what else the CPU has to do: about as many instructions. */
#define LOAD_STEP_BYTES 16384u

/* In a second, of one VM: lines about its life (a start and a stop are three), and records of a vCPU's last state. */
#define LIFE_LOG_BURST 32u
#define RECORD_LOG_BURST BUNDLE_VCPU_MAX

const char *vm_state_name(enum vm_state state)
{
	return str_nth("off\0loading\0running\0stopping\0waiting\0pausing\0paused", state);
}

/* Lines about a VM's life: one that crashes or resets itself all the time may not fill the log; orders are always told. */
static bool life_log(struct vm *vm)
{
	return vm->stop_reason >= VM_STOP_ORDER || log_limit_pass(&vm->life_log, LIFE_LOG_BURST);
}

#define log_life(vm, ...)                                                                                              \
	do {                                                                                                           \
		if (life_log(vm))                                                                                      \
			log_line(__VA_ARGS__);                                                                         \
	} while (0)

/* vm->lock held. */
static __cold __attribute__((noinline)) void set_state(struct vm *vm, enum vm_state state)
{
	vm->state = state;
	trace(VM, vm->id, state, vm->stop_reason);
}

static void start_locked(struct vm *vm)
{
	set_state(vm, VM_LOADING);
	vm->load_index = vm->cfg->load_first;
	vm->load_pos = 0;
	vm->load_crc = 0;
	vm->load_bytes = 0;
	vm->load_ticks = 0;
	vm->vcpu[0]->powered = true;
	vm->present_count = 1;
	(void)sched_wake(&vm->vcpu[0]->unit, SCHED_WAKE_START);
}

/* A start that was put off is due, unless somebody stopped or started the VM meanwhile. */
static void start_due(struct timer *t)
{
	struct vm *vm = container_of(t, struct vm, start);

	spin_lock(&vm->lock);
	if (vm->state == VM_WAITING)
		start_locked(vm);
	spin_unlock(&vm->lock);
}

static void wait_locked(struct vm *vm, uint32_t ms)
{
	set_state(vm, VM_WAITING);
	timer_arm(&vm->start, &pcpu_get(sched_unit_cpu(&vm->vcpu[0]->unit))->timers,
		  arch_now() + time_ns_to_ticks((uint64_t)ms * 1000000));
}

void vm_life_init(struct vm *vm)
{
	timer_init(&vm->start, start_due);
}

int vm_start(struct vm *vm)
{
	int ret = -EBUSY;

	spin_lock(&vm->lock);
	if (vm->state == VM_OFF || vm->state == VM_WAITING) {
		vm->crashes_in_row = 0;
		start_locked(vm);
		ret = 0;
	}
	spin_unlock(&vm->lock);
	return ret;
}

int vm_start_later(struct vm *vm, uint32_t ms)
{
	int ret = -EBUSY;

	spin_lock(&vm->lock);
	if (vm->state == VM_OFF) {
		wait_locked(vm, ms);
		ret = 0;
	}
	spin_unlock(&vm->lock);
	return ret;
}

/* With everything of the last life gone: devices, interrupt controller, first vCPU. */
static void reset(struct vm *vm)
{
	struct vm_device *dev;
	unsigned int i;

	arch_vm_reset(vm);
	for (i = 0; i < vm->vcpu_count; i++)
		vm->vcpu[i]->unit.announced = false;
	for (dev = vm->devices; dev; dev = dev->next)
		dev->reset(dev);
	arch_vcpu_set_entry(vm->vcpu[0], gpa(vm->cfg->entry_ipa), vm->cfg->arg0);
}

void vm_load_turn(struct vm *vm)
{
	uint64_t start = arch_now();
	int ret = bundle_load_step(vm, vm_bundle, LOAD_STEP_BYTES);

	vm->load_ticks += arch_now() - start;
	if (ret > 0)
		return;
	if (ret < 0) {
		(void)vm_stop(vm, VM_STOP_DAMAGED); /* as it would be the next time: no restart */
		return;
	}
	reset(vm);
	spin_lock(&vm->lock);
	if (vm->state == VM_LOADING) {
		set_state(vm, VM_RUNNING);
		vm->starts++;
		vm->started_at = arch_now();
		log_life(vm, "vm %s: loaded %llu bytes in %llu ticks", vm->label, (unsigned long long)vm->load_bytes,
			 (unsigned long long)vm->load_ticks);
		log_life(vm, "vm %s: started, %u vCPU%s, vCPU 0 on CPU %u", vm->label, vm->vcpu_count,
			 vm->vcpu_count > 1 ? "s" : "", sched_unit_cpu(&vm->vcpu[0]->unit));
	}
	spin_unlock(&vm->lock);
}

void vcpu_power_on_locked(struct vcpu *v)
{
	v->powered = true;
	v->vm->present_count++;
	if (v->vm->state == VM_RUNNING)
		(void)sched_wake(&v->unit, SCHED_WAKE_START);
}

/*
 * Takes a vCPU from its CPU, which finishes that by vm_vcpu_gone(); `off`: for good. Whoever reads both flags without the lock,
 * `powered` first, never sees it off before it can be turned on anew. vm->lock held.
 */
static void leave_locked(struct vcpu *v, bool off)
{
	v->leaving = true;
	if (off)
		__atomic_store_n(&v->powered, false, __ATOMIC_RELEASE);
	(void)sched_stop(&v->unit);
	pcpu_post(pcpu_get(vcpu_holder(v)), PCPU_WORK_LEAVING);
}

void vcpu_power_off(struct vcpu *v)
{
	spin_lock(&v->vm->lock);
	leave_locked(v, true);
	spin_unlock(&v->vm->lock);
}

/* In the order of enum vm_stop. */
static const char reasons[] = "powered off\0reset\0crashed\0not started: its images are damaged\0stopped by order\0"
			      "stopped by order";

/* Whether a VM that has stopped starts again, and what there is to say about it. vm->lock held. */
static bool starts_again(struct vm *vm, const char **told)
{
	const struct bundle_vm *cfg = vm->cfg;
	uint64_t window = time_ns_to_ticks((uint64_t)BUNDLE_CRASH_WINDOW_MS * 1000000);
	bool again = false;

	switch (vm->stop_reason) {
	case VM_STOP_RESTART:
		again = true;
		break;
	case VM_STOP_RESET:
		again = cfg->on_reboot == BUNDLE_ON_RESTART;
		break;
	case VM_STOP_CRASH:
		again = cfg->on_crash == BUNDLE_ON_RESTART;
		vm->crashes_in_row = arch_now() - vm->started_at < window ? vm->crashes_in_row + 1 : 1;
		if (again && cfg->crash_limit && vm->crashes_in_row >= cfg->crash_limit) {
			*told = ", left off: crash-limit reached";
			return false;
		}
		break;
	default:
		break;
	}
	*told = again ? ", starting again" : "";
	return again;
}

static void pause_devices(struct vm *vm, bool paused)
{
	struct vm_device *dev;

	for (dev = vm->devices; dev; dev = dev->next)
		if (dev->pause)
			dev->pause(dev, paused);
}

/* The last vCPU has left. vm->lock held. */
static void stopped_locked(struct vm *vm)
{
	const char *told;
	bool again = starts_again(vm, &told);

	pause_devices(vm, true);
	arch_vm_stopped(vm);
	set_state(vm, VM_OFF);
	vm->record = false;
	log_life(vm, "vm %s: %s%s", vm->label, str_nth(reasons, vm->stop_reason), told);
	if (!again)
		return;
	if (vm->stop_reason == VM_STOP_CRASH && vm->cfg->restart_delay_ms)
		wait_locked(vm, vm->cfg->restart_delay_ms);
	else
		start_locked(vm);
}

/* --- pause ------------------------------------------------------------------------------------------------------------ */

static void resume_locked(struct vm *vm)
{
	unsigned int i;

	arch_vm_resume(vm);
	pause_devices(vm, false);
	vm->resume_wanted = false;
	set_state(vm, VM_RUNNING);
	/* Who waited for an interrupt finds that its wait is over, as a WFI may be at any time. */
	for (i = 0; i < vm->vcpu_count; i++)
		if (vm->vcpu[i]->powered)
			(void)sched_wake(&vm->vcpu[i]->unit, SCHED_WAKE_START);
}

static void paused_locked(struct vm *vm)
{
	pause_devices(vm, true);
	arch_vm_pause(vm);
	set_state(vm, VM_PAUSED);
	if (vm->resume_wanted)
		resume_locked(vm);
}

int vm_pause(struct vm *vm)
{
	int ret = -EBUSY;
	unsigned int i;

	spin_lock(&vm->lock);
	if (vm->state == VM_RUNNING) {
		set_state(vm, VM_PAUSING);
		for (i = 0; i < vm->vcpu_count; i++)
			if (vm->vcpu[i]->powered)
				leave_locked(vm->vcpu[i], false);
		ret = 0;
	} else if (vm->state == VM_PAUSING) {
		vm->resume_wanted = false;
		ret = 0;
	}
	spin_unlock(&vm->lock);
	return ret;
}

int vm_resume(struct vm *vm)
{
	int ret = 0;

	spin_lock(&vm->lock);
	if (vm->state == VM_PAUSED)
		resume_locked(vm);
	else if (vm->state == VM_PAUSING)
		vm->resume_wanted = true;
	else
		ret = -EBUSY;
	spin_unlock(&vm->lock);
	return ret;
}

/* --- the end ---------------------------------------------------------------------------------------------------------- */

bool vm_vcpu_record(const struct vcpu *v)
{
	return v->vm->record && log_limit_pass(&v->vm->record_log, RECORD_LOG_BURST);
}

static bool any_leaving(const struct vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->vcpu_count; i++)
		if (vm->vcpu[i]->leaving)
			return true;
	return false;
}

void vm_vcpu_gone(struct vcpu *v)
{
	struct vm *vm = v->vm;

	spin_lock(&vm->lock);
	v->leaving = false;
	if (!v->powered && --vm->present_count == 0) {
		if (vm->state != VM_STOPPING) { /* the guest turned its last vCPU off */
			set_state(vm, VM_STOPPING);
			vm->stop_reason = VM_STOP_OFF;
		}
		stopped_locked(vm);
	} else if (vm->state == VM_PAUSING && !any_leaving(vm)) {
		paused_locked(vm);
	}
	spin_unlock(&vm->lock);
}

static void stop_locked(struct vm *vm, enum vm_stop why)
{
	unsigned int i;

	set_state(vm, VM_STOPPING);
	vm->stop_reason = why;
	vm->resume_wanted = false;
	for (i = 0; i < vm->vcpu_count; i++) {
		struct vcpu *v = vm->vcpu[i];

		if (v->powered)
			leave_locked(v, true);
	}
}

int vm_stop(struct vm *vm, enum vm_stop why)
{
	bool order = why == VM_STOP_ORDER || why == VM_STOP_RESTART;
	int ret = 0;

	spin_lock(&vm->lock);
	switch (vm->state) {
	case VM_OFF:
		ret = -EBUSY;
		break;
	case VM_WAITING:
		if (!order) {
			ret = -EBUSY;
			break;
		}
		timer_cancel(&vm->start);
		set_state(vm, VM_OFF);
		if (why == VM_STOP_RESTART)
			start_locked(vm);
		break;
	case VM_STOPPING:
		if (order)
			vm->stop_reason = why;
		else
			ret = -EBUSY;
		break;
	default:
		if (why == VM_STOP_CRASH || why == VM_STOP_DAMAGED)
			vm->crashes++;
		vm->record = why == VM_STOP_CRASH;
		stop_locked(vm, why);
	}
	spin_unlock(&vm->lock);
	return ret;
}

void vm_crash(struct vcpu *v, const char *fmt, ...)
{
	char text[160];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!vm_stop(v->vm, VM_STOP_CRASH))
		log_life(v->vm, "vm %s: vCPU %u: %s", v->vm->label, v->index, text);
}

void vm_watchdog_bite(struct vm *vm, const char *why)
{
	if (!vm_stop(vm, VM_STOP_CRASH))
		log_life(vm, "vm %s: watchdog: %s", vm->label, why);
}
