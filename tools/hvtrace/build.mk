# SPDX-License-Identifier: Apache-2.0
#
# hvtrace runs on the build machine, or on any other one with POSIX: $(HVTRACE). Its unit tests compile HVTRACE_SRCS once more, with
# sanitizers.

HVTRACE_DIR  := tools/hvtrace
HVTRACE_SRCS := $(filter-out main.c,$(notdir $(wildcard $(HVTRACE_DIR)/*.c)))
HVTRACE      := $(O)/tools/hvtrace/hvtrace
HVTRACE_OBJS := $(addprefix $(O)/tools/hvtrace/,$(HVTRACE_SRCS:.c=.o) main.o)

HVTRACE_CFLAGS := -std=c11 -D_POSIX_C_SOURCE=200809L -O2 -g -Wall -Wextra -Werror -Wmissing-prototypes \
	-Wstrict-prototypes -Wshadow -Ihv/include -I$(HVTRACE_DIR)

$(O)/tools/hvtrace/%.o: $(HVTRACE_DIR)/%.c
	$(call msg,HOSTCC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOSTCC) $(HVTRACE_CFLAGS) -MMD -MP -c -o $@ $<

$(HVTRACE): $(HVTRACE_OBJS)
	$(call msg,HOSTLD,$@)
	$(Q)$(HOSTCC) -o $@ $^

-include $(HVTRACE_OBJS:.o=.d)
