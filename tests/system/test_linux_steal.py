# SPDX-License-Identifier: Apache-2.0
"""Stolen time (Arm DEN0057): stock Linux reports as stolen what it waited for its CPUs, and what is left as its own."""
import re

import pytest
from camber import linux, measure

SECONDS = 2
FIGURES = r"^\[linux\] steal: cpu(\d+) elapsed=(\d+) busy=(\d+) idle=(\d+) steal=(\d+)$"
PAGE = 0x090a0000  # GUEST_PVTIME_BASE
SPINS = "role=spin"

# What Linux's CPUs are to report as stolen, in percent, beside what.
CASES = {
    "alone": ([0], "", [], [0]),
    "equal": ([0], "", [([0], "")], [50]),
    "weights": ([0], "weight = <512>;", [([0], "")], [33.3]),
    "capped": ([0], "cap-percent = <40>;", [([0], "")], [60]),
    "capped-alone": ([0], "cap-percent = <40>;", [], [60]),
    "real-time": ([0], "", [([0], "rt; rt-budget-us = <3000>; rt-period-us = <10000>;")], [30]),
    "one-of-two": ([0, 1], "", [([1], "")], [0, 50]),
}


def machine(boot, icount, case, *steps, xen="disabled"):
    cpus, mine, others, _ = CASES[case]
    nodes = [measure.vm(1, "linux", cpus, kernel="linux/vmlinuz", memory=256,
                        more=f'initrd = "linux/initramfs.cpio.gz"; xen,enhanced = "{xen}"; sched {{ {mine} }};')]
    nodes += [measure.vm(2 + i, f"hog{i}", pcpus, more=f"sched {{ {props} }};") for i, (pcpus, props) in enumerate(others)]
    bootargs = {f"hog{i}": SPINS for i in range(len(others))}
    bootargs["linux"] = linux.run(*steps, steal=SECONDS)
    return boot("linux1", dts=measure.profile(*nodes), bootargs=bootargs, smp=len(cpus), quiet_s=600, **icount)


# One vCPU that spins for another one which waits leaves QEMU's loop at each YIELD.
@pytest.mark.parametrize("case", [pytest.param(case, marks=pytest.mark.slow) if len(CASES[case][0]) > 1 else case
                                  for case in CASES])
def test_stolen(boot, icount, case):
    q = machine(boot, icount, case, "steal")
    linux.step_ok(q, "steal")
    found = [list(map(int, figures)) for figures in re.findall(FIGURES, q.text, re.MULTILINE)]
    assert [figures[0] for figures in found] == CASES[case][0]
    for (cpu, elapsed, busy, idle, steal), wanted in zip(found, CASES[case][3]):
        assert elapsed >= 100 * SECONDS
        # The kernel counts in ticks of 4 ms: of one in which it waited for longer than that, it keeps what is left.
        assert abs(steal - elapsed * wanted / 100) <= (0.03 * elapsed if wanted else 1), (cpu, found)
        assert abs(elapsed - busy - idle - steal) <= 0.06 * elapsed, (cpu, found)


def test_the_page(boot, icount):
    """Revision and attributes 0, a time that grows, nothing that the guest could write; from zero again after a restart."""
    read = f"busybox devmem {PAGE + 8:#x} 64"
    q = machine(boot, icount, "equal", f"busybox devmem {PAGE:#x} 64", read, "steal", read, f"{read} 1", "reboot")
    times = []
    for _ in range(2):
        assert int(q.expect(r"^\[linux\] (0x[0-9A-F]+)$").group(1), 16) == 0
        before = int(q.expect(r"^\[linux\] (0x[0-9A-F]+)$").group(1), 16)
        linux.step_ok(q, "steal")
        after = int(q.expect(r"^\[linux\] (0x[0-9A-F]+)$").group(1), 16)
        q.expect(rf"\bvm linux: vCPU 0: write to read-only memory at {PAGE + 8:#x} ")
        q.expect(r"^\[linux\] linux: busybox devmem .* FAILED")
        assert 0 < before < after
        assert abs(after - before - SECONDS * 10 ** 9 / 2) <= 0.05 * SECONDS * 10 ** 9
        times.append((before, after))
    assert times[1][0] < times[0][1], times


def test_not_with_xen(boot, icount):
    """A VM that has Xen's interface isn't offered it."""
    q = machine(boot, icount, "alone", "steal", xen="enabled")
    q.expect(r"^\[linux\] steal: the kernel was offered no stolen time$")
    q.expect(r"^\[linux\] linux: steal FAILED")
