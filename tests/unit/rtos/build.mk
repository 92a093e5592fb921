# SPDX-License-Identifier: Apache-2.0
#
# Unit tests of the real-time guest's portable kernel (guests/rtos/kernel), compiled for the build machine over arch/port.h of
# this folder, with the sanitizers on: $(RTOS_TESTS) are the programs, `make unit-rtos` runs them.

RTOS_UNIT_DIR := tests/unit/rtos
RTOS_UNIT_OUT := $(O)/tests/unit/rtos
RTOS_TESTS    := $(patsubst $(RTOS_UNIT_DIR)/%.c,$(RTOS_UNIT_OUT)/%,$(sort $(wildcard $(RTOS_UNIT_DIR)/*_test.c)))
RTOS_UNIT_SRCS := $(RTOS_UNIT_DIR)/machine.c $(sort $(wildcard guests/rtos/kernel/*.c))
RTOS_UNIT_CFLAGS := -std=gnu11 -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all \
	-Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes -Wshadow -I$(RTOS_UNIT_DIR) -Iguests/rtos
RTOS_UNIT_OBJS := $(RTOS_UNIT_SRCS:%.c=$(RTOS_UNIT_OUT)/%.o)

$(RTOS_UNIT_OUT)/%.o: %.c $(RTOS_UNIT_DIR)/build.mk
	$(call msg,HOSTCC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOSTCC) $(RTOS_UNIT_CFLAGS) -MMD -MP -c -o $@ $<

$(RTOS_TESTS): $(RTOS_UNIT_OUT)/%: $(RTOS_UNIT_DIR)/%.c $(RTOS_UNIT_OBJS)
	$(call msg,HOSTCC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOSTCC) $(RTOS_UNIT_CFLAGS) -MMD -MP -MF $@.d -o $@ $< $(RTOS_UNIT_OBJS) -lcmocka

.PHONY: unit-rtos
unit: unit-rtos
unit-rtos: $(RTOS_TESTS)
	$(Q)failed=; for t in $(RTOS_TESTS); do \
		if ASAN_OPTIONS=detect_leaks=0 timeout 120 $$t > $$t.log 2>&1; then \
			printf '  %-8s %-24s %s\n' UNIT rtos/$${t##*/} "$$(sed -n 's/^\[  PASSED  \] //p' $$t.log)"; \
		else \
			cat $$t.log; printf '  %-8s rtos/%s\n' FAILED $${t##*/}; failed="$$failed $${t##*/}"; \
		fi; \
	done; test -z "$$failed" || { echo "unit tests failed:$$failed"; exit 1; }

-include $(RTOS_UNIT_OBJS:.o=.d) $(RTOS_TESTS:%=%.d)
