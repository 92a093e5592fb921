/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events at run time, made from TRACE_EVENTS: names, classes, words with name and kind, and what the words mean as text.
 *
 * Nothing here keeps state but the table, which event_find() makes when first asked. A word's text is plain ASCII without spaces, quotes or
 * backslashes, whatever the record says.
 */
#ifndef HVTRACE_EVENT_H
#define HVTRACE_EVENT_H

#include "hvtrace.h"

enum word_kind {
	WORD_VCPU,
	WORD_VM,
	WORD_TICKS,
	WORD_CLASS,
	WORD_WHY,
	WORD_LEFT,
	WORD_CAUSE,
	WORD_STATE,
	WORD_REASON,
	WORD_TEXT,
	WORD_DEC,
	WORD_HEX,
	WORD_LO,
	WORD_HI,
};

/* "pc:lo pc:hi" is one field of two words, "text:text" five times one of five; else a field is a word. */
struct event_field {
	const char *name;
	const char *kind_name; /* as the table has it */
	enum word_kind kind;   /* WORD_LO: a number of 64 bits if words is 2, else of 32 */
	uint8_t word;          /* the first */
	uint8_t words;
};

struct event {
	const char *name;
	const char *what;
	const char *class_name;
	unsigned int number;
	unsigned int class;
	unsigned int words;
	unsigned int fields;
	struct event_field field[TRACE_WORDS];
};

const struct event *event_find(unsigned int number);      /* NULL: unknown */
const struct event *event_next(const struct event *prev); /* NULL: the first; in the table's order */
const char *trace_class_name(unsigned int class);         /* "sched"; NULL: unknown */
/* "sched,rt" or "all" -> bits; -1 and an error if one is unknown. */
int trace_classes_parse(const char *text, uint32_t *classes);

/* Value of a field: one word, or two. A text is its first word. */
uint64_t field_value(const struct event_field *f, const struct record *r);

/*
 * What words are called. Kinds with numbers that may be unknown ("vm", "state", ...) give "<n>" then. `vms` are 256 or NULL:
 * "rtos/0" or "1/0".
 */
#define NAME_ROOM 64
const char *vcpu_name(char text[NAME_ROOM], uint32_t vcpu, const struct vm_info *vms); /* "idle" for TRACE_NOBODY */
const char *vm_name(char text[NAME_ROOM], uint32_t vm, const struct vm_info *vms);
const char *cause_name(char text[NAME_ROOM], uint32_t cause); /* what exits are counted by: "hvc", "irq", "dabt", ... */
const char *psci_name(char text[NAME_ROOM], uint32_t function);
const char *sched_class_name(char text[NAME_ROOM], uint32_t class);
#define SCHED_CLASS_COUNT 5u
/* A field as text: ticks as microseconds ("12.345"), "max" for TRACE_TICKS_MAX. hz 0: ticks stay ticks. */
const char *field_text(char text[NAME_ROOM], const struct event_field *f, const struct record *r,
		       const struct vm_info *vms, uint64_t hz);

#endif
