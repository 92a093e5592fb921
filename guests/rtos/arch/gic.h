/* SPDX-License-Identifier: Apache-2.0 */
/* GICv3 with system registers, one CPU, group 1 only. */
#ifndef RTOS_ARCH_GIC_H
#define RTOS_ARCH_GIC_H

#include "rtos.h"

#define GIC_PRIORITY_TIMER 0x80u

/* Returns 0, or a text that says what is missing. Interrupts masked. */
const char *gic_init(void);

/* rtos_irq_attach() without its checks: the kernel's own interrupts too. Interrupts masked, after gic_init(). */
void gic_attach(uint32_t intid, uint32_t priority, rtos_irq_handler_t *handler, void *arg);

#endif
