# SPDX-License-Identifier: Apache-2.0
#
# Camber: one non-recursive Makefile. Every folder's build.mk is a list (obj-y) or the few rules of a guest or tool;
# everything is built out of tree in build/. `make help` lists the targets.

BOARD ?= qemu-virt
O     ?= build
OUT   := $(O)/$(BOARD)
PROFILE ?= $(call conf_str,CONFIG_PROFILE)

CROSS_COMPILE ?= aarch64-linux-gnu-
CC      := $(CROSS_COMPILE)gcc
LD      := $(CROSS_COMPILE)ld
AR      := $(CROSS_COMPILE)ar
OBJCOPY := $(CROSS_COMPILE)objcopy
SIZE    := $(CROSS_COMPILE)size
HOSTCC  ?= gcc
PYTHON  ?= /usr/bin/python3

# One short line per step; V=1 shows the commands.
ifeq ($(V),1)
Q   :=
msg  =
else
Q   := @
msg  = @printf '  %-8s %s\n' $(1) $(2);
endif

.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL := all
.PHONY: all setup run test bench soak lint clean help FORCE

# Strings come quoted from .config.
unquote  = $(subst ",,$(1))
conf_str = $(call unquote,$($(1)))
# Reading it makes it, and before it whatever make needs on this machine.
ifneq ($(filter-out clean help,$(or $(MAKECMDGOALS),all)),)
-include $(OUT)/.config
endif
ARCH := $(or $(call conf_str,CONFIG_ARCH),arm64)

include tools/setup/build.mk
include tools/kconfig.mk
include tools/build.mk
include hv/build.mk
include guests/build.mk
include boards/build.mk
include tests/build.mk

all: image

clean:
	$(call msg,CLEAN,$(O)/<board> $(O)/tests $(O)/tools)
	$(Q)rm -rf $(O)/*/.config $(OUT) $(O)/tests $(O)/tools $(O)/guests/rtos $(O)/guests/probe

help:
	@sed -n 's/^#: //p' $(filter Makefile %.mk,$(MAKEFILE_LIST))
