# SPDX-License-Identifier: Apache-2.0
"""Memory that the firmware's tree reserves stays as it is, whatever the VMs do: /memreserve/ and /reserved-memory.

The guest's memory is most of the machine's and the guest writes most of it. Patterns lie where it would be written to;
without the reservations at least one of them is overwritten, or the test would show nothing.
"""
import re
import subprocess

import pytest
from camber import board, linux, measure

MIB = 1 << 20
SPOTS = {"memreserve": 0x4c000000, "reserved-memory": 0x50000000, "no-map": 0x54000000, "last": 0x7fe00000}
SPOT_BYTES = MIB
GUEST_MIB = 640  # in one piece between the last two
WRITE_MIB = 500


def tree_with_reservations(folder, command):
    """The tree that QEMU would hand over, with our reservations."""
    tree = folder / "board.dtb"
    subprocess.run([*command, "-M", f"dumpdtb={tree}"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    text = subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts", tree], stdout=subprocess.PIPE, text=True,
                          check=True).stdout
    text = text.replace("/dts-v1/;", f"/dts-v1/;\n/memreserve/ {SPOTS['memreserve']:#x} {SPOT_BYTES:#x};", 1)
    nodes = "".join(f"keep@{at:x} {{ reg = <0 {at:#x} 0 {SPOT_BYTES:#x}>; {'no-map;' if name == 'no-map' else ''} }};\n"
                    for name, at in SPOTS.items() if name != "memreserve")
    text += f"/ {{ reserved-memory {{ #address-cells = <2>; #size-cells = <2>; ranges;\n{nodes} }}; }};\n"
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", tree], input=text, text=True, check=True)
    return tree


def run(boot, folder, reserve):
    """Which patterns are still there at the end, and the hypervisor's count of free bytes."""
    pattern = folder / "pattern"
    pattern.write_bytes(bytes((7 * i + i // 256) % 255 + 1 for i in range(4096)) * (SPOT_BYTES // 4096))
    extra = []
    for at in SPOTS.values():
        extra += ["-device", f"loader,file={pattern},addr={at:#x},force-raw=on"]
    if reserve:
        extra += ["-dtb", str(tree_with_reservations(folder, [board.QEMU, *board.qemu_args("linux1")]))]
    step = f"mount -o remount -o size=100% /run && dd if=/dev/zero of=/run/fill bs=1M count={WRITE_MIB}"
    dts = measure.profile(measure.vm(1, "linux", [0], kernel="linux/vmlinuz", memory=GUEST_MIB,
                                     more='initrd = "linux/initramfs.cpio.gz";'))
    q = boot("linux1", dts=dts, bootargs={"linux": linux.run(step)}, extra=extra)
    q.expect(linux.up())
    verdict = q.expect(r"^\[linux\] linux: mount .* (ok|FAILED .*)$")
    assert verdict.group(1) == "ok", q.tail()
    intact = {}
    for name, at in SPOTS.items():
        dump = folder / "dump"
        q.qmp("pmemsave", val=at, size=SPOT_BYTES, filename=str(dump))
        intact[name] = dump.read_bytes() == pattern.read_bytes()
        dump.unlink()
    memory = re.search(measure.MEMORY_LINE, q.text)
    return intact, int(memory.group(4))


@pytest.fixture
def unreserved(boot, folder):
    return run(boot, folder, False)


def test_reservations_are_respected(boot, folder, unreserved):
    intact_without, free_without = unreserved
    assert not all(intact_without.values()), "the guest wrote to no spot: this test shows nothing"
    intact, free = run(boot, folder, True)
    assert all(intact.values()), intact
    assert free_without - free >= len(SPOTS) * SPOT_BYTES
