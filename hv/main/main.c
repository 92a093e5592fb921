/* SPDX-License-Identifier: Apache-2.0 */
/* Boot order of the portable parts: bundle, VMs with their devices, monitor, guests. Boot CPU only. */
#include "camber/main.h"

#include "camber/arch/cpu.h"
#include "camber/arch/vcpu.h"
#include "camber/dev.h"
#include "camber/log.h"
#include "camber/xen.h"

static const struct guest_ops guest_ops = {
	.hypercall = xen_hypercall,
};

static int attach(struct vm *vm)
{
	int ret = 0;

	if (vm->cfg->flags & BUNDLE_VM_XEN)
		vm->xen_allowed = xen_default_allowed();
	if (vm->cfg->flags & BUNDLE_VM_UART)
		ret = vpl011_create(vm);
	if (!ret && (vm->cfg->flags & BUNDLE_VM_RTC))
		ret = vpl031_create(vm);
	if (!ret && vm->cfg->watchdog_ms)
		ret = vwdt_create(vm);
	return ret;
}

void main_boot(const void *bundle, uint64_t bytes)
{
	const struct bundle_header *h = bundle;
	struct mem_stats stats;
	struct vm *vm;
	unsigned int i;

	arch_set_guest_ops(&guest_ops);
	if (bundle_check(bundle, bytes) || vm_create_all(h, attach)) {
		log_line("boot: no guest can be started, halted");
		arch_halt();
	}
	monitor_init();
	mem_seal();
	mem_stats(&stats);
	log_line("mem: total=%llu kept=%llu tables=%llu free=%llu", (unsigned long long)stats.total_bytes,
		 (unsigned long long)stats.kept_bytes, (unsigned long long)stats.table_bytes,
		 (unsigned long long)stats.free_bytes);
	log_line("profile %s: %u VM%s", h->profile, h->vm_count, h->vm_count > 1 ? "s" : "");
	for (i = 0; (vm = vm_get(i)); i++)
		if (vm->cfg->flags & BUNDLE_VM_AUTOSTART)
			(void)(vm->cfg->start_delay_ms ? vm_start_later(vm, vm->cfg->start_delay_ms) : vm_start(vm));
}
