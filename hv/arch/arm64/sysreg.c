/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trapped system registers: what each one does, in one table; a register that isn't in it is undefined in the guest.
 *
 * Policy (docs/architecture.md, "System registers"): identification is filtered; the physical timer and SGIs are emulated;
 * self-hosted debug is read as zero and ignores writes, so that kernels which clear it boot; PMU, SVE, SME, MTE, PAuth,
 * AMU, SPE, trace, RAS records, LORegions and IMPLEMENTATION DEFINED registers don't exist.
 * Own CPU, no lock held.
 */
#include "arm64.h"
#include "camber/log.h"
#include "sysregs.h"

#define SYSREG(op0, op1, crn, crm, op2)                                                                                \
	((uint32_t)(op0) << 20 | (uint32_t)(op2) << 17 | (uint32_t)(op1) << 14 | (uint32_t)(crn) << 10 |               \
	 (uint32_t)(crm) << 1)
#define SYSREG_MASK UINT64_C(0x3ffc1e) /* Op0, Op2, Op1, CRn, CRm of the ISS */
#define ISS_READ BIT64(0)

#define SYS_CRM(iss) (((uint32_t)(iss) >> 1) & 15)
#define SYS_OP2(iss) (((uint32_t)(iss) >> 17) & 7)
#define SYS_RT(iss) (((uint32_t)(iss) >> 5) & 31)

static uint64_t reg_get(const struct arm64_vcpu *a, unsigned int rt)
{
	return rt == 31 ? 0 : a->x[rt];
}

static void reg_set(struct arm64_vcpu *a, unsigned int rt, uint64_t value)
{
	if (rt != 31)
		a->x[rt] = value;
}

static enum trap_result timer_access(struct arm64_vcpu *a, uint64_t esr)
{
	unsigned int rt = SYS_RT(esr);
	uint64_t value = reg_get(a, rt);

	if (!vtimer_ptimer_access(a, SYS_OP2(esr), &value, !(esr & ISS_READ)))
		return TRAP_UNHANDLED;
	if (esr & ISS_READ)
		reg_set(a, rt, value);
	return TRAP_SKIP;
}

/* Reads as zero, writes ignored. */
static enum trap_result raz_wi(struct arm64_vcpu *a, uint64_t esr)
{
	if (esr & ISS_READ)
		reg_set(a, SYS_RT(esr), 0);
	return TRAP_SKIP;
}

/* OSLSR_EL1: OSLM = 0b10 (OS lock implemented), unlocked. */
static enum trap_result oslsr(struct arm64_vcpu *a, uint64_t esr)
{
	if (!(esr & ISS_READ))
		return TRAP_UNHANDLED;
	reg_set(a, SYS_RT(esr), 0x8);
	return TRAP_SKIP;
}

static enum trap_result sgi_group0(struct arm64_vcpu *a, uint64_t esr)
{
	if (esr & ISS_READ)
		return TRAP_UNHANDLED;
	return vgic_sgi_group0(a, reg_get(a, SYS_RT(esr)));
}

static enum trap_result dir(struct arm64_vcpu *a, uint64_t esr)
{
	if (esr & ISS_READ)
		return TRAP_UNHANDLED;
	vgic_dir(a, (uint32_t)reg_get(a, SYS_RT(esr)) & 0xffffff);
	return TRAP_SKIP;
}

/* Breakpoint and watchpoint registers come in 16 numbers of four kinds: matched without CRm. */
static bool is_debug_register(uint32_t reg)
{
	return (reg & SYSREG(3, 7, 15, 0, 0)) == SYSREG(2, 0, 0, 0, 0);
}

static __cold enum trap_result undefined(struct arm64_vcpu *a, uint64_t esr)
{
	log_guest(a->v.vm, "vm %s: vCPU %u: system register S%u_%u_C%u_C%u_%u %s: undefined (PC 0x%llx)",
		  a->v.vm->label, a->v.index, (unsigned int)(esr >> 20) & 3, (unsigned int)(esr >> 14) & 7,
		  (unsigned int)(esr >> 10) & 15, SYS_CRM(esr), SYS_OP2(esr), esr & ISS_READ ? "read" : "written",
		  (unsigned long long)read_sysreg(elr_el2));
	return TRAP_UNHANDLED;
}

static __attribute__((noinline)) enum trap_result trap_other(struct arm64_vcpu *a, uint64_t esr)
{
	uint32_t reg = (uint32_t)(esr & SYSREG_MASK);

	/* ID registers: op0 3, op1 0, CRn 0, CRm 1..7 (HCR_EL2.TID3). */
	if ((reg & SYSREG(3, 7, 15, 0, 0)) == SYSREG(3, 0, 0, 0, 0) && SYS_CRM(esr) - 1 < 7 && (esr & ISS_READ)) {
		reg_set(a, SYS_RT(esr), idreg_read(SYS_CRM(esr), SYS_OP2(esr)));
		return TRAP_SKIP;
	}
	switch (reg) {
	case SYSREG(3, 0, 12, 11, 6): /* ICC_ASGI1R_EL1 */
	case SYSREG(3, 0, 12, 11, 7): /* ICC_SGI0R_EL1 */
		return sgi_group0(a, esr);
	case SYSREG(3, 0, 12, 11, 1): /* ICC_DIR_EL1, while active interrupts exceed the list registers */
		return dir(a, esr);
	case SYSREG(3, 0, 12, 12, 5): /* ICC_SRE_EL1: always the system register interface */
		if (esr & ISS_READ)
			reg_set(a, SYS_RT(esr), 7);
		return TRAP_SKIP;
	case SYSREG(3, 3, 14, 2, 0): /* CNTP_TVAL_EL0 */
	case SYSREG(3, 3, 14, 2, 1): /* CNTP_CTL_EL0 */
	case SYSREG(3, 3, 14, 2, 2): /* CNTP_CVAL_EL0 */
		return timer_access(a, esr);
	case SYSREG(2, 0, 1, 1, 4): /* OSLSR_EL1 */
		return oslsr(a, esr);
	case SYSREG(2, 0, 1, 0, 0): /* MDRAR_EL1 */
	case SYSREG(2, 0, 1, 0, 4): /* OSLAR_EL1 */
	case SYSREG(2, 0, 1, 3, 4): /* OSDLR_EL1 */
	case SYSREG(2, 0, 1, 4, 4): /* DBGPRCR_EL1 */
	case SYSREG(2, 3, 0, 1, 0): /* MDCCSR_EL0 */
	case SYSREG(3, 0, 1, 0, 1): /* ACTLR_EL1 (HCR_EL2.TACR) */
		return raz_wi(a, esr);
	default:
		return is_debug_register(reg) ? raz_wi(a, esr) : undefined(a, esr);
	}
}

enum trap_result sysreg_trap(struct arm64_vcpu *a, uint64_t esr)
{
	/* By frequency: a write of ICC_SGI1R_EL1 first. */
	if (likely((esr & (SYSREG_MASK | ISS_READ)) == SYSREG(3, 0, 12, 11, 5)))
		return vgic_sgi(a, reg_get(a, SYS_RT(esr)));
	return trap_other(a, esr);
}
