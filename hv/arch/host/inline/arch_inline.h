/* SPDX-License-Identifier: Apache-2.0 */
/* Inline hooks of the host "architecture": unit tests, fuzzers, and the skeleton of a new port. */
#ifndef ARCH_INLINE_H
#define ARCH_INLINE_H

#include "camber/compiler.h"

struct pcpu;

struct pcpu *arch_pcpu(void);
uint64_t arch_now(void); /* a counter that the test sets: host_set_now() */

static inline bool arch_irq_waits(void)
{
	return false;
}

static inline void arch_cpu_relax(void)
{
}

static inline void arch_mb(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

#endif
