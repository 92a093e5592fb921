/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program as a whole: every subcommand over files, pipes, pseudo terminals and sockets, its exit status, its one error line. Runs the
 * program that $HVTRACE names, in a folder of the test's own.
 */
#define _XOPEN_SOURCE 700 /* posix_openpt() */
#define _DEFAULT_SOURCE   /* B921600 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "encode.h"
#include "event.h"
#include "hvtrace.h"
/* cmocka.h needs setjmp.h and others first, and has a macro fail(). */
#include <cmocka.h>

#define HZ 62500000u
#define ROUNDS 200u
#define PERIOD 625000u /* 10 ms */
#define RTOS 0x0100u
#define IVI 0x0201u

static char folder[] = "/tmp/hvtrace-test-XXXXXX";
static char text[1 << 18]; /* what the last run printed, both outputs */

/* --- running it --- */

/* `args` as the shell takes them, in the folder; $H is the program. Returns its exit status. */
static int run(const char *args)
{
	char command[2048];
	size_t n;
	FILE *pipe;
	int status;

	(void)snprintf(command, sizeof(command), "cd '%s' && H=\"$HVTRACE\" && { %s ; } 2>&1", folder, args);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	n = fread(text, 1, sizeof(text) - 1, pipe);
	text[n] = 0;
	status = pclose(pipe);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void expect(const char *args, int status, const char *word)
{
	int got = run(args);

	if (got != status || !strstr(text, word))
		fail_msg("%s: status %d, no \"%s\" in \"%s\"", args, got, word, text);
	/* One line is all that is said of an error. */
	if (status && (strchr(text, '\n') != text + strlen(text) - 1 || strncmp(text, "hvtrace: ", 9) != 0))
		fail_msg("%s: not one line: \"%s\"", args, text);
}

static void expect_no(const char *word)
{
	if (strstr(text, word))
		fail_msg("\"%s\" in \"%s\"", word, text);
}

static const char *path(const char *name)
{
	static char full[256];

	(void)snprintf(full, sizeof(full), "%s/%s", folder, name);
	return full;
}

/* --- a trace --- */

static void put_records(struct line *l, unsigned int cpu, uint64_t first, const struct record *r, unsigned int count)
{
	struct records_head head = { .boot = 1, .cpu = (uint8_t)cpu, .first = first };
	struct frame f;

	frame_records(&f, &head, r, count);
	line_frame(l, &f);
}

static void put_status(struct line *l, uint64_t now, uint64_t next, uint32_t classes, unsigned int flags)
{
	struct status s = { .hz = HZ,
			    .now = now,
			    .classes = classes,
			    .flags = (uint8_t)flags,
			    .boot = 1,
			    .cpus = 2,
			    .count = 2 };
	struct frame f;

	s.cpu[0] = (struct status_cpu){ .next = next, .idle = now / 4, .stays = now / 1000, .stay_ticks = now / 100 };
	s.cpu[1] = (struct status_cpu){ .next = 0, .idle = now };
	frame_status(&f, &s);
	line_frame(l, &f);
}

#define ALL 0x3ffu

/* Every 10 ms the real-time guest is woken, its timer is late by 0 to 199 ticks, and runs for 1 ms; then the other one. */
static uint64_t put_rounds(struct line *l, uint64_t first, unsigned int rounds, bool lose)
{
	uint64_t time = HZ;

	for (unsigned int i = 0; i < rounds; i++, time += PERIOD) {
		const struct record r[] = {
			RECORD(time, IRQ, 27),
			RECORD(time + 20, WAKE, RTOS, 0, 0, 0),
			RECORD(time + 50, SWITCH, IVI, 2, RTOS, 0, 40 + i),
			RECORD(time + 60, TICK, RTOS, i),
			RECORD(time + 60, INJECT, RTOS, 27),
			RECORD(time + 70, EXIT, RTOS, TRACE_CAUSE_IRQ, 80 + i, 0x40200000, 0),
			RECORD(time + 500, EOI, RTOS, 27),
			RECORD(time + 62500, BLOCK, RTOS, 0),
			RECORD(time + 62510, SWITCH, TRACE_NOBODY, 3, IVI, 2, 0),
			RECORD(time + 62520, EXIT, IVI, 0x07e00001, 30, 0x40201000, 0xffff8000),
		};

		if (!lose || i % 20 != 10)
			put_records(l, 0, first, r, ARRAY_COUNT(r));
		first += ARRAY_COUNT(r);
		if (i % 100 == 99)
			put_status(l, time + 70000, first, ALL, 0);
	}
	put_status(l, time, first, ALL, 0);
	return first;
}

static void put_head(struct line *l)
{
	struct frame f;

	put_status(l, HZ - 1000, 0, ALL, 0);
	frame_vm(&f, 1, 1, 1, true, "rtos");
	line_frame(l, &f);
	frame_vm(&f, 1, 2, 2, false, "ivi");
	line_frame(l, &f);
}

static void make_files(void)
{
	struct line l;
	uint64_t end;

	for (unsigned int lose = 0; lose < 2; lose++) {
		line_begin(&l, false);
		put_head(&l);
		(void)put_rounds(&l, 0, ROUNDS, lose);
		line_save(&l, path(lose ? "lossy" : "good"));
		line_free(&l);
	}
	line_begin(&l, true);
	line_bytes(&l, "[ivi] login: ", 13);
	put_head(&l);
	line_bytes(&l, "root\r\n", 6);
	(void)put_rounds(&l, 0, 3, false);
	line_bytes(&l, "bye\n", 4);
	line_save(&l, path("console"));
	line_free(&l);
	line_begin(&l, false);
	put_head(&l);
	end = put_rounds(&l, 0, 2, false);
	put_status(&l, 2 * HZ, end, ALL, TRACE_STATUS_DUMP);
	(void)put_rounds(&l, 0, 1, false);
	put_status(&l, 2 * HZ, end, ALL, TRACE_STATUS_DUMP_END);
	line_save(&l, path("dumped"));
	line_free(&l);
	line_begin(&l, false);
	(void)put_records(&l, 0, 0, (const struct record[]){ RECORD(5, IRQ, 27) }, 1);
	line_save(&l, path("nohz"));
	line_free(&l);
	line_begin(&l, false);
	put_head(&l);
	line_save(&l, path("norecords"));
	line_free(&l);
}

/* --- command lines --- */

static void usage(void **state)
{
	(void)state;
	expect("$H --help", 0, "usage: hvtrace COMMAND");
	expect("for c in record live report plot dump text export events; do $H $c --help | head -1; done", 0,
	       "usage: hvtrace plot");
	expect("$H", 2, "no command");
	expect("$H frobnicate x", 2, "frobnicate: no such command");
	expect("$H report", 2, "the source is missing");
	expect("$H record", 2, "what to write is missing");
	expect("$H record good", 2, "the source is missing");
	expect("$H report good good", 2, "one argument too many");
	expect("$H report --frobnicate good", 2, "--frobnicate: no such option");
	expect("$H report --json=1 good", 2, "takes no value");
	expect("$H report good --vm", 2, "its value is missing");
	expect("$H report --vm 1 --vm 2 good", 2, "given twice");
	expect("$H report --from x good", 2, "write times in seconds");
	expect("$H report --from 3 --to 2 good", 2, "is after --to");
	expect("$H report --vm nobody good", 1, "no VM of that label");
	expect("$H report --own --console good", 2, "keep one");
	expect("$H report --speed fast good", 2, "is no speed");
	expect("$H report --speed 115200 good", 1, "no serial device");
	expect("$H report --seconds 0 good", 2, "is no time");
	expect("$H report --hz 5 good", 2, "is no frequency");
	expect("$H report --boot 256 good", 2, "from 0 to 255");
	expect("$H report --boot 7 good", 1, "no records of boot 7");
	expect("$H live --interval 0 good", 2, "is no time");
	expect("$H live --count 0 good", 2, "is no number of blocks");
	expect("$H record --on sched,oops out good", 2, "oops: no such class");
	expect("$H record --leave-on out good", 2, "only goes with --on");
	expect("$H text --classes nothing good", 2, "nothing: no such class");
	expect("$H plot -o x.svg good", 2, "one of --cdf and --timeline");
	expect("$H plot --cdf good", 2, "say what to write");
	expect("$H plot --cdf -o x.jpg good", 2, "is no picture");
	expect("$H export good -o x", 2, "give one format");
	expect("$H export --csv good", 2, "say what to write");
	expect("$H export --ctf -o - good", 2, "writes a folder");
}

static void sources(void **state)
{
	(void)state;
	expect("$H report nowhere", 1, "nowhere: No such file");
	expect("$H report .", 1, "a folder");
	expect("$H report unix:nowhere", 1, "unix:nowhere: No such file");
	expect("$H report unix:", 1, "a socket's path has");
	expect("$H report tcp:localhost", 1, "write it as tcp:HOST:PORT");
	expect("$H report tcp:127.0.0.1:1", 1, "tcp:127.0.0.1:1: Connection refused");
	expect("$H report /dev/null", 1, "no trace: not one good frame in 0 bytes");
	expect("head -c 3000 /dev/zero | tr '\\0' x | $H report -", 1, "not one good frame in 3000 bytes");
	expect("$H report norecords", 1, "no records, only 3 frames");
	expect("$H report nohz", 1, "give it with --hz");
	expect("$H report --hz 1000000 nohz", 0, "1 records");
	expect("$H dump good", 1, "has no dump");
	expect("$H dump --previous good", 1, "leave it out");
	expect("$H record --on rt out good", 1, "takes no commands");
	expect("$H report good > /dev/full", 1, "standard output: cannot be written");
	expect("$H record missing/out good", 1, "missing/out: ");
	expect("$H plot --cdf -o x.svg --from 100 good", 1, "nothing was late");
	expect("$H report --from 100 good", 1, "no records in that time");
	expect("PATH=/nowhere; $H plot --cdf -o x.svg good", 1, "gnuplot isn't installed");
}

/* --- what is printed --- */

static void report(void **state)
{
	(void)state;
	expect("$H report good", 0, "boot 1: 1.000000000 to 2.991000320 s");
	expect_no("incomplete");
	/* 200 timers, late by 0 to 199 ticks of 16 ns: by nearest rank the 100th, 198th, 200th. */
	expect("$H report good | grep 'timer interrupt'", 0,
	       "200        318.400        1.584        3.152        3.184        3.184\n");
	expect("$H report good | grep 'wake-up'", 0,
	       "200        446.400        2.224        3.792        3.824        3.824\n");
	expect("$H report good | grep 'as rt'", 0, "199872.000 us   10.04 %");
	expect("$H report good | grep '27 irq-eoi'", 0,
	       "200       1600.000        8.000        8.000        8.000        8.000\n");
	expect("$H report good", 0,
	       "longest stay: 4.464 us, cause irq (ESR 0x00000000), guest ivi/1, pc 0x40200000, on CPU 0 at 2.990001120 s");
	expect("$H report --vm rtos good", 0, "vCPU rtos/0");
	expect_no("ivi/1");
	expect("$H report --vm 2 good", 0, "vCPU ivi/1");
	expect("$H report --from 1.5 --to 1.9999 good | grep 'timer interrupt'", 0, " 50 ");
	expect("$H report lossy | head -1", 0, "incomplete: records made 2000: decoded 1900, lost on the line 100");
	expect("$H report --console console", 0, "3 ");
	expect("$H report - < good", 0, "2000 records");
	expect("cat good | $H report -", 0, "2000 records");
	expect("{ echo noise; cat good; } | $H report -", 0, "2000 records");
}

static void report_json(void **state)
{
	(void)state;
	expect("$H report --json good", 0, "\"format\": \"hvtrace-report-1\"");
	expect("$H report --json good", 0, "\"complete\": true");
	expect("$H report --json lossy", 0, "\"complete\": false");
	expect("$H report --json lossy", 0, "\"lost_on_line\": 100");
	expect("$H report --json good | tr -d '\\n' | tr -s ' ' | grep -o '\"tick_late\": {[^[]*' | head -1", 0,
	       "\"count\": 200, \"total_ns\": 318400, \"min_ns\": 0, \"p50_ns\": 1584, \"p90_ns\": 2864, \"p99_ns\": 3152, \"p999_ns\": 3184, "
	       "\"max_ns\": 3184,");
	expect("for c in 'report --json' 'record --json out'; do $H $c lossy 2>&1 >json || exit; /usr/bin/python3 -m json.tool json >out || exit; "
	       "done; echo fine",
	       0, "fine");
	expect("for c in 'text --json' 'live --json --interval 0.5'; do $H $c lossy 2>/dev/null >json || exit; "
	       "/usr/bin/python3 -m json.tool --json-lines json >out || exit; done; echo fine",
	       0, "fine");
}

static void texts(void **state)
{
	(void)state;
	expect("$H text good | head -3", 0,
	       "-- boot 1: records made 2000: decoded 2000\n[    1.000000000] cpu0 irq intid=27\n"
	       "[    1.000000320] cpu0 wake vcpu=rtos/0 why=timer class=rt cpu=0\n");
	expect("$H text good | sed -n 4p", 0, "switch prev=ivi/1 left=queued next=rtos/0 class=rt late_us=0.640\n");
	expect("$H text good | sed -n 7p", 0, "exit vcpu=rtos/0 cause=irq stay_us=1.280 pc=0x40200000\n");
	expect("$H text --classes rt,irq --vm rtos good | tail -n +2 | cut -d' ' -f7 | sort | uniq -c", 0,
	       "    200 tick\n");
	expect("$H text --from 1.1 --to 1.10001 good | wc -l", 0, "8\n");
	expect("$H text lossy | grep lost", 0, "cpu0 -- 10 records lost");
	expect("$H text --json good | sed -n 4p", 0,
	       "{\"time_ns\": 1000000800, \"boot\": 1, \"cpu\": 0, \"number\": 2, \"event\": \"switch\", \"prev\": \"ivi/1\", \"left\": \"queued\", "
	       "\"next\": \"rtos/0\", \"class\": \"rt\", \"late_ns\": 640}\n");
	expect("$H text --json lossy | grep '\"lost\"' | head -1", 0, "\"cpu\": 0, \"lost\": 10}");
	expect("$H text --follow good | tail -1", 0, "records made 2000: decoded 2000");
	expect("$H text --follow good 2>/dev/null >a; $H text good | tail -n +2 | cmp - a && echo same", 0, "same");
	expect("$H text --console-text t console >a && cat t", 0, "[ivi] login: root\r\nbye\n");
	expect("$H text console --console-text - | grep -c login", 0, "1\n");
	expect("$H dump dumped", 0, "cpu0 tick vcpu=rtos/0 late_us=0.000");
	expect("$H dump dumped | wc -l", 0, "11\n");
	expect("$H dump --json -o copy dumped | wc -l; $H dump copy | wc -l", 0, "11\n11\n");
	expect("$H text copy | wc -l", 0, "11\n");
}

static void live(void **state)
{
	(void)state;
	expect("$H live good", 0, "class");
	expect("$H live --interval 0.5 good 2>/dev/null | grep -c '^hvtrace live: good, boot 1 at'", 0, "4\n");
	/* 50 rounds of 1 ms in half a second. */
	expect("$H live --interval 0.5 --count 1 good | grep ^rtos", 0, "rtos/0           10.0   10.0      .");
	expect("$H live --interval 0.5 --count 2 --json good 2>/dev/null | wc -l", 0, "2\n");
	expect("$H live --interval 0.5 --count 1 --json good", 0,
	       "\"tick_late\": {\"count\": 50, \"p50_ns\": 384, \"p99_ns\": 784, \"max_ns\": 784}");
	expect("$H live --interval 1 lossy", 0, "lost 50 (the figures below lack them)");
	expect("$H live norecords", 0, "hvtrace: records made 0: decoded 0");
	expect("$H live nohz", 0, "no status yet");
	expect("$H live /dev/null", 1, "not one good frame");
}

static void pictures(void **state)
{
	bool drawn;

	(void)state;
	expect("$H plot --cdf -o x.gp good && cat x.gp", 0,
	       "title 'rtos/0 timer interrupt: 200, p99 3.152 us, max 3.184 us'");
	expect("$H plot --timeline -o - good", 0, "title 'ivi/1'");
	expect("$H plot --timeline -o - lossy 2>/dev/null", 0, "title 'unknown (records lost)'");
	expect("$H plot --timeline -o - lossy 2>/dev/null | grep 'set title'", 0,
	       "incomplete: made 2000: decoded 1900");
	drawn = !run("gnuplot --version");
	if (!drawn) {
		print_message("gnuplot isn't installed: its pictures aren't looked at\n");
		return;
	}
	for (unsigned int i = 0; i < 4; i++) {
		static const char *const what[] = { "cdf", "timeline" }, *const kind[] = { "svg", "png" };
		char command[128];

		(void)snprintf(command, sizeof(command),
			       "$H plot --%s -o \"it's.%s\" good && od -An -c -N9 \"it's.%s\"", what[i / 2],
			       kind[i % 2], kind[i % 2]);
		expect(command, 0, i % 2 ? "211   P   N   G" : "<   ?   x   m   l");
	}
}

static void record(void **state)
{
	(void)state;
	expect("$H record out good", 0, "records made 2000: decoded 2000");
	expect("cmp out good && echo same", 0, "same");
	expect("$H record --json out lossy 2>/dev/null", 0, "\"lost_on_line\": 100");
	expect("$H record out console --console-text t 2>/dev/null; $H report out | head -1; cat t", 0,
	       "30 records\n[ivi] login: root\r\nbye\n");
	expect("$H record - good 2>/dev/null | $H report -", 0, "2000 records");
	expect("$H record out norecords", 0, "made 0: decoded 0");
	expect("$H export --csv -o - good | wc -l", 0, "2001\n");
}

/* --- other sources --- */

/* What a fake machine does on its end of a line: waits for each command, then sends; the last thing it sends is before it closes. */
struct talk {
	const char *wait; /* NULL: don't */
	const void *bytes;
	size_t n;
};

static void say(int fd, const void *bytes, size_t n)
{
	const uint8_t *at = bytes;

	while (n) {
		ssize_t done = write(fd, at, n);

		if (done <= 0)
			_exit(40);
		at += done;
		n -= (size_t)done;
	}
}

static void hear(int fd, const char *line)
{
	char heard[128] = "";
	size_t n = 0;

	while (n < strlen(line)) {
		if (read(fd, heard + n, 1) != 1)
			_exit(41);
		n++;
	}
	if (memcmp(heard, line, n) != 0)
		_exit(42);
}

/* A process that listens, and talks to the one that connects. */
static pid_t machine(int listener, const struct talk *talk, size_t count)
{
	pid_t pid = fork();
	int fd;

	assert_true(pid >= 0);
	if (pid)
		return pid;
	(void)alarm(60);
	fd = accept(listener, NULL, NULL);
	for (size_t i = 0; i < count; i++) {
		if (talk[i].wait)
			hear(fd, talk[i].wait);
		say(fd, talk[i].bytes, talk[i].n);
	}
	_exit(0);
}

static void machine_ends(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int listen_unix(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", path("sock"));
	(void)unlink(at.sun_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void sockets(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t n = sizeof(at);
	struct talk talk = { NULL, NULL, 0 };
	struct line l;
	char command[128];
	int fd;

	(void)state;
	line_begin(&l, false);
	put_head(&l);
	(void)put_rounds(&l, 0, ROUNDS, false);
	talk.bytes = l.bytes;
	talk.n = l.n;
	for (unsigned int i = 0; i < 2; i++) {
		pid_t pid;

		fd = listen_unix();
		pid = machine(fd, &talk, 1);
		expect(i ? "$H report sock" : "$H report unix:sock", 0, "2000 records");
		machine_ends(pid);
		(void)close(fd);
	}
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	{
		pid_t pid = machine(fd, &talk, 1);

		(void)snprintf(command, sizeof(command), "$H report tcp:localhost:%u", ntohs(at.sin_port));
		expect(command, 0, "2000 records");
		machine_ends(pid);
	}
	(void)close(fd);
	line_free(&l);
}

/* Classes on first, off at the end, and what is in the rings then is waited for. */
static void commands(void **state)
{
	const struct record late = RECORD(10 * HZ, CLASSES, ALL, 1);
	struct line on, off, dump;
	struct talk talk[2];
	uint64_t end;
	pid_t pid;
	int fd;

	(void)state;
	line_begin(&on, false);
	put_head(&on);
	end = put_rounds(&on, 0, 10, false);
	put_status(&on, 3 * HZ, end + 1, ALL, 0); /* one waits */
	line_begin(&off, false);
	put_records(&off, 0, end, &late, 1);
	put_status(&off, 10 * HZ, end + 1, 1, 0);
	talk[0] = (struct talk){ "trace on sched rt\n", on.bytes, on.n };
	talk[1] = (struct talk){ "trace off\n", off.bytes, off.n };
	fd = listen_unix();
	pid = machine(fd, talk, 2);
	expect("$H record --on sched,rt --seconds 0.5 out sock", 0, "records made 101: decoded 101\n");
	machine_ends(pid);
	line_free(&off);

	line_begin(&dump, false);
	put_status(&dump, 3 * HZ, end, ALL, TRACE_STATUS_DUMP);
	(void)put_rounds(&dump, 0, 2, false);
	put_status(&dump, 3 * HZ, end, ALL, TRACE_STATUS_DUMP_END);
	/* What comes without having been asked for isn't the dump. */
	talk[0] = (struct talk){ NULL, on.bytes, on.n };
	talk[1] = (struct talk){ "trace dump previous\n", dump.bytes, dump.n };
	pid = machine(fd, talk, 2);
	expect("$H dump --previous sock | wc -l", 0, "21\n");
	machine_ends(pid);
	/* The other end is gone before it was asked. */
	pid = machine(fd, talk, 1);
	(void)run("$H dump --json sock");
	machine_ends(pid);
	pid = machine(fd, (struct talk[]){ { "trace on all\n", on.bytes, on.n } }, 1);
	expect("$H live --on all --count 1 --interval 0.1 sock", 0, "rtos/0");
	machine_ends(pid);
	(void)close(fd);
	line_free(&on);
	line_free(&dump);
}

static int open_pty(char name[128])
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY);

	if (fd < 0 || grantpt(fd) || unlockpt(fd) || !ptsname(fd))
		return -1;
	(void)snprintf(name, 128, "%s", ptsname(fd));
	return fd;
}

/* The program with a terminal: as source, or as standard output. */
static pid_t start(const char *const argv[], int output)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	(void)alarm(60);
	(void)dup2(output, STDOUT_FILENO);
	(void)dup2(output, STDERR_FILENO);
	(void)execv(getenv("HVTRACE"), (char *const *)(uintptr_t)argv);
	_exit(127);
}

/* Until the other end closes, or `word` has come. */
static void read_until(int fd, const char *word)
{
	size_t n = 0;

	text[0] = 0;
	while ((!word || !strstr(text, word)) && n + 1 < sizeof(text)) {
		ssize_t got = read(fd, text + n, sizeof(text) - 1 - n);

		if (got <= 0)
			break;
		n += (size_t)got;
		for (size_t i = n - (size_t)got; i < n; i++)
			text[i] = text[i] ? text[i] : '?';
		text[n] = 0;
	}
}

static void serial(void **state)
{
	char name[128], request[16];
	const char *argv[] = { "hvtrace", "dump", "--speed", "921600", name, NULL };
	struct termios t;
	struct line l;
	int fd = open_pty(name), slave, pipes[2], status;
	pid_t pid;

	(void)state;
	if (fd < 0) {
		print_message("no pseudo terminals here: %s\n", strerror(errno));
		skip();
	}
	slave = open(name, O_RDWR | O_NOCTTY); /* its settings can be looked at all the time */
	assert_true(slave >= 0);
	assert_int_equal(pipe(pipes), 0);
	line_begin(&l, false);
	put_status(&l, 3 * HZ, 20, ALL, TRACE_STATUS_DUMP);
	(void)put_rounds(&l, 0, 20, false);
	put_status(&l, 3 * HZ, 20, ALL, TRACE_STATUS_DUMP_END);
	pid = start(argv, pipes[1]);
	(void)close(pipes[1]);
	assert_int_equal(read(fd, request, sizeof(request)), 11);
	assert_memory_equal(request, "trace dump\n", 11);
	assert_int_equal(tcgetattr(slave, &t), 0);
	assert_int_equal(cfgetispeed(&t), B921600);
	assert_false(t.c_lflag & (ICANON | ECHO | ISIG) || t.c_iflag & (ICRNL | IXON) || t.c_oflag & OPOST);
	say(fd, l.bytes, l.n);
	read_until(pipes[0], NULL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
	assert_non_null(strstr(text, "records made 200: decoded 200"));
	assert_non_null(strstr(text, "cpu0 tick vcpu=1/0 late_us=0.304"));
	assert_int_equal(tcgetattr(slave, &t), 0);
	assert_true(t.c_lflag & ICANON); /* as it was before */
	(void)close(slave);
	(void)close(fd);
	(void)close(pipes[0]);
	line_free(&l);
}

/* Ctrl-C ends a recording in order: what is under way is still read. */
static void interrupt(void **state)
{
	char sock[300], out[300], byte;
	const char *argv[] = { "hvtrace", "record", "--on", "all", out, sock, NULL };
	struct line l, off;
	int listener = listen_unix(), fd, pipes[2], status;
	pid_t pid;

	(void)state;
	(void)snprintf(sock, sizeof(sock), "%s", path("sock"));
	(void)snprintf(out, sizeof(out), "%s", path("out"));
	assert_int_equal(pipe(pipes), 0);
	line_begin(&l, false);
	put_head(&l);
	(void)put_rounds(&l, 0, 20, false);
	line_begin(&off, false);
	put_status(&off, 3 * HZ, 200, 1, 0);
	pid = start(argv, pipes[1]);
	(void)close(pipes[1]);
	fd = accept(listener, NULL, NULL);
	for (unsigned int i = 0; i < strlen("trace on all\n"); i++)
		assert_int_equal(read(fd, &byte, 1), 1);
	say(fd, l.bytes, l.n);
	assert_int_equal(kill(pid, SIGINT), 0);
	for (unsigned int i = 0; i < strlen("trace off\n"); i++)
		assert_int_equal(read(fd, &byte, 1), 1);
	say(fd, off.bytes, off.n);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
	read_until(pipes[0], NULL);
	assert_non_null(strstr(text, "records made 200: decoded 200"));
	(void)close(fd);
	(void)close(listener);
	(void)close(pipes[0]);
	expect("$H report out", 0, "200 records");
	line_free(&l);
	line_free(&off);
}

static void screen(void **state)
{
	char name[128], good[300];
	const char *argv[] = { "hvtrace", "live", "--interval", "0.5", good, NULL };
	int fd = open_pty(name), slave, status;
	pid_t pid;

	(void)state;
	if (fd < 0) {
		print_message("no pseudo terminals here: %s\n", strerror(errno));
		skip();
	}
	slave = open(name, O_RDWR | O_NOCTTY);
	(void)snprintf(good, sizeof(good), "%s", path("good"));
	pid = start(argv, slave);
	(void)close(slave);
	read_until(fd, NULL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
	assert_non_null(strstr(text, "\033[?1049h")); /* a screen of its own, and back */
	assert_non_null(strstr(text, "\033[?1049l"));
	assert_non_null(strstr(text, "rtos/0"));
	for (char *line = strtok(text, "\033\n"); line; line = strtok(NULL, "\033\n"))
		assert_true(strlen(line) <
			    90); /* not wider than the terminal, which has 80, but for what ends a sequence */
	(void)close(fd);
}

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	make_files();
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usage),       cmocka_unit_test(sources), cmocka_unit_test(report),
		cmocka_unit_test(report_json), cmocka_unit_test(texts),   cmocka_unit_test(live),
		cmocka_unit_test(pictures),    cmocka_unit_test(record),  cmocka_unit_test(sockets),
		cmocka_unit_test(commands),    cmocka_unit_test(serial),  cmocka_unit_test(interrupt),
		cmocka_unit_test(screen),
	};

	if (!getenv("HVTRACE")) {
		(void)fprintf(stderr, "cli_test: set HVTRACE to the program to test\n");
		return 1;
	}
	return cmocka_run_group_tests_name("hvtrace/cli", tests, set_up, tear_down);
}
