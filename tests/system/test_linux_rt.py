# SPDX-License-Identifier: Apache-2.0
"""Stock Linux with PREEMPT_RT as a real-time VM: beside two busy guests on its CPU cyclictest's worst latency is at most half as
long again as alone there, as long as its budget lasts."""
import pytest
from camber import Qemu, linux, measure, pack, sched
from camber.image import scratch

LOOPS, INTERVAL_US = 1000, 10000
# The kernel's own worst cases are rare (its tick and other timers at the same moment), and a CPU that is idle costs no time.
LOOPS_ALONE = 10000
RATIO = 1.5

REAL_TIME = "rt; rt-budget-us = <5000>; rt-period-us = <10000>; weight = <256>;"
# What never rests never wakes up either; the others do, and so would compete with a wake-up that is merely boosted.
HOGS = {"never-rest": "role=burn", "wake-up": "role=burn duty=35 cycle-us=9970"}


def machine(loops, props="", hog=None, *, steps=("cyclictest",), interval_us=INTERVAL_US):
    """Arguments of pack() and boot(): Linux with these properties of `sched`, and two hogs or none."""
    nodes = [measure.vm(1, "linux", [0], kernel="linux/vmlinuz", memory=512,
                        more=f'initrd = "linux/initramfs.cpio.gz"; sched {{ {props} }};')]
    bootargs = {"linux": linux.run(*steps, cyclictest=f"{loops},{interval_us}")}
    for i in range(2 if hog else 0):
        nodes.append(measure.vm(2 + i, f"hog{i}", [0]))
        bootargs[f"hog{i}"] = hog
    return {"dts": measure.profile(*nodes), "bootargs": bootargs, **linux.variant("-rt")}


def figures(q, loops):
    found = linux.cyclictest(q)
    assert found["threads"] == 1 and found["loops"] == loops
    return found


@pytest.fixture(scope="module")
def alone():
    """The figures of Linux that has the CPU to itself."""
    with scratch() as folder:
        image = pack(folder, "linux1", **machine(LOOPS_ALONE))
        with Qemu(image, name="test_linux_rt.py-alone", icount=True, smp=1) as q:
            return figures(q, LOOPS_ALONE)


@pytest.fixture
def run(boot, icount):
    """run(loops, ...as machine()) -> figures, QEMU."""
    def start(loops, *arguments, **options):
        q = boot("linux1", **machine(loops, *arguments, **options), smp=1, quiet_s=sched.QUIET_S, **icount)
        return figures(q, loops), q
    return start


@pytest.mark.parametrize("loops", [LOOPS, pytest.param(10000, marks=pytest.mark.soak)])
@pytest.mark.parametrize("hogs", HOGS)
def test_beside_two(run, alone, hogs, loops):
    found, q = run(loops, REAL_TIME, HOGS[hogs])
    q.focus("the monitor")
    shares = sched.run_permille(*sched.monitor_stat(q, 3))
    least = 990 if hogs == "never-rest" else 550
    assert 1000 - shares[None] >= least and shares["linux"] <= 500, f"not the load that it should be, in permille: {shares}"
    assert found["avg"] <= 1.2 * alone["avg"], f"alone {alone}, beside two {found}"
    assert found["max"] <= RATIO * alone["max"], f"alone {alone}, beside two {found}"


def busy(run, props):
    """Beside guests that never rest, with a process that never rests in Linux too. Steps of 10.37 ms: all phases to periods occur."""
    return run(500, props, HOGS["never-rest"], steps=("while :; do :; done &", "cyclictest"), interval_us=10370)[0]


@pytest.mark.parametrize("budget_us, period_us", [(500, 1000), pytest.param(5000, 10000, marks=pytest.mark.slow)])
def test_budget_used_up(run, alone, budget_us, period_us):
    """A process that uses up the vCPU's budget: whatever comes then waits for the next period, and no longer."""
    found = busy(run, f"rt; rt-budget-us = <{budget_us}>; rt-period-us = <{period_us}>;")
    wait_ns = 1000 * (period_us - budget_us)
    assert wait_ns / 2 < found["max"] <= wait_ns + alone["max"], f"alone {alone}, beside two {found}"


def test_without_real_time(run):
    """The same as an ordinary VM waits for the others' turns, of a millisecond each: what the tests above do without."""
    found = busy(run, "")
    assert found["max"] > 1_500_000, found
