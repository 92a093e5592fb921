/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage-2 aborts: MMIO decode (Arm ARM D19.2.37, ISS for Data Abort) and exceptions injected into EL1.
 *
 * Own CPU, no lock held. Only accesses whose syndrome is valid are emulated: no instruction is ever read from guest memory.
 */
#include "arm64.h"
#include "camber/log.h"
#include "exits.h"
#include "sysregs.h"

#define ISS_WNR BIT64(6)
#define ISS_S1PTW BIT64(7)
#define ISS_CM BIT64(8)
#define ISS_SF BIT64(15)
#define ISS_SRT_SHIFT 16
#define ISS_SSE_SHIFT 21
#define ISS_SSE BIT64(ISS_SSE_SHIFT)
#define ISS_SAS_SHIFT 22
#define ISS_ISV BIT64(24)

#define DFSC_MASK 0x3fu
#define DFSC_IS_TRANSLATION(dfsc) (((dfsc)&0x3c) == 0x04)
#define DFSC_IS_PERMISSION(dfsc) (((dfsc)&0x3c) == 0x0c)

/* HPFAR_EL2 holds bits 47:12 of the IPA at bit 4; the rest comes from FAR_EL2, which names the same page offset. */
static uint64_t fault_ipa(void)
{
	return (read_sysreg(hpfar_el2) & ~UINT64_C(0xf)) << 8 | (read_sysreg(far_el2) & (PAGE_SIZE - 1));
}

/* An access that nobody answers, as the VM's configuration says: abort in the guest, or the end of the VM. */
static __cold __attribute__((noinline)) void trace_fault(uint64_t addr)
{
	trace(GUEST_FAULT, arch_pcpu()->current->unit.id, (uint32_t)read_sysreg(esr_el2), trace_lo(addr),
	      trace_hi(addr), trace_lo(read_sysreg(elr_el2)));
}

static __cold enum trap_result stray(struct arm64_vcpu *a, uint64_t esr, uint64_t ipa, bool instruction,
				     const char *what)
{
	struct vm *vm = a->v.vm;
	uint64_t pc = read_sysreg(elr_el2);

	if (vm->cfg->flags & BUNDLE_VM_STRAY_STOP) {
		trace_fault(ipa);
		vm_crash(&a->v, "%s at 0x%llx (ESR 0x%llx PC 0x%llx), stray-access = stop", what,
			 (unsigned long long)ipa, (unsigned long long)esr, (unsigned long long)pc);
		return TRAP_HANDLED;
	}
	log_guest(vm, "vm %s: vCPU %u: %s at 0x%llx (ESR 0x%llx PC 0x%llx): abort injected", vm->label, a->v.index,
		  what, (unsigned long long)ipa, (unsigned long long)esr, (unsigned long long)pc);
	inject_abort(instruction, read_sysreg(far_el2), FSC_EXTERNAL | (instruction ? 0 : esr & (ISS_WNR | ISS_CM)));
	return TRAP_HANDLED;
}

static uint64_t extend(uint64_t value, uint64_t esr, unsigned int bytes)
{
	unsigned int shift = 64 - 8 * bytes;

	value = value << shift >> shift;
	if (esr & ISS_SSE) {
		value = (uint64_t)((int64_t)(value << shift) >> shift);
		if (!(esr & ISS_SF))
			value = (uint32_t)value;
	}
	return value;
}

static __cold enum trap_result abort_data_odd(struct arm64_vcpu *a, uint64_t esr, uint64_t ipa)
{
	uint32_t dfsc = esr & DFSC_MASK;

	/* First: CM is set for address translation instructions too, whose walk may be what fails. */
	if (esr & ISS_S1PTW)
		return stray(a, esr, ipa, false, "page-table walk outside memory");
	if (esr & ISS_CM) {
		/* Cache maintenance of an address that has no memory: nothing to maintain (QEMU never reports these). */
		return TRAP_SKIP;
	}
	if (!DFSC_IS_TRANSLATION(dfsc) && !DFSC_IS_PERMISSION(dfsc))
		return stray(a, esr, ipa, false, "memory fault that translation doesn't explain");
	if (DFSC_IS_PERMISSION(dfsc))
		return stray(a, esr, ipa, false, "write to read-only memory");
	if (!(esr & ISS_ISV) && mmio_find(&a->v.vm->mmio, gpa(ipa), 1))
		return stray(a, esr, ipa, false, "device access by an instruction without syndrome");
	return stray(a, esr, ipa, false, esr & ISS_WNR ? "write outside the platform" : "read outside the platform");
}

static __cold enum trap_result abort_data_refused(struct arm64_vcpu *a)
{
	return stray(a, read_sysreg(esr_el2), fault_ipa(), false, "access of a kind that the device doesn't take");
}

static bool from_el0(void)
{
	return !(read_sysreg(spsr_el2) & 0xc);
}

/* Data accesses of the exception level that trapped are big-endian: a device's bytes are the other way round (Arm ARM B2.6). */
static inline __attribute__((always_inline)) bool big_endian(void)
{
	uint64_t sctlr = read_sysreg(sctlr_el1);

	return unlikely(sctlr & (SCTLR_EL1_EE | SCTLR_EL1_E0E)) &&
	       (sctlr & (from_el0() ? SCTLR_EL1_E0E : SCTLR_EL1_EE));
}

static inline uint64_t swap(uint64_t value, uint32_t bytes)
{
	return __builtin_bswap64(value) >> (64 - 8 * bytes);
}

/* The device needs another CPU first: the guest executes the instruction again, and that CPU gets its turn meanwhile. */
static __cold enum trap_result again(void)
{
	arch_cpu_relax();
	return TRAP_HANDLED;
}

enum trap_result abort_data(struct arm64_vcpu *a, uint64_t esr)
{
	uint64_t ipa = fault_ipa();
	uint32_t bytes = 1u << ((esr >> ISS_SAS_SHIFT) & 3);
	const struct mmio_region *r;
	struct mmio_access access;
	uint32_t srt;

	if (unlikely((esr & (ISS_ISV | ISS_CM | ISS_S1PTW)) != ISS_ISV || !DFSC_IS_TRANSLATION(esr & DFSC_MASK)))
		return abort_data_odd(a, esr, ipa);
	/* Accesses come in runs to one device. An aligned one that begins in a region ends in it. */
	r = a->v.mmio_last;
	if (unlikely(ipa - r->base >= r->bytes)) {
		r = mmio_find(&a->v.vm->mmio, gpa(ipa), bytes);
		if (!r)
			return abort_data_odd(a, esr, ipa);
		a->v.mmio_last = r;
	}
	/* Hardware raises an alignment fault first; QEMU doesn't with the guest's MMU off. */
	if (unlikely(!IS_ALIGNED(ipa, (uint64_t)bytes)))
		return abort_data_odd(a, esr, ipa);
	access.offset = ipa - r->base;
	access.bytes = bytes;
	access.write = esr & ISS_WNR;
	access.retry = false;
	if (access.write) {
		srt = (esr >> ISS_SRT_SHIFT) & 31;
		access.value = srt == 31 ? 0 : extend(a->x[srt], 0, bytes);
		if (big_endian())
			access.value = swap(access.value, bytes);
		if (unlikely(!r->handler(&a->v, r->dev, &access)))
			return abort_data_refused(a);
		return unlikely(access.retry) ? again() : TRAP_SKIP;
	}
	access.value = 0;
	if (unlikely(!r->handler(&a->v, r->dev, &access)))
		return abort_data_refused(a);
	/* The syndrome again rather than kept over the call: nothing else is taken to EL2 meanwhile. */
	esr = read_sysreg(esr_el2);
	srt = (esr >> ISS_SRT_SHIFT) & 31;
	if (unlikely(access.retry))
		return again();
	if (big_endian())
		access.value = swap(access.value, access.bytes);
	/* SAS = 2, SSE = 0: a plain word. */
	if (likely(((esr >> ISS_SSE_SHIFT) & 7) == 4))
		access.value = (uint32_t)access.value;
	else
		access.value = extend(access.value, esr, access.bytes);
	if (likely(srt != 31))
		a->x[srt] = access.value;
	return TRAP_SKIP;
}

enum trap_result abort_instruction(struct arm64_vcpu *a, uint64_t esr)
{
	return stray(a, esr, fault_ipa(), true, "instruction fetch outside memory");
}

/* --- injection -------------------------------------------------------------------------------------------------------- */

#define SCTLR_SPAN BIT64(23)
#define SPSR_PAN BIT64(22)

static bool has_pan(void)
{
	return (read_sysreg(id_aa64mmfr1_el1) >> 20) & 15;
}

/* AArch64.TakeException to EL1 with SP_EL1 (Arm ARM D1.3): the guest's PC, PSTATE and syndrome as hardware would set them. */
static void enter_el1(uint64_t esr, bool set_far, uint64_t far)
{
	uint64_t spsr = read_sysreg(spsr_el2);
	uint64_t vector = read_sysreg(vbar_el1);
	uint64_t mode = spsr & 0x1f;

	trace_fault(far);
	if (mode & 0x10)
		vector += 0x600; /* AArch32 EL0 */
	else if ((mode & 0xf) == 0)
		vector += 0x400; /* EL0 */
	else if (mode & 1)
		vector += 0x200; /* EL1h */
	write_sysreg(elr_el1, read_sysreg(elr_el2));
	write_sysreg(spsr_el1, spsr);
	write_sysreg(esr_el1, esr);
	if (set_far)
		write_sysreg(far_el1, far);
	write_sysreg(elr_el2, vector);
	/* PSTATE.PAN is set unless SCTLR_EL1.SPAN says to keep it; other fields of a new PSTATE are zero. */
	write_sysreg(spsr_el2,
		     SPSR_EL1H | SPSR_DAIF |
			     (has_pan() && !(read_sysreg(sctlr_el1) & SCTLR_SPAN) ? SPSR_PAN : spsr & SPSR_PAN));
}

void inject_undef(void)
{
	enter_el1(((uint64_t)EC_UNKNOWN << ESR_EC_SHIFT) | ESR_IL, false, 0);
}

void inject_abort(bool instruction, uint64_t far, uint64_t iss)
{
	uint64_t ec = (instruction ? EC_IABT_LOW : EC_DABT_LOW) + (from_el0() ? 0 : 1);

	enter_el1(ec << ESR_EC_SHIFT | ESR_IL | iss, true, far);
}
