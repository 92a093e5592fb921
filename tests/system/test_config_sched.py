# SPDX-License-Identifier: Apache-2.0
"""What mkbundle says about real-time VMs, the hypervisor does at boot: the same CPUs, and the same sets refused.

The rule stands in docs/config.md, "The arithmetic". Here it is said once more, and a profile's VMs are expected on its CPUs.
"""
import fractions
import re
import subprocess

import pytest
from camber import board, measure
from camber.image import Image, join

CPUS = 4
PPM = 1000000

# Each VM: vCPUs, budget, period, CPUs allowed, and more for its node; in the order of the file.
SETS = {
    "spread": [(2, 500, 1000, 0xf), (2, 500, 1000, 0xf), (4, 500, 1000, 0xf)],
    "pinned-first": [(1, 900, 1000, 0x1), (1, 300, 1000, 0x3), (1, 300, 1000, 0x3), (1, 100, 1000, 0x3), (2, 9000, 10000, 0xc)],
    "thirds": [(1, 1000, 3000, 0x1), (1, 2000, 6000, 0x1), (1, 3333333, 9999999, 0x1), (4, 10, 10000000, 0xe)],
    "nearly-equal": [(1, 1000, 3000, 0x1), (1, 3333333, 10000000, 0x2), (1, 1999, 3000, 0x3), (1, 2000, 3000, 0x2)],
    "start-order": [(1, 600, 1000, 0xf, "start-order = <2>;"), (1, 1000, 1000, 0x3), (2, 700, 1000, 0xe, "start-order = <1>;")],
}
# These overtax a CPU, by the rule, at their last VM.
TOO_MUCH = {
    "one-more": [*SETS["spread"], (1, 10, 10000000, 0xf)],
    "too-late": [(1, 600, 1000, 0xf), (1, 500, 1000, 0x1)],
    "a-vm-alone": [(5, 600, 1000, 0xf)],
}


def profile(vms):
    nodes = []
    for i, (vcpus, budget, period, mask, *more) in enumerate(vms, 1):
        nodes.append(f'vm@{i} {{ compatible = "camber,vm"; label = "v{i}"; cpus = <{vcpus}>; pcpu-masks = <{mask:#x}>; '
                     f'memory-mib = <16>; kernel = "probe/probe.elf"; bootargs = "{measure.SLEEPS}"; {"".join(more)} '
                     f'sched {{ rt; rt-budget-us = <{budget}>; rt-period-us = <{period}>; }}; }};\n')
    return measure.profile(*nodes)


def foretold(vms, cpus=CPUS):
    """Label -> CPU of its vCPU 0; and what each CPU has promised, exactly."""
    by_order = sorted(enumerate(vms, 1), key=lambda vm: int(re.search(r"\d+", "".join(vm[1][4:]) or "0")[0]))
    millionths, exact, where = [0] * cpus, [fractions.Fraction(0)] * cpus, {}
    for i, (vcpus, budget, period, mask, *_) in by_order:
        for _ in range(vcpus):
            cpu = min((n for n in range(cpus) if mask >> n & 1), key=lambda n: millionths[n])
            where.setdefault(f"v{i}", cpu)
            millionths[cpu] += budget * PPM // period
            exact[cpu] += fractions.Fraction(budget, period)
    return where, exact


def mkbundle(folder, vms, *options):
    """What mkbundle says; the bundle is in folder / "p.bundle" then."""
    (folder / "p.dts").write_text(profile(vms))
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", "p.dtb", "p.dts"], cwd=folder, check=True)
    return subprocess.run([board.MKBUNDLE, "-I", board.GUESTS, *options, "-o", "p.bundle", "p.dtb"], cwd=folder,
                          stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)


@pytest.fixture(name="ours", scope="module")
def _ours(tmp_path_factory):
    """A board with as many CPUs as the machine has."""
    path = tmp_path_factory.mktemp("board") / "board.dtb"
    text = (board.BOARD_DIR / "board.dts").read_text()
    for cpu in range(CPUS, 8):
        text = re.sub(rf"cpu@{cpu} {{.*?}};", "", text, flags=re.DOTALL)
    path.with_suffix(".dts").write_text(text)
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", path, path.with_suffix(".dts")], check=True)
    return path


def image(folder, vms):
    join(folder / "p.bundle", folder / "p.img")
    return Image(folder / "p.img", "p", [f"v{i}" for i in range(1, 1 + len(vms))])


@pytest.mark.parametrize("name", SETS)
def test_on_the_same_cpus(boot, folder, ours, name):
    vms = SETS[name]
    where, promised = foretold(vms)
    assert max(promised) <= 1
    done = mkbundle(folder, vms, "--board", ours)
    assert done.returncode == 0, done.stderr
    q = boot("p", image=image(folder, vms), smp=CPUS)
    for line in q.expect_all([rf"\bvm {label}: started, .*, vCPU 0 on CPU (\d+)$" for label in where]):
        label = re.search(r"vm (\w+):", line[0])[1]
        assert int(line[1]) == where[label], line[0]


@pytest.mark.parametrize("name", TOO_MUCH)
def test_refused_by_both(boot, folder, ours, name):
    """mkbundle, and the hypervisor where mkbundle wasn't told what the board has."""
    vms = TOO_MUCH[name]
    _, promised = foretold(vms)
    assert max(promised) > 1 and max(foretold(vms[:-1])[1]) <= 1
    done = mkbundle(folder, vms, "--board", ours)
    assert done.returncode == 1 and f"/vm@{len(vms)}/sched: rt-budget-us: CPU " in done.stderr, done.stderr
    done = mkbundle(folder, vms)
    assert done.returncode == 0, done.stderr
    q = boot("p", image=image(folder, vms), smp=CPUS)
    q.expect(rf"\bvm v{len(vms)}: vCPU \d needs {vms[-1][1]} of {vms[-1][2]} us, ")
    q.expect(r"boot: no guest can be started, halted")
