/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bitmaps: the search that is too long to be inline. Looks at words, never beyond the one that holds the last bit.
 * Callers own the bits and their locking.
 */
#include "camber/lib.h"

unsigned int bitmap_next(const uint64_t *map, unsigned int bits, unsigned int from)
{
	unsigned int word;
	uint64_t found;

	if (from >= bits)
		return bits;
	word = from / 64;
	found = map[word] & (~UINT64_C(0) << (from % 64));
	while (!found) {
		if (++word >= (bits + 63) / 64)
			return bits;
		found = map[word];
	}
	from = word * 64 + (unsigned int)__builtin_ctzll(found);
	return MIN(from, bits);
}
