/* SPDX-License-Identifier: Apache-2.0 */
/* Cache maintenance by VA to the point of coherency (Arm ARM D7.5), line size from CTR_EL0. Any CPU. */
#include "camber/arch/cache.h"

#include "sysregs.h"

void arch_cache_clean(const void *p, size_t n)
{
	uintptr_t line = (uintptr_t)4 << ((read_sysreg(ctr_el0) >> 16) & 15);
	uintptr_t at = (uintptr_t)p & ~(line - 1), end = (uintptr_t)p + n;

	for (; at < end; at += line)
		__asm__ volatile("dc cvac, %0" ::"r"(at) : "memory");
	dsb(sy);
}

void arch_icache_flush(void)
{
	__asm__ volatile("ic ialluis" ::: "memory");
	dsb(ish);
	isb();
}
