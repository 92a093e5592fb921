# SPDX-License-Identifier: Apache-2.0
"""The cheap part of `make bench`: deterministic figures, none beyond tests/bench/limits.json."""
import json

import pytest
from camber import board, measure, trace_cost

LIMITS = json.loads((board.TOP / "tests" / "bench" / "limits.json").read_text())


def check(results):
    wrong = measure.check(results, LIMITS)
    assert not wrong, "; ".join(wrong)


@pytest.mark.parametrize("scenario", measure.SCENARIOS, ids=lambda scenario: scenario.name)
def test_events(scenario):
    check(measure.run_scenario(scenario))


def test_code_size():
    check(measure.text_bytes())


def test_boot_and_memory():
    check(measure.boot_probe())


def test_linux_boot():
    check(measure.boot_linux())


def test_trace():
    check(trace_cost.costs(trace_cost.table()))


def test_every_limit_is_measured():
    """A limit whose figure nobody produces would never fail."""
    measured = {name for scenario in measure.SCENARIOS for name in scenario.keys.values()}
    measured |= {"text_bytes", "resident_bytes", "boot_insns", "boot_insns_per_image_byte", "boot_el2_permille",
                 "trace_on_insns", "trace_off_insns"}
    assert set(LIMITS["limits"]) <= measured
    assert set(LIMITS["max_explained"]) <= {f"{name}_max" for name in measured}
