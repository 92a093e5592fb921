/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a guest's device tree: what guestdt.c and guestdev.c share. */
#ifndef MKBUNDLE_GUESTDT_H
#define MKBUNDLE_GUESTDT_H

#include "mkbundle.h"

#define PHANDLE_GIC 1u
#define PHANDLE_CLOCK 2u /* apb-pclk */
#define PHANDLE_FREE 3u  /* the first one that guestdev.c may give away */

/* GICv3 interrupt specifiers: Linux, Documentation/devicetree/bindings/interrupt-controller/arm,gic-v3.yaml */
#define GIC_SPI 0u
#define GIC_PPI 1u
#define GIC_LEVEL_HIGH 4u

/* libfdt's first error; later calls are skipped, so the functions that use it read as a tree. */
struct tree {
	void *fdt;
	int error;
	uint32_t next_phandle;
};

void tree_begin(struct tree *t, const char *name);
void tree_end(struct tree *t);
void tree_bytes(struct tree *t, const char *name, const void *data, size_t count);
void tree_string(struct tree *t, const char *name, const char *value);
void tree_cells(struct tree *t, const char *name, const uint32_t *values, size_t count);

/* A list of strings is written as "first\0second": the literal's own NUL ends the last one. */
#define STRINGS(t, name, literal) tree_bytes(t, name, literal, sizeof(literal))
#define CELLS(t, name, ...)                                                                                            \
	tree_cells(t, name, (const uint32_t[]){ __VA_ARGS__ },                                                         \
		   sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))
#define CELL64(value) (uint32_t)((uint64_t)(value) >> 32), (uint32_t)(value)

/* guestdev.c: the board's devices that the VM owns. */
void guestdev_write(struct tree *t, const struct board *board, const struct vm *vm);

#endif
