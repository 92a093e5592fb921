/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CPUs, time and the machine's end on the host. A thread is the CPU it says it is; the counter stands still but for
 * host_set_now(). Interrupts don't exist: tests call what an interrupt would call. Any thread; counters are atomic.
 */
#include "host.h"

#include <stdio.h>
#include <stdlib.h>

#include "arch_inline.h"
#include "camber/arch/cpu.h"

jmp_buf *host_end_to;

static _Thread_local struct pcpu *own;
static uint64_t now;
static void (*on_idle)(void);
static void (*on_poll)(void);

static struct {
	uint64_t deadline_inverted; /* so that zero means TIME_NEVER */
	unsigned int sets;
	unsigned int kicks;
} cpus[PCPU_MAX];

struct pcpu *arch_pcpu(void)
{
	return own;
}

uint64_t arch_now(void)
{
	return __atomic_load_n(&now, __ATOMIC_RELAXED);
}

void host_set_pcpu(struct pcpu *p)
{
	own = p;
}

void host_set_now(uint64_t ticks)
{
	__atomic_store_n(&now, ticks, __ATOMIC_RELAXED);
}

void arch_timer_set(uint64_t deadline)
{
	__atomic_store_n(&cpus[own->id].deadline_inverted, ~deadline, __ATOMIC_RELAXED);
	__atomic_fetch_add(&cpus[own->id].sets, 1, __ATOMIC_RELAXED);
}

static const struct uart_ops *trace_uart;
static void *trace_uart_dev;
static void (*trace_uart_irq)(void);

void host_set_trace_uart(const struct uart_ops *ops, void *dev)
{
	trace_uart = ops;
	trace_uart_dev = dev;
	trace_uart_irq = NULL;
}

void host_trace_uart_interrupt(void)
{
	if (trace_uart_irq)
		trace_uart_irq();
}

const struct uart_ops *arch_trace_uart(void **dev, void (*irq)(void))
{
	*dev = trace_uart_dev;
	trace_uart_irq = irq;
	return trace_uart;
}

uint64_t host_timer(unsigned int cpu)
{
	return ~__atomic_load_n(&cpus[cpu].deadline_inverted, __ATOMIC_RELAXED);
}

unsigned int host_timer_sets(unsigned int cpu)
{
	return __atomic_load_n(&cpus[cpu].sets, __ATOMIC_RELAXED);
}

void arch_cpu_kick(unsigned int cpu)
{
	__atomic_fetch_add(&cpus[cpu].kicks, 1, __ATOMIC_RELAXED);
}

unsigned int host_kicks(unsigned int cpu)
{
	return __atomic_load_n(&cpus[cpu].kicks, __ATOMIC_RELAXED);
}

void arch_cpu_idle(void)
{
	if (!on_idle)
		host_end(HOST_END_IDLE);
	on_idle();
}

void arch_cpu_poll(void)
{
	if (on_poll)
		on_poll();
}

void host_on_idle(void (*fn)(void))
{
	on_idle = fn;
}

void host_on_poll(void (*fn)(void))
{
	on_poll = fn;
}

void arch_cpu_stop_others(void)
{
}

void host_end(enum host_end how)
{
	if (host_end_to)
		longjmp(*host_end_to, how);
	(void)fprintf(stderr, "unexpected end of the machine (%d)\n", how);
	abort();
}

void arch_reboot(void)
{
	host_end(HOST_END_REBOOT);
}

void arch_halt(void)
{
	host_end(HOST_END_HALT);
}
