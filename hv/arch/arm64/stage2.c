/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage 2 of arm64 (Arm ARM D8.3, VMSAv8-64, 4 KiB granule): entry format, TLB maintenance, VTCR_EL2. The walk is
 * hv/mem/gmap.c. Pure functions but for the maintenance, which any CPU may do.
 */
#include "camber/arch/stage2.h"

#include "arm64.h"
#include "sysregs.h"

#define PTE_VALID BIT64(0)
#define PTE_TABLE BIT64(1) /* page at level 3 */
#define PTE_MEMATTR_NORMAL (UINT64_C(0xf) << 2)
#define PTE_MEMATTR_DEVICE (UINT64_C(0x1) << 2) /* nGnRE */
#define PTE_S2AP_R BIT64(6)
#define PTE_S2AP_W BIT64(7)
#define PTE_SH_INNER (UINT64_C(3) << 8)
#define PTE_AF BIT64(10)
#define PTE_XN BIT64(54)
#define PTE_ADDR UINT64_C(0x0000fffffffff000)

#define VTCR_RES1 BIT64(31)
#define VTCR_IRGN0_WBWA (UINT64_C(1) << 8)
#define VTCR_ORGN0_WBWA (UINT64_C(1) << 10)
#define VTCR_SH0_INNER (UINT64_C(3) << 12)

static const uint8_t pa_bits[] = { 32, 36, 40, 42, 44, 48, 52 };

static unsigned int pa_range(void)
{
	unsigned int range = read_sysreg(id_aa64mmfr0_el1) & 15;

	return MIN(range, 6u);
}

/*
 * What stage 2 offers: no more than 44 bits, which every guest fits in, and no more than the CPU has. Below 43 bits the
 * root is a level 1 with up to 16 concatenated tables; from there on a level 0 (Arm ARM table D8-14, and the rule that
 * SL0 = 2 needs more than 43 bits of PA).
 */
unsigned int arch_stage2_ipa_bits(void)
{
	return MIN((unsigned int)pa_bits[pa_range()], 44u);
}

void stage2_init_cpu(void)
{
	unsigned int ipa = arch_stage2_ipa_bits();
	uint64_t sl0 = ipa >= 44 ? 2 : 1;
	uint64_t ps = MIN(pa_range(), 5u);

	write_sysreg(vtcr_el2,
		     VTCR_RES1 | (64 - ipa) | sl0 << 6 | VTCR_IRGN0_WBWA | VTCR_ORGN0_WBWA | VTCR_SH0_INNER | ps << 16);
	isb();
}

uint64_t arch_stage2_leaf(hpa_t pa, unsigned int prot, unsigned int level)
{
	uint64_t pte = pa.addr | PTE_VALID | PTE_AF;

	if (level == 3)
		pte |= PTE_TABLE;
	if (prot & GMAP_R)
		pte |= PTE_S2AP_R;
	if (prot & GMAP_W)
		pte |= PTE_S2AP_W;
	if (!(prot & GMAP_X))
		pte |= PTE_XN;
	if (prot & GMAP_DEVICE)
		return pte | PTE_MEMATTR_DEVICE;
	return pte | PTE_MEMATTR_NORMAL | PTE_SH_INNER;
}

uint64_t arch_stage2_table(hpa_t table)
{
	return table.addr | PTE_VALID | PTE_TABLE;
}

bool arch_stage2_valid(uint64_t pte)
{
	return pte & PTE_VALID;
}

bool arch_stage2_is_leaf(uint64_t pte, unsigned int level)
{
	return (pte & PTE_VALID) && (level == 3 || !(pte & PTE_TABLE));
}

hpa_t arch_stage2_addr(uint64_t pte)
{
	return hpa(pte & PTE_ADDR);
}

unsigned int arch_stage2_prot(uint64_t pte)
{
	unsigned int prot = 0;

	if (pte & PTE_S2AP_R)
		prot |= GMAP_R;
	if (pte & PTE_S2AP_W)
		prot |= GMAP_W;
	if (!(pte & PTE_XN))
		prot |= GMAP_X;
	if ((pte & (UINT64_C(0xf) << 2)) != PTE_MEMATTR_NORMAL)
		prot |= GMAP_DEVICE;
	return prot;
}

void arch_stage2_set(uint64_t *slot, uint64_t pte)
{
	WRITE_ONCE(*slot, pte);
	dsb(ishst);
}

/* TLBI by IPA takes the current VMID: the VM's is put into VTTBR_EL2 for the moment (Arm ARM D8.14.5). */
static uint64_t enter_vmid(unsigned int vmid)
{
	uint64_t old = read_sysreg(vttbr_el2);

	write_sysreg(vttbr_el2, (old & UINT64_C(0xffffffffffff)) | (uint64_t)vmid << 48);
	isb();
	return old;
}

static void leave_vmid(uint64_t old)
{
	write_sysreg(vttbr_el2, old);
	isb();
}

void arch_stage2_flush_addr(unsigned int vmid, gpa_t gpa)
{
	uint64_t old = enter_vmid(vmid);

	__asm__ volatile("tlbi ipas2e1is, %0" ::"r"(gpa.addr >> PAGE_SHIFT) : "memory");
	dsb(ish);
	/* Combined stage 1 and 2 entries aren't found by IPA. */
	__asm__ volatile("tlbi vmalle1is" ::: "memory");
	dsb(ish);
	isb();
	leave_vmid(old);
}

void arch_stage2_flush_all(unsigned int vmid)
{
	uint64_t old = enter_vmid(vmid);

	__asm__ volatile("tlbi vmalls12e1is" ::: "memory");
	dsb(ish);
	isb();
	leave_vmid(old);
}
