# SPDX-License-Identifier: Apache-2.0
"""The real-time guest's application on the bare machine and under Camber: its lines, its shell, its ends."""
import re

import pytest
from camber import rtos

pytestmark = pytest.mark.parametrize("machine", rtos.MACHINES)


def running(machine, folder, request, bootargs="", **arguments):
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", request.node.nodeid.rsplit("/", 1)[-1]).strip("-")
    return rtos.running(machine, folder, name, elf=rtos.ELF, bootargs=bootargs, **arguments)


def test_periods(machine, folder, request):
    """1000 periods of 1 ms, reported every 250: none missed, and the end comes by itself."""
    with running(machine, folder, request, "period-us=1000 periods=1000 report=250") as q:
        q.expect(rtos.line(r"rtos: start period=1000us timer=1000000000Hz ram-end=0x41000000$"))
        q.expect(rtos.line(r"rtos: up$"))
        for _ in range(4):
            q.expect(rtos.line(r"rtos: jitter n=250 min=\d+ns mean=\d+ns max=\d+ns missed=0$"))
        q.expect(rtos.line(r"rtos: jitter total n=1000 .* missed=0$"))
        q.expect(rtos.line(r"rtos: histogram .*:\d+$"))
        q.expect(rtos.line(r"rtos: off$"))
        if machine == rtos.BARE:
            q.expect_exit()
        else:
            q.expect(r"\bvm rtos: powered off$")


def test_shell(machine, folder, request):
    with running(machine, folder, request, "report=0", icount=False) as q:
        q.expect(rtos.line(r"rtos: up$"))
        q.line("ps")
        q.expect(r"rtos: task +state +prio +cpu-ms +cpu% +switches +stack-used$")
        q.expect_all([rf"rtos: {name} +\w+ +{priority}/{priority} +\d+ +\d+\.\d +\d+ \d+/\d+$"
                      for name, priority in (("idle", 0), ("measure", 24), ("print", 8), ("shell", 4), ("health", 1))])
        q.line("jitter")
        q.expect(r"rtos: jitter total n=\d+ .*missed=\d+$")
        q.line("stat")
        q.expect(r"rtos: stray-interrupts=0 uart-overruns=0$")
        q.line("help")
        q.expect(r"rtos: crash stack +overflow the stack$")
        q.line("nonsense")
        q.expect(r"rtos: unknown command 'nonsense', try help$")
        q.line("off")
        q.expect(r"rtos: off$")


def test_reset(machine, folder, request):
    with running(machine, folder, request, "report=0", icount=False) as q:
        for _ in range(3):
            q.expect(rtos.line(r"rtos: up$"))
            q.line("reset")
            q.expect(r"rtos: reset$")
        q.expect(rtos.line(r"rtos: up$"))


@pytest.mark.parametrize("kind, what", [
    ("data", r"data abort in task 'shell' pc=\w+ esr=\w+ far=0{15}8 "), ("undef", r"undefined instruction in task 'shell' "),
    ("stack", r"stack overflow in task 'shell' pc="), ("assert", r"assertion 'rtos_hz\(\) == 0' failed at .*, in task 'shell'$"),
    ("hang", r"no idle time: hang in task 'shell'$")], ids=("data", "undef", "stack", "assert", "hang"))
def test_crash(machine, folder, request, kind, what):
    with running(machine, folder, request, "report=0 hang-ms=100", icount=False) as q:
        q.expect(rtos.line(r"rtos: up$"))
        q.line(f"crash {kind}")
        q.expect(rtos.line(r"rtos: fatal: " + what))


def test_unknown_arguments_are_named(machine, folder, request):
    with running(machine, folder, request, "period-us=1 nonsense periods=20 report=0") as q:
        q.expect(rtos.line(r"rtos: boot argument period-us=1 ignored: needs a number from 100 to 10000000$"))
        q.expect(rtos.line(r"rtos: boot argument nonsense ignored: unknown$"))
        q.expect(rtos.line(r"rtos: jitter total n=20 "))


def test_example(machine, folder):
    """The application to copy: each of its interrupts is answered within 2000 instructions, wherever it runs."""
    with rtos.running(machine, folder, f"rtos-example-{machine}", elf=rtos.EXAMPLE_ELF) as q:
        q.expect(rtos.line(r"example: up$"))
        for n in range(1, 101):
            assert int(q.expect(rtos.line(rf"example: interrupt {n} answered after (\d+) ns$")).group(1)) < 2000
