#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measure everything: build/bench/results.json, the tables of docs/measurements.md, and the committed limits.

Exits with 1 if a figure is missing or beyond tests/bench/limits.json. Called by `make bench`. BENCH=quick runs the
scheduler's experiments shorter and leaves the document alone, BENCH=all runs more of them; BENCH_JOBS=<n> runs n at a time.
"""
import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
from camber import ExpectError, board, measure, sched, trace_cost  # noqa: E402
from camber.image import PackError  # noqa: E402

import breakdown  # noqa: E402
import sched_tables  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
DOCUMENT = board.TOP / "docs" / "measurements.md"

EVENTS = {
    "hvc_null": "null hypercall (HVC 0xEA1, `xen_version`)",
    "hvc_psci_version": "HVC 0, `PSCI_VERSION`",
    "mmio_gicd": "MMIO read `GICD_TYPER`",
    "mmio_gicr": "MMIO read `GICR_TYPER`",
    "mmio_isenabler": "MMIO write `GICD_ISENABLER1`",
    "mmio_uart": "MMIO read of the UART's flag register",
    "sysreg_trap": "trapped system register",
    "sysreg_cntp": "`CNTP_CTL_EL0`",
    "yield": "`SCHEDOP_yield`, nobody else runnable",
    "sgi_self": "self SGI, write to handler",
    "vtimer_spin": "virtual timer to handler, guest spinning",
    "vtimer_wfi": "virtual timer to handler, guest in WFI, CPU shared, 200 us ahead",
    "vtimer_wfi_10ms": "the same, 10 ms ahead",
    "vtimer_wfi_dedicated": "virtual timer to handler, guest in WFI, CPU of its own (Xen: null scheduler)",
    "yield_round": "yield round of two VMs on one CPU (two switches)",
    "sgi_cross_spin": "SGI to a spinning vCPU on another CPU",
    "sgi_cross_spin_send": "its cost to the sender",
    "sgi_cross_wfi": "SGI to a vCPU in WFI, CPUs shared",
    "sgi_cross_wfi_send": "its cost to the sender",
    "sgi_cross_wfi_dedicated": "SGI to a vCPU in WFI, CPU of its own (Xen: null scheduler)",
}
RTOS = {
    "rtos_switch": "task switch: from the call of `rtos_sem_give()` to the return of the woken task's `rtos_sem_take()`",
    "rtos_irq_to_task": "interrupt to task: from a timer's deadline, while another task computes, to the return of "
                        "`rtos_sleep_until()`",
}
SIZES = {
    "text_bytes": "code and constants, bytes (`.text`, `.rodata`)",
    "resident_bytes": "memory kept on a board with 1 GiB, without page tables, bytes",
    "table_bytes": "its page tables, bytes",
    "boot_insns": "reset to first guest instruction, without copying and checking images",
    "boot_insns_per_image_byte": "copying and checking images, instructions a byte",
    "boot_el2_permille": "a whole Debian boot, share spent in EL2, ‰",
    "boot_linux_insns": "the same boot, instructions in all",
    "boot_linux_el2_insns": "of them in EL2",
    "boot_linux_exits": "exceptions taken to EL2 in it",
}


def row(*cells):
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def event_table(results, limits, peers):
    lines = [row("event", "Camber p50", "max", "limit", "Xen 4.17 credit", "KVM nVHE", "no hypervisor"),
             "|---|---:|---:|---:|---:|---:|---:|"]
    for key, what in EVENTS.items():
        if key in results:
            lines.append(row(f"{what} (`{key}`)", results[key], results[f"{key}_max"], limits["limits"].get(key, "–"),
                             *peers["events"].get(key, ["–"] * 3)))
    return "\n".join(lines)


def size_table(results, limits, peers):
    lines = [row("", "Camber", "limit", "Xen 4.17", "Bao"), "|---|---:|---:|---:|---:|"]
    for key, what in SIZES.items():
        lines.append(row(f"{what} (`{key}`)", results[key], limits["limits"].get(key, "–"),
                         *peers["sizes"].get(key, ["–"] * 2)))
    return "\n".join(lines)


def rtos_table(results, limits):
    lines = [row("the real-time guest's kernel, bare", "p50", "max of all ways", "limit"), "|---|---:|---:|---:|"]
    lines += [row(f"{what} (`{key}`)", results[key], results[f"{key}_max"], limits["limits"][key])
              for key, what in RTOS.items()]
    return "\n".join(lines)


def breakdown_table(parts):
    lines = [row("function", "inlined there", "instructions"), "|---|---|---:|"]
    lines += [row(f"`{outer}`", f"`{inner}`" if inner else "", count) for outer, inner, count in parts]
    lines.append(row("all of EL2", "", sum(count for _, _, count in parts)))
    return "\n".join(lines)


def trace_table(rows, results, limits):
    """What an event costs: with its class on; with all off."""
    lines = [row("in the guest's event", "trace class on", "events", "instructions more", "an event"), "|---|---|---:|---:|---:|"]
    for key, name, events, insns in rows:
        what = "none, beside a hypervisor without the trace" if name == "off" else f"`{name}`"
        lines.append(row(f"`{key}`", what, events, insns, round(insns / events, 2)))
    lines += [row(f"the most, class {state} (`{key}`, limit {limits['limits'][key]})", "", "", "", results[key])
              for key, state in (("trace_on_insns", "on"), ("trace_off_insns", "off"))]
    return "\n".join(lines)


def explained_table(limits):
    return "\n".join(f"- `{key}`: {why}" for key, why in limits["max_explained"].items()) or "None."


def replace_part(text, name, table):
    """The document's text with what stands between the two markers of a part replaced."""
    begin, end = f"<!-- bench:{name} -->", f"<!-- bench:{name} end -->"
    if begin not in text or end not in text:
        sys.exit(f"bench: {DOCUMENT}: markers {begin} and {end} are missing")
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    return pattern.sub(lambda _: f"{begin}\n{table}\n{end}", text)


def measure_all(size):
    results = measure.text_bytes()
    for scenario in measure.SCENARIOS:
        print(f"  BENCH    {scenario.name}", flush=True)
        results.update(measure.run_scenario(scenario))
    for name, run in (("boot of the probe", measure.boot_probe), ("boot of Linux", measure.boot_linux)):
        print(f"  BENCH    {name}", flush=True)
        results.update(run())
    print("  BENCH    costs of the trace", flush=True)
    rows = trace_cost.table()
    results.update(trace_cost.costs(rows))
    results.update(sched_tables.measure_all(size))
    return results, rows


def write_document(results, limits, peers, runs, trace_rows):
    """The tables of docs/measurements.md."""
    tables = {
        "events": event_table(results, limits, peers),
        "sizes": size_table(results, limits, peers),
        "rtos": rtos_table(results, limits),
        "hvc_null": breakdown_table(breakdown.merged(runs)),
        "trace": trace_table(trace_rows, results, limits),
        "maxima": explained_table(limits),
        "shares": sched_tables.share_table(results, limits),
        "p1": sched_tables.experiment_table(results, peers, sched.LOADS),
        "p1_work": sched_tables.experiment_table(results, peers, sched.LOADS, "work"),
        "p1_two": sched_tables.experiment_table(results, peers, sched.LOADS, "two"),
        "p1_storm": sched_tables.experiment_table(results, peers, ["storm", "siege"]),
        "p1_own": sched_tables.own_path(results),
    }
    text = DOCUMENT.read_text()
    for name, table in tables.items():
        text = replace_part(text, name, table)
    DOCUMENT.write_text(text)


def main():
    limits = json.loads((HERE / "limits.json").read_text())
    peers = json.loads((HERE / "peers.json").read_text())
    size = sched_tables.size()
    out = board.BUILD / "bench"
    out.mkdir(parents=True, exist_ok=True)
    results, trace_rows = measure_all(size)
    (out / "results.json").write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    runs, listing = breakdown.breakdown("hvc_null", "hvc")
    (out / "hvc_null.txt").write_text("\n".join(listing) + "\n")
    for key, value in sorted(results.items()):
        print(f"{key:44} {value}")
    if size != "quick":
        write_document(results, limits, peers, runs, trace_rows)
    print(f"bench: {out / 'results.json'}{'' if size == 'quick' else f' and {DOCUMENT}'} written")
    wrong = measure.check(results, limits)
    wrong += [f"{key}: not measured" for key in [*limits["limits"], *limits["ranges"]] if key not in results]
    for line in wrong:
        print(f"bench: {line}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ExpectError, PackError, measure.MeasureError, OSError, ValueError) as e:
        sys.exit(f"bench: {e}")
