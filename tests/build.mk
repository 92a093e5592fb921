# SPDX-License-Identifier: Apache-2.0
#
# Running, testing, measuring, checking the style.
#
#: run        boot PROFILE's image on QEMU; BATCH=1: unattended, ends with "camber: ready"; QEMU_ARGS='...' adds options
#: test       unit tests, system tests and the cheap measurements; TESTS='...' gives pytest other arguments
#: bench      measure everything: build/bench/results.json and the tables of docs/measurements.md; BENCH=quick: few rounds, BENCH_JOBS=n
#: soak       the long runs that `make test` leaves out
#: lint       formatting, cppcheck, order of includes, headers compiled alone, licence lines

.PHONY: run test test-system bench soak lint test-files

-include tests/unit/build.mk tests/fuzz/build.mk

INSN_PLUGIN := $(O)/tests/insn.so
PYTEST       = O=$(O) BOARD=$(BOARD) CROSS_COMPILE=$(CROSS_COMPILE) $(PYTHON) -B -m pytest -p no:cacheprovider -c tests/system/pytest.ini
# As many QEMUs at a time as there are cores, where pytest-xdist is installed.
PYTEST_JOBS ?= $(shell $(PYTHON) -c 'import xdist' 2>/dev/null && echo "-n $$(nproc) --dist loadgroup")

$(INSN_PLUGIN): tests/plugin/insn.c tests/plugin/qemu_plugin.h
	$(call msg,HOSTCC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOSTCC) -std=gnu11 -O2 -g -fPIC -shared -fvisibility=hidden -Wall -Wextra -Werror -Wmissing-prototypes \
		-Wstrict-prototypes -Wshadow -o $@ $<

run: $(OUT)/camber.img $(OUT)/bundle.bin $(HVTRACE)
	$(Q)O=$(O) BOARD=$(BOARD) $(PYTHON) -B tools/run $(if $(BATCH),--batch) --profile $(PROFILE) \
		--image $(OUT)/camber.img --bundle $(OUT)/bundle.bin $(QEMU_ARGS)

# What system tests and measurements pack and boot.
bench-files := $(OUT)/camber.bin $(MKBUNDLE) $(HVTRACE) $(INSN_PLUGIN) $(addprefix $(O)/guests/,probe/probe.elf linux/vmlinuz \
	linux/initramfs.cpio.gz)
test-files: $(bench-files) $(addprefix $(O)/guests/,rtos/rtos.elf firmware/uboot.flash firmware/uboot-linux.flash \
	firmware/edk2.flash $(foreach v,-rt -6.12,linux/vmlinuz$(v) \
	linux/initramfs$(v).cpio.gz))

test: FUZZ_RUNS := 20000
test: unit fuzz test-system

test-system: test-files
	$(Q)$(PYTEST) $(PYTEST_JOBS) $(or $(TESTS),tests/system) || { status=$$?; \
		[ $$status != 5 ] || echo "test: TESTS='$(TESTS)' selects no test" >&2; exit $$status; }

soak: test-files
	$(Q)$(PYTEST) $(PYTEST_JOBS) -m 'slow or soak' $(or $(TESTS),tests/system)

bench: $(bench-files)
	$(Q)O=$(O) BOARD=$(BOARD) $(PYTHON) -B tests/bench/bench.py

lint: $(OUT)/include/autoconf.h
	$(Q)O=$(O) BOARD=$(BOARD) CC=$(CC) HOSTCC=$(HOSTCC) tools/lint/lint
