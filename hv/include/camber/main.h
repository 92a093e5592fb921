/* SPDX-License-Identifier: Apache-2.0 */
/* The portable end of the boot, and the monitor. */
#ifndef CAMBER_MAIN_H
#define CAMBER_MAIN_H

/*
 * Boot CPU, all CPUs online: checks the bundle, makes the VMs, starts those that start by themselves. Returns; the caller then
 * enters guests. Halts with one line of log when the bundle can't be used.
 */
void main_boot(const void *bundle, uint64_t bytes);

/* Takes the monitor's place on the console. */
void monitor_init(void);

#endif
