/* SPDX-License-Identifier: Apache-2.0 */
/* What unit tests share: cmocka with what it needs before it, memory for the page allocator, CPUs, a console to look at. */
#ifndef UNIT_SUPPORT_H
#define UNIT_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host.h"

/* Text of the last panic(). */
extern char unit_panic_text[256];

/* Gives the page allocator RAM of this size, once per program. */
void unit_memory(uint64_t bytes);

/* Makes `count` CPUs and this thread CPU 0. */
void unit_cpus(unsigned int count);
struct pcpu *unit_cpu(unsigned int id);

/* A VM without vCPUs: label, id, an empty map. */
struct vm *unit_vm(const char *label, uint32_t id);

/* Everything that went out on the console's wire since the last call, as a string; the console starts with the first. */
const char *unit_wire(void);

/* Time passes on CPU 0, which takes its timer interrupts. Returns how many there were. */
unsigned int unit_pass(uint64_t ticks);

/* All of it has arrived when the one interrupt comes. */
void unit_type_burst(const char *text);

/* Lets the console receive text. */
void unit_type(const char *text);

#endif
