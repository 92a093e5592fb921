/* SPDX-License-Identifier: Apache-2.0 */
/* The board's boot arguments (/chosen/bootargs). Boot CPU, before guests run; the text is the firmware's. */
#include "camber/console.h"
#include "camber/log.h"
#include "camber/main.h"
#include "main_priv.h"

bool word_get(const char *text, unsigned int n, char word[WORD_BYTES])
{
	size_t bytes = 0;

	for (;; n--) {
		while (*text == ' ')
			text++;
		if (!*text || !n)
			break;
		while (*text && *text != ' ')
			text++;
	}
	while (text[bytes] && text[bytes] != ' ' && bytes < WORD_BYTES - 1) {
		word[bytes] = text[bytes];
		bytes++;
	}
	word[bytes] = '\0';
	return bytes;
}

int word_index(const char *list, const char *word)
{
	char other[WORD_BYTES];
	int i;

	for (i = 0; word_get(list, (unsigned int)i, other); i++)
		if (!strcmp(word, other))
			return i;
	return -1;
}

void main_options(const char *text)
{
	char word[WORD_BYTES];
	unsigned int i;

	for (i = 0; text && word_get(text, i, word); i++)
		if ((strncmp(word, "console=", 8) || !monitor_console(word + 8)) &&
		    (strncmp(word, "sched=", 6) || !monitor_sched_mode(word + 6)) &&
		    (strncmp(word, "trace=", 6) || !monitor_trace_boot(word + 6)))
			log_line("boot argument \"%s\" ignored; known: console=batch, console=interactive, sched=rt, "
				 "sched=credit, trace=<class>[,<class>...]",
				 word);
}
