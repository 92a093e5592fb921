/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv/main/monitor_sched.c over real VMs and the real scheduler: what is typed and what is answered, byte for byte; what is
 * refused changes nothing. A tick is a nanosecond.
 */
#include "main/monitor_unit.h"

#include <stdio.h>

#include "camber/sched.h"

#define MS UINT64_C(1000000)

/* ivi: 2 vCPUs. dash: 2, in real time. rtos: 1, in real time, on CPU 1. */
enum { IVI, DASH, RTOS };

static struct sched_unit *unit(unsigned int vm, unsigned int vcpu)
{
	return &vm_get(vm)->vcpu[vcpu]->unit;
}

/* What is answered to one line. */
static const char *answer(const char *line)
{
	char text[100];
	const char *wire;

	(void)snprintf(text, sizeof(text), "%s\r", line);
	wire = type(text);
	assert_memory_equal(wire, "camber> ", 8);
	assert_memory_equal(wire + 8, line, strlen(line));
	assert_memory_equal(wire + 8 + strlen(line), "\r\n", 2);
	return wire + 8 + strlen(line) + 2;
}

/* Nobody begins with credit, or with more debt than a unit of weight 0 always has, whatever the scheduler thinks is right. */
static int equal(void **state)
{
	for (unsigned int i = 0; i < FILE_VMS; i++)
		for (unsigned int j = 0; j < vm_get(i)->vcpu_count; j++)
			unit(i, j)->credit = -!unit(i, j)->weight;
	return batch(state);
}

#define PARAMS(mode, slice, account, demote, sleep)                                                                    \
	"sched: mode " mode " slice-us " slice " account-us " account " demote-us " demote " min-sleep-us " sleep "\r\n"
#define DEFAULTS PARAMS("rt", "1000", "30000", "10000", "5000")

/* Everybody off, without debt; dash's budget, rtos' budget and period. */
#define LIST(dash, rtos)                                                                                               \
	"ivi             vCPU 0 on CPU 0 off     -      weight 256 cap 0 % credit 0 us\r\n"                            \
	"ivi             vCPU 1 on CPU 1 off     -      weight 256 cap 0 % credit 0 us\r\n"                            \
	"dash            vCPU 0 on CPU 0 off     -      weight 0 cap 0 % credit 0 us, "                                \
	"budget " dash " of 10000 us, left " dash " us\r\n"                                                            \
	"dash            vCPU 1 on CPU 1 off     -      weight 0 cap 0 % credit 0 us, "                                \
	"budget " dash " of 10000 us, left " dash " us\r\n"                                                            \
	"rtos            vCPU 0 on CPU 1 off     -      weight 0 cap 40 % credit 0 us, "                               \
	"budget " rtos " us, left 5000 us\r\n"

static void what_was_configured(void **state)
{
	static const char want[] = DEFAULTS LIST("1000", "5000 of 10000");

	(void)state;
	assert_string_equal(answer("sched"), want);
	assert_in_range(turns, 2, 3); /* 6 lines and the end, 4 in a turn */
	assert_string_equal(answer("sched list"), want);
}

/* --- figures ---------------------------------------------------------------------------------------------------------- */

static void start(struct sched_unit *u)
{
	assert_true(sched_wake(u, SCHED_WAKE_START));
}

/* CPU 1 looks after so many microseconds; returns what it runs then. */
static struct sched_unit *pick(uint64_t us)
{
	struct sched_unit *u;

	now += us * 1000;
	host_set_now(now);
	host_set_pcpu(unit_cpu(1));
	timer_queue_run(&unit_cpu(1)->timers);
	u = sched_pick(&unit_cpu(1)->sched);
	host_set_pcpu(unit_cpu(0));
	return u;
}

static void block(struct sched_unit *u)
{
	host_set_pcpu(unit_cpu(1));
	sched_block(u, 0);
	host_set_pcpu(unit_cpu(0));
}

static void figures(void **state)
{
	struct sched_unit *ivi = unit(IVI, 1), *dash = unit(DASH, 1), *rtos = unit(RTOS, 0);

	(void)state;
	now = 3000 * MS;
	host_set_now(now);
	start(rtos);
	assert_ptr_equal(pick(0), rtos);
	assert_ptr_equal(pick(2000), rtos);
	start(ivi);
	assert_ptr_equal(pick(100), rtos);
	assert_ptr_equal(pick(2900), ivi); /* the budget is used up; a wake-up costs 1 us of it */
	start(dash);
	assert_ptr_equal(pick(0), dash);
	assert_ptr_equal(pick(500), dash);
	block(dash);
	assert_ptr_equal(pick(0), ivi);
	assert_true(sched_wake(dash, SCHED_WAKE_EVENT));
	assert_ptr_equal(pick(7), dash);
	assert_ptr_equal(pick(100), dash);
	block(dash);
	assert_ptr_equal(pick(0), ivi);
	ivi->credit = 9993499;
	dash->credit = -1234567;
	assert_string_equal(answer("sched list"), DEFAULTS
			    "ivi             vCPU 0 on CPU 0 off     -      weight 256 cap 0 % credit 0 us\r\n"
			    "ivi             vCPU 1 on CPU 1 running under  weight 256 cap 0 % credit 9993 us\r\n"
			    "dash            vCPU 0 on CPU 0 off     -      weight 0 cap 0 % credit 0 us, "
			    "budget 1000 of 10000 us, left 1000 us\r\n"
			    "dash            vCPU 1 on CPU 1 blocked -      weight 0 cap 0 % credit -1235 us, "
			    "budget 1000 of 10000 us, left 398 us\r\n"
			    "rtos            vCPU 0 on CPU 1 queued  idle   weight 0 cap 40 % credit 0 us, "
			    "budget 5000 of 10000 us, left -1 us\r\n");
	now = 3000 * MS + 5607000;
	host_set_now(now);
	block(ivi);
	assert_ptr_equal(pick(0), rtos);
	block(rtos);
	assert_null(pick(0));
	/* One CPU runs somebody, the other is asleep since its last stay; the job's second turn is 100 us after its first. */
	unit_cpu(0)->sched.idle_ticks = 7 * MS;
	unit_cpu(0)->current = vm_get(IVI)->vcpu[0];
	unit_cpu(1)->sched.idle_ticks = 2 * MS;
	unit_cpu(1)->stay_start = now - 1000 * MS;
	assert_string_equal(answer("sched stat"),
			    "ivi             vCPU 0: run 0 us waited 0 us, rt 0 boost 0 under 0 over 0 us, "
			    "wake-ups 0 turns 0 moves 0 overruns 0, late at worst 0 ns\r\n"
			    "ivi             vCPU 1: run 7 us waited 3600 us, rt 0 boost 0 under 7 over 0 us, "
			    "wake-ups 1 turns 3 moves 0 overruns 0, late at worst 0 ns\r\n"
			    "dash            vCPU 0: run 0 us waited 0 us, rt 0 boost 0 under 0 over 0 us, "
			    "wake-ups 0 turns 0 moves 0 overruns 0, late at worst 0 ns\r\n"
			    "dash            vCPU 1: run 600 us waited 7 us, rt 600 boost 0 under 0 over 0 us, "
			    "wake-ups 2 turns 2 moves 0 overruns 0, late at worst 7000 ns\r\n"
			    "rtos            vCPU 0: run 5000 us waited 607 us, rt 5000 boost 0 under 0 over 0 us, "
			    "wake-ups 1 turns 2 moves 0 overruns 1, late at worst 0 ns\r\n"
			    "CPU 0: idle 7000 us, promised to RT 10.0 %\r\n"
			    "CPU 1: idle 1002100 us, promised to RT 60.0 %\r\n");
	assert_non_null(strstr(answer("vm ivi"), "\r\n  vCPU 1 on CPU 1 off run 7 us, 1 wake-ups, 3 switches\r\n"));
	unit_cpu(1)->stay_total = 3000;
	assert_non_null(strstr(answer("cpu"), "CPU 1: online, 3 vCPUs, runs nobody; guests "));
	unit_cpu(0)->current = NULL;
}

static void parked(void **state)
{
	struct sched_unit *rtos = unit(RTOS, 0);

	(void)state;
	assert_null(pick(100000)); /* whatever was used of the cap is forgotten */
	assert_true(sched_wake(rtos, SCHED_WAKE_EVENT));
	assert_ptr_equal(pick(0), rtos);
	assert_ptr_equal(pick(11999), rtos);
	assert_null(pick(1));
	assert_non_null(strstr(answer("sched"), "rtos            vCPU 0 on CPU 1 queued  parked weight 0 cap 40 % "));
	assert_ptr_equal(pick(30000), rtos);
	block(rtos);
	assert_null(pick(0));
}

/* --- settings --------------------------------------------------------------------------------------------------------- */

/* So many lines, all of that VM, each with that setting. */
static void shows(const char *text, const char *vm, const char *setting, unsigned int lines)
{
	for (; lines; lines--) {
		const char *end = strstr(text, "\r\n"), *found = strstr(text, setting);

		assert_non_null(end);
		assert_memory_equal(text, vm, strlen(vm));
		assert_non_null(found);
		assert_true(found < end);
		text = end + 2;
	}
	assert_string_equal(text, "");
}

static void parameters(void **state)
{
	(void)state;
	assert_string_equal(answer("sched set slice-us 2000"), PARAMS("rt", "2000", "30000", "10000", "5000"));
	assert_string_equal(answer("sched set account-us 60000"), PARAMS("rt", "2000", "60000", "10000", "5000"));
	assert_string_equal(answer("sched set demote-us 100"), PARAMS("rt", "2000", "60000", "100", "5000"));
	assert_string_equal(answer("sched set min-sleep-us 1000000"), PARAMS("rt", "2000", "60000", "100", "1000000"));
	assert_int_equal(sched_params.slice, 2 * MS);
	assert_int_equal(sched_params.account, 60 * MS);
	assert_int_equal(sched_params.demote, 100000);
	assert_int_equal(sched_params.min_sleep, 1000 * MS);
	/* Percentages are of the period that there is. */
	assert_int_equal(vm_get(RTOS)->group.cap, 24 * MS);
	assert_string_equal(answer("sched set mode credit"), PARAMS("credit", "2000", "60000", "100", "1000000"));
	assert_int_equal(sched_params.mode, SCHED_MODE_CREDIT);
	assert_string_equal(answer("sched set mode rt"), PARAMS("rt", "2000", "60000", "100", "1000000"));
	assert_int_equal(sched_params.mode, SCHED_MODE_RT);
	(void)type("sched set slice-us 1000\rsched set account-us 30000\r");
	(void)type("sched set demote-us 10000\rsched set min-sleep-us 005000\r");
	assert_memory_equal(answer("sched"), DEFAULTS, strlen(DEFAULTS));
	assert_int_equal(vm_get(RTOS)->group.cap, 12 * MS);
}

static void weights_and_caps(void **state)
{
	(void)state;
	shows(answer("sched set weight ivi 512"), "ivi ", " weight 512 cap 0 % ", 2);
	assert_int_equal(unit(IVI, 0)->weight, 512);
	assert_int_equal(unit(IVI, 1)->weight, 512);
	shows(answer("sched set weight 1 65535"), "ivi ", " weight 65535 cap 0 % ", 2);
	shows(answer("sched set cap ivi 200"), "ivi ", " weight 65535 cap 200 % ", 2);
	assert_int_equal(vm_get(IVI)->group.cap, 60 * MS);
	shows(answer("sched set cap ivi 0"), "ivi ", " weight 65535 cap 0 % ", 2);
	assert_int_equal(vm_get(IVI)->group.cap, 0);
	shows(answer("sched set weight ivi 1"), "ivi ", " weight 1 cap 0 % ", 2);
	shows(answer("sched set weight rtos 100"), "rtos ", " weight 100 cap 40 % ", 1);
	shows(answer("sched set weight rtos 0"), "rtos ",
	      " weight 0 cap 40 % credit 0 us, budget 5000 of 10000 us, left 5000 us", 1);
	(void)answer("sched set weight ivi 256");
}

static void budgets(void **state)
{
	(void)state;
	shows(answer("sched set rt rtos 2000 8000"), "rtos ",
	      " weight 0 cap 40 % credit 0 us, budget 2000 of 8000 us, left 2000 us", 1);
	assert_int_equal(unit(RTOS, 0)->budget, 2 * MS);
	assert_int_equal(unit(RTOS, 0)->period, 8 * MS);
	assert_int_equal(unit_cpu(1)->sched.rt_ppm, 350000);
	/* All that is left, and the smallest, and the longest. */
	shows(answer("sched set rt rtos 90 100"), "rtos ",
	      " weight 0 cap 40 % credit 0 us, budget 90 of 100 us, left 90 us", 1);
	shows(answer("sched set rt rtos 10 10000000"), "rtos ",
	      " weight 0 cap 40 % credit 0 us, budget 10 of 10000000 us, left 10 us", 1);
	shows(answer("sched set rt rtos 5000 10000"), "rtos ",
	      " weight 0 cap 40 % credit 0 us, budget 5000 of 10000 us, left 5000 us", 1);
	/* dash too, on both CPUs; then too much of CPU 1, and CPU 0 is as before too. */
	assert_non_null(strstr(answer("sched set rt dash 5000 10000"), "dash            vCPU 1 on CPU 1 "));
	assert_int_equal(unit_cpu(0)->sched.rt_ppm, 500000);
	assert_int_equal(unit_cpu(1)->sched.rt_ppm, 1000000);
	assert_string_equal(answer("sched set rt dash 6000 10000"),
			    "sched: vm dash: CPU 1 is promised 50.0 % to others, with 60.0 % (6000 of 10000 us) "
			    "110.0 %: refused\r\n" LIST("5000", "5000 of 10000"));
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(unit(DASH, i)->budget, 5 * MS);
		assert_int_equal(unit(DASH, i)->period, 10 * MS);
		assert_int_equal(unit_cpu(i)->sched.rt_ppm, i ? 1000000 : 500000);
	}
	(void)answer("sched set rt dash 1000 10000");
	assert_string_equal(answer("sched set rt rtos 301 333"),
			    "sched: vm rtos: CPU 1 is promised 10.0 % to others, with 90.3 % (301 of 333 us) "
			    "100.3 %: refused\r\n" LIST("1000", "5000 of 10000"));
	assert_int_equal(unit(RTOS, 0)->budget, 5 * MS);
	assert_int_equal(unit_cpu(0)->sched.rt_ppm, 100000);
	assert_int_equal(unit_cpu(1)->sched.rt_ppm, 600000);
}

#define SETTINGS "mode slice-us account-us demote-us min-sleep-us weight cap rt"

static void refusals(void **state)
{
	static const char *const cases[][2] = {
		{ "sched frob", "sched: unknown argument \"frob\"; allowed: list stat set" },
		{ "sched list ivi", "sched: unknown argument \"ivi\"; allowed: fewer" },
		{ "sched stat 1", "sched: unknown argument \"1\"; allowed: fewer" },
		{ "sched set", "sched set: argument missing; allowed: " SETTINGS },
		{ "sched set frob 1", "sched set: unknown argument \"frob\"; allowed: " SETTINGS },
		{ "sched set mode", "sched set mode: argument missing; allowed: rt credit" },
		{ "sched set mode fair", "sched set mode: unknown argument \"fair\"; allowed: rt credit" },
		{ "sched set mode rt now", "sched set mode: unknown argument \"now\"; allowed: fewer" },
		{ "sched set slice-us", "sched set slice-us: argument missing; allowed: 100 to 1000000" },
		{ "sched set slice-us 99", "sched set slice-us: unknown argument \"99\"; allowed: 100 to 1000000" },
		{ "sched set account-us 1000001",
		  "sched set account-us: unknown argument \"1000001\"; allowed: 100 to 1000000" },
		{ "sched set demote-us -5", "sched set demote-us: unknown argument \"-5\"; allowed: 100 to 1000000" },
		{ "sched set min-sleep-us 5ms",
		  "sched set min-sleep-us: unknown argument \"5ms\"; allowed: 100 to 1000000" },
		{ "sched set slice-us 0x1000",
		  "sched set slice-us: unknown argument \"0x1000\"; allowed: 100 to 1000000" },
		{ "sched set slice-us 18446744073709552616",
		  "sched set slice-us: unknown argument \"18446744073709552616\"; allowed: 100 to 1000000" },
		{ "sched set slice-us 1000 us", "sched set slice-us: unknown argument \"us\"; allowed: fewer" },
		{ "sched set weight", "sched set weight: which VM? allowed: ivi dash rtos" },
		{ "sched set weight frob 1", "sched set weight: no VM \"frob\"; allowed: ivi dash rtos" },
		{ "sched set weight ivi", "sched set weight: argument missing; allowed: 1 to 65535" },
		{ "sched set weight ivi 0", "sched set weight: unknown argument \"0\"; allowed: 1 to 65535" },
		{ "sched set weight rtos 65536", "sched set weight: unknown argument \"65536\"; allowed: 0 to 65535" },
		{ "sched set weight ivi 1 2", "sched set weight: unknown argument \"2\"; allowed: fewer" },
		{ "sched set cap ivi 201", "sched set cap: unknown argument \"201\"; allowed: 0 to 200" },
		{ "sched set cap rtos 101", "sched set cap: unknown argument \"101\"; allowed: 0 to 100" },
		{ "sched set cap ivi", "sched set cap: argument missing; allowed: 0 to 200" },
		{ "sched set rt", "sched set rt: which VM? allowed: ivi dash rtos" },
		{ "sched set rt ivi 1000 10000",
		  "sched set rt: unknown argument \"ivi\"; allowed: a VM whose profile says rt" },
		{ "sched set rt rtos", "sched set rt budget-us: argument missing; allowed: 10 to 10000000" },
		{ "sched set rt rtos 9 1000",
		  "sched set rt budget-us: unknown argument \"9\"; allowed: 10 to 10000000" },
		{ "sched set rt rtos 1000", "sched set rt period-us: argument missing; allowed: 100 to 10000000" },
		{ "sched set rt rtos 10 99",
		  "sched set rt period-us: unknown argument \"99\"; allowed: 100 to 10000000" },
		{ "sched set rt rtos 1000 10000001",
		  "sched set rt period-us: unknown argument \"10000001\"; allowed: 100 to 10000000" },
		{ "sched set rt rtos 1001 1000",
		  "sched set rt budget-us: unknown argument \"1001\"; allowed: 10 to 1000" },
		{ "sched set rt rtos 10 100 1", "sched set rt: unknown argument \"1\"; allowed: fewer" },
		{ "sched set rt rtos 10 100 1 2", "sched set rt: unknown argument \"1\"; allowed: fewer" },
	};
	char before[2048], want[300];

	(void)state;
	(void)strcpy(before, answer("sched"));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		(void)snprintf(want, sizeof(want), "%s\r\n", cases[i][1]);
		assert_string_equal(answer(cases[i][0]), want);
	}
	assert_string_equal(answer("sched"), before);
}

static void completion(void **state)
{
	static const char *const cases[][2] = {
		{ "sched ", "list  stat  set" },
		{ "sched set ", "mode  slice-us  account-us  demote-us  min-sleep-us  weight  cap  rt" },
		{ "sched set mode ", "rt  credit" },
		{ "sched set weight ", "ivi  dash  rtos" },
		{ "sched set cap ", "ivi  dash  rtos" },
		{ "sched set rt ", "ivi  dash  rtos" },
		{ "sched set slice-us ", "" },
		{ "sched set frob ", "" },
		{ "sched set cap ivi ", "" },
		{ "sched list ", "" },
		{ "sched frob ", "" },
	};
	char want[200];

	(void)state;
	console_interactive = true;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool any = *cases[i][1];

		(void)type("\x15");
		(void)type(cases[i][0]);
		(void)snprintf(want, sizeof(want), "%s%s%s\rcamber> %s\x1b[K", any ? "\r\n" : "", cases[i][1],
			       any ? "\r\n" : "", cases[i][0]);
		assert_string_equal(type("\t"), want);
	}
	(void)type("\x15sched set mode c\t");
	assert_string_equal(type("\f"), "\rcamber> sched set mode credit \x1b[K");
	(void)type("\x15");
}

static void boot_argument(void **state)
{
	(void)state;
	main_options("sched=credit console=batch");
	assert_int_equal(sched_params.mode, SCHED_MODE_CREDIT);
	main_options("sched=rt");
	assert_int_equal(sched_params.mode, SCHED_MODE_RT);
	settle();
	assert_string_equal(slow_wire(), "");
	main_options("sched=fair sched= sched");
	assert_int_equal(sched_params.mode, SCHED_MODE_RT);
	settle();
	for (const char *p = slow_wire(), *word = "sched=fair\0sched=\0sched\0"; *word; word += strlen(word) + 1) {
		char want[140];

		(void)snprintf(want, sizeof(want),
			       "boot argument \"%s\" ignored; known: console=batch, console=interactive, sched=rt, "
			       "sched=credit, trace=<class>[,<class>...]\r\n",
			       word);
		p = strchr(p, ']') + 2;
		assert_memory_equal(p, want, strlen(want));
		p += strlen(want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_was_configured, equal),
		cmocka_unit_test_setup(parameters, equal),
		cmocka_unit_test_setup(weights_and_caps, equal),
		cmocka_unit_test_setup(budgets, equal),
		cmocka_unit_test_setup(refusals, equal),
		cmocka_unit_test_setup(completion, equal),
		cmocka_unit_test_setup(boot_argument, equal),
		cmocka_unit_test_setup(figures, equal),
		cmocka_unit_test_setup(parked, equal),
	};
	struct bundle_vm *vm;

	(void)file_vm("ivi", 2);
	vm = file_vm("dash", 2);
	vm->flags = BUNDLE_VM_RT;
	vm->weight = 0;
	vm->rt_budget_us = 1000;
	vm->rt_period_us = 10000;
	vm = file_vm("rtos", 1);
	vm->pcpu_mask[0] = 2;
	vm->flags = BUNDLE_VM_RT;
	vm->weight = 0;
	vm->cap_percent = 40;
	vm->rt_budget_us = 5000;
	vm->rt_period_us = 10000;
	begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
