/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does the simulation find bugs? Each program in bug/ is sim_test over a scheduler into which sim_bug.py has put one;
 * it must fail, by the property that the bug breaks. A list of a bug's name and the properties that may be the first to
 * notice.
 */
#include "support.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct bug {
	const char *name;
	const char *property[3];
} bugs[] = {
	{ "kick", { "wake-up" } },
	{ "refill", { "budget", "deadline" } },
	{ "edf", { "queue" } },
	{ "free", { "credit" } },
	{ "twice", { "charge", "credit" } },
	{ "cap", { "cap", "starve" } },
	{ "uncapped", { "cap" } },
	{ "mask", { "place" } },
	{ "resident", { "place" } },
	{ "stop", { "stop" } },
};

static char where[4096];

static bool expected(const struct bug *b, const char *line)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(b->property) && b->property[i]; i++) {
		char start[64];

		(void)snprintf(start, sizeof(start), "sim: property %s:", b->property[i]);
		if (!strncmp(line, start, strlen(start)))
			return true;
	}
	return false;
}

static void finds_each(void **state)
{
	unsigned int missed = 0;

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(bugs); i++) {
		char command[sizeof(where) + 64], line[256], found[256] = "nothing\n";
		FILE *out;

		(void)snprintf(command, sizeof(command), "%s/bug/%s 2>&1", where, bugs[i].name);
		out = popen(command, "r");
		assert_non_null(out);
		while (fgets(line, sizeof(line), out))
			if (!strncmp(line, "sim: ", 5))
				memcpy(found, line, sizeof(found));
		if (!pclose(out) || !expected(&bugs[i], found)) {
			print_error("bug %s: found %s", bugs[i].name, found);
			missed++;
		}
	}
	assert_int_equal(missed, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(finds_each) };

	assert_int_equal(argc, 1);
	(void)snprintf(where, sizeof(where), "%s", dirname(argv[0]));
	(void)unsetenv("CAMBER_SIM");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
