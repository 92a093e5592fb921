# SPDX-License-Identifier: Apache-2.0
#
# Probe: bare-metal EL1 test guest. Makes $(O)/guests/probe/probe.elf; board independent.

probe-src  := guests/probe
probe-out  := $(O)/guests/probe
PROBE_ELF  := $(probe-out)/probe.elf

# The bench brackets and the trap stubs are assembly: their length in instructions is part of the measurement.
probe-asm-y := start vectors bench_events sysregs mmio fp life_asm load_asm el0 hostile_asm
probe-c-y   := main cases peer life load bench trap gic timer psci fdt options print string \
	       mmu hostile hostile_access hostile_walk hostile_psci hostile_call hostile_code hostile_gic hostile_icc hostile_sysreg \
	       hostile_cpu hostile_storm hostile_a32 \
	       cases_gic cases_gic_active cases_gic_regs cases_sgi cases_timer cases_fp cases_psci cases_trap cases_dev

probe-obj := $(probe-asm-y:%=$(probe-out)/%.o) $(probe-c-y:%=$(probe-out)/%.o)

# x18 is kept free for the time stamp that the IRQ vector takes with its first instruction. With the MMU off every
# access is to Device memory, so nothing may be unaligned; C never touches FP/SIMD (the cases own those registers).
probe-flags := -march=armv8-a -mgeneral-regs-only -mstrict-align -mno-outline-atomics -ffixed-x18 \
	       -ffreestanding -fno-pie -fno-pic -fno-stack-protector -fno-builtin -fno-tree-loop-distribute-patterns \
	       -fno-asynchronous-unwind-tables -fno-common -fno-jump-tables -nostdinc \
	       -isystem $(shell $(CC) -print-file-name=include) -Ihv/include -I$(probe-src)
probe-cflags := -std=gnu11 -O2 -g $(probe-flags) -ffile-prefix-map=$(CURDIR)/= \
	       -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes -Wshadow

.PHONY: guest-probe
guest-probe: $(PROBE_ELF)

$(probe-out)/%.o: $(probe-src)/%.c guests/probe/build.mk
	$(call msg,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(probe-cflags) -MMD -MP -c $< -o $@

$(probe-out)/%.o: $(probe-src)/%.S guests/probe/build.mk
	$(call msg,AS,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(probe-flags) -D__ASSEMBLY__ -g -ffile-prefix-map=$(CURDIR)/= -Werror -MMD -MP -c $< -o $@

$(PROBE_ELF): $(probe-obj) $(probe-src)/probe.ld
	$(call msg,LD,$@)
	$(Q)$(LD) -nostdlib -static --no-warn-rwx-segments --build-id=none -z max-page-size=4096 \
		-T $(probe-src)/probe.ld $(probe-obj) -o $@

-include $(probe-obj:.o=.d)
