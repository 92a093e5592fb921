/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks a finished bundle as the hypervisor will.
 *
 * The file is hostile until bundle_check() has passed; bundle_list() (list.c) relies on that.
 */
#include "mkbundle.h"

#include <string.h>

static bool table_fits(uint64_t offset, uint64_t count, size_t item, uint64_t bytes)
{
	return !(offset % 8) && offset <= bytes && count <= (bytes - offset) / item;
}

static int check_header(struct mkbundle *m, const char *path, const uint8_t *data, size_t bytes)
{
	struct bundle_header header;
	uint32_t crc;

	if (bytes < sizeof(header))
		return diag_fail(m, "%s: shorter than a bundle's header; make the bundle again", path);
	memcpy(&header, data, sizeof(header));
	if (header.magic != BUNDLE_MAGIC)
		return diag_fail(m, "%s: not a bundle (magic 0x%08x); name one that mkbundle made", path, header.magic);
	if (header.version != BUNDLE_VERSION)
		return diag_fail(m, "%s: bundle version %u, this mkbundle knows %u; make the bundle again", path,
				 header.version, BUNDLE_VERSION);
	if (header.total_bytes != bytes)
		return diag_fail(m, "%s: %zu bytes long, its header says %llu; make the bundle again", path, bytes,
				 (unsigned long long)header.total_bytes);
	if (header.head_bytes > bytes || header.vm_count > BUNDLE_VM_MAX || header.vm_offset < sizeof(header) ||
	    header.load_offset < sizeof(header) ||
	    !table_fits(header.vm_offset, header.vm_count, sizeof(struct bundle_vm), header.head_bytes) ||
	    !table_fits(header.load_offset, header.load_count, sizeof(struct bundle_load), header.head_bytes) ||
	    header.device_offset < sizeof(header) ||
	    !table_fits(header.device_offset, header.device_count, sizeof(struct bundle_device), header.head_bytes))
		return diag_fail(m, "%s: tables lie outside the file; make the bundle again", path);
	if (memchr(header.profile, 0, sizeof(header.profile)) == NULL)
		return diag_fail(m, "%s: the profile's name has no end; make the bundle again", path);
	/* The checksum is taken with its own field zero. */
	crc = header.header_crc;
	header.header_crc = 0;
	if (crc32(crc32(0, &header, sizeof(header)), data + sizeof(header), header.head_bytes - sizeof(header)) != crc)
		return diag_fail(m, "%s: the header's checksum is wrong; make the bundle again", path);
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

static bool sched_is_right(const struct bundle_vm *vm)
{
	if (vm->weight > BUNDLE_WEIGHT_MAX || vm->cap_percent > 100 * vm->vcpu_count)
		return false;
	if (!(vm->flags & BUNDLE_VM_RT))
		return vm->weight && !vm->rt_budget_us && !vm->rt_period_us;
	return vm->rt_budget_us >= BUNDLE_RT_BUDGET_MIN_US && vm->rt_budget_us <= vm->rt_period_us &&
	       vm->rt_period_us >= BUNDLE_RT_PERIOD_MIN_US && vm->rt_period_us <= BUNDLE_RT_PERIOD_MAX_US;
}

int bundle_check(struct mkbundle *m, const char *path, const uint8_t *data, size_t bytes)
{
	const struct bundle_header *header = (const void *)data;
	const struct bundle_load *loads;
	const struct bundle_device *devices;
	const struct bundle_vm *vms;

	if (check_header(m, path, data, bytes))
		return -1;
	vms = (const void *)(data + header->vm_offset);
	loads = (const void *)(data + header->load_offset);
	for (uint32_t i = 0; i < header->load_count; i++) {
		const struct bundle_load *load = &loads[i];

		if (load->offset > bytes || load->file_bytes > bytes - load->offset ||
		    load->mem_bytes < load->file_bytes || load->kind > BUNDLE_LOAD_RAW)
			return diag_fail(m, "%s: load %u lies outside the file; make the bundle again", path, i);
		if (crc32(0, data + load->offset, load->file_bytes) != load->crc)
			return diag_fail(m, "%s: load %u: the checksum is wrong; make the bundle again", path, i);
	}
	devices = (const void *)(data + header->device_offset);
	for (uint32_t i = 0; i < header->device_count; i++)
		if (!memchr(devices[i].path, 0, sizeof(devices[i].path)) || devices[i].reg_count > BUNDLE_DEVICE_REGS ||
		    devices[i].irq_count > BUNDLE_DEVICE_IRQS)
			return diag_fail(m, "%s: device %u: a count is out of range; make the bundle again", path, i);
	for (uint32_t i = 0; i < header->vm_count; i++) {
		const struct bundle_vm *vm = &vms[i];

		if (!memchr(vm->label, 0, sizeof(vm->label)) || vm->vcpu_count > BUNDLE_VCPU_MAX ||
		    vm->mem_count > BUNDLE_MEM_MAX || vm->load_first > header->load_count ||
		    vm->load_count > header->load_count - vm->load_first || vm->device_first > header->device_count ||
		    vm->device_count > header->device_count - vm->device_first)
			return diag_fail(m, "%s: VM %u: a count is out of range; make the bundle again", path, i);
		if (!sched_is_right(vm))
			return diag_fail(m, "%s: VM %u: its scheduling is out of range; make the bundle again", path,
					 i);
		for (uint32_t l = 0; l < vm->load_count; l++)
			if (!load_in_vm(vm, &loads[vm->load_first + l]))
				return diag_fail(m, "%s: VM %u: load %u is not in its memory; make the bundle again",
						 path, i, l);
	}
	return 0;
}
