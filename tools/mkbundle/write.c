/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the bundle of hv/include/abi/bundle.h: header, VM table, load table, device table, images.
 *
 * Everything has been checked by now. The bytes depend on the profile and the images only: no time, no path, no
 * uninitialised padding.
 */
#include "mkbundle.h"

#include <string.h>

static void fill_vm(struct bundle_vm *out, const struct vm *vm, uint32_t load_first, uint32_t device_first)
{
	memcpy(out->label, vm->label, strlen(vm->label));
	out->id = vm->id;
	out->flags = vm->flags;
	out->vcpu_count = vm->vcpu_count;
	for (uint32_t i = 0; i < vm->vcpu_count; i++)
		out->pcpu_mask[i] = vm_pcpu_mask(vm, i);
	out->mem_count = vm->mem_count;
	memcpy(out->mem, vm->mem, sizeof(out->mem[0]) * vm->mem_count);
	out->load_first = load_first;
	out->load_count = vm->load_count;
	out->entry_ipa = vm->entry_ipa;
	out->arg0 = GUEST_RAM_BASE;
	out->on_crash = vm->on_crash;
	out->on_reboot = vm->on_reboot;
	out->weight = vm->weight;
	out->cap_percent = vm->cap_percent;
	out->rt_budget_us = vm->rt_budget_us;
	out->rt_period_us = vm->rt_period_us;
	out->watchdog_ms = vm->watchdog_ms;
	out->watchdog_boot_ms = vm->watchdog_boot_ms;
	out->start_delay_ms = vm->start_delay_ms;
	out->restart_delay_ms = vm->restart_delay_ms;
	out->crash_limit = vm->crash_limit;
	out->spi_count = vm->spi_count;
	out->device_first = device_first;
	out->device_count = vm->device_count;
}

static void fill_device(struct bundle_device *out, const struct device *dev)
{
	memcpy(out->path, dev->path, strlen(dev->path));
	out->reg_count = dev->reg_count;
	for (uint32_t i = 0; i < dev->reg_count; i++) {
		out->reg[i].ipa = dev->reg[i].base;
		out->reg[i].bytes = dev->reg[i].bytes;
	}
	out->irq_count = dev->irq_count;
	for (uint32_t i = 0; i < dev->irq_count; i++)
		out->irq[i] = 32 + dev->irqs[i];
}

/* Gives every image that a load uses its place in the file, equal ones the same; returns the end of the file. */
static uint64_t layout_blobs(struct mkbundle *m, uint64_t end)
{
	struct blob **placed = pool_alloc(m, sizeof(struct blob *) * BUNDLE_VM_MAX * VM_LOAD_MAX);
	uint32_t count = 0;

	for (uint32_t v = 0; v < m->vm_count; v++) {
		for (uint32_t l = 0; l < m->vms[v].load_count; l++) {
			struct blob *blob = m->vms[v].loads[l].blob;
			uint32_t i = 0;

			if (!blob)
				continue;
			while (i < count &&
			       (placed[i]->bytes != blob->bytes || memcmp(placed[i]->data, blob->data, blob->bytes)))
				i++;
			if (i < count) {
				blob->offset = placed[i]->offset;
				continue;
			}
			placed[count++] = blob;
			blob->offset = end;
			end = align_up(end + blob->bytes, BUNDLE_ALIGN);
		}
	}
	return end;
}

static void fill_load(struct bundle_load *out, uint8_t *data, const struct load *load)
{
	out->mem_bytes = load->mem_bytes;
	out->ipa = load->ipa;
	out->kind = load->kind;
	if (!load->blob)
		return;
	memcpy(data + load->blob->offset, load->blob->data, load->blob->bytes);
	out->offset = load->blob->offset + load->offset;
	out->file_bytes = load->file_bytes;
	out->crc = crc32(0, load->blob->data + load->offset, load->file_bytes);
}

int bundle_make(struct mkbundle *m, uint8_t **data, size_t *bytes)
{
	struct bundle_header *header;
	struct bundle_device *devices;
	struct bundle_load *loads;
	struct bundle_vm *vms;
	uint32_t device_count = 0;
	uint32_t load_count = 0;
	uint64_t head_bytes;
	uint64_t total;

	for (uint32_t i = 0; i < m->vm_count; i++) {
		if (place_vm(m, &m->vms[i]))
			return -1;
		load_count += m->vms[i].load_count;
		device_count += m->vms[i].device_count;
	}
	head_bytes = sizeof(*header) + m->vm_count * sizeof(*vms) + load_count * sizeof(*loads) +
		     device_count * sizeof(*devices);
	total = layout_blobs(m, align_up(head_bytes, BUNDLE_ALIGN));
	if (board_check_memory(m, total))
		return -1;

	*bytes = total;
	*data = pool_alloc(m, total);
	header = (struct bundle_header *)(void *)*data;
	vms = (struct bundle_vm *)(void *)(header + 1);
	loads = (struct bundle_load *)(void *)(vms + m->vm_count);
	devices = (struct bundle_device *)(void *)(loads + load_count);
	header->magic = BUNDLE_MAGIC;
	header->version = BUNDLE_VERSION;
	header->total_bytes = total;
	header->head_bytes = (uint32_t)head_bytes;
	header->vm_count = m->vm_count;
	header->vm_offset = sizeof(*header);
	header->load_count = load_count;
	header->load_offset = (uint32_t)(sizeof(*header) + m->vm_count * sizeof(*vms));
	header->device_count = device_count;
	header->device_offset = (uint32_t)((uint8_t *)devices - *data);
	memcpy(header->profile, m->profile, sizeof(header->profile));
	load_count = device_count = 0;
	for (uint32_t i = 0; i < m->vm_count; i++) {
		fill_vm(&vms[i], &m->vms[i], load_count, device_count);
		for (uint32_t d = 0; d < m->vms[i].device_count; d++)
			fill_device(&devices[device_count++], &m->vms[i].devices[d]);
		for (uint32_t l = 0; l < m->vms[i].load_count; l++)
			fill_load(&loads[load_count++], *data, &m->vms[i].loads[l]);
	}
	header->header_crc = crc32(0, *data, head_bytes);
	return 0;
}
