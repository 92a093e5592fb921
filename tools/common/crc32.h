/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32 of IEEE 802.3, as bundles and the trace have it: for the tools of the build machine. */
#ifndef TOOLS_CRC32_H
#define TOOLS_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Goes on from `crc`; 0 at first. */
static inline uint32_t crc32(uint32_t crc, const void *data, size_t bytes)
{
	static uint32_t table[256];
	const uint8_t *byte = data;

	if (!table[1]) {
		for (uint32_t i = 0; i < 256; i++) {
			uint32_t value = i;

			for (int bit = 0; bit < 8; bit++)
				value = (value >> 1) ^ (value & 1 ? UINT32_C(0xedb88320) : 0);
			table[i] = value;
		}
	}
	crc = ~crc;
	for (size_t i = 0; i < bytes; i++)
		crc = (crc >> 8) ^ table[(crc ^ byte[i]) & 0xff];
	return ~crc;
}

#endif
