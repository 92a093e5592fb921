# SPDX-License-Identifier: Apache-2.0
"""8 vCPUs on 4 CPUs: work doesn't wait where a CPU is idle. The host's simulation (tests/unit/sched) proves it exactly;
this is the same seen from outside, with a real machine's timers and interrupts.

-icount lets the CPUs run in turn, each for a share of the time to the machine's next timer. A guest that only ticks, on a
CPU of its own, keeps that time short where it matters.
"""
import pytest
from camber import sched
from camber.sched import Guest

CPUS, MASK = 4, 0xf
SECONDS = 2
DIFFERENCES = ("run", "waited", "wakeups", "moves")
LATE_NS = 1_000_000
ACCOUNT_US = 30000  # credits may differ by as much

# When these are awake: cycle, begin and end in us. At any time at most two are; each overlaps with two others, for 1.5 ms
# or more: first, second; second, third; third, fourth; fourth and first with the fifth, which is awake twice in 40 ms. A
# circle of five: two CPUs can't hold them in peace unless somebody moves. The sixth is awake alone.
AWAKE = ((40000, 500, 8000), (40000, 6000, 15000), (40000, 13000, 19500), (40000, 17500, 28000), (20000, 1000, 4000),
         (40000, 29000, 39500))
METRONOME = Guest("metronome", "quiet period-us=200", mask=1 << CPUS, kernel="rtos/rtos.elf")


def awake(cycle_us, begin_us, end_us):
    """A guest that computes between two points of each cycle of the clock, however little that is, and sleeps else."""
    return f"role=dodge grid-us={cycle_us} behind-us={begin_us} ahead-us={cycle_us - end_us}"


def figures(folder, name, guests, *others):
    """What `sched stat` counts from when the guests are up to their reports: "vm/vcpu" -> figures, and CPU -> idle."""
    for guest in guests:
        guest.bootargs += f" report-ms={1000 * SECONDS}"
    vcpus, cpus = sum(guest.cpus for guest in [*guests, *others]), CPUS + len(others)
    with sched.machine(folder, name, [*guests, *others], smp=cpus) as q:
        q.expect_all([rf"^\[{guest.label}\] probe: up$" for guest in guests])
        q.focus("the monitor")
        before, idle_before = sched.monitor_stat(q, vcpus, cpus)
        q.expect_all([rf"^\[{guest.label}\] probe: [a-z]+ did=\d+ in=\d+" for guest in guests])
        after, idle_after = sched.monitor_stat(q, vcpus, cpus)
    units = {f"{vm}/{vcpu}": {"late": line["late"], **{key: line[key] - before[vm, vcpu][key] for key in DIFFERENCES}}
             for (vm, vcpu), line in after.items() if vm in (guest.label for guest in guests)}
    return units, {cpu: idle_after[cpu]["idle"] - idle_before[cpu]["idle"] for cpu in range(CPUS)}


def test_nothing_is_idle_while_all_burn(folder):
    """8 that never stop: no CPU is idle, and each of them gets half of one."""
    units, idle = figures(folder, "smp-burn", [Guest(f"g{i}", "role=burn", mask=MASK) for i in range(8)])
    assert max(idle.values()) <= 1000, f"idle for so many us: {idle}"
    mean = sum(line["run"] for line in units.values()) / len(units)
    assert mean > 0.2e6 * SECONDS
    for vm, line in units.items():
        assert line["run"] == pytest.approx(mean, abs=0.01 * mean + ACCOUNT_US), vm


def test_nobody_waits_while_a_cpu_is_idle(folder):
    """8 of which four at most want to run: whoever wakes finds a CPU, wherever he was last."""
    walkers = [Guest(f"x{i}", awake(*times), mask=MASK) for i, times in enumerate(AWAKE)]
    units, idle = figures(folder, "smp-walkers", [
        *walkers, Guest("hog", "role=burn", cpus=2, mask=MASK)], METRONOME)
    time_us = (sum(line["run"] for line in units.values()) + sum(idle.values())) / CPUS
    assert time_us > 0.5e6 * SECONDS, "measured for too short a time"
    for i, (cycle_us, begin_us, end_us) in enumerate(AWAKE):
        share = (end_us - begin_us) / cycle_us
        assert units[f"x{i}/0"]["run"] > 0.9 * share * time_us, f"x{i}: {units} in {time_us:.0f} us"
    waited = {unit: line["waited"] for unit, line in units.items() if line["waited"] > 0.01 * time_us}
    assert not waited, f"waited for so many us of {time_us:.0f} although at most four wanted to run: {waited}"
    late = {unit: line["late"] for unit, line in units.items() if line["late"] > LATE_NS}
    assert not late, f"woken, and so many ns later running: {late}"
    assert sum(units[f"x{i}/0"]["moves"] for i in range(len(AWAKE))) > 0, f"nobody moved: {units}"
    assert sum(idle.values()) > 0.1 * time_us, f"no CPU was idle: {idle}"
