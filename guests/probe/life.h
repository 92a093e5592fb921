/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ways for the guest to end, to get stuck and to misbehave for ever, for tests of what a hypervisor does with such a VM.
 */
#ifndef PROBE_LIFE_H
#define PROBE_LIFE_H

#include "probe.h"

/*
 * crash=<kind>: after after_ms= milliseconds, on CPU cpu=. Comes back only if the guest was told of what it did and has no
 * more to say; false: no such kind.
 */
bool life_crash(const char *kind);

/* role=flood, alive, spin: work for ever, or for rounds= rounds. False: no such role. */
bool life_role(const char *role);

/* life_asm.S: void life_<...>(void), none of which returns. */
void life_vbar_outside(void);
void life_vbar_undef(void);
void life_sp_outside(void);
void life_spin_masked(void);

#endif
