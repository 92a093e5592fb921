/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options: words key=value of the boot arguments; keys may have - where they have _ here. The text is copied once and cut at
 * its blanks.
 */
#include "probe.h"

#define TEXT_BYTES 1024

static char text[TEXT_BYTES];
static size_t text_len;

void options_init(const char *bootargs)
{
	for (text_len = 0; text_len < TEXT_BYTES - 1 && bootargs[text_len]; text_len++)
		text[text_len] = bootargs[text_len] == ' ' ? '\0' : bootargs[text_len];
	text[text_len] = '\0';
}

/* The value, if this is the key's word; a-b is a_b. */
static const char *value_of(const char *word, const char *key)
{
	for (; *key; word++, key++) {
		if (*word != *key && !(*word == '-' && *key == '_'))
			return NULL;
	}
	return *word == '=' ? word + 1 : NULL;
}

const char *option_text(const char *key)
{
	for (size_t i = 0; i < text_len; i += strlen(&text[i]) + 1) {
		const char *value = value_of(&text[i], key);

		if (value)
			return value;
	}
	return NULL;
}

uint64_t option_number(const char *key, uint64_t otherwise)
{
	const char *t = option_text(key);
	uint64_t value = 0;

	if (!t || !*t)
		return otherwise;
	if (t[0] == '0' && t[1] == 'x') {
		for (t += 2; (*t >= '0' && *t <= '9') || (*t >= 'a' && *t <= 'f'); t++)
			value = value << 4 | (uint64_t)(*t <= '9' ? *t - '0' : *t - 'a' + 10);
	}
	for (; *t >= '0' && *t <= '9'; t++)
		value = value * 10 + (uint64_t)(*t - '0');
	if (*t) {
		print("probe: option %s is not a number, using %lu\n", key, otherwise);
		return otherwise;
	}
	return value;
}

bool list_next(const char **list, char *word, size_t size)
{
	size_t len = 0;

	while (**list == ',')
		++*list;
	if (!**list)
		return false;
	for (; **list && **list != ','; ++*list) {
		if (len + 1 < size)
			word[len++] = **list;
	}
	word[len] = '\0';
	return true;
}

bool list_has(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *t = list; *t;) {
		if (!strncmp(t, word, len) && (t[len] == ',' || !t[len]))
			return true;
		while (*t && *t != ',')
			t++;
		if (*t == ',')
			t++;
	}
	return false;
}
