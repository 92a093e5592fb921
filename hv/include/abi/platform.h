/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The platform that an arm64 guest sees: addresses and interrupt numbers of QEMU's `virt` machine wherever a guest
 * would notice, so that kernels, RTOSes and firmware made for that machine run unchanged.
 *
 *   0x0000_0000  ROM (only VMs that bring one)
 *   0x0800_0000  GICv3 distributor                        64 KiB
 *   0x080a_0000  GICv3 redistributors, one per vCPU       128 KiB each
 *   0x0900_0000  PL011 console                            4 KiB     SPI 1
 *   0x0901_0000  PL031 real-time clock                    4 KiB     SPI 2
 *   0x090a_0000  stolen time of the vCPUs: memory, read-only    64 KiB (not in the tree)
 *   0x0910_0000  watchdog (SBSA generic watchdog): refresh frame, 64 KiB; control frame, 64 KiB    SPI 10
 *   0x4000_0000  RAM; the device tree lies at its start
 *
 * Guests, mkbundle and the hypervisor share this file; it is self-contained.
 */
#ifndef ABI_PLATFORM_H
#define ABI_PLATFORM_H

#define GUEST_GICD_BASE 0x08000000
#define GUEST_GICD_SIZE 0x00010000
#define GUEST_GICR_BASE 0x080a0000
#define GUEST_GICR_STRIDE 0x00020000 /* RD_base frame + SGI_base frame of one vCPU */

#define GUEST_UART_BASE 0x09000000
#define GUEST_UART_SIZE 0x00001000
#define GUEST_UART_INTID 33
#define GUEST_UART_CLOCK_HZ 24000000

#define GUEST_RTC_BASE 0x09010000
#define GUEST_RTC_SIZE 0x00001000
#define GUEST_RTC_INTID 34

/* Only VMs without Xen's interface have it. A page of 4 KiB is there; the rest is clear for guests with larger ones. */
#define GUEST_PVTIME_BASE 0x090a0000
#define GUEST_PVTIME_SIZE 0x00010000
#define GUEST_PVTIME_STRIDE 64 /* one vCPU's structure */

/* Where QEMU's machine has nothing. Only VMs with a watchdog have it. */
#define GUEST_WDT_BASE 0x09100000
#define GUEST_WDT_FRAME 0x00010000 /* refresh frame, then control frame */
#define GUEST_WDT_SIZE 0x00020000
#define GUEST_WDT_INTID 42

#define GUEST_RAM_BASE 0x40000000

/* Generic timer PPIs (Arm BSA recommendation). */
#define GUEST_PPI_HYP_TIMER 26
#define GUEST_PPI_VTIMER 27
#define GUEST_PPI_SEC_TIMER 29
#define GUEST_PPI_PTIMER 30
#define GUEST_PPI_MAINTENANCE 25
#define GUEST_PPI_PMU 23

#endif
