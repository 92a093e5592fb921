# SPDX-License-Identifier: Apache-2.0
"""What a Linux guest does with its machine: CPUs off and on, the date, restart, power-off."""
import time

import pytest
from camber import linux


@pytest.mark.parametrize("vcpus", [2, 4])
def test_cpu_hotplug_with_timers_armed(boot, vcpus):
    q = boot(f"linux{vcpus}", bootargs={"linux": linux.run("cpu-hotplug")})
    q.expect(linux.up())
    linux.step_ok(q, "cpu-hotplug")


def test_date(boot):
    """The guest's date comes from the board's PL031: it lies between the host's before and after, whole seconds apart."""
    before = int(time.time())
    q = boot("linux1", bootargs={"linux": linux.run("clock")})
    q.expect(linux.up())
    epoch = int(q.expect(r"clock: date .* UTC epoch (\d+)$").group(1))
    after = int(time.time())
    linux.step_ok(q, "clock")
    assert before - 1 <= epoch <= after + 1


def test_cyclictest_has_its_cycles(boot, icount):
    q = boot("linux2", bootargs={"linux": linux.run("cyclictest")}, **linux.variant("-rt"), **icount)
    q.expect(linux.up())
    linux.step_ok(q, "cyclictest")


def test_reboot(boot):
    """A restart starts the VM again from pristine images, more than once."""
    q = boot("linux2", bootargs={"linux": linux.run("reboot")})
    for _ in range(3):
        q.expect(linux.up())
        q.expect(r"reboot: Restarting system")


def test_poweroff(boot):
    """Power-off stops this VM, and the other one goes on."""
    q = boot("default", bootargs={"ivi": linux.run("poweroff")})
    q.expect_all([linux.up("ivi"), r"^\[rtos\] rtos: up$", r"\bvm ivi: powered off$"])
    q.mark()
    q.expect(r"^\[rtos\] rtos: jitter")
    assert "linux: up" not in q.since_mark()
