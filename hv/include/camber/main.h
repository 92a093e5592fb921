/* SPDX-License-Identifier: Apache-2.0 */
/* The portable end of the boot, and the monitor. */
#ifndef CAMBER_MAIN_H
#define CAMBER_MAIN_H

/*
 * Boot CPU, all CPUs online: checks the bundle, makes the VMs, starts those that start by themselves. Returns; the caller then
 * enters guests. Halts with one line of log when the bundle can't be used.
 */
void main_boot(const void *bundle, uint64_t bytes);

/* Takes the board's boot arguments, NULL: none. Before main_boot(). Unknown words get a line of log each. */
void main_options(const char *text);

/* Takes the monitor's place on the console. From here on the console's output doesn't wait for the wire. */
void monitor_init(void);

#endif
