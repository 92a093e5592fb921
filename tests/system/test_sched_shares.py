# SPDX-License-Identifier: Apache-2.0
"""Who gets how much of a CPU: what `make bench` measures over 10 s, here over 3."""
import json

import pytest
from camber import board, measure, sched

LIMITS = json.loads((board.TOP / "tests" / "bench" / "limits.json").read_text())
SECONDS = 3
ACCOUNT_S = 0.03  # credits differ by an accounting period at most: nothing over 10 s, so much more is allowed here


@pytest.mark.parametrize("run", sched.shares(SECONDS), ids=lambda run: run.name)
def test_share(run):
    results = run.run()
    slack = 1000 * ACCOUNT_S / SECONDS
    ranges = {key: (low - slack, high + slack) for key, (low, high) in LIMITS["ranges"].items()}
    assert set(results) & set(ranges), "nothing here has a range"
    wrong = measure.check(results, {**LIMITS, "ranges": ranges})
    assert not wrong, "; ".join(wrong)


def test_every_range_is_measured():
    """A range whose figure nobody produces would never fail."""
    keys = {guest.key for run in sched.shares() for guest in run.guests}
    assert keys == set(sched.SHARE_KEYS)
    assert set(LIMITS["ranges"]) <= keys
