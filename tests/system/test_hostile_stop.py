# SPDX-License-Identifier: Apache-2.0
"""Guests that are stopped, or stop themselves: the VM ends with one clear line of log and runs no further, and the
real-time guest on another CPU misses no period.

Up to seven such VMs run beside the real-time guest in one boot; each test looks at its own VM's lines.
"""
import contextlib
import re

import pytest
from camber import Qemu, measure, pack, probe
from camber.image import scratch

PER_BOOT = 7
AFTER = "after_ms=200"

READ, WRITE = "read outside the platform", "write outside the platform"
FETCH, WALK = "instruction fetch outside memory", "page-table walk outside memory"
SYNDROME, KIND = "device access by an instruction without syndrome", "access of a kind that the device doesn't take"


class Guest:
    """What a VM does, and the lines that the log must have of it (`ends`: its end, `told`: the reason before it)."""

    def __init__(self, options, ends, told=None, vcpus=1, policy="stop"):
        self.options, self.ends, self.told, self.vcpus, self.policy = options, ends, told, vcpus, policy


def access(insn, at, told, kind="access"):
    """An access that stray-access = "stop" doesn't survive: the log names its place."""
    return Guest(f"crash={kind} insn={insn} at={at:#x}", "crashed", f"vCPU 0: {told} at {at:#x} ")


def stuck(kind, more=""):
    """vCPU 1 gets stuck for ever, vCPU 0 switches the VM off; aborts are injected, so that vCPU 1 does go on."""
    return Guest(f"crash={kind} cpu=1 stop_ms=100 then=off {more}", "powered off", vcpus=2, policy="abort")


UART, GICD, GICR_NOBODY, HOLE, LOG, RAM_END = 0x9000000, 0x8000000, 0x80c0000, 0xb000000, 0x7fffe000, 0x41000000

STOPPED = {
    # The kinds of crash=.
    "data": Guest("crash=data", "crashed", f"vCPU 0: {READ} at 0xb000000 "),
    "write": Guest("crash=write", "crashed", f"vCPU 0: {WRITE} at 0xb000004 "),
    "fetch": Guest("crash=fetch", "crashed", f"vCPU 0: {FETCH} at 0xb000000 "),
    "exception-loop": Guest("crash=loop", "crashed", f"vCPU 0: {FETCH} at 0xb000200 "),
    "stack": Guest("crash=stack", "crashed", f"vCPU 0: {WRITE} at 0xb0000f0 "),
    "walk": Guest("crash=walk", "crashed", f"vCPU 0: {WALK} at 0xb000000 "),
    "own-table": Guest("crash=ttbr", "crashed", "vCPU 0: .* at 0xb00"),
    "chaos": Guest("crash=data others=chaos", "crashed", f"vCPU 0: {READ} at 0xb000000 ", vcpus=2),
    "second-vcpu": Guest("crash=data cpu=1", "crashed", f"vCPU 1: {READ} at 0xb000000 ", vcpus=2),
    # Sizes and kinds.
    "ldrb": access("ldrb", HOLE + 1, READ),
    "ldrh": access("ldrh", HOLE + 2, READ),
    "ldr_x": access("ldr_x", HOLE + 8, READ),
    "str_x": access("str_x", HOLE + 16, WRITE),
    "strb": access("strb", HOLE + 3, WRITE),
    "ldp": access("ldp", HOLE + 32, READ),
    "stp": access("stp", HOLE + 48, WRITE),
    "ldr_q": access("ldr_q", HOLE + 64, READ),
    "str_q": access("str_q", HOLE + 80, WRITE),
    "ld4": access("ld4", HOLE + 128, READ),
    "ldxr": access("ldxr", HOLE + 4, READ),
    "stlr": access("stlr", HOLE + 4, WRITE),
    "ldr_post": access("ldr_post", HOLE + 12, READ),
    # Places.
    "ram-end": access("ldr_x", RAM_END, READ),
    "below-ram": access("str_x", 0x3ffffff8, WRITE),
    "hypervisors-log": access("str_x", LOG, WRITE),
    "hypervisors-log-read": access("ldr_x", LOG, READ),
    "address-0": access("ldr_w", 0, READ),
    "high": access("ldr_w", 1 << 43, READ),
    "no-redistributor": access("ldr_w", GICR_NOBODY, READ),
    # Devices.
    "uart-ldp": access("ldp", UART, SYNDROME),
    "uart-simd": access("str_q", UART, SYNDROME),
    "uart-write-back": access("ldr_post", UART, SYNDROME),
    "uart-exclusive": access("ldxr", UART, SYNDROME),
    "uart-double": access("ldr_x", UART, KIND),
    "gicd-ldp": access("ldp", GICD, SYNDROME),
    "gicd-byte": access("strb", GICD, KIND),
    # EL0 does what EL1 may not either.
    "el0-read": access("ldr_w", HOLE, READ, kind="el0"),
    "el0-write": access("str_x", HOLE + 8, WRITE, kind="el0"),
    "el0-ldp": access("ldp", HOLE + 16, READ, kind="el0"),
}

ENDED = {
    "stuck-exception-loop": stuck("loop"),
    "stuck-exception-loop-el1": stuck("loop-el1"),
    "stuck-stack": stuck("stack"),
    "stuck-masked": stuck("hang"),
    "stuck-asleep": stuck("sleep"),
    "stuck-own-table": stuck("ttbr"),
    "stuck-own-table-uart": stuck("ttbr", "at=0x9000000"),
    "last-cpu-off": Guest("crash=cpu-off", "powered off"),
    "off": Guest("crash=off", "powered off"),
    "reset": Guest("crash=reset", "reset"),
    "off-by-second": Guest("crash=off cpu=1", "powered off", vcpus=2),
    "reset-by-second": Guest("crash=reset cpu=1", "reset", vcpus=2),
    "chaos-off": Guest("crash=off others=chaos", "powered off", vcpus=2),
    "chaos-reset": Guest("crash=reset others=chaos", "reset", vcpus=2),
}

GUESTS = {**STOPPED, **ENDED}
BOOTS = [list(GUESTS)[i:i + PER_BOOT] for i in range(0, len(GUESTS), PER_BOOT)]
BOOT_OF = {name: i for i, names in enumerate(BOOTS) for name in names}


class Run:
    """One boot: seven guests on CPUs 0 and 1, the real-time guest on CPU 2."""

    def __init__(self, names, log_name):
        self.trouble = None
        labels = {name: f"g{i}" for i, name in enumerate(names)}
        nodes = [measure.vm(1, "rtos", [2], kernel="rtos/rtos.elf")]
        for i, name in enumerate(names):
            guest = GUESTS[name]
            nodes.append(measure.vm(2 + i, labels[name], [0, 1] if guest.vcpus == 2 else [i % 2],
                                    more=f'stray-access = "{guest.policy}"; on-reboot = "stop";'))
        bootargs = {"rtos": "report=5 periods=6000", **{labels[name]: f"{GUESTS[name].options} {AFTER}" for name in names}}
        with scratch() as folder, contextlib.ExitStack() as stack:
            image = pack(folder, "hostile-stop", dts=measure.profile(*nodes), bootargs=bootargs)
            q = stack.enter_context(Qemu(image, name=log_name, smp=3, icount=True))
            q.fatal += (r"\bvm rtos: (crashed|powered off)$",)
            try:
                q.expect_all([rf"\bvm {labels[name]}: {GUESTS[name].ends}\b" for name in names])
                q.expect(probe.REPORT_LINE)
                q.expect(probe.REPORT_LINE)
            except AssertionError as e:
                self.trouble = str(e)
            self.text = q.text
        self.labels = labels


@pytest.fixture(scope="module")
def runs():
    return {}


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.xdist_group(f"hostile-stop-{BOOT_OF[name]}"))
                                  for name in GUESTS])
def test_ends(runs, name):
    boot = BOOT_OF[name]
    if boot not in runs:
        runs[boot] = Run(BOOTS[boot], f"hostile-stop-{boot}")
    run, guest = runs[boot], GUESTS[name]
    label = run.labels[name]
    mine = re.findall(rf"\bvm {label}: (.*)", run.text)
    ends = [line for line in mine if line.startswith(guest.ends)]
    assert len(ends) == 1, f"{ends}, {run.trouble}"
    if guest.told:
        reasons = [line for line in mine if re.match(guest.told, line)]
        assert len(reasons) == 1, f"{guest.told}: {mine}"
        assert "stray-access = stop" in reasons[0]
    # Nothing of it runs after its end, and the guest was never told.
    after = run.text[run.text.index(f"vm {label}: {guest.ends}"):]
    assert not re.search(rf"^\[{label}\] ", after, re.MULTILINE), "it goes on after its end"
    assert f"[{label}] probe: crash" in run.text and " told ESR" not in " ".join(re.findall(rf"\[{label}\] .*", run.text))
    reports = probe.reports(run.text)
    assert len(reports) >= 2 and probe.missed_none(reports), f"the real-time guest missed periods: {reports}"


@pytest.mark.xdist_group("hostile-restarts")
def test_restarts_in_chaos(folder):
    """Four vCPUs on two parallel CPUs, in the middle of everything, and the VM is reset: 20 times, and it still works."""
    node = measure.vm(1, "probe", [0, 1, 0, 1])
    image = pack(folder, "hostile-restarts", dts=measure.profile(node),
                 bootargs={"probe": "crash=reset after_ms=20 others=chaos"})
    with Qemu(image, name="hostile-restarts", smp=2) as q:
        for _ in range(20):
            q.expect(r"^\[probe\] probe: up$")
            q.expect(r"\bvm probe: reset, starting again$")
        q.expect(r"^\[probe\] probe: up$")
        assert "crashed" not in q.text
