/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Panic: the last line, then the end of the machine's run. Any CPU, any context, nothing assumed to work. The second CPU to
 * come here halts: one record is readable, two mixed ones aren't.
 */
#include "camber/panic.h"

#include <stdarg.h>

#include "camber/arch/cpu.h"
#include "camber/console.h"
#include "camber/lib.h"
#include "camber/log.h"
#include "camber/pcpu.h"

/* The last ones of each CPU: on a line of 115,200 baud about a third of a second. */
#define TRACE_RECORDS 256u

static uint32_t panicking;

void panic_finish(void)
{
	if (__atomic_exchange_n(&panicking, 1, __ATOMIC_ACQUIRE))
		arch_halt();
	arch_cpu_stop_others();
	trace_panic(TRACE_RECORDS);
#ifdef CONFIG_PANIC_REBOOT
	log_line("panic: resetting; the log is kept, `log previous` shows it");
	arch_reboot();
#else
	log_line("panic: halted");
	arch_halt();
#endif
}

void panic(const char *fmt, ...)
{
	char text[160];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (arch_pcpu())
		trace(HV_FAULT, 0, trace_lo((uintptr_t)__builtin_return_address(0)),
		      trace_hi((uintptr_t)__builtin_return_address(0)), 0, 0);
	console_force_unlock();
	log_force_unlock();
	log_line("panic: %s (called from %p)", text, __builtin_return_address(0));
	panic_finish();
}
