/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a unit test says to the host "architecture", and what it may ask.
 *
 * The host has memory in two views, as an Arm machine has it: what the hypervisor's cached accesses see, and what an
 * observer without caches sees (a guest whose MMU is off). It has a TLB that keeps whatever it may keep: every entry that
 * was valid once, until it is invalidated. Breaking a rule of either is a violation; it is printed and counted, and a test
 * ends by asserting host_violations() == 0.
 */
#ifndef HOST_H
#define HOST_H

#include <setjmp.h>

#include "camber/mem.h"
#include "camber/pcpu.h"
#include "camber/vm.h"

/* --- violations (model.c) ------------------------------------------------------------------------------------------- */

void host_violation(const char *fmt, ...) __printf(1, 2);
unsigned int host_violations(void);
const char *host_last_violation(void);
/* Returns the count so far and begins anew: for tests of the model itself, which break the rules on purpose. */
unsigned int host_take_violations(void);

/* --- CPUs and time (cpu.c) ------------------------------------------------------------------------------------------ */

/* Which CPU this thread is; NULL at first. */
void host_set_pcpu(struct pcpu *p);
void host_set_now(uint64_t ticks);

/* Deadline last programmed on a CPU (TIME_NEVER: off), how often it was programmed, and kicks sent to it. */
uint64_t host_timer(unsigned int cpu);
unsigned int host_timer_sets(unsigned int cpu);
unsigned int host_kicks(unsigned int cpu);

/* What happens while the CPU sleeps, or between the steps of long work; NULL: nothing, so sleep has no end. */
void host_on_idle(void (*fn)(void));
void host_on_poll(void (*fn)(void));

/* The UART that the trace finds, NULL: none; and its interrupt. */
struct uart_ops;
void host_set_trace_uart(const struct uart_ops *ops, void *dev);
void host_trace_uart_interrupt(void);

/* How a call that doesn't return ended. IDLE: the CPU went to sleep, and nobody is there to wake it. */
enum host_end { HOST_END_NONE, HOST_END_PANIC, HOST_END_REBOOT, HOST_END_POWEROFF, HOST_END_HALT, HOST_END_IDLE };

extern jmp_buf *host_end_to; /* where to; NULL: such an end aborts the test program */
void host_end(enum host_end how) __noreturn;

/* Runs a statement that is expected to end; the value says how it did. */
#define host_catch(statement)                                                                                          \
	({                                                                                                             \
		jmp_buf here_;                                                                                         \
		volatile enum host_end how_ = HOST_END_NONE;                                                           \
		host_end_to = &here_;                                                                                  \
		how_ = (enum host_end)setjmp(here_);                                                                   \
		if (how_ == HOST_END_NONE) {                                                                           \
			statement;                                                                                     \
		}                                                                                                      \
		host_end_to = NULL;                                                                                    \
		(enum host_end) how_;                                                                                  \
	})

/* --- memory and caches (cache.c) ------------------------------------------------------------------------------------ */

/* RAM, aligned to BLOCK_SIZE, both views alike. Once or more often; the caller tells mem_add(). */
hpa_t host_ram_add(uint64_t bytes);

/* The byte that an observer without caches sees at an address of such RAM. */
uint8_t host_memory_byte(hpa_t pa);

/* A violation if the two views of a range differ, or if code was written since the last instruction cache flush. */
void host_check_clean(hpa_t pa, uint64_t bytes);
void host_check_icache(void);

/* --- stage 2 and TLB (stage2.c) ------------------------------------------------------------------------------------- */

/* The model follows this map from now on; done by arch_vm_init() for a VM's. */
void host_stage2_watch(const struct gmap *map);
void host_stage2_forget(const struct gmap *map);
void host_stage2_set_ipa_bits(unsigned int bits);

/* A violation for each stale translation that the VMID may still use, and for each entry that was not written properly. */
void host_stage2_check(const struct gmap *map);

/* What a guest's access reaches at worst: a stale translation while there is one, else what the tables say. */
bool host_stage2_access(const struct gmap *map, gpa_t gpa, hpa_t *hpa, unsigned int *prot);

/* Calls fn for every leaf of a map in order of address. */
void host_stage2_leaves(const struct gmap *map, void (*fn)(uint64_t gpa, uint64_t pte, unsigned int level));

/* --- VMs (vcpu.c) --------------------------------------------------------------------------------------------------- */

/* Level of an interrupt line of a VM, and how often it was driven (changes or not). */
bool host_irq_level(const struct vm *vm, uint32_t intid);
unsigned int host_irq_drives(const struct vm *vm, uint32_t intid);

/* What arch_vcpu_irq_pending() answers for a vCPU. */
void host_set_irq_pending(struct vcpu *v, bool pending);

/* Entry and argument as set, and how often the vCPU was switched in and synchronised. */
uint64_t host_vcpu_entry(const struct vcpu *v);
uint64_t host_vcpu_arg0(const struct vcpu *v);
unsigned int host_vcpu_loads(const struct vcpu *v);
unsigned int host_vcpu_syncs(const struct vcpu *v);
bool host_vcpu_alone(const struct vcpu *v);

#endif
