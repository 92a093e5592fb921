/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What mkbundle's unit tests share: profiles from text (compiled by dtc, as the build does), image files made on the
 * spot in a folder of the test's own, and the way from a profile to a bundle.
 */
#ifndef MKBUNDLE_HELPER_H
#define MKBUNDLE_HELPER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four above first. */
#include <cmocka.h>

#include "mkbundle.h"

#define TEST_LINUX_BYTES 5000u
#define TEST_LINUX_IMAGE_SIZE UINT64_C(0x1803000) /* with bss: 24 MiB and a bit */
#define TEST_ELF_BASE UINT64_C(0x40200000)

struct segment {
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t offset;
	uint64_t file_bytes;
	uint64_t mem_bytes;
};

/* cmocka set-up and tear-down: *state is a struct mkbundle with an image folder holding the files below. */
int helper_setup(void **state);
int helper_teardown(void **state);

/* In the image folder: "linux", "rtos.elf" (one segment with bss), "raw.bin", "rom.bin", "initrd". */
const char *helper_path(struct mkbundle *m, const char *name);
void helper_put(struct mkbundle *m, const char *name, const void *data, size_t bytes);
void helper_put_linux(struct mkbundle *m, const char *name, uint64_t text_offset, uint64_t image_size, uint64_t flags);
size_t helper_make_elf(uint8_t *out, size_t room, uint64_t entry, const struct segment *segs, uint16_t count);

/* Compiles a profile of this text; `vm` alone is wrapped into a root and vm@1. */
void helper_compile(struct mkbundle *m, const char *text, uint8_t **fdt, size_t *bytes);
int helper_read(struct mkbundle *m, const char *text);
int helper_read_vm(struct mkbundle *m, const char *vm);
int helper_pack(struct mkbundle *m, const char *text, uint8_t **bundle, size_t *bytes);
int helper_pack_vm(struct mkbundle *m, const char *vm, uint8_t **bundle, size_t *bytes);

/* The error must contain each of the NULL-terminated words, and be one line. */
void helper_expect_error(struct mkbundle *m, int ret, ...);

#define ROOT(vms) "/dts-v1/; / { compatible = \"camber,config\"; " vms " };"
#define VM(number, body) "vm@" #number " { compatible = \"camber,vm\"; " body " };"
#define BASIC(name) "label = \"" name "\"; cpus = <1>; memory-mib = <64>;"

#endif
