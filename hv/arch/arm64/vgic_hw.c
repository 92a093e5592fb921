/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual GIC: SPIs of the board that belong to a VM.
 *
 * The physical interrupt is acknowledged by EL2, which drops its priority and makes the virtual one pending; the guest's end
 * of interrupt deactivates both, by the list register's HW bit (IHI 0069 11.2.4). It is enabled at the distributor while the VM
 * runs, whatever the guest has enabled: it comes at most once then, and stays active.
 * The table is written at boot and read without a lock afterwards.
 */
#include "arm64.h"
#include "camber/errno.h"
#include "gic.h"
#include "vgic.h"

static struct {
	struct arm64_vm *vm;
	uint16_t intid, hw;
} irqs[BUNDLE_DEVICE_MAX * BUNDLE_DEVICE_IRQS];
static unsigned int count;

__cold int vgic_hw_assign(struct arm64_vm *vm, uint32_t intid, uint32_t hw, bool edge)
{
	uint32_t spi = intid - VGIC_PRIVATE;
	unsigned int i;

	if (intid < VGIC_PRIVATE || spi >= vm->vgic.spi_count || count == ARRAY_SIZE(irqs))
		return -EINVAL;
	for (i = 0; i < count; i++)
		if (irqs[i].hw == hw || (irqs[i].vm == vm && irqs[i].intid == intid))
			return -EBUSY;
	vm->vgic.spi_hw[spi] = (uint16_t)hw;
	if (edge)
		vm->vgic.spi_edge[spi / 8] |= (uint8_t)(1u << (spi % 8));
	gic->configure(hw, edge);
	irqs[count].vm = vm;
	irqs[count].hw = (uint16_t)hw;
	irqs[count++].intid = (uint16_t)intid;
	return 0;
}

__cold void vgic_hw_enable(struct arm64_vm *vm, bool on)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (irqs[i].vm == vm)
			(on ? gic->enable : gic->disable)(irqs[i].hw);
}

bool vgic_hw_fired(uint32_t hw)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (irqs[i].hw == hw) {
			vgic_pend_spi(irqs[i].vm, irqs[i].intid);
			return true;
		}
	}
	return false;
}
