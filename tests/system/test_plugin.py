# SPDX-License-Identifier: Apache-2.0
"""Two ways to count agree: what the guest measures is what the plugin sees executed in EL2, and the guest's own part."""
import sys

from camber import board, measure

sys.path.insert(0, str(board.TOP / "tests" / "bench"))
import breakdown  # noqa: E402

GUEST_INSNS = 16  # of the null hypercall's bracket: what the same guest measures without a hypervisor


def test_null_hypercall_is_what_was_executed():
    runs, listing = breakdown.breakdown("hvc_null", "hvc")
    alone = next(s for s in measure.SCENARIOS if s.name == "alone")
    one = measure.Scenario("plugin", alone.smp, alone.dts, {"hvc_null": "hvc_null"})
    assert measure.run_scenario(one)["hvc_null"] == len(listing) + GUEST_INSNS
    assert sum(count for _, _, count in breakdown.merged(runs)) == len(listing)


def test_counts(boot, folder):
    """Entries by cause: every null hypercall is one, and none is lost."""
    out = folder / "insn"
    dts = measure.profile(measure.vm(1, "probe", [0]))
    q = boot("counts", dts=dts, bootargs={"probe": "bench=hvc_null then=stay"}, icount=True, smp=1,
             plugin=f"out={out}")
    q.expect(r"^\[probe\] " + measure.DONE_LINE)
    events = measure.probe_events(q.text)["hvc_null"]
    q.quit()
    counts = measure.read_plugin(out)
    assert events["n"] <= counts["entries_hvc"] <= events["n"] + 20
    assert counts["insns_el3"] == 0 and 0 < counts["boot_el2"] < counts["insns_el2"]
    assert counts["insns_el0"] == 0 < counts["insns_el1"]
