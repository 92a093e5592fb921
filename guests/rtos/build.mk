# SPDX-License-Identifier: Apache-2.0
#
# The real-time guest: $(O)/guests/rtos/rtos.elf, for every board the same. Needs guests/newlib.mk.

ifndef NEWLIB_STAMP
include guests/newlib.mk
endif

RTOS_DIR := guests/rtos
RTOS_OUT := $(O)/guests/rtos
RTOS_ELF := $(RTOS_OUT)/rtos.elf

rtos-kernel := start.o vectors.o mmu.o gic.o timer.o uart.o psci.o fdt.o task.o fault.o syscalls.o libc_lock.o
rtos-app    := main.o options.o jitter.o report.o shell.o
rtos-objs   := $(addprefix $(RTOS_OUT)/kernel/,$(rtos-kernel)) $(addprefix $(RTOS_OUT)/app/,$(rtos-app))

# Debug information names no folder of the build machine: the same bytes wherever it is built.
RTOS_PREFIX_MAP = -ffile-prefix-map=$(CURDIR)=. -ffile-prefix-map=$(NEWLIB_DIR)=newlib
RTOS_CPPFLAGS   = -I$(RTOS_DIR) -Ihv/include $(NEWLIB_CPPFLAGS) -MMD -MP
RTOS_CFLAGS     = -std=gnu11 -O2 -g -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes -Wshadow \
	-ffreestanding -fno-pie -fno-stack-protector -fno-omit-frame-pointer -fno-asynchronous-unwind-tables \
	-ffunction-sections -fdata-sections -fno-common -mno-outline-atomics $(RTOS_PREFIX_MAP)
RTOS_LDFLAGS    = -nostdlib -static -no-pie -Wl,--gc-sections -Wl,--build-id=none -Wl,--fatal-warnings \
	-Wl,-z,noexecstack -Wl,-z,max-page-size=4096

# The kernel runs in interrupts, whose frame holds no FP/SIMD registers (kernel/frame.h); an unaligned access to a
# device or before the MMU is on would fault.
$(RTOS_OUT)/kernel/%.o: RTOS_CFLAGS += -mgeneral-regs-only -mstrict-align

$(RTOS_OUT)/%.o: $(RTOS_DIR)/%.c $(RTOS_DIR)/build.mk $(NEWLIB_STAMP)
	$(call msg,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(RTOS_CPPFLAGS) $(RTOS_CFLAGS) -c -o $@ $<

$(RTOS_OUT)/%.o: $(RTOS_DIR)/%.S $(RTOS_DIR)/build.mk $(NEWLIB_STAMP)
	$(call msg,AS,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(RTOS_CPPFLAGS) -g $(RTOS_PREFIX_MAP) -c -o $@ $<

$(RTOS_OUT)/rtos.lds: $(RTOS_DIR)/rtos.ld $(RTOS_DIR)/kernel/layout.h $(RTOS_DIR)/build.mk
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -E -P -x assembler-with-cpp -D__ASSEMBLER__ -I$(RTOS_DIR) -o $@ $<

$(RTOS_ELF): $(rtos-objs) $(RTOS_OUT)/rtos.lds
	$(call msg,LD,$@)
	$(Q)$(CC) $(RTOS_LDFLAGS) -Wl,-T,$(RTOS_OUT)/rtos.lds -o $@ $(rtos-objs) $(NEWLIB_LIBS)

-include $(rtos-objs:.o=.d)
