/* SPDX-License-Identifier: Apache-2.0 */
/* No trace: what is left of it without CONFIG_TRACE, for those who would start, ask or switch it. */
#include "camber/errno.h"
#include "camber/trace.h"

void trace_record(struct trace_cpu *own __unused, uint32_t head __unused, uint32_t a __unused, uint32_t b __unused,
		  uint32_t c __unused, uint32_t d __unused, uint32_t e __unused)
{
}

void trace_record2(struct trace_cpu *own __unused, uint32_t head __unused, uint32_t a __unused, uint32_t b __unused)
{
}

uint32_t trace_ticks(uint64_t from __unused, uint64_t to __unused)
{
	return 0;
}

size_t trace_area_bytes(unsigned int cpus __unused)
{
	return 0;
}

bool trace_area_valid(const struct trace_area *area __unused, unsigned int cpus __unused)
{
	return false;
}

void trace_start(struct trace_area *area __unused, unsigned int cpus __unused, struct trace_cpu *const cpu[] __unused)
{
}

void trace_previous(const struct trace_area *copy __unused)
{
}

void trace_keep(void)
{
}

uint32_t trace_set_classes(struct trace_cpu *own __unused, uint32_t classes __unused)
{
	return 0;
}

void trace_set_stop(bool stop __unused)
{
}

void trace_stream_init(const struct trace_about *about __unused, uint64_t hz __unused,
		       const struct trace_line *fallback __unused)
{
}

void trace_stream_set(const struct trace_line *line __unused, uint32_t rate __unused)
{
}

int trace_dump(bool previous __unused)
{
	return -ENOSYS;
}

uint64_t trace_turn(uint64_t now __unused)
{
	return UINT64_MAX;
}

void trace_panic(unsigned int records __unused)
{
}

void trace_get_stats(struct trace_stats *st)
{
	*st = (struct trace_stats){ 0 };
}
