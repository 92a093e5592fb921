/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parser of the boot arguments: words separated by blanks, name or name=number. Once at boot; no state.
 */
#include "app/options.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_REPORT 100
#define DEFAULT_PERIOD_US 10000
#define DEFAULT_HANG_MS 30000
#define WORD_BYTES 48

struct number {
	const char *name;
	size_t offset;
	uint64_t min, max;
};

/* The limits keep the arithmetic in nanoseconds and ticks far from overflow, and the guest able to answer. */
static const struct number numbers[] = {
	{ "periods", offsetof(struct options, periods), 0, UINT32_MAX },
	{ "report", offsetof(struct options, report), 0, UINT32_MAX },
	{ "period-us", offsetof(struct options, period_us), 100, 10000000 },
	{ "hang-ms", offsetof(struct options, hang_ms), 0, 3600000 },
};

static void parse_number(const struct number *number, const char *text, struct options *options)
{
	uint64_t value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || value < number->min || value > number->max) {
		printf("rtos: boot argument %s=%s ignored: needs a number from %" PRIu64 " to %" PRIu64 "\n",
		       number->name, text, number->min, number->max);
		return;
	}
	memcpy((char *)options + number->offset, &value, sizeof(value));
}

static void parse_word(char *word, struct options *options)
{
	char *equals = strchr(word, '=');

	if (!equals) {
		if (strcmp(word, "quiet") == 0)
			options->quiet = true;
		else
			printf("rtos: boot argument %s ignored: unknown\n", word);
		return;
	}
	*equals = '\0';
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (strcmp(word, numbers[i].name) == 0) {
			parse_number(&numbers[i], equals + 1, options);
			return;
		}
	}
	printf("rtos: boot argument %s=%s ignored: unknown\n", word, equals + 1);
}

void options_parse(const char *bootargs, struct options *options)
{
	*options = (struct options){ .report = DEFAULT_REPORT,
				     .period_us = DEFAULT_PERIOD_US,
				     .hang_ms = DEFAULT_HANG_MS };

	while (*bootargs) {
		size_t length = strcspn(bootargs, " \t\n");
		char word[WORD_BYTES];

		if (length >= sizeof(word)) {
			printf("rtos: boot argument %.16s... ignored: too long\n", bootargs);
		} else if (length) {
			memcpy(word, bootargs, length);
			word[length] = '\0';
			parse_word(word, options);
		}
		bootargs += length;
		bootargs += strspn(bootargs, " \t\n");
	}
}
