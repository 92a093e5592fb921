# SPDX-License-Identifier: Apache-2.0
#
# The real-time guest: $(O)/guests/rtos/rtos.elf, for every board the same; rtos-test.elf, its kernel's tests; example.elf, an
# application to copy. With RTOS_APP=<folder> also <folder's name>.elf, the kernel with that folder's *.c. Needs
# guests/newlib.mk.

ifndef NEWLIB_STAMP
include guests/newlib.mk
endif

RTOS_DIR := guests/rtos
RTOS_OUT := $(O)/guests/rtos
RTOS_ELF := $(RTOS_OUT)/rtos.elf
RTOS_TEST_ELF := $(RTOS_OUT)/rtos-test.elf

# The kernel, for any application: kernel/ is portable, arch/ knows the CPU and the machine, libc/ is newlib's lower half.
rtos-kernel := $(addprefix kernel/,deadline.o sched.o task.o mutex.o sem.o queue.o notify.o time.o watch.o) \
	$(addprefix arch/,start.o vectors.o boot.o mmu.o gic.o timer.o uart.o psci.o fdt.o fault.o port.o watchdog.o announce.o) \
	$(addprefix libc/,syscalls.o lock.o reent.o)
rtos-app    := $(addprefix app/,main.o options.o jitter.o report.o shell.o health.o)
rtos-test   := $(addprefix test/,main.o priority.o messages.o tasks.o libc.o fp.o fatal.o bench.o)

rtos-kernel-objs := $(addprefix $(RTOS_OUT)/,$(rtos-kernel))
rtos-app-objs    := $(addprefix $(RTOS_OUT)/,$(rtos-app))
rtos-test-objs   := $(addprefix $(RTOS_OUT)/,$(rtos-test))

# Debug information names no folder of the build machine: the same bytes wherever it is built.
RTOS_PREFIX_MAP = -ffile-prefix-map=$(CURDIR)=. -ffile-prefix-map=$(NEWLIB_DIR)=newlib
RTOS_CPPFLAGS   = -I$(RTOS_DIR) -Ihv/include $(NEWLIB_CPPFLAGS) -MMD -MP
RTOS_CFLAGS     = -std=gnu11 -O2 -g -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes -Wshadow \
	-ffreestanding -fno-pie -fno-stack-protector -fno-omit-frame-pointer -fno-asynchronous-unwind-tables \
	-ffunction-sections -fdata-sections -fno-common -mno-outline-atomics $(RTOS_PREFIX_MAP)
RTOS_LDFLAGS    = -nostdlib -static -no-pie -Wl,--gc-sections -Wl,--build-id=none -Wl,--fatal-warnings \
	-Wl,-z,noexecstack -Wl,-z,max-page-size=4096

# What runs in interrupts may not use FP/SIMD registers (arch/frame.h); an unaligned access to a device or before the MMU is on
# would fault. Loops stay loops: memcpy and memset of the C library use those registers.
$(RTOS_OUT)/kernel/%.o $(RTOS_OUT)/arch/%.o: RTOS_CFLAGS += -mgeneral-regs-only -mstrict-align \
	-fno-tree-loop-distribute-patterns

# The kernel's own functions are short and many: without frame pointers a switch needs 10 instructions less. The chain of
# a fault's record skips them and goes on with their callers.
$(RTOS_OUT)/kernel/%.o $(RTOS_OUT)/arch/%.o: RTOS_CFLAGS += -fomit-frame-pointer

# A frame larger than a page can't step over a stack's guard page: the compiler touches each page of it.
RTOS_GUARDED := -fstack-clash-protection --param stack-clash-protection-guard-size=12
$(RTOS_OUT)/app/%.o $(RTOS_OUT)/libc/%.o $(RTOS_OUT)/test/%.o: RTOS_CFLAGS += $(RTOS_GUARDED)

$(RTOS_OUT)/%.o: $(RTOS_DIR)/%.c $(RTOS_DIR)/build.mk $(NEWLIB_STAMP)
	$(call msg,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(RTOS_CPPFLAGS) $(RTOS_CFLAGS) -c -o $@ $<

$(RTOS_OUT)/%.o: $(RTOS_DIR)/%.S $(RTOS_DIR)/build.mk $(NEWLIB_STAMP)
	$(call msg,AS,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(RTOS_CPPFLAGS) -g $(RTOS_PREFIX_MAP) -c -o $@ $<

$(RTOS_OUT)/rtos.lds: $(RTOS_DIR)/rtos.ld $(RTOS_DIR)/arch/layout.h $(RTOS_DIR)/build.mk
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -E -P -x assembler-with-cpp -D__ASSEMBLER__ -I$(RTOS_DIR) -o $@ $<

$(RTOS_ELF): $(rtos-kernel-objs) $(rtos-app-objs)
$(RTOS_TEST_ELF): $(rtos-kernel-objs) $(rtos-test-objs)

# An application in a folder: $(1), whose C files become $(RTOS_OUT)/apps/<name>/*.o and $(RTOS_OUT)/<name>.elf.
define rtos_app
rtos-apps-objs += $(patsubst $(1)/%.c,$(RTOS_OUT)/apps/$(notdir $(1))/%.o,$(wildcard $(1)/*.c))
$(RTOS_OUT)/$(notdir $(1)).elf: $(rtos-kernel-objs) \
	$(patsubst $(1)/%.c,$(RTOS_OUT)/apps/$(notdir $(1))/%.o,$(wildcard $(1)/*.c))
$(RTOS_OUT)/apps/$(notdir $(1))/%.o: $(1)/%.c $(RTOS_DIR)/build.mk $(NEWLIB_STAMP)
	$$(call msg,CC,$$<)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) $$(RTOS_CPPFLAGS) -I$(1) $$(RTOS_CFLAGS) $$(RTOS_GUARDED) -c -o $$@ $$<
endef
rtos-app-folders := $(RTOS_DIR)/example $(RTOS_DIR)/p1 $(patsubst %/,%,$(RTOS_APP))
rtos-apps-objs   :=
$(foreach folder,$(rtos-app-folders),$(eval $(call rtos_app,$(folder))))
RTOS_APP_ELFS := $(foreach folder,$(rtos-app-folders),$(RTOS_OUT)/$(notdir $(folder)).elf)

# newlib's small printf leaves floating point out unless it is asked for (10 KiB).
$(RTOS_TEST_ELF): RTOS_LDFLAGS += -Wl,-u,_printf_float

$(RTOS_ELF) $(RTOS_TEST_ELF) $(RTOS_APP_ELFS): $(RTOS_OUT)/rtos.lds
	$(call msg,LD,$@)
	$(Q)$(CC) $(RTOS_LDFLAGS) -Wl,-T,$(RTOS_OUT)/rtos.lds -o $@ $(filter %.o,$^) $(NEWLIB_LIBS)

# What the system tests and measurements boot, besides $(RTOS_ELF).
test-files bench: $(RTOS_TEST_ELF) $(RTOS_APP_ELFS)

-include $(rtos-kernel-objs:.o=.d) $(rtos-app-objs:.o=.d) $(rtos-test-objs:.o=.d) $(rtos-apps-objs:.o=.d)
