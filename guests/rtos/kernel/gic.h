/* SPDX-License-Identifier: Apache-2.0 */
/* GICv3 with system registers, one CPU, group 1 only. */
#ifndef RTOS_KERNEL_GIC_H
#define RTOS_KERNEL_GIC_H

#include <stdint.h>

#define GIC_INTID_COUNT 96u /* SGIs, PPIs and the first 64 SPIs: more than `virt` has devices for us */

/* Lower is more urgent. Handlers run with interrupts masked, so this only orders what is pending together. */
#define GIC_PRIORITY_TIMER 0x80u
#define GIC_PRIORITY_DEVICE 0xa0u

/* Runs in the interrupt, masked. entry is the virtual counter at exception entry. No C library, no FP, no waiting. */
typedef void gic_handler_t(uint64_t entry);

/* Returns 0, or a text that says what is missing. Interrupts masked. */
const char *gic_init(void);

/* Routes intid (level-triggered, < GIC_INTID_COUNT) to this CPU and enables it. Interrupts masked, after gic_init(). */
void gic_attach(uint32_t intid, uint8_t priority, gic_handler_t *handler);

/* Interrupts taken that nobody had attached to; 0 unless something is wrong. */
uint32_t gic_stray_count(void);

#endif
