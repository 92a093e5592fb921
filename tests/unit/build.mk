# SPDX-License-Identifier: Apache-2.0
#
# Unit tests: the hypervisor's portable code, compiled for the build machine over hv/arch/host, under AddressSanitizer and
# UndefinedBehaviorSanitizer. tests/unit/<part>/<name>_test.c becomes $(O)/tests/unit/<part>/<name>_test, linked with what
# it needs out of one archive. `make unit` runs them all; one line each, everything of one that fails.
#
#: unit       the unit tests alone; UNIT='mem/gmap_test ...' chooses

UNIT_OUT := $(O)/tests/unit
UNIT_OBJ := $(O)/tests/hv

-include tests/unit/mkbundle/build.mk tests/unit/rtos/build.mk tests/unit/hvtrace/build.mk

HOST_WARN := -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes -Wshadow -Wundef -Wvla -Wpointer-arith \
	-Wwrite-strings
HOST_SANITIZE := -O1 -g -fno-omit-frame-pointer -fno-common -fsanitize=address,undefined -fno-sanitize-recover=all
HOST_INCLUDE := -include tests/unit/config.h -include host_compiler.h -Itests/unit -Ihv/include -Ihv/arch/host/inline \
	-Ihv/arch/host/include
HOST_FLAGS := -std=gnu11 $(HOST_WARN) $(HOST_SANITIZE) $(HOST_INCLUDE)

# support.c has a panic() of its own, which a test can expect; the trace is there.
host_srcs := $(filter-out hv/core/panic.c hv/trace/none.c,$(foreach part,arch/host lib trace mem core sched vm dev xen main, \
	$(wildcard hv/$(part)/*.c))) tests/unit/support.c
host_objs := $(host_srcs:%.c=$(UNIT_OBJ)/%.o)

# The C library keeps its names; what ours does is tested under others.
libc_names := memcpy memmove memset memcmp memchr strlen strnlen strcmp strncmp strchr strrchr snprintf vsnprintf
$(UNIT_OBJ)/hv/lib/string.o $(UNIT_OBJ)/hv/lib/printf.o: HOST_FLAGS += -ffreestanding \
	$(foreach name,$(libc_names),-D$(name)=camber_$(name))

$(UNIT_OBJ)/%.o: %.c
	$(call msg,HOSTCC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOSTCC) $(HOST_FLAGS) -MMD -MP -c -o $@ $<

$(UNIT_OBJ)/libhost.a: $(host_objs) tests/unit/build.mk
	$(Q)rm -f $@
	$(Q)ar rcs $@ $(filter %.o,$^)

unit_tests := $(patsubst tests/unit/%.c,%,$(foreach part,arch lib trace mem core sched vm dev xen main, \
	$(sort $(wildcard tests/unit/$(part)/*_test.c))))
UNIT ?= $(unit_tests)

include tests/unit/sched/build.mk tests/unit/trace/build.mk

$(unit_tests:%=$(UNIT_OUT)/%): $(UNIT_OUT)/%: tests/unit/%.c $(UNIT_OBJ)/libhost.a
	$(call msg,HOSTCC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOSTCC) $(HOST_FLAGS) -MMD -MP -MF $@.d -o $@ $< $(filter %.o,$^) $(UNIT_OBJ)/libhost.a -lcmocka -lpthread

# Nothing here allocates, so there are no leaks to look for, and the search for them needs ptrace, which containers lack.
.PHONY: unit
unit: $(UNIT:%=$(UNIT_OUT)/%) $(if $(MKBUNDLE_TESTS),unit-mkbundle)
	$(Q)failed=; for t in $(UNIT); do \
		if ASAN_OPTIONS=detect_leaks=0 timeout 600 $(UNIT_OUT)/$$t > $(UNIT_OUT)/$$t.log 2>&1; then \
			printf '  %-8s %-24s %s\n' UNIT $$t "$$(sed -n 's/^\[  PASSED  \] //p' $(UNIT_OUT)/$$t.log | tail -1)"; \
		else \
			cat $(UNIT_OUT)/$$t.log; printf '  %-8s %s\n' FAILED $$t; failed="$$failed $$t"; \
		fi; \
	done; test -z "$$failed" || { echo "unit tests failed:$$failed"; exit 1; }

-include $(host_objs:.o=.d) $(unit_tests:%=$(UNIT_OUT)/%.d)
