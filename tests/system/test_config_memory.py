# SPDX-License-Identifier: Apache-2.0
"""xen,static-mem, scrub and reserved@ do at boot what docs/config.md says.

Patterns lie where the VM's RAM is going to be. Who finds them at the end shows what the start of the VM wrote.
"""
from camber import board, measure

MIB = 1 << 20
RAM, RAM_MIB = 0x60000000, 16  # the VM's, as the board sees it
# Offsets in the VM's RAM: none is the kernel's, the device tree's, or used by the probe.
FREE, RESERVED, LAST = 5 * MIB + 12, 12 * MIB, 16 * MIB - 4096
PATTERN = bytes(i % 251 + 1 for i in range(4096))
KERNEL = 2 * MIB


def start(boot, folder, more):
    """A running VM, after its first life sign; and a function that reads its RAM."""
    pattern = folder / "pattern"
    pattern.write_bytes(PATTERN)
    extra = []
    for at in (FREE, RESERVED, LAST):
        extra += ["-device", f"loader,file={pattern},addr={RAM + at:#x},force-raw=on"]
    dts = measure.profile(measure.vm(1, "probe", [0], memory=RAM_MIB,
                                     more=f"xen,static-mem = <0 {RAM:#x} 0 {RAM_MIB * MIB:#x}>; {more}"))
    q = boot("probe", dts=dts, extra=extra, bootargs={"probe": measure.SLEEPS})
    q.expect(r"^\[probe\] probe: up$")

    def read(at, count=len(PATTERN)):
        dump = folder / "dump"
        q.qmp("pmemsave", val=RAM + at, size=count, filename=str(dump))
        return dump.read_bytes()
    return read


def test_static_memory(boot, folder):
    """The VM lies where the profile says; without 'scrub' what was there before is still there."""
    read = start(boot, folder, "")
    assert read(0, 4) == b"\xd0\x0d\xfe\xed"
    assert read(KERNEL, 16) in (board.GUESTS / "probe" / "probe.elf").read_bytes()
    assert [read(at) for at in (FREE, RESERVED, LAST)] == [PATTERN] * 3


def test_scrub(boot, folder):
    read = start(boot, folder, "scrub;")
    assert [at for at in (FREE, RESERVED, LAST) if any(read(at))] == []


def test_scrub_spares_what_is_reserved(boot, folder):
    at = 0x40000000 + RESERVED
    read = start(boot, folder, f"scrub; reserved@{at:x} {{ reg = <0 {at:#x} 0 0x1000>; }};")
    assert read(RESERVED) == PATTERN
    assert not any(read(RESERVED - 4096)) and not any(read(RESERVED + 4096))
    assert not any(read(FREE)) and not any(read(LAST))
