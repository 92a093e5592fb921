# SPDX-License-Identifier: Apache-2.0
"""The monitor on the console: every command that `help` names answers, nonsense gets one line, VMs follow its orders."""
import pytest
from camber import measure

QUIET = "bench=empty then=stay"


def test_commands(boot):
    q = boot("probe", bootargs={"probe": QUIET})
    q.expect(r"^\[probe\] probe: done")
    q.focus("the monitor")
    q.mark()
    q.line("help")
    for command in ("help", "vm", "stat", "cpu", "mem", "sched", "trace", "log", "console", "crash", "reboot"):
        q.expect(rf"^{command} +\S.*$")
    q.mark()
    q.line("vm")
    q.expect(r"^1 probe +running  starts 1 crashes 0 memory 16 MiB last stop: none$")
    q.line("vm list -v")
    q.expect(r"^  vCPU 0 on CPU 0 on  run \d+ us, \d+ wake-ups, \d+ switches$")
    q.line("vm probe")
    q.expect(r"^  vCPU 0 on CPU 0 on  run \d+ us, \d+ wake-ups, \d+ switches$")
    q.line("log")
    q.expect(r"vm probe: started")
    q.line("stat")
    q.expect(r"^CPU 0: .*longest stay \d+ ns")
    q.line("cpu")
    q.expect(r"^CPU 0: online, 1 vCPUs, runs probe; guests \d+ us, hypervisor \d+ us in \d+ stays, idle \d+ us$")
    q.line("mem")
    q.expect(r"^total \d+ KiB, kept \d+ KiB")
    q.line("reboot")
    q.expect(r"monitor: reboot$")
    q.expect(r"^\[probe\] probe: up")


@pytest.mark.parametrize("command, answer", [
    ("no-such-command", r'unknown command "no-such-command", try help'),
    ("mem all", r'mem: unknown argument "all"; allowed: none'),
    ("console loud", r'console: unknown argument "loud"; allowed: batch interactive'),
    ("vm frob", r'vm: unknown argument "frob"; allowed: list start stop restart pause resume reset, or a VM: probe'),
    ("vm stop", r"vm stop: which VM\? allowed: probe"),
    ("vm stop frob", r'vm stop: no VM "frob"; allowed: probe'),
    ("vm resume probe", r"vm probe: resume is not possible, running"),
], ids=lambda text: text.split()[0])
def test_wrong_words_get_one_line(boot, command, answer):
    q = boot("probe", bootargs={"probe": QUIET})
    q.expect(r"^\[probe\] probe: done")
    q.focus("the monitor")
    q.mark()
    q.line(command)
    q.line("mem")
    q.expect(rf"^camber> {command}\n{answer}\ncamber> mem\ntotal ")


def test_vms_follow_orders(boot):
    """Through every order, of a VM that writes all the time beside one that must not notice."""
    dts = measure.profile(measure.vm(1, "alive", [0]), measure.vm(2, "other", [1]))
    q = boot("monitor-orders", dts=dts, smp=2, bootargs={"alive": "role=alive", "other": "role=alive"})
    q.expect_all([r"^\[alive\] probe: alive \d+", r"^\[other\] probe: alive \d+"])
    q.focus("the monitor")
    q.monitor("vm pause alive", r"^vm alive: pause, paus")
    q.monitor("vm alive", r"^1 alive +paused ")
    q.expect(r"^\[other\] probe: alive ")
    q.monitor("vm pause alive", r"^vm alive: pause is not possible, paused$")
    q.monitor("vm resume 1", r"^vm alive: resume, running$")
    q.expect(r"^\[alive\] probe: alive ")
    q.monitor("vm reset alive", r"^vm alive: reset, stopping$")
    q.expect(r"^\[alive\] probe: up")
    q.monitor("vm stop alive", r"^vm alive: stop, stopping$")
    q.expect(r"vm alive: stopped")
    q.monitor("vm", r"^1 alive +off +starts 2 crashes 0 memory 16 MiB last stop: order$")
    q.monitor("vm restart alive", r"^vm alive: restart, loading$")
    q.expect(r"^\[alive\] probe: up")
    q.monitor("vm restart alive", r"^vm alive: restart, stopping$")
    q.expect(r"^\[alive\] probe: up")
    q.monitor("vm", r"^1 alive +running  starts 4 .* last stop: restart$")
    q.monitor("vm other", r"^2 other +running  starts 1 .* last stop: none$")


def test_focus_goes_round(boot):
    """Ctrl-A three times: VMs in start order, then the monitor, then the first VM again."""
    q = boot("probe-pair", bootargs={"probe1": QUIET, "probe2": QUIET})
    q.expect_all([r"^\[probe1\] probe: done", r"^\[probe2\] probe: done"])
    q.focus("probe2")
    q.focus("the monitor")
    q.focus("probe1")
