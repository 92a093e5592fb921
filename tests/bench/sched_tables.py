# SPDX-License-Identifier: Apache-2.0
"""The scheduler's part of the measurements: its runs side by side, and its tables for docs/measurements.md."""
import concurrent.futures
import os
import time

from camber import sched

HOW = {"credit": "Camber, baseline", "hyper": "Camber, announced", "trans": "Camber, stock guest"}
LOAD = {"duty": "10/20/30 %", "even": "20/20/20 %", "burn": "3 × 100 %", "storm": "hostile", "siege": "hostile and 3 × 100 %"}
WAIT = {"abs": "until a time", "rel": "for 10 ms"}
SIZES = ("quick", "normal", "all")
QUICK_ROUNDS = 300


def size():
    """BENCH=quick: 300 rounds, and the document stays as it is; BENCH=all: also the baseline with work and with two."""
    chosen = os.environ.get("BENCH", "normal")
    if chosen not in SIZES:
        raise ValueError(f"BENCH={chosen}: allowed: {' '.join(SIZES)}")
    return chosen


def jobs():
    return int(os.environ.get("BENCH_JOBS", os.cpu_count() or 1))


def runs(chosen):
    """All runs of a size: objects with a name and run()."""
    rounds = QUICK_ROUNDS if chosen == "quick" else sched.ROUNDS
    return [*sched.experiments(rounds, baseline_variants=chosen == "all"), *sched.storms(), *sched.shares(),
            sched.OwnPath()]


def measure_all(chosen):
    """Runs everything, several at a time; the results don't depend on how many."""
    results = {}
    todo = runs(chosen)

    def timed(run):
        begin = time.monotonic()
        return run.run(), time.monotonic() - begin

    with concurrent.futures.ThreadPoolExecutor(jobs()) as pool:
        waiting = {pool.submit(timed, run): run for run in todo}
        try:
            for i, done in enumerate(concurrent.futures.as_completed(waiting), 1):
                figures, seconds = done.result()
                results.update(figures)
                print(f"  BENCH    {waiting[done].name} ({i} of {len(todo)}, {seconds:.0f} s)", flush=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return results


def row(*cells):
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def us(ns):
    """Microseconds, to the nanosecond where that is much, from nanoseconds."""
    if ns is None:
        return "–"
    return f"{ns / 1000:.3f}" if ns < 10000 else f"{ns / 1000:.1f}"


def experiment_table(results, peers, loads, variant=""):
    """One table: a block of rows for each load and way of sleeping, with the peers below."""
    lines = [row("others", "sleeps", "", "total s", "late p50 us", "p99.9 us", "max us"),
             "|---|---|---|---:|---:|---:|---:|"]
    for load in loads:
        for wait in sched.WAITS:
            for mode, how in HOW.items():
                name = sched.name_of(load, mode, wait, variant)
                if f"{name}_total_s" in results:
                    lines.append(row(LOAD[load], WAIT[wait], f"{how} (`{name}`)", f"{results[f'{name}_total_s']:.4f}",
                                     *(us(results.get(f"{name}_late_{key}_ns")) for key in ("p50", "p999", "max"))))
            for who, (total, *late) in peers["p1"].get("_".join(w for w in (load, wait, variant) if w), {}).items():
                lines.append(row(LOAD[load], WAIT[wait], who, f"{total:.3f}", *(f"{value:.1f}" for value in late)))
    return "\n".join(lines)


def own_path(results):
    return (f"The guest's own path, from its interrupt to its next sleep, takes {results['rt_own_path_ns']} ns on the bare "
            "machine (`rt_own_path_ns`). It is\npart of each round of a run *for 10 ms*, beside the lateness.")


def share_table(results, limits):
    lines = [row("", "permille of the CPU", "allowed"), "|---|---:|---:|"]
    for key, what in sched.SHARE_KEYS.items():
        if key in results:
            low, high = limits["ranges"].get(key, ("–", "–"))
            lines.append(row(f"{what} (`{key}`)", results[key], f"{low} to {high}"))
    return "\n".join(lines)
