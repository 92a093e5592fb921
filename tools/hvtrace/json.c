/* SPDX-License-Identifier: Apache-2.0 */
/* JSON. See json.h. */
#include "json.h"

static void quoted(struct json *j, const char *text)
{
	(void)fputc('"', j->out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			(void)fprintf(j->out, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			(void)fprintf(j->out, "\\u%04x", c);
		else
			(void)fputc(c, j->out);
	}
	(void)fputc('"', j->out);
}

static void line(struct json *j)
{
	(void)fputc('\n', j->out);
	for (unsigned int i = 0; i < j->depth; i++)
		(void)fputs("  ", j->out);
}

static void member(struct json *j, const char *key)
{
	if (j->some)
		(void)fputs(j->compact ? ", " : ",", j->out);
	if (j->depth && !j->compact)
		line(j);
	j->some = true;
	if (key) {
		quoted(j, key);
		(void)fputs(": ", j->out);
	}
}

void json_open(struct json *j, const char *key, char bracket)
{
	member(j, key);
	(void)fputc(bracket, j->out);
	j->depth++;
	j->some = false;
}

void json_close(struct json *j, char bracket)
{
	j->depth--;
	if (j->some && !j->compact)
		line(j);
	(void)fputc(bracket, j->out);
	j->some = true;
	if (!j->depth) {
		(void)fputc('\n', j->out);
		j->some = false;
	}
}

void json_number(struct json *j, const char *key, uint64_t value)
{
	member(j, key);
	(void)fprintf(j->out, "%llu", (unsigned long long)value);
}

void json_bool(struct json *j, const char *key, bool value)
{
	member(j, key);
	(void)fputs(value ? "true" : "false", j->out);
}

void json_text(struct json *j, const char *key, const char *value)
{
	member(j, key);
	quoted(j, value);
}

void json_null(struct json *j, const char *key)
{
	member(j, key);
	(void)fputs("null", j->out);
}
