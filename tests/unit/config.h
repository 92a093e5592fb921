/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of unit tests and fuzzers, whatever board is selected: every part on, checks on, small limits. */
#ifndef UNIT_CONFIG_H
#define UNIT_CONFIG_H

#define CONFIG_CPU_MAX 8
#define CONFIG_VM_MAX 8
#define CONFIG_SPI_MAX 256
#define CONFIG_SCHED_SLICE_US 1000
#define CONFIG_SCHED_ACCOUNT_US 30000
#define CONFIG_SCHED_DEMOTE_US 10000
#define CONFIG_SCHED_RT_MIN_SLEEP_US 5000
#define CONFIG_CONSOLE_ESCAPE 0x01
#define CONFIG_PANIC_REBOOT 1
#define CONFIG_TRACE 1
#define CONFIG_TRACE_RING_KB 4
#define CONFIG_TRACE_BAUD 115200
#define CONFIG_TRACE_CLASSES 0x3c0
#define CONFIG_DEBUG 1

#endif
