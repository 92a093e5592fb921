/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory-mapped registers of a GICv3 (IHI 0069 sections 12.8 to 12.11), for the driver and for the emulation alike: offsets in
 * the distributor; in a redistributor's two frames, the second of which repeats the distributor's for INTIDs 0 to 31.
 */
#ifndef ARM64_GIC_REGS_H
#define ARM64_GIC_REGS_H

#define GICD_CTLR 0x0000
#define GICD_TYPER 0x0004
#define GICD_IIDR 0x0008
#define GICD_IGROUPR 0x0080
#define GICD_ISENABLER 0x0100
#define GICD_ICENABLER 0x0180
#define GICD_ISPENDR 0x0200
#define GICD_ICPENDR 0x0280
#define GICD_ISACTIVER 0x0300
#define GICD_ICACTIVER 0x0380
#define GICD_IPRIORITYR 0x0400
#define GICD_ITARGETSR 0x0800
#define GICD_ICFGR 0x0c00
#define GICD_IGRPMODR 0x0d00
#define GICD_IROUTER 0x6000
#define GICD_IROUTER_END 0x8000
#define GIC_PIDR2 0xffe8

#define GICR_CTLR 0x0000
#define GICR_IIDR 0x0004
#define GICR_TYPER 0x0008
#define GICR_WAKER 0x0014
#define GICR_SGI_FRAME 0x10000

#define GICR_TYPER_LAST BIT64(4)

#endif
