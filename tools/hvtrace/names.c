/* SPDX-License-Identifier: Apache-2.0 */
/* What the words of records are called. See event.h. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "event.h"

static const char *const sched_classes[] = { "rt", "boost", "under", "over", "idle" };
static const char *const whys[] = { "timer", "event", "ipi", "sleep", "start" };
static const char *const lefts[] = { "off", "blocked", "queued", "running" };
/* enum vm_state, enum vm_stop of camber/vm.h. */
static const char *const states[] = { "off", "loading", "running", "stopping", "waiting", "pausing", "paused" };
static const char *const reasons[] = { "off", "reset", "crash", "damaged", "order", "restart" };

/* ESR_EL2.EC (Arm ARM D19.2.37), as far as a guest's exits have it. */
static const char *const exceptions[64] = {
	[0x00] = "unknown", [0x01] = "wfx",        [0x03] = "cp15",     [0x04] = "cp15",       [0x05] = "cp14",
	[0x06] = "cp14",    [0x07] = "fp",         [0x08] = "cp10",     [0x09] = "pauth",      [0x0c] = "cp14",
	[0x0e] = "illegal", [0x12] = "hvc32",      [0x13] = "smc32",    [0x16] = "hvc",        [0x17] = "smc",
	[0x18] = "sysreg",  [0x19] = "sve",        [0x1a] = "eret",     [0x1d] = "sme",        [0x20] = "iabt",
	[0x22] = "pc",      [0x24] = "dabt",       [0x25] = "dabt-el2", [0x26] = "sp",         [0x21] = "iabt-el2",
	[0x2f] = "serror",  [0x30] = "breakpoint", [0x32] = "step",     [0x34] = "watchpoint", [0x3c] = "brk",
};

static const struct {
	uint32_t function; /* of the 32-bit convention */
	const char *name;
} psci_calls[] = {
	{ 0x80000000, "SMCCC_VERSION" },
	{ 0x80000001, "SMCCC_ARCH_FEATURES" },
	{ 0x84000000, "PSCI_VERSION" },
	{ 0x84000001, "CPU_SUSPEND" },
	{ 0x84000002, "CPU_OFF" },
	{ 0x84000003, "CPU_ON" },
	{ 0x84000004, "AFFINITY_INFO" },
	{ 0x84000005, "MIGRATE" },
	{ 0x84000006, "MIGRATE_INFO_TYPE" },
	{ 0x84000007, "MIGRATE_INFO_UP_CPU" },
	{ 0x84000008, "SYSTEM_OFF" },
	{ 0x84000009, "SYSTEM_RESET" },
	{ 0x8400000a, "PSCI_FEATURES" },
	{ 0x8400000b, "CPU_FREEZE" },
	{ 0x8400000c, "CPU_DEFAULT_SUSPEND" },
	{ 0x8400000d, "NODE_HW_STATE" },
	{ 0x8400000e, "SYSTEM_SUSPEND" },
	{ 0x84000012, "SYSTEM_RESET2" },
};

static const char *number(char text[NAME_ROOM], uint32_t n)
{
	(void)snprintf(text, NAME_ROOM, "<%u>", n);
	return text;
}

static const char *listed(char text[NAME_ROOM], uint32_t n, const char *const *names, size_t count)
{
	if (n >= count || !names[n])
		return number(text, n);
	(void)snprintf(text, NAME_ROOM, "%s", names[n]);
	return text;
}

const char *vm_name(char text[NAME_ROOM], uint32_t vm, const struct vm_info *vms)
{
	if (vms && vm < HVTRACE_VMS && vms[vm].label[0])
		(void)snprintf(text, NAME_ROOM, "%s", vms[vm].label);
	else
		(void)snprintf(text, NAME_ROOM, "%u", vm);
	return text;
}

const char *vcpu_name(char text[NAME_ROOM], uint32_t vcpu, const struct vm_info *vms)
{
	size_t n;

	if (vcpu == TRACE_NOBODY)
		return strcpy(text, "idle");
	n = strlen(vm_name(text, vcpu >> 8, vms));
	(void)snprintf(text + n, NAME_ROOM - n, "/%u", vcpu & 0xff);
	return text;
}

const char *cause_name(char text[NAME_ROOM], uint32_t cause)
{
	if (cause == TRACE_CAUSE_IRQ)
		return strcpy(text, "irq");
	if (cause == TRACE_CAUSE_SERROR)
		return strcpy(text, "serror");
	if (exceptions[cause >> 26])
		return strcpy(text, exceptions[cause >> 26]);
	(void)snprintf(text, NAME_ROOM, "ec%02x", cause >> 26);
	return text;
}

const char *psci_name(char text[NAME_ROOM], uint32_t function)
{
	for (size_t i = 0; i < ARRAY_COUNT(psci_calls); i++)
		/* Bit 30: the 64-bit convention. */
		if (psci_calls[i].function == (function & ~(1u << 30))) {
			(void)snprintf(text, NAME_ROOM, "%s", psci_calls[i].name);
			return text;
		}
	(void)snprintf(text, NAME_ROOM, "0x%08x", function);
	return text;
}

const char *sched_class_name(char text[NAME_ROOM], uint32_t class)
{
	return listed(text, class, sched_classes, ARRAY_COUNT(sched_classes));
}

/* Four characters a word; what a terminal or a file format could mind is '?', and a space is '_'. */
static const char *words_text(char text[NAME_ROOM], const struct event_field *f, const struct record *r)
{
	size_t n = 0;

	for (unsigned int i = 0; i < f->words * 4u; i++) {
		unsigned char c = (unsigned char)(r->word[f->word + i / 4] >> i % 4 * 8);

		if (!c)
			break;
		text[n++] = c == ' ' ? '_' : (char)(isgraph(c) && c < 0x7f && !strchr("\"'\\", c) ? c : '?');
	}
	text[n] = 0;
	return text;
}

static const char *ticks_text(char text[NAME_ROOM], uint32_t ticks, uint64_t hz)
{
	if (ticks == TRACE_TICKS_MAX)
		return strcpy(text, "max");
	if (hz)
		return us_text(text, ticks_to_ns(ticks, hz));
	(void)snprintf(text, NAME_ROOM, "%u", ticks);
	return text;
}

const char *field_text(char text[NAME_ROOM], const struct event_field *f, const struct record *r,
		       const struct vm_info *vms, uint64_t hz)
{
	uint32_t word = r->word[f->word];

	switch (f->kind) {
	case WORD_VCPU:
		return vcpu_name(text, word, vms);
	case WORD_VM:
		return vm_name(text, word, vms);
	case WORD_TICKS:
		return ticks_text(text, word, hz);
	case WORD_CLASS:
		return sched_class_name(text, word);
	case WORD_WHY:
		return listed(text, word, whys, ARRAY_COUNT(whys));
	case WORD_LEFT:
		return listed(text, word, lefts, ARRAY_COUNT(lefts));
	case WORD_CAUSE:
		return cause_name(text, word);
	case WORD_STATE:
		return listed(text, word, states, ARRAY_COUNT(states));
	case WORD_REASON:
		return listed(text, word, reasons, ARRAY_COUNT(reasons));
	case WORD_TEXT:
		return words_text(text, f, r);
	case WORD_DEC:
		(void)snprintf(text, NAME_ROOM, "%u", word);
		return text;
	case WORD_HEX:
		if (r->event == TRACE_PSCI && !strcmp(f->name, "function"))
			return psci_name(text, word);
		/* fall through */
	case WORD_LO:
	case WORD_HI:
		break;
	}
	(void)snprintf(text, NAME_ROOM, "0x%llx", (unsigned long long)field_value(f, r));
	return text;
}
