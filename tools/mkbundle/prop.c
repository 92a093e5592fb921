/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of profile properties: strings, cells, ranges, choices.
 *
 * A device tree does not say what type a property has, so each reader checks the bytes against the type it wants and,
 * where they look like another one, says how to write it. Never changes anything but its result.
 */
#include "mkbundle.h"

#include <ctype.h>
#include <libfdt.h>
#include <stdarg.h>
#include <string.h>

int prop_fail(struct mkbundle *m, const struct prop *p, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return diag_fail(m, "%s: %s: %s: %s", m->source, p->node, p->name, text);
}

/* Printable text with exactly one NUL, at its end: what `name = "text"` gives. */
static bool is_text(const struct prop *p)
{
	if (p->bytes < 2 || p->data[p->bytes - 1] || memchr(p->data, 0, p->bytes - 1))
		return false;
	for (uint32_t i = 0; i + 1 < p->bytes; i++)
		if (!isprint((unsigned char)p->data[i]))
			return false;
	return true;
}

int prop_empty(struct mkbundle *m, const struct prop *p)
{
	if (p->bytes)
		return prop_fail(m, p, "takes no value; write '%s;'", p->name);
	return 0;
}

int prop_string(struct mkbundle *m, const struct prop *p, const char **value)
{
	if (!is_text(p))
		return prop_fail(m, p, "must be one string of printable characters; write '%s = \"...\";'", p->name);
	*value = p->data;
	return 0;
}

int prop_cells(struct mkbundle *m, const struct prop *p, uint32_t max, uint32_t *cells, uint32_t *count)
{
	if (!p->bytes || p->bytes % 4)
		return prop_fail(m, p, "must be a number; write '%s = <%s>;'", p->name,
				 is_text(p) && isdigit((unsigned char)p->data[0]) ? p->data : "...");
	if (p->bytes / 4 > max)
		return prop_fail(m, p, "has %u values, but at most %u are possible; remove some", p->bytes / 4, max);
	*count = p->bytes / 4;
	for (uint32_t i = 0; i < *count; i++)
		cells[i] = fdt32_ld((const fdt32_t *)(const void *)(p->data + 4 * (size_t)i));
	return 0;
}

int prop_u32(struct mkbundle *m, const struct prop *p, uint32_t low, uint32_t high, uint32_t *value)
{
	uint32_t count;
	uint32_t cell;

	if (prop_cells(m, p, 1, &cell, &count))
		return -1;
	if (cell >= low && cell <= high) {
		*value = cell;
		return 0;
	}
	if (is_text(p)) /* a string of three characters has the length of a cell */
		return prop_fail(m, p, "must be a number, not a string; write '%s = <%s>;'", p->name, p->data);
	return prop_fail(m, p, "is %u; choose a value from %u to %u", cell, low, high);
}

int prop_address(struct mkbundle *m, const struct prop *p, uint64_t *value)
{
	uint32_t cells[2];
	uint32_t count;

	if (prop_cells(m, p, 2, cells, &count))
		return -1;
	*value = count == 1 ? cells[0] : (uint64_t)cells[0] << 32 | cells[1];
	return 0;
}

int prop_ranges(struct mkbundle *m, const struct prop *p, uint32_t max, struct range *ranges, uint32_t *count)
{
	uint32_t cells[4 * BUNDLE_DEVICE_REGS];
	uint32_t cell_count;

	if (prop_cells(m, p, 4 * max, cells, &cell_count))
		return -1;
	if (cell_count % 4)
		return prop_fail(m, p, "has %u cells; write '<address-high address-low size-high size-low>' per range",
				 cell_count);
	*count = cell_count / 4;
	for (uint32_t i = 0; i < *count; i++) {
		const uint32_t *c = &cells[4 * i];

		ranges[i] = (struct range){ (uint64_t)c[0] << 32 | c[1], (uint64_t)c[2] << 32 | c[3] };
		if (!ranges[i].bytes || ranges[i].bytes > UINT64_MAX - ranges[i].base)
			return prop_fail(m, p, "0x%llx bytes at 0x%llx are none or too many; mend the size",
					 (unsigned long long)ranges[i].bytes, (unsigned long long)ranges[i].base);
	}
	return 0;
}

int prop_choice(struct mkbundle *m, const struct prop *p, const char *const *words, uint32_t *value)
{
	const char *text = "";
	char list[128] = "";

	if (prop_string(m, p, &text))
		return -1;
	for (uint32_t i = 0; words[i]; i++) {
		if (!strcmp(text, words[i])) {
			*value = i;
			return 0;
		}
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s\"%s\"", i ? " or " : "", words[i]);
	}
	return prop_fail(m, p, "is \"%s\"; choose %s", text, list);
}
