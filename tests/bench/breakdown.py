# SPDX-License-Identifier: Apache-2.0
"""Where the instructions of one event go: the plugin's trace of one stay in EL2, named with camber.elf.

usage: breakdown.py [EVENT CLASS [N]]     for instance: breakdown.py mmio_gicd dabt      (default: hvc_null hvc 500)
                                          or: breakdown.py wake irq       a real-time guest's timer, while another burns
The Nth stay of the class is the one that is shown.
"""
import collections
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
from camber import Qemu, board, measure, pack, sched  # noqa: E402
from camber.image import scratch  # noqa: E402

CROSS = os.environ.get("CROSS_COMPILE", "aarch64-linux-gnu-")
IMAGE_ALIGN = 2 << 20  # the image is linked at 0 and is loaded at a multiple of this
STAY = 500             # which stay of the class, if nothing is said: one of the event's, and before its end


def images(event, stay):
    """Image of an event's run, and the line that it ends with."""
    if event == "wake":
        # One that burns: with two there would be the ends of their turns as well.
        rtos = sched.rtos_args("trans", "abs", stay + 100)
        guests = [sched.Guest("hog", "role=burn"),
                  sched.Guest("rtos", rtos, sched.budget(sched.BUDGET_US, sched.PERIOD_US), kernel="rtos/p1.elf")]
        return sched.profile(guests), sched.bootargs(guests), r"^\[rtos\] " + sched.P1_LINE
    return (measure.profile(measure.vm(1, "probe", [0])), {"probe": f"bench={event} then=stay"},
            r"^\[probe\] " + measure.DONE_LINE)


def trace(event, cause, stay):
    """Addresses in camber.elf of the instructions of one stay."""
    dts, bootargs, end = images(event, stay)
    with scratch() as folder:
        image = pack(folder, "breakdown", dts=dts, bootargs=bootargs)
        out = f"{folder}/insn"
        with Qemu(image, name=f"breakdown-{event}", icount=True, smp=1, memory="1G", quiet_s=sched.QUIET_S,
                  plugin=f"out={out},trace={cause}:{stay}") as q:
            q.expect(end)
        with open(out + ".trace", encoding="ascii") as f:
            pcs = [int(line, 16) for line in f]
    if not pcs:
        raise measure.MeasureError(f"{event}: there was no {stay}th exception of class {cause}")
    base = pcs[0] // IMAGE_ALIGN * IMAGE_ALIGN
    return [pc - base for pc in pcs]


def inline_stacks(addresses):
    """For each address the functions that it belongs to, innermost first, as the debug information says."""
    text = "\n".join(hex(address) for address in addresses)
    lines = subprocess.run([f"{CROSS}addr2line", "-e", board.CAMBER_ELF, "-f", "-i", "-a"], input=text, text=True,
                           stdout=subprocess.PIPE, check=True).stdout.splitlines()
    stacks = []
    for line in lines:
        if re.fullmatch("0x[0-9a-f]{16}", line):
            stacks.append([])
        else:
            stacks[-1].append(line)
    return [stack[0::2] for stack in stacks]


def symbols():
    """Sorted start addresses and names of code, for assembly, which has no functions in its debug information."""
    lines = subprocess.run([f"{CROSS}nm", "-n", board.CAMBER_ELF], text=True, stdout=subprocess.PIPE,
                           check=True).stdout.splitlines()
    return [(int(w[0], 16), w[2]) for w in (line.split() for line in lines) if len(w) == 3 and w[1] in "tT"
            and not w[2].startswith("$")]


def symbol_at(table, address):
    name = "?"
    for start, candidate in table:
        if start > address:
            break
        name = candidate
    return name


def disassembly():
    """Address -> text of the instruction."""
    lines = subprocess.run([f"{CROSS}objdump", "-d", "--no-show-raw-insn", board.CAMBER_ELF], text=True,
                           stdout=subprocess.PIPE, check=True).stdout.splitlines()
    found = (re.match(r"\s*([0-9a-f]+):\s+(.*?)(?:\s*//.*)?$", line) for line in lines)
    return {int(m[1], 16): " ".join(m[2].split()) for m in found if m}


def breakdown(event, cause, stay=STAY):
    """Runs of instructions in the order of execution: (function, what is inlined there, count); and a full listing."""
    addresses = trace(event, cause, stay)
    table, text = symbols(), disassembly()
    runs, listing = [], []
    for address, stack in zip(addresses, inline_stacks(addresses)):
        outer = symbol_at(table, address)
        inner = stack[0] if stack and stack[0] not in ("??", outer) else ""
        if runs and runs[-1][:2] == [outer, inner]:
            runs[-1][2] += 1
        else:
            runs.append([outer, inner, 1])
        listing.append(f"{address:8x}  {outer:24} {inner:24} {text.get(address, '?')}")
    return runs, listing


def merged(runs):
    """The runs with those of one function and one inlined part added up, in the order of their first instruction."""
    sums = collections.OrderedDict()
    for outer, inner, count in runs:
        sums[outer, inner] = sums.get((outer, inner), 0) + count
    return [(outer, inner, count) for (outer, inner), count in sums.items()]


def main():
    event, cause, *stay = sys.argv[1:4] if len(sys.argv) > 2 else ("hvc_null", "hvc")
    runs, listing = breakdown(event, cause, *map(int, stay))
    print("\n".join(listing))
    for outer, inner, count in merged(runs):
        print(f"{count:5}  {outer}{': ' + inner if inner else ''}")
    print(f"{len(listing):5}  in all")


if __name__ == "__main__":
    main()
