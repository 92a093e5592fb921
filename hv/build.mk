# SPDX-License-Identifier: Apache-2.0
# The hypervisor: camber.elf and camber.bin for the board selected in $(OUT)/.config.

hv_parts := hv/arch/$(ARCH) hv/lib hv/trace hv/mem hv/core hv/sched hv/vm hv/dev hv/xen hv/main drivers/uart

# obj-y: what a folder consists of. hot-y: which of it runs at each exit, compiled for speed; all else for size.
objs :=
hot_objs :=
define add_part
obj-y :=
hot-y :=
include $(1)/build.mk
objs += $$(addprefix $(OUT)/$(1)/,$$(obj-y))
hot_objs += $$(addprefix $(OUT)/$(1)/,$$(hot-y))
endef
$(foreach p,$(hv_parts),$(eval $(call add_part,$(p))))

# libfdt: Debian's source, our flags. It may assume (libfdt_internal.h) valid arguments (2), a tree of version 17, which is
# checked (4), read-only use (8), and no bug of its own (32); it may not assume a valid tree.
fdt_assume := 46
fdt_objs := $(addprefix $(OUT)/libfdt/,fdt.o fdt_ro.o fdt_addresses.o)

WARN := -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes -Wshadow -Wundef -Wvla -Wpointer-arith \
	-Wwrite-strings -Wimplicit-fallthrough=5 -Wno-override-init

hv_cppflags = -Ihv/include -Ihv/arch/$(ARCH)/inline -include $(OUT)/include/autoconf.h -include camber/compiler.h -MMD -MP
# What else makes cold code smaller with this compiler, each by about a hundred bytes.
small := -fno-thread-jumps -fno-tree-dominator-opts -fno-tree-sra -fno-shrink-wrap -fno-inline-small-functions
# Branch targets aren't padded: the padding is executed, and small beats aligned on the cores that we have.
hot_align := -falign-functions=4 -fno-align-loops -fno-align-jumps -fno-align-labels

# The whole program is optimised at once, by the compiler as linker, and lies within 1 MiB (tiny code model): both for size,
# and addresses take one instruction. What the compiler itself calls must be there by name when it links.
hv_lto := -flto -fno-fat-lto-objects
hv_model := -mcmodel=tiny
$(OUT)/hv/lib/string.o: hv_lto := -fno-lto

hv_cflags = -std=gnu11 $(if $(filter $@,$(hot_objs)),-O2 $(hot_align),-Os $(small)) -g -ffreestanding -fno-common -fno-stack-protector -fno-asynchronous-unwind-tables \
	-fno-unwind-tables -fPIE -fno-plt -fomit-frame-pointer -ffunction-sections \
	-fdata-sections -fno-strict-aliasing $(hv_lto) $(hv_model) -ffile-prefix-map=$(CURDIR)=. $(arch_cflags) $(WARN)

$(OUT)/hv/arch/%.o: hv_cppflags += -Ihv/arch/$(ARCH)/include -I$(OUT)/include -I$(O)/src/libfdt -Ihv/arch/$(ARCH)/libfdt

# Flags are in here: what is compiled with others is out of date.
hv_rules := hv/build.mk $(addsuffix /build.mk,$(hv_parts))

$(OUT)/%.o: %.c $(OUT)/include/autoconf.h $(hv_rules)
	$(call msg,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(hv_cflags) $(hv_cppflags) -c $< -o $@

$(OUT)/%.o: %.S $(OUT)/include/autoconf.h $(hv_rules)
	$(call msg,AS,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(arch_cflags) -g -D__ASSEMBLER__ $(hv_cppflags) -c $< -o $@

# Structure offsets for assembly, taken from the compiler rather than by hand.
$(OUT)/include/asm_offsets.h: hv/arch/$(ARCH)/asm_offsets.c $(OUT)/include/autoconf.h $(hv_rules)
	$(call msg,GEN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(hv_cflags) -fno-lto $(hv_cppflags) -Ihv/arch/$(ARCH)/include -MT $@ -MF $(OUT)/include/asm_offsets.d -S $< -o $@.s
	$(Q)sed -n 's/^.*->\([A-Z0-9_]*\) [$$#]*\([0-9-]*\).*/#define \1 \2/p' $@.s > $@

$(patsubst %.S,$(OUT)/%.o,$(wildcard hv/arch/$(ARCH)/*.S)): $(OUT)/include/asm_offsets.h

$(OUT)/libfdt/%.o: $(O)/src/libfdt/.stamp $(OUT)/include/autoconf.h $(hv_rules)
	$(call msg,CC,libfdt/$*.c)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(filter-out $(WARN),$(hv_cflags)) -DFDT_ASSUME_MASK=$(fdt_assume) -Ihv/include -Ihv/arch/$(ARCH)/inline \
		-include camber/compiler.h -Ihv/arch/$(ARCH)/libfdt -I$(O)/src/libfdt -c $(O)/src/libfdt/$*.c -o $@

$(OUT)/hv/arch/$(ARCH)/platform.o $(OUT)/hv/arch/$(ARCH)/device.o: $(O)/src/libfdt/.stamp

$(OUT)/camber.elf: $(objs) $(fdt_objs) hv/arch/$(ARCH)/camber.lds
	$(call msg,LD,$@)
	$(Q)$(CC) -flto=2 -Os -nostdlib -ffreestanding -ffile-prefix-map=$(CURDIR)=. $(hv_model) $(arch_cflags) $(arch_ldflags) \
		-Wl,-pie,--no-dynamic-linker,-z,noexecstack,-z,max-page-size=4096,--build-id=none,--gc-sections \
		-Wl,-T,hv/arch/$(ARCH)/camber.lds -Wl,-Map,$(OUT)/camber.map -o $@ $(objs) $(fdt_objs)

# With .bss in the file: the bundle may follow directly, and no loader has to know where the image really ends.
$(OUT)/camber.bin: $(OUT)/camber.elf
	$(call msg,OBJCOPY,$@)
	$(Q)$(OBJCOPY) -O binary --set-section-flags .bss=alloc,load,contents $< $@

-include $(objs:.o=.d) $(OUT)/include/asm_offsets.d
