# SPDX-License-Identifier: Apache-2.0
"""What is measured, and how: deterministic runs that give a flat dictionary key -> number.

One instruction is one nanosecond of virtual time here (-icount shift=0, counter at 1 GHz), so ns = instructions. The events
are defined by guests/probe/bench_events.S, the same as those that the peers' figures in docs/measurements.md were made with.
"""
import re
import struct

from . import board
from .image import pack, scratch
from .qemu import Qemu

BENCH_LINE = (r"^(?:\[[a-z0-9_-]+\] )?probe: bench (?P<key>\w+) n=(?P<n>\d+) min=(?P<min>\d+) p50=(?P<p50>\d+) "
              r"p99=(?P<p99>\d+) max=(?P<max>\d+)$")
RTOS_BENCH_LINE = r"^rtos-test: bench (?P<key>\w+) n=\d+ min=\d+ p50=(?P<p50>\d+) p99=\d+ max=(?P<max>\d+)$"
DONE_LINE = r"probe: done (\d+) ok, (\d+) failed, (\d+) skipped$"
LOAD_LINE = r"\bvm ([a-z0-9_-]+): loaded (\d+) bytes in (\d+) ticks"
MEMORY_LINE = r"\bmem: total=(\d+) kept=(\d+) tables=(\d+) free=(\d+)"

PSCI_SYSTEM_OFF = "0x84000008"

SHF_WRITE, SHF_ALLOC, SHT_PROGBITS = 1, 2, 1


class MeasureError(Exception):
    """A run gave no figures."""


def vm(index, label, pcpus, *, kernel="probe/probe.elf", memory=16, more=""):
    """A VM's node, one vCPU per physical CPU named."""
    cpus = " ".join(str(cpu) for cpu in pcpus)
    return (f'vm@{index} {{ compatible = "camber,vm"; label = "{label}"; cpus = <{len(pcpus)}>; pcpus = <{cpus}>; '
            f'memory-mib = <{memory}>; kernel = "{kernel}"; {more} }};\n')


def profile(*vms):
    return '/dts-v1/;\n/ { compatible = "camber,config";\n' + "".join(vms) + "};\n"


# The probe is the last VM to start: what its neighbours do at their start is over when it measures.
# A neighbour that is there and sleeps: the CPU is shared, so WFI is trapped.
SLEEPS = "bench=empty then=stay"


class Scenario:
    """One machine and what is measured in it: probe's keys -> keys of the results."""

    def __init__(self, name, smp, dts, keys, others=None, cheap=True):
        self.name, self.smp, self.dts, self.keys, self.cheap = name, smp, dts, keys, cheap
        self.others = others or {}


class RtosScenario:
    """The real-time guest's kernel on the bare machine: guests/rtos/test/bench.c says what is measured."""

    name, cheap = "rtos", True
    keys = {"switch": "rtos_switch", "irq_to_task_timer": "rtos_irq_to_task"}

    def run(self):
        with Qemu(board.GUESTS / "rtos" / "rtos-test.elf", name=f"bench-{self.name}", icount=True, smp=1, memory="16M",
                  extra=["-M", "virtualization=off", "-append", "test=bench"]) as q:
            q.expect(r"^rtos-test: done$")
            events = {m["key"]: m for m in re.finditer(RTOS_BENCH_LINE, q.text, re.MULTILINE)}
        missing = [key for key in self.keys if key not in events]
        if missing:
            raise MeasureError(f"scenario {self.name}: no figure for {', '.join(missing)}")
        results = {}
        for key, name in self.keys.items():
            # The maximum is that of all ways to do it: by semaphore, queue, notification; by timer or device, from idle.
            ways = [int(m["max"]) for other, m in events.items() if other.startswith(key.removesuffix("_timer"))]
            results[name], results[f"{name}_max"] = int(events[key]["p50"]), max(ways)
        return results


SCENARIOS = (
    Scenario("alone", 1, profile(vm(1, "probe", [0])),
             {**{key: key for key in ("empty", "hvc_null", "hvc_psci_version", "mmio_gicd", "mmio_gicr", "mmio_isenabler",
                                      "mmio_uart", "sysreg_trap", "sysreg_cntp", "sgi_self", "vtimer_spin", "yield")},
              "vtimer_wfi": "vtimer_wfi_dedicated"}),
    Scenario("shared", 1, profile(vm(1, "idle", [0]), vm(2, "probe", [0])),
             {"vtimer_wfi": "vtimer_wfi", "vtimer_wfi_10ms": "vtimer_wfi_10ms"}, {"idle": SLEEPS}),
    Scenario("pair", 1, profile(vm(1, "peer", [0]), vm(2, "probe", [0])), {"yield_round": "yield_round"},
             {"peer": "role=peer then=stay"}),
    Scenario("cross", 2, profile(vm(1, "probe", [0, 1])),
             {"sgi_cross_spin": "sgi_cross_spin", "sgi_cross_spin_send": "sgi_cross_spin_send",
              "sgi_cross_wfi": "sgi_cross_wfi_dedicated"}),
    Scenario("cross-shared", 2, profile(vm(1, "idle0", [0]), vm(2, "idle1", [1]), vm(3, "probe", [0, 1])),
             {"sgi_cross_wfi": "sgi_cross_wfi", "sgi_cross_wfi_send": "sgi_cross_wfi_send"},
             {"idle0": SLEEPS, "idle1": SLEEPS}),
    RtosScenario(),
)


def probe_events(text):
    """The figures in a console's text: probe's key -> dictionary of n, min, p50, p99, max."""
    return {m["key"]: {k: int(m[k]) for k in ("n", "min", "p50", "p99", "max")}
            for m in re.finditer(BENCH_LINE, text, re.MULTILINE)}


def run_scenario(s, plugin=None):
    """Run one scenario and return its share of the results."""
    if isinstance(s, RtosScenario):
        return s.run()
    wanted = ",".join(key for key in s.keys if not key.endswith("_send"))
    with scratch() as folder:
        image = pack(folder, s.name, dts=s.dts, bootargs={"probe": f"bench={wanted} then=stay", **s.others})
        with Qemu(image, name=f"bench-{s.name}", icount=True, smp=s.smp, memory="1G", plugin=plugin) as q:
            done = q.expect(r"^\[probe\] " + DONE_LINE)
            text = q.text
    events = probe_events(text)
    missing = [key for key in s.keys if key not in events]
    if missing or done.group(2) != "0":
        why = "".join(f"; {line}" for line in re.findall(r"probe: bench \w+ (?:FAIL|skip).*", text))
        raise MeasureError(f"scenario {s.name}: no figure for {', '.join(missing) or 'a case that failed'}{why}")
    results = {}
    for key, name in s.keys.items():
        results[name], results[f"{name}_max"] = events[key]["p50"], events[key]["max"]
    return results


def read_plugin(path):
    """The lines key=value of tests/plugin/insn.c."""
    with open(path, encoding="ascii") as f:
        return {key: int(value) for key, value in (line.strip().split("=") for line in f)}


def boot_run(folder, name, dts, bootargs, until, memory="1G", call=None):
    """Boot with the plugin until a line; returns what the plugin counted and the console's text."""
    image = pack(folder, name, dts=dts, bootargs=bootargs)
    out = f"{folder}/insn"
    with Qemu(image, name=f"bench-{name}", icount=True, smp=1, memory=memory, plugin=f"out={out}" + (f",call={call}" if call else "")) as q:
        q.expect(until)
        text = q.text
    return read_plugin(out), text


def loaded(text):
    """Bytes and instructions of all image copies of a boot."""
    found = re.findall(LOAD_LINE, text)
    if not found:
        raise MeasureError("no line \"vm ...: loaded <n> bytes in <ticks> ticks\"")
    return sum(int(f[1]) for f in found), sum(int(f[2]) for f in found)


def boot_probe():
    """From reset to the first guest instruction, and the memory that the hypervisor keeps, on a board with 1 GiB."""
    with scratch() as folder:
        counts, text = boot_run(folder, "boot-probe", profile(vm(1, "probe", [0])),
                                {"probe": "bench=empty then=stay"}, r"^\[probe\] probe: up$")
    memory = re.search(MEMORY_LINE, text)
    if not memory:
        raise MeasureError('no line "mem: total=... kept=... tables=... free=..."')
    _, ticks = loaded(text)
    return {"boot_insns": counts["boot_el2"] - ticks, "resident_bytes": int(memory.group(2)),
            "table_bytes": int(memory.group(3))}


def boot_linux():
    """Debian's kernel from its first instruction to user space and its call to power off: how much of it is in EL2."""
    node = vm(1, "linux", [0], kernel="linux/vmlinuz", memory=512, more='initrd = "linux/initramfs.cpio.gz";')
    with scratch() as folder:
        counts, text = boot_run(folder, "boot-linux", profile(node),
                                {"linux": "console=ttyAMA0 camber.run=poweroff"}, r"\bvm linux: powered off$",
                                call=PSCI_SYSTEM_OFF)
    size, ticks = loaded(text)
    el2 = counts["call_el2"] - counts["boot_el2"]
    total = el2 + counts["call_el0"] + counts["call_el1"]
    exits = counts["call_entries"]
    return {"boot_insns_per_image_byte": round(ticks / size, 4), "boot_el2_permille": round(1000 * el2 / total, 4),
            "boot_linux_insns": total, "boot_linux_el2_insns": el2, "boot_linux_exits": exits}


def text_bytes():
    """Code and constants of camber.elf: sections that are loaded and never written, constants with addresses included."""
    data = board.CAMBER_ELF.read_bytes()
    offset, = struct.unpack_from("<Q", data, 0x28)
    entry, count, names = struct.unpack_from("<HHH", data, 0x3a)
    headers = [struct.unpack_from("<IIQQQQ", data, offset + i * entry) for i in range(count)]
    total = 0
    for name, kind, flags, _, _, size in headers:
        start = headers[names][4] + name
        relro = data[start:].startswith(b".data.rel.ro")
        if kind == SHT_PROGBITS and flags & SHF_ALLOC and (relro or not flags & SHF_WRITE):
            total += size
    return {"text_bytes": total}


def limit_of(key, limits):
    """What tests/bench/limits.json says about a figure: the most allowed, or None."""
    if key in limits["limits"]:
        return limits["limits"][key]
    return next((limit for pattern, limit in limits["patterns"].items() if re.fullmatch(pattern, key)), None)


def check(results, limits):
    """Lines about every figure beyond its limit; limits as in tests/bench/limits.json."""
    wrong = []
    for key, value in results.items():
        limit = limit_of(key, limits)
        if limit is not None and value > limit:
            wrong.append(f"{key}: {value}, at most {limit} allowed")
        low, high = limits["ranges"].get(key, (value, value))
        if not low <= value <= high:
            wrong.append(f"{key}: {value}, from {low} to {high} allowed")
        if key.endswith("_max") and key not in limits["max_explained"]:
            median = results[key[:-len("_max")]]
            if value > limits["max_ratio"] * median:
                wrong.append(f"{key}: {value}, more than {limits['max_ratio']} times the median {median}")
    return wrong
