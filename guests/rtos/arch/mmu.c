/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The final EL1 map, built with the MMU already on over start.S's coarse one.
 *
 * Never maps RAM beyond LAYOUT_RAM_LIMIT or beyond what the device tree names, and nothing below the devices, so a
 * null pointer faults. Built once at boot with interrupts masked; afterwards pages of the image may be taken out
 * (guards of stacks).
 */
#include "arch/mmu.h"

#include "arch/fault.h"
#include "arch/layout.h"

#include <stddef.h>

/* Descriptor bits, DDI 0487 D8.3; attribute indices as in start.S (MAIR_VALUE). */
#define PTE_BLOCK UINT64_C(1)
#define PTE_TABLE UINT64_C(3)
#define PTE_PAGE UINT64_C(3)
#define PTE_DEVICE (UINT64_C(0) << 2)
#define PTE_NORMAL (UINT64_C(1) << 2)
#define PTE_READ_ONLY (UINT64_C(1) << 7)
#define PTE_INNER_SHAREABLE (UINT64_C(3) << 8)
#define PTE_ACCESSED (UINT64_C(1) << 10)
#define PTE_NO_EXECUTE (UINT64_C(3) << 53) /* PXN, UXN */

#define MAP_DEVICE (PTE_DEVICE | PTE_ACCESSED | PTE_NO_EXECUTE)
#define MAP_TEXT (PTE_NORMAL | PTE_INNER_SHAREABLE | PTE_ACCESSED | PTE_READ_ONLY)
#define MAP_RODATA (MAP_TEXT | PTE_NO_EXECUTE)
#define MAP_DATA (PTE_NORMAL | PTE_INNER_SHAREABLE | PTE_ACCESSED | PTE_NO_EXECUTE)

#define TABLE_ENTRIES 512u

static uint64_t level1[4] __attribute__((aligned(64))); /* 4 GiB: TCR_EL1.T0SZ = 32 */
static uint64_t level2_device[TABLE_ENTRIES] __attribute__((aligned(LAYOUT_PAGE_BYTES)));
static uint64_t level2_ram[TABLE_ENTRIES] __attribute__((aligned(LAYOUT_PAGE_BYTES)));
static uint64_t level3_image[TABLE_ENTRIES] __attribute__((aligned(LAYOUT_PAGE_BYTES)));

/* rtos.ld */
extern char text_start[], rodata_start[], data_start[], stack_guard[], irq_stack_guard[], fault_stack_guard[];

static uint64_t image_page_attributes(uint64_t addr)
{
	if (addr == (uint64_t)stack_guard || addr == (uint64_t)irq_stack_guard || addr == (uint64_t)fault_stack_guard)
		return 0;
	if (addr < (uint64_t)rodata_start)
		return MAP_TEXT | PTE_PAGE;
	if (addr < (uint64_t)data_start)
		return MAP_RODATA | PTE_PAGE;
	return MAP_DATA | PTE_PAGE; /* and the start of the heap */
}

void mmu_init(uint64_t ram_end)
{
	uint64_t addr;

	for (addr = LAYOUT_DEVICE_BASE; addr < LAYOUT_RAM_BASE; addr += LAYOUT_BLOCK_BYTES)
		level2_device[addr / LAYOUT_BLOCK_BYTES] = addr | MAP_DEVICE | PTE_BLOCK;

	for (size_t i = 0; i < TABLE_ENTRIES; i++) {
		uint64_t attributes;

		addr = LAYOUT_IMAGE_BASE + i * LAYOUT_PAGE_BYTES;
		attributes = image_page_attributes(addr);
		level3_image[i] = attributes ? addr | attributes : 0;
	}

	level2_ram[0] = LAYOUT_RAM_BASE | MAP_RODATA | PTE_BLOCK; /* the device tree */
	level2_ram[1] = (uint64_t)level3_image | PTE_TABLE;
	for (size_t i = 2; i < TABLE_ENTRIES; i++) {
		addr = LAYOUT_RAM_BASE + i * LAYOUT_BLOCK_BYTES;
		if (addr + LAYOUT_BLOCK_BYTES > ram_end || addr >= LAYOUT_RAM_LIMIT)
			break;
		level2_ram[i] = addr | MAP_DATA | PTE_BLOCK;
	}

	level1[0] = (uint64_t)level2_device | PTE_TABLE;
	level1[1] = (uint64_t)level2_ram | PTE_TABLE;
	mmu_switch((uint64_t)level1, 1);
}

/* Valid to invalid needs no break-before-make (D8.14.1), only the invalidation. */
void mmu_unmap_page(uint64_t addr)
{
	volatile uint64_t *entry = &level3_image[(addr - LAYOUT_IMAGE_BASE) / LAYOUT_PAGE_BYTES];

	if (addr < (uint64_t)data_start || addr >= LAYOUT_IMAGE_BASE + LAYOUT_IMAGE_BYTES)
		fault_stop("stack outside the image");
	*entry = 0;
	__asm__ volatile("dsb ishst; tlbi vaae1, %0; dsb ish; isb" : : "r"(addr / LAYOUT_PAGE_BYTES) : "memory");
}
