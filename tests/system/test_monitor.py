# SPDX-License-Identifier: Apache-2.0
"""The monitor on the console: every command that `help` names answers, and nonsense gets one line."""

def test_commands(boot):
    q = boot("probe", bootargs={"probe": "bench=empty then=stay"})
    q.expect(r"^\[probe\] probe: done")
    q.focus("the monitor")
    q.mark()
    q.line("help")
    for command in ("help", "vm", "stat", "log", "reboot"):
        q.expect_all([rf"\b{command}\b"])
    q.mark()
    q.line("vm")
    q.expect(r"\bprobe\b.*$")
    q.line("log")
    q.expect(r"vm probe: started")
    q.mark()
    q.line("no-such-command")
    q.expect(r"no-such-command(?s:.*)help")
    q.mark()
    q.line("stat")
    q.expect(r"^CPU 0: .*longest stay \d+ ns")


def test_focus_goes_round(boot):
    """Ctrl-A three times: VMs in start order, then the monitor, then the first VM again."""
    q = boot("probe-pair", bootargs={"probe1": "bench=empty then=stay", "probe2": "bench=empty then=stay"})
    q.expect_all([r"^\[probe1\] probe: done", r"^\[probe2\] probe: done"])
    q.focus("probe2")
    q.focus("the monitor")
    q.focus("probe1")
