/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage 1 (see mmu.h). 4 KiB granule, 48 bits: the first table's entry 0 leads to the identity map, entry 1 to windows of
 * 1 GiB each, made when they are first asked for. Entries only ever become valid, so none needs TLB maintenance.
 */
#include "mmu.h"

#include "abi/platform.h"

#define ENTRIES 512u
#define GIB (1ull << 30)
#define WINDOWS (1ull << 39) /* entry 1 of the first table */

#define DESC_AF (1ull << 10)
#define DESC_PXN (1ull << 53)

#define SCTLR_M (1ull << 0)
#define SCTLR_USER (1ull << 14 | 1ull << 15 | 1ull << 16 | 1ull << 18 | 1ull << 26) /* DZE UCT nTWI nTWE UCI */

#define MAIR_VALUE 0x4400ull /* 0: Device-nGnRnE, 1: Normal, not cacheable */

typedef uint64_t table_t[ENTRIES] __attribute__((aligned(4096)));

static table_t root, identity, windows, spare[MMU_SPARE];
static unsigned int window_count;
static bool built;

/* For AArch32 at EL0, in the identity map's free entries. */
#define A32_RAM (2 * GIB)
#define A32_DEVICES (3 * GIB)

#define SPSR_EL0T 0x3c0ul

void el0_enter(uint64_t pc, uint64_t a0, uint64_t a1, uint64_t lr, uint64_t spsr);
void el0_svc(void);

static void build(void)
{
	if (built)
		return;
	root[0] = (uintptr_t)identity | MMU_TABLE;
	root[1] = (uintptr_t)windows | MMU_TABLE;
	identity[0] = DESC_AF | MMU_BLOCK; /* the devices */
	identity[1] = GUEST_RAM_BASE | MMU_NORMAL | MMU_BLOCK;
	identity[A32_RAM / GIB] = GUEST_RAM_BASE | MMU_NORMAL | MMU_USER | DESC_PXN | MMU_BLOCK;
	identity[A32_DEVICES / GIB] = MMU_NORMAL | MMU_USER | DESC_PXN | MMU_BLOCK;
	dsb();
	built = true;
}

void mmu_on(void)
{
	/* T0SZ = T1SZ = 16, TG0 = TG1 = 4 KiB, IPS = what the CPU has (at most 48 bits), walks not cacheable. */
	uint64_t range = sysreg_read(id_aa64mmfr0_el1) & 0xf;
	uint64_t tcr = 16 | 16ull << 16 | 2ull << 30 | (range > 5 ? 5 : range) << 32;

	build();
	sysreg_write(mair_el1, MAIR_VALUE);
	sysreg_write(tcr_el1, tcr);
	sysreg_write(ttbr0_el1, (uintptr_t)root);
	isb();
	__asm__ volatile("tlbi vmalle1; dsb sy; isb" ::: "memory");
	sysreg_write(sctlr_el1, sysreg_read(sctlr_el1) | SCTLR_M | SCTLR_USER);
	isb();
}

void mmu_off(void)
{
	sysreg_write(sctlr_el1, sysreg_read(sctlr_el1) & ~(SCTLR_M | SCTLR_USER));
	isb();
	sysreg_write(ttbr1_el1, 0);
	__asm__ volatile("tlbi vmalle1; dsb sy; isb" ::: "memory");
}

void mmu_set_high(uint64_t table)
{
	sysreg_write(ttbr1_el1, table);
	isb();
	__asm__ volatile("tlbi vmalle1; dsb sy; isb" ::: "memory");
}

uint64_t *mmu_spare(unsigned int n)
{
	memset(spare[n], 0, sizeof(spare[n]));
	dsb();
	return spare[n];
}

uint64_t *mmu_spare_at(unsigned int n)
{
	return spare[n];
}

static uint64_t window(uint64_t ipa, uint64_t attributes)
{
	uint64_t want = (ipa & ~(GIB - 1)) | attributes | MMU_BLOCK;
	unsigned int i;

	for (i = 0; i < window_count && windows[i] != want; i++)
		;
	if (i == window_count) {
		if (i == ENTRIES)
			i = 0; /* more GiB than any list of places has */
		windows[i] = want;
		window_count += i == window_count;
		dsb();
		isb();
	}
	return WINDOWS + i * GIB + (ipa & (GIB - 1));
}

uint64_t mmu_address(enum mmu_mode mode, uint64_t ipa)
{
	build();
	switch (mode) {
	case MMU_EL1:
		return window(ipa, MMU_NORMAL);
	case MMU_EL0:
		return window(ipa, MMU_NORMAL | MMU_USER | DESC_PXN);
	default:
		return ipa;
	}
}

uint64_t el0_address(const void *fn)
{
	return mmu_address(MMU_EL0, (uintptr_t)fn);
}

uint64_t mmu_a32_device(uint64_t ipa)
{
	return A32_DEVICES + (ipa & (GIB - 1));
}

static void enter(uint64_t pc, uint64_t a0, uint64_t a1, uint64_t lr, uint64_t spsr, struct el0_exit *out)
{
	struct cpu *c = cpu_self();

	if (!trap_mark(&c->el0_mark)) {
		c->el0 = true;
		isb();
		el0_enter(pc, a0, a1, lr, spsr);
	}
	c->el0 = false;
	out->esr = c->trap_esr;
	out->far = c->trap_far;
	out->elr = c->trap_elr;
	out->x0 = c->el0_x0;
}

void el0_run(const void *fn, uint64_t a0, uint64_t a1, struct el0_exit *out)
{
	enter(el0_address(fn), a0, a1, el0_address((const void *)el0_svc), SPSR_EL0T, out);
}

void el0_run_a32(uint64_t code, uint64_t spsr, uint32_t r0, struct el0_exit *out)
{
	enter(A32_RAM + (code & (GIB - 1)), r0, 0, 0, spsr, out);
}
