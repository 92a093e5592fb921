/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: exit status, the one error line, the dependency file. Runs the program that $MKBUNDLE names. */
#define _GNU_SOURCE /* memmem */
#include "helper.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Runs mkbundle in the image folder; both outputs land in `text`. */
static int run(struct mkbundle *m, const char *args, char *text, size_t room)
{
	FILE *pipe = popen(pool_printf(m, "cd '%s' && '%s' %s 2>&1", m->opt.image_dirs[0], getenv("MKBUNDLE"), args),
			   "r");
	size_t bytes;
	int status;

	assert_non_null(pipe);
	bytes = fread(text, 1, room - 1, pipe);
	text[bytes] = 0;
	status = pclose(pipe);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void expect(struct mkbundle *m, const char *args, int status, const char *word)
{
	char text[4096];

	assert_int_equal(run(m, args, text, sizeof(text)), status);
	if (!strstr(text, word))
		fail_msg("%s: no \"%s\" in \"%s\"", args, word, text);
	if (status)
		assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1); /* one line */
}

static void usage(void **state)
{
	struct mkbundle *m = *state;

	expect(m, "--help", 0, "usage:");
	expect(m, "", 2, "nothing to do");
	expect(m, "a.dtb", 2, "-o");
	expect(m, "-o x a.dtb b.dtb", 2, "second profile");
	expect(m, "--image x -o y", 2, "--bundle");
	expect(m, "--list x a.dtb", 2, "nothing to do");
	expect(m, "--replace x -o y a.dtb", 2, "NAME=VALUE");
	expect(m, "--replace x=1 --replace x=2 -o y a.dtb", 2, "given twice");
	expect(m, "--limit vms=0 -o y a.dtb", 2, "from 1 to 16");
	expect(m, "--limit spis=1x -o y a.dtb", 2, "from 1 to 960");
	expect(m, "--limit x=1 -o y a.dtb", 2, "write vms=N");
	expect(m, "-o y nowhere.dtb", 1, "nowhere.dtb: No such file");
	expect(m, "--list raw.bin", 1, "not a bundle");
}

static void pack_and_list(void **state)
{
	struct mkbundle *m = *state;
	struct stat st;
	uint8_t *fdt;
	uint8_t *data;
	size_t bytes;

	helper_compile(m, ROOT(VM(1, BASIC("ivi") "kernel = \"linux\"; initrd = \"initrd\";")), &fdt, &bytes);
	expect(m, "-I . -d b.d -o b.bin --dump-dtb ivi=t.dtb --bootargs ivi='x y' profile.dtb", 0, "");
	expect(m, "--list b.bin", 0, "\"ivi\": entry 0x40200000");
	expect(m, "--list b.bin", 0, "profile \"profile\"");
	assert_int_equal(file_read(m, helper_path(m, "b.d"), &data, &bytes), 0);
	assert_memory_equal(data, "b.bin: ./initrd ./linux\n", strlen("b.bin: ./initrd ./linux\n"));
	assert_int_equal(file_read(m, helper_path(m, "t.dtb"), &data, &bytes), 0);
	assert_non_null(memmem(data, bytes, "x y", 4));
	expect(m, "-I . -o b.bin --replace linux=rtos.elf profile.dtb", 1, "initrd: needs a Linux");
	expect(m, "-I . -o b.bin --replace other=rtos.elf profile.dtb", 1, "no image of that name");
	expect(m, "-I . -o b.bin --bootargs rtos=x profile.dtb", 1, "no VM of that name");
	expect(m, "-I . -o b.bin --dump-dtb rtos=x profile.dtb", 1, "no VM of that name");
	expect(m, "-I . -s boards/x.dts -o b.bin --replace linux=nowhere profile.dtb", 1,
	       "boards/x.dts: /vm@1: kernel: nowhere");
	expect(m, "-I . -o missing/b.bin profile.dtb", 1, "missing/b.bin: ");
	expect(m, "-I . -o /dev/full profile.dtb", 1, "cannot be written");
	assert_int_equal(stat("/dev/full", &st), 0);
	assert_true(S_ISCHR(st.st_mode)); /* what is no file of ours is not removed */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(usage, helper_setup, helper_teardown),
		cmocka_unit_test_setup_teardown(pack_and_list, helper_setup, helper_teardown),
	};

	if (!getenv("MKBUNDLE")) {
		fprintf(stderr, "cli_test: set MKBUNDLE to the program to test\n");
		return 1;
	}
	return cmocka_run_group_tests_name("mkbundle/cli", tests, NULL, NULL);
}
