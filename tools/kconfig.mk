# SPDX-License-Identifier: Apache-2.0
# Configuration with Debian's kconfiglib: $(OUT)/.config and $(OUT)/include/autoconf.h.
#
#: menuconfig          change the board's configuration ($(OUT)/.config)
#: <board>_defconfig   start from boards/<board>/defconfig
#: savedefconfig       write the minimal configuration to $(OUT)/defconfig
#: olddefconfig        bring an old .config up to date with defaults

.PHONY: menuconfig savedefconfig olddefconfig

kconf_env = KCONFIG_CONFIG=$(OUT)/.config CONFIG_=CONFIG_ KCONFIG_AUTOHEADER=$(OUT)/include/autoconf.h
kconf_files := Kconfig hv/Kconfig boards/Kconfig
kconf = $(kconf_env) $(PYTHON) tools/kconfig.py

menuconfig: $(OUT)/.config
	$(Q)$(kconf) menuconfig

savedefconfig: $(OUT)/.config
	$(Q)$(kconf) savedefconfig $(OUT)/defconfig

olddefconfig:
	$(Q)mkdir -p $(OUT)
	$(Q)$(kconf) olddefconfig

%_defconfig:
	$(Q)test -f boards/$*/defconfig || { echo "no such board: $* (have: $(notdir $(wildcard boards/*_* boards/*-*)))" >&2; exit 1; }
	$(Q)mkdir -p $(O)/$*
	$(Q)KCONFIG_CONFIG=$(O)/$*/.config $(PYTHON) tools/kconfig.py defconfig boards/$*/defconfig

$(OUT)/.config: boards/$(BOARD)/defconfig $(kconf_files) | host-packages
	$(call msg,CONFIG,$@)
	$(Q)mkdir -p $(@D)
	$(Q)if test -f $@; then $(kconf) olddefconfig; else $(kconf) defconfig boards/$(BOARD)/defconfig; fi
	$(Q)touch $@

$(OUT)/include/autoconf.h: $(OUT)/.config
	$(call msg,GEN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(kconf) header $@
