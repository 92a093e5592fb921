/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of hv/main: the monitor, the editor of its line, boot arguments. */
#ifndef MAIN_PRIV_H
#define MAIN_PRIV_H

#include "camber/sched.h"

struct pcpu;
struct vm;

#define LINE_BYTES 80 /* of the monitor's line, with the terminating NUL */
#define WORD_BYTES 48

/* Copies word `n` of a text, cut to WORD_BYTES - 1; false: it has fewer. Words are separated by blanks. */
bool word_get(const char *text, unsigned int n, char word[WORD_BYTES]);

/* Which word of a list it is, or -1. */
int word_index(const char *list, const char *word);

/* A byte typed. Returns the line, which stays valid until the next call, if this one completed it. */
const char *lineedit_key(char c);

/* Shows the line as it is, behind the prompt; nothing in batch mode. */
void lineedit_show(void);

/* What may stand as word `word` of a line that begins with `line`: its n-th possibility; false: there is none. */
bool monitor_candidate(const char *line, unsigned int word, unsigned int n, char text[WORD_BYTES]);

/* "batch" or "interactive"; false: neither. */
bool monitor_console(const char *mode);

#define CONSOLE_MODES "batch interactive"

/* The commands' side of the monitor: monitor.c, monitor_sched.c. */

/* The job at work: each step says one line. */
struct monitor_job {
	bool (*step)(void); /* false: there was no line any more. NULL: no job */
	unsigned int i, j;  /* where it is: VM and vCPU, CPU and class, ... */
	unsigned int end;   /* last VM */
	bool flag;          /* of its own meaning */
	uint32_t at;        /* likewise */
};
extern struct monitor_job monitor_job;

/* Begins with everything zero but `end`, which no VM has, and `flag`. */
void monitor_job_start(bool (*step)(void), bool flag);

/* The same for the vCPUs of one VM. */
void monitor_job_start_vm(bool (*step)(void), bool flag, const struct vm *vm);

/* A command, as if it had been typed. */
void monitor_run(const char *line);

/* A line of the monitor's, cut to 254 bytes. */
void monitor_say(const char *fmt, ...) __printf(1, 2);

/* "<cmd><sub>: ...", with what is allowed: `word` isn't, or is missing. */
void monitor_refuse(const char *cmd, const char *sub, const char *word, const char *allowed);

/*
 * Word `at` of the line as a decimal number from min to max; false: it isn't, and that was said: "<cmd><name>: ...".
 */
bool monitor_number(const char *line, unsigned int at, const char *cmd, const char *name, uint32_t min, uint32_t max,
		    uint32_t *value);

/* A VM by what was typed; NULL: there is none, and that was said. */
struct vm *monitor_vm(const char *cmd, const char *sub, const char *name);

/* For completion: label of the n-th VM; false: there is none. */
bool monitor_label(unsigned int n, char text[WORD_BYTES]);

/* Time on CPUs in all classes. */
uint64_t monitor_ran(const struct sched_stats *st);

/* Ticks that a CPU had nothing to run, boot included. */
uint64_t monitor_idle(const struct pcpu *p);

unsigned long long monitor_us(uint64_t ticks);

/* --- monitor_sched.c */

#define SCHED_WORDS "list stat set"
enum { SCHED_VERB_LIST, SCHED_VERB_STAT, SCHED_VERB_SET };

void monitor_sched(const char *line, int verb);

bool monitor_sched_candidate(const char *line, unsigned int word, unsigned int n, char text[WORD_BYTES]);

/* "rt" or "credit"; false: neither. */
bool monitor_sched_mode(const char *mode);

/* --- monitor_trace.c */

#define TRACE_VERBS "on off dump stream rate full"
enum { TRACE_VERB_ON, TRACE_VERB_OFF, TRACE_VERB_DUMP, TRACE_VERB_STREAM, TRACE_VERB_RATE, TRACE_VERB_FULL };

/* `trace` and what follows it. */
void monitor_trace(const char *line, int verb);

bool monitor_trace_candidate(const char *line, unsigned int word, unsigned int n, char text[WORD_BYTES]);

/* Boot argument: classes, separated by commas, or "all"; the stream begins with the monitor. False: one is unknown. */
bool monitor_trace_boot(char *classes);

/* With the monitor: the line. */
void monitor_trace_init(void);

#endif
