/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory layout, shared by C, assembly and the linker script (rtos.ld). Numbers only.
 *
 *   0x0800_0000  devices (GIC, PL011), nothing executable
 *   0x4000_0000  device tree, read-only                      2 MiB
 *   0x4020_0000  text RX, rodata RO, data and bss RW          up to 2 MiB
 *                tasks' stacks, each above its guard page
 *                guard page and stack of: boot and idle; interrupts; faults
 *                heap, at most 8 MiB, ending with RAM if that is earlier
 *   0x4100_0000  never touched: 16 MiB of RAM are enough
 */
#ifndef RTOS_ARCH_LAYOUT_H
#define RTOS_ARCH_LAYOUT_H

#define LAYOUT_DEVICE_BASE 0x08000000
#define LAYOUT_RAM_BASE 0x40000000
#define LAYOUT_TREE_BYTES 0x00200000 /* reserved for the device tree at the start of RAM */
#define LAYOUT_IMAGE_BASE 0x40200000
#define LAYOUT_IMAGE_BYTES 0x00200000 /* one level-3 table's reach */
#define LAYOUT_RAM_LIMIT 0x41000000
#define LAYOUT_HEAP_BYTES 0x00800000

#define LAYOUT_PAGE_BYTES 0x1000
#define LAYOUT_BLOCK_BYTES 0x200000
#define LAYOUT_STACK_BYTES 0x2000 /* boot, then the idle task */
#define LAYOUT_IRQ_STACK_BYTES 0x2000
#define LAYOUT_FAULT_STACK_BYTES 0x2000

#endif
