# SPDX-License-Identifier: Apache-2.0
#
# Unit tests of mkbundle, with the sanitizers on: $(MKBUNDLE_TESTS) are the programs, `make unit-mkbundle` runs them.
# $(MKBUNDLE_FUZZ) is the libFuzzer program over the same sources.

MKBUNDLE_TEST_DIR := tests/unit/mkbundle
MKBUNDLE_TEST_OUT := $(O)/tests/unit/mkbundle
MKBUNDLE_TESTS    := $(addprefix $(MKBUNDLE_TEST_OUT)/,profile_test place_test guestdt_test board_test bundle_test \
	cli_test sched_test)
MKBUNDLE_FUZZ     := $(O)/tests/fuzz/mkbundle_fuzz
MKBUNDLE_SANITIZE := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all
CLANG             ?= clang

$(MKBUNDLE_TESTS): $(MKBUNDLE_TEST_OUT)/%: $(MKBUNDLE_TEST_DIR)/%.c $(MKBUNDLE_TEST_DIR)/helper.c \
		$(addprefix $(MKBUNDLE_DIR)/,$(MKBUNDLE_SRCS))
	$(call msg,HOSTCC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOSTCC) $(MKBUNDLE_CFLAGS) $(MKBUNDLE_SANITIZE) -I$(MKBUNDLE_DIR) -MMD -MP -MF $@.d -o $@ \
		$(filter %.c,$^) -lcmocka -lfdt

# The command line test runs the real program, built with the sanitizers too.
$(MKBUNDLE_TEST_OUT)/mkbundle: $(addprefix $(MKBUNDLE_DIR)/,$(MKBUNDLE_SRCS) main.c mkbundle.h)
	$(call msg,HOSTCC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOSTCC) $(MKBUNDLE_CFLAGS) $(MKBUNDLE_SANITIZE) -o $@ $(filter %.c,$^) -lfdt

$(MKBUNDLE_FUZZ): tests/fuzz/mkbundle_fuzz.c $(addprefix $(MKBUNDLE_DIR)/,$(MKBUNDLE_SRCS))
	$(call msg,CLANG,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(MKBUNDLE_CFLAGS) $(MKBUNDLE_SANITIZE) -fsanitize=fuzzer -I$(MKBUNDLE_DIR) -MMD -MP -MF $@.d \
		-o $@ $(filter %.c,$^) -lfdt

.PHONY: unit-mkbundle
unit-mkbundle: $(MKBUNDLE_TESTS) $(MKBUNDLE_TEST_OUT)/mkbundle
	$(Q)for t in $(MKBUNDLE_TESTS); do \
		if MKBUNDLE=$(abspath $(MKBUNDLE_TEST_OUT)/mkbundle) $$t > $$t.log 2>&1; then \
			printf '  %-8s %-24s %s\n' UNIT mkbundle/$${t##*/} \
				"$$(sed -n 's/^\[  PASSED  \] //p' $$t.log)"; \
		else \
			cat $$t.log; printf '  %-8s %s\n' FAILED mkbundle/$${t##*/}; exit 1; \
		fi; \
	done

-include $(MKBUNDLE_TESTS:%=%.d) $(MKBUNDLE_FUZZ).d
