# SPDX-License-Identifier: Apache-2.0
"""Long runs for `make soak`. CAMBER_SOAK_ROUNDS scales them."""
import os

import pytest
from camber import linux

ROUNDS = int(os.environ.get("CAMBER_SOAK_ROUNDS", "50"))

pytestmark = pytest.mark.soak


def test_restarts(boot):
    """A Linux that restarts all the time, beside the real-time guest, which must not notice."""
    q = boot("default", bootargs={"ivi": linux.run("reboot")})
    for _ in range(ROUNDS):
        q.expect(linux.up("ivi"))
        q.expect(r"\bvm ivi: reset, starting again$")
    assert q.text.count("rtos: up") == 1


def test_warm_resets(boot):
    """The whole machine again and again, by the monitor."""
    q = boot("probe", bootargs={"probe": "bench=empty then=stay"})
    for _ in range(ROUNDS):
        q.expect(r"^\[probe\] probe: done")
        q.focus("the monitor")
        q.line("reboot")


@pytest.mark.parametrize("partner", ["timer-peer", "compute-peer", "fp-peer"])
def test_timers_for_long(boot, icount, partner):
    q = boot("probe-pair", bootargs={"probe1": f"run=timer_keep_both,fpsimd count={ROUNDS * 2000} then=stay",
                                     "probe2": f"role={partner} then=stay"}, quiet_s=1800, **icount)
    done = q.expect(r"^\[probe1\] probe: done (\d+) ok, (\d+) failed, (\d+) skipped$")
    assert done.groups() == ("2", "0", "0"), q.tail()


def test_hotplug_for_long(boot):
    q = boot("linux4", bootargs={"linux": linux.run(*["cpu-hotplug"] * max(1, ROUNDS // 10))})
    for _ in range(max(1, ROUNDS // 10)):
        linux.step_ok(q, "cpu-hotplug")
