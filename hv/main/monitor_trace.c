/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor's command `trace`, the trace's own line, and the timer that keeps the stream going while no CPU has nothing to do.
 *
 * The line is heard, too: it takes `trace` commands, so that a tool on it needs nothing else. Locking: none; commands come in interrupts of
 * the boot CPU, as those of the console do.
 */
#include "camber/arch/cpu.h"
#include "camber/console.h"
#include "camber/errno.h"
#include "camber/log.h"
#include "camber/vm.h"
#include "main_priv.h"

#define CLASS_WORD(NAME, name, bit, what) #name " "
static const char class_names[] = TRACE_CLASSES(CLASS_WORD);
#define CLASS_BIT(NAME, name, bit, what) | 1u << (bit)
#define CLASSES_ALL (0 TRACE_CLASSES(CLASS_BIT))
_Static_assert((CLASSES_ALL & (CLASSES_ALL + 1)) == 0, "numbered from 0 on, in order");

#define STREAMS "own console off"
enum { STREAM_OWN, STREAM_CONSOLE, STREAM_OFF };
#define FULLS "overwrite stop"
#define BAUD_MIN 1200u
#define BAUD_MAX 10000000u
#define BITS_PER_BYTE 10u /* with start and stop bit */

/* While guests want all CPUs, the boot CPU gives the stream so many turns, some 10 us, and then this long none: one percent. */
#define PUMP_TURNS 32u
#define PUMP_NS 1000000u
#define PUMP_QUIET_NS 10000000u

static const struct trace_line console_line = { console_trace_put, NULL, true };
static struct trace_line own_line;
static const struct uart_ops *uart; /* of that line; NULL: none */
static struct timer pump_timer, line_timer;
static uint32_t baud = CONFIG_TRACE_BAUD, boot_classes;
static int stream = STREAM_OFF;
static char typed[LINE_BYTES];
static unsigned int typed_bytes;

/* --- the stream ------------------------------------------------------------------------------------------------------- */

static void pump(struct timer *t)
{
	uint64_t now, next;
	unsigned int n = PUMP_TURNS;

	do {
		now = arch_now();
		next = trace_turn(now);
	} while (next <= now && --n && !arch_irq_waits());
	if (next == TIME_NEVER)
		return;
	next = MIN(next, now + time_ns_to_ticks(PUMP_QUIET_NS));
	timer_arm(t, &arch_pcpu()->timers, MAX(next, now + time_ns_to_ticks(PUMP_NS)));
}

static void stream_set(int where)
{
	stream = where;
	trace_stream_set(where == STREAM_OWN     ? &own_line :
			 where == STREAM_CONSOLE ? &console_line :
						   NULL,
			 baud / BITS_PER_BYTE);
	timer_arm(&pump_timer, &arch_pcpu()->timers, arch_now());
}

static void about_cpu(unsigned int cpu, uint64_t *idle, uint64_t *stays, uint64_t *ticks)
{
	const struct pcpu *p = pcpu_get(cpu);
	unsigned int i;

	*idle = monitor_idle(p);
	*ticks = p->stay_total;
	*stays = 0;
	for (i = 0; i < PCPU_EXIT_CLASSES; i++)
		*stays += p->exits[i];
}

static const char *about_vm(unsigned int id, unsigned int *vcpus, bool *rt)
{
	struct vm *vm;
	unsigned int i;

	for (i = 0; (vm = vm_get(i)); i++)
		if (vm->id == id) {
			*vcpus = vm->vcpu_count;
			*rt = vm->cfg->flags & BUNDLE_VM_RT;
			return vm->label;
		}
	return NULL;
}

static void set_classes(uint32_t classes)
{
	unsigned int i;

	(void)trace_set_classes(&arch_pcpu()->trace, classes);
	sched_set_traced(classes & TRACE_BIT(SCHED));
	arch_mb(); /* pairs with trap_stay_end() */
	for (i = 0; (classes & TRACE_BIT(EXIT)) && i < pcpu_count(); i++)
		pcpu_get(i)->stay_limit = -1;
}

/* --- commands --------------------------------------------------------------------------------------------------------- */

/* Of a boot argument, which has no `sub`, others say that it is wrong. */
static void refuse(const char *sub, const char *word, const char *allowed)
{
	if (*sub)
		monitor_refuse("trace ", sub, word, allowed);
}

/* Word `at` on: classes, or "all". False: one is unknown, or there is none, and that was said. */
static bool classes_of(const char *line, unsigned int at, const char *sub, uint32_t *classes)
{
	char word[WORD_BYTES];
	unsigned int i;
	int bit;

	*classes = 0;
	for (i = at; word_get(line, i, word); i++) {
		bit = word_index(class_names, word);
		if (bit < 0 && strcmp(word, "all")) {
			refuse(sub, word, class_names);
			return false;
		}
		*classes |= bit < 0 ? CLASSES_ALL : BIT32(bit);
	}
	if (i == at)
		refuse(sub, "", class_names);
	return i > at;
}

static void say_state(void)
{
	char word[WORD_BYTES], text[96];
	struct trace_stats st;
	unsigned int i;
	size_t n = 0;

	trace_get_stats(&st);
	for (i = 0; word_get(class_names, i, word); i++)
		if (st.classes & BIT32(i))
			n += (size_t)snprintf(text + n, sizeof(text) - n, " %s", word);
	(void)word_get(STREAMS, (unsigned int)stream, word);
	monitor_say("trace: on%s, stream %s, rate %u, full %s", text, word, baud, st.stop ? "stop" : "overwrite");
}

/* What may follow the verbs from `dump` on. */
static const char lists[] = "previous\0" STREAMS "\0"
			    "115200\0" FULLS;

/* `which` of the list. */
static void choose(int verb, int which)
{
	if (verb == TRACE_VERB_FULL)
		trace_set_stop(which);
	else if (which == STREAM_OWN && !uart)
		monitor_say("trace: the board has no second UART, or a VM owns it");
	else
		stream_set(which);
}

static void dump(bool previous)
{
	if (stream == STREAM_OFF)
		stream_set(uart ? STREAM_OWN : STREAM_CONSOLE);
	if (trace_dump(previous))
		monitor_say("trace: nothing was kept");
}

void monitor_trace(const char *line, int verb)
{
	char word[WORD_BYTES], name[WORD_BYTES];
	const char *allowed;
	struct trace_stats st;
	uint32_t value;
	int which;

	(void)word_get(line, 1, name);
	(void)word_get(line, 2, word);
	trace_get_stats(&st);
	if (verb == TRACE_VERB_ON || (verb == TRACE_VERB_OFF && *word)) {
		if (classes_of(line, 2, name, &value))
			set_classes(verb == TRACE_VERB_ON ? st.classes | value : st.classes & ~value);
	} else if (verb == TRACE_VERB_OFF) {
		set_classes(0);
	} else if (verb == TRACE_VERB_RATE) {
		if (monitor_number(line, 2, "trace ", name, BAUD_MIN, BAUD_MAX, &value)) {
			baud = value;
			stream_set(stream);
		}
	} else if (verb >= 0) {
		allowed = str_nth(lists, (unsigned int)verb - TRACE_VERB_DUMP);
		which = word_index(allowed, word);
		if (which < 0 && (*word || verb != TRACE_VERB_DUMP))
			refuse(name, word, allowed);
		else if (verb == TRACE_VERB_DUMP)
			dump(which == 0);
		else
			choose(verb, which);
	}
	say_state();
}

bool monitor_trace_candidate(const char *line, unsigned int word, unsigned int n, char text[WORD_BYTES])
{
	int verb;

	(void)word_get(line, 1, text);
	verb = word_index(TRACE_VERBS, text);
	if (verb < TRACE_VERB_DUMP)
		return verb >= 0 && word_get(class_names, n, text);
	return word == 2 && word_get(str_nth(lists, (unsigned int)verb - TRACE_VERB_DUMP), n, text);
}

bool monitor_trace_boot(char *classes)
{
	uint32_t on;
	char *c;

	for (c = classes; *c; c++)
		if (*c == ',')
			*c = ' ';
	if (!classes_of(classes, 0, "", &on))
		return false;
	boot_classes = on;
	return true;
}

/* --- the line's other direction --------------------------------------------------------------------------------------- */

/* A line of it, without its end. */
static void heard(const char *line)
{
	static struct log_limit limit;

	if (strncmp(line, "trace ", 6)) {
		if (*line && log_limit_pass(&limit, 1))
			log_line("trace: \"%s\" on its line is none of its commands", line);
		return;
	}
	/* Who asks for records here wants to have them here. */
	if (!strncmp(line + 6, "on ", 3) && stream == STREAM_OFF)
		stream_set(STREAM_OWN);
	monitor_run(line);
}

/* What is too long is none, up to its end. So many bytes in a turn: whoever sends without end doesn't keep the CPU. */
static void line_turn(struct timer *t)
{
	unsigned int n;
	int c;

	for (n = 0; n < LINE_BYTES && (c = uart->get(own_line.dev)) >= 0; n++) {
		if (c == '\n' || c == '\r') {
			typed[typed_bytes % LINE_BYTES] = '\0';
			typed_bytes = 0;
			heard(typed);
		} else if (typed_bytes < LINE_BYTES) {
			typed[typed_bytes++] = c < ' ' || c > '~' ? '?' : (char)c;
		}
	}
	if (n == LINE_BYTES)
		timer_arm(t, &arch_pcpu()->timers, arch_now());
}

static void line_irq(void)
{
	uart->irq_ack(own_line.dev);
	line_turn(&line_timer);
}

void monitor_trace_init(void)
{
	static const struct trace_about about = { about_cpu, about_vm };

	timer_init(&pump_timer, pump);
	timer_init(&line_timer, line_turn);
	uart = arch_trace_uart(&own_line.dev, line_irq);
	if (uart)
		own_line.put = uart->put;
	trace_stream_init(&about, time_hz(), uart ? &own_line : &console_line);
	set_classes(CONFIG_TRACE_CLASSES | boot_classes);
	if (boot_classes)
		stream_set(uart ? STREAM_OWN : STREAM_CONSOLE);
}
