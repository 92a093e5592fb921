/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames: bytes and varints in, checksum and encoding for the line out; format: abi/trace.h.
 *
 * It goes on piece by piece, so that no step is long: a piece that was accepted is in the checksum, and encoded in a few more steps.
 * Locking: the stream's lock.
 */
#include "camber/lib.h"
#include "trace_priv.h"

#define CRC_BYTES 4u
#define ENCODE_BYTES 10 /* in a step */
#define BEGIN_BYTES 4u
#define BEGIN(n) ((uint32_t)TRACE_CONSOLE_BEGIN[n]) /* little-endian, as abi/trace.h has everything */

_Static_assert(sizeof(TRACE_CONSOLE_BEGIN) == BEGIN_BYTES + 1 && sizeof(TRACE_CONSOLE_END) == 3, "as written below");

static struct {
	uint8_t *at;   /* end of what was appended */
	uint8_t *used; /* end of what was accepted */
	uint8_t *done; /* end of what is encoded */
	char *out;     /* where the next character goes */
	char *code;    /* COBS: where the length of the block that is open goes */
	uint32_t crc;
	uint32_t bits, left; /* base64: the lowest `left` ones are still to be encoded */
	bool console;
	uint8_t raw[TRACE_FRAME_BYTES + TRACE_FRAME_PIECE];
} f;

/* Base64 makes 4 of 3, COBS and the end of a frame add two. */
char trace_frame_out[TRACE_FRAME_BYTES + 2] __aligned(4);

_Static_assert(TRACE_FRAME_BYTES < 254, "a COBS block holds a frame");
_Static_assert((TRACE_CONSOLE_FRAME_BYTES * 4 + 2) / 3 + 6 <= TRACE_FRAME_BYTES, "a frame's text fits");

void trace_frame_byte(uint32_t byte)
{
	*f.at++ = (uint8_t)byte;
}

void trace_frame_varint(uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		trace_frame_byte((uint32_t)value | 0x80);
	trace_frame_byte((uint32_t)value);
}

static void out(uint32_t c)
{
	*f.out++ = (char)c;
}

/* RFC 4648, table 1. */
static void out_base64(uint32_t six)
{
	uint32_t c = 'A' + six % 64;

	if (c > 'Z')
		c += 'a' - 'Z' - 1;
	if (c > 'z')
		c -= 'z' + 1 - '0';
	if (c > '9' && c < 'A')
		c = c == '9' + 1 ? '+' : '/';
	out(c);
}

/* Ends the COBS block that is open; the next one begins here. */
static void end_block(void)
{
	*f.code = (char)(f.out - f.code);
	f.code = f.out;
}

bool trace_frame_encode(void)
{
	const uint8_t *end = f.done + MIN(f.used - f.done, ENCODE_BYTES);
	uint32_t byte, left;

	if (f.done == end)
		return false;
	while (f.done < end) {
		byte = *f.done++;
		if (!f.console) {
			if (!byte)
				end_block();
			out(byte);
			continue;
		}
		f.bits = f.bits << 8 | byte;
		for (left = f.left + 8; left >= 6; out_base64(f.bits >> left))
			left -= 6;
		f.left = left;
	}
	return true;
}

void trace_frame_open(enum trace_frame kind, uint32_t boot, bool console)
{
	const uint32_t begin = BEGIN(0) | BEGIN(1) << 8 | BEGIN(2) << 16 | BEGIN(3) << 24;

	f.console = console;
	f.crc = 0;
	f.left = 0;
	f.raw[0] = (uint8_t)(TRACE_VERSION << 4 | kind);
	f.raw[1] = (uint8_t)boot;
	f.used = f.done = f.raw;
	f.at = f.raw + 2;
	f.code = trace_frame_out;
	__builtin_memcpy(trace_frame_out, &begin, BEGIN_BYTES);
	f.out = trace_frame_out + (console ? BEGIN_BYTES : 1);
}

bool trace_frame_accept(void)
{
	if (f.at > f.raw + (f.console ? TRACE_CONSOLE_FRAME_BYTES : TRACE_FRAME_BYTES) - CRC_BYTES) {
		f.at = f.used;
		return false;
	}
	f.crc = crc32(f.crc, f.used, (size_t)(f.at - f.used));
	f.used = f.at;
	return true;
}

void trace_frame_close(void)
{
	for (unsigned int i = 0; i < CRC_BYTES; i++, f.crc >>= 8)
		trace_frame_byte(f.crc);
	f.used = f.at;
}

size_t trace_frame_end(void)
{
	if (f.console) {
		/* Zeros behind what is left, no padding (RFC 4648 section 4). */
		if (f.left)
			out_base64(f.bits << (6 - f.left));
		out(TRACE_CONSOLE_END[0]);
		out(TRACE_CONSOLE_END[1]);
	} else {
		end_block();
		out(0);
	}
	return (size_t)(f.out - trace_frame_out);
}
