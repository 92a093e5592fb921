# SPDX-License-Identifier: Apache-2.0
"""The real-time kernel's own tests (guests/rtos/test/tests.def), each on the bare machine and under Camber.

Those that run together do so once per machine, and each test here looks at its line; those that end the guest have a boot each.
Virtual time is instructions, so that deadlines are kept or missed for the same reason everywhere.
"""
import re

import pytest
from camber import rtos
from camber.image import scratch

# How each test that ends the guest ends it: the first line that it prints then.
DEATHS = {
    "stack_overflow": r"stack overflow in task 't0' pc=\w+ esr=\w+ far=\w+",
    "stack_big_frame": r"stack overflow in task 't5' pc=",
    "stack_overwritten": r"stack overflow \(its end is overwritten\) in task 't0'$",
    "irq_stack_overflow": r"stack overflow in an interrupt handler",
    "irq_uses_fp": r"FP/SIMD register used in an interrupt handler pc=",
    "irq_uses_libc": r"C library called by an interrupt handler or with interrupts masked, in an interrupt handler$",
    "assertion": r"assertion 'value == 2' failed at guests/rtos/test/fatal\.c:\d+, in task 'main'$",
    "c_assertion": r"assertion 'value == 3' failed at guests/rtos/test/fatal\.c:\d+, in task 'main'$",
    "null_pointer": r"data abort in task 'main' pc=\w+ esr=\w+ far=0{16} ",
    "hang": r"no idle time: hang in task 't0'$",
    "mutex_kept": r"a task that holds a mutex ended, in task 't0'$",
}


def run_all(machine):
    """The console's text of a run of all tests, and why it ended early, if it did."""
    with scratch() as folder, rtos.running(machine, folder, f"rtos-tests-{machine}", bootargs="test=all") as q:
        try:
            q.expect(rtos.line(r"rtos-test: done \d+ ok, \d+ failed$"))
        except AssertionError as e:
            return q.text, str(e)
        return q.text, None


@pytest.fixture(scope="module")
def runs():
    return {}


def one_test_per_case():
    for machine in rtos.MACHINES:
        for name in rtos.tests("RUN"):
            yield pytest.param(machine, name, id=f"{machine}-{name}", marks=pytest.mark.xdist_group(f"rtos-{machine}"))


@pytest.mark.parametrize("machine, name", one_test_per_case())
def test_kernel(runs, machine, name):
    if machine not in runs:
        runs[machine] = run_all(machine)
    text, trouble = runs[machine]
    verdict, why = rtos.verdicts(text).get(name, ("missing", trouble or "not in the list that ran"))
    assert verdict == "ok", f"{verdict}: {why}"


@pytest.mark.parametrize("machine", rtos.MACHINES)
@pytest.mark.parametrize("name", rtos.tests("DIES"))
def test_kernel_dies(folder, machine, name):
    with rtos.running(machine, folder, f"rtos-{machine}-{name}", bootargs=f"test={name}") as q:
        q.fatal += (r"rtos-test: done",)
        q.expect(rtos.line(rf"rtos-test: start {name}$"))
        q.expect(rtos.line(r"rtos: fatal: " + DEATHS[name]))
        if machine == rtos.BARE:
            q.expect_exit()
        else:
            q.expect(r"\bvm rtos: powered off$")
        assert len(re.findall(r"rtos: fatal: (?!x\d\d=|called from)", q.text)) == 1
        assert "still alive" not in q.text


def test_every_death_is_listed():
    assert set(DEATHS) == set(rtos.tests("DIES"))
