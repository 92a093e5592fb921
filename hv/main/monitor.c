/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Monitor: a few commands on the console, for whoever brings a board up.
 *
 * Runs in the console's receive interrupt, on the CPU that takes it; no lock held while a command runs. Reads counters that
 * other CPUs write without asking them: a figure may be one event old.
 */
#include "camber/arch/cpu.h"
#include "camber/arch/vcpu.h"
#include "camber/console.h"
#include "camber/log.h"
#include "camber/main.h"
#include "camber/panic.h"
#include "camber/vm.h"

#define LINE_BYTES 80

static char line[LINE_BYTES];
static unsigned int used;

static const char *const state_names[] = {
	[VM_OFF] = "off",
	[VM_LOADING] = "loading",
	[VM_RUNNING] = "running",
	[VM_STOPPING] = "stopping",
};

static void say(const char *fmt, ...) __printf(1, 2);
static void say(const char *fmt, ...)
{
	char text[200];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text) - 1, fmt, ap);
	va_end(ap);
	n = MIN(n, (int)sizeof(text) - 2);
	text[n] = '\n';
	console_write(text, (size_t)n + 1);
}

static void cmd_vm(const char *arg __unused)
{
	struct vm *vm;
	unsigned int i, j;

	for (i = 0; (vm = vm_get(i)); i++) {
		say("%u %-15s %-8s starts %llu crashes %llu", vm->id, vm->label, state_names[vm->state],
		    (unsigned long long)vm->starts, (unsigned long long)vm->crashes);
		for (j = 0; j < vm->vcpu_count; j++) {
			struct vcpu *v = vm->vcpu[j];

			say("  vCPU %u on CPU %u %s run %llu us, %llu wake-ups, %llu switches", j, v->unit.cpu,
			    v->powered ? "on " : "off", (unsigned long long)time_ticks_to_ns(v->unit.run_ticks) / 1000,
			    (unsigned long long)v->unit.wakeups, (unsigned long long)v->unit.switches);
		}
	}
}

static void cmd_stat(const char *arg __unused)
{
	unsigned int i, c;

	for (i = 0; i < pcpu_count(); i++) {
		const struct pcpu *p = pcpu_get(i);

		say("CPU %u: hypervisor %llu ns in all, longest stay %llu ns (guest PC 0x%llx, ESR 0x%llx)", i,
		    (unsigned long long)time_ticks_to_ns(p->stay_total),
		    (unsigned long long)time_ticks_to_ns(p->stay_worst), (unsigned long long)p->stay_worst_pc,
		    (unsigned long long)p->stay_worst_cause);
		for (c = 0; c < PCPU_EXIT_CLASSES; c++)
			if (p->exits[c])
				say("  exits of class 0x%02x: %llu", c, (unsigned long long)p->exits[c]);
	}
}

static void cmd_mem(const char *arg __unused)
{
	struct mem_stats s;

	mem_stats(&s);
	say("total %llu KiB, kept %llu KiB (page tables %llu KiB), free %llu KiB",
	    (unsigned long long)s.total_bytes >> 10, (unsigned long long)s.kept_bytes >> 10,
	    (unsigned long long)s.table_bytes >> 10, (unsigned long long)s.free_bytes >> 10);
}

static void cmd_log(const char *arg)
{
	bool previous = !strcmp(arg, "previous");

	if (*arg && !previous)
		say("log: unknown argument \"%s\" (log [previous])", arg);
	else if (!log_dump(previous, console_write))
		say("log: nothing was kept from a previous boot");
}

static void cmd_reboot(const char *arg __unused)
{
	log_line("monitor: reboot");
	arch_reboot();
}

static uint64_t __attribute__((noinline)) recurse(volatile uint64_t depth)
{
	volatile uint64_t room[32];

	room[depth & 31] = depth;
	return depth == UINT64_MAX ? 0 : recurse(depth + 1) + room[depth & 31];
}

/* Debug command: faults in the hypervisor on purpose, to see the record. */
static void cmd_crash(const char *arg)
{
	if (!strcmp(arg, "stack"))
		say("%llu", (unsigned long long)recurse(0));
	else if (!strcmp(arg, "undef"))
		__builtin_trap();
	else if (!strcmp(arg, "panic"))
		panic("asked for on the console");
	else if (!*arg || !strcmp(arg, "data"))
		*(volatile uint32_t *)(uintptr_t)0x7ffffff000 = 1;
	else
		say("crash: unknown argument \"%s\" (crash [data|stack|undef|panic])", arg);
}

static void cmd_help(const char *arg);

static const struct command {
	const char *name;
	void (*run)(const char *arg);
	const char *help;
} commands[] = {
	{ "help", cmd_help, "this list" },
	{ "vm", cmd_vm, "virtual machines and their vCPUs" },
	{ "stat", cmd_stat, "time and exits per CPU" },
	{ "mem", cmd_mem, "memory of the board" },
	{ "log", cmd_log, "log of this boot; `log previous`: of the boot before" },
	{ "crash", cmd_crash, "fault in the hypervisor on purpose: data, stack, undef, panic" },
	{ "reboot", cmd_reboot, "reset the board" },
};

static void cmd_help(const char *arg __unused)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		say("%-8s %s", commands[i].name, commands[i].help);
}

static void run(char *text)
{
	char *arg = strchr(text, ' ');
	unsigned int i;

	if (arg)
		*arg++ = '\0';
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(text, commands[i].name)) {
			commands[i].run(arg ? arg : "");
			return;
		}
	}
	say("unknown command \"%s\", try help", text);
}

static void rx(char c)
{
	if (c == '\r' || c == '\n') {
		line[used] = '\0';
		if (used) {
			say("camber> %s", line);
			run(line);
		}
		used = 0;
	} else if ((c == 0x7f || c == '\b') && used) {
		used--;
	} else if (c >= ' ' && c < 0x7f && used < LINE_BYTES - 1) {
		line[used++] = c;
	}
}

void monitor_init(void)
{
	console_monitor_set(rx);
}
