/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registers of the PL011 (Arm DDI 0183, chapter 3) and the PL031 (Arm DDI 0224, chapter 3). Offsets and bits only.
 */
#ifndef PROBE_DEV_H
#define PROBE_DEV_H

#define UARTDR 0x000
#define UARTRSR 0x004
#define UARTFR 0x018
#define UARTIBRD 0x024
#define UARTFBRD 0x028
#define UARTLCR_H 0x02c
#define UARTCR 0x030
#define UARTIFLS 0x034
#define UARTIMSC 0x038
#define UARTRIS 0x03c
#define UARTMIS 0x040
#define UARTICR 0x044
#define UARTPERIPHID0 0xfe0

#define UARTFR_BUSY (1u << 3)
#define UARTFR_RXFE (1u << 4)
#define UARTFR_TXFF (1u << 5)
#define UARTFR_TXFE (1u << 7)
#define UARTLCR_H_FEN (1u << 4)
#define UARTLCR_H_8BIT (3u << 5)
#define UARTCR_UARTEN (1u << 0)
#define UARTCR_TXE (1u << 8)
#define UARTCR_RXE (1u << 9)
#define UARTINT_TX (1u << 5)

#define RTCDR 0x000
#define RTCMR 0x004
#define RTCLR 0x008
#define RTCCR 0x00c
#define RTCIMSC 0x010
#define RTCRIS 0x014
#define RTCMIS 0x018
#define RTCICR 0x01c
#define RTCPERIPHID0 0xfe0

#endif
