/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of hv/main: the monitor, the editor of its line, boot arguments. */
#ifndef MAIN_PRIV_H
#define MAIN_PRIV_H

#include "camber/lib.h"

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

#endif
