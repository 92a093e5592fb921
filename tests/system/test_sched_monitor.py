# SPDX-License-Identifier: Apache-2.0
"""`sched` in the monitor: what it lists and counts, what it sets while guests run, what it refuses."""
import contextlib
import time

import pytest
from camber import sched
from camber.sched import Guest

DEFAULTS = {"mode": "rt", "slice": 1000, "account": 30000, "demote": 10000, "min_sleep": 5000}
NEVER_SLEEPS = "role=rtburn"
SETTLED_US, SETTLED_PERMILLE = 1_000_000, 35  # credits from before may be worth an accounting period, 30 ms


@pytest.fixture
def monitor(folder):
    """monitor(guests, **arguments of Qemu) -> a machine whose monitor has the focus, its guests all up."""
    with contextlib.ExitStack() as stack:
        def start(*guests, **arguments):
            q = stack.enter_context(sched.machine(folder, "sched-monitor", guests, **arguments))
            q.expect_all([rf"^\[{guest.label}\] probe: up$" for guest in guests])
            q.focus("the monitor")
            return q
        yield start


def listed(q, label):
    """The line of `sched list` of a VM's vCPU 0."""
    found = sched.parse(sched.LIST_LINE, sched.said(q, "sched list", rf"^{label} +vCPU 0 .*$"))
    return next(line for line in found if line["vm"] == label)


def shares(q, vcpus, us=1_000_000):
    """VM -> permille of one CPU's time from now on, over so long a time at least, as `sched stat` counts."""
    before, idle_before = sched.monitor_stat(q, vcpus)
    while True:
        time.sleep(0.1)  # not for the result's sake: a monitor that is asked without end is most of what QEMU computes
        after, idle_after = sched.monitor_stat(q, vcpus)
        ran = {vm: after[vm, 0]["run"] - before[vm, 0]["run"] for vm, _ in after}
        total = sum(ran.values()) + idle_after[0]["idle"] - idle_before[0]["idle"]
        if total >= us:
            return {vm: 1000 * run / total for vm, run in ran.items()}


def test_list(monitor):
    q = monitor(Guest("plain", "role=burn", "weight = <512>; cap-percent = <50>;"),
                Guest("rt", NEVER_SLEEPS, sched.budget(3000, 10000)))
    text = sched.said(q, "sched list", r"^rt +vCPU 0 .*$")
    params, = sched.parse(sched.PARAMS_LINE, text)
    assert params == DEFAULTS
    plain, rt = sched.parse(sched.LIST_LINE, text)
    assert (plain["vm"], plain["vcpu"], plain["cpu"]) == ("plain", 0, 0)
    assert (plain["weight"], plain["cap"], plain["budget"]) == (512, 50, None)
    assert plain["state"] in ("queued", "running") and plain["class"] in ("boost", "under", "over", "parked")
    assert -30000 <= plain["credit"] <= 30000
    assert (rt["vm"], rt["weight"], rt["cap"], rt["budget"], rt["period"]) == ("rt", 0, 0, 3000, 10000)
    assert rt["state"] in ("queued", "running") and rt["left"] <= 3000
    text = sched.said(q, "sched", r"^rt +vCPU 0 .*$")
    assert len(sched.parse(sched.LIST_LINE, text)) == 2


def test_stat_adds_up(monitor):
    """Time by class is the time run; all VMs' and the idle time is what `cpu` says, and no more than has passed."""
    q = monitor(Guest("a", "role=burn duty=30"), Guest("b", "role=burn duty=50"),
                Guest("rt", NEVER_SLEEPS, sched.budget(1000, 10000)))
    units, idle = sched.monitor_stat(q, 3)
    for unit in units.values():
        parts = sum(unit[key] for key in ("rt", "boost", "under", "over"))
        assert unit["run"] - 4 <= parts <= unit["run"], f"{unit}: classes' sum {parts}"
    assert units["rt", 0]["rt"] > 0 and units["a", 0]["rt"] == units["b", 0]["rt"] == 0
    assert idle[0]["promised"] == "10.0"
    m = q.monitor("cpu", r"^CPU 0: .* guests (\d+) us, hypervisor (\d+) us in \d+ stays, idle (\d+) us$")
    after, idle_after = sched.monitor_stat(q, 3)
    guests, hypervisor, idle_us = map(int, m.groups())

    def total(units, idle):
        return sum(unit["run"] for unit in units.values()) + idle[0]["idle"]

    assert total(units, idle) <= guests + hypervisor + idle_us <= total(after, idle_after) + hypervisor
    for key, unit in after.items():
        for name in ("run", "waited", "rt", "boost", "under", "over", "wakeups", "turns", "late"):
            assert unit[name] >= units[key][name], f"{key}: {name} went back"


def test_weight_and_cap(monitor):
    q = monitor(Guest("a", "role=burn"), Guest("b", "role=burn"))
    assert shares(q, 2)["a"] == pytest.approx(500, abs=20)
    text = sched.said(q, "sched set weight a 768", r"^a +vCPU 0 .*$")
    assert sched.parse(sched.LIST_LINE, text)[0]["weight"] == 768
    assert shares(q, 2, SETTLED_US)["a"] == pytest.approx(750, abs=SETTLED_PERMILLE)
    text = sched.said(q, "sched set cap a 20", r"^a +vCPU 0 .*$")
    assert sched.parse(sched.LIST_LINE, text)[0]["cap"] == 20
    assert shares(q, 2)["a"] == pytest.approx(200, abs=15)
    q.monitor("sched set cap a 0", r"^a +vCPU 0 .* cap 0 % .*$")
    assert shares(q, 2, SETTLED_US)["a"] == pytest.approx(750, abs=SETTLED_PERMILLE)


def test_budget(monitor):
    q = monitor(Guest("rt", NEVER_SLEEPS, sched.budget(2000, 10000)), Guest("other", "role=burn"))
    assert shares(q, 2)["rt"] == pytest.approx(200, abs=SETTLED_PERMILLE)
    text = sched.said(q, "sched set rt rt 1500 5000", r"^rt +vCPU 0 .*$")
    line, = sched.parse(sched.LIST_LINE, text)
    assert (line["budget"], line["period"]) == (1500, 5000)
    assert shares(q, 2)["rt"] == pytest.approx(300, abs=10)
    assert sched.monitor_stat(q, 2)[1][0]["promised"] == "30.0"


def test_admission(monitor):
    """More than all of a CPU's time can't be promised: refused with the arithmetic, and everything stays as it was."""
    q = monitor(Guest("one", NEVER_SLEEPS, sched.budget(5000, 10000)),
                Guest("two", NEVER_SLEEPS, sched.budget(4000, 10000)))
    q.mark()
    q.line("sched set rt two 6000 10000")
    q.expect(r"^sched: vm two: CPU 0 is promised 50\.0 % to others, with 60\.0 % \(6000 of 10000 us\) 110\.0 %: refused$")
    line = listed(q, "two")
    assert (line["budget"], line["period"]) == (4000, 10000)
    assert sched.monitor_stat(q, 2)[1][0]["promised"] == "90.0"
    q.monitor("sched set rt two 5000 10000", r"^two +vCPU 0 .* budget 5000 of 10000 us, left -?\d+ us$")
    assert shares(q, 2)["two"] == pytest.approx(500, abs=10)


def test_mode(monitor):
    """The baseline, chosen at run time, lets a guest that dodges its ticks steal; back again it has its share."""
    q = monitor(Guest("dodger", "role=dodge"), Guest("other", "role=burn"))
    assert shares(q, 2)["dodger"] == pytest.approx(500, abs=20)
    text = sched.said(q, "sched set mode credit", sched.PARAMS_LINE)
    assert sched.parse(sched.PARAMS_LINE, text) == [{**DEFAULTS, "mode": "credit"}]
    assert shares(q, 2, SETTLED_US)["dodger"] > 600
    q.monitor("sched set mode rt", r"^sched: mode rt .*$")
    assert shares(q, 2, SETTLED_US)["dodger"] == pytest.approx(500, abs=SETTLED_PERMILLE)


def test_boot_argument(monitor):
    q = monitor(Guest("a", "role=burn"), extra=["-append", "sched=credit"])
    params, = sched.parse(sched.PARAMS_LINE, sched.said(q, "sched list", r"^a +vCPU 0 .*$"))
    assert params == {**DEFAULTS, "mode": "credit"}


@pytest.mark.parametrize("name, key", [("slice-us", "slice"), ("account-us", "account"), ("demote-us", "demote"),
                                       ("min-sleep-us", "min_sleep")])
def test_parameters(monitor, name, key):
    q = monitor(Guest("a", "role=burn"), Guest("b", "role=burn"))
    text = sched.said(q, f"sched set {name} 2500", sched.PARAMS_LINE)
    assert sched.parse(sched.PARAMS_LINE, text) == [{**DEFAULTS, key: 2500}]
    assert shares(q, 2)["a"] == pytest.approx(500, abs=20)


@pytest.mark.parametrize("command", [
    "sched frob", "sched set", "sched set frob 1", "sched set mode", "sched set mode fast", "sched set slice-us 99",
    "sched set slice-us 1000001", "sched set account-us x", "sched set min-sleep-us -1", "sched set weight",
    "sched set weight nobody 1", "sched set weight a 0", "sched set weight a 65536", "sched set weight a 1 2",
    "sched set cap a 101", "sched set cap a 4294967297", "sched set rt a 1000 10000", "sched set rt rt 9 10000",
    "sched set rt rt 2000 99", "sched set rt rt 2000 1000", "sched set rt rt 2000", "sched set rt rt 0 0"])
def test_refused_in_one_line(monitor, command):
    q = monitor(Guest("a", "role=burn"), Guest("rt", NEVER_SLEEPS, sched.budget(2000, 10000)))
    before = {label: listed(q, label) for label in ("a", "rt")}
    q.mark()
    q.line(command)
    q.line("mem")
    q.expect(rf"^camber> {command}\nsched[^\n]*allowed:[^\n]*\ncamber> mem\ntotal ")
    for label, line in before.items():
        now = listed(q, label)
        assert all(now[key] == line[key] for key in ("weight", "cap", "budget", "period"))
    params, = sched.parse(sched.PARAMS_LINE, sched.said(q, "sched list", r"^rt +vCPU 0 .*$"))
    assert params == DEFAULTS
