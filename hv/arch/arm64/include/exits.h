/* SPDX-License-Identifier: Apache-2.0 */
/* Exception classes (Arm ARM D19.2.37, ESR_ELx.EC), for C and assembly. */
#ifndef ARM64_EXITS_H
#define ARM64_EXITS_H

#define EC_UNKNOWN 0x00
#define EC_WFX 0x01
#define EC_CP15_32 0x03 /* up to 0x06: coprocessor accesses of AArch32 */
#define EC_CP14_LS 0x06
#define EC_FP 0x07
#define EC_CP10_ID 0x08
#define EC_PAUTH 0x09
#define EC_CP14_64 0x0c
#define EC_HVC64 0x16
#define EC_SMC64 0x17
#define EC_SYSREG 0x18
#define EC_SVE 0x19
#define EC_SME 0x1d
#define EC_IABT_LOW 0x20
#define EC_DABT_LOW 0x24

#endif
