/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What newlib and the kernel want from each other; syscalls.c, lock.c and reent.c are newlib's retargeting interface.
 */
#ifndef RTOS_LIBC_LIBC_H
#define RTOS_LIBC_LIBC_H

#include <stdint.h>

struct rtos_task;

/*
 * Gives the C library its heap: from the image's end, LAYOUT_HEAP_BYTES at most, not beyond ram_end. Before any use.
 */
void libc_init(uint64_t ram_end);

/* The idle task (boot) has the library's own, global state. */
void libc_idle_init(struct rtos_task *idle);

/* Puts a task's state (errno, streams, strtok's place...) below `top` of its stack; returns what is the top then. */
uint8_t *libc_task_init(struct rtos_task *task, uint8_t *top);

/* The running task ends: flushes its streams and frees their buffers. */
void libc_task_done(struct rtos_task *task);

#endif
