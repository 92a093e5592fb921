/* SPDX-License-Identifier: Apache-2.0 */
/* The address map: identity, W^X, guard pages under the stacks, no page at address 0. Once, at boot. */
#ifndef RTOS_KERNEL_MMU_H
#define RTOS_KERNEL_MMU_H

#include <stdint.h>

/* Maps the image page by page and RAM up to ram_end in 2 MiB blocks, then switches to that map. */
void mmu_init(uint64_t ram_end);

/* start.S */
void mmu_switch(uint64_t level1, uint64_t write_xor_execute);

#endif
