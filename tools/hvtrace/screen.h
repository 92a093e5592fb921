/* SPDX-License-Identifier: Apache-2.0 */
/* A terminal's screen, by plain ECMA-48 sequences: text of several lines takes the place of what is there. */
#ifndef HVTRACE_SCREEN_H
#define HVTRACE_SCREEN_H

#include <stdbool.h>

void screen_open(void);             /* on standard output; the terminal's former contents come back by screen_close() */
void screen_close(void);            /* nothing if it isn't open */
void screen_show(const char *text); /* what doesn't fit is left out */

#endif
