# SPDX-License-Identifier: Apache-2.0
"""The real-time guest: its kernel's registry of tests (guests/rtos/test/tests.def), and how to run it with and without Camber."""
import contextlib
import re

from . import board, measure
from .image import pack
from .qemu import Qemu

ELF = board.GUESTS / "rtos" / "rtos.elf"
TEST_ELF = board.GUESTS / "rtos" / "rtos-test.elf"
EXAMPLE_ELF = board.GUESTS / "rtos" / "example.elf"

BARE, CAMBER = "bare", "camber"
MACHINES = (BARE, CAMBER)

TEST_LINE = r"^(?:\[rtos\] )?rtos-test: (?P<name>\w+) (?P<verdict>ok|FAIL)(?P<why>.*)$"
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
