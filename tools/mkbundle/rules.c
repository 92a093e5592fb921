/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Works through the properties of a node by a table (rules.h).
 *
 * A property that is not in the table is an error; the message says what may have been meant. Values are judged by
 * prop.c; this file never looks at their bytes.
 */
#include "rules.h"

#include <libfdt.h>
#include <string.h>

#define NAME_MAX_BYTES 32u /* longer names resemble none of ours */
#define MISSPELT_MAX 2u

static int set_flag(struct mkbundle *m, const struct prop *p, uint32_t flag, bool on)
{
	if (prop_empty(m, p))
		return -1;
	if (p->vm->flags_said & flag)
		return prop_fail(m, p, "contradicts '%s%s'; keep one of the two", on ? "no-" : "",
				 on ? p->name : p->name + strlen("no-"));
	p->vm->flags_said |= flag;
	p->vm->flags = on ? p->vm->flags | flag : p->vm->flags & ~flag;
	return 0;
}

static int apply_rule(struct mkbundle *m, const struct prop_rule *rule, const struct prop *p)
{
	char *field;

	if (rule->type == PROP_IGNORED)
		return 0;
	field = (char *)p->into + rule->field;
	switch (rule->type) {
	case PROP_IGNORED:
		break;
	case PROP_STRING:
		return prop_string(m, p, (const char **)(void *)field);
	case PROP_U32:
		return prop_u32(m, p, rule->low, rule->high, (uint32_t *)(void *)field);
	case PROP_CHOICE:
		return prop_choice(m, p, rule->words, (uint32_t *)(void *)field);
	case PROP_BOOL:
		*(uint32_t *)(void *)field = 1;
		return prop_empty(m, p);
	case PROP_FLAG:
	case PROP_NO_FLAG:
		return set_flag(m, p, (uint32_t)rule->field, rule->type == PROP_FLAG);
	case PROP_CALL:
		return rule->call(m, p);
	}
	return -1;
}

/* Single-character insertions, deletions and replacements, and swaps of neighbours, between two short names. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int rows[3][NAME_MAX_BYTES + 1];
	unsigned int *before = rows[0], *above = rows[1], *row = rows[2];
	size_t a_bytes = strlen(a), b_bytes = strlen(b);

	for (size_t j = 0; j <= b_bytes; j++)
		above[j] = (unsigned int)j;
	for (size_t i = 1; i <= a_bytes; i++) {
		unsigned int *free_row = before;

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= b_bytes; j++) {
			unsigned int best = above[j - 1] + (a[i - 1] != b[j - 1]);

			best = above[j] + 1 < best ? above[j] + 1 : best;
			best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			row[j] = best;
		}
		before = above;
		above = row;
		row = free_row;
	}
	return above[b_bytes];
}

static int unknown_property(struct mkbundle *m, const struct prop *p, const struct node_kind *kind)
{
	const char *nearest = NULL;
	unsigned int best = MISSPELT_MAX + 1;

	for (const struct prop_hint *hint = kind->hints; hint->name; hint++)
		if (!strcmp(hint->name, p->name))
			return prop_fail(m, p, "no such property here; %s", hint->remedy);
	for (const struct prop_rule *rule = kind->rules; rule->name && strlen(p->name) <= NAME_MAX_BYTES; rule++) {
		unsigned int d = rule->type == PROP_IGNORED ? best : distance(p->name, rule->name);

		if (d >= best || d >= strlen(rule->name))
			continue;
		best = d;
		nearest = rule->name;
	}
	if (nearest)
		return prop_fail(m, p, "no such property here; '%s' is the nearest, if you meant that", nearest);
	return prop_fail(m, p, "no such property here; remove it or mend its name (see docs/config.md)");
}

int rules_read(struct mkbundle *m, const void *fdt, int node, const char *path, struct vm *vm, void *into,
	       const struct node_kind *kind)
{
	int at;

	for (at = fdt_first_property_offset(fdt, node); at >= 0; at = fdt_next_property_offset(fdt, at)) {
		struct prop p = { .vm = vm, .into = into, .node = path };
		const struct prop_rule *rule = kind->rules;
		int bytes = 0;

		p.data = fdt_getprop_by_offset(fdt, at, &p.name, &bytes);
		p.bytes = (uint32_t)bytes;
		while (rule->name && strcmp(rule->name, p.name))
			rule++;
		if (!rule->name)
			return unknown_property(m, &p, kind);
		if (apply_rule(m, rule, &p))
			return -1;
	}
	return 0;
}
