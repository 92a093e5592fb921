/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of access instructions that mmio.S makes from access.def. The flags are shared with assembly.
 */
#ifndef PROBE_ACCESS_H
#define PROBE_ACCESS_H

#define ACCESS_LOAD 0
#define ACCESS_STORE 1 /* ESR.WnR is 1 */
#define ACCESS_RMW 2   /* atomics: UNDEF on CPUs without them; WnR may be either */
#define ACCESS_CACHE 4 /* maintenance and hints: may do nothing; may report alignment instead */
#define ACCESS_NO_SYNDROME 8
#define ACCESS_MAYBE 16     /* may end before it looks at the address */
#define ACCESS_RCPC 32      /* UNDEF on CPUs without FEAT_LRCPC */
#define ACCESS_ALIGNED 64   /* must be aligned in any memory, as atomics must */
#define ACCESS_USER 128     /* looks at what EL0 may */
#define ACCESS_EL1_ONLY 256 /* UNDEF at EL0 */
#define ACCESS_MTE 512      /* UNDEF, or as if there were no tags: an access or none */

#ifndef __ASSEMBLY__
#include "probe.h"

struct access {
	const char *name;
	void (*run)(uint64_t addr, uint64_t value); /* its first instruction is the access, its second a RET */
	uint64_t flags;
	uint64_t bytes;
};
extern const struct access access_table[], access_table_end[];

/* An entry that is there. */
const struct access *access_find(const char *name);
/* Branches there; trap_handle() returns from the abort to the caller. */
void access_execute(uint64_t addr);
#endif

#endif
