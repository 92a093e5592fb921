# SPDX-License-Identifier: Apache-2.0
"""A fault of the hypervisor itself: the record on the console, and the log that is still there after the warm reset."""
import re

import pytest

RECORD = (r"^.*EL2 fault:.*$", r"PC[ =:]+0x[0-9a-f]+", r"ESR[ =:]+0x[0-9a-f]+", r"FAR[ =:]+0x[0-9a-f]+",
          r"\bx0[ =:]+(0x)?[0-9a-f]+", r"\bx29[ =:]+(0x)?[0-9a-f]+", r"^.*backtrace:.*\+0x[0-9a-f]+$")


def check_record(text):
    for pattern in RECORD:
        assert re.search(pattern, text, re.MULTILINE | re.IGNORECASE), f'no "{pattern}" in the record:\n{text}'
    assert text.count("backtrace:") >= 3, f"a back-trace without callers:\n{text}"


@pytest.mark.parametrize("kind", ["data", "undef", "stack"])
def test_record_and_log_after_warm_reset(boot, kind):
    q = boot("probe", bootargs={"probe": "bench=empty then=stay"})
    q.fatal = ()
    q.expect(r"^\[probe\] probe: done")
    q.focus("the monitor")
    q.mark()
    q.line(f"crash {kind}")
    q.expect(r"EL2 fault:")
    if kind == "stack":
        q.expect(r"stack overflow")
    # The machine resets itself; the guest is up again in the second life.
    q.expect(r"backtrace:")
    q.expect(r"^\[probe\] probe: done")
    first_life = q.text
    check_record(first_life[first_life.index("EL2 fault:") - 80:])

    q.focus("the monitor")
    q.mark()
    q.line("log previous")
    q.expect(r"EL2 fault:")
    q.expect(r"backtrace:")
    q.line("vm")
    q.expect(r"\bprobe\b")
    check_record(q.text[len(first_life):])


def test_panic_is_kept_too(boot):
    q = boot("probe", bootargs={"probe": "bench=empty then=stay"})
    q.fatal = ()
    for command in ("crash panic", "log previous"):
        q.expect(r"^\[probe\] probe: done")
        q.focus("the monitor")
        q.mark()
        q.line(command)
        q.expect(r"panic: asked for on the console")


def test_ordinary_reboot_keeps_the_log_too(boot):
    q = boot("probe", bootargs={"probe": "bench=empty then=stay"})
    q.expect(r"^\[probe\] probe: done")
    q.focus("the monitor")
    q.mark()
    q.line("reboot")
    q.expect(r"^\[probe\] probe: done")
    q.focus("the monitor")
    q.mark()
    q.line("log previous")
    q.expect(r"vm probe: started")


def test_first_boot_has_no_previous_log(boot):
    q = boot("probe", bootargs={"probe": "bench=empty then=stay"})
    q.expect(r"^\[probe\] probe: done")
    q.focus("the monitor")
    q.mark()
    q.line("log previous")
    q.line("vm")
    q.expect(r"\bprobe\b.*")
    assert "vm probe: started" not in q.since_mark()
