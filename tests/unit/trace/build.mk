# SPDX-License-Identifier: Apache-2.0
#
# The trace: tests of hv/trace over a decoder of their own. Two have the calls that the compiler makes for the thread sanitizer as
# their way into the code: uart_test, as a UART's bus below its driver, and race_test, between the steps of a ring's reader.

trace_unit_obj := $(UNIT_OBJ)/tests/unit/trace/trace_unit.o
trace_uart_obj := $(UNIT_OBJ)/tests/trace/pl011.o
trace_race_obj := $(UNIT_OBJ)/tests/trace/ring.o

$(filter $(UNIT_OUT)/trace/%,$(unit_tests:%=$(UNIT_OUT)/%)): $(trace_unit_obj)
$(UNIT_OUT)/trace/ring_test: HOST_FLAGS += -Ihv/trace
$(UNIT_OUT)/trace/uart_test: $(trace_uart_obj)
# It takes the place of the one in the archive, whose symbols are all defined then.
$(UNIT_OUT)/trace/race_test: $(trace_race_obj)

$(trace_uart_obj): drivers/uart/pl011.c
$(trace_race_obj): hv/trace/ring.c
$(trace_uart_obj) $(trace_race_obj):
	$(call msg,HOSTCC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOSTCC) -std=gnu11 $(HOST_WARN) $(HOST_INCLUDE) -O1 -g -fsanitize=thread --param tsan-distinguish-volatile=1 \
		-Wno-tsan -MMD -MP -c -o $@ $<

-include $(patsubst %.o,%.d,$(trace_unit_obj) $(trace_uart_obj) $(trace_race_obj))
