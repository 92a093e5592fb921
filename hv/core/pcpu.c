/* SPDX-License-Identifier: Apache-2.0 */
/* Physical CPUs: the table, and requests between them. The table is written at boot only. */
#include "camber/pcpu.h"

#include "camber/arch/cpu.h"

struct pcpu *pcpu_table[PCPU_MAX];
static unsigned int count;

unsigned int pcpu_count(void)
{
	return count;
}

void pcpu_register(struct pcpu *p, unsigned int id, uint64_t hw_id)
{
	p->id = id;
	p->hw_id = hw_id;
	pcpu_table[id] = p;
	if (id >= count)
		count = id + 1;
	timer_queue_init(&p->timers, id);
	sched_cpu_init(&p->sched, id, &p->timers);
}

void pcpu_post(struct pcpu *p, uint32_t work)
{
	uint32_t before = __atomic_fetch_or(&p->work, work, __ATOMIC_RELEASE);

	/* Whoever found it set already has sent the interrupt. */
	if (p != arch_pcpu() && (before & work) != work)
		arch_cpu_kick(p->id);
}
