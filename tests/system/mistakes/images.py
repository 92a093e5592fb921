# SPDX-License-Identifier: Apache-2.0
"""Mistakes about the images that a profile names."""
from .base import Mistake, elf, linux, vm

HUGE = 1 << 30


def kernel(name, says, data, **profile):
    """A VM whose kernel is this file."""
    return Mistake(name, says, vm(kernel='"k"', **profile), files={"k": data})


def segments(*list_of_them):
    return elf(list_of_them)


IMAGE_MISTAKES = [
    # The file
    Mistake("image-missing",
            'p.dts: /vm@1: kernel: no readable file "nowhere" in .; build it, or name its folder with -I',
            vm(kernel='"nowhere"')),
    Mistake("image-no-folder",
            'p.dts: /vm@1: kernel: no readable file "k.elf" in (no -I folder given); build it, or name its '
            "folder with -I", vm(), args=("-s", "p.dts", "-o", "out.bundle", "p.dtb")),
    Mistake("image-path-missing",
            "p.dts: /vm@1: kernel: /nonexistent/vmlinuz: No such file or directory; name a file that can be read",
            vm(kernel='"/nonexistent/vmlinuz"')),
    Mistake("image-replaced-missing",
            "p.dts: /vm@1: kernel: nowhere: No such file or directory; name a file that can be read",
            vm(), more=("--replace", "k.elf=nowhere")),
    Mistake("image-folder", "p.dts: /vm@1: kernel: ./.: not a regular file; name one", vm(kernel='"."')),
    kernel("image-empty", "p.dts: /vm@1: kernel: ./k: the file is empty; make it again", b""),
    Mistake("image-too-large",
            "p.dts: /vm@1: kernel: ./k: larger than 1024 MiB; use a smaller file",
            vm(kernel='"k"'), files={"k": HUGE + 1}),
    Mistake("image-cut-while-read",
            "p.dts: /vm@1: kernel: /sys/devices/system/cpu/online: ends before its length says; make it again",
            vm(kernel='"/sys/devices/system/cpu/online"'), needs=("/sys/devices/system/cpu/online",)),
    # What it is
    kernel("image-unknown",
           'p.dts: /vm@1: kernel: "k" is neither an arm64 Linux Image nor an ELF file; for a raw image add '
           "'load' (and 'entry')", b"what may this be? " * 20),
    kernel("image-gzip",
           'p.dts: /vm@1: kernel: "k" is gzip-compressed; unpack it first: gunzip', b"\x1f\x8b\x08" + bytes(100)),
    kernel("image-zstd",
           'p.dts: /vm@1: kernel: "k" is zstd-compressed; unpack it first: unzstd', b"\x28\xb5\x2f\xfd" + bytes(100)),
    kernel("image-xz", 'p.dts: /vm@1: kernel: "k" is xz-compressed; unpack it first: unxz', b"\xfd7zXZ" + bytes(100)),
    kernel("image-bzip2",
           'p.dts: /vm@1: kernel: "k" is bzip2-compressed; unpack it first: bunzip2', b"BZh9" + bytes(100)),
    kernel("image-zboot",
           "p.dts: /vm@1: kernel: \"k\" is an EFI zboot image (compressed); use the 'Image' it was made from",
           b"MZ\0\0zimg" + bytes(100)),
    kernel("image-uimage",
           "p.dts: /vm@1: kernel: \"k\" is a U-Boot uImage; use the kernel's 'Image'",
           b"\x27\x05\x19\x56" + bytes(100)),
    kernel("image-fit",
           "p.dts: /vm@1: kernel: \"k\" is a device tree or FIT image; use the kernel's 'Image'",
           b"\xd0\x0d\xfe\xed" + bytes(100)),
    # arm64 Linux Image
    kernel("linux-truncated",
           'p.dts: /vm@1: kernel: "k" is shorter than an Image header; give the whole file', linux(length=60)),
    kernel("linux-big-endian",
           'p.dts: /vm@1: kernel: "k" is a big-endian kernel; use a little-endian one', linux(flags=1)),
    kernel("linux-no-size",
           'p.dts: /vm@1: kernel: "k" does not say its size (image_size is 0); use Linux 3.17 or later',
           linux(image_size=0)),
    kernel("linux-text-offset",
           'p.dts: /vm@1: kernel: "k" has text_offset 0x200000, not a page below 2 MiB; make the file again',
           linux(text_offset=0x200000)),
    # ELF
    kernel("elf-truncated-header",
           'p.dts: /vm@1: kernel: "k" is shorter than an ELF header; give the whole file', elf(length=40)),
    kernel("elf-truncated",
           'p.dts: /vm@1: kernel: "k": a segment lies outside the file; make the file again', elf(length=4100)),
    kernel("elf-truncated-segments",
           'p.dts: /vm@1: kernel: "k": program headers lie outside the file; make the file again', elf(length=100)),
    kernel("elf-32-bit",
           'p.dts: /vm@1: kernel: "k" is not a 64-bit ELF file; link a static AArch64 executable',
           elf(changes=[(4, 1)])),
    kernel("elf-big-endian",
           'p.dts: /vm@1: kernel: "k" is a big-endian ELF file; link a static AArch64 executable',
           elf(changes=[(5, 2)])),
    kernel("elf-other-processor",
           'p.dts: /vm@1: kernel: "k" is an ELF file for another processor; link a static AArch64 executable',
           elf(changes=[(18, 62)])),
    kernel("elf-relocatable",
           'p.dts: /vm@1: kernel: "k" is an ELF file without fixed addresses; link a static AArch64 executable',
           elf(changes=[(16, 3)])),
    kernel("elf-wraps",
           'p.dts: /vm@1: kernel: "k": a segment wraps around the address space; make the file again',
           segments((0xfffffffffffff000, 0x1000, 16, 0x2000))),
    kernel("elf-too-many-segments",
           'p.dts: /vm@1: kernel: "k" has more than 20 segments; link it with fewer',
           segments(*((0x40200000 + 4096 * n, 0x1000, 16, 16) for n in range(21)))),
    kernel("elf-nothing-to-load",
           'p.dts: /vm@1: kernel: "k" has nothing to load; link a static AArch64 executable',
           segments((0x40200000, 0x1000, 0, 16))),
    kernel("too-many-pieces",
           "p.dts: /vm@1: kernel: the VM has more than 20 pieces to load; link its image with fewer segments",
           segments(*((0x40200000 + 4096 * n, 0x1000, 16, 16) for n in range(20)))),
    Mistake("elf-load",
            "p.dts: /vm@1: load: \"k.elf\" is an ELF file, which says itself where it lies; remove 'load'",
            vm("load = <0x40200000>;")),
    # Where it lies
    kernel("not-in-ram",
           'p.dts: /vm@1: kernel: "k": 0x10 bytes at 0x80000000 are not in RAM (0x40000000..0x41000000); link or '
           "load it there", segments((0x80000000, 0x1000, 16, 16)), memory_mib="<16>"),
    kernel("ram-too-small",
           'p.dts: /vm@1: kernel: "k" needs 0x40200000..0x45200000, but RAM ends at 0x44000000; set memory-mib '
           "to 82 or more", segments((0x40200000, 0x1000, 16, 0x5000000))),
    kernel("overlaps-tree",
           'p.dts: /vm@1: kernel: the device tree (0x40000000..0x40000658) overlaps "k" '
           "(0x40000000..0x40000010); move one of them", elf([(0x40000000, 0x1000, 16, 16)], entry=0x40000000)),
    kernel("overlaps-itself",
           'p.dts: /vm@1: kernel: "k" (0x40201000..0x40201010) overlaps "k" (0x40200000..0x40202000); move one '
           "of them", segments((0x40200000, 0x1000, 16, 0x2000), (0x40201000, 0x1000, 16, 16))),
    Mistake("overlaps-reserved",
            'p.dts: /vm@1/reserved@40200000: reg: 0x40200000..0x40300000 overlaps "k.elf" '
            "(0x40200000..0x40200010); move it", vm("reserved@40200000 { size-mib = <1>; };")),
    kernel("entry-outside",
           "p.dts: /vm@1: entry: 0x40300000 is not inside the loaded image; mend it", elf(entry=0x40300000)),
    kernel("entry-unaligned",
           "p.dts: /vm@1: entry: 0x40200002 is not a multiple of 4, as instructions are; mend it",
           elf(entry=0x40200002)),
    Mistake("initrd-without-linux",
            "p.dts: /vm@1: initrd: needs a Linux 'Image' as kernel, \"k.elf\" is none; remove it",
            vm('initrd = "initrd";')),
    Mistake("initrd-ram-too-small",
            'p.dts: /vm@1: initrd: "i" behind the kernel needs 0x40400000..0x40600000, but RAM ends at '
            "0x40400000; set memory-mib to 6 or more",
            vm('initrd = "i";', kernel='"linux"', memory_mib="<4>"), files={"i": 0x200000}),
    Mistake("rom-too-large",
            'p.dts: /vm@1: rom: "r" has 134217729 bytes, there is room for 134217728 below the devices; shorten it',
            vm('rom = "r";', without=("kernel",)), files={"r": 0x8000001}),
]
