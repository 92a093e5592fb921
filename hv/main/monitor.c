/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Monitor: a few commands on the console, for whoever brings a board up.
 *
 * Runs in the console's receive interrupt and in a timer on the same CPU; no lock held. A command that has more to say than a
 * few lines is a job: the timer continues it, JOB_STEPS lines at a time and only while the wire has room for them, so that
 * nobody waits for it. Reads counters that other CPUs write without asking them: a figure may be one event old.
 */
#include "camber/arch/cpu.h"
#include "camber/arch/vcpu.h"
#include "camber/console.h"
#include "camber/log.h"
#include "camber/main.h"
#include "camber/panic.h"
#include "camber/vm.h"
#include "main_priv.h"

#define SAY_BYTES 256
#define LABELS_BYTES (VM_MAX * (BUNDLE_LABEL_BYTES + 1))

/* A job's turn: so many lines, then others have the CPU for this long; longer when the wire is slow. */
#define JOB_STEPS 4u
#define JOB_PAUSE_NS 100000u
#define JOB_WAIT_NS 5000000u

/* What is typed while a job is at work is kept until it is done. */
#define AHEAD_BYTES 64u

struct monitor_job monitor_job;

static struct {
	struct timer timer;
	uint32_t used;
	char typed[AHEAD_BYTES];
} ahead;

void monitor_say(const char *fmt, ...)
{
	char text[SAY_BYTES];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text) - 1, fmt, ap);
	va_end(ap);
	n = MIN(n, (int)sizeof(text) - 2);
	text[n] = '\n';
	(void)console_monitor_write(text, (size_t)n + 1, false);
}

/* --- the commands: name, arguments that completion offers, help ------------------------------------------------------- */

enum command {
	CMD_HELP,
	CMD_VM,
	CMD_STAT,
	CMD_CPU,
	CMD_MEM,
	CMD_SCHED,
	CMD_TRACE,
	CMD_LOG,
	CMD_CONSOLE,
	CMD_CRASH,
	CMD_REBOOT
};
enum verb { VERB_LIST, VERB_START, VERB_STOP, VERB_RESTART, VERB_PAUSE, VERB_RESUME, VERB_RESET, VERBS };

/* Text rather than a table of pointers, each of which would have to be relocated. */
static const char commands[] =
	"help\0\0this list\0"
	"vm\0list start stop restart pause resume reset\0[list [-v]], <vm>: state; start|stop|restart|pause|resume|reset <vm>\0"
	"stat\0\0time and exits of each CPU, its longest stay in the hypervisor\0"
	"cpu\0\0what each CPU runs, and where its time went\0"
	"mem\0\0memory of the board\0"
	"sched\0" SCHED_WORDS "\0[list]: what vCPUs may use; stat: what they used; set <what> <value>\0"
	"trace\0" TRACE_VERBS "\0what is recorded and where it goes; docs/trace.md\0"
	"log\0previous\0log of this boot; previous: of the boot before\0"
	"console\0" CONSOLE_MODES "\0mode of the console\0"
	"crash\0data stack undef panic\0fault in the hypervisor on purpose\0"
	"reboot\0\0reset the board\0";

/* Entry n; an empty string behind the last one. */
static const char *command(unsigned int n)
{
	const char *entry = commands;

	while (n-- && *entry)
		entry = str_nth(entry, 3);
	return entry;
}

bool monitor_label(unsigned int n, char text[WORD_BYTES])
{
	struct vm *vm = vm_get(n);

	if (vm)
		(void)str_copy(text, vm->label, WORD_BYTES);
	return vm;
}

static int command_find(const char *name)
{
	const char *entry;
	int i = 0;

	for (entry = commands; *entry; entry = str_nth(entry, 3), i++)
		if (!strcmp(name, entry))
			return i;
	return -1;
}

bool monitor_candidate(const char *line, unsigned int word, unsigned int n, char text[WORD_BYTES])
{
	const char *args;
	int cmd;

	if (word == 0) {
		(void)str_copy(text, command(n), WORD_BYTES);
		return *text;
	}
	(void)word_get(line, 0, text);
	cmd = command_find(text);
	if (cmd < 0)
		return false;
	args = str_nth(command((unsigned int)cmd), 1);
	if (word == 1 && word_get(args, n, text))
		return true;
	if (cmd == CMD_SCHED)
		return monitor_sched_candidate(line, word, n, text);
	if (cmd == CMD_TRACE)
		return monitor_trace_candidate(line, word, n, text);
	if (cmd != CMD_VM || word > 2)
		return false;
	if (word == 1)
		return monitor_label(n - VERBS, text);
	(void)word_get(line, 1, text);
	return word_index(args, text) > VERB_LIST && monitor_label(n, text);
}

/* --- jobs: each prints a line ----------------------------------------------------------------------------------------- */

static bool help_step(void)
{
	const char *entry = command(monitor_job.i++);

	if (*entry)
		monitor_say("%-8s %s", entry, str_nth(entry, 2));
	return *entry;
}

uint64_t monitor_ran(const struct sched_stats *st)
{
	uint64_t ticks = 0;
	unsigned int i;

	for (i = 0; i < SCHED_CLASSES; i++)
		ticks += st->ran[i];
	return ticks;
}

unsigned long long monitor_us(uint64_t ticks)
{
	return (time_ticks_to_ns(ticks) + 500) / 1000;
}

static void say_vcpu(struct vcpu *v)
{
	struct sched_stats st;

	sched_unit_stats(&v->unit, &st);
	monitor_say("  vCPU %u on CPU %u %s run %llu us, %llu wake-ups, %llu switches", v->index,
		    sched_unit_cpu(&v->unit), v->powered ? "on " : "off", monitor_us(monitor_ran(&st)),
		    (unsigned long long)st.wakeups, (unsigned long long)st.switches);
}

static void say_vm(const struct vm *vm)
{
	static const char why[] = "off\0reset\0crash\0damaged images\0order\0restart";
	bool runs = vm->state == VM_RUNNING || vm->state == VM_PAUSING || vm->state == VM_PAUSED;
	uint64_t bytes = 0;
	unsigned int i;

	for (i = 0; i < vm->cfg->mem_count; i++)
		bytes += vm->cfg->mem[i].bytes;
	monitor_say("%u %-15s %-8s starts %llu crashes %llu memory %llu MiB last stop: %s", vm->id, vm->label,
		    vm_state_name(vm->state), (unsigned long long)vm->starts, (unsigned long long)vm->crashes,
		    (unsigned long long)bytes >> 20,
		    vm->starts + vm->crashes > runs ? str_nth(why, vm->stop_reason) : "none");
}

/* VMs monitor_job.i to monitor_job.end, with their vCPUs if monitor_job.flag. */
static bool vm_step(void)
{
	const struct vm *vm = vm_get(monitor_job.i);

	if (!vm || monitor_job.i > monitor_job.end)
		return false;
	if (monitor_job.j)
		say_vcpu(vm->vcpu[monitor_job.j - 1]);
	else
		say_vm(vm);
	if (monitor_job.flag && monitor_job.j++ < vm->vcpu_count)
		return true;
	monitor_job.i++;
	monitor_job.j = 0;
	return true;
}

/* Line 0 of CPU monitor_job.i, then a line for each class of exit that it has had. */
static bool stat_step(void)
{
	const struct pcpu *p;

	if (monitor_job.i >= pcpu_count())
		return false;
	p = pcpu_get(monitor_job.i);
	if (!monitor_job.j)
		monitor_say("CPU %u: hypervisor %llu ns in all, longest stay %llu ns (guest PC 0x%llx, ESR 0x%llx)",
			    monitor_job.i, (unsigned long long)time_ticks_to_ns(p->stay_total),
			    (unsigned long long)time_ticks_to_ns(p->stay_worst), (unsigned long long)p->stay_worst_pc,
			    (unsigned long long)p->stay_worst_cause);
	else
		monitor_say("  exits of class 0x%02x: %llu", monitor_job.j - 1,
			    (unsigned long long)p->exits[monitor_job.j - 1]);
	/* monitor_job.j is 1 + the class. */
	while (++monitor_job.j <= PCPU_EXIT_CLASSES && !p->exits[monitor_job.j - 1])
		;
	if (monitor_job.j > PCPU_EXIT_CLASSES) {
		monitor_job.i++;
		monitor_job.j = 0;
	}
	return true;
}

/* A CPU that sleeps does so since its last stay, but for what it took to find nothing to run. */
uint64_t monitor_idle(const struct pcpu *p)
{
	uint64_t idle = READ_ONCE(p->sched.idle_ticks), since = READ_ONCE(p->stay_start);

	return READ_ONCE(p->current) ? idle : idle + arch_now() - since;
}

static bool cpu_step(void)
{
	uint64_t now, idle, stays = 0;
	const struct vcpu *v;
	const struct pcpu *p;
	const struct vm *vm;
	unsigned int i, j, vcpus;

	if (monitor_job.i >= pcpu_count())
		return false;
	p = pcpu_get(monitor_job.i++);
	for (vcpus = i = 0; (vm = vm_get(i)); i++)
		for (j = 0; j < vm->vcpu_count; j++)
			if (sched_unit_cpu(&vm->vcpu[j]->unit) == p->id)
				vcpus++;
	for (i = 0; i < PCPU_EXIT_CLASSES; i++)
		stays += p->exits[i];
	v = READ_ONCE(p->current);
	idle = monitor_idle(p);
	now = arch_now();
	monitor_say("CPU %u: %s, %u vCPUs, runs %s; guests %llu us, hypervisor %llu us in %llu stays, idle %llu us",
		    p->id, p->online ? "online" : "off", vcpus, v ? v->vm->label : "nobody",
		    monitor_us(MAX((int64_t)(now - idle - p->stay_total), 0)), monitor_us(p->stay_total),
		    (unsigned long long)stays, monitor_us(idle));
	return true;
}

/* Whole lines, as many as fit a piece. */
static bool log_step(void)
{
	char text[SAY_BYTES];
	size_t n = log_read(monitor_job.flag, &monitor_job.at, text, sizeof(text)), end = n;

	while (end && text[end - 1] != '\n')
		end--;
	if (end)
		monitor_job.at -= (uint32_t)(n - end);
	(void)console_monitor_write(text, end ? end : n, false);
	return n;
}

/* --- commands that are done at once ----------------------------------------------------------------------------------- */

static void say_mem(void)
{
	struct mem_stats s;

	mem_stats(&s);
	monitor_say("total %llu KiB, kept %llu KiB (page tables %llu KiB), free %llu KiB",
		    (unsigned long long)s.total_bytes >> 10, (unsigned long long)s.kept_bytes >> 10,
		    (unsigned long long)s.table_bytes >> 10, (unsigned long long)s.free_bytes >> 10);
}

bool monitor_console(const char *mode)
{
	int i = word_index(CONSOLE_MODES, mode);

	if (i >= 0)
		console_interactive = i;
	return i >= 0;
}

static uint64_t __attribute__((noinline)) recurse(volatile uint64_t depth)
{
	volatile uint64_t room[32];

	room[depth & 31] = depth;
	return depth == UINT64_MAX ? 0 : recurse(depth + 1) + room[depth & 31];
}

static void crash(int how)
{
	if (how == 1)
		monitor_say("%llu", (unsigned long long)recurse(0));
	else if (how == 2)
		__builtin_trap();
	else if (how == 3)
		panic("asked for on the console");
	else
		*(volatile uint32_t *)(uintptr_t)0x7ffffff000 = 1;
}

static void vm_order(struct vm *vm, enum verb verb, const char *name)
{
	int ret;

	switch (verb) {
	case VERB_START:
		ret = vm_start(vm);
		break;
	case VERB_STOP:
		ret = vm_stop(vm, VM_STOP_ORDER);
		break;
	case VERB_RESTART:
		ret = vm_stop(vm, VM_STOP_RESTART) ? vm_start(vm) : 0;
		break;
	case VERB_PAUSE:
		ret = vm_pause(vm);
		break;
	case VERB_RESUME:
		ret = vm_resume(vm);
		break;
	default:
		ret = vm_stop(vm, VM_STOP_RESET);
	}
	monitor_say("vm %s: %s%s, %s", vm->label, name, ret ? " is not possible" : "", vm_state_name(vm->state));
}

void monitor_job_start(bool (*step)(void), bool flag)
{
	monitor_job = (struct monitor_job){ .step = step, .end = VM_MAX, .flag = flag };
	timer_arm(&ahead.timer, &arch_pcpu()->timers, arch_now());
}

void monitor_job_start_vm(bool (*step)(void), bool flag, const struct vm *vm)
{
	monitor_job_start(step, flag);
	while (vm_get(monitor_job.i) != vm)
		monitor_job.i++;
	monitor_job.end = monitor_job.i;
}

/* For messages: the VMs there are. */
static const char *labels(char text[LABELS_BYTES])
{
	struct vm *vm;
	size_t n = 0;
	unsigned int i;

	text[0] = '\0';
	for (i = 0; (vm = vm_get(i)); i++)
		n += (size_t)snprintf(text + n, LABELS_BYTES - n, " %s", vm->label);
	return text;
}

void monitor_refuse(const char *cmd, const char *sub, const char *word, const char *allowed)
{
	monitor_say(*word ? "%s%s: unknown argument \"%s\"; allowed: %s" : "%s%s: argument missing%s; allowed: %s", cmd,
		    sub, word, allowed);
}

struct vm *monitor_vm(const char *cmd, const char *sub, const char *name)
{
	struct vm *vm = vm_find(name);
	char all[LABELS_BYTES];

	if (!vm)
		monitor_say(*name ? "%s%s: no VM \"%s\"; allowed:%s" : "%s%s: which VM?%s allowed:%s", cmd, sub, name,
			    labels(all));
	return vm;
}

/* vm [list [-v]], vm <vm>, vm <verb> <vm>. False: `word` isn't allowed, or missing. */
static void cmd_vm(const char *line, const char *verbs)
{
	char word[WORD_BYTES], name[WORD_BYTES], all[LABELS_BYTES];
	bool verbose;
	struct vm *vm;
	int verb;

	(void)word_get(line, 1, word);
	(void)word_get(line, 2, name);
	verb = word_index(verbs, word);
	verbose = !strcmp(name, "-v");
	if (!*word || (verb == VERB_LIST && (!*name || verbose))) {
		monitor_job_start(vm_step, verbose);
		return;
	}
	if (verb == VERB_LIST) {
		monitor_refuse("vm ", word, name, "-v");
		return;
	}
	if (verb > VERB_LIST) {
		vm = monitor_vm("vm ", word, name);
		if (vm)
			vm_order(vm, (enum verb)verb, word);
		return;
	}
	vm = vm_find(word);
	if (vm && !*name) {
		monitor_job_start_vm(vm_step, true, vm);
	} else {
		monitor_say("vm: unknown argument \"%s\"; allowed: %s, or a VM:%s", vm ? name : word, verbs,
			    labels(all));
	}
}

static void cmd_log(bool previous)
{
	char none;
	uint32_t at = 0;

	if (log_read(previous, &at, &none, 1))
		monitor_job_start(log_step, previous);
	else
		monitor_say("log: nothing was kept from a previous boot");
}

/* Its beginning, four characters a word. */
static void trace_command(const char *line)
{
	uint32_t word[TRACE_WORDS] = { 0 };
	unsigned int i;

	for (i = 0; i < sizeof(word) && line[i]; i++)
		word[i / 4] |= (uint32_t)(uint8_t)line[i] << (i % 4 * 8);
	trace(COMMAND, word[0], word[1], word[2], word[3], word[4]);
}

void monitor_run(const char *line)
{
	char name[WORD_BYTES], arg[WORD_BYTES], extra[WORD_BYTES];
	const char *args;
	unsigned int max;
	int cmd, which;

	if (!word_get(line, 0, name))
		return;
	trace_command(line);
	cmd = command_find(name);
	if (cmd < 0) {
		monitor_say("unknown command \"%s\", try help", name);
		return;
	}
	args = str_nth(command((unsigned int)cmd), 1);
	(void)word_get(line, 1, arg);
	which = word_index(args, arg);
	/* The settings check how many words they take. */
	max = 2;
	if (cmd == CMD_VM || (cmd == CMD_TRACE && which > TRACE_VERB_OFF))
		max = 3;
	else if ((cmd == CMD_SCHED && which == SCHED_VERB_SET) || cmd == CMD_TRACE)
		max = LINE_BYTES;
	if (word_get(line, max, extra) || (cmd != CMD_VM && *arg && which < 0)) {
		monitor_refuse(name, "", *extra ? extra : arg, *extra ? "fewer" : *args ? args : "none");
		return;
	}
	switch ((enum command)cmd) {
	case CMD_HELP:
		monitor_job_start(help_step, false);
		break;
	case CMD_VM:
		cmd_vm(line, args);
		break;
	case CMD_STAT:
		monitor_job_start(stat_step, false);
		break;
	case CMD_CPU:
		monitor_job_start(cpu_step, false);
		break;
	case CMD_MEM:
		say_mem();
		break;
	case CMD_SCHED:
		monitor_sched(line, which);
		break;
	case CMD_TRACE:
		monitor_trace(line, which);
		break;
	case CMD_LOG:
		cmd_log(which == 0);
		break;
	case CMD_CONSOLE:
		if (!monitor_console(arg))
			monitor_say("console: %s", console_interactive ? "interactive" : "batch");
		break;
	case CMD_CRASH:
		crash(which);
		break;
	case CMD_REBOOT:
		log_line("monitor: reboot");
		trace_keep();
		console_flush();
		arch_reboot();
	}
}

/* --- input ------------------------------------------------------------------------------------------------------------ */

static void key(char c)
{
	const char *line = lineedit_key(c);

	if (!line)
		return;
	monitor_run(line);
	if (!monitor_job.step)
		lineedit_show();
}

static void job_turn(struct timer *t)
{
	unsigned int n;
	uint32_t i;

	for (n = 0; monitor_job.step && n < JOB_STEPS && console_monitor_room() >= SAY_BYTES; n++)
		if (!monitor_job.step())
			monitor_job.step = NULL;
	if (monitor_job.step) {
		timer_arm(t, &arch_pcpu()->timers, arch_now() + time_ns_to_ticks(n ? JOB_PAUSE_NS : JOB_WAIT_NS));
		return;
	}
	lineedit_show();
	for (i = 0; i < ahead.used && !monitor_job.step; i++)
		key(ahead.typed[i]);
	ahead.used -= i;
	memmove(ahead.typed, ahead.typed + i, ahead.used);
}

static void rx(char c)
{
	if (!monitor_job.step)
		key(c);
	else if (c == 0x03) /* Ctrl-C: the timer finds no job any more */
		monitor_job.step = NULL;
	else if (ahead.used < AHEAD_BYTES)
		ahead.typed[ahead.used++] = c;
}

void monitor_init(void)
{
	timer_init(&ahead.timer, job_turn);
	console_monitor_set(rx);
	monitor_trace_init();
	/* Guests start after this. */
	console_async();
}
