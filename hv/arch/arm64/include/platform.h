/* SPDX-License-Identifier: Apache-2.0 */
/* What the firmware's device tree says about the machine. */
#ifndef ARM64_PLATFORM_H
#define ARM64_PLATFORM_H

#include "camber/types.h"

#define PLATFORM_RANGES 16

struct range {
	uint64_t base, bytes;
};

struct smp_boot_ops {
	const char *name;
	/* Starts a CPU at `entry` (physical, EL2, MMU off) with context in x0; 0 or -EIO. */
	int (*start)(uint64_t hw_id, uint64_t entry, uint64_t context);
};
extern const struct smp_boot_ops smp_boot_psci;

struct platform {
	struct range memory[PLATFORM_RANGES];
	unsigned int memory_count;
	struct range reserved[PLATFORM_RANGES];
	unsigned int reserved_count;
	uint64_t cpu_mpidr[CONFIG_CPU_MAX]; /* boot CPU first */
	unsigned int cpu_count;
	unsigned int cpu_ignored; /* CPUs beyond CONFIG_CPU_MAX */
	const struct smp_boot_ops *smp;
	struct range gicd, gicr;
	uint64_t gicr_stride; /* 0: 128 KiB */
	bool gic_is_v3, gic_seen;
	struct range uart;
	uint32_t uart_intid;
	struct range trace_uart; /* a second one, for the trace unless a VM owns it; bytes 0: none */
	uint32_t trace_intid;    /* 0: none */
	struct range rtc;        /* bytes 0: none */
	struct range bundle;     /* initrd of /chosen; bytes 0: none */
	const char *bootargs;    /* of /chosen, in the tree; NULL: none */
	uint64_t dtb_base, dtb_bytes;
};

extern struct platform platform;

/* Reads the tree at `dtb`. NULL, or what is wrong in words. */
const char *platform_read(const void *dtb);

/* Does a VM own registers there? (device.c) */
bool device_taken(const struct range *r);

#endif
