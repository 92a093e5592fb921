# SPDX-License-Identifier: Apache-2.0
"""A real-time guest beside busy ones on its CPU: `make bench` at 3,000 rounds, here at fewer, with the same limits."""
import json

import pytest
from camber import board, measure, sched

LIMITS = json.loads((board.TOP / "tests" / "bench" / "limits.json").read_text())
ROUNDS = 200

# Every load, mode and way to sleep; of the variants what has most to do with each other.
RUNS = [run for run in sched.experiments(ROUNDS) if run.mode != "credit" and
        (run.variant == "" or (run.load == "duty" and run.wait == "rel") or (run.load == "burn" and run.wait == "abs"))]


def check(results):
    unlimited = [key for key in results if not key.endswith("_total_s") and measure.limit_of(key, LIMITS) is None]
    wrong = measure.check(results, LIMITS)
    assert not wrong and not unlimited, "; ".join(wrong + [f"{key}: without a limit" for key in unlimited])


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_on_time(run):
    check(run.run())


@pytest.mark.parametrize("run", [sched.Storm("trans", "abs", rounds=60), sched.Storm("hyper", "rel", rounds=60),
                                 sched.Storm("hyper", "abs", "siege", rounds=60)],
                         ids=lambda run: run.name)
def test_hostile_neighbours(run):
    """Wake-up storms and calls that make no sense, on the same CPU."""
    check(run.run())


@pytest.mark.parametrize("wait", sched.WAITS)
def test_baseline_is_late(wait):
    """The same guests with sched=credit: if nobody were late here, the runs above would show nothing."""
    run = sched.Experiment("duty", "credit", wait, rounds=3 * ROUNDS)  # long enough for all phases to each other
    results = run.run()
    limit = measure.limit_of(f"{sched.name_of('duty', 'trans', wait)}_late_max_ns", LIMITS)
    assert results[f"{run.name}_late_max_ns"] > 100 * limit


def test_own_path():
    run = sched.OwnPath(ROUNDS)
    assert 0 < run.run()["rt_own_path_ns"] < 1000
