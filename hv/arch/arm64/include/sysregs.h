/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System registers: accessors and the fields that the hypervisor uses, named as in the Arm ARM (DDI 0487) and the GIC
 * architecture specification (IHI 0069).
 */
#ifndef ARM64_SYSREGS_H
#define ARM64_SYSREGS_H

#define read_sysreg(name)                                                                                              \
	({                                                                                                             \
		uint64_t value_;                                                                                       \
		__asm__ volatile("mrs %0, " #name : "=r"(value_));                                                     \
		value_;                                                                                                \
	})
#define write_sysreg(name, v) __asm__ volatile("msr " #name ", %x0" : : "rZ"((uint64_t)(v)))

#define isb() __asm__ volatile("isb" ::: "memory")
#define dsb(scope) __asm__ volatile("dsb " #scope ::: "memory")

/* GIC CPU interface, IHI 0069 section 12.2; by encoding, as assemblers name them only with an extension. */
#define ICC_IAR1_EL1 s3_0_c12_c12_0
#define ICC_EOIR1_EL1 s3_0_c12_c12_1
#define ICC_DIR_EL1 s3_0_c12_c11_1
#define ICC_PMR_EL1 s3_0_c4_c6_0
#define ICC_CTLR_EL1 s3_0_c12_c12_4
#define ICC_SRE_EL1 s3_0_c12_c12_5
#define ICC_SRE_EL2 s3_4_c12_c9_5
#define ICC_BPR1_EL1 s3_0_c12_c12_3
#define ICC_IGRPEN1_EL1 s3_0_c12_c12_7
#define ICC_SGI1R_EL1 s3_0_c12_c11_5
#define ICH_HCR_EL2 s3_4_c12_c11_0
#define ICH_VTR_EL2 s3_4_c12_c11_1
#define ICH_MISR_EL2 s3_4_c12_c11_2
#define ICH_EISR_EL2 s3_4_c12_c11_3
#define ICH_ELRSR_EL2 s3_4_c12_c11_5
#define ICH_VMCR_EL2 s3_4_c12_c11_7

#define ICC_CTLR_EOIMODE BIT64(1)

#define ICH_HCR_EN BIT64(0)
#define ICH_HCR_UIE BIT64(1)
#define ICH_HCR_LRENPIE BIT64(2)
#define ICH_HCR_NPIE BIT64(3)
#define ICH_HCR_TDIR BIT64(14)
#define ICH_HCR_EOICOUNT_SHIFT 27
#define ICH_HCR_EOICOUNT (UINT64_C(31) << ICH_HCR_EOICOUNT_SHIFT)

#define ICH_VMCR_VEOIM BIT64(9)

#define ICH_LR_PENDING BIT64(62)
#define ICH_LR_ACTIVE BIT64(63)
#define ICH_LR_STATE (ICH_LR_PENDING | ICH_LR_ACTIVE)
#define ICH_LR_HW BIT64(61)
#define ICH_LR_GROUP1 BIT64(60)
#define ICH_LR_PRIO_SHIFT 48
#define ICH_LR_EOI BIT64(41) /* HW = 0 */
#define ICH_LR_PINTID_SHIFT 32

/* HCR_EL2, Arm ARM D19.2.48 */
#define HCR_VM BIT64(0)
#define HCR_SWIO BIT64(1)
#define HCR_FMO BIT64(3)
#define HCR_IMO BIT64(4)
#define HCR_AMO BIT64(5)
#define HCR_VSE BIT64(8)
#define HCR_FB BIT64(9)
#define HCR_BSU_IS BIT64(10)
#define HCR_TWI BIT64(13)
#define MIDR_PART_MASK 0xff00fff0u
#define HCR_TID3 BIT64(18)
#define HCR_TSC BIT64(19)
#define HCR_TIDCP BIT64(20)
#define HCR_TACR BIT64(21)
#define HCR_RW BIT64(31)
#define HCR_TLOR BIT64(35)
#define HCR_TERR BIT64(36)

/* CPTR_EL2 with E2H = 0 */
#define CPTR_RES1 UINT64_C(0x32ff)
#define CPTR_TZ BIT64(8)
#define CPTR_TFP BIT64(10)
#define CPTR_TTA BIT64(20)

/* While a vCPU is loaded: its FP registers or not, SVE and trace never. */
#define CPTR_GUEST (CPTR_RES1 | CPTR_TZ | CPTR_TTA)

#define MDCR_HPMN UINT64_C(0x1f)
#define MDCR_TPMCR BIT64(5)
#define MDCR_TPM BIT64(6)
#define MDCR_TDA BIT64(9)
#define MDCR_TDOSA BIT64(10)
#define MDCR_TDRA BIT64(11)
#define MDCR_TPMS BIT64(14)
#define MDCR_TTRF BIT64(19)

#define CNTHCTL_EL1PCTEN BIT64(0)
#define CNTHCTL_EL1PCEN BIT64(1)

#define CNT_CTL_ENABLE BIT64(0)
#define CNT_CTL_IMASK BIT64(1)
#define CNT_CTL_ISTATUS BIT64(2)

#define SCTLR_EL2_RES1 UINT64_C(0x30c50830)
#define SCTLR_EL2_M BIT64(0)
#define SCTLR_EL2_A BIT64(1)
#define SCTLR_EL2_C BIT64(2)
#define SCTLR_EL2_SA BIT64(3)
#define SCTLR_EL2_I BIT64(12)
#define SCTLR_EL2_WXN BIT64(19)

#define SCTLR_EL1_E0E BIT64(24)
#define SCTLR_EL1_EE BIT64(25)
#define SCTLR_EL1_RESET UINT64_C(0x30d00800) /* RES1 bits; MMU and caches off */

#define ESR_EC_SHIFT 26
#define ESR_IL BIT64(25)
#define ESR_ISS UINT64_C(0x1ffffff)

#define SPSR_AARCH32 BIT64(4)
#define SPSR_EL1H UINT64_C(0x5)
#define SPSR_DAIF UINT64_C(0x3c0)

#endif
