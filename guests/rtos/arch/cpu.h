/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instructions that C has no words for: interrupt masking, barriers, WFI, device access, the virtual counter.
 *
 * Names are those of the Arm ARM (DDI 0487). No state, no locking; everything here may be used in any context.
 */
#ifndef RTOS_ARCH_CPU_H
#define RTOS_ARCH_CPU_H

#include <stdbool.h>
#include <stdint.h>

#define STRINGIFY_1(x) #x
#define STRINGIFY(x) STRINGIFY_1(x)

#define sysreg_read(reg)                                                                                               \
	({                                                                                                             \
		uint64_t sysreg_value_;                                                                                \
		__asm__ volatile("mrs %0, " STRINGIFY(reg) : "=r"(sysreg_value_));                                     \
		sysreg_value_;                                                                                         \
	})

#define sysreg_write(reg, value) __asm__ volatile("msr " STRINGIFY(reg) ", %0" : : "r"((uint64_t)(value)))

static inline void isb(void)
{
	__asm__ volatile("isb" : : : "memory");
}

static inline void dsb_sy(void)
{
	__asm__ volatile("dsb sy" : : : "memory");
}

static inline void cpu_yield(void)
{
	__asm__ volatile("yield" : : : "memory");
}

/* With interrupts masked WFI still returns when one becomes pending, so "nothing to do" is decided without a race. */
static inline void cpu_wfi(void)
{
	__asm__ volatile("dsb sy; wfi" : : : "memory");
}

static inline void irq_enable(void)
{
	__asm__ volatile("msr daifclr, #2" : : : "memory");
}

static inline void irq_disable(void)
{
	__asm__ volatile("msr daifset, #2" : : : "memory");
}

/* Masks interrupts; returns the former state for irq_restore(). Nests. */
static inline uint64_t irq_save(void)
{
	uint64_t daif = sysreg_read(daif);

	irq_disable();
	return daif;
}

static inline void irq_restore(uint64_t daif)
{
	__asm__ volatile("msr daif, %0" : : "r"(daif) : "memory");
}

/*
 * Device registers. The assembler forms keep to plain loads and stores with one register, the only ones whose abort
 * carries a syndrome (ESR_EL2.ISV): a hypervisor can emulate nothing else.
 */
static inline uint32_t mmio_read32(uintptr_t addr)
{
	uint32_t value;

	__asm__ volatile("ldr %w0, [%1]" : "=r"(value) : "r"(addr) : "memory");
	return value;
}

static inline void mmio_write32(uintptr_t addr, uint32_t value)
{
	__asm__ volatile("str %w0, [%1]" : : "rZ"(value), "r"(addr) : "memory");
}

static inline uint64_t mmio_read64(uintptr_t addr)
{
	uint64_t value;

	__asm__ volatile("ldr %0, [%1]" : "=r"(value) : "r"(addr) : "memory");
	return value;
}

static inline void mmio_write64(uintptr_t addr, uint64_t value)
{
	__asm__ volatile("str %x0, [%1]" : : "rZ"(value), "r"(addr) : "memory");
}

#endif
