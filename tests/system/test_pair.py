# SPDX-License-Identifier: Apache-2.0
"""Two VMs that share a CPU in time slices: each keeps its timer interrupts and its FP/SIMD registers."""
import pytest
from camber import probe

PAIRS = {
    "timers-against-timers": ("run=timer_keep,ptimer_keep,timer_keep_both", "role=timer-peer"),
    "timers-against-computing": ("run=timer_keep,ptimer_keep,timer_keep_both", "role=compute-peer"),
    "timers-against-yielding": ("run=timer_keep,ptimer_keep,timer_keep_both", "role=peer"),
    "fp-against-fp": ("run=fpsimd", "role=fp-peer"),
    "fp-and-interrupts-against-fp": ("run=fpsimd_irq,fpsimd_cpacr", "role=fp-peer"),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_pair(boot, icount, pair):
    mine, peers = PAIRS[pair]
    q = boot("probe-pair", bootargs={"probe1": mine + " then=stay", "probe2": peers + " then=stay"}, **icount)
    done = q.expect(r"^\[probe1\] probe: done (\d+) ok, (\d+) failed, (\d+) skipped$")
    verdicts = probe.verdicts(q.text, "probe1")
    bad = {name: verdict for name, verdict in verdicts.items() if verdict[0] != "ok"}
    assert not bad and len(verdicts) == int(done.group(1)) > 0, bad
    assert "probe: peer" not in q.text, "the partner ended or failed: " + q.tail(5)


def test_both_halves_keep_all_timers(boot, icount):
    """The same cases in both VMs at once: neither loses an interrupt to the other."""
    arguments = "run=timer_keep,ptimer_keep,timer_keep_both,fpsimd then=stay"
    q = boot("probe-pair", bootargs={"probe1": arguments, "probe2": arguments}, **icount)
    for done in q.expect_all([rf"^\[probe{i}\] probe: done (\d+) ok, (\d+) failed, (\d+) skipped$" for i in (1, 2)]):
        assert done.groups() == ("4", "0", "0"), q.tail()
