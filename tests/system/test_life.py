# SPDX-License-Identifier: Apache-2.0
"""
VMs come and go by order of the monitor, by their own wish and by accident, beside a real-time guest on the other CPU which must not
notice: its 10 ms task misses nothing, and what the hypervisor holds afterwards is what it held before.
"""
import pytest
from camber import board, life, linux

UP = {"probe": r"^\[probe\] probe: up", "rtos": r"^\[rtos\] rtos: up$", "linux": linux.up()}
ARGUMENTS = {"probe": "bench=empty then=stay", "rtos": "quiet", "linux": linux.run("true"), "watcher": "quiet"}


@pytest.fixture
def machine(boot, icount):
    """The profile `life` with the watcher running and the keyboard at the monitor."""
    q = boot("life", bootargs=ARGUMENTS, **icount)
    q.expect(r"^\[watcher\] rtos: up$")
    q.focus("the monitor")
    return q


def restart_all_the_time(q, label, rounds):
    q.line(f"vm start {label}")
    q.expect(UP[label])
    before, memory = life.state(q, label), life.memory(q)
    for _ in range(rounds):
        q.line(f"vm restart {label}")
        q.expect(UP[label])
    assert life.state(q, label) == (before[0], "running", before[2] + rounds, before[3])
    assert life.memory(q) == memory
    q.line(f"vm stop {label}")
    q.expect(rf"\bvm {label}: stopped by order$")
    assert life.missed(q, "watcher") == 0


@pytest.mark.parametrize("label", UP)
def test_restarts(machine, label):
    restart_all_the_time(machine, label, 10)


@pytest.mark.soak
@pytest.mark.parametrize("label,rounds", [("probe", 200), ("rtos", 200), ("linux", 20)])
def test_restarts_for_long(machine, label, rounds):
    restart_all_the_time(machine, label, rounds)


def test_orders(machine):
    """Each order does what it says, and says so when there is nothing to do."""
    q = machine
    assert life.state(q, "probe")[1] == "off"
    for order in ("stop", "pause", "resume", "reset"):
        q.monitor(f"vm {order} probe", rf"^vm probe: {order} is not possible, off$")
    q.monitor("vm start probe", UP["probe"])
    q.monitor("vm start probe", r"^vm probe: start is not possible, running$")
    q.monitor("vm reset probe", r"\bvm probe: reset, starting again$")
    q.expect(UP["probe"])
    q.monitor("vm restart 4", r"\bvm probe: stopped by order, starting again$")
    q.expect(UP["probe"])
    q.line("vm pause probe")
    assert life.state(q, "probe")[1] == "paused"
    q.monitor("vm pause probe", r"^vm probe: pause is not possible, paused$")
    q.line("vm resume probe")
    assert life.state(q, "probe") == (4, "running", 3, 0)
    q.line("vm pause probe")
    q.monitor("vm stop probe", r"\bvm probe: stopped by order$")
    q.monitor("vm start nobody", r"nobody")
    q.monitor("vm dance probe", r"dance")
    assert life.state(q, "probe")[1] == "off"
    assert life.missed(q, "watcher") == 0


@pytest.mark.parametrize("kind,reason", [
    ("data", r"vm probe: vCPU 0: read outside the platform at 0x"),
    ("fetch", r"vm probe: vCPU 0: instruction fetch outside memory at 0x"),
])
def test_last_state_of_a_crash(boot, icount, kind, reason):
    """What a VM leaves in the log when it dies: why, its registers, and return addresses that lie in its program."""
    dts = (board.BOARD_DIR / "life.dts").read_text().replace('on-crash = "restart";', 'stray-access = "stop";')
    q = boot("life", dts=dts, bootargs={**ARGUMENTS, "probe": f"crash={kind}"}, **icount)
    q.expect(r"^\[watcher\] rtos: up$")
    q.focus("the monitor")
    q.line("vm start probe")
    q.expect(rf"\b{reason}")
    assert int(q.expect(r"\bvm probe: vCPU 0: PC 0x([0-9a-f]+) PSTATE 0x[0-9a-f]+ LR 0x").group(1), 16)
    q.expect(r"\bvm probe: vCPU 0: ESR_EL1 0x")
    for first in range(0, 32, 4):
        q.expect(rf"\bvm probe: x{first} +[0-9a-f]{{16}} ")
    calls = [int(word, 16) for word in q.expect(r"\bvm probe: vCPU 0: back-trace((?: 0x[0-9a-f]+)+)$").group(1).split()]
    assert all(0x40200000 <= call < 0x40400000 for call in calls), calls
    q.expect(r"\bvm probe: crashed$")
    assert life.state(q, "probe")[1] == "off"
    assert life.missed(q, "watcher") == 0


def test_crash_loop_ends(boot, icount):
    """crash-limit and restart-delay-ms: as many lives as allowed, with the pause between them, then it stays off."""
    dts = (board.BOARD_DIR / "life.dts").read_text().replace(
        'on-crash = "restart";', 'on-crash = "restart"; crash-limit = <4>; restart-delay-ms = <250>; stray-access = "stop";')
    q = boot("life", dts=dts, bootargs={**ARGUMENTS, "probe": "crash=data"}, **icount)
    q.expect(r"^\[watcher\] rtos: up$")
    q.focus("the monitor")
    q.line("vm start probe")
    times = [float(q.expect(r"^\[ *(\d+\.\d+)\] vm probe: started").group(1)) for _ in range(4)]
    assert all(0.25 <= after - before < 0.26 for before, after in zip(times, times[1:])), times
    q.expect(r"\bvm probe: crashed, left off: crash-limit reached$")
    assert life.state(q, "probe") == (4, "off", 4, 4)
    assert life.missed(q, "watcher") == 0


def test_start_delay(boot, icount):
    dts = (board.BOARD_DIR / "life.dts").read_text().replace(
        'on-crash = "restart";', "start-delay-ms = <300>;").replace(
        'kernel = "probe/probe.elf";\n\t\tno-autostart;', 'kernel = "probe/probe.elf";')
    q = boot("life", dts=dts, bootargs=ARGUMENTS, **icount)
    assert 0.3 <= float(q.expect(r"^\[ *(\d+\.\d+)\] vm probe: started").group(1)) < 0.31


def test_watchdog_of_a_guest_that_hangs(boot, icount):
    """The real-time guest kicks its watchdog from its least urgent task: one that computes for ever ends this life of it."""
    dts = (board.BOARD_DIR / "rtos.dts").read_text().replace(
        "memory-mib", 'on-crash = "restart"; watchdog-ms = <600>; memory-mib')
    q = boot("rtos", dts=dts, bootargs={"rtos": ""}, **icount)
    for _ in range(10):
        q.expect(r"^\[rtos\] rtos: jitter n=100 .*missed=0$")
    q.line("crash hang")
    q.expect(r"\bvm rtos: watchdog: not refreshed in time$")
    q.expect(r"\bvm rtos: vCPU 0: back-trace")
    q.expect(r"\bvm rtos: crashed, starting again$")
    q.expect(r"^\[rtos\] rtos: jitter n=100 .*missed=0$")
