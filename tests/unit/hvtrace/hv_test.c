/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the hypervisor's own rings and stream send (hv_stream.c, which $HV_STREAM names) is what hvtrace reads: every record of it, each as it
 * was made, and not one that isn't accounted for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "encode.h"
#include "reader.h"
/* cmocka.h needs setjmp.h and others first, and has a macro fail(). */
#include <cmocka.h>

#define CPUS 3u
#define BOOTS 3u /* numbers of boots; memory of a machine that was off gives 1 */
#define FIRST_BOOT 1u

struct made {
	struct record *record[BOOTS][CPUS];
	size_t count[BOOTS][CPUS], room[BOOTS][CPUS];
	uint64_t full[BOOTS][CPUS];
};

static char folder[] = "/tmp/hvtrace-test-XXXXXX";
static struct made made;
static struct reader whole;

static void read_made(const char *path)
{
	FILE *file = fopen(path, "r");
	char text[256];

	assert_non_null(file);
	memset(&made, 0, sizeof(made));
	while (fgets(text, sizeof(text), file)) {
		unsigned int boot, cpu, event, used;
		unsigned long long number, time;
		struct record *r;

		if (sscanf(text, "full %u %u %llu", &boot, &cpu, &number) == 3) {
			assert_true(boot < BOOTS && cpu < CPUS);
			made.full[boot][cpu] = number;
			continue;
		}
		assert_int_equal(sscanf(text, "%u %u %llu %llu %u%n", &boot, &cpu, &number, &time, &event,
					(int *)&used),
				 5);
		assert_true(boot < BOOTS && cpu < CPUS);
		assert_int_equal(number, made.count[boot][cpu]);
		made.record[boot][cpu] = mem_grow(made.record[boot][cpu], made.count[boot][cpu], &made.room[boot][cpu],
						  sizeof(struct record));
		r = &made.record[boot][cpu][made.count[boot][cpu]++];
		*r = (struct record){ .time = time,
				      .number = number,
				      .event = (uint16_t)event,
				      .cpu = (uint8_t)cpu,
				      .boot = (uint8_t)boot };
		for (char *at = text + used; *at == ' '; r->words++)
			r->word[r->words] = (uint32_t)strtoul(at, &at, 10);
	}
	(void)fclose(file);
}

static void made_free(void)
{
	for (unsigned int i = 0; i < BOOTS * CPUS; i++)
		free(made.record[i / CPUS][i % CPUS]);
}

/* Runs the encoder; the line is in `out`. */
static void encode(const char *line, const char *mode, struct line *out)
{
	char command[512], path[64], buffer[4096];
	FILE *pipe;
	size_t n;

	(void)snprintf(path, sizeof(path), "%s/made", folder);
	(void)snprintf(command, sizeof(command), "'%s' %s %s '%s'", getenv("HV_STREAM"), line, mode, path);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	*out = (struct line){ .console = false };
	while ((n = fread(buffer, 1, sizeof(buffer), pipe)))
		line_bytes(out, buffer, n);
	assert_int_equal(pclose(pipe), 0);
	read_made(path);
	(void)unlink(path);
}

static void read_line(const struct line *l)
{
	reader_start(&whole, DECODE_AUTO);
	reader_bytes(&whole, l->bytes, l->n);
	reader_end(&whole, 0);
}

/* All records that came are those that were made; returns how many came. */
static uint64_t compare(const struct boot *b)
{
	const struct record *r;
	uint64_t count = 0;
	struct cursor c;

	assert_true(b->number < BOOTS);
	cursor_start(&c, b);
	for (; (r = cursor_next(&c, NULL)); count++) {
		assert_true(r->cpu < CPUS && r->number < made.count[b->number][r->cpu]);
		assert_memory_equal(r, &made.record[b->number][r->cpu][r->number], sizeof(*r));
	}
	cursor_free(&c);
	return count;
}

/* Made = decoded + overwritten + full, on each CPU. */
static void expect_exact(const struct boot *b)
{
	for (unsigned int i = 0; i < CPUS; i++) {
		const struct losses *l = &b->cpu[i].losses;

		assert_int_equal(b->cpu[i].account.base, 0);
		assert_int_equal(l->decoded + l->overwritten, made.count[b->number][i]);
		assert_int_equal(l->full, made.full[b->number][i]);
		assert_int_equal(l->total, made.count[b->number][i] + made.full[b->number][i]);
		assert_int_equal(l->line, 0);
		assert_int_equal(l->waiting, 0);
	}
	assert_int_equal(compare(b), b->losses.decoded);
}

static void whole_streams(void **state)
{
	static const char *const lines[] = { "own", "console" }, *const modes[] = { "overwrite", "stop" };

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		struct line l;

		encode(lines[i / 2], modes[i % 2], &l);
		read_line(&l);
		assert_int_equal(whole.count, 1);
		assert_int_equal(whole.counts.bad + whole.counts.malformed + whole.counts.unknown +
					 whole.counts.refused,
				 0);
		assert_int_equal(whole.counts.skipped + whole.counts.text, 0);
		expect_exact(whole.boots[0]);
		assert_true(i % 2 ? whole.boots[0]->losses.full > 0 : whole.boots[0]->losses.overwritten > 0);
		assert_true(whole.boots[0]->records > 1000);
		assert_int_equal(whole.boots[0]->hz, 62500000);
		assert_string_equal(whole.boots[0]->vm[1].label, "rtos");
		assert_string_equal(whole.boots[0]->vm[2].label, "ivi");
		assert_true(whole.boots[0]->vm[1].rt && !whole.boots[0]->vm[2].rt);
		assert_int_equal(whole.boots[0]->vm[2].vcpus, 2);
		assert_int_equal(whole.boots[0]->cpu[2].last.idle, 2000);
		assert_int_equal(whole.dumps, 1);
		assert_true(whole.boots[0]->ended);
		reader_free(&whole);
		line_free(&l);
		made_free();
	}
}

static void warm_reset(void **state)
{
	struct line l;

	(void)state;
	encode("own", "reset", &l);
	read_line(&l);
	assert_int_equal(whole.count, 2);
	assert_int_equal(whole.dumps, 1);
	expect_exact(whole.boots[1]);
	expect_exact(whole.boots[0]);
	assert_true(whole.boots[0]->dumped);
	reader_free(&whole);
	/* The dump alone. */
	reader_start(&whole, DECODE_AUTO);
	whole.only_dumps = true;
	reader_bytes(&whole, l.bytes, l.n);
	reader_end(&whole, 0);
	for (size_t i = 0; i < whole.count; i++)
		assert_int_equal(compare(whole.boots[i]), whole.boots[i]->records);
	assert_true(whole.boots[0]->records > 100);
	reader_free(&whole);
	line_free(&l);
	made_free();
}

/* A damaged line: what is missing is said to be lost on it, to the record. */
static void bad_line(void **state)
{
	const struct boot *b;
	struct line l;

	(void)state;
	encode("own", "overwrite", &l);
	for (size_t i = 5000; i < l.n / 2; i += 2777)
		l.bytes[i] ^= 0x20;
	read_line(&l);
	b = whole.boots[0];
	assert_int_equal(compare(b), b->losses.decoded);
	assert_true(whole.counts.bad > 3);
	for (unsigned int i = 0; i < CPUS; i++) {
		const struct losses *one = &b->cpu[i].losses;

		assert_int_equal(one->decoded + one->overwritten + one->line + one->waiting, made.count[FIRST_BOOT][i]);
		assert_int_equal(one->waiting, 0);
	}
	assert_true(b->losses.line > 0);
	reader_free(&whole);
	line_free(&l);
	made_free();
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_streams),
		cmocka_unit_test(warm_reset),
		cmocka_unit_test(bad_line),
	};

	if (!getenv("HV_STREAM")) {
		(void)fprintf(stderr, "hv_test: set HV_STREAM to the encoder\n");
		return 1;
	}
	return cmocka_run_group_tests_name("hvtrace/hv", tests, make_folder, drop_folder);
}
