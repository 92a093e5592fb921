/* SPDX-License-Identifier: Apache-2.0 */
/* The address map: identity, W^X, guard pages under the stacks, no page at address 0. */
#ifndef RTOS_ARCH_MMU_H
#define RTOS_ARCH_MMU_H

#include <stdint.h>

/* Once, at boot: maps the image page by page and RAM up to ram_end in 2 MiB blocks, then switches to that map. */
void mmu_init(uint64_t ram_end);

/* Takes out a page of the image's data (a 4 KiB page, aligned). Any context. */
void mmu_unmap_page(uint64_t addr);

/* start.S */
void mmu_switch(uint64_t level1, uint64_t write_xor_execute);

#endif
