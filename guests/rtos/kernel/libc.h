/* SPDX-License-Identifier: Apache-2.0 */
/* What newlib needs from the kernel: syscalls.c and libc_lock.c implement its retargeting interface. */
#ifndef RTOS_KERNEL_LIBC_H
#define RTOS_KERNEL_LIBC_H

#include <stdint.h>

/* Gives the C library its heap: from the image's end, LAYOUT_HEAP_BYTES at most, not beyond ram_end. Before any use. */
void libc_init(uint64_t ram_end);

#endif
