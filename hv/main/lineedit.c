/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor's line: editing, history, completion.
 *
 * In batch mode the keys do the same and nothing is echoed, so that captures hold whole lines only. Whatever others write in
 * between breaks the line off; it is shown again, whole, with the next key. What is typed comes from whoever holds the
 * serial line: bytes that aren't printable never reach the text.
 * Locking: none; the console's receive interrupt is the only caller, on the CPU that takes it.
 */
#include "camber/console.h"
#include "main_priv.h"

#define HISTORY 8u
#define PROMPT "camber> "

enum { ESC_NONE, ESC_ESC, ESC_CSI };

static struct {
	char text[LINE_BYTES];
	uint32_t used, cursor;
	uint32_t escape;
	uint32_t stored; /* lines ever put into the history */
	uint32_t back;   /* how far up in it we are; 0: at the line being typed */
	char done[LINE_BYTES];
	char history[HISTORY][LINE_BYTES];
} ed;

static void write(const char *text)
{
	if (console_interactive)
		(void)console_monitor_write(text, strlen(text), false);
}

void lineedit_show(void)
{
	char shown[sizeof(PROMPT) + 2 * LINE_BYTES + 8];
	int n = snprintf(shown, sizeof(shown), "\r" PROMPT "%s\x1b[K", ed.text);
	uint32_t i;

	for (i = ed.cursor; i < ed.used; i++)
		shown[n++] = '\b';
	shown[n] = '\0';
	write(shown);
}

static void set(const char *text)
{
	ed.used = ed.cursor = (uint32_t)str_copy(ed.text, text, LINE_BYTES);
}

/* Puts bytes in at the cursor, as far as there is room. */
static void insert(const char *text, size_t n)
{
	n = MIN(n, LINE_BYTES - 1 - ed.used);
	memmove(&ed.text[ed.cursor + n], &ed.text[ed.cursor], ed.used - ed.cursor + 1);
	memcpy(&ed.text[ed.cursor], text, n);
	ed.cursor += (uint32_t)n;
	ed.used += (uint32_t)n;
}

static void erase(void)
{
	if (!ed.cursor)
		return;
	memmove(&ed.text[ed.cursor - 1], &ed.text[ed.cursor], ed.used - ed.cursor + 1);
	ed.cursor--;
	ed.used--;
}

static char *history_at(uint32_t back)
{
	return ed.history[(ed.stored - back) % HISTORY];
}

static void history_move(int by)
{
	uint32_t back = ed.back + (uint32_t)by;

	if (back > MIN(ed.stored, HISTORY)) /* or below 0 */
		return;
	ed.back = back;
	set(back ? history_at(back) : "");
}

/* The word at the end of the line becomes what all possibilities have in common; if that is nothing new they are shown. */
static void complete(void)
{
	char first[WORD_BYTES], other[WORD_BYTES];
	const char *word = strrchr(ed.text, ' ');
	unsigned int i, at = 0, count = 0;
	size_t n, common = 0;

	word = word ? word + 1 : ed.text;
	n = strlen(word);
	while (word_get(ed.text, at, first))
		at++;
	at -= n > 0;
	for (i = 0; monitor_candidate(ed.text, at, i, other); i++) {
		if (strncmp(other, word, n))
			continue;
		if (!count++)
			common = str_copy(first, other, WORD_BYTES);
		while (strncmp(first, other, common))
			common--;
	}
	if (count)
		insert(first + n, common - n);
	if (count == 1)
		insert(" ", 1);
	if (count < 2 || common > n)
		return;
	for (i = 0; monitor_candidate(ed.text, at, i, other); i++) {
		if (strncmp(other, word, n))
			continue;
		write(count ? "\n" : "  ");
		write(other);
		count = 0;
	}
	write("\n");
}

/* A line typed is done: shown, kept, and the next one begins. */
static const char *enter(void)
{
	char shown[sizeof(PROMPT) + LINE_BYTES];

	ed.cursor = ed.used;
	if (console_interactive) {
		lineedit_show();
		write("\n");
	} else if (ed.used) {
		(void)snprintf(shown, sizeof(shown), PROMPT "%s\n", ed.text);
		(void)console_monitor_write(shown, strlen(shown), false);
	}
	(void)str_copy(ed.done, ed.text, LINE_BYTES);
	if (ed.used && (!ed.stored || strcmp(history_at(1), ed.text)))
		(void)str_copy(ed.history[ed.stored++ % HISTORY], ed.text, LINE_BYTES);
	ed.back = 0;
	set("");
	return ed.done;
}

/* Keys that send a sequence: ESC [ A to D. True if c belongs to one. */
static bool sequence(char c)
{
	uint32_t was = ed.escape;

	ed.escape = c == 0x1b ? ESC_ESC : was == ESC_ESC && c == '[' ? ESC_CSI : ESC_NONE;
	if (ed.escape != ESC_NONE)
		return true;
	if (was != ESC_CSI)
		return false;
	if (c == 'A' || c == 'B')
		history_move(c == 'A' ? 1 : -1);
	else if (c == 'C' && ed.cursor < ed.used)
		ed.cursor++;
	else if (c == 'D' && ed.cursor)
		ed.cursor--;
	return true;
}

const char *lineedit_key(char c)
{
	if (sequence(c)) {
		if (ed.escape == ESC_NONE)
			lineedit_show();
		return NULL;
	}
	switch (c) {
	case '\r':
	case '\n':
		return enter();
	case 0x7f:
	case '\b':
		erase();
		break;
	case 0x03: /* Ctrl-C */
		write("^C\n");
		__attribute__((fallthrough));
	case 0x15: /* Ctrl-U */
		set("");
		break;
	case '\t':
		if (ed.cursor == ed.used)
			complete();
		break;
	default:
		if ((unsigned char)c < ' ' || (unsigned char)c > '~' || ed.used == LINE_BYTES - 1)
			break;
		insert(&c, 1);
		if (ed.cursor == ed.used && console_interactive && console_monitor_write(&c, 1, true))
			return NULL;
	}
	lineedit_show();
	return NULL;
}
