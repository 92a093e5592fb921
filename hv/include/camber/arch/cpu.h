/* SPDX-License-Identifier: Apache-2.0 */
/* What an architecture owes for physical CPUs, the hypervisor's timer and power. */
#ifndef CAMBER_ARCH_CPU_H
#define CAMBER_ARCH_CPU_H

struct uart_ops;

/* Interrupts another CPU so that it leaves its guest or its idle sleep and looks at pcpu->work. Any CPU. */
void arch_cpu_kick(unsigned int cpu);

/* Sleeps until an interrupt is pending (masked ones too) and handles it; returns then. Own CPU, idle. */
void arch_cpu_idle(void);

/* Handles interrupts that are pending now, without waiting; between the steps of long work. */
void arch_cpu_poll(void);

/* Programs this CPU's hypervisor timer to an absolute tick, TIME_NEVER = off. */
void arch_timer_set(uint64_t deadline);

/*
 * Boot, when VMs have their devices: a second UART of the board that no VM owns, for the trace. `irq` is called when bytes have come. NULL:
 * there is none.
 */
const struct uart_ops *arch_trace_uart(void **dev, void (*irq)(void));

/* Stops all other CPUs for good; panic only. Waits, bounded. */
void arch_cpu_stop_others(void);

/* Warm reset of the machine, end of this CPU's run; do not return. */
void arch_reboot(void) __noreturn;
void arch_halt(void) __noreturn;

#endif
