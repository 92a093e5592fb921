/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mkbundle: what its files share. The way of a profile through them:
 *
 *   main.c      options; reads the compiled profile and the board's tree
 *   board.c     what the board has: CPUs, memory, devices
 *   profile.c   device tree -> struct vm, one property at a time (rules.c works through tables, prop.c reads values;
 *               device.c and reserved.c read such nodes; check.c judges the whole, sched.c, with the
 *               arithmetic of rt.c, what it says about scheduling)
 *   passthrough.c  the board's devices that VMs own: what each is, and whether it can be passed through
 *   image.c     finds and classifies the image files (linux.c: arm64 Image, elf.c: ELF64)
 *   place.c     decides where each byte lies in the VM's memory
 *   guestdt.c   writes the VM's device tree (guestdev.c: the board's devices in it)
 *   write.c     the bundle file            read.c, list.c   check and list one        join.c   the bootable image
 *
 * Every function that can fail on its input returns 0, or -1 with one line in m->diag; the first error stays. Nothing
 * but main.c prints or exits (running out of memory apart), so the unit tests and fuzzers drive the same code.
 * Memory comes from m->pool and is freed as a whole.
 */
#ifndef MKBUNDLE_H
#define MKBUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "../common/crc32.h"
#include "abi/bundle.h"
#include "abi/platform.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "mkbundle writes the bundle's structures as they lie in memory: the build machine must be little endian"
#endif

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define ARRAY_COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))

#define VM_IMAGE_MAX 20u                                     /* kernel segments, initrd and device tree of a VM */
#define VM_RESERVED_MAX 4u                                   /* reserved@ nodes of a VM */
#define VM_LOAD_MAX (2 * VM_IMAGE_MAX + VM_RESERVED_MAX + 1) /* and what 'scrub' clears between them */
#define VM_ID_MAX BUNDLE_VM_MAX                              /* vm@1 .. vm@10 (hexadecimal, like every unit address) */
#define PCPU_MAX 32u                                         /* bits of bundle_vm.pcpu_mask */
#define MEMORY_MIB_MAX 261120u                               /* 255 GiB: where RAM of QEMU's virt machine ends */
#define ROM_BYTES_MAX GUEST_GICD_BASE
#define SPI_COUNT_MAX 960u       /* INTIDs 32..991: the last whole word before the special ones at 1020 */
#define BOOTARGS_MAX 2047u       /* arm64 Linux: COMMAND_LINE_SIZE 2048 */
#define DELAY_MS_MAX 86400000u   /* a day */
#define WATCHDOG_MS_MAX 3600000u /* an hour */
#define START_ORDER_MAX 65535u
#define CRASH_LIMIT_MAX 1000u
#define WEIGHT_UNSAID UINT32_MAX
#define GUEST_IPA_MAX (UINT64_C(1) << 40) /* every CPU with EL2 that the hypervisor runs on translates as many bits */
#define OPTION_MAX 16u                    /* of each repeatable command line option */
#define FILE_BYTES_MAX (1024 * MIB)

#define DIAG_BYTES 2048u /* 16 real-time VMs on one CPU fit */

struct diag {
	char text[DIAG_BYTES]; /* empty: no error yet */
};

struct pool_block;
struct pool {
	struct pool_block *first;
};

/* Bytes that go into the bundle: an image file, or a device tree made here. */
struct blob {
	const uint8_t *data;
	size_t bytes;
	const char *path; /* NULL for a generated one */
	uint64_t offset;  /* in the bundle; set by write.c */
	struct blob *next;
};

struct load {
	struct blob *blob; /* NULL: only zeroes */
	uint64_t offset;   /* in the blob */
	uint64_t file_bytes;
	uint64_t mem_bytes;
	uint64_t ipa;
	uint32_t kind;    /* BUNDLE_LOAD_* */
	const char *prop; /* the property that brought it, for messages */
	const char *name; /* the file as the profile names it, likewise */
};

struct range {
	uint64_t base;
	uint64_t bytes;
};

/* An interrupt of a device as the board's tree says it. */
struct board_irq {
	uint32_t spi;
	uint32_t trigger; /* the specifier's flags */
};

/* A device@ node: what it says, then what the board's tree says of the device. */
struct device {
	const char *node;                     /* "/vm@1/device@9040000" */
	const char *path;                     /* in the board's tree */
	uint64_t unit;                        /* the address in the node's name */
	struct range reg[BUNDLE_DEVICE_REGS]; /* as the guest sees them */
	uint32_t reg_count;                   /* before the board's tree was asked: 0 if there is no 'reg' */
	uint32_t irqs[BUNDLE_DEVICE_IRQS];    /* virtual SPI numbers (INTID - 32) */
	uint32_t irq_count;                   /* likewise */
	uint32_t clock_hz;                    /* 0: property absent */

	int at; /* offset in the board's tree */
	struct range board_reg[BUNDLE_DEVICE_REGS];
	struct board_irq board_irqs[BUNDLE_DEVICE_IRQS];
};

/* A reserved@ node: RAM that nothing is loaded to and that a restart leaves as it is. */
struct reserved {
	const char *node;
	const char *label;
	const char *compatible;
	uint64_t unit;
	struct range reg; /* bytes 0: property absent */
	uint32_t size_mib;
	uint32_t no_map;
	uint32_t ramoops[8]; /* ramoops_props[], in their order */
	uint32_t ramoops_said;
};

/* One VM: first what its node says, then what place.c makes of it. */
struct vm {
	const char *node; /* "/vm@1" */
	uint32_t id;
	const char *label;
	uint32_t flags;      /* BUNDLE_VM_* */
	uint32_t flags_said; /* flags that the profile mentions, to refuse "uart; no-uart;" */
	uint32_t vcpu_count;
	uint32_t pcpus[BUNDLE_VCPU_MAX];
	uint32_t pcpus_count; /* 0: property absent */
	uint32_t pcpu_masks[BUNDLE_VCPU_MAX];
	uint32_t pcpu_masks_count;
	uint32_t memory_mib;
	const char *kernel;
	const char *initrd;
	const char *rom;
	const char *bootargs;
	uint32_t enhanced; /* 'xen,enhanced': 0 enabled */
	bool has_load;
	bool has_entry;
	uint64_t load_ipa;
	uint64_t raw_entry;
	uint32_t on_crash;
	uint32_t on_reboot;
	uint32_t stray;
	uint32_t watchdog_ms;
	uint32_t watchdog_boot_ms;
	uint32_t start_order;
	uint32_t start_delay_ms;
	uint32_t restart_delay_ms;
	uint32_t crash_limit;
	uint32_t scrub;
	uint32_t spi_count;
	uint32_t device_count;
	struct device devices[BUNDLE_DEVICE_MAX];
	uint32_t reserved_count;
	struct reserved reserved[VM_RESERVED_MAX];
	struct range static_mem; /* bytes 0: property absent */
	uint32_t other_kinds;    /* CPUs of kinds of core where not all vCPUs could be: out of all masks */
	uint32_t weight;         /* WEIGHT_UNSAID: property absent */
	uint32_t cap_percent;
	uint32_t rt_budget_us;
	uint32_t rt_period_us;

	uint32_t mem_count;
	struct bundle_mem mem[BUNDLE_MEM_MAX];
	uint32_t load_count;
	struct load loads[VM_LOAD_MAX];
	uint64_t entry_ipa;
	uint64_t initrd_start; /* IPA; start == end: none */
	uint64_t initrd_end;
};

/* "name=value" options: --replace image=path, --bootargs label=text, --dump-dtb label=path */
struct pair {
	const char *name;
	const char *value;
	bool used;
};

struct pairs {
	struct pair item[OPTION_MAX];
	unsigned int count;
};

/* What the hypervisor that reads the bundle was configured for; 0: not said. */
struct limits {
	uint32_t vms;  /* CONFIG_VM_MAX */
	uint32_t cpus; /* CONFIG_CPU_MAX */
	uint32_t spis; /* CONFIG_SPI_MAX */
};

struct options {
	struct limits limits;
	const char *image_dirs[OPTION_MAX];
	unsigned int image_dir_count;
	struct pairs replace;
	struct pairs bootargs;
	struct pairs dump_dtb;
};

#define BOARD_RAM_MAX 16u

/* What the board's device tree says; fdt == NULL: none was given. */
struct board {
	const void *fdt;
	const char *path; /* as messages name it */
	uint32_t cpu_count;
	const char *cpu_kind[PCPU_MAX]; /* first string of its 'compatible' */
	bool cpu_kinds_known;           /* of all */
	uint32_t ram_count;
	struct range ram[BOARD_RAM_MAX];
	uint64_t ram_bytes;
	uint32_t gic; /* phandle of the interrupt controller */
};

struct mkbundle {
	struct diag diag;
	struct pool pool;
	struct options opt;
	struct board board;
	const char *source;                 /* the profile, as messages name it */
	char profile[BUNDLE_PROFILE_BYTES]; /* its name */
	struct vm vms[BUNDLE_VM_MAX];
	uint32_t vm_count;
	struct blob *blobs; /* every file read and tree made, newest first */
};

/* util.c */
int diag_fail(struct mkbundle *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void out_of_memory(void) __attribute__((noreturn));
void *pool_alloc(struct mkbundle *m, size_t bytes); /* zeroed, 16-aligned; exits when the machine has no memory */
char *pool_printf(struct mkbundle *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void mkbundle_free(struct mkbundle *m);
int file_read(struct mkbundle *m, const char *path, uint8_t **data, size_t *bytes);
int file_write(struct mkbundle *m, const char *path, const void *data, size_t bytes);
const char *pairs_use(struct pairs *p, const char *name); /* the value of `name`, marked as used; NULL: absent */

static inline bool ranges_overlap(struct range a, struct range b)
{
	return a.base < b.base + b.bytes && b.base < a.base + a.bytes;
}

static inline uint64_t align_up(uint64_t value, uint64_t align)
{
	return (value + align - 1) & ~(align - 1);
}

/* prop.c: values of a property. Each fails with node, property, rule and remedy. */
struct prop {
	struct vm *vm;
	void *into; /* what its node is read into: the VM, or a part of it */
	const char *node;
	const char *name;
	const char *data;
	uint32_t bytes;
};
int prop_fail(struct mkbundle *m, const struct prop *p, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int prop_empty(struct mkbundle *m, const struct prop *p);
int prop_string(struct mkbundle *m, const struct prop *p, const char **value);
int prop_cells(struct mkbundle *m, const struct prop *p, uint32_t max, uint32_t *cells, uint32_t *count);
int prop_u32(struct mkbundle *m, const struct prop *p, uint32_t low, uint32_t high, uint32_t *value);
int prop_address(struct mkbundle *m, const struct prop *p, uint64_t *value);
int prop_ranges(struct mkbundle *m, const struct prop *p, uint32_t max, struct range *ranges, uint32_t *count);
int prop_choice(struct mkbundle *m, const struct prop *p, const char *const *words, uint32_t *value);

/* board.c */
bool tree_is_valid(const void *fdt, size_t bytes);
int board_read(struct mkbundle *m, const char *path);
int board_use(struct mkbundle *m, const void *fdt, const char *path); /* a valid tree, which must outlive m */
/* Range `index` of a node's 'reg' as a physical one: 1, or 0 if there is none, or -1 if a bus does not translate it. */
int board_reg(const struct board *board, int node, uint32_t index, struct range *range);
bool board_is_type(const struct board *board, int node, const char *type); /* its device_type */
int board_check_memory(struct mkbundle *m, uint64_t bundle_bytes);

/* device.c, reserved.c: such a node inside a VM's. */
int device_read(struct mkbundle *m, const void *fdt, int node, const char *path, struct vm *vm);
int reserved_read(struct mkbundle *m, const void *fdt, int node, const char *path, struct vm *vm);
int reserved_check(struct mkbundle *m, const struct vm *vm, struct reserved *res);
int node_unit(struct mkbundle *m, const char *path, uint64_t *unit);

/* passthrough.c: all devices of all VMs, when the whole profile has been read. */
int passthrough_check(struct mkbundle *m);

/* profile.c: `fdt` must outlive m (strings point into it). */
int profile_read(struct mkbundle *m, const void *fdt, size_t bytes);

/* check.c: rules about more than one property. */
int vm_fail(struct mkbundle *m, const struct vm *vm, const char *prop, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
int check_vm(struct mkbundle *m, struct vm *vm);
int check_profile(struct mkbundle *m);

/* sched.c: a VM's scheduling by itself; then all of them, in start order. */
uint32_t vm_pcpu_mask(const struct vm *vm, uint32_t vcpu);
int sched_check_vm(struct mkbundle *m, struct vm *vm);
int sched_check(struct mkbundle *m);

/* rt.c: so many vCPUs of a VM have so much of each period of one CPU. At most BUNDLE_VM_MAX shares. */
struct rt_share {
	uint32_t budget_us;
	uint32_t period_us;
	uint32_t vcpus;
};
struct rt_percent_text {
	char text[16];
};
int rt_compare(const struct rt_share *shares, uint32_t count, uint32_t ppm); /* their sum with ppm: < 0, 0, > 0 */
uint32_t rt_ppm(const struct rt_share *shares, uint32_t count);              /* their sum, rounded up */
const char *rt_percent(struct rt_percent_text *to, uint32_t ppm);            /* "37.5" */

/* image.c */
enum image_kind {
	IMAGE_LINUX,
	IMAGE_ELF,
	IMAGE_REFUSED, /* recognised, but not bootable as it is */
	IMAGE_UNKNOWN,
};
enum image_kind image_classify(const uint8_t *data, size_t bytes, const char **why);
int image_open(struct mkbundle *m, const struct vm *vm, const char *prop, const char *name, struct blob **blob);
struct blob *blob_add(struct mkbundle *m, const void *data, size_t bytes, const char *path);

/* linux.c, elf.c: add the loads of a kernel image and set vm->entry_ipa. */
int linux_place(struct mkbundle *m, struct vm *vm, struct blob *blob);
int elf_place(struct mkbundle *m, struct vm *vm, struct blob *blob);

/* place.c */
int load_add(struct mkbundle *m, struct vm *vm, const struct load *load);
struct range vm_ram(const struct vm *vm);
int place_vm(struct mkbundle *m, struct vm *vm);

/* guestdt.c */
int guestdt_write(struct mkbundle *m, const struct vm *vm, void **data, size_t *bytes);

/* write.c */
int bundle_make(struct mkbundle *m, uint8_t **data, size_t *bytes);

/* read.c */
int bundle_check(struct mkbundle *m, const char *path, const uint8_t *data, size_t bytes);

/* list.c */
void bundle_list(const uint8_t *data, FILE *out); /* of a checked bundle */

/* join.c */
int image_join(struct mkbundle *m, const char *bin_path, const char *bundle_path, uint8_t **data, size_t *bytes);

#endif
