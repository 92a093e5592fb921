# SPDX-License-Identifier: Apache-2.0
"""Linux is paused by the monitor and goes on as if nothing had been, but for the date. All of it in virtual time.

guests/linux/tests/pause.sh looks from inside. The real-time guest's reports, one a second, tell how long a pause was.
"""
import re

import pytest
from camber import life, linux, measure

SECOND = r"^\[rtos\] rtos: jitter n=\d+ .*$"
TOTAL = r"^\[linux\] pause: (\d+) of \d+ rounds paused, away for (\d+) s, date (\d+) s behind, (-?\d+) s after hwclock -s$"


@pytest.fixture
def machine(boot, icount):
    """machine(vCPUs, seconds, more properties) -> Linux that waits for pauses of so many seconds, beside the real-time guest."""
    def start(vcpus, seconds, more="", **arguments):
        dts = measure.profile(
            measure.vm(1, "rtos", [0], kernel="rtos/rtos.elf"),
            measure.vm(2, "linux", range(1, 1 + vcpus), kernel="linux/vmlinuz", memory=256,
                       more=f'initrd = "linux/initramfs.cpio.gz"; {more}'))
        q = boot("linux1", dts=dts, bootargs={"linux": f"{linux.run('pause')} pause={seconds}", "rtos": "report=100"},
                 smp=vcpus + 1, **icount, **arguments)
        q.expect(r"^\[linux\] pause: ready$")
        q.focus("the monitor")
        return q
    return start


def pause(q, seconds):
    """Pause Linux for at least so long, in the midst of what it does; returns how long it was, a second more or less."""
    q.expect(SECOND)
    q.expect(SECOND)
    q.line("vm pause linux")
    begun = q.expect(r"^vm linux: pause, paus(ing|ed)$").end()
    for _ in range(seconds + 1):
        q.expect(SECOND)
    assert life.state(q, "linux")[1] == "paused"
    q.line("vm resume linux")
    ended = q.expect(r"^vm linux: resume, running$").start()
    silent = q.text[begun:ended]
    assert "[linux]" not in silent, silent
    return len(re.findall(SECOND.replace("$", r"(?=\n)"), silent, re.MULTILINE))


def finish(q, pauses, seconds):
    total = q.expect(TOTAL)
    linux.step_ok(q, "pause")
    rounds, away, behind, _ = map(int, total.groups())
    assert 1 <= rounds <= pauses
    # Reports and RTC have whole seconds.
    assert abs(away - seconds) <= pauses + 2, (away, seconds)
    assert abs(behind - away) <= 2, (behind, away)
    assert life.state(q, "linux")[1:] == ("running", 1, 0)


@pytest.mark.parametrize("vcpus", [1, 2, 4])
@pytest.mark.parametrize("variant", ["", pytest.param("-rt", marks=pytest.mark.slow)], ids=["debian", "debian-rt"])
def test_a_minute(machine, variant, vcpus):
    q = machine(vcpus, 60, **linux.variant(variant))
    finish(q, 1, pause(q, 60))


def test_twenty_times(machine):
    q = machine(2, 60)
    finish(q, 20, sum(pause(q, 3) for _ in range(20)))


def test_watchdog_stands_still_too(machine):
    q = machine(2, 30, 'watchdog-ms = <4000>; watchdog-boot-ms = <20000>; on-crash = "restart";')
    finish(q, 1, pause(q, 30))
    assert "vm linux: watchdog" not in q.text


def test_while_cpus_go_off_and_on(boot, icount):
    """Paused at any moment while its CPUs are switched off and on with timers armed: none of either is lost."""
    dts = measure.profile(measure.vm(1, "linux", [1, 2, 3], kernel="linux/vmlinuz", memory=256,
                                     more='initrd = "linux/initramfs.cpio.gz";'))
    q = boot("linux4", dts=dts, bootargs={"linux": linux.run("cpu-hotplug")}, **icount)
    q.expect(linux.up())
    q.focus("the monitor")
    pauses = 0
    while not re.search(r"^\[linux\] linux: cpu-hotplug (ok|FAILED)", q.text, re.MULTILINE):
        q.line("vm pause linux")
        q.expect(r"^vm linux: pause, paus(ing|ed)$")
        q.line("vm resume linux")
        q.expect(r"^vm linux: resume, running$")
        pauses += 1
        assert pauses < 5000
    assert "linux: cpu-hotplug ok\n" in q.text and pauses > 10
    assert life.state(q, "linux")[1:] == ("running", 1, 0)
