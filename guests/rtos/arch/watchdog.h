/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's watchdog. */
#ifndef RTOS_ARCH_WATCHDOG_H
#define RTOS_ARCH_WATCHDOG_H

#include <stdint.h>

/* Once, at boot, after the timer: switches it on, if the frames are where devices are (0: there is none). */
void watchdog_init(uint64_t control_frame, uint64_t refresh_frame);

#endif
