# SPDX-License-Identifier: Apache-2.0
"""What is measured of the scheduler, and how: deterministic runs that give a flat dictionary key -> number, as in
measure.py.

The experiment: on one CPU a real-time guest wakes every 10 ms, 3,000 times, beside three VMs that burn CPU time. Its
lateness is from the programmed deadline to the first instruction of its interrupt handler. Then shares: what guests that
burn without end, that are capped, that never sleep or that dodge the scheduler's tick get of a CPU.
"""
import re

from . import board, measure, probe
from .image import pack, scratch
from .qemu import ExpectError, Qemu, compile_lines

PERIOD_NS = 10_000_000
ROUNDS = 3000
START_MS = 100
SHARE_S = 10
WORK_US = 1000
BUDGET_US, PERIOD_US = 2000, 10000
QUIET_S = 600  # a CPU that is never idle computes 30 s of virtual time without a line

MODES = ("credit", "hyper", "trans")  # the baseline, sleeps announced by hypercall, a stock guest
WAITS = ("abs", "rel")                # until a time on a grid, or for 10 ms from now
VARIANTS = ("", "work", "two")        # also computes 1 ms a period; two real-time VMs on the CPU
PHASES_US = (0, 4900)                 # of the two

# Percent of the CPU that each of the others wants, and how long their cycles are: all phases to each other and to the 10 ms
# occur.
LOADS = {"duty": (10, 20, 30), "even": (20, 20, 20), "burn": (100, 100, 100)}
CYCLES_US = (29970, 30940, 31910)

P1_LINE = (r"p1: total_ns=(?P<total>\d+) own_ns=(?P<own>\d+) late_p50_ns=(?P<p50>\d+) late_p99_ns=(?P<p99>\d+) "
           r"late_p999_ns=(?P<p999>\d+) late_max_ns=(?P<max>\d+) overruns=(?P<overruns>\d+)$")
DID_LINE = (r"^\[(?P<label>[a-z0-9_-]+)\] probe: (?P<role>[a-z-]+) did=(?P<did>\d+) in=(?P<in>\d+)"
            r"(?: each=(?P<each>[0-9,]+))?$")

PARAMS_LINE = (r"^sched: mode (?P<mode>rt|credit) slice-us (?P<slice>\d+) account-us (?P<account>\d+) "
               r"demote-us (?P<demote>\d+) min-sleep-us (?P<min_sleep>\d+)$")
LIST_LINE = (r"^(?P<vm>[a-z0-9_-]+) +vCPU (?P<vcpu>\d+) on CPU (?P<cpu>\d+) (?P<state>off|blocked|queued|running) +"
             r"(?P<class>rt|boost|under|over|idle|parked|-) +weight (?P<weight>\d+) cap (?P<cap>\d+) % "
             r"credit (?P<credit>-?\d+) us"
             r"(?:, budget (?P<budget>\d+) of (?P<period>\d+) us, left (?P<left>-?\d+) us)?$")
STAT_LINE = (r"^(?P<vm>[a-z0-9_-]+) +vCPU (?P<vcpu>\d+): run (?P<run>\d+) us waited (?P<waited>\d+) us, rt (?P<rt>\d+) "
             r"boost (?P<boost>\d+) under (?P<under>\d+) over (?P<over>\d+) us, wake-ups (?P<wakeups>\d+) "
             r"turns (?P<turns>\d+) moves (?P<moves>\d+) overruns (?P<overruns>\d+), late at worst (?P<late>\d+) ns$")
CPU_LINE = r"^CPU (?P<cpu>\d+): idle (?P<idle>\d+) us, promised to RT (?P<promised>[0-9.]+) %$"


# ---- the monitor's figures ----

def parse(pattern, text):
    """The lines of a monitor's answer as dictionaries; what is a number is one."""
    def value(word):
        return int(word) if word is not None and re.fullmatch(r"-?\d+", word) else word

    return [{key: value(word) for key, word in m.groupdict().items()}
            for m in re.finditer(compile_lines(pattern), text)]


def said(q, command, *last):
    """What the monitor, which has the focus, says to a command: from its echo to the last one of these lines."""
    q.mark()
    q.line(command)
    begin = q.expect(rf"^camber> {re.escape(command)}$").end()
    q.expect_all(last)
    return q.text[begin:]


def monitor_stat(q, vcpus, cpus=1):
    """`sched stat`: (vm, vcpu) -> figures, and CPU -> figures."""
    text = said(q, "sched stat", *(rf"^CPU {cpu}: idle \d+ us.*$" for cpu in range(cpus)))
    units = {(line["vm"], line["vcpu"]): line for line in parse(STAT_LINE, text)}
    idle = {line["cpu"]: line for line in parse(CPU_LINE, text)}
    if len(units) != vcpus or len(idle) != cpus:
        raise ExpectError(f"sched stat: lines for {len(units)} vCPUs and {len(idle)} CPUs\n{q.tail()}")
    return units, idle


def run_permille(units, idle):
    """vm -> permille of the time that its CPUs have seen so far; None: idle."""
    total = sum(line["run"] for line in units.values()) + sum(line["idle"] for line in idle.values())
    shares = {None: 1000 * sum(line["idle"] for line in idle.values()) / total}
    for (vm, _), line in units.items():
        shares[vm] = shares.get(vm, 0) + 1000 * line["run"] / total
    return shares


# ---- guests ----

class Guest:
    """A VM on CPU 0, or on those of a mask: its boot arguments, what stands in its node `sched`, its share's key if any."""

    def __init__(self, label, bootargs, props="", *, cpus=1, mask=None, kernel="probe/probe.elf", key=None):
        self.label, self.bootargs, self.props, self.cpus, self.mask = label, bootargs, props, cpus, mask
        self.kernel, self.key = kernel, key

    def node(self, index):
        where = f"pcpus = <{' '.join('0' * self.cpus)}>" if self.mask is None else f"pcpu-masks = <{self.mask:#x}>"
        sched = f"sched {{ {self.props} }};" if self.props else ""
        return (f'vm@{index} {{ compatible = "camber,vm"; label = "{self.label}"; cpus = <{self.cpus}>; {where}; '
                f'memory-mib = <16>; kernel = "{self.kernel}"; {sched} }};\n')


def budget(budget_us, period_us):
    return f"rt; rt-budget-us = <{budget_us}>; rt-period-us = <{period_us}>;"


def profile(guests):
    return measure.profile(*(guest.node(1 + i) for i, guest in enumerate(guests)))


def bootargs(guests, more=""):
    return {guest.label: guest.bootargs + more for guest in guests}


def machine(folder, name, guests, more="", **arguments):
    """A QEMU with these guests, for a with statement; `more` is a part of everybody's boot arguments."""
    image = pack(folder, name, dts=profile(guests), bootargs=bootargs(guests, more))
    arguments = {"icount": True, "smp": 1, "memory": "1G", "quiet_s": QUIET_S, "name": f"bench-{name}", **arguments}
    q = Qemu(image, **arguments)
    q.fatal = (*q.fatal, "p1: FAIL", "probe: FAIL", "no guest can be started")
    return q


def baseline(mode):
    """QEMU's arguments for a mode of the scheduler, from the board's boot on."""
    return ["-append", "sched=credit"] if mode == "credit" else []


def rtos_args(mode, wait, rounds, *, work_us=0, phase_us=0):
    """Its rounds begin when the others have come up."""
    how = "announce" if mode == "hyper" else "wfi"
    return (f"sleep={wait} how={how} rounds={rounds} period-us={PERIOD_US} work-us={work_us} phase-us={phase_us} "
            f"start-ms={START_MS}")


def hogs(load):
    return [Guest(f"hog{i}", f"role=burn duty={duty} cycle-us={cycle_us}")
            for i, (duty, cycle_us) in enumerate(zip(LOADS[load], CYCLES_US))]


# ---- the experiment ----

def name_of(load, mode, wait, variant=""):
    """What a run's keys begin with."""
    return "_".join(word for word in ("rt", load, mode, wait, variant) if word)


class Experiment:
    """One run of it. In the baseline the real-time guests have the default weight, as the others; their budget means
    nothing."""

    also = ()  # lines to wait for besides the real-time guests'

    def __init__(self, load, mode, wait, variant="", *, rounds=ROUNDS, others=None):
        self.load, self.mode, self.wait, self.variant, self.rounds = load, mode, wait, variant, rounds
        self.name = name_of(load, mode, wait, variant)
        self.work_us = WORK_US if variant == "work" else 0
        self.others = others or hogs(load)
        self.rtos = [Guest(f"rtos{i}", rtos_args(mode, wait, rounds, work_us=self.work_us, phase_us=phase_us),
                           budget(BUDGET_US, PERIOD_US), kernel="rtos/p1.elf")
                     for i, phase_us in enumerate(PHASES_US[:2 if variant == "two" else 1])]

    def run(self):
        """Its share of the results; of two real-time guests the worse one's."""
        guests = self.others + self.rtos
        with scratch() as folder, machine(folder, self.name, guests, extra=baseline(self.mode)) as q:
            patterns = [rf"^\[{guest.label}\] {P1_LINE}" for guest in self.rtos]
            q.expect_all(patterns + list(self.also))
            found = [re.search(compile_lines(pattern), q.text) for pattern in patterns]
            self.check_lines(q.text)
            q.focus("the monitor")
            self.check_load(*monitor_stat(q, sum(guest.cpus for guest in guests)))
        worst = {key: max(int(m[key]) for m in found) for key in ("total", "p50", "p999", "max")}
        results = {f"{self.name}_total_s": worst["total"] / 1e9}
        # Of fewer rounds the 99.9th percentile is the maximum.
        keys = ("p50", "p999", "max") if self.rounds >= 1000 else ("p50", "max")
        results.update({f"{self.name}_late_{key}_ns": worst[key] for key in keys})
        if self.wait == "rel":
            excess = worst["total"] - self.rounds * (PERIOD_NS + 1000 * self.work_us)
            results[f"{self.name}_excess_ns_per_round"] = round(excess / self.rounds, 1)
        return results

    def check_lines(self, text):
        """What else has to be right in the console's text."""

    def check_load(self, units, idle):
        """The others did burn what the run's name says; where they want more than there is, nothing is left over."""
        permille, wrong = run_permille(units, idle), {}
        for guest, duty in zip(self.others, LOADS.get(self.load, ())):
            if duty < 100 and not 7.5 * duty < permille[guest.label] < 10.5 * duty:
                wrong[guest.label] = permille[guest.label]
        if self.load == "burn" and permille[None] > 1:
            wrong["idle"] = permille[None]
        if wrong:
            raise measure.MeasureError(f"{self.name}: not the load that it should be, in permille: {wrong}")


# What a hostile guest can do about time: calls of the hypervisor's real-time functions that it may not make, or that make
# no sense.
CALLS = ("call_uid,call_denied,call_sleep_absurd,call_sleep_until_absurd,call_mode_absurd,call_unknown,exits_camber_mode,"
         "exits_camber_sleep")
STORM_ROUNDS = 100  # each wake-up costs QEMU more than a thousand instructions of a guest
STORM_WAKEUPS = 10  # per round and VM, at least: else it is no storm


class Storm(Experiment):
    """The others: wake-ups without end, by timer and by interrupts between siblings, hostile calls; `siege`: beside three that
    burn, so that the storms have no more than their share of the CPU."""

    also = (r"^\[calls\] " + measure.DONE_LINE,)

    def __init__(self, mode, wait, load="storm", *, rounds=STORM_ROUNDS):
        super().__init__(load, mode, wait, rounds=rounds, others=[
            Guest("storm", "role=storm nap-us=5"), Guest("ipi", "role=ipi-storm", cpus=2),
            Guest("calls", f"wait-ms={START_MS} run={CALLS} then=stay"), *(hogs("burn") if load == "siege" else [])])

    def check_lines(self, text):
        """Each call was answered as it should be."""
        verdicts = probe.verdicts(text, "calls")
        wrong = [f"{name} {' '.join(verdicts.get(name, ['missing']))}" for name in CALLS.split(",")
                 if verdicts.get(name, [""])[0] != "ok"]
        if wrong:
            raise measure.MeasureError(f"{self.name}: {'; '.join(wrong)}")

    def check_load(self, units, idle):
        for label in ("storm", "ipi"):
            count = sum(line["wakeups"] for (vm, _), line in units.items() if vm == label)
            if count < STORM_WAKEUPS * self.rounds:
                raise measure.MeasureError(f"{self.name}: no storm, {label} was woken {count} times")


def storms(rounds=STORM_ROUNDS):
    return [Storm(mode, wait, load, rounds=rounds) for load in ("storm", "siege") for mode in MODES if mode != "credit"
            for wait in WAITS]


def experiments(rounds=ROUNDS, *, baseline_variants=False):
    """All runs: the baseline with work or with two real-time guests only if wanted, for they have no limits to hold."""
    return [Experiment(load, mode, wait, variant, rounds=rounds)
            for variant in VARIANTS for load in LOADS for wait in WAITS for mode in MODES
            if mode != "credit" or not variant or baseline_variants]


class OwnPath:
    """What the real-time guest's own path adds to each round, on the bare machine."""

    name = "rt_own_path"

    def __init__(self, rounds=ROUNDS):
        self.rounds = rounds

    def run(self):
        arguments = rtos_args("trans", "rel", self.rounds)
        with Qemu(board.GUESTS / "rtos" / "p1.elf", name=f"bench-{self.name}", icount=True, smp=1, memory="16M",
                  extra=["-M", "virtualization=off", "-append", arguments]) as q:
            m = q.expect("^" + P1_LINE)
        return {f"{self.name}_ns": int(m["own"])}


# ---- shares ----

class Shares:
    """Guests on one CPU; what each has got of it in the end, in permille of the time, as its own count of work says."""

    def __init__(self, name, guests, *, mode="trans", seconds=SHARE_S):
        self.name, self.guests, self.mode, self.seconds = name, guests, mode, seconds

    def run(self):
        with scratch() as folder, machine(folder, self.name, self.guests, f" report-ms={1000 * self.seconds}",
                                          extra=baseline(self.mode)) as q:
            q.expect_all([DID_LINE.replace(r"(?P<label>[a-z0-9_-]+)", guest.label) for guest in self.guests])
            lines = {line["label"]: line for line in parse(DID_LINE, q.text)}
        return {guest.key: round(1000 * lines[guest.label]["did"] / lines[guest.label]["in"], 2)
                for guest in self.guests if guest.key}


def shares(seconds=SHARE_S):
    """All of them; the ranges in tests/bench/limits.json say what is right."""
    def guests(*rows):
        return [Guest(f"g{i}", args, props, key=f"sched_{key}_permille") for i, (key, args, props) in enumerate(rows)]

    def capped(*others):
        return guests(*((f"cap_{percent}{'_beside' if others else ''}", "role=burn", f"cap-percent = <{percent}>;")
                        for percent in (20, 40)), *others)

    def never_sleeps(mode):
        announce = " announce=1" if mode == "hyper" else ""
        return guests((f"rtburn_{mode}", f"role=rtburn{announce}", budget(BUDGET_US, PERIOD_US)),
                      *((f"rtburn_{mode}_other{i}", "role=burn", "") for i in range(2)))

    def dodger(suffix):
        return guests((f"dodge{suffix}", "role=dodge", ""), (f"dodge{suffix}_other", "role=burn", ""))

    return [Shares(name, them, mode=mode, seconds=seconds) for name, them, mode in (
        ("sched_weight", guests(*((f"weight_{n}", "role=burn", f"weight = <{256 * n}>;") for n in (1, 2, 4))), "trans"),
        ("sched_cap", capped(), "trans"),
        ("sched_cap_beside", capped(("cap_beside_other", "role=burn", "")), "trans"),
        ("sched_rtburn_trans", never_sleeps("trans"), "trans"),
        ("sched_rtburn_hyper", never_sleeps("hyper"), "hyper"),
        ("sched_dodge", dodger(""), "trans"),
        ("sched_dodge_credit", dodger("_credit"), "credit"))]


SHARE_KEYS = {
    "sched_weight_1_permille": "weight 256",
    "sched_weight_2_permille": "weight 512 beside it",
    "sched_weight_4_permille": "weight 1024 beside them",
    "sched_cap_20_permille": "cap 20 %",
    "sched_cap_40_permille": "cap 40 % beside it, the CPU idle else",
    "sched_cap_20_beside_permille": "cap 20 %",
    "sched_cap_40_beside_permille": "cap 40 % beside it",
    "sched_cap_beside_other_permille": "no cap, beside them",
    "sched_rtburn_trans_permille": "real-time VM, 2 ms in 10 ms, never sleeps",
    "sched_rtburn_trans_other0_permille": "one of two ordinary VMs beside it",
    "sched_rtburn_trans_other1_permille": "the other",
    "sched_rtburn_hyper_permille": "real-time VM, 2 ms in 10 ms, announces its sleeps, never sleeps",
    "sched_rtburn_hyper_other0_permille": "one of two ordinary VMs beside it",
    "sched_rtburn_hyper_other1_permille": "the other",
    "sched_dodge_permille": "dodger",
    "sched_dodge_other_permille": "beside it",
    "sched_dodge_credit_permille": "dodger, baseline",
    "sched_dodge_credit_other_permille": "beside it",
}
