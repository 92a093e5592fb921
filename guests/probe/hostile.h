/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What hostile cases share: exact comparison of what the guest was told.
 */
#ifndef PROBE_HOSTILE_H
#define PROBE_HOSTILE_H

#include "cases.h"
#include "mmu.h"

#define FAR_ANY ~0ull

/* A hole in the guests' platform and in QEMU's `virt`. */
#define NOWHERE 0x0b000000ull

/* After trap_expect() and the deed: exactly one exception with this syndrome and address. Ends the expectation. */
enum outcome want_trap(const char *what, uint64_t esr, uint64_t far);
/* Likewise: none. */
enum outcome want_nothing(const char *what);
/* An exit of el0_run(). */
enum outcome want_exit(const char *what, const struct el0_exit *x, uint64_t esr, uint64_t far);

/* First address behind RAM. */
uint64_t ram_end(void);

/* The guest's machine still works: a timer interrupt, an SGI to itself, a device register. For the end of storms. */
enum outcome still_sound(void);

/* One instruction and a RET in memory, made ready to be executed (hostile_code.c); the next call overwrites it. */
uint64_t code_write(uint32_t opcode);
/* Runs it with x0 = value and answers x0. */
uint64_t code_run(uint32_t opcode, uint64_t value);

/* hostile_asm.S */
uint64_t call_registers_hvc(uint64_t function);
uint64_t call_registers_smc(uint64_t function);
void eret_to(uint64_t spsr);
uint32_t read32_swapped(uint64_t addr);
void first_state_entry(void);

/* All other CPUs at work(), which says so by stage = 1; and their end, which stage = 2 asks for. */
enum outcome others_start(void (*work)(struct cpu *c));
enum outcome others_join(void);

#define WANT_UNDEF(what, insn)                                                                                         \
	do {                                                                                                           \
		trap_expect();                                                                                         \
		insn;                                                                                                  \
		TRY(want_trap(what, ESR_UNDEF, FAR_ANY));                                                              \
	} while (0)

#endif
