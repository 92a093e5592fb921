# SPDX-License-Identifier: Apache-2.0
#
# Firmware as guests: Debian's U-Boot and EDK2 for QEMU's `virt`, as shipped, each in the image of a boot flash.
#
#   $(O)/guests/firmware/uboot.flash          U-Boot, and an environment that stops at the prompt
#   $(O)/guests/firmware/uboot-linux.flash    U-Boot, Linux with its initramfs, and an environment that boots them
#   $(O)/guests/firmware/edk2.flash           EDK2, and room for its variables, empty
#
# As guests/linux: fetched when first asked for, signatures checked; `rm -r $(O)/guests/firmware $(O)/apt` fetches again.

FIRMWARE_OUT := $(O)/guests/firmware
FIRMWARE_DIR := guests/firmware

FIRMWARE_UBOOT := $(FIRMWARE_OUT)/packages/usr/lib/u-boot/qemu_arm64/u-boot.bin
FIRMWARE_EDK2  := $(FIRMWARE_OUT)/packages/usr/share/qemu-efi-aarch64/QEMU_EFI.fd

# QEMU's board has two banks of 64 MiB; here the second one is there as far as it is used: at its start U-Boot has its
# environment (CONFIG_ENV_ADDR, CONFIG_ENV_SIZE of qemu_arm64_defconfig), EDK2 its variables.
FIRMWARE_BANK := 0x04000000
FIRMWARE_VARS := 0x00040000

$(FIRMWARE_OUT)/packages/.stamp: | tools/setup/guest-apt
	$(call msg,FETCH,$(@D))
	$(Q)$(GUEST_APT) fetch $(@D) u-boot-qemu qemu-efi-aarch64
	$(Q)touch $@

firmware_flash = $(PYTHON) -B $(FIRMWARE_DIR)/flash.py --size 0x04040000

$(FIRMWARE_OUT)/uboot.flash: $(FIRMWARE_OUT)/packages/.stamp $(FIRMWARE_DIR)/uboot.env $(FIRMWARE_DIR)/flash.py
	$(call msg,FLASH,$@)
	$(Q)$(firmware_flash) --part uboot=0:$(FIRMWARE_UBOOT) --env $(FIRMWARE_DIR)/uboot.env \
		--env-at $(FIRMWARE_BANK) --env-size $(FIRMWARE_VARS) --out $@

$(FIRMWARE_OUT)/uboot-linux.flash: $(FIRMWARE_OUT)/packages/.stamp $(FIRMWARE_DIR)/uboot-linux.env $(FIRMWARE_DIR)/flash.py \
		$(LINUX_OUT)/vmlinuz $(LINUX_OUT)/initramfs.cpio.gz
	$(call msg,FLASH,$@)
	$(Q)$(firmware_flash) --part uboot=0:$(FIRMWARE_UBOOT) --part initrd=0x00200000:$(LINUX_OUT)/initramfs.cpio.gz \
		--part kernel=0x01000000:$(LINUX_OUT)/vmlinuz --env $(FIRMWARE_DIR)/uboot-linux.env \
		--env-at $(FIRMWARE_BANK) --env-size $(FIRMWARE_VARS) --out $@

$(FIRMWARE_OUT)/edk2.flash: $(FIRMWARE_OUT)/packages/.stamp $(FIRMWARE_DIR)/flash.py
	$(call msg,FLASH,$@)
	$(Q)$(firmware_flash) --part edk2=0:$(FIRMWARE_EDK2) --out $@
