/* SPDX-License-Identifier: Apache-2.0 */
/* Driver of a physical Arm PL011 (DDI 0183), the console's. */
#ifndef CAMBER_UART_PL011_H
#define CAMBER_UART_PL011_H

#include "camber/console.h"

extern const struct uart_ops pl011_ops;

/*
 * The device argument of pl011_ops: the UART's registers at `base`. Speed and format stay as firmware set them; transmitter,
 * receiver and FIFOs are switched on.
 */
void *pl011_init(uint64_t base);

#endif
