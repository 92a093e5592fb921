# SPDX-License-Identifier: Apache-2.0
#
# mkbundle runs on the build machine: $(MKBUNDLE). Its unit tests compile MKBUNDLE_SRCS once more, with sanitizers.

MKBUNDLE_DIR  := tools/mkbundle
MKBUNDLE_SRCS := board.c check.c device.c elf.c guestdev.c guestdt.c image.c join.c linux.c list.c passthrough.c \
	place.c profile.c prop.c read.c reserved.c rt.c rules.c sched.c util.c write.c
MKBUNDLE      := $(O)/tools/mkbundle/mkbundle
MKBUNDLE_OBJS := $(addprefix $(O)/tools/mkbundle/,$(MKBUNDLE_SRCS:.c=.o) main.o)

MKBUNDLE_CFLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes -Wshadow \
	-Ihv/include

$(O)/tools/mkbundle/%.o: $(MKBUNDLE_DIR)/%.c
	$(call msg,HOSTCC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOSTCC) $(MKBUNDLE_CFLAGS) -MMD -MP -c -o $@ $<

$(MKBUNDLE): $(MKBUNDLE_OBJS)
	$(call msg,HOSTLD,$@)
	$(Q)$(HOSTCC) -o $@ $^ -lfdt

-include $(MKBUNDLE_OBJS:.o=.d)
