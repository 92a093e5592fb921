/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parser of the boot arguments: words name=value separated by blanks. A measurement that isn't the one that was asked for is
 * worth nothing, so any mistake ends the program. Once at boot; no state.
 */
#include "options.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD_BYTES 48

static const struct number {
	const char *name;
	size_t offset;
	uint64_t min, max;
} numbers[] = {
	{ "rounds", offsetof(struct options, rounds), 1, 100000 },
	{ "period-us", offsetof(struct options, period_us), 100, 10000000 },
	{ "work-us", offsetof(struct options, work_us), 0, 10000000 },
	{ "phase-us", offsetof(struct options, phase_us), 0, 10000000 },
	{ "start-ms", offsetof(struct options, start_ms), 0, 60000 },
};

/* One of two words each; the second one is the flag's. */
static const struct choice {
	const char *name;
	size_t offset;
	const char *no, *yes;
} choices[] = {
	{ "sleep", offsetof(struct options, rel), "abs", "rel" },
	{ "how", offsetof(struct options, announce), "wfi", "announce" },
	{ "then", offsetof(struct options, off), "stay", "off" },
};

static bool parse_number(const struct number *number, const char *text, struct options *options)
{
	uint64_t value;
	char *end;

	value = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || value < number->min || value > number->max) {
		printf("p1: FAIL boot argument %s=%s: needs a number from %" PRIu64 " to %" PRIu64 "\n", number->name,
		       text, number->min, number->max);
		return false;
	}
	memcpy((char *)options + number->offset, &value, sizeof(value));
	return true;
}

static bool parse_choice(const struct choice *choice, const char *text, struct options *options)
{
	bool yes = strcmp(text, choice->yes) == 0;

	if (!yes && strcmp(text, choice->no) != 0) {
		printf("p1: FAIL boot argument %s=%s: needs %s or %s\n", choice->name, text, choice->no, choice->yes);
		return false;
	}
	memcpy((char *)options + choice->offset, &yes, sizeof(yes));
	return true;
}

static bool parse_word(char *word, struct options *options)
{
	char *equals = strchr(word, '=');

	if (equals) {
		*equals = '\0';
		for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
			if (strcmp(word, numbers[i].name) == 0)
				return parse_number(&numbers[i], equals + 1, options);
		}
		for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
			if (strcmp(word, choices[i].name) == 0)
				return parse_choice(&choices[i], equals + 1, options);
		}
	}
	printf("p1: FAIL boot argument %s: unknown\n", word);
	return false;
}

bool options_parse(const char *bootargs, struct options *options)
{
	*options = (struct options){ .rounds = 3000, .period_us = 10000 };
	while (*bootargs) {
		size_t length = strcspn(bootargs, " \t\n");
		char word[WORD_BYTES];

		if (length >= sizeof(word)) {
			printf("p1: FAIL boot argument %.16s...: too long\n", bootargs);
			return false;
		}
		memcpy(word, bootargs, length);
		word[length] = '\0';
		if (length && !parse_word(word, options))
			return false;
		bootargs += length;
		bootargs += strspn(bootargs, " \t\n");
	}
	return true;
}
