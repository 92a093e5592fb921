# SPDX-License-Identifier: Apache-2.0
"""A VM whose watchdog isn't refreshed is started again, at the time that its configuration says, and nobody else notices.

Linux' own driver (sbsa_gwdt) is the one user, the probe guest's ways of getting stuck are the other. QEMU's -icount runs CPUs
in turn, each for a share of the time to the next deadline of any, and whoever uses a device may end his turn early. So that a
neighbour that computes all the time has short turns and doesn't make the real-time guest late, a third guest, "beat", has a
deadline every millisecond.
"""
import re

import pytest
from camber import board, life, linux, measure

BITE = r"^\[ *(\d+\.\d+)\] vm {label}: watchdog: {why}$"
BEAT = measure.vm(9, "beat", [2], kernel="rtos/rtos.elf")
QUIET = {"rtos": "quiet", "beat": "quiet period-us=1000"}
CARDRESET = 0x20  # WDIOF_CARDRESET of Linux' include/uapi/linux/watchdog.h


def bite(label, why):
    return BITE.format(label=label, why=why)


@pytest.fixture
def machine(boot, icount):
    """machine(steps of Linux, its changed properties) -> a running Qemu; a guest's panic is what some tests are about."""
    def start(*steps, more="", change=None, **arguments):
        dts = (board.BOARD_DIR / "linux-wdt.dts").read_text()
        for old, new in (change or {}).items():
            assert old in dts
            dts = dts.replace(old, new)
        end = dts.rindex("};")
        q = boot("linux-wdt", dts=dts[:end] + BEAT + dts[end:], smp=3,
                 bootargs={"linux": f"{linux.run(*steps)} {more}", **QUIET}, **icount, **arguments)
        q.fatal = tuple(pattern for pattern in q.fatal if "Kernel panic" not in pattern)
        q.expect(r"^\[rtos\] rtos: up$")
        return q
    return start


def neighbour_missed(q):
    q.focus("the monitor")
    return life.missed(q, "rtos")


def test_service_that_refreshes(machine):
    """For 20 s; then it closes the watchdog in order, which switches it off."""
    q = machine("watchdog", more="watchdog=20")
    q.expect(linux.up())
    assert q.expect(r"^\[linux\] watchdog: bootstatus (\d+)$").group(1) == "0"
    linux.step_ok(q, "watchdog")
    assert "vm linux: watchdog" not in q.text
    assert neighbour_missed(q) == 0


@pytest.mark.parametrize("variant", linux.VARIANTS, ids=lambda suffix: f"debian{suffix}")
def test_service_that_stops(machine, variant):
    """It lives on for 4 s less a tick; the next life's driver is told why it was started."""
    q = machine("watchdog-stop", change={'on-crash = "restart";': 'on-crash = "restart"; crash-limit = <2>;'},
                **linux.variant(variant))
    for bootstatus in (0, CARDRESET):
        q.expect(linux.up())
        assert q.expect(r"^\[linux\] watchdog-stop: bootstatus (\d+)$").group(1) == str(bootstatus)
        q.mark()
        begun = q.expect(r"watchdog-stop: 1 tenths of a second without a refresh$").start()
        found = q.expect(bite("linux", "not refreshed in time"))
        assert re.findall(r"watchdog-stop: (\d+) tenths", q.text[begun:found.start()])[-1] == "39"
    q.expect(r"\bvm linux: crashed, (?!starting again)")
    assert neighbour_missed(q) == 0


def test_panic(machine):
    """The kernel is stuck while its service still wants to refresh; the log has where it was. 1 s: emulation takes its time."""
    q = machine("watchdog-hang", change={"<4000>": "<1000>", '"restart"': '"stop"'})
    q.expect(linux.up())
    q.expect(r"Kernel panic - not syncing: sysrq triggered crash$")
    q.expect(bite("linux", "not refreshed in time"))
    q.expect(r"\bvm linux: vCPU 0: PC 0xffff[0-9a-f]{12} ")
    q.expect(r"\bvm linux: crashed$")
    assert neighbour_missed(q) == 0


def test_kernel_refreshes_until_a_service_does(machine):
    """Started by the hypervisor, the watchdog is refreshed by Linux itself, for much longer than either limit."""
    q = machine("sleep 30")
    q.expect(linux.up())
    linux.step_ok(q, "sleep 30")
    assert "vm linux: watchdog" not in q.text


def probe_machine(boot, icount, arguments, more):
    """The probe guest has CPU 1, and a watchdog that is as `more` says."""
    dts = measure.profile(measure.vm(1, "rtos", [0], kernel="rtos/rtos.elf"), measure.vm(2, "probe", [1], more=more),
                          BEAT)
    return boot("linux2", dts=dts, smp=3, bootargs={"probe": arguments, **QUIET}, **icount)


@pytest.mark.parametrize("how", ["hang", "sleep"])
def test_stuck_from_the_start(boot, icount, how):
    """A guest that has no driver and gets stuck with its interrupts masked. Half a second from its start."""
    q = probe_machine(boot, icount, f"crash={how}",
                      'watchdog-ms = <300>; watchdog-boot-ms = <500>; on-crash = "restart"; crash-limit = <3>;')
    for _ in range(3):
        started = float(q.expect(r"^\[ *(\d+\.\d+)\] vm probe: started, ").group(1))
        q.expect(rf"^\[probe\] probe: crash {how} on cpu 0 ")
        bitten = float(q.expect(bite("probe", "not refreshed since the start")).group(1))
        q.expect(r"\bvm probe: vCPU 0: PC 0x")
        assert 0.4999 <= bitten - started < 0.501
    q.expect(r"\bvm probe: crashed, (?!starting again)")
    assert neighbour_missed(q) == 0


def test_stuck_in_exceptions(boot):
    """One after the other, without an instruction in between: for -icount, time would stand still."""
    q = probe_machine(boot, {}, "crash=loop-el1", 'watchdog-ms = <300>; watchdog-boot-ms = <500>; on-crash = "restart";')
    for _ in range(2):
        q.expect(r"^\[probe\] probe: crash loop-el1 on cpu 0 ")
        q.expect(bite("probe", "not refreshed since the start"))
        q.expect(r"\bvm probe: crashed, starting again$")


def test_no_boot_watchdog_without_the_property(boot, icount):
    """With watchdog-ms alone a guest that never switches it on lives for ever."""
    q = probe_machine(boot, icount, "role=alive", 'watchdog-ms = <300>; on-crash = "restart";')
    for _ in range(5):
        q.expect(r"^\[probe\] probe: alive ")
    assert "watchdog" not in q.text


def test_off_and_on_crash_stop(boot, icount):
    """on-crash = "stop": it stays off, and its watchdog with it."""
    q = probe_machine(boot, icount, "crash=hang", 'watchdog-ms = <300>; watchdog-boot-ms = <500>; on-crash = "stop";')
    q.expect(bite("probe", "not refreshed since the start"))
    q.expect(r"\bvm probe: crashed$")
    assert neighbour_missed(q) == 0
    q.focus("the monitor")
    assert life.state(q, "probe")[1:] == ("off", 1, 1)
    q.line("vm start probe")
    q.expect(bite("probe", "not refreshed since the start"))
    q.expect(r"\bvm probe: crashed$")
