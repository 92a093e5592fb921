/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exceptions taken in EL2: the record (PC, ESR, FAR, registers, back-trace), then the end.
 *
 * Runs on the emergency stack with nothing assumed to work: locks are broken, a fault within is answered by halting.
 */
#include "arm64.h"
#include "camber/arch/cpu.h"
#include "camber/console.h"
#include "camber/log.h"
#include "camber/panic.h"
#include "sysregs.h"

extern char image_text[], image_rodata[];

static bool on_stack(const struct arm64_pcpu *p, uint64_t addr)
{
	return (addr >= p->stack_top - EL2_STACK_BYTES && addr <= p->stack_top - 16) ||
	       (addr >= p->emergency_top - EL2_EMERGENCY_BYTES && addr <= p->emergency_top - 16);
}

static bool in_guard(uint64_t bottom, uint64_t addr)
{
	return addr < bottom && addr >= bottom - PAGE_SIZE;
}

/* Addresses are printed relative to the image: what addr2line and the map file understand. */
static unsigned long long image_offset(uint64_t pc)
{
	return pc - (uint64_t)image_text;
}

/* What a call leaves: an address in the code, behind a BL or BLR. */
static bool is_return(uint64_t addr)
{
	uint32_t insn;

	if (addr <= (uint64_t)image_text || addr >= (uint64_t)image_rodata || (addr & 3))
		return false;
	insn = *(const uint32_t *)(addr - 4);
	return (insn & 0xfc000000) == 0x94000000 || (insn & 0xfffffc1f) == 0xd63f0000;
}

/* The code keeps no frame pointers: these are all return addresses on the stack, so some may be of calls that are over. */
static void backtrace(const struct arm64_pcpu *p, uint64_t pc, uint64_t lr, uint64_t sp)
{
	unsigned int depth = 0;

	log_line("backtrace: +0x%llx", image_offset(pc));
	if (is_return(lr))
		log_line("backtrace: +0x%llx (link register)", image_offset(lr));
	if (!on_stack(p, sp))
		sp = p->stack_top - EL2_STACK_BYTES; /* it has overflown */
	for (sp = ALIGN_UP(sp, 8); depth < 16 && on_stack(p, sp); sp += 8) {
		uint64_t addr = *(const uint64_t *)sp;

		if (is_return(addr)) {
			log_line("backtrace: +0x%llx", image_offset(addr));
			depth++;
		}
	}
}

static const char vector_names[] = "synchronous\0IRQ\0FIQ\0SError";

void fault_el2(const uint64_t *regs, uint64_t vector)
{
	struct arm64_pcpu *p = arm_pcpu();
	uint64_t esr = read_sysreg(esr_el2), far = read_sysreg(far_el2), pc = read_sysreg(elr_el2);
	unsigned int i;

	if (p->faults++ > 1)
		arch_halt();
	trace(HV_FAULT, (uint32_t)esr, trace_lo(pc), trace_hi(pc), trace_lo(far), trace_hi(far));
	console_force_unlock();
	log_force_unlock();
	log_line("EL2 fault: %s exception%s on CPU %u, image at 0x%llx", str_nth(vector_names, vector & 3),
		 vector & 4 ? "" : " (SP_EL0)", p->p.id, (unsigned long long)(uintptr_t)image_text);
	log_line("PC   0x%016llx (+0x%llx)  ESR 0x%016llx  FAR 0x%016llx", (unsigned long long)pc, image_offset(pc),
		 (unsigned long long)esr, (unsigned long long)far);
	log_line("SPSR 0x%016llx  HPFAR 0x%016llx  SP 0x%016llx", (unsigned long long)read_sysreg(spsr_el2),
		 (unsigned long long)read_sysreg(hpfar_el2), (unsigned long long)regs[31]);
	if (in_guard(p->stack_top - EL2_STACK_BYTES, far) || in_guard(p->emergency_top - EL2_EMERGENCY_BYTES, far))
		log_line("FAR lies in the guard page below the stack 0x%llx..0x%llx: stack overflow",
			 (unsigned long long)(p->stack_top - EL2_STACK_BYTES), (unsigned long long)p->stack_top);
	for (i = 0; i < 30; i += 3)
		log_line("x%-2u 0x%016llx  x%-2u 0x%016llx  x%-2u 0x%016llx", i, (unsigned long long)regs[i], i + 1,
			 (unsigned long long)regs[i + 1], i + 2, (unsigned long long)regs[i + 2]);
	log_line("x30 0x%016llx", (unsigned long long)regs[30]);
	if (p->p.current)
		log_line("while vm %s vCPU %u was on this CPU", p->p.current->vm->label, p->p.current->index);
	backtrace(p, pc, regs[30], regs[31]);
	panic_finish();
}
