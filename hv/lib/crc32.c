/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRC-32 of IEEE 802.3 for everybody: the architecture does the work, with its own instructions where it has them.
 * A pure function of its arguments; no locking.
 */
#include "camber/arch/cache.h"
#include "camber/lib.h"

uint32_t crc32(uint32_t crc, const void *data, size_t n)
{
	return arch_crc32(crc, data, n);
}
