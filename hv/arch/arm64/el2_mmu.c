/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EL2's own map (stage 1 of the EL2 regime, Arm ARM D8): one to one, built once at boot.
 *
 * RAM is mapped writable and not executable, in blocks; the hypervisor's image page by page, so that nothing is writable and
 * executable and the pages below stacks are not mapped; devices that EL2 uses page by page. Boot CPU only.
 */
#include "arm64.h"
#include "camber/arch/cache.h"
#include "camber/panic.h"
#include "platform.h"
#include "sysregs.h"

#define D_VALID BIT64(0)
#define D_TABLE BIT64(1)
#define D_DEVICE (UINT64_C(1) << 2) /* MAIR attribute 1 */
#define D_RO BIT64(7)
#define D_RES1 BIT64(6) /* AP[1] in a one-level regime */
#define D_SH_INNER (UINT64_C(3) << 8)
#define D_AF BIT64(10)
#define D_XN BIT64(54)
#define D_ADDR UINT64_C(0x0000fffffffff000)

#define MAIR 0x04ffu
#define TCR_T0SZ 25u
#define TCR_BASE (UINT64_C(0x80800000) | 3u << 12 | 1u << 10 | 1u << 8 | TCR_T0SZ)

#define RAM_ATTR (D_VALID | D_RES1 | D_SH_INNER | D_AF | D_XN)
#define TEXT_ATTR (D_VALID | D_RES1 | D_SH_INNER | D_AF | D_RO)
#define RODATA_ATTR (TEXT_ATTR | D_XN)
#define DEVICE_ATTR (D_VALID | D_RES1 | D_DEVICE | D_AF | D_XN)

extern char image_text[], image_rodata[], image_data[], image_end[];

/* For secondary CPUs, which start before any data of theirs can be read by cached accesses. */
uint64_t el2_ttbr;

static uint64_t *next_table(uint64_t *table, unsigned int index)
{
	uint64_t *next;

	if (table[index] & D_VALID) {
		if (!(table[index] & D_TABLE))
			panic("el2 map: block in the way at index %u", index);
		return hpa_to_ptr(hpa(table[index] & D_ADDR));
	}
	next = mem_alloc_table(1);
	table[index] = ptr_to_hpa(next).addr | D_VALID | D_TABLE;
	return next;
}

/* Maps [base, end) page-aligned; blocks where `blocks` allows. Later calls may not touch what earlier ones mapped. */
static void map(uint64_t *root, uint64_t base, uint64_t end, uint64_t attr, bool blocks)
{
	while (base < end) {
		uint64_t *l2, *l3;

		if (base >> 39)
			panic("el2 map: 0x%llx is beyond 512 GiB", (unsigned long long)base);
		if (blocks && IS_ALIGNED(base, BIT64(30)) && end - base >= BIT64(30)) {
			root[base >> 30] = base | attr;
			base += BIT64(30);
			continue;
		}
		l2 = next_table(root, base >> 30);
		if (blocks && IS_ALIGNED(base, BLOCK_SIZE) && end - base >= BLOCK_SIZE) {
			l2[(base >> 21) & 511] = base | attr;
			base += BLOCK_SIZE;
			continue;
		}
		l3 = next_table(l2, (base >> 21) & 511);
		l3[(base >> 12) & 511] = base | attr | D_TABLE;
		base += PAGE_SIZE;
	}
}

static void map_ram(uint64_t *root, uint64_t image, uint64_t image_limit)
{
	unsigned int i;
	uint64_t bytes;
	hpa_t base;

	for (i = 0; mem_range(i, &base, &bytes); i++) {
		uint64_t end = base.addr + bytes;

		if (image >= base.addr && image < end) {
			/* The 2 MiB blocks that hold the image are mapped by its sections and by pages around them. */
			map(root, base.addr, ALIGN_DOWN(image, BLOCK_SIZE), RAM_ATTR, true);
			map(root, ALIGN_DOWN(image, BLOCK_SIZE), image, RAM_ATTR, false);
			map(root, image_limit, MIN(ALIGN_UP(image_limit, BLOCK_SIZE), end), RAM_ATTR, false);
			map(root, ALIGN_UP(image_limit, BLOCK_SIZE), end, RAM_ATTR, true);
		} else {
			map(root, base.addr, end, RAM_ATTR, true);
		}
	}
}

static void map_device(uint64_t *root, const struct range *r)
{
	if (r->bytes)
		map(root, ALIGN_DOWN(r->base, PAGE_SIZE), ALIGN_UP(r->base + r->bytes, PAGE_SIZE), DEVICE_ATTR, true);
}

static void unmap_page(uint64_t *root, uint64_t addr)
{
	uint64_t *l3 = next_table(next_table(root, addr >> 30), (addr >> 21) & 511);

	l3[(addr >> 12) & 511] = 0;
}

uint64_t el2_mmu_build(void)
{
	uint64_t *root = mem_alloc_table(1);
	uint64_t text = (uint64_t)image_text, rodata = (uint64_t)image_rodata, data = (uint64_t)image_data;
	uint64_t end = ALIGN_UP((uint64_t)image_end, PAGE_SIZE);
	unsigned int i;

	map_ram(root, text, end);
	map(root, text, rodata, TEXT_ATTR, false);
	map(root, rodata, data, RODATA_ATTR, false);
	map(root, data, end, RAM_ATTR, false);
	map_device(root, &platform.gicd);
	map_device(root, &platform.gicr);
	map_device(root, &platform.uart);
	map_device(root, &platform.trace_uart);
	map_device(root, &platform.rtc);
	for (i = 0; i < CONFIG_CPU_MAX; i++) {
		unmap_page(root, (uint64_t)arm64_stacks[i].guard);
		unmap_page(root, (uint64_t)arm64_stacks[i].emergency_guard);
	}
	el2_ttbr = ptr_to_hpa(root).addr;
	arch_cache_clean(&el2_ttbr, sizeof(el2_ttbr));
	return el2_ttbr;
}

void el2_mmu_config(uint64_t *tcr, uint64_t *mair, uint64_t *sctlr)
{
	uint64_t ps = MIN(read_sysreg(id_aa64mmfr0_el1) & 15, UINT64_C(5));

	*tcr = TCR_BASE | ps << 16;
	*mair = MAIR;
	*sctlr = SCTLR_EL2_RES1 | SCTLR_EL2_M | SCTLR_EL2_C | SCTLR_EL2_I | SCTLR_EL2_SA | SCTLR_EL2_WXN;
}
