/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hv/main/{monitor,lineedit,options}.c over real VMs: what is typed and what is answered, byte for byte; answers longer than
 * the wire is fast.
 */
#include "main/monitor_unit.h"

#include <stdio.h>

#include "camber/log.h"

#define UP "\x1b[A"
#define DOWN "\x1b[B"
#define RIGHT "\x1b[C"
#define LEFT "\x1b[D"
#define SHOWN(text) "\rcamber> " text "\x1b[K"

static int interactive(void **state)
{
	(void)batch(state);
	console_interactive = true;
	(void)type("\f");
	return 0;
}

#define HELP                                                                                                           \
	"help     this list\r\n"                                                                                       \
	"vm       [list [-v]], <vm>: state; start|stop|restart|pause|resume|reset <vm>\r\n"                            \
	"stat     time and exits of each CPU, its longest stay in the hypervisor\r\n"                                  \
	"cpu      what each CPU runs, and where its time went\r\n"                                                     \
	"mem      memory of the board\r\n"                                                                             \
	"sched    [list]: what vCPUs may use; stat: what they used; set <what> <value>\r\n"                            \
	"trace    what is recorded and where it goes; docs/trace.md\r\n"                                               \
	"log      log of this boot; previous: of the boot before\r\n"                                                  \
	"console  mode of the console\r\n"                                                                             \
	"crash    fault in the hypervisor on purpose\r\n"                                                              \
	"reboot   reset the board\r\n"

static void batch_answers_are_whole_lines(void **state)
{
	(void)state;
	assert_string_equal(type("he"), "");
	assert_string_equal(type("lp\r"), "camber> help\r\n" HELP);
	assert_string_equal(type("  help \n"), "camber>   help \r\n" HELP);
	assert_string_equal(type("\r"), "");
	assert_string_equal(type("   \r"), "camber>    \r\n");
}

static void a_turn_is_short(void **state)
{
	(void)state;
	(void)type("help\r");
	assert_in_range(turns, 3, 4); /* 11 lines and the end, 4 in a turn */
	assert_in_range(most_in_a_turn, 100, 4 * 100);
}

static void wrong_words_get_one_line(void **state)
{
	static const char *const cases[][2] = {
		{ "frob", "unknown command \"frob\", try help" },
		{ "help me", "help: unknown argument \"me\"; allowed: none" },
		{ "stat 1", "stat: unknown argument \"1\"; allowed: none" },
		{ "cpu 0", "cpu: unknown argument \"0\"; allowed: none" },
		{ "mem x", "mem: unknown argument \"x\"; allowed: none" },
		{ "log all", "log: unknown argument \"all\"; allowed: previous" },
		{ "log previous x", "log: unknown argument \"x\"; allowed: fewer" },
		{ "console loud", "console: unknown argument \"loud\"; allowed: batch interactive" },
		{ "crash boom", "crash: unknown argument \"boom\"; allowed: data stack undef panic" },
		{ "reboot now", "reboot: unknown argument \"now\"; allowed: none" },
		{ "vm frob",
		  "vm: unknown argument \"frob\"; allowed: list start stop restart pause resume reset, or a VM: "
		  "ivi rtos" },
		{ "vm ivi -v",
		  "vm: unknown argument \"-v\"; allowed: list start stop restart pause resume reset, or a VM: "
		  "ivi rtos" },
		{ "vm 3",
		  "vm: unknown argument \"3\"; allowed: list start stop restart pause resume reset, or a VM: ivi rtos" },
		{ "vm list all", "vm list: unknown argument \"all\"; allowed: -v" },
		{ "vm stop", "vm stop: which VM? allowed: ivi rtos" },
		{ "vm stop frob", "vm stop: no VM \"frob\"; allowed: ivi rtos" },
		{ "vm stop ivi rtos", "vm: unknown argument \"rtos\"; allowed: fewer" },
	};
	char want[300], text[100];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		(void)snprintf(want, sizeof(want), "camber> %s\r\n%s\r\n", cases[i][0], cases[i][1]);
		(void)snprintf(text, sizeof(text), "%s\r", cases[i][0]);
		assert_string_equal(type(text), want);
	}
}

static void orders_and_states(void **state)
{
	struct vm *ivi = vm_get(0);

	(void)state;
	assert_string_equal(type("vm\r"),
			    "camber> vm\r\n"
			    "1 ivi             off      starts 0 crashes 0 memory 2 MiB last stop: none\r\n"
			    "2 rtos            off      starts 0 crashes 0 memory 2 MiB last stop: none\r\n");
	assert_string_equal(type("vm stop ivi\r"), "camber> vm stop ivi\r\nvm ivi: stop is not possible, off\r\n");
	assert_string_equal(type("vm pause 1\r"), "camber> vm pause 1\r\nvm ivi: pause is not possible, off\r\n");
	assert_string_equal(type("vm resume 1\r"), "camber> vm resume 1\r\nvm ivi: resume is not possible, off\r\n");
	assert_string_equal(type("vm reset 1\r"), "camber> vm reset 1\r\nvm ivi: reset is not possible, off\r\n");
	assert_string_equal(type("vm start 1\r"), "camber> vm start 1\r\nvm ivi: start, loading\r\n");
	assert_string_equal(type("vm start ivi\r"),
			    "camber> vm start ivi\r\nvm ivi: start is not possible, loading\r\n");
	/* What its CPU would make of it. */
	ivi->state = VM_RUNNING;
	ivi->starts++;
	assert_string_equal(type("vm list\r"),
			    "camber> vm list\r\n"
			    "1 ivi             running  starts 1 crashes 0 memory 2 MiB last stop: none\r\n"
			    "2 rtos            off      starts 0 crashes 0 memory 2 MiB last stop: none\r\n");
	assert_string_equal(type("vm reset ivi\r"), "camber> vm reset ivi\r\nvm ivi: reset, stopping\r\n");
	assert_string_equal(type("vm stop ivi\r"), "camber> vm stop ivi\r\nvm ivi: stop, stopping\r\n");
	assert_string_equal(type("vm 1\r"),
			    "camber> vm 1\r\n"
			    "1 ivi             stopping starts 1 crashes 0 memory 2 MiB last stop: order\r\n"
			    "  vCPU 0 on CPU 0 off run 0 us, 1 wake-ups, 0 switches\r\n"
			    "  vCPU 1 on CPU 1 off run 0 us, 0 wake-ups, 0 switches\r\n");
	/* Off already: restart starts it. */
	assert_string_equal(type("vm restart rtos\r"), "camber> vm restart rtos\r\nvm rtos: restart, loading\r\n");
	assert_string_equal(type("vm restart rtos\r"), "camber> vm restart rtos\r\nvm rtos: restart, stopping\r\n");
	assert_non_null(strstr(type("vm list -v\r"), "\r\n2 rtos "));
	assert_non_null(strstr(type("vm rtos\r"), "camber> vm rtos\r\n2 rtos "));
}

static void cpu_and_stat(void **state)
{
	struct pcpu *p = unit_cpu(1);

	(void)state;
	p->exits[0x16] = 7;
	p->exits[0x3f] = 2;
	p->stay_total = 3000;
	p->stay_worst = 2000;
	assert_non_null(strstr(type("cpu\r"),
			       "CPU 1: online, 1 vCPUs, runs nobody; guests 0 us, hypervisor 3 us in 9 stays, "));
	assert_string_equal(strstr(type("stat\r"), "CPU 1"),
			    "CPU 1: hypervisor 3000 ns in all, longest stay 2000 ns (guest PC 0x0, ESR 0x0)\r\n"
			    "  exits of class 0x16: 7\r\n"
			    "  exits of class 0x3f: 2\r\n");
	assert_non_null(strstr(type("mem\r"), "camber> mem\r\ntotal 16384 KiB, kept "));
}

/* Longer than the monitor's share of the ring: in pieces, and all of it. */
static void the_log_comes_by_and_by(void **state)
{
	const char *wire, *line;
	char want[64];
	unsigned int n = 0;

	(void)state;
	for (unsigned int i = 0; i < 450; i++)
		log_line("number %05u", i);
	settle();
	(void)slow_wire();
	wire = type("log\r");
	assert_true(turns > 10);
	assert_true(most_in_a_turn <= 4 * 256 * 2);
	line = strstr(wire, "number 00000");
	assert_non_null(line);
	for (; n < 450; n++) {
		(void)snprintf(want, sizeof(want), "number %05u\r\n", n);
		assert_memory_equal(line, want, strlen(want));
		line = strchr(line, '\n') + 1;
		if (n < 449)
			line = strstr(line, "number");
	}
	assert_string_equal(line, "");
	assert_string_equal(type("log previous\r"),
			    "camber> log previous\r\nlog: nothing was kept from a previous boot\r\n");
	/* Ctrl-C ends it; what was typed meanwhile is executed then. */
	slow_type("log\r");
	slow_type("mem\rmem\r\x03");
	settle();
	wire = slow_wire();
	assert_null(strstr(wire, "number 00449"));
	wire = strstr(wire, "camber> mem\r\ntotal");
	assert_non_null(wire);
	assert_non_null(strstr(wire + 1, "camber> mem\r\ntotal"));
}

/* Nobody takes what the line carries, so the job waits, and wakes rarely. */
static void a_job_waits_for_the_line(void **state)
{
	unsigned int interrupts = 0;
	uint64_t start = now;

	(void)state;
	slow_type("log\r");
	while (now - start < UINT64_C(1000000000)) {
		now = MAX(now, host_timer(0));
		host_set_now(now);
		timer_queue_run(&unit_cpu(0)->timers);
		interrupts++;
	}
	assert_in_range(interrupts, 100, 250);
	settle();
	assert_null(strstr(slow_wire(), "bytes lost"));
}

static void editing(void **state)
{
	(void)state;
	/* Typed at the end: the byte alone is echoed. */
	assert_string_equal(type("mem"), "mem");
	assert_string_equal(type("\x7f"), SHOWN("me"));
	assert_string_equal(type("\b"), SHOWN("m"));
	assert_string_equal(type("\x15"), SHOWN(""));
	assert_string_equal(type("\x7f"), SHOWN(""));
	assert_string_equal(type("hxlp"), "hxlp");
	assert_string_equal(type(LEFT LEFT), SHOWN("hxlp") "\b" SHOWN("hxlp") "\b\b");
	assert_string_equal(type("\x7f"), SHOWN("hlp") "\b\b");
	assert_string_equal(type("e"), SHOWN("help") "\b\b");
	assert_string_equal(type(RIGHT), SHOWN("help") "\b");
	assert_string_equal(type("\r"), SHOWN("help") "\r\n" HELP SHOWN(""));
	assert_string_equal(type("frob\x03"), "frob^C\r\n" SHOWN(""));
	/* Bytes that aren't text. */
	assert_string_equal(type("\x01\x02\xff"), SHOWN("") SHOWN("") SHOWN(""));
	assert_string_equal(type("\x1bx\x15"), "x" SHOWN(""));
	/* 79 bytes are a line; more isn't taken. */
	for (unsigned int i = 0; i < 79; i++)
		assert_string_equal(type("y"), "y");
	assert_int_equal(strlen(type("z")), strlen(SHOWN("")) + 79);
	assert_null(strchr(type("\f"), 'z'));
	(void)type("\x15");
}

static void history(void **state)
{
	(void)state;
	for (char c = 'a'; c <= 'j'; c++) {
		char text[3] = { c, '\r', '\0' };

		(void)type(text);
	}
	(void)type("j\r"); /* the same again isn't kept twice */
	(void)type("\r");
	assert_string_equal(type(UP), SHOWN("j"));
	assert_string_equal(type(UP), SHOWN("i"));
	assert_string_equal(type(DOWN), SHOWN("j"));
	assert_string_equal(type(DOWN), SHOWN(""));
	assert_string_equal(type(DOWN), SHOWN(""));
	for (char c = 'j'; c >= 'c'; c--) {
		char want[] = SHOWN("?");

		*strchr(want, '?') = c;
		assert_string_equal(type(UP), want);
	}
	/* Eight lines are kept. */
	assert_string_equal(type(UP), SHOWN("c"));
	assert_string_equal(type("\r"), SHOWN("c") "\r\nunknown command \"c\", try help\r\n" SHOWN(""));
	assert_string_equal(type(UP), SHOWN("c"));
	assert_string_equal(type(UP), SHOWN("j"));
	(void)type("\x15");
}

static void completion(void **state)
{
	(void)state;
	assert_string_equal(type("h\t"), "h" SHOWN("help "));
	assert_string_equal(type("\x15st\t"), SHOWN("") "st" SHOWN("stat "));
	assert_string_equal(type("\x15zz\t"), SHOWN("") "zz" SHOWN("zz"));
	assert_string_equal(type("\x15vm re\t"), SHOWN("") "vm re" SHOWN("vm res"));
	assert_string_equal(type("\t"), "\r\nrestart  resume  reset\r\n" SHOWN("vm res"));
	assert_string_equal(type("t\t"), "t" SHOWN("vm restart "));
	assert_string_equal(type("i\t"), "i" SHOWN("vm restart ivi "));
	assert_string_equal(type("\t"), SHOWN("vm restart ivi "));
	assert_string_equal(type("\x15vm r\t"), SHOWN("") "vm r\r\nrestart  resume  reset  rtos\r\n" SHOWN("vm r"));
	assert_string_equal(type("\x15vm stop \t"), SHOWN("") "vm stop \r\nivi  rtos\r\n" SHOWN("vm stop "));
	assert_string_equal(type("\x15vm list \t"), SHOWN("") "vm list " SHOWN("vm list "));
	assert_string_equal(type("\x15"
				 "c\t"),
			    SHOWN("") "c\r\ncpu  console  crash\r\n" SHOWN("c"));
	assert_string_equal(type("o\t"), "o" SHOWN("console "));
	assert_string_equal(type("b\t"), "b" SHOWN("console batch "));
	assert_string_equal(type("\x15log \t"), SHOWN("") "log " SHOWN("log previous "));
	assert_string_equal(
		type("\x15\t"),
		SHOWN("") "\r\nhelp  vm  stat  cpu  mem  sched  trace  log  console  crash  reboot\r\n" SHOWN(""));
	/* Not in the middle of a line, and never beyond its end. */
	assert_string_equal(type("h" LEFT "\t"), "h" SHOWN("h") "\b" SHOWN("h") "\b");
	(void)type("\x15");
	for (unsigned int i = 0; i < 76; i++)
		(void)type(" ");
	(void)type("console\t\t");
	assert_int_equal(strlen(type("\f")), strlen(SHOWN("")) + 79);
	(void)type("\x15");
}

/* Others write below the line that is being typed: it is shown again, whole, with the next key. */
static void others_break_the_line(void **state)
{
	(void)state;
	(void)type("me");
	log_line("hello");
	settle();
	assert_non_null(strstr(slow_wire(), "hello\r\n"));
	assert_string_equal(type("m"), SHOWN("mem"));
	assert_string_equal(type("\x15"), SHOWN(""));
}

static void modes(void **state)
{
	(void)state;
	assert_string_equal(type("console\r"), "console" SHOWN("console") "\r\nconsole: interactive\r\n" SHOWN(""));
	assert_string_equal(type("console batch\r"), "console batch" SHOWN("console batch") "\r\n");
	assert_false(console_interactive);
	assert_string_equal(type("console\r"), "camber> console\r\nconsole: batch\r\n");
	assert_string_equal(type("console interactive\r"), "camber> console interactive\r\n" SHOWN(""));
	assert_true(console_interactive);
}

static void boot_arguments(void **state)
{
	(void)state;
	console_interactive = false;
	main_options(NULL);
	main_options("");
	main_options("  console=interactive ");
	assert_true(console_interactive);
	main_options("console=batch");
	assert_false(console_interactive);
	settle();
	assert_string_equal(slow_wire(), "");
	main_options("root=/dev/vda console=ttyAMA0 console=interactive console=");
	assert_true(console_interactive);
	settle();
	for (const char *p = slow_wire(), *word = "root=/dev/vda\0console=ttyAMA0\0console=\0"; *word;
	     word += strlen(word) + 1) {
		char want[160];

		(void)snprintf(want, sizeof(want),
			       "boot argument \"%s\" ignored; known: console=batch, console=interactive, "
			       "sched=rt, sched=credit, trace=<class>[,<class>...]\r\n",
			       word);
		p = strchr(p, ']') + 2;
		assert_memory_equal(p, want, strlen(want));
		p += strlen(want);
	}
}

static void crash_and_reboot(void **state)
{
	(void)state;
	assert_int_equal(host_catch((void)type("crash panic\r")), HOST_END_PANIC);
	assert_string_equal(unit_panic_text, "asked for on the console");
	assert_int_equal(host_catch((void)type("reboot\r")), HOST_END_REBOOT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(batch_answers_are_whole_lines, batch),
		cmocka_unit_test_setup(a_turn_is_short, batch),
		cmocka_unit_test_setup(wrong_words_get_one_line, batch),
		cmocka_unit_test_setup(orders_and_states, batch),
		cmocka_unit_test_setup(cpu_and_stat, batch),
		cmocka_unit_test_setup(the_log_comes_by_and_by, batch),
		cmocka_unit_test_setup(a_job_waits_for_the_line, batch),
		cmocka_unit_test_setup(editing, interactive),
		cmocka_unit_test_setup(history, interactive),
		cmocka_unit_test_setup(completion, interactive),
		cmocka_unit_test_setup(others_break_the_line, interactive),
		cmocka_unit_test_setup(modes, interactive),
		cmocka_unit_test_setup(boot_arguments, batch),
		cmocka_unit_test_setup(crash_and_reboot, batch),
	};

	(void)file_vm("ivi", 2);
	(void)file_vm("rtos", 1);
	begin();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
