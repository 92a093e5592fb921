# SPDX-License-Identifier: Apache-2.0
"""Announced sleeps and the hypervisor's own calls, in VMs that are real-time ones and in VMs that aren't."""
import re

import pytest
from camber import Qemu, measure, pack, probe, rtos

RT = "sched { rt; rt-budget-us = <2000>; rt-period-us = <10000>; };"
CALLS = [case.name for case in probe.hostile_cases() if case.name.startswith(("call_", "exits_camber_"))]


def running(folder, name, kernel, bootargs, *, rt, neighbour="role=spin"):
    """A VM beside one that computes without a pause, on one CPU."""
    dts = measure.profile(measure.vm(1, "guest", [0], kernel=kernel, more=RT if rt else ""), measure.vm(2, "other", [0]))
    return Qemu(pack(folder, name, dts=dts, bootargs={"guest": bootargs, "other": neighbour}), name=f"rtos-{name}", icount=True,
                smp=1, memory="1G")


@pytest.mark.parametrize("rt, does", [(True, "announces"), (False, "does not announce")], ids=("rt", "ordinary"))
def test_kernel(folder, rt, does):
    """Long sleeps are announced, short ones refused; in an ordinary VM the mode is. All sleeps end on time."""
    with running(folder, f"announce-kernel-{rt}", "rtos/rtos-test.elf", "test=announced_sleep", rt=rt) as q:
        q.expect(rf"^\[guest\] rtos-test: announced_sleep {does}$")
        q.expect(r"^\[guest\] rtos-test: announced_sleep ok$")


@pytest.mark.parametrize("wait", ("abs", "rel"))
def test_rounds(folder, wait):
    """The end of each announced sleep takes the CPU from the guest that computes."""
    with running(folder, f"announce-{wait}", "rtos/p1.elf", f"rounds=200 how=announce sleep={wait} start-ms=20", rt=True) as q:
        found = q.expect(r"^\[guest\] " + rtos.P1_LINE)
    assert int(found["max"]) <= 4000 and int(found["overruns"]) == 0


@pytest.mark.parametrize("rt, bootargs, why", [
    (False, "how=announce", "sleeps can't be announced: not a real-time VM"),
    (True, "how=announce period-us=4999", "round 0: the hypervisor refused the sleep"),
], ids=("ordinary", "too-short"))
def test_refused(folder, rt, bootargs, why):
    with running(folder, f"announce-refused-{rt}", "rtos/p1.elf", bootargs, rt=rt) as q:
        q.expect(rf"^\[guest\] p1: FAIL {why}$")
        assert "total_ns" not in q.text


@pytest.mark.parametrize("role", ("rtburn announce=1", "rtburn"))
def test_never_sleeps(folder, role):
    """Budget and no more: 20 % while the other one wants the rest, from the mode's first period on."""
    arguments = f"role={role} report-ms=1000"
    with running(folder, f"announce-burn-{len(role)}", "probe/probe.elf", arguments, rt=True, neighbour="role=burn") as q:
        did, took, _ = probe.did(q.expect(probe.DID_LINE))
    assert 195 <= 1000 * did / took <= 205


def test_calls_of_a_real_time_vm(folder):
    """The hostile cases about calls, where the calls are allowed: absurd arguments are still errors."""
    with running(folder, "announce-calls", "probe/probe.elf", f"run={','.join(CALLS)} patience_ms=200 then=stay", rt=True) as q:
        q.expect(r"^\[guest\] " + measure.DONE_LINE)
        verdicts = probe.verdicts(q.text, "guest")
    assert set(verdicts) == set(CALLS)
    bad = {name: verdict for name, verdict in verdicts.items() if verdict[0] != "ok"}
    assert bad == {"call_denied": ("skip", "a real-time VM")}
    assert len(re.findall(r"announced sleep refused", q.text)) < 100  # a guest's lines are limited
