# SPDX-License-Identifier: Apache-2.0
#
# libFuzzer programs over the same sources as the unit tests. tests/fuzz/<name>_fuzz.c becomes $(O)/tests/fuzz/<name>_fuzz.
#
#: fuzz       run every fuzzer for FUZZ_RUNS inputs from a fixed seed (make test: few); corpora grow in build/tests/fuzz/corpus

CLANG     ?= clang
FUZZ_OUT  := $(O)/tests/fuzz
FUZZ_OBJ  := $(FUZZ_OUT)/obj
FUZZ_RUNS ?= 100000
FUZZERS   := bundle_fuzz pl011_fuzz printf_fuzz number_fuzz wdt_fuzz
FUZZ_ALL  := $(FUZZERS) mkbundle_fuzz hvtrace_fuzz # those have their rules beside the tools' unit tests

FUZZ_FLAGS = $(filter-out -fsanitize=%,$(HOST_FLAGS)) -fsanitize=address,undefined,fuzzer-no-link \
	-fno-sanitize-recover=all

fuzz_srcs := $(filter-out tests/unit/support.c,$(host_srcs)) tests/fuzz/support.c
fuzz_objs := $(fuzz_srcs:%.c=$(FUZZ_OBJ)/%.o)

$(FUZZ_OBJ)/hv/lib/string.o $(FUZZ_OBJ)/hv/lib/printf.o: HOST_FLAGS += -ffreestanding \
	$(foreach name,$(libc_names),-D$(name)=camber_$(name))

$(FUZZ_OBJ)/%.o: %.c
	$(call msg,CLANG,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<

$(FUZZ_OBJ)/libhost.a: $(fuzz_objs) tests/fuzz/build.mk
	$(Q)rm -f $@
	$(Q)ar rcs $@ $(filter %.o,$^)

$(FUZZERS:%=$(FUZZ_OUT)/%): $(FUZZ_OUT)/%: $(FUZZ_OBJ)/tests/fuzz/%.o $(FUZZ_OBJ)/libhost.a
	$(call msg,LINK,$@)
	$(Q)$(CLANG) -fsanitize=address,undefined,fuzzer -o $@ $^

.PHONY: fuzz
fuzz: $(FUZZ_ALL:%=$(FUZZ_OUT)/%)
	$(Q)for f in $(FUZZ_ALL); do \
		mkdir -p $(FUZZ_OUT)/corpus/$$f; \
		if ASAN_OPTIONS=detect_leaks=0 $(FUZZ_OUT)/$$f -seed=1 -runs=$(FUZZ_RUNS) -detect_leaks=0 \
				-artifact_prefix=$(FUZZ_OUT)/ $(FUZZ_OUT)/corpus/$$f > $(FUZZ_OUT)/$$f.log 2>&1; then \
			printf '  %-8s %-24s %s\n' FUZZ $$f "$$(tail -1 $(FUZZ_OUT)/$$f.log)"; \
		else \
			cat $(FUZZ_OUT)/$$f.log; printf '  %-8s %s\n' FAILED $$f; exit 1; \
		fi; \
	done

-include $(fuzz_objs:.o=.d) $(FUZZERS:%=$(FUZZ_OBJ)/tests/fuzz/%.d)
