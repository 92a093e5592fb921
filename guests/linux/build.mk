# SPDX-License-Identifier: Apache-2.0
#
# The Linux guest: Debian's arm64 kernels as shipped, and an initramfs made of Debian's arm64 packages.
#
#   $(O)/guests/linux/vmlinuz        initramfs.cpio.gz         6.1
#   $(O)/guests/linux/vmlinuz-rt     initramfs-rt.cpio.gz      6.1, PREEMPT_RT
#   $(O)/guests/linux/vmlinuz-6.12   initramfs-6.12.cpio.gz    6.12
#
# A kernel is fetched only when one of its two files is asked for. What is fetched depends on no file of this tree
# (order only): an edited script must not need the network. `rm -r $(O)/guests/linux $(O)/apt` fetches again.

LINUX_OUT := $(O)/guests/linux
LINUX_DIR := guests/linux

# A variant's suffix and the metapackage (with suite) that names its newest version.
LINUX_PACKAGE_        := linux-image-arm64
LINUX_PACKAGE_-rt     := linux-image-rt-arm64
LINUX_PACKAGE_-6.12   := linux-image-arm64/bookworm-backports
LINUX_PROGRAMS        := busybox-static iperf3 rt-tests ethtool

LINUX_INIT := $(LINUX_DIR)/init $(sort $(wildcard $(LINUX_DIR)/tests/*.sh))

# Kernel and the modules that the list names, with the modules they need; the rest of the package is not kept.
define linux_variant
$$(LINUX_OUT)/vmlinuz$(1): $$(LINUX_OUT)/kernel$(1)/.stamp
	$$(Q)ln -f $$(LINUX_OUT)/kernel$(1)/vmlinuz $$@ && touch $$@

$$(LINUX_OUT)/kernel$(1)/.stamp: $$(LINUX_DIR)/modules.list | tools/setup/guest-apt
	$$(call msg,FETCH,$$(@D))
	$$(Q)$$(GUEST_APT) kernel $$(LINUX_OUT)/.unpack$(1) $(LINUX_PACKAGE_$(1))
	$$(Q)$$(PYTHON) -B $$(LINUX_DIR)/pick_modules.py --tree $$(LINUX_OUT)/.unpack$(1) --list $$< --out $$(@D)
	$$(Q)rm -rf $$(LINUX_OUT)/.unpack$(1) && touch $$@

$$(LINUX_OUT)/initramfs$(1).cpio.gz: $$(LINUX_OUT)/kernel$(1)/.stamp $$(LINUX_OUT)/programs/.stamp $$(LINUX_INIT) \
		$$(LINUX_DIR)/mkinitramfs.py $$(LINUX_DIR)/elf.py $$(LINUX_DIR)/initramfs.list
	$$(call msg,CPIO,$$@)
	$$(Q)$$(PYTHON) -B $$(LINUX_DIR)/mkinitramfs.py --list $$(LINUX_DIR)/initramfs.list \
		--programs $$(LINUX_OUT)/programs --modules $$(LINUX_OUT)/kernel$(1)/modules \
		--files $$(LINUX_DIR) --out $$@
endef
$(eval $(call linux_variant,))
$(eval $(call linux_variant,-rt))
$(eval $(call linux_variant,-6.12))

$(LINUX_OUT)/programs/.stamp: | tools/setup/guest-apt
	$(call msg,FETCH,$(@D))
	$(Q)$(GUEST_APT) libs $(@D) $(LINUX_PROGRAMS)
	$(Q)touch $@
