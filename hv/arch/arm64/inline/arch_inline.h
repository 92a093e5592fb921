/* SPDX-License-Identifier: Apache-2.0 */
/* The architecture's hooks that must be inline: the only architecture file on everybody's include path. */
#ifndef ARCH_INLINE_H
#define ARCH_INLINE_H

#include "camber/compiler.h"

struct pcpu;

/* This CPU's data. */
static inline struct pcpu *arch_pcpu(void)
{
	struct pcpu *p;

	__asm__("mrs %0, tpidr_el2" : "=r"(p));
	return p;
}

/*
 * System counter in ticks. Not ordered against other instructions: a few ticks of error don't matter where it is used,
 * and an ISB would cost more than it corrects.
 */
static inline uint64_t arch_now(void)
{
	uint64_t t;

	__asm__ volatile("mrs %0, cntpct_el0" : "=r"(t));
	return t;
}

/* Is a physical interrupt pending for this CPU (ISR_EL1)? EL2 runs with interrupts masked. */
static inline bool arch_irq_waits(void)
{
	uint64_t isr;

	__asm__ volatile("mrs %0, isr_el1" : "=r"(isr));
	return isr;
}

/* Inside every spin and poll loop. */
static inline void arch_cpu_relax(void)
{
	__asm__ volatile("yield" ::: "memory");
}

static inline void arch_mb(void)
{
	__asm__ volatile("dmb ish" ::: "memory");
}

#endif
