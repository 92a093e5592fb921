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

static void start_locked(struct vm *vm)
{
	vm->state = VM_LOADING;
	vm->load_index = vm->cfg->load_first;
	vm->load_pos = 0;
	vm->load_crc = 0;
	vm->load_bytes = 0;
	vm->load_ticks = 0;
	vm->vcpu[0]->powered = true;
	vm->present_count = 1;
	(void)sched_wake(&vm->vcpu[0]->unit, SCHED_WAKE_START);
}

int vm_start(struct vm *vm)
{
	int ret = -EBUSY;

	spin_lock(&vm->lock);
	if (vm->state == VM_OFF) {
		start_locked(vm);
		ret = 0;
	}
	spin_unlock(&vm->lock);
	return ret;
}

/* With everything of the last life gone: devices, interrupt controller, first vCPU. */
static void reset(struct vm *vm)
{
	struct vm_device *dev;

	arch_vm_reset(vm);
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
		vm_stop(vm, VM_STOP_DAMAGED); /* as it would be the next time: no restart */
		return;
	}
	reset(vm);
	spin_lock(&vm->lock);
	if (vm->state == VM_LOADING) {
		vm->state = VM_RUNNING;
		vm->starts++;
		log_line("vm %s: loaded %llu bytes in %llu ticks", vm->label, (unsigned long long)vm->load_bytes,
			 (unsigned long long)vm->load_ticks);
		log_line("vm %s: started, %u vCPU%s, vCPU 0 on CPU %u", vm->label, vm->vcpu_count,
			 vm->vcpu_count > 1 ? "s" : "", vm->vcpu[0]->unit.cpu);
	}
	spin_unlock(&vm->lock);
}

void vcpu_power_on_locked(struct vcpu *v)
{
	v->powered = true;
	v->vm->present_count++;
	(void)sched_wake(&v->unit, SCHED_WAKE_START);
}

/* Takes a vCPU off; its CPU finishes it by vm_vcpu_gone(). vm->lock held. */
static void leave_locked(struct vcpu *v)
{
	v->powered = false;
	v->leaving = true;
	(void)sched_stop(&v->unit);
	pcpu_post(pcpu_get(v->unit.cpu), PCPU_WORK_LEAVING);
}

void vcpu_power_off(struct vcpu *v)
{
	spin_lock(&v->vm->lock);
	leave_locked(v);
	spin_unlock(&v->vm->lock);
}

static const char *const reasons[] = {
	[VM_STOP_OFF] = "powered off",
	[VM_STOP_RESET] = "reset",
	[VM_STOP_CRASH] = "crashed",
	[VM_STOP_DAMAGED] = "not started: its images are damaged",
};

/* The last vCPU has left. vm->lock held. */
static void stopped_locked(struct vm *vm)
{
	uint32_t then = BUNDLE_ON_STOP;

	if (vm->stop_reason == VM_STOP_RESET)
		then = vm->cfg->on_reboot;
	else if (vm->stop_reason == VM_STOP_CRASH)
		then = vm->cfg->on_crash;
	vm->state = VM_OFF;
	log_line("vm %s: %s%s", vm->label, reasons[vm->stop_reason],
		 then == BUNDLE_ON_RESTART ? ", starting again" : "");
	if (then == BUNDLE_ON_RESTART)
		start_locked(vm);
}

void vm_vcpu_gone(struct vcpu *v)
{
	struct vm *vm = v->vm;

	spin_lock(&vm->lock);
	v->leaving = false;
	if (--vm->present_count == 0) {
		if (vm->state != VM_STOPPING) { /* the guest turned its last vCPU off */
			vm->state = VM_STOPPING;
			vm->stop_reason = VM_STOP_OFF;
		}
		stopped_locked(vm);
	}
	spin_unlock(&vm->lock);
}

void vm_stop(struct vm *vm, enum vm_stop why)
{
	unsigned int i;

	spin_lock(&vm->lock);
	if (vm->state != VM_RUNNING && vm->state != VM_LOADING) {
		spin_unlock(&vm->lock);
		return;
	}
	vm->state = VM_STOPPING;
	vm->stop_reason = why;
	if (why == VM_STOP_CRASH || why == VM_STOP_DAMAGED)
		vm->crashes++;
	for (i = 0; i < vm->vcpu_count; i++) {
		struct vcpu *v = vm->vcpu[i];

		if (v->powered)
			leave_locked(v);
	}
	spin_unlock(&vm->lock);
}

void vm_crash(struct vcpu *v, const char *fmt, ...)
{
	char text[160];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_line("vm %s: vCPU %u: %s", v->vm->label, v->index, text);
	arch_vcpu_log(v);
	vm_stop(v->vm, VM_STOP_CRASH);
}
