/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Panic: the end. Prints one record to the console and the log ring, stops the other CPUs, then reboots or halts as
 * configured. Never reachable by what a guest controls.
 */
#ifndef CAMBER_PANIC_H
#define CAMBER_PANIC_H

void panic(const char *fmt, ...) __printf(1, 2) __noreturn __cold;

/* The record of an exception taken in the hypervisor itself (registers printed by the architecture), then the end. */
void panic_finish(void) __noreturn __cold;

#ifdef CONFIG_DEBUG
#define ASSERT(c)                                                                                                      \
	do {                                                                                                           \
		if (unlikely(!(c)))                                                                                    \
			panic("assertion failed: %s (%s:%d)", #c, __FILE__, __LINE__);                                 \
	} while (0)
#else
#define ASSERT(c) ((void)sizeof(c))
#endif

#endif
