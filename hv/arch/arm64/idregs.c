/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identification registers as guests see them: the CPU's own value through a mask, field by field, so that a feature which
 * isn't virtualised doesn't exist for the guest. Fields that aren't listed read as zero: new architecture features stay
 * hidden until somebody has thought about them. (Arm ARM D19.2, ID_AA64*_EL1.)
 */
#include "arm64.h"
#include "sysregs.h"

#define FIELD(shift) (UINT64_C(0xf) << (shift))

/* ID_AA64PFR0_EL1: EL0, EL1, FP, AdvSIMD, GIC, DIT, CSV2, CSV3. Not: EL2, EL3, RAS, SVE, SEL2, MPAM, AMU, RME. */
#define PFR0_MASK (FIELD(0) | FIELD(4) | FIELD(16) | FIELD(20) | FIELD(24) | FIELD(56) | FIELD(60) | FIELD(48))
/* ID_AA64PFR1_EL1: BT, SSBS. Not: MTE, RAS_frac, MPAM_frac, SME, NMI, CSV2_frac. */
#define PFR1_MASK (FIELD(0) | FIELD(4))
/* ID_AA64DFR0_EL1: DebugVer, BRPs, WRPs, CTX_CMPs must be plausible; PMU, SPE, trace hidden. */
#define DFR0_MASK (FIELD(0) | FIELD(12) | FIELD(20) | FIELD(28))
/* ID_AA64ISAR0_EL1: all but TME (27:24). */
#define ISAR0_MASK (~FIELD(24))
/* ID_AA64ISAR1_EL1: DPB, JSCVT, FCMA, LRCPC, FRINTTS, SB, BF16, DGH, I8MM. Not: APA, API, GPA, GPI, SPECRES, XS, LS64. */
#define ISAR1_MASK                                                                                                     \
	(FIELD(0) | FIELD(12) | FIELD(16) | FIELD(20) | FIELD(32) | FIELD(36) | FIELD(44) | FIELD(48) | FIELD(52))
/* ID_AA64ISAR2_EL1: BC, RPRES; not WFxT (its trap isn't handled), APA3, GPA3, MOPS, PAC_frac. */
#define ISAR2_MASK (FIELD(4) | FIELD(20))
/* ID_AA64MMFR0_EL1: PARange (replaced), ASIDBits, BigEnd, SNSMem, BigEndEL0, granules of stage 1, ExS. */
#define MMFR0_MASK                                                                                                     \
	(FIELD(0) | FIELD(4) | FIELD(8) | FIELD(12) | FIELD(16) | FIELD(20) | FIELD(24) | FIELD(28) | FIELD(44))
/* ID_AA64MMFR1_EL1: HAFDBS, HPDS, PAN, ETS. Not: VMIDBits, VH, LO, SpecSEI, XNX, TWED, HCX, AFP, nTLBPA, CMOW. */
#define MMFR1_MASK (FIELD(0) | FIELD(12) | FIELD(20) | FIELD(36))
/* ID_AA64MMFR2_EL1: CnP, UAO, LSM, IESB, VARange, CCIDX, AT, IDS, TTL, BBM, E0PD. Not: NV, FWB, EVT. */
#define MMFR2_MASK                                                                                                     \
	(FIELD(0) | FIELD(4) | FIELD(8) | FIELD(12) | FIELD(16) | FIELD(20) | FIELD(32) | FIELD(36) | FIELD(48) |      \
	 FIELD(52) | FIELD(60))

/* AArch32 is for EL0 only, so its ID registers matter to nobody but user space through the kernel: passed through. */
static uint64_t idreg_aarch32(uint32_t crm, uint32_t op2)
{
	switch (crm << 3 | op2) {
	case 1 << 3 | 0:
		return read_sysreg(id_pfr0_el1) & 0xffff;
	case 1 << 3 | 1:
		return read_sysreg(id_pfr1_el1);
	case 1 << 3 | 4:
		return read_sysreg(id_mmfr0_el1);
	case 1 << 3 | 5:
		return read_sysreg(id_mmfr1_el1);
	case 1 << 3 | 6:
		return read_sysreg(id_mmfr2_el1);
	case 1 << 3 | 7:
		return read_sysreg(id_mmfr3_el1);
	case 2 << 3 | 0:
		return read_sysreg(id_isar0_el1);
	case 2 << 3 | 1:
		return read_sysreg(id_isar1_el1);
	case 2 << 3 | 2:
		return read_sysreg(id_isar2_el1);
	case 2 << 3 | 3:
		return read_sysreg(id_isar3_el1);
	case 2 << 3 | 4:
		return read_sysreg(id_isar4_el1);
	case 2 << 3 | 5:
		return read_sysreg(id_isar5_el1);
	case 2 << 3 | 6:
		return read_sysreg(id_mmfr4_el1);
	case 3 << 3 | 0:
		return read_sysreg(mvfr0_el1);
	case 3 << 3 | 1:
		return read_sysreg(mvfr1_el1);
	case 3 << 3 | 2:
		return read_sysreg(mvfr2_el1);
	default:
		return 0;
	}
}

uint64_t idreg_read(uint32_t crm, uint32_t op2)
{
	uint64_t v;

	switch (crm << 3 | op2) {
	case 4 << 3 | 0: /* ID_AA64PFR0_EL1; EL2 and EL3 don't exist for the guest, EL1 is AArch64 only */
		v = read_sysreg(id_aa64pfr0_el1) & PFR0_MASK & ~FIELD(4);
		return v | UINT64_C(1) << 4;
	case 4 << 3 | 1:
		return read_sysreg(id_aa64pfr1_el1) & PFR1_MASK;
	case 5 << 3 | 0: /* DebugVer 6 = Armv8.0 */
		v = read_sysreg(id_aa64dfr0_el1) & DFR0_MASK & ~FIELD(0);
		return v | 6;
	case 6 << 3 | 0:
		return read_sysreg(s3_0_c0_c6_0) & ISAR0_MASK;
	case 6 << 3 | 1:
		return read_sysreg(s3_0_c0_c6_1) & ISAR1_MASK;
	case 6 << 3 | 2:
		return read_sysreg(s3_0_c0_c6_2) & ISAR2_MASK;
	case 7 << 3 | 0: /* no more than 44 bits of physical addresses: what stage 2 translates */
		v = read_sysreg(id_aa64mmfr0_el1) & MMFR0_MASK;
		return (v & 0xf) > 4 ? (v & ~FIELD(0)) | 4 : v;
	case 7 << 3 | 1:
		return read_sysreg(id_aa64mmfr1_el1) & MMFR1_MASK;
	case 7 << 3 | 2:
		return read_sysreg(s3_0_c0_c7_2) & MMFR2_MASK;
	default:
		return crm <= 3 ? idreg_aarch32(crm, op2) : 0;
	}
}
