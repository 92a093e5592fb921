/* SPDX-License-Identifier: Apache-2.0 */
/* CPU errata and mitigations, keyed by MIDR_EL1. */
#ifndef ARM64_ERRATA_H
#define ARM64_ERRATA_H

/* Length of the branch-history loop that this CPU needs at each entry from a guest; 0 = none. */
unsigned int errata_bhb_loops(void);

#endif
