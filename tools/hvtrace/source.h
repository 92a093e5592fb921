/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sources: where the bytes come from, and commands go to.
 *
 *   tcp:HOST:PORT  unix:PATH  -  a serial device or pseudo terminal  a socket's path  a file or FIFO
 *
 * A terminal is made raw and gets its old settings back. Reads wait for a limited time, so that whoever reads keeps its own clock.
 */
#ifndef HVTRACE_SOURCE_H
#define HVTRACE_SOURCE_H

#include "hvtrace.h"

struct source {
	const char *name;
	int fd;
	bool file;              /* it has an end that is there already */
	bool can_send;          /* takes commands */
	struct termios *before; /* settings of a terminal */
};

#define SOURCE_SPEED 115200u /* unless said: that of most boards */

/* speed 0: SOURCE_SPEED. Another one for what isn't a serial device is an error. */
int source_open(struct source *s, const char *spec, uint64_t speed);
void source_close(struct source *s);

#define SOURCE_END 0L
#define SOURCE_NOTHING (-2L) /* in time, or a signal came */
/* Bytes read; SOURCE_END; SOURCE_NOTHING; -1 after fail(). Waits at most wait_ms. */
long source_read(struct source *s, void *buffer, size_t room, unsigned int wait_ms);

/* A line for the monitor, "trace ..."; adds the end of line. */
int source_send(struct source *s, const char *line);
/* "trace on sched rt"; all bits: "trace on all" */
int source_send_on(struct source *s, uint32_t classes);

/* SIGINT and SIGTERM end a program in order: from then on they are only noted. A second one kills as usual. */
void stop_catch(void);
bool stop_wanted(void);

/* Monotonic. */
uint64_t clock_ns(void);

#endif
