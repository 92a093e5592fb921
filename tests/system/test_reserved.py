# SPDX-License-Identifier: Apache-2.0
"""Memory that the firmware's tree reserves stays as it is, whatever the VMs do: /memreserve/ and /reserved-memory.

Patterns lie all over the board's memory. A first run shows which of them a guest that writes most of its memory destroys;
some of those are reserved in the second run, and must be there at its end.
"""
import re
import subprocess

from camber import board, linux, measure

MIB = 1 << 20
RAM, RAM_MIB = 0x40000000, 2048
STEP = 32 * MIB
SPOT_BYTES = 64 * 1024
# Not where QEMU itself puts the image (RAM + 2 MiB) and the tree (RAM + 128 MiB).
SPOTS = [at for at in range(RAM + 3 * STEP, RAM + RAM_MIB * MIB, STEP) if at != RAM + 128 * MIB]
GUEST_MIB = 640
WRITE_MIB = 500
KINDS = ("memreserve", "reserved-memory", "no-map", "reserved-memory")


def tree_with_reservations(folder, command, spots):
    """The tree that QEMU would hand over, with reservations of each kind."""
    tree = folder / "board.dtb"
    subprocess.run([*command, "-M", f"dumpdtb={tree}"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    text = subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts", tree], stdout=subprocess.PIPE, text=True,
                          check=True).stdout
    nodes = ""
    for kind, at in zip(KINDS, spots):
        if kind == "memreserve":
            text = text.replace("/dts-v1/;", f"/dts-v1/;\n/memreserve/ {at:#x} {SPOT_BYTES:#x};", 1)
        else:
            no_map = "no-map;" if kind == "no-map" else ""
            nodes += f"keep@{at:x} {{ reg = <0 {at:#x} 0 {SPOT_BYTES:#x}>; {no_map} }};\n"
    text += f"/ {{ reserved-memory {{ #address-cells = <2>; #size-cells = <2>; ranges;\n{nodes} }}; }};\n"
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", tree], input=text, text=True, check=True)
    return tree


def run(boot, folder, reserved):
    """Which patterns are gone at the end, and the hypervisor's count of free bytes."""
    pattern = folder / "pattern"
    pattern.write_bytes(bytes((7 * i + i // 256) % 255 + 1 for i in range(4096)) * (SPOT_BYTES // 4096))
    extra = []
    for at in SPOTS:
        extra += ["-device", f"loader,file={pattern},addr={at:#x},force-raw=on"]
    command = [board.QEMU, *board.qemu_args("linux1"), "-m", str(RAM_MIB)]
    extra += ["-dtb", str(tree_with_reservations(folder, command, reserved))]
    step = f"mount -o remount -o size=100% /run && dd if=/dev/zero of=/run/fill bs=1M count={WRITE_MIB}"
    dts = measure.profile(measure.vm(1, "linux", [0], kernel="linux/vmlinuz", memory=GUEST_MIB,
                                     more='initrd = "linux/initramfs.cpio.gz";'))
    q = boot("linux1", dts=dts, bootargs={"linux": linux.run(step)}, extra=extra, memory=RAM_MIB)
    q.expect(linux.up())
    verdict = q.expect(r"^\[linux\] linux: mount .* (ok|FAILED .*)$")
    assert verdict.group(1) == "ok", q.tail()
    dump = folder / "dump"
    gone = []
    for at in SPOTS:
        q.qmp("pmemsave", val=at, size=SPOT_BYTES, filename=str(dump))
        if dump.read_bytes() != pattern.read_bytes():
            gone.append(at)
    q.quit()
    memory = re.search(measure.MEMORY_LINE, q.text)
    return gone, int(memory.group(4))


def test_reservations_are_respected(boot, folder):
    gone, free_without = run(boot, folder, [])
    assert len(gone) >= len(KINDS), "the guest writes to too few patterns: this test shows nothing"
    reserved = gone[:len(KINDS)]
    gone, free = run(boot, folder, reserved)
    assert not set(reserved) & set(gone), [hex(at) for at in sorted(set(reserved) & set(gone))]
    assert gone, "the guest wrote nowhere"
    assert free_without - free >= len(KINDS) * SPOT_BYTES
