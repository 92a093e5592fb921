/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bundle: checks what mkbundle wrote, and copies images into VMs.
 *
 * The bundle comes from the build machine by way of a loader, so it can be truncated, damaged or of another version: all of
 * its numbers are checked before one is used; image bytes are checked while they are copied. No locking: read-only.
 */
#include "camber/errno.h"
#include "camber/guestmem.h"
#include "camber/lib.h"
#include "camber/log.h"
#include "camber/vm.h"
#include "vm_priv.h"

/* count entries of `size` bytes at `offset` lie inside the first `limit` bytes. */
static bool table_fits(uint32_t offset, uint32_t count, size_t size, uint32_t limit)
{
	return offset <= limit && offset % 8 == 0 && count <= (limit - offset) / size;
}

static const char *check_vm(const struct bundle_header *h, const struct bundle_vm *vm, uint32_t index)
{
	const struct bundle_vm *others = (const void *)((const char *)h + h->vm_offset);
	uint32_t i;

	if (memchr(vm->label, 0, sizeof(vm->label)) == NULL || !vm->label[0])
		return "a label isn't terminated or is empty";
	if (!vm->id || vm->id > BUNDLE_VM_MAX)
		return "a VM id is out of range";
	for (i = 0; i < index; i++)
		if (others[i].id == vm->id)
			return "a VM id is used twice";
	if (!vm->vcpu_count || vm->vcpu_count > BUNDLE_VCPU_MAX)
		return "a VM's number of vCPUs is out of range";
	if (!vm->mem_count || vm->mem_count > BUNDLE_MEM_MAX)
		return "a VM's number of memory ranges is out of range";
	for (i = 0; i < vm->mem_count; i++)
		if (!vm->mem[i].bytes || (vm->mem[i].bytes | vm->mem[i].ipa | vm->mem[i].hpa) % PAGE_SIZE ||
		    vm->mem[i].ipa + vm->mem[i].bytes < vm->mem[i].ipa)
			return "a memory range is empty, unaligned or wraps";
	if (vm->load_first > h->load_count || vm->load_count > h->load_count - vm->load_first)
		return "a VM's loads lie outside the load table";
	if (vm->device_first > h->device_count || vm->device_count > h->device_count - vm->device_first)
		return "a VM's devices lie outside the device table";
	if (vm->spi_count % 32 || vm->spi_count > CONFIG_SPI_MAX)
		return "a VM's number of SPIs is out of range (CONFIG_SPI_MAX)";
	if ((vm->flags & BUNDLE_VM_RT || vm->rt_period_us) &&
	    (vm->rt_period_us < BUNDLE_RT_PERIOD_MIN_US || vm->rt_period_us > BUNDLE_RT_PERIOD_MAX_US ||
	     vm->rt_budget_us < BUNDLE_RT_BUDGET_MIN_US || vm->rt_budget_us > vm->rt_period_us))
		return "a VM's real-time budget or period is out of range";
	if (vm->on_crash > BUNDLE_ON_RESTART || vm->on_reboot > BUNDLE_ON_RESTART)
		return "a VM's on-crash or on-reboot is unknown";
	return NULL;
}

static const char *check_device(const struct bundle_device *d)
{
	uint32_t i;

	if (!memchr(d->path, 0, sizeof(d->path)) || d->path[0] != '/')
		return "a device's path isn't terminated or doesn't begin with /";
	if (d->reg_count > BUNDLE_DEVICE_REGS || d->irq_count > BUNDLE_DEVICE_IRQS)
		return "a device's number of registers or interrupts is out of range";
	for (i = 0; i < d->reg_count; i++)
		if (!d->reg[i].bytes || (d->reg[i].bytes | d->reg[i].ipa) % PAGE_SIZE ||
		    d->reg[i].ipa + d->reg[i].bytes < d->reg[i].ipa)
			return "a device's register range is empty, unaligned or wraps";
	return NULL;
}

static const char *check_tables(const struct bundle_header *h)
{
	const struct bundle_vm *vms = (const void *)((const char *)h + h->vm_offset);
	const struct bundle_load *loads = (const void *)((const char *)h + h->load_offset);
	const char *error;
	uint32_t i;

	for (i = 0; i < h->load_count; i++)
		if (loads[i].offset > h->total_bytes || loads[i].file_bytes > h->total_bytes - loads[i].offset ||
		    loads[i].mem_bytes < loads[i].file_bytes || loads[i].ipa + loads[i].mem_bytes < loads[i].ipa)
			return "an image lies outside the file";
	for (i = 0; i < h->device_count; i++) {
		error = check_device(bundle_devices(h) + i);
		if (error)
			return error;
	}
	for (i = 0; i < h->vm_count; i++) {
		error = check_vm(h, &vms[i], i);
		if (error)
			return error;
	}
	return NULL;
}

static const char *check(const struct bundle_header *h, uint64_t bytes)
{
	struct bundle_header copy;
	uint32_t crc;

	if (bytes < sizeof(*h) || h->magic != BUNDLE_MAGIC)
		return "no bundle found";
	if (h->version != BUNDLE_VERSION)
		return "bundle of another version: rebuild it with this tree's mkbundle";
	if (h->total_bytes > bytes)
		return "bundle is truncated";
	if (h->head_bytes < sizeof(*h) || h->head_bytes > h->total_bytes)
		return "bundle is damaged (header length)";
	copy = *h;
	copy.header_crc = 0;
	crc = crc32(0, &copy, sizeof(copy));
	crc = crc32(crc, (const char *)h + sizeof(*h), h->head_bytes - sizeof(*h));
	if (crc != h->header_crc)
		return "bundle is damaged (checksum of the header)";
	if (!h->vm_count || h->vm_count > BUNDLE_VM_MAX ||
	    !table_fits(h->vm_offset, h->vm_count, sizeof(struct bundle_vm), h->head_bytes) ||
	    !table_fits(h->load_offset, h->load_count, sizeof(struct bundle_load), h->head_bytes) ||
	    h->device_count > BUNDLE_DEVICE_MAX ||
	    !table_fits(h->device_offset, h->device_count, sizeof(struct bundle_device), h->head_bytes))
		return "bundle is damaged (tables)";
	return check_tables(h);
}

int bundle_check(const void *data, uint64_t bytes)
{
	const char *error = check(data, bytes);

	if (!error)
		return 0;
	log_line("bundle: %s", error);
	return -EINVAL;
}

int bundle_load_step(struct vm *vm, const struct bundle_header *bundle, uint64_t budget)
{
	const struct bundle_load *l = (const void *)((const char *)bundle + bundle->load_offset);
	const char *from;
	uint64_t n;

	if (vm->load_index >= vm->cfg->load_first + vm->cfg->load_count)
		return 0;
	l += vm->load_index;
	if (vm->load_pos < l->file_bytes) {
		n = MIN(budget, l->file_bytes - vm->load_pos);
		from = (const char *)bundle + l->offset + vm->load_pos;
	} else {
		n = MIN(budget, l->mem_bytes - vm->load_pos);
		from = NULL;
	}
	if (guestmem_load(&vm->map, gpa(l->ipa + vm->load_pos), from, n, &vm->load_crc)) {
		log_line("vm %s: image at 0x%llx doesn't lie in the VM's memory", vm->label,
			 (unsigned long long)l->ipa);
		return -EFAULT;
	}
	vm->load_pos += n;
	vm->load_bytes += n;
	if (vm->load_pos == l->file_bytes && vm->load_crc != l->crc) {
		log_line("vm %s: image for 0x%llx is damaged (checksum 0x%08x, expected 0x%08x)", vm->label,
			 (unsigned long long)l->ipa, vm->load_crc, l->crc);
		return -EIO;
	}
	if (vm->load_pos == l->mem_bytes) {
		vm->load_index++;
		vm->load_pos = 0;
		vm->load_crc = 0;
	}
	return 1;
}
