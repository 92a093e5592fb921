/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bundle: the flat file that tools/mkbundle writes and hv/vm/bundle.c reads.
 *
 * Everything that can be decided on the build machine is decided there, so the hypervisor only checks the version, the
 * lengths and the checksums and then uses these structures as they are. All fields are little endian and naturally
 * aligned; offsets count bytes from the start of the header; reserved fields are zero. The version changes with any
 * change of layout or meaning, and a reader refuses every version but its own.
 *
 *   +----------------------+ 0
 *   | struct bundle_header |
 *   +----------------------+ vm_offset
 *   | struct bundle_vm [n] |  in start order
 *   +----------------------+ load_offset
 *   | struct bundle_load[] |  what is copied into a VM's memory; bundle_vm.load_first/load_count select
 *   +----------------------+ device_offset
 *   | struct bundle_device |  the board's devices that VMs own; bundle_vm.device_first/device_count select
 *   +----------------------+ 4096-aligned
 *   | image bytes          |  each image 4096-aligned; identical images are stored once
 *   +----------------------+ total_bytes
 *
 * Keep this header self-contained: <stdint.h> only.
 */
#ifndef ABI_BUNDLE_H
#define ABI_BUNDLE_H

#include <stdint.h>

#define BUNDLE_MAGIC UINT32_C(0x52424d43) /* "CMBR" in memory */
#define BUNDLE_VERSION 3u

#define BUNDLE_ALIGN 4096u       /* of image bytes in the file */
#define BUNDLE_VM_MAX 16u        /* VMs in a bundle */
#define BUNDLE_VCPU_MAX 8u       /* vCPUs of a VM */
#define BUNDLE_MEM_MAX 4u        /* memory ranges of a VM */
#define BUNDLE_DEVICE_MAX 16u    /* devices of the board in a bundle */
#define BUNDLE_DEVICE_REGS 4u    /* register ranges of a device */
#define BUNDLE_DEVICE_IRQS 8u    /* interrupts of a device */
#define BUNDLE_PATH_BYTES 64u    /* with the terminating NUL */
#define BUNDLE_LABEL_BYTES 16u   /* with the terminating NUL */
#define BUNDLE_PROFILE_BYTES 32u /* with the terminating NUL */

struct bundle_header {
	uint32_t magic;       /* BUNDLE_MAGIC */
	uint32_t version;     /* BUNDLE_VERSION */
	uint64_t total_bytes; /* of the file, this header included */
	uint32_t header_crc;  /* CRC-32 (IEEE 802.3) of bytes 0..head_bytes, taken with this field zero */
	uint32_t head_bytes;  /* header + tables: up to the first image */
	uint32_t vm_count;
	uint32_t vm_offset;
	uint32_t load_count;
	uint32_t load_offset;
	char profile[BUNDLE_PROFILE_BYTES]; /* file name of the profile without ".dts" */
	uint32_t device_count;
	uint32_t device_offset;
	uint64_t reserved;
};
_Static_assert(sizeof(struct bundle_header) == 88, "bundle version 3: header");

/* bundle_mem.flags */
#define BUNDLE_MEM_ROM 1u    /* the guest may read and execute it, not write it */
#define BUNDLE_MEM_STATIC 2u /* at `hpa` of the board's memory, nowhere else */

struct bundle_mem {
	uint64_t ipa;   /* 4 KiB aligned (RAM: 2 MiB aligned) */
	uint64_t bytes; /* multiple of 4 KiB (RAM: of 2 MiB) */
	uint64_t hpa;   /* with BUNDLE_MEM_STATIC, aligned like ipa; else 0 */
	uint32_t flags;
	uint32_t reserved;
};
_Static_assert(sizeof(struct bundle_mem) == 32, "bundle version 3: memory range");

/* One stretch of bytes copied into a VM's memory at each start of the VM; what follows up to mem_bytes is zeroed. */
struct bundle_load {
	uint64_t offset;     /* in the bundle, BUNDLE_ALIGN-aligned (any alignment inside an ELF image) */
	uint64_t file_bytes; /* may be 0: only zeroes */
	uint64_t mem_bytes;  /* >= file_bytes */
	uint64_t ipa;        /* wholly inside one bundle_mem of the VM */
	uint32_t crc;        /* CRC-32 of file_bytes bytes */
	uint32_t kind;       /* BUNDLE_LOAD_* : for messages only */
};
_Static_assert(sizeof(struct bundle_load) == 40, "bundle version 3: load");

#define BUNDLE_LOAD_KERNEL 0u
#define BUNDLE_LOAD_INITRD 1u
#define BUNDLE_LOAD_DTB 2u
#define BUNDLE_LOAD_RAW 3u

/*
 * A device of the board that one VM owns. Where its registers and interrupts are is read from the firmware's device tree
 * at boot; the bundle says which node, and where the guest sees them.
 */
struct bundle_device {
	char path[BUNDLE_PATH_BYTES]; /* full path of the node in the firmware's device tree, NUL-terminated */
	struct {
		uint64_t ipa;   /* where the guest sees range n of the node's `reg`; 4 KiB aligned */
		uint64_t bytes; /* multiple of 4 KiB; the board's range must be as long */
	} reg[BUNDLE_DEVICE_REGS];
	uint32_t reg_count;
	uint32_t irq_count;
	uint32_t irq[BUNDLE_DEVICE_IRQS]; /* virtual INTID (an SPI) of interrupt n of the node */
};
_Static_assert(sizeof(struct bundle_device) == 168, "bundle version 3: device");

/* bundle_vm.flags */
#define BUNDLE_VM_AUTOSTART (1u << 0)
#define BUNDLE_VM_UART (1u << 1)       /* virtual PL011 at GUEST_UART_BASE */
#define BUNDLE_VM_RTC (1u << 2)        /* virtual PL031 at GUEST_RTC_BASE */
#define BUNDLE_VM_STRAY_STOP (1u << 3) /* an access outside the platform stops the VM (else: data abort in the guest) */
#define BUNDLE_VM_XEN (1u << 4)        /* Xen hypercalls answered */
#define BUNDLE_VM_RT (1u << 5)         /* has a budget of real time */

#define BUNDLE_PCPU_ANY UINT32_C(0xffffffff)

/* bundle_vm.weight, rt_budget_us, rt_period_us */
#define BUNDLE_WEIGHT_DEFAULT 256u
#define BUNDLE_WEIGHT_MAX 65535u
#define BUNDLE_RT_PERIOD_MIN_US 100u
#define BUNDLE_RT_PERIOD_MAX_US 10000000u
#define BUNDLE_RT_BUDGET_MIN_US 10u /* at most the period */

/*
 * What a real-time vCPU is promised of its CPU, in parts per million, rounded down. Real-time vCPUs are bound to one CPU each, in
 * the bundle's order, those of a VM by number: to that of the allowed ones which has promised least, as these numbers say, among
 * equals to the lowest. mkbundle and the hypervisor both do so; mkbundle has refused what promises more than all of a CPU by
 * exact fractions, so what it let pass adds up to BUNDLE_RT_PPM_ALL here at most.
 */
#define BUNDLE_RT_PPM_ALL 1000000u
#define BUNDLE_RT_PPM(budget_us, period_us) ((uint32_t)((uint64_t)(budget_us)*BUNDLE_RT_PPM_ALL / (period_us)))

/* bundle_vm.on_crash, on_reboot */
#define BUNDLE_ON_STOP 0u    /* the VM stays off */
#define BUNDLE_ON_RESTART 1u /* the VM starts again from pristine images */

struct bundle_vm {
	char label[BUNDLE_LABEL_BYTES]; /* NUL-terminated: [a-z0-9][a-z0-9_-]* */
	uint32_t id;                    /* 1.., unique; the VMID */
	uint32_t flags;
	uint32_t vcpu_count;
	uint32_t pcpu_mask[BUNDLE_VCPU_MAX]; /* allowed physical CPUs per vCPU (bit n = CPU n); all ones = any */
	uint32_t mem_count;
	struct bundle_mem mem[BUNDLE_MEM_MAX];
	uint32_t load_first; /* index into the load table */
	uint32_t load_count;
	uint64_t entry_ipa; /* first instruction, EL1, MMU off */
	uint64_t arg0;      /* x0 at entry: IPA of the device tree, or 0 */
	uint32_t on_crash;
	uint32_t on_reboot;
	uint32_t weight; /* share of a contended CPU per vCPU; 0, with BUNDLE_VM_RT only: nothing beyond the budget */
	uint32_t cap_percent;  /* of one CPU, for all vCPUs together; 0 = none */
	uint32_t rt_budget_us; /* of each vCPU; with BUNDLE_VM_RT, else 0 */
	uint32_t rt_period_us; /* likewise */
	uint32_t watchdog_ms;  /* longest time between two refreshes of its watchdog; 0 = it has none */
	uint32_t spi_count;    /* virtual SPIs: INTIDs 32 .. 32 + spi_count - 1; multiple of 32 */
	uint32_t device_first; /* index into the device table */
	uint32_t device_count;
	uint32_t watchdog_boot_ms; /* from a start to the first refresh; 0 = as long as it takes */
	uint32_t start_delay_ms;   /* autostart: from the hypervisor's boot */
	uint32_t restart_delay_ms; /* after a crash, before it starts again */
	uint32_t
		crash_limit; /* crashes in a row, each within BUNDLE_CRASH_WINDOW_MS of a start, that end restarting; 0 = none */
	uint64_t reserved;
};
#define BUNDLE_CRASH_WINDOW_MS 10000u
_Static_assert(sizeof(struct bundle_vm) == 280, "bundle version 3: VM");

#endif
