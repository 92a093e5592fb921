# SPDX-License-Identifier: Apache-2.0
"""What the tables of mistakes are written with."""
import dataclasses
import struct

KERNEL = {"label": '"a"', "cpus": "<1>", "memory-mib": "<64>", "kernel": '"k.elf"'}
PACK = ("-I", ".", "-s", "p.dts", "-o", "out.bundle", "p.dtb")


@dataclasses.dataclass
class Mistake:
    """`says` is the whole line behind "mkbundle: ". `dts` is compiled to p.dtb, `board` to board.dtb."""

    name: str
    says: str
    dts: str = None
    board: str = None
    files: dict = dataclasses.field(default_factory=dict)
    more: tuple = ()      # options before those of PACK
    args: tuple = None    # instead of PACK
    status: int = 1
    by_dtc: bool = False  # dtc refuses it, profile-dtc says so
    dtc: str = "dtc"
    needs: tuple = ()     # files of the machine without which there is nothing to see


def root(text):
    """A profile of these nodes."""
    return '/dts-v1/;\n/ {\ncompatible = "camber,config";\n' + text + "\n};\n"


def node(number, more="", without=(), **changed):
    """A VM that is in order, but for the changes: KERNEL's properties replaced (_ for -), left out, or others added."""
    properties = {**KERNEL, **{name.replace("_", "-"): value for name, value in changed.items()}}
    text = "".join(f"{name} = {value};\n" for name, value in properties.items() if name not in without)
    return f'vm@{number} {{\ncompatible = "camber,vm";\n{text}{more}\n}};\n'


def vm(more="", without=(), **changed):
    """A profile of one VM."""
    return root(node(1, more, without, **changed))


def two(first="", second="", **changed):
    """A profile of two VMs, a and b."""
    return root(node(1, first, **changed) + node(2, second, label='"b"', **changed))


def linux(text_offset=0, image_size=0x100000, flags=0, length=4096):
    """An arm64 Image: Linux, Documentation/arch/arm64/booting.rst."""
    header = struct.pack("<4s4sQQQ24s4s4s", b"MZ", b"", text_offset, image_size, flags, b"", b"ARM\x64", b"")
    return (header + bytes(max(0, length - len(header))))[:length]


def elf(segments=((0x40200000, 0x1000, 16, 16),), entry=0x40200000, changes=(), length=8192):
    """An ELF64 executable; segments are (physical address, offset, bytes in the file, bytes in memory)."""
    data = bytearray(struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 2, 183, 1, entry, 64, 0, 0, 64, 56,
                                 len(segments), 0, 0, 0))
    for at, offset, file_bytes, mem_bytes in segments:
        data += struct.pack("<IIQQQQQQ", 1, 5, offset, at, at, file_bytes, mem_bytes, 4096)
    data += bytes(max(0, length - len(data)))
    for at, value in changes:
        data[at] = value
    return bytes(data[:length])


# Beside every profile.
FILES = {
    "k.elf": elf(),
    "linux": linux(),
    "raw.bin": bytes(range(250)) * 4,
    "initrd": bytes(777),
}
