/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Announced sleeps (hv/include/abi/camber_call.h): the idle task tells the hypervisor until when it will wait, and is woken then
 * with real-time priority. What is announced is the timer's next deadline; the timer is set as ever, for it is what
 * interrupts. Written by a task, read by the idle task; one CPU, so there is no lock.
 */
#include "arch/cpu.h"
#include "arch/smccc.h"
#include "arch/timer.h"
#include "kernel/sched.h"

#include "abi/camber_call.h"

static uint32_t refused_count;

/*
 * Interrupts masked, so that none comes between the choice of the deadline and the call; the hypervisor returns at once if one is
 * pending. A refused sleep is a plain one: its interrupt stays pending until the caller unmasks.
 */
static void wait_announced(uint64_t function, uint64_t argument)
{
	if (smccc_call(function, argument) == CAMBER_OK)
		return;
	refused_count++;
	cpu_wfi();
}

static void wait_until(uint64_t deadline)
{
	if (deadline == RTOS_FOREVER)
		cpu_wfi();
	else
		wait_announced(CAMBER_CALL_RT_SLEEP_UNTIL, deadline);
}

/* The duration begins when the hypervisor looks at the clock, a little later than here; it allows for that. */
static void wait_for(uint64_t deadline)
{
	uint64_t now = timer_now();

	if (deadline == RTOS_FOREVER)
		cpu_wfi();
	else if (deadline > now)
		wait_announced(CAMBER_CALL_RT_SLEEP, rtos_ticks_to_ns(deadline - now));
}

static bool is_camber(void)
{
	register uint64_t x0 __asm__("x0") = CAMBER_CALL_UID;
	register uint64_t x1 __asm__("x1");
	register uint64_t x2 __asm__("x2");
	register uint64_t x3 __asm__("x3");

	__asm__ volatile("hvc #0"
			 : "+r"(x0), "=r"(x1), "=r"(x2), "=r"(x3)
			 :
			 : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17",
			   "memory");
	return (uint32_t)x0 == CAMBER_UID_0 && (uint32_t)x1 == CAMBER_UID_1 && (uint32_t)x2 == CAMBER_UID_2 &&
	       (uint32_t)x3 == CAMBER_UID_3;
}

int rtos_announce_sleep(enum rtos_announce how)
{
	int64_t result;

	if (how != RTOS_ANNOUNCE_NONE && how != RTOS_ANNOUNCE_UNTIL && how != RTOS_ANNOUNCE_FOR)
		return RTOS_EINVAL;
	if (!is_camber())
		return RTOS_ENOSYS;
	result = smccc_call(CAMBER_CALL_RT_MODE,
			    how == RTOS_ANNOUNCE_NONE ? CAMBER_RT_TRANSPARENT : CAMBER_RT_ANNOUNCED);
	if (result == CAMBER_DENIED)
		return RTOS_EDENIED;
	if (result != CAMBER_OK)
		return RTOS_ENOSYS;
	sched_idle_wait(how == RTOS_ANNOUNCE_NONE ? NULL : how == RTOS_ANNOUNCE_UNTIL ? wait_until : wait_for);
	return RTOS_OK;
}

uint32_t rtos_announce_refused(void)
{
	return refused_count;
}
