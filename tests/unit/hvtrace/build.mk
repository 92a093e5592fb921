# SPDX-License-Identifier: Apache-2.0
#
# Unit tests of hvtrace, with the sanitizers on: $(HVTRACE_TESTS) are the programs, `make unit-hvtrace` runs them. $(HVTRACE_FUZZ) is the
# libFuzzer program over the same sources. hv_stream is the hypervisor's own encoder, as a program: what it sends is decoded.

HVTRACE_TEST_DIR   := tests/unit/hvtrace
HVTRACE_TEST_OUT   := $(O)/tests/unit/hvtrace
HVTRACE_TESTS      := $(patsubst $(HVTRACE_TEST_DIR)/%.c,$(HVTRACE_TEST_OUT)/%,$(sort $(wildcard $(HVTRACE_TEST_DIR)/*_test.c)))
HVTRACE_FUZZ       := $(O)/tests/fuzz/hvtrace_fuzz
HVTRACE_SANITIZE   := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
HVTRACE_TEST_FLAGS := $(HVTRACE_CFLAGS) $(HVTRACE_SANITIZE) -I$(HVTRACE_TEST_DIR)
HVTRACE_TEST_OBJS  := $(addprefix $(HVTRACE_TEST_OUT)/obj/,$(HVTRACE_SRCS:.c=.o) encode.o mutate.o)
CLANG              ?= clang

$(HVTRACE_TEST_OUT)/obj/%.o: $(HVTRACE_DIR)/%.c
	$(call msg,HOSTCC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOSTCC) $(HVTRACE_TEST_FLAGS) -MMD -MP -c -o $@ $<

$(HVTRACE_TEST_OUT)/obj/%.o: $(HVTRACE_TEST_DIR)/%.c
	$(call msg,HOSTCC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOSTCC) $(HVTRACE_TEST_FLAGS) -MMD -MP -c -o $@ $<

$(HVTRACE_TESTS): $(HVTRACE_TEST_OUT)/%: $(HVTRACE_TEST_OUT)/obj/%.o $(HVTRACE_TEST_OBJS)
	$(call msg,HOSTLD,$@)
	$(Q)$(HOSTCC) $(HVTRACE_SANITIZE) -o $@ $^ -lcmocka -lutil

# The command line test runs the real program, built with the sanitizers too.
$(HVTRACE_TEST_OUT)/hvtrace: $(HVTRACE_TEST_OUT)/obj/main.o $(addprefix $(HVTRACE_TEST_OUT)/obj/,$(HVTRACE_SRCS:.c=.o))
	$(call msg,HOSTLD,$@)
	$(Q)$(HOSTCC) $(HVTRACE_SANITIZE) -o $@ $^

$(HVTRACE_TEST_OUT)/hv_stream: $(HVTRACE_TEST_DIR)/hv_stream.c $(UNIT_OBJ)/libhost.a
	$(call msg,HOSTCC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOSTCC) $(HOST_FLAGS) -MMD -MP -MF $@.d -o $@ $< $(UNIT_OBJ)/libhost.a -lcmocka -lpthread

$(HVTRACE_FUZZ): tests/fuzz/hvtrace_fuzz.c $(addprefix $(HVTRACE_TEST_DIR)/,encode.c mutate.c) \
		$(addprefix $(HVTRACE_DIR)/,$(HVTRACE_SRCS))
	$(call msg,CLANG,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(HVTRACE_TEST_FLAGS) -fsanitize=fuzzer -MMD -MP -MF $@.d -o $@ $(filter %.c,$^)

.PHONY: unit-hvtrace
unit: unit-hvtrace
unit-hvtrace: $(HVTRACE_TESTS) $(HVTRACE_TEST_OUT)/hvtrace $(HVTRACE_TEST_OUT)/hv_stream
	$(Q)failed=; for t in $(HVTRACE_TESTS); do \
		if ASAN_OPTIONS=detect_leaks=0 HVTRACE=$(abspath $(HVTRACE_TEST_OUT)/hvtrace) \
				HV_STREAM=$(abspath $(HVTRACE_TEST_OUT)/hv_stream) timeout 600 $$t > $$t.log 2>&1; then \
			printf '  %-8s %-24s %s\n' UNIT hvtrace/$${t##*/} "$$(sed -n 's/^\[  PASSED  \] //p' $$t.log)"; \
		else \
			cat $$t.log; printf '  %-8s hvtrace/%s\n' FAILED $${t##*/}; failed="$$failed $${t##*/}"; \
		fi; \
	done; test -z "$$failed" || { echo "unit tests failed:$$failed"; exit 1; }

-include $(wildcard $(HVTRACE_TEST_OUT)/obj/*.d) $(HVTRACE_FUZZ).d $(HVTRACE_TEST_OUT)/hv_stream.d
