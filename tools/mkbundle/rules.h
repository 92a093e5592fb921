/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of the properties that a kind of node may have, and the reader that works through them (rules.c).
 */
#ifndef MKBUNDLE_RULES_H
#define MKBUNDLE_RULES_H

#include "mkbundle.h"

enum prop_type {
	PROP_IGNORED, /* "compatible": already looked at; "phandle": dtc adds it */
	PROP_STRING,
	PROP_U32,
	PROP_CHOICE,
	PROP_BOOL, /* without value; sets a uint32_t to 1 */
	PROP_FLAG, /* sets a flag in vm->flags */
	PROP_NO_FLAG,
	PROP_CALL,
};

struct prop_rule {
	const char *name;
	enum prop_type type;
	size_t field; /* in the structure that the node is read into, or the flag */
	uint32_t low;
	uint32_t high;
	const char *const *words;
	int (*call)(struct mkbundle *m, const struct prop *p);
};

#define IGNORED(n) .name = n, .type = PROP_IGNORED
#define STRING(n, s, f) .name = n, .type = PROP_STRING, .field = offsetof(struct s, f)
#define U32(n, s, f, l, h) .name = n, .type = PROP_U32, .field = offsetof(struct s, f), .low = l, .high = h
#define CHOICE(n, s, f, w) .name = n, .type = PROP_CHOICE, .field = offsetof(struct s, f), .words = w
#define BOOL(n, s, f) .name = n, .type = PROP_BOOL, .field = offsetof(struct s, f)
#define FLAG(n, f) .name = n, .type = PROP_FLAG, .field = f
#define NO_FLAG(n, f) .name = n, .type = PROP_NO_FLAG, .field = f
#define CALL(n, c) .name = n, .type = PROP_CALL, .call = c

/* A name that people try, because it is Xen's, was ours once or belongs elsewhere, and what they should do. */
struct prop_hint {
	const char *name;
	const char *remedy;
};

struct node_kind {
	const struct prop_rule *rules; /* ends with a NULL name */
	const struct prop_hint *hints; /* likewise */
};

/* Reads all properties of `node`, called `path` in messages, into `into`, which belongs to `vm`. */
int rules_read(struct mkbundle *m, const void *fdt, int node, const char *path, struct vm *vm, void *into,
	       const struct node_kind *kind);

#endif
