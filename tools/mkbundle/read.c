/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks a finished bundle as the hypervisor will, and lists what is in it.
 *
 * The file is hostile until bundle_check() has passed; bundle_list() relies on that.
 */
#include "mkbundle.h"

#include <string.h>

static const char *const load_kinds[] = {
	[BUNDLE_LOAD_KERNEL] = "kernel",
	[BUNDLE_LOAD_INITRD] = "initrd",
	[BUNDLE_LOAD_DTB] = "dtb",
	[BUNDLE_LOAD_RAW] = "raw",
};

static bool table_fits(uint64_t offset, uint64_t count, size_t item, uint64_t bytes)
{
	return !(offset % 8) && offset <= bytes && count <= (bytes - offset) / item;
}

static int check_header(struct mkbundle *m, const char *path, const uint8_t *data, size_t bytes)
{
	struct bundle_header header;
	uint32_t crc;

	if (bytes < sizeof(header))
		return diag_fail(m, "%s: shorter than a bundle's header", path);
	memcpy(&header, data, sizeof(header));
	if (header.magic != BUNDLE_MAGIC)
		return diag_fail(m, "%s: not a bundle (magic 0x%08x)", path, header.magic);
	if (header.version != BUNDLE_VERSION)
		return diag_fail(m, "%s: bundle version %u, this mkbundle knows %u; make the bundle again", path,
				 header.version, BUNDLE_VERSION);
	if (header.total_bytes != bytes)
		return diag_fail(m, "%s: %zu bytes long, its header says %llu", path, bytes,
				 (unsigned long long)header.total_bytes);
	if (header.head_bytes > bytes || header.vm_count > BUNDLE_VM_MAX || header.vm_offset < sizeof(header) ||
	    header.load_offset < sizeof(header) ||
	    !table_fits(header.vm_offset, header.vm_count, sizeof(struct bundle_vm), header.head_bytes) ||
	    !table_fits(header.load_offset, header.load_count, sizeof(struct bundle_load), header.head_bytes))
		return diag_fail(m, "%s: tables lie outside the file", path);
	if (memchr(header.profile, 0, sizeof(header.profile)) == NULL)
		return diag_fail(m, "%s: the profile's name has no end", path);
	/* The checksum is taken with its own field zero. */
	crc = header.header_crc;
	header.header_crc = 0;
	if (crc32(crc32(0, &header, sizeof(header)), data + sizeof(header), header.head_bytes - sizeof(header)) != crc)
		return diag_fail(m, "%s: the header's checksum is wrong", path);
	return 0;
}

static bool load_in_vm(const struct bundle_vm *vm, const struct bundle_load *load)
{
	for (uint32_t i = 0; i < vm->mem_count; i++) {
		const struct bundle_mem *mem = &vm->mem[i];

		if (load->ipa >= mem->ipa && load->ipa - mem->ipa <= mem->bytes &&
		    load->mem_bytes <= mem->bytes - (load->ipa - mem->ipa))
			return true;
	}
	return false;
}

int bundle_check(struct mkbundle *m, const char *path, const uint8_t *data, size_t bytes)
{
	const struct bundle_header *header = (const void *)data;
	const struct bundle_load *loads;
	const struct bundle_vm *vms;

	if (check_header(m, path, data, bytes))
		return -1;
	vms = (const void *)(data + header->vm_offset);
	loads = (const void *)(data + header->load_offset);
	for (uint32_t i = 0; i < header->load_count; i++) {
		const struct bundle_load *load = &loads[i];

		if (load->offset > bytes || load->file_bytes > bytes - load->offset ||
		    load->mem_bytes < load->file_bytes || load->kind >= ARRAY_COUNT(load_kinds))
			return diag_fail(m, "%s: load %u lies outside the file", path, i);
		if (crc32(0, data + load->offset, load->file_bytes) != load->crc)
			return diag_fail(m, "%s: load %u: the checksum is wrong", path, i);
	}
	for (uint32_t i = 0; i < header->vm_count; i++) {
		const struct bundle_vm *vm = &vms[i];

		if (!memchr(vm->label, 0, sizeof(vm->label)) || vm->vcpu_count > BUNDLE_VCPU_MAX ||
		    vm->mem_count > BUNDLE_MEM_MAX || vm->load_first > header->load_count ||
		    vm->load_count > header->load_count - vm->load_first)
			return diag_fail(m, "%s: VM %u: a count is out of range", path, i);
		for (uint32_t l = 0; l < vm->load_count; l++)
			if (!load_in_vm(vm, &loads[vm->load_first + l]))
				return diag_fail(m, "%s: VM %u: load %u is not in its memory", path, i, l);
	}
	return 0;
}

static void list_vm(const struct bundle_vm *vm, const struct bundle_load *loads, FILE *out)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} flags[] = {
		{ BUNDLE_VM_AUTOSTART, "autostart" },   { BUNDLE_VM_UART, "uart" }, { BUNDLE_VM_RTC, "rtc" },
		{ BUNDLE_VM_STRAY_STOP, "stray-stop" }, { BUNDLE_VM_XEN, "xen" },   { BUNDLE_VM_RT, "rt" },
	};

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
	fprintf(out, "\n  weight %u, cap %u %%, rt %u of %u us, watchdog %u ms, on crash %s, on reboot %s\n",
		vm->weight, vm->cap_percent, vm->rt_budget_us, vm->rt_period_us, vm->watchdog_ms,
		vm->on_crash == BUNDLE_ON_RESTART ? "restart" : "stop",
		vm->on_reboot == BUNDLE_ON_RESTART ? "restart" : "stop");
	for (uint32_t i = 0; i < vm->mem_count; i++)
		fprintf(out, "  %-6s 0x%09llx + 0x%llx\n", vm->mem[i].flags & BUNDLE_MEM_ROM ? "rom" : "ram",
			(unsigned long long)vm->mem[i].ipa, (unsigned long long)vm->mem[i].bytes);
	for (uint32_t i = 0; i < vm->load_count; i++) {
		const struct bundle_load *load = &loads[vm->load_first + i];

		fprintf(out, "  %-6s 0x%09llx + 0x%llx from 0x%llx, 0x%llx bytes, crc 0x%08x\n", load_kinds[load->kind],
			(unsigned long long)load->ipa, (unsigned long long)load->mem_bytes,
			(unsigned long long)load->offset, (unsigned long long)load->file_bytes, load->crc);
	}
}

void bundle_list(const uint8_t *data, FILE *out)
{
	const struct bundle_header *header = (const void *)data;
	const struct bundle_vm *vms = (const void *)(data + header->vm_offset);
	const struct bundle_load *loads = (const void *)(data + header->load_offset);

	fprintf(out, "bundle version %u, profile \"%s\", %llu bytes, %u VMs, checksums right\n", header->version,
		header->profile, (unsigned long long)header->total_bytes, header->vm_count);
	for (uint32_t i = 0; i < header->vm_count; i++)
		list_vm(&vms[i], loads, out);
}
