/* SPDX-License-Identifier: Apache-2.0 */
/* The end: an exception or a broken assumption is recorded on the console and the machine powered off. */
#ifndef RTOS_KERNEL_FAULT_H
#define RTOS_KERNEL_FAULT_H

/* One line "rtos: fatal: why", then off. Any context. */
_Noreturn void fault_stop(const char *why);

#endif
