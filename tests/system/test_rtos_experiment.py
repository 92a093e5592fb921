# SPDX-License-Identifier: Apache-2.0
"""The guests of the scheduler's experiment by themselves: the one that is to be on time (guests/rtos/p1) and the loads beside it
(guests/probe/load.c). What they measure must be what they say, or nothing that is measured with them means anything.
"""
import pytest
from camber import Qemu, board, probe, rtos

PROBE_ELF = board.GUESTS / "probe" / "probe.elf"


def p1(machine, folder, request, bootargs):
    return rtos.running(machine, folder, request.node.name.replace("[", "-").rstrip("]"), elf=rtos.P1_ELF, bootargs=bootargs)


def load(request, bootargs, smp=1):
    """The probe on the bare machine; the second word of a load's report."""
    return Qemu(PROBE_ELF, name=request.node.name.replace("[", "-").rstrip("]"), icount=True, smp=smp, memory="64M",
                extra=["-M", "virtualization=off", "-append", bootargs])


# ---- p1 ----

def test_own_path(folder, request):
    """On the bare machine each round is the period, the interrupt's entry and the program's own path, to the instruction."""
    with p1(rtos.BARE, folder, request, "rounds=500 sleep=rel then=off") as q:
        r = rtos.p1_result(q)
        q.expect_exit()
    assert r["max"] == r["p50"] <= 4
    assert r["own"] < 300
    assert r["total"] == 500 * (10_000_000 + r["p50"] + r["own"])
    assert r["overruns"] == 0


@pytest.mark.parametrize("wait", ("abs", "rel"))
def test_work_is_counted(folder, request, wait):
    """A millisecond of work is a million instructions more on the program's own path."""
    with p1(rtos.BARE, folder, request, f"rounds=100 sleep={wait} work-us=1000") as q:
        r = rtos.p1_result(q)
    assert 1_000_000 <= r["own"] < 1_000_300
    assert r["max"] <= 4


def test_grid(folder, request):
    """Absolute deadlines: the time is the rounds', whatever the phase."""
    with p1(rtos.BARE, folder, request, "rounds=100 sleep=abs phase-us=4900 start-ms=20 work-us=500") as q:
        r = rtos.p1_result(q)
    assert 0 <= r["total"] - 100 * 10_000_000 < 501_000


def test_overruns(folder, request):
    """More work than period: each deadline but the first has passed, and the lateness grows by a millisecond a round."""
    with p1(rtos.BARE, folder, request, "rounds=20 period-us=1000 work-us=2000") as q:
        r = rtos.p1_result(q)
    assert r["overruns"] == 19
    assert 19_000_000 <= r["max"] < 19_010_000 and 9_000_000 <= r["p50"] < 9_010_000


def test_rounds_in_a_vm(folder, request):
    """A CPU of its own: late by one path of the hypervisor, always."""
    with p1(rtos.CAMBER, folder, request, "rounds=100 sleep=rel then=off") as q:
        r = rtos.p1_result(q)
        q.expect(r"\bvm rtos: powered off$")
    assert r["max"] < 500 and r["overruns"] == 0
    assert r["total"] <= 100 * (10_000_000 + r["max"] + r["own"] + 500)


@pytest.mark.parametrize("bootargs, why", [
    ("rounds=0", r"boot argument rounds=0: needs a number from 1 to 100000"),
    ("rounds=100000000000000000000", r"boot argument rounds=100000000000000000000: needs a number from 1 to 100000"),
    ("period-us=99", r"boot argument period-us=99: needs a number from 100 to 10000000"),
    ("work-us=x", r"boot argument work-us=x: needs a number from 0 to 10000000"),
    ("sleep=both", r"boot argument sleep=both: needs abs or rel"),
    ("how=magic", r"boot argument how=magic: needs wfi or announce"),
    ("then=reset", r"boot argument then=reset: needs stay or off"),
    ("loops=3", r"boot argument loops: unknown"),
    ("quickly", r"boot argument quickly: unknown"),
    ("how=announce", r"sleeps can't be announced: there are no such calls"),
], ids=lambda value: value.split()[0])
def test_mistakes(folder, request, bootargs, why):
    """One line, and no figures of something that wasn't asked for."""
    with p1(rtos.BARE, folder, request, f"rounds=1 {bootargs}") as q:
        q.expect(rf"^p1: FAIL {why}$")
        assert "total_ns" not in q.text


# ---- loads ----

@pytest.mark.parametrize("bootargs, low, high", [
    ("role=burn", 999, 1000), ("role=rtburn duty=10", 999, 1000),
    ("role=burn duty=10 cycle-us=20000", 98, 102), ("role=burn duty=30 cycle_us=10000 phase_us=100", 298, 302),
    ("role=dodge", 992, 994), ("role=dodge grid-us=1000 ahead-us=100 behind-us=150", 748, 752),
])
def test_load(request, bootargs, low, high):
    """What a load says that it did is the share of a CPU of its own, in permille."""
    with load(request, f"{bootargs} report-ms=400") as q:
        did, took, _ = probe.did(q.expect(probe.DID_LINE))
        assert q.text.count("did=") == 1
    assert 400_000 <= took < 420_000
    assert low <= 1000 * did / took <= high


def test_load_of_all_cpus(request):
    """QEMU's CPUs take turns here: each counts its own work, together it is all the time there was."""
    with load(request, "role=burn report-ms=100", smp=4) as q:
        did, took, each = probe.did(q.expect(probe.DID_LINE))
    assert len(each) == 4 and sum(each) == did and min(each) > 0
    assert 990 <= 1000 * did / took <= 1000


@pytest.mark.parametrize("role, smp", [("storm", 1), ("storm", 2), ("ipi-storm", 2), ("ipi-storm", 3)])
def test_storm(request, role, smp):
    """A wake-up every few microseconds at most, of all CPUs."""
    with load(request, f"role={role} report-ms=20", smp=smp) as q:
        did, took, each = probe.did(q.expect(probe.DID_LINE))
    assert len(each) == smp and min(each) > 0
    assert did > took / 4


@pytest.mark.parametrize("bootargs, why", [
    ("role=burn duty=0", "duty=0 is not 1 to 100 percent, or cycle_us=10000 not up to a second"),
    ("role=burn duty=101", "duty=101 is not"), ("role=burn cycle-us=2000000", "cycle_us=2000000 not up to a second"),
    ("role=dodge ahead-us=9990", "ahead_us=9990 and behind_us=20 leave nothing of grid_us=10000"),
    ("role=burner", "no role named burner"), ("role=rtburn announce=1", "announced mode refused: -1"),
])
def test_load_mistakes(request, bootargs, why):
    with load(request, f"{bootargs} report-ms=1") as q:
        q.expect(f"^probe: FAIL .*{why}")
