# SPDX-License-Identifier: Apache-2.0
"""The real-time guest: its kernel's registry of tests (guests/rtos/test/tests.def), how to run it with and without Camber, and what
guests/rtos/p1 finds."""
import contextlib
import re

from . import board, measure
from .image import pack
from .qemu import Qemu

ELF = board.GUESTS / "rtos" / "rtos.elf"
TEST_ELF = board.GUESTS / "rtos" / "rtos-test.elf"
EXAMPLE_ELF = board.GUESTS / "rtos" / "example.elf"
P1_ELF = board.GUESTS / "rtos" / "p1.elf"

BARE, CAMBER = "bare", "camber"
MACHINES = (BARE, CAMBER)

TEST_LINE = r"^(?:\[rtos\] )?rtos-test: (?P<name>\w+) (?P<verdict>ok|FAIL)(?P<why>.*)$"
P1_LINE = (r"p1: total_ns=(?P<total>\d+) own_ns=(?P<own>\d+) late_p50_ns=(?P<p50>\d+) late_p99_ns=(?P<p99>\d+) "
           r"late_p999_ns=(?P<p999>\d+) late_max_ns=(?P<max>\d+) overruns=(?P<overruns>\d+)$")
DEF_LINE = re.compile(r"^TEST\((\w+), (RUN|DIES), ", re.MULTILINE)


def tests(how):
    """Names of the tests of a kind: RUN or DIES."""
    text = (board.TOP / "guests" / "rtos" / "test" / "tests.def").read_text()
    return [name for name, kind in DEF_LINE.findall(text) if kind == how]


def verdicts(text):
    """Test name -> (verdict, why) in a console's text."""
    return {m["name"]: (m["verdict"], m["why"].strip()) for m in re.finditer(TEST_LINE, text, re.MULTILINE)}


def line(pattern):
    """A line of the guest's as a regular expression, with the label that Camber puts before it or without."""
    return rf"^(?:\[rtos\] )?{pattern}"


def p1_result(q):
    """Waits for p1's result: total, own, p50, p99, p999, max in ns, overruns."""
    return {key: int(value) for key, value in q.expect(line(P1_LINE)).groupdict().items()}


@contextlib.contextmanager
def running(machine, folder, name, *, elf=TEST_ELF, bootargs="", icount=True):
    """A QEMU with the guest and one CPU: the machine itself is the guest's, or a VM of Camber that has the CPU to itself."""
    if machine == BARE:
        q = Qemu(elf, name=name, icount=icount, smp=1, memory="16M", extra=["-M", "virtualization=off", "-append", bootargs])
    else:
        dts = measure.profile(measure.vm(1, "rtos", [0], kernel=f"rtos/{elf.name}"))
        q = Qemu(pack(folder, "rtos", dts=dts, bootargs={"rtos": bootargs}), name=name, icount=icount, smp=1, memory="1G")
    # The fatal lines of this guest are part of its tests; Camber's own still end the wait.
    with q:
        yield q
