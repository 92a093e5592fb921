/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that a guest may make beyond the standard ones: vendor-specific hypervisor service calls of the SMC Calling Convention
 * (Arm DEN0028, owner 6), by HVC #0 or SMC #0, function in w0, argument in x1, result in x0 (x1 to x17 are kept).
 *
 * Real-time mode. A VM whose profile says `rt` is woken with real-time priority, within its budget, and needs none of these.
 * It may instead announce its sleep: after CAMBER_RT_ANNOUNCED only the end of an announced sleep, or a new period's budget,
 * gives a vCPU that priority; any other wake-up is an ordinary one.
 *
 * Self-contained; C and assembly.
 */
#ifndef ABI_CAMBER_CALL_H
#define ABI_CAMBER_CALL_H

/* DEN0028 6.2: UID query. x0 to x3 are its four words, least significant first: 9bd6d0b7-7a4c-4f0f-9d55-434d42520001. */
#define CAMBER_CALL_UID 0x8600ff01
#define CAMBER_UID_0 0xb7d0d69b
#define CAMBER_UID_1 0x0f4f4c7a
#define CAMBER_UID_2 0x4d43559d
#define CAMBER_UID_3 0x01005242

/* x1 = CAMBER_RT_*: of the calling vCPU, until its VM's next start. */
#define CAMBER_CALL_RT_MODE 0xc6000040
#define CAMBER_RT_TRANSPARENT 0 /* every wake-up is a real-time one: the state after a start */
#define CAMBER_RT_ANNOUNCED 1

/*
 * The calling vCPU sleeps for x1 nanoseconds, or until the virtual counter (CNTVCT_EL0) is x1, and is woken with real-time
 * priority; earlier, ordinarily, by an interrupt. Returns at once if one is pending. Sleeps that are shorter than the scheduler's
 * minimum (5 ms unless set otherwise) or longer than an hour are refused; a time that has passed isn't waited for.
 */
#define CAMBER_CALL_RT_SLEEP 0xc6000041
#define CAMBER_CALL_RT_SLEEP_UNTIL 0xc6000042

/* Results. */
#define CAMBER_OK 0
#define CAMBER_NOT_SUPPORTED (-1)
#define CAMBER_INVALID (-2) /* an argument: too short, too long, no such mode */
#define CAMBER_DENIED (-3)  /* the VM isn't a real-time VM */

#endif
