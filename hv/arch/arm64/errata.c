/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errata table: what a CPU needs, by MIDR_EL1 implementer and part (Arm ARM D19.2.100); applied to each CPU at bring-up.
 *
 * Entries cite where the number comes from. A CPU that isn't listed and is older than Armv8.5's CSV2_3/ECBHB gets the
 * longest loop, with a line of log: safe first, then fast.
 */
#include "arm64.h"
#include "camber/log.h"
#include "sysregs.h"

extern char vectors_plain[], vectors_bhb[];

#define MIDR_PART(implementer, part) ((uint32_t)(implementer) << 24 | (uint32_t)(part) << 4)

struct erratum {
	uint32_t midr;
	uint8_t bhb_loops;
	char name[12]; /* here, not by address: nothing to relocate */
};

/* Loop lengths: Arm, "Spectre-BHB: Speculative Target Reuse Attacks", table of affected cores. */
static const struct erratum errata[] = {
	{ MIDR_PART(0x41, 0xd03), 0, "Cortex-A53" }, /* in order: not affected */
	{ MIDR_PART(0x41, 0xd04), 0, "Cortex-A35" },  { MIDR_PART(0x41, 0xd05), 0, "Cortex-A55" },
	{ MIDR_PART(0x41, 0xd07), 8, "Cortex-A57" },  { MIDR_PART(0x41, 0xd08), 8, "Cortex-A72" },
	{ MIDR_PART(0x41, 0xd0b), 24, "Cortex-A76" }, { MIDR_PART(0x41, 0xd0c), 24, "Neoverse-N1" },
	{ MIDR_PART(0x41, 0xd0d), 24, "Cortex-A77" }, { MIDR_PART(0x41, 0xd40), 32, "Neoverse-V1" },
	{ MIDR_PART(0x41, 0xd41), 32, "Cortex-A78" }, { MIDR_PART(0x41, 0xd49), 32, "Neoverse-N2" },
	{ MIDR_PART(0x00, 0x051), 0, "QEMU max" }, /* emulated: no speculation */
};

#define MMFR1_ECBHB_SHIFT 60
#define PFR0_CSV2_SHIFT 56

static const struct erratum *find(uint32_t midr)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(errata); i++)
		if (errata[i].midr == (midr & MIDR_PART_MASK))
			return &errata[i];
	return NULL;
}

static unsigned int bhb_loops(void)
{
	uint32_t midr = (uint32_t)read_sysreg(midr_el1);
	const struct erratum *e = find(midr);

	/* ECBHB: branch history of lower exception levels can't be used at EL2. */
	if (read_sysreg(id_aa64mmfr1_el1) >> MMFR1_ECBHB_SHIFT)
		return 0;
	if (e)
		return e->bhb_loops;
	return ((read_sysreg(id_aa64pfr0_el1) >> PFR0_CSV2_SHIFT) & 15) >= 3 ? 0 : 32;
}

void errata_init(struct arm64_pcpu *p)
{
	uint32_t midr = (uint32_t)read_sysreg(midr_el1);
	const struct erratum *e = find(midr);

	p->bhb_loops = (uint8_t)bhb_loops();
	p->vectors = (uint64_t)(uintptr_t)(p->bhb_loops ? vectors_bhb : vectors_plain);
	log_line("cpu %u: %s r%up%u (MIDR 0x%08x), branch-history loop %u", p->p.id, e ? e->name : "unlisted CPU",
		 (midr >> 20) & 15, midr & 15, midr, p->bhb_loops);
}
