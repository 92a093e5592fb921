/* SPDX-License-Identifier: Apache-2.0 */
/* A terminal's screen. See screen.h. */
#define _DEFAULT_SOURCE /* TIOCGWINSZ */
#include "screen.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ENTER "\033[?1049h\033[?25l\033[2J" /* the other screen, no cursor, clear */
#define LEAVE "\033[?25h\033[?1049l"

static bool is_open;

void screen_open(void)
{
	(void)fputs(ENTER, stdout);
	is_open = true;
}

void screen_close(void)
{
	if (!is_open)
		return;
	(void)fputs(LEAVE, stdout);
	(void)fflush(stdout);
	is_open = false;
}

void screen_show(const char *text)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	unsigned int row = 0;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row || !size.ws_col)
		size = (struct winsize){ .ws_row = 24, .ws_col = 80 };
	(void)fputs("\033[H", stdout);
	for (; *text && row < size.ws_row; row++) {
		size_t n = strcspn(text, "\n");

		/* The last line has no line end: it would scroll. */
		(void)fprintf(stdout, "%s%.*s\033[K", row ? "\r\n" : "", (int)(n < size.ws_col ? n : size.ws_col),
			      text);
		text += n + (text[n] == '\n');
	}
	(void)fputs("\033[J", stdout);
	(void)fflush(stdout);
}
