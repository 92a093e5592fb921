# SPDX-License-Identifier: Apache-2.0
"""Mistakes on the command line and in the files that it names."""
import struct
import zlib

from .base import Mistake, linux, vm

LIST = ("--list", "b")
MANY = 17


def bundle(vms=(), loads=(), devices=(), **header):
    """A bundle (hv/include/abi/bundle.h) that is in order but for what is given. Tables are lists of bytes."""
    tables = b"".join((*vms, *loads, *devices))
    fields = {"magic": 0x52424d43, "version": 3, "total_bytes": 88 + len(tables), "header_crc": 0,
              "head_bytes": 88 + len(tables), "vm_count": len(vms), "vm_offset": 88, "load_count": len(loads),
              "load_offset": 88 + 280 * len(vms), "profile": b"p", "device_count": len(devices),
              "device_offset": 88 + 280 * len(vms) + 40 * len(loads), "reserved": 0, **header}
    layout = struct.Struct("<IIQIIIIII32sIIQ")
    if "header_crc" not in header:
        fields["header_crc"] = zlib.crc32(layout.pack(*fields.values()) + tables)
    return layout.pack(*fields.values()) + tables


def bundle_vm(vcpus=1, mem=((0x40000000, 0x200000),), load_count=0, flags=0, sched=(256, 0, 0, 0)):
    data = bytearray(280)
    struct.pack_into("<16sIII", data, 0, b"a", 1, flags, vcpus)
    struct.pack_into("<IIII", data, 224, *sched)
    struct.pack_into("<I", data, 60, len(mem))
    for i, (ipa, count) in enumerate(mem):
        struct.pack_into("<QQ", data, 64 + 32 * i, ipa, count)
    struct.pack_into("<II", data, 192, 0, load_count)
    return bytes(data)


def load(offset=0, file_bytes=0, mem_bytes=0x1000, ipa=0x40000000, crc=0):
    return struct.pack("<QQQQII", offset, file_bytes, mem_bytes, ipa, crc, 3)


def listed(name, says, data):
    return Mistake(name, says, args=LIST, files={"b": data})


def command(name, says, *args):
    return Mistake(name, says, args=args, status=2)


COMMAND_MISTAKES = [
    command("option-unknown", "--colour: no such option, or its value is missing; see mkbundle --help", "--colour"),
    command("option-without-value", "-o: no such option, or its value is missing; see mkbundle --help", "p.dtb", "-o"),
    command("nothing-to-do",
            "command line: nothing to do, or too much; give one profile, --list, or --image with --bundle"),
    command("image-without-bundle",
            "command line: nothing to do, or too much; give one profile, --list, or --image with --bundle",
            "--image", "camber.bin", "-o", "camber.img"),
    command("no-output", "command line: nothing says what to write; name it with -o", "p.dtb"),
    command("two-profiles", "q.dtb: is a second profile; pack one at a time", "-o", "out.bundle", "p.dtb", "q.dtb"),
    command("no-pair",
            "--replace linux/vmlinuz: has no value; write it as NAME=VALUE",
            "--replace", "linux/vmlinuz", "-o", "out.bundle", "p.dtb"),
    command("pair-twice",
            "--bootargs a: given twice; keep one of them",
            "--bootargs", "a=x", "--bootargs", "a=y", "-o", "out.bundle", "p.dtb"),
    command("too-many-pairs",
            "--replace: given more than 16 times; give fewer",
            *(word for n in range(MANY) for word in ("--replace", f"i{n}=x"))),
    command("too-many-folders", "-I: given more than 16 times; give fewer", *["-I", "."] * MANY),
    command("limit-number", "--limit vms=0: is no number from 1 to 16; choose one", "--limit", "vms=0"),
    command("limit-name", "--limit memory=1: no such limit; write vms=N, cpus=N or spis=N", "--limit", "memory=1"),
    Mistake("profile-missing",
            "nowhere.dtb: No such file or directory; name a file that can be read",
            args=("-o", "out.bundle", "nowhere.dtb")),
    Mistake("profile-name",
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.dtb: a profile's name has 1 to 31 characters; rename it",
            args=("-o", "out.bundle", "x" * 32 + ".dtb")),
    Mistake("replace-unused",
            "--replace other: the profile has no image of that name; mend it",
            vm(), more=("--replace", "other=raw.bin")),
    Mistake("bootargs-unused",
            "--bootargs ivi: the profile has no VM of that name; mend it", vm(), more=("--bootargs", "ivi=quiet")),
    Mistake("dump-dtb-unused",
            "--dump-dtb ivi: the profile has no VM of that name; mend it", vm(), more=("--dump-dtb", "ivi=x.dtb")),
    Mistake("output-no-folder",
            "nowhere/b: No such file or directory; name a file that can be written",
            vm(), args=("-I", ".", "-o", "nowhere/b", "p.dtb")),
    Mistake("output-full",
            "/dev/full: cannot be written: No space left on device; make room or write elsewhere",
            vm(), args=("-I", ".", "-o", "/dev/full", "p.dtb")),
    # A bundle
    listed("bundle-short", "b: shorter than a bundle's header; make the bundle again", bundle()[:60]),
    listed("bundle-magic", "b: not a bundle (magic 0x464c457f); name one that mkbundle made", bundle(magic=0x464c457f)),
    listed("bundle-version", "b: bundle version 1, this mkbundle knows 3; make the bundle again", bundle(version=1)),
    listed("bundle-truncated",
           "b: 88 bytes long, its header says 8192; make the bundle again", bundle(total_bytes=8192)),
    listed("bundle-tables", "b: tables lie outside the file; make the bundle again", bundle(vm_count=1)),
    listed("bundle-profile", "b: the profile's name has no end; make the bundle again", bundle(profile=b"x" * 32)),
    listed("bundle-checksum", "b: the header's checksum is wrong; make the bundle again", bundle(header_crc=1)),
    listed("bundle-load-outside",
           "b: load 0 lies outside the file; make the bundle again", bundle(loads=[load(offset=4096)])),
    listed("bundle-load-checksum",
           "b: load 0: the checksum is wrong; make the bundle again", bundle(loads=[load(file_bytes=88, crc=1)])),
    listed("bundle-device-count",
           "b: device 0: a count is out of range; make the bundle again",
           bundle(devices=[bytes(128) + struct.pack("<II", 5, 0) + bytes(32)])),
    listed("bundle-vm-count",
           "b: VM 0: a count is out of range; make the bundle again", bundle(vms=[bundle_vm(vcpus=9)])),
    listed("bundle-sched",
           "b: VM 0: its scheduling is out of range; make the bundle again",
           bundle(vms=[bundle_vm(flags=1 << 5, sched=(0, 0, 9, 100))])),
    listed("bundle-load-elsewhere",
           "b: VM 0: load 0 is not in its memory; make the bundle again",
           bundle(vms=[bundle_vm(load_count=1)], loads=[load(ipa=0)])),
    # Joining
    Mistake("join-no-header",
            "raw.bin: has no arm64 Image header; give the hypervisor's camber.bin",
            args=("--image", "raw.bin", "--bundle", "b", "-o", "camber.img"), files={"b": bundle()}),
    Mistake("join-size",
            "i: its header says 100 bytes, the file has 4096; link it again",
            args=("--image", "i", "--bundle", "b", "-o", "camber.img"),
            files={"b": bundle(), "i": linux(image_size=100)}),
]
