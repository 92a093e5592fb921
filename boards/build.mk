# SPDX-License-Identifier: Apache-2.0
#
# From VM profiles to the bootable image.
#
#   boards/<board>/board.dts -dtc-> board.dtb: what the board has
#   boards/<board>/<profile>.dts -dtc-> profiles/<profile>.dtb, + board.dtb -mkbundle-> profiles/<profile>.bundle
#   camber.bin + profiles/<profile>.bundle -mkbundle-> profiles/<profile>.img
#   bundle.bin and camber.img are those of $(PROFILE)
#
#: image      the bootable image of PROFILE (default: the configured one): build/<board>/camber.img
#:            LINUX_VARIANT=-rt or -6.12 takes another Linux, MKBUNDLE_FLAGS='--bootargs ivi="..."' other arguments

.PHONY: image

BOARD_DIR := boards/$(BOARD)
PROFILES  := $(filter-out board,$(patsubst $(BOARD_DIR)/%.dts,%,$(wildcard $(BOARD_DIR)/*.dts)))
# What the board has. A tree that its firmware hands over does as well: BOARD_DTB=<file>
BOARD_DTB ?= $(OUT)/board.dtb
DTC       ?= dtc
PROFILE_DTC := tools/mkbundle/profile-dtc
# Cells of 'reg' are always two and two in a profile.
PROFILE_DTC_FLAGS := -W no-unit_address_vs_reg -W no-avoid_default_addr_size -W no-reg_format

# Which of guests/linux' kernels takes the place of the profiles' plain one: empty, -rt or -6.12.
LINUX_VARIANT  ?=
MKBUNDLE_FLAGS ?=

# A profile's own guests: its words of the form "linux/..."; with the semicolon. Other images must exist already.
profile_images = $(patsubst "%";,%,$(filter $(foreach g,linux rtos probe firmware,"$(g)/%";),$(file <$(BOARD_DIR)/$(1).dts)))
# The file that stands for an image name.
image_file = $(O)/guests/$(patsubst linux/vmlinuz,linux/vmlinuz$(LINUX_VARIANT),$(patsubst \
	linux/initramfs.cpio.gz,linux/initramfs$(LINUX_VARIANT).cpio.gz,$(1)))
image_replace = $(if $(LINUX_VARIANT),$(foreach i,$(filter linux/%,$(sort $(1))),\
	--replace $(i)=$(call image_file,$(i))))

image: $(OUT)/camber.img

$(OUT)/profiles/%.dtb: $(BOARD_DIR)/%.dts
	$(call msg,DTC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)DTC=$(DTC) $(PROFILE_DTC) $< $(PROFILE_DTC_FLAGS) -d $@.d -o $@

$(OUT)/board.dtb: $(BOARD_DIR)/board.dts
	$(call msg,DTC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)DTC=$(DTC) $(PROFILE_DTC) $< -W no-unit_address_vs_reg -d $@.d -o $@

test-files: $(OUT)/board.dtb

# The hypervisor's configured limits, where there is a configuration.
mkbundle_limits = $(if $(CONFIG_VM_MAX),--limit vms=$(CONFIG_VM_MAX)) $(if $(CONFIG_CPU_MAX),--limit cpus=$(CONFIG_CPU_MAX)) \
	$(if $(CONFIG_SPI_MAX),--limit spis=$(CONFIG_SPI_MAX))

# Remade when what is given on make's command line or configured changes.
$(OUT)/profiles/flags: FORCE
	$(Q)mkdir -p $(@D)
	$(Q)printf '%s\n' '$(subst ','\'',$(LINUX_VARIANT) $(BOARD_DTB) $(mkbundle_limits) \
		$(MKBUNDLE_FLAGS))' > $@.new
	$(Q)cmp -s $@.new $@ && rm $@.new || mv $@.new $@

define profile_rule
$(OUT)/profiles/$(1).bundle: $(foreach i,$(sort $(call profile_images,$(1))),$(call image_file,$(i)))
endef
$(foreach p,$(PROFILES),$(eval $(call profile_rule,$(p))))

$(OUT)/profiles/%.bundle: $(OUT)/profiles/%.dtb $(OUT)/profiles/flags $(BOARD_DTB) $(MKBUNDLE)
	$(call msg,BUNDLE,$@)
	$(Q)$(MKBUNDLE) -I $(O)/guests -s $(BOARD_DIR)/$*.dts -d $@.d $(call image_replace,$(call profile_images,$*)) \
		--board $(BOARD_DTB) $(mkbundle_limits) $(MKBUNDLE_FLAGS) -o $@ $<

$(OUT)/profiles/%.img: $(OUT)/profiles/%.bundle $(OUT)/camber.bin $(MKBUNDLE)
	$(call msg,IMAGE,$@)
	$(Q)$(MKBUNDLE) --image $(OUT)/camber.bin --bundle $< -o $@

# Another PROFILE may well be older than the files that it replaces: compare, don't trust times.
$(OUT)/bundle.bin: $(OUT)/profiles/$(PROFILE).bundle FORCE
	$(Q)cmp -s $< $@ || cp $< $@

$(OUT)/camber.img: $(OUT)/camber.bin $(OUT)/bundle.bin $(MKBUNDLE)
	$(call msg,IMAGE,$@)
	$(Q)$(MKBUNDLE) --image $(OUT)/camber.bin --bundle $(OUT)/bundle.bin -o $@

# QEMU's options for a profile, from the board's qemu.args.
qemu_args = $(shell awk -v only=@$(1) '/^\#/ { next } /^@/ && $$1 != only { next } { sub(/^@[^ ]* /, ""); print }' \
	$(BOARD_DIR)/qemu.args)

-include $(wildcard $(OUT)/profiles/*.d) $(OUT)/board.dtb.d
