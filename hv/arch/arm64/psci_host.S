/* SPDX-License-Identifier: Apache-2.0 */
/* Calls to the firmware: uint64_t el2_call_smc(fn, a0, a1, a2), SMCCC (DEN0028): x0-x17 may be clobbered. */
	.text
	.global	el2_call_smc
el2_call_smc:
	smc	#0
	ret
