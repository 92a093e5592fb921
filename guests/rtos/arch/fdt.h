/* SPDX-License-Identifier: Apache-2.0 */
/* The little that this guest wants from the device tree. */
#ifndef RTOS_ARCH_FDT_H
#define RTOS_ARCH_FDT_H

#include <stdint.h>

struct fdt_facts {
	const char *bootargs; /* /chosen/bootargs, "" without one; points into the tree */
	uint64_t watchdog_control,
		watchdog_refresh; /* frames of the node "watchdog" (arm,sbsa-gwdt); 0: there is none */
	uint64_t ram_end;         /* of the bank at LAYOUT_RAM_BASE, or LAYOUT_RAM_LIMIT if the tree doesn't say */
};

/*
 * Looks at candidate (x0 at entry, may be anything) and then at the start of RAM. Returns NULL, or a text that says
 * why there is no usable tree; *facts then holds the defaults. The first LAYOUT_TREE_BYTES of RAM must be mapped.
 */
const char *fdt_read(uint64_t candidate, struct fdt_facts *facts);

#endif
