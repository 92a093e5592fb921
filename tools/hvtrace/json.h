/* SPDX-License-Identifier: Apache-2.0 */
/* Writes JSON (RFC 8259) in order: commas, quotes and indentation are its business. Numbers are integers: units are in the keys. */
#ifndef HVTRACE_JSON_H
#define HVTRACE_JSON_H

#include <stdio.h>

#include "hvtrace.h"

struct json {
	FILE *out;
	unsigned int depth;
	bool compact; /* all in one line */
	bool some;    /* the present object or list has a member */
};

/* key: NULL in lists and at the top. */
void json_open(struct json *j, const char *key, char bracket);
void json_close(struct json *j, char bracket);
void json_number(struct json *j, const char *key, uint64_t value);
void json_bool(struct json *j, const char *key, bool value);
void json_text(struct json *j, const char *key, const char *value);
void json_null(struct json *j, const char *key);

#endif
