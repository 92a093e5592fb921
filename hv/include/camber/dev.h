/* SPDX-License-Identifier: Apache-2.0 */
/* Virtual devices of a VM's platform. Each is created at boot, reset at every start of the VM, and has its own lock. */
#ifndef CAMBER_DEV_H
#define CAMBER_DEV_H

#include "camber/vm.h"

/* Arm PL011 (DDI 0183) at GUEST_UART_BASE, its interrupt a level SPI; output to a console port with the VM's label. */
int vpl011_create(struct vm *vm);

/* Arm PL031 (DDI 0224) at GUEST_RTC_BASE: seconds since 1970 from rtc_now(); match interrupt. */
int vpl031_create(struct vm *vm);

/* Where the platform's wall clock comes from: seconds since 1970 (0 when the board has none). Set once at boot. */
void vpl031_set_source(uint64_t (*seconds)(void));

/*
 * Arm's Generic Watchdog (BSA) at GUEST_WDT_BASE, as cfg->watchdog_ms and watchdog_boot_ms say: WS0 is a level SPI, WS1 ends the
 * VM by vm_watchdog_bite(). For a VM with watchdog_ms only.
 */
int vwdt_create(struct vm *vm);

#endif
