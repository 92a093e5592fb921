/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An encoder for tests, written from abi/trace.h: frames from what is to be in them, and lines from frames. What doesn't fit ends the
 * program.
 */
#ifndef HVTRACE_ENCODE_H
#define HVTRACE_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct record;
struct records_head;
struct status;

#define ENCODE_FRAME 600u /* larger than any that is right */

struct frame {
	uint8_t bytes[ENCODE_FRAME];
	size_t n;
};

void frame_begin(struct frame *f, unsigned int kind, unsigned int boot);
void frame_byte(struct frame *f, unsigned int byte);
void frame_varint(struct frame *f, uint64_t value);
void frame_seal(struct frame *f); /* the checksum */

/* Whole ones. Records: number, boot and CPU are the head's; its count and time are made. */
void frame_records(struct frame *f, const struct records_head *head, const struct record *records, unsigned int count);
void frame_status(struct frame *f, const struct status *s);
void frame_vm(struct frame *f, unsigned int boot, unsigned int vm, unsigned int vcpus, bool rt, const char *label);

struct line {
	bool console;
	uint8_t *bytes;
	size_t n, room;
};

void line_begin(struct line *l, bool console);
void line_frame(struct line *l, const struct frame *f);
void line_bytes(struct line *l, const void *bytes, size_t n);
void line_free(struct line *l);
void line_save(const struct line *l, const char *path);

/* A record of an event; words that it doesn't have are ignored. */
struct record make_record(uint64_t time, unsigned int event, const uint32_t word[5]);
#define RECORD(time, EVENT, ...) make_record(time, TRACE_##EVENT, (const uint32_t[5]){ __VA_ARGS__ })

#endif
