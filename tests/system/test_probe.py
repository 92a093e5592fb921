# SPDX-License-Identifier: Apache-2.0
"""All cases of the probe guest, one test each; the guest runs once per machine, and each test looks at its line.

Two machines: a deterministic one (virtual time = instructions, CPUs in turn) for all cases, and one whose CPUs run in
parallel for the cases between CPUs. What looks at times is right in the former only.
"""
import contextlib

import pytest
from camber import Qemu, measure, pack, probe
from camber.image import scratch

CASES = [case for case in probe.cases() if not case.named_only]
CPUS = max(2, *(case.cpus for case in CASES))
DETERMINISTIC, PARALLEL = "deterministic", "parallel"
RUNS = {DETERMINISTIC: CASES, PARALLEL: [case for case in CASES if case.cpus > 1]}


def run_cases(machine):
    """The console's text of a run of a machine's cases, and why it ended early, if it did."""
    names = "all" if RUNS[machine] == CASES else ",".join(case.name for case in RUNS[machine])
    dts = measure.profile(measure.vm(1, "probe", range(CPUS)))
    with scratch() as folder, contextlib.ExitStack() as stack:
        image = pack(folder, "probe-all", dts=dts, bootargs={"probe": f"run={names} then=stay"})
        q = stack.enter_context(Qemu(image, name=f"probe-{machine}", smp=CPUS,
                                     icount=machine == DETERMINISTIC))
        try:
            q.expect(r"^\[probe\] " + measure.DONE_LINE)
        except AssertionError as e:
            return q.text, str(e)
        return q.text, None


@pytest.fixture(scope="module")
def runs():
    return {}


def one_test_per_case():
    for machine, cases in RUNS.items():
        for case in cases:
            yield pytest.param(machine, case, id=f"{machine}-{case.name}", marks=pytest.mark.xdist_group(machine))


@pytest.mark.parametrize("machine, case", one_test_per_case())
def test_case(runs, machine, case):
    if machine not in runs:
        runs[machine] = run_cases(machine)
    text, trouble = runs[machine]
    verdict, why = probe.verdicts(text).get(case.name, ("missing", trouble or "not in the list that ran"))
    assert verdict == "ok", f"{verdict}: {why}"
