/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists what is in a bundle: what `mkbundle --list` prints.
 *
 * Only for bundles that bundle_check() has passed: nothing is checked here.
 */
#include "mkbundle.h"

static const char *const load_kinds[] = {
	[BUNDLE_LOAD_KERNEL] = "kernel",
	[BUNDLE_LOAD_INITRD] = "initrd",
	[BUNDLE_LOAD_DTB] = "dtb",
	[BUNDLE_LOAD_RAW] = "raw",
};

static void list_device(const struct bundle_device *dev, FILE *out)
{
	fprintf(out, "  device %s:", dev->path);
	for (uint32_t i = 0; i < dev->reg_count; i++)
		fprintf(out, " 0x%llx + 0x%llx", (unsigned long long)dev->reg[i].ipa,
			(unsigned long long)dev->reg[i].bytes);
	fputs(", interrupts", out);
	for (uint32_t i = 0; i < dev->irq_count; i++)
		fprintf(out, " %u", dev->irq[i]);
	fputc('\n', out);
}

static void list_vm(const struct bundle_vm *vm, const struct bundle_load *loads, const struct bundle_device *devices,
		    FILE *out)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} flags[] = {
		{ BUNDLE_VM_AUTOSTART, "autostart" },   { BUNDLE_VM_UART, "uart" }, { BUNDLE_VM_RTC, "rtc" },
		{ BUNDLE_VM_STRAY_STOP, "stray-stop" }, { BUNDLE_VM_XEN, "xen" },   { BUNDLE_VM_RT, "rt" },
	};

	struct rt_percent_text percent;

	fprintf(out, "vm %u \"%s\": entry 0x%llx, x0 0x%llx, %u SPIs, flags", vm->id, vm->label,
		(unsigned long long)vm->entry_ipa, (unsigned long long)vm->arg0, vm->spi_count);
	for (size_t i = 0; i < ARRAY_COUNT(flags); i++)
		if (vm->flags & flags[i].flag)
			fprintf(out, " %s", flags[i].name);
	fprintf(out, "\n  vcpus %u, on CPUs", vm->vcpu_count);
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		if (vm->pcpu_mask[i] == BUNDLE_PCPU_ANY)
			fprintf(out, " any");
		else
			fprintf(out, " 0x%x", vm->pcpu_mask[i]);
	}
	fprintf(out, "\n  weight %u, cap %u %%", vm->weight, vm->cap_percent);
	if (vm->flags & BUNDLE_VM_RT)
		fprintf(out, ", rt %u of %u us: %s %%%s", vm->rt_budget_us, vm->rt_period_us,
			rt_percent(&percent, rt_ppm(&(struct rt_share){ vm->rt_budget_us, vm->rt_period_us, 1 }, 1)),
			vm->vcpu_count > 1 ? " for each vCPU" : "");
	fputc('\n', out);
	fprintf(out, "  start delay %u ms, on crash %s, delay %u ms, limit %u, on reboot %s\n", vm->start_delay_ms,
		vm->on_crash == BUNDLE_ON_RESTART ? "restart" : "stop", vm->restart_delay_ms, vm->crash_limit,
		vm->on_reboot == BUNDLE_ON_RESTART ? "restart" : "stop");
	fprintf(out, "  watchdog %u ms, first %u ms\n", vm->watchdog_ms, vm->watchdog_boot_ms);
	for (uint32_t i = 0; i < vm->mem_count; i++) {
		fprintf(out, "  %-6s 0x%09llx + 0x%llx", vm->mem[i].flags & BUNDLE_MEM_ROM ? "rom" : "ram",
			(unsigned long long)vm->mem[i].ipa, (unsigned long long)vm->mem[i].bytes);
		if (vm->mem[i].flags & BUNDLE_MEM_STATIC)
			fprintf(out, " at physical 0x%llx", (unsigned long long)vm->mem[i].hpa);
		fputc('\n', out);
	}
	for (uint32_t i = 0; i < vm->load_count; i++) {
		const struct bundle_load *load = &loads[vm->load_first + i];

		fprintf(out, "  %-6s 0x%09llx + 0x%llx from 0x%llx, 0x%llx bytes, crc 0x%08x\n", load_kinds[load->kind],
			(unsigned long long)load->ipa, (unsigned long long)load->mem_bytes,
			(unsigned long long)load->offset, (unsigned long long)load->file_bytes, load->crc);
	}
	for (uint32_t i = 0; i < vm->device_count; i++)
		list_device(&devices[vm->device_first + i], out);
}

/* What is promised of a CPU to the real-time vCPUs that are bound to no other, or that may be on any of several. */
static void list_promises(const struct bundle_header *header, const struct bundle_vm *vms, uint32_t mask, FILE *out)
{
	struct rt_percent_text percent;
	bool one = !(mask & (mask - 1));
	struct rt_share shares[BUNDLE_VM_MAX];
	const struct bundle_vm *of[BUNDLE_VM_MAX];
	uint32_t count = 0;

	for (uint32_t i = 0; i < header->vm_count; i++) {
		struct rt_share share = { vms[i].rt_budget_us, vms[i].rt_period_us, 0 };

		for (uint32_t v = 0; (vms[i].flags & BUNDLE_VM_RT) && v < vms[i].vcpu_count; v++)
			share.vcpus += vms[i].pcpu_mask[v] == mask;
		if (!share.vcpus)
			continue;
		of[count] = &vms[i];
		shares[count++] = share;
	}
	if (!count)
		return;
	if (one)
		fprintf(out, "cpu %d: real time", __builtin_ctz(mask));
	else if (mask == BUNDLE_PCPU_ANY)
		fputs("any cpu, chosen at boot: real time", out);
	else
		fprintf(out, "cpus 0x%x, chosen at boot: real time", mask);
	fprintf(out, " %s %%:", rt_percent(&percent, rt_ppm(shares, count)));
	for (uint32_t i = 0; i < count; i++)
		fprintf(out, "%s %s %u x %u of %u us", i ? "," : "", of[i]->label, shares[i].vcpus, shares[i].budget_us,
			shares[i].period_us);
	fputc('\n', out);
}

static void list_cpus(const struct bundle_header *header, const struct bundle_vm *vms, FILE *out)
{
	uint32_t done[BUNDLE_VM_MAX * BUNDLE_VCPU_MAX];
	uint32_t count = 0;

	for (uint32_t cpu = 0; cpu < PCPU_MAX; cpu++)
		list_promises(header, vms, UINT32_C(1) << cpu, out);
	for (uint32_t i = 0; i < header->vm_count; i++) {
		for (uint32_t v = 0; v < vms[i].vcpu_count; v++) {
			uint32_t mask = vms[i].pcpu_mask[v];
			uint32_t seen = 0;

			while (seen < count && done[seen] != mask)
				seen++;
			if (!(mask & (mask - 1)) || seen < count)
				continue;
			done[count++] = mask;
			list_promises(header, vms, mask, out);
		}
	}
}

void bundle_list(const uint8_t *data, FILE *out)
{
	const struct bundle_header *header = (const void *)data;
	const struct bundle_vm *vms = (const void *)(data + header->vm_offset);
	const struct bundle_load *loads = (const void *)(data + header->load_offset);
	const struct bundle_device *devices = (const void *)(data + header->device_offset);

	fprintf(out, "bundle version %u, profile \"%s\", %llu bytes, %u VMs, checksums right\n", header->version,
		header->profile, (unsigned long long)header->total_bytes, header->vm_count);
	for (uint32_t i = 0; i < header->vm_count; i++)
		list_vm(&vms[i], loads, devices, out);
	list_cpus(header, vms, out);
}
