/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runner of the cases, the table made from cases.def (where each case has its comment), and the roles of a partner
 * VM. Only the boot CPU is here.
 */
#include "cases.h"

#include "gic.h"
#include "mmu.h"
#include "psci.h"
#include "timer.h"

#define WHY_BYTES 300

#define CASE(name, min_cpus, flags, what) { #name, case_##name, min_cpus, flags, what },
const struct probe_case probe_cases[] = {
#include "cases.def"
#include "hostile.def"
};
#undef CASE
const unsigned int probe_case_count = ARRAY_SIZE(probe_cases);

const char *case_name = "";
char case_why[WHY_BYTES];

enum outcome fail(const char *fmt, ...)
{
	__builtin_va_list ap;

	__builtin_va_start(ap, fmt);
	format(case_why, WHY_BYTES, fmt, ap);
	__builtin_va_end(ap);
	return OUTCOME_FAIL;
}

enum outcome skip(const char *fmt, ...)
{
	__builtin_va_list ap;

	__builtin_va_start(ap, fmt);
	format(case_why, WHY_BYTES, fmt, ap);
	__builtin_va_end(ap);
	return OUTCOME_SKIP;
}

void info(const char *fmt, ...)
{
	static char text[WHY_BYTES];
	__builtin_va_list ap;

	__builtin_va_start(ap, fmt);
	format(text, sizeof(text), fmt, ap);
	__builtin_va_end(ap);
	print("probe: info %s %s\n", case_name, text);
}

static enum outcome run_one(const struct probe_case *pc)
{
	enum outcome outcome;

	if (pc->cpus > cpu_count)
		return skip("needs %u CPUs, has %u", pc->cpus, cpu_count);
	if (pc->flags & CASE_UNDER_HV && !under_hypervisor())
		return skip("no hypervisor");
	if (trap_mark(&trap_case_mark))
		return OUTCOME_FAIL; /* an unexpected exception; trap_handle said why */
	trap_case_mark_valid = true;
	outcome = pc->run();
	trap_case_mark_valid = false;
	return outcome;
}

static void clean_up(void)
{
	irq_disable();
	(void)trap_done();
	if (!cpu_stop_all())
		print("probe: info %s leaves a CPU running\n", case_name);
	vtimer.set_ctl(0);
	ptimer.set_ctl(0);
	mmu_off();
	gic_reset();
}

/* A misspelt name must not look like a run that passed. */
static unsigned int unknown_names(const char *list)
{
	unsigned int unknown = 0;
	char word[32];

	while (list_next(&list, word, sizeof(word))) {
		bool known = !strcmp(word, "all") || !strcmp(word, "hostile");

		for (unsigned int i = 0; i < probe_case_count && !known; i++)
			known = !strcmp(word, probe_cases[i].name);
		if (!known) {
			print("probe: case %s FAIL there is no such case\n", word);
			unknown++;
		}
	}
	return unknown;
}

/* Both sets are named by one word; a case that needs a partner only by its own name. */
static bool wanted(const struct probe_case *pc, const char *list)
{
	if (list_has(list, pc->name))
		return true;
	return !(pc->flags & CASE_NAMED_ONLY) && list_has(list, pc->flags & CASE_HOSTILE ? "hostile" : "all");
}

void cases_run(const char *list, unsigned int *ok, unsigned int *failed, unsigned int *skipped)
{
	static const char *const words[] = { "ok", "FAIL ", "skip " };
	*failed += unknown_names(list);
	for (unsigned int i = 0; i < probe_case_count; i++) {
		const struct probe_case *pc = &probe_cases[i];
		unsigned int *count[] = { ok, failed, skipped };
		enum outcome outcome;

		if (!wanted(pc, list))
			continue;
		case_name = pc->name;
		case_why[0] = '\0';
		gic_reset();
		/* Tests look at what others did between this line and the verdict. */
		if (pc->flags & CASE_HOSTILE)
			print("probe: begin %s\n", pc->name);
		outcome = run_one(pc);
		clean_up();
		++*count[outcome];
		print("probe: case %s %s%s\n", pc->name, words[outcome], outcome == OUTCOME_OK ? "" : case_why);
	}
}
