# SPDX-License-Identifier: Apache-2.0
#
# The scheduler's simulation: sim_test, and the same program over a scheduler with one bug each (sim_bug.py), which
# sim_bugs_test expects to fail.

sim_objs := $(foreach f,sim sim_guest sim_check sim_scene,$(UNIT_OBJ)/tests/unit/sched/$(f).o)
sim_main := $(UNIT_OBJ)/tests/unit/sched/sim_test.o
sim_bugs := $(shell $(PYTHON) -B tests/unit/sched/sim_bug.py list)

$(UNIT_OUT)/sched/sim_test: $(sim_objs)

# The changed file takes the place of the one in the archive, whose symbols are all defined then.
$(UNIT_OUT)/sched/bug/%.c: tests/unit/sched/sim_bug.py $(wildcard hv/sched/*.c)
	$(Q)mkdir -p $(@D)
	$(Q)$(PYTHON) -B $< seed $* $@

$(UNIT_OUT)/sched/bug/%: $(UNIT_OUT)/sched/bug/%.c $(sim_main) $(sim_objs) $(UNIT_OBJ)/libhost.a
	$(call msg,HOSTCC,$@)
	$(Q)$(HOSTCC) $(HOST_FLAGS) -Ihv/sched -o $@ $^ -lcmocka -lpthread

$(UNIT_OUT)/sched/sim_bugs_test: $(sim_bugs:%=$(UNIT_OUT)/sched/bug/%)

-include $(sim_objs:.o=.d) $(sim_main:.o=.d)
