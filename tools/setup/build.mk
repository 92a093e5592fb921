# SPDX-License-Identifier: Apache-2.0
#
# Host packages (`make setup`) and what is fetched from Debian as source. Downloads are verified by apt and stay in
# $(O)/apt, $(O)/src and $(O)/guests/linux across `make clean`, so that only the first build needs the network.
#
#: setup      install the host packages this tree needs (tools/setup/packages.list)

GUEST_APT := tools/setup/guest-apt $(O)/apt

setup: host-packages

# Before anything is built, the configuration included (which make itself reads): quick when nothing is missing.
.PHONY: host-packages
host-packages:
	$(Q)tools/setup/setup

# libfdt's sources, for the parts that are built with our own flags: $(O)/src/libfdt/*.[ch]
LIBFDT_SRC := $(O)/src/libfdt

$(LIBFDT_SRC)/.stamp: | tools/setup/guest-apt
	$(call msg,FETCH,$(@D))
	$(Q)$(GUEST_APT) source $(O)/src/.dtc device-tree-compiler 'libfdt/*.[ch]'
	$(Q)rm -rf $(@D) && mv $(O)/src/.dtc/libfdt $(@D) && rmdir $(O)/src/.dtc
	$(Q)touch $@
