# SPDX-License-Identifier: Apache-2.0
"""The board in all its sizes: CPU models, 1 to 16 GiB, 1 to 8 CPUs. `make test` takes a corner of it, `make soak` all."""
import itertools

import pytest
from camber import measure

CPUS = ("cortex-a72", "neoverse-n1", "max")
MEMORY_GIB = (1, 2, 4, 8, 16)
SMP = (1, 2, 4, 8)
SMALL = {("cortex-a72", 1, 1), ("cortex-a72", 16, 8), ("neoverse-n1", 2, 2), ("neoverse-n1", 16, 1), ("max", 4, 4),
         ("max", 16, 8), ("max", 1, 1)}


def machines():
    for cpu, gib, smp in itertools.product(CPUS, MEMORY_GIB, SMP):
        marks = () if (cpu, gib, smp) in SMALL else (pytest.mark.slow,)
        yield pytest.param(cpu, gib, smp, marks=marks, id=f"{cpu}-{gib}G-{smp}")


@pytest.mark.parametrize("cpu, gib, smp", machines())
def test_machine(boot, cpu, gib, smp):
    """Linux on all CPUs with half the memory, the real-time guest on the last CPU beside it."""
    dts = measure.profile(
        measure.vm(1, "linux", range(smp), kernel="linux/vmlinuz", memory=gib * 512,
                   more='initrd = "linux/initramfs.cpio.gz"; bootargs = "console=ttyAMA0";'),
        measure.vm(2, "rtos", [smp - 1], kernel="rtos/rtos.elf"))
    q = boot("machine", dts=dts, cpu=cpu, memory=f"{gib}G", smp=smp)
    q.expect_all([rf"^\[linux\] linux: cpus {smp} online$", r"^\[linux\] linux: up$", r"^\[rtos\] rtos: up$"])
