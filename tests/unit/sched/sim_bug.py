#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Seeds a bug into a copy of one of the scheduler's files, for sim_bugs_test: that test expects the simulation to find it.

    sim_bug.py list                 the names
    sim_bug.py file NAME            the file that it is in
    sim_bug.py seed NAME OUTPUT     writes the changed copy

The text to change must occur exactly once: whoever rewrites that line decides here what the bug is from then on.
"""

import sys
from pathlib import Path

# name: (file, text, what takes its place)
BUGS = {
    # A CPU isn't told that a unit woke there.
    "kick": ("sched.c", "either way the CPU has to look. */\n\tsched_post(s);", "either way the CPU has to look. */"),
    # The new period brings no budget.
    "refill": ("rt.c", "+ (int64_t)u->budget;\n\tu->deadline = deadline;", ";\n\tu->deadline = deadline;"),
    # Deadlines don't matter among real-time units.
    "edf": ("sched.c", "deadline > u->deadline)", "deadline > UINT64_MAX - u->deadline)"),
    # What is run is free.
    "free": ("sched.c", "likely(s->pool->paying)) {\n\t\tu->credit -= ticks;", "likely(s->pool->paying)) {"),
    # A turn is charged twice.
    "twice": ("sched.c", "u->since = since + (uint64_t)ticks;", "u->since = since + (uint64_t)ticks / 2;"),
    # A group whose cap is used up never runs again.
    "cap": ("cap.c", "if (READ_ONCE(u->parked) && sched_cap_left(u) > 0)", "if (!READ_ONCE(u->parked) && sched_cap_left(u) > 0)"),
    # Nobody looks at caps.
    "uncapped": ("cap.c", "__atomic_fetch_add(&g->used, (int64_t)ticks, __ATOMIC_RELAXED)", "__atomic_load_n(&g->used, __ATOMIC_RELAXED)"),
    # Work is taken from other CPUs that may not run here.
    "mask": ("place.c", "if ((u->cpu_mask & BIT32(s->cpu)) && (u->resident", "if ((u->resident"),
    # And while another CPU still holds its state.
    "resident": ("place.c", "(u->resident == SCHED_NOWHERE || u->resident == s->cpu)", "s"),
    # A stop is forgotten.
    "stop": ("sched.c", "u->special |= SCHED_UNIT_STOP;", ";"),
}


def main(args):
    if args == ["list"]:
        print(" ".join(BUGS))
        return 0
    if len(args) < 2 or args[1] not in BUGS:
        sys.exit(__doc__)
    name, text, instead = BUGS[args[1]]
    path = Path("hv/sched") / name
    if args[0] == "file":
        print(path)
        return 0
    source = path.read_text()
    count = source.count(text)
    if count != 1:
        sys.exit(f"sim_bug.py: {args[1]}: the text to change occurs {count} times in {path}, not once: {text!r}")
    Path(args[2]).write_text(f'#line 1 "{path}"\n' + source.replace(text, instead))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
