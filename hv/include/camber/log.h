/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log: lines of text for people, kept in a ring in RAM that survives a warm reset, and copied to the console.
 *
 * The ring is the first thing taken from the top of RAM, so that a warm reset finds it again: header with magic, indices and a CRC-32 over both, then
 * bytes. A boot that finds a valid ring keeps its text as "previous boot" for the monitor's `log previous`. Any CPU, any
 * context but inside the console driver; takes the log lock for the length of one line.
 */
#ifndef CAMBER_LOG_H
#define CAMBER_LOG_H

#define LOG_RING_BYTES 16384u

struct log_ring {
	uint32_t magic;
	uint32_t head; /* bytes ever written; the ring holds the last MIN(head, LOG_RING_BYTES) */
	uint32_t boot; /* boots since the ring was made */
	uint32_t crc;  /* of the three words above */
	char text[LOG_RING_BYTES];
};

/* Adopts or makes the ring, and keeps a copy of what the previous boot left. Called once, before any log line. */
void log_init(struct log_ring *ring, struct log_ring *previous);

/* One line, without its newline; a time stamp in seconds is put before it. Longer than 200 bytes is cut. */
void log_line(const char *fmt, ...) __printf(1, 2);

/*
 * For lines that somebody else can cause: at most `burst` of them per second and limit, then counted and reported with the
 * next one that passes.
 */
struct log_limit {
	uint64_t window_start; /* arch_now() ticks */
	uint32_t count;
	uint32_t suppressed;
};
bool log_limit_pass(struct log_limit *limit, unsigned int burst);

/*
 * Copies up to n bytes of the ring's text from *at on, and moves *at behind them; *at = 0 is the oldest text there is. What was
 * overwritten since the last call is left out. 0: no more; at once with `previous`, if the earlier boot left nothing.
 */
size_t log_read(bool previous, uint32_t *at, char *text, size_t n);

/* Where finished lines go besides the ring (the console); NULL at first. Called with the log lock held. */
void log_set_sink(void (*sink)(const char *text, size_t n));

/* Breaks a lock that a crashed CPU may hold; for panic only. */
void log_force_unlock(void);

#endif
