# SPDX-License-Identifier: Apache-2.0
#
# newlib, the C library of our own guests, built once from Debian's newlib-source into $(O)/newlib.
#
# Gives NEWLIB_STAMP (order objects after it), NEWLIB_CPPFLAGS and NEWLIB_LIBS. Debian has no aarch64-none-elf
# toolchain: links of that name to the Linux cross tools are enough, as newlib needs nothing from the target's C
# library. Never touches the package's own files and never downloads anything.

NEWLIB_TARBALL := $(lastword $(sort $(wildcard /usr/src/newlib/newlib-*.tar.xz)))
NEWLIB_DIR     := $(abspath $(O))/newlib
NEWLIB_STAMP   := $(NEWLIB_DIR)/stamp
NEWLIB_SYSROOT := $(NEWLIB_DIR)/aarch64-none-elf

# The cross compiler is a Linux one: take newlib's headers and the compiler's own, never those of its C library.
NEWLIB_CPPFLAGS = -nostdinc -isystem $(NEWLIB_SYSROOT)/include -isystem $(shell $(CC) -print-file-name=include) \
	-U__linux__ -U__linux -Ulinux -U__unix__ -U__unix -Uunix -U__gnu_linux__
NEWLIB_LIBS     = -L$(NEWLIB_SYSROOT)/lib -lc -lgcc

# Retargetable locking calls out to the kernel (guests/rtos/kernel/libc_lock.c). Outline atomics would need the Linux
# libgcc's start-up code.
NEWLIB_CFLAGS := -O2 -ffreestanding -fno-stack-protector -fno-pie -mno-outline-atomics -ffunction-sections \
	-fdata-sections -ffile-prefix-map=$(NEWLIB_DIR)=.
NEWLIB_CONFIGURE := --target=aarch64-none-elf --prefix=$(NEWLIB_DIR) --disable-libgloss --disable-multilib \
	--disable-newlib-supplied-syscalls --enable-newlib-nano-malloc --enable-newlib-nano-formatted-io \
	--enable-newlib-retargetable-locking MAKEINFO=true
NEWLIB_TOOLS := gcc cc:gcc ar as ld nm objcopy objdump ranlib readelf strip

# The library's makefiles must see neither our variables (MAKEFLAGS carries O, V, CC) nor the user's: `env -i`.
define newlib_build
set -e; cd $(NEWLIB_DIR); \
tar -xJf $(NEWLIB_TARBALL); mv newlib-* src; mkdir tools obj; \
for t in $(NEWLIB_TOOLS); do ln -s "$$(command -v $(CROSS_COMPILE)$${t#*:})" tools/aarch64-none-elf-$${t%:*}; done; \
cd obj; run="env -i LC_ALL=C PATH=$(NEWLIB_DIR)/tools:$$PATH"; \
$$run ../src/configure $(NEWLIB_CONFIGURE) CFLAGS_FOR_TARGET="$(NEWLIB_CFLAGS)"; \
$$run make -j$$(nproc) all-target-newlib; \
$$run make install-target-newlib; \
cd ..; rm -rf src obj tools share
endef

$(NEWLIB_STAMP): guests/newlib.mk $(NEWLIB_TARBALL)
	$(if $(NEWLIB_TARBALL),,@echo "newlib: no /usr/src/newlib/newlib-*.tar.xz: run" \
		"'make setup' (Debian package newlib-source)" >&2; exit 1)
	$(call msg,NEWLIB,$(patsubst %.tar.xz,%,$(notdir $(NEWLIB_TARBALL))))
	$(Q)rm -rf $(NEWLIB_DIR) && mkdir -p $(NEWLIB_DIR)
	$(Q)( $(newlib_build) ) >$(O)/newlib.log 2>&1 || \
		{ tail -n 30 $(O)/newlib.log >&2; echo "newlib: build failed, see $(O)/newlib.log" >&2; exit 1; }
	$(Q)touch $@
