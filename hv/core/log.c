/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log: lines for people, in a ring that survives a warm reset and on the console.
 *
 * The text is written, and cleaned to memory, before the header that announces it: whatever instant the reset comes, the
 * header describes bytes that are there. Must never be called from inside the console driver, which the sink leads to.
 * Locking: log_lock for the length of one line, the sink included (it takes the console lock inside).
 */
#include "camber/log.h"

#include "camber/arch/cache.h"
#include "camber/lib.h"
#include "camber/spinlock.h"
#include "camber/time.h"

#define LOG_MAGIC UINT32_C(0x474f4c43) /* "CLOG" in memory */
#define STAMP_BYTES 32
#define TEXT_BYTES 200

static struct spinlock log_lock;
static struct log_ring *ring;
static struct log_ring *previous_ring; /* NULL: the previous boot left nothing */
static void (*sink)(const char *text, size_t n);

static uint32_t header_crc(const struct log_ring *r)
{
	return crc32(0, r, offsetof(struct log_ring, crc));
}

static void seal(struct log_ring *r)
{
	r->crc = header_crc(r);
	arch_cache_clean(r, offsetof(struct log_ring, text));
}

void log_init(struct log_ring *r, struct log_ring *previous)
{
	if (r->magic == LOG_MAGIC && r->crc == header_crc(r)) {
		if (previous) {
			memcpy(previous, r, sizeof(*r));
			previous_ring = previous;
		}
		r->boot++;
		r->head = 0;
	} else {
		previous_ring = NULL;
		r->magic = LOG_MAGIC;
		r->boot = 1;
		r->head = 0;
		memset(r->text, 0, sizeof(r->text));
	}
	seal(r);
	ring = r;
}

/* log_lock held. */
static void ring_add(const char *text, size_t n)
{
	while (n) {
		size_t at = ring->head % LOG_RING_BYTES;
		size_t chunk = MIN(n, LOG_RING_BYTES - at);

		memcpy(&ring->text[at], text, chunk);
		arch_cache_clean(&ring->text[at], chunk);
		ring->head += (uint32_t)chunk;
		/* head counts modulo 2^32; that a full ring stays full needs it to wrap to a value above the ring's size. */
		if (ring->head < chunk)
			ring->head += LOG_RING_BYTES;
		text += chunk;
		n -= chunk;
	}
	seal(ring);
}

void log_line(const char *fmt, ...)
{
	char line[STAMP_BYTES + TEXT_BYTES + 1];
	uint64_t us = time_hz() ? time_ticks_to_ns(arch_now()) / 1000 : 0;
	size_t n;
	int text;
	va_list ap;

	n = (size_t)snprintf(line, STAMP_BYTES, "[%5llu.%06llu] ", (unsigned long long)(us / 1000000),
			     (unsigned long long)(us % 1000000));
	va_start(ap, fmt);
	text = vsnprintf(&line[n], TEXT_BYTES + 1, fmt, ap);
	va_end(ap);
	text = MIN(text, TEXT_BYTES);
	/* Labels and such come from outside: a line stays one line. */
	for (size_t end = n + (size_t)text; n < end; n++)
		if ((unsigned char)line[n] < ' ')
			line[n] = '?';
	line[n++] = '\n';

	spin_lock(&log_lock);
	if (ring)
		ring_add(line, n);
	if (sink)
		sink(line, n);
	spin_unlock(&log_lock);
}

bool log_limit_pass(struct log_limit *limit, unsigned int burst)
{
	uint64_t now = arch_now();
	uint32_t lost = 0;
	bool pass;

	spin_lock(&log_lock);
	if (limit->count == 0 || now - limit->window_start >= time_hz()) {
		limit->window_start = now;
		limit->count = 0;
	}
	pass = limit->count < burst;
	if (pass) {
		limit->count++;
		lost = limit->suppressed;
		limit->suppressed = 0;
	} else {
		limit->suppressed++;
	}
	spin_unlock(&log_lock);
	if (lost)
		log_line("(%u lines like the next one were left out)", lost);
	return pass;
}

size_t log_read(bool previous, uint32_t *at, char *text, size_t n)
{
	const struct log_ring *r = previous ? previous_ring : ring;
	size_t chunk;

	if (!r)
		return 0;
	spin_lock(&log_lock);
	/* Overwritten since the last call, or the first one: from the oldest on. */
	if (r->head - *at > MIN(r->head, LOG_RING_BYTES))
		*at = r->head - MIN(r->head, LOG_RING_BYTES);
	n = MIN(n, r->head - *at);
	chunk = MIN(n, LOG_RING_BYTES - *at % LOG_RING_BYTES);
	memcpy(text, &r->text[*at % LOG_RING_BYTES], chunk);
	memcpy(text + chunk, r->text, n - chunk);
	*at += (uint32_t)n;
	spin_unlock(&log_lock);
	return n;
}

void log_set_sink(void (*fn)(const char *text, size_t n))
{
	sink = fn;
}

void log_force_unlock(void)
{
	log_lock = (struct spinlock){ 0 };
}
