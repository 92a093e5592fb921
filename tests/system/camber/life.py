# SPDX-License-Identifier: Apache-2.0
"""The life of VMs, as the monitor orders and shows it. The monitor has the focus."""
import re


def state(q, label):
    """One VM's line of `vm list`: (number, state, starts, crashes)."""
    q.mark()
    q.line("vm list")
    found = q.expect(rf"^ *(\d+) +{re.escape(label)} +(\w+) +.*starts (\d+) +crashes (\d+)")
    return int(found.group(1)), found.group(2), int(found.group(3)), int(found.group(4))


def memory(q):
    """The monitor's line about the board's memory."""
    q.mark()
    q.line("mem")
    return q.expect(r"^total .*$").group(0)


def missed(q, label):
    """Periods that a real-time guest says it has missed since its start; the monitor gets the focus back."""
    q.focus(label)
    q.mark()
    q.line("jitter")
    found = q.expect(rf"^\[{re.escape(label)}\] rtos: jitter total n=(\d+) .*missed=(\d+)$")
    q.focus("the monitor")
    assert int(found.group(1)) > 0
    return int(found.group(2))
