# SPDX-License-Identifier: Apache-2.0
"""The hostile cases of the probe guest (run=hostile), one test each: the guest was told what it had to be told, and the
real-time guest beside it missed no period.

One boot per machine runs the whole list; each test looks at its case's line and at the real-time guest's reports from the
moment the case began to the first report after it ended. These machines are deterministic: their time is instructions. The
cases between CPUs run once more on CPUs that are really parallel, where nothing can be said about time.
"""
import contextlib

import pytest
from camber import Qemu, measure, pack, probe
from camber.image import scratch

# A report every 5 periods: 50 ms. The cases begin when the real-time guest is up; if they hang, it ends after a minute of
# virtual time, a multiple of what they take.
BOOTARGS = {"rtos": "report=5 periods=6000", "probe": "run=hostile wait_ms=300 patience_ms=200 then=stay"}
CASES = probe.hostile_cases()
BETWEEN_CPUS = [case.name for case in CASES if case.cpus == 2]

MACHINES = {
    "own-cpu": {"profile": "hostile", "smp": 4},
    "shared-cpu": {"profile": "hostile-shared", "smp": 3},
    "max": {"profile": "hostile", "smp": 4, "cpu": "max"},
}


class Run:
    """One boot: the console's text and, if it ended early, why."""

    def __init__(self, name, profile, bootargs, until, **arguments):
        self.trouble = None
        with scratch() as folder, contextlib.ExitStack() as stack:
            image = pack(folder, profile, bootargs=bootargs)
            q = stack.enter_context(Qemu(image, name=f"hostile-{name}", **arguments))
            q.fatal += (r"\bvm probe: (crashed|powered off|reset)", r"\bvm rtos: (crashed|powered off)$")
            try:
                for line in until:
                    q.expect(line)
            except AssertionError as e:
                self.trouble = str(e)
            self.text = q.text
        self.verdicts = probe.verdicts(self.text)

    def check_verdict(self, name):
        verdict, why = self.verdicts.get(name, ("missing", self.trouble or "not in the list that ran"))
        assert verdict == "ok", f"{verdict}: {why}"


@pytest.fixture(scope="module")
def runs():
    return {}


def one_test_per_case():
    for machine in MACHINES:
        for case in CASES:
            yield pytest.param(machine, case.name, id=f"{machine}-{case.name}",
                               marks=pytest.mark.xdist_group(f"hostile-{machine}"))


def run_of(runs, machine):
    if machine not in runs:
        # The last case's report comes after the last line.
        runs[machine] = Run(machine, bootargs=BOOTARGS, icount=True, **MACHINES[machine],
                            until=(r"^\[probe\] " + measure.DONE_LINE, probe.REPORT_LINE))
    return runs[machine]


@pytest.mark.parametrize("machine, name", one_test_per_case())
def test_case(runs, machine, name):
    run = run_of(runs, machine)
    run.check_verdict(name)
    reports = probe.reports_of(run.text, name)
    assert probe.missed_none(reports), f"the real-time guest missed periods, or says nothing: {reports}"


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.xdist_group("hostile-parallel"))
                                  for name in BETWEEN_CPUS])
def test_parallel(runs, name):
    if "parallel" not in runs:
        runs["parallel"] = Run("parallel", "probe2", {"probe": f"run={','.join(BETWEEN_CPUS)} then=stay"}, smp=2,
                               until=(r"^\[probe\] " + measure.DONE_LINE,))
    runs["parallel"].check_verdict(name)


@pytest.mark.xdist_group("hostile-own-cpu")
def test_no_line_is_forged(runs):
    """What console_forged printed carries the guest's own label; the lines that it imitates were not printed by others."""
    text = run_of(runs, "own-cpu").text
    assert "\n[probe] [rtos] rtos: up\n" in text and "\n[probe] camber: ready\n" in text
    assert text.count("\n[rtos] rtos: up\n") == 1 and "\ncamber: ready\n" not in text
    assert not [line for line in text.splitlines() if line.endswith("vm rtos: crashed") and not line.startswith("[probe]")]


@pytest.mark.parametrize("text, good", [
    ("[probe] probe: begin a\n[probe] probe: case a ok\n[rtos] rtos: jitter n=5 max=1ns missed=0\n", True),
    ("[probe] probe: begin a\n[rtos] rtos: jitter n=5 max=9ns missed=1\n[probe] probe: case a ok\n"
     "[rtos] rtos: jitter n=5 max=1ns missed=0\n", False),
    ("[probe] probe: begin a\n[probe] probe: case a ok\n[rtos] rtos: jitter n=5 max=9ns missed=2\n", False),
    ("[rtos] rtos: jitter n=5 max=1ns missed=0\n[probe] probe: begin a\n[probe] probe: case a ok\n", False),
])
def test_missed_periods_are_seen(text, good):
    """The judgement itself: a miss during the case, one in the report after it, and no report at all fail it."""
    assert probe.missed_none(probe.reports_of(text, "a")) == good
