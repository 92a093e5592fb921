# SPDX-License-Identifier: Apache-2.0
"""What can't work is refused at boot: damaged bundles and machines that lack something. One clear line says what is wrong,
one that the machine halts; no VM is started, nothing faults. mkbundle --list says the same of bundles on the build machine.
"""
import re
import struct
import subprocess
import zlib

import pytest
from camber import board, measure
from camber.image import bundle, join

# struct bundle_header and its fields, struct bundle_vm behind it, its first struct bundle_mem (hv/include/abi/bundle.h)
HEADER = struct.Struct("<IIQIIIIII32sIIQ")
VERSION_AT, TOTAL_AT, CRC_AT, HEAD_BYTES_AT, VM_COUNT_AT, DEVICE_COUNT_AT = 4, 8, 16, 20, 24, 72
VM_BYTES = 280
VM_ID_AT, VM_MEM_AT, VM_LOAD_COUNT_AT, VM_DEVICE_COUNT_AT = (HEADER.size + at for at in (16, 64, 196, 252))
LOAD_IPA_AT = HEADER.size + VM_BYTES + 24
IMAGES_AT = 4096  # the first image of a bundle with few VMs

HALTED = r"boot: no guest can be started, halted"
NO_GIC = r"boot: no usable interrupt controller"
# What any boot begins with.
PREAMBLE = r"camber \S+ on .*|cpu \d+: .*|gic: v3, \d+ interrupts"


def with_crc(data):
    """Bytes of a bundle, its header's checksum made right again."""
    head, = struct.unpack_from("<I", data, HEAD_BYTES_AT)
    struct.pack_into("<I", data, CRC_AT, 0)
    struct.pack_into("<I", data, CRC_AT, zlib.crc32(bytes(data[:head])))
    return data


def put(form, at, value):
    """A damage: a field of header or tables has another value, and the checksum is right."""
    def change(data):
        struct.pack_into(form, data, at, value)
        return with_crc(data)
    return change


def flip(at):
    """A damage: one bit is wrong, and so is a checksum."""
    def change(data):
        data[at] ^= 0x10
        return data
    return change


def cut(to):
    """A damage: the rest of the file is missing."""
    return lambda data: data[:to(len(data)) // 4 * 4]


def damage_lengths(data):
    struct.pack_into("<Q", data, TOTAL_AT, 1 << 40)             # beyond any RAM
    struct.pack_into("<I", data, HEAD_BYTES_AT, 0xfffffff0)     # what the header's checksum claims to cover
    return data


# What is done to the bundle -> the line at boot, what mkbundle says.
HEADER_DAMAGE = {
    "magic": (flip(0), r"bundle: no bundle found", "not a bundle"),
    "old-version": (put("<I", VERSION_AT, 1), r"bundle: bundle of another version: .*", "bundle version 1"),
    "new-version": (put("<I", VERSION_AT, 4), r"bundle: bundle of another version: .*", "bundle version 4"),
    "header": (flip(HEADER.size + 3), r"bundle: bundle is damaged \(checksum .*", "checksum"),
    "lengths": (damage_lengths, r"bundle: bundle is truncated", "its header says"),
    "count": (put("<I", VM_COUNT_AT, 0xffffffff), r"bundle: bundle is damaged \(tables\)", "tables"),
    "device-count": (put("<I", DEVICE_COUNT_AT, 17), r"bundle: bundle is damaged \(tables\)", "tables"),
    "vm-id": (put("<I", VM_ID_AT, 17), r"bundle: a VM id is out of range", None),
    "vm-memory": (put("<Q", VM_MEM_AT + 8, 0), r"bundle: a memory range is empty, .*", "not in its memory"),
    "vm-loads": (put("<I", VM_LOAD_COUNT_AT, 99), r"bundle: a VM's loads lie outside .*", "out of range"),
    "vm-devices": (put("<I", VM_DEVICE_COUNT_AT, 1), r"bundle: a VM's devices lie outside .*", "out of range"),
    "cut-header": (cut(lambda length: 60), r"bundle: bundle is damaged .*|bundle: no bundle found", "shorter"),
    "cut-tables": (cut(lambda length: HEADER.size + 100), r"bundle: bundle is damaged \(checksum .*", "its header says"),
}
# The header is right, so the VM exists; it is the VM that doesn't start.
IMAGE_DAMAGE = {
    "image": (flip(IMAGES_AT + 200), r"vm probe: image for 0x40200000 is damaged \(checksum .*", "checksum"),
    "cut-image": (cut(lambda length: length // 2), r"vm probe: image for 0x4[0-9a-f]+ is damaged \(checksum .*",
                  "its header says"),
    "load-place": (put("<Q", LOAD_IPA_AT, 0x30000000), r"vm probe: image at 0x30000000 doesn't lie in the VM's memory",
                   "not in its memory"),
}
DAMAGE = {**HEADER_DAMAGE, **IMAGE_DAMAGE}


@pytest.fixture(name="packed")
def _packed(folder):
    path, _ = bundle(folder, "damaged", dts=measure.profile(measure.vm(1, "probe", [0])), bootargs={"probe": "then=stay"})
    return path


@pytest.fixture(name="image")
def _image(folder, packed):
    path = folder / "good.img"
    join(packed, path)
    return path


def own_lines(q):
    """All that was printed until now, without time stamps and without what any boot begins with."""
    lines = [re.sub(r"^\[ *\d+\.\d+\] ", "", line) for line in q.text.splitlines()]
    return [line for line in lines if not re.fullmatch(PREAMBLE, line)]


def refused(q, *patterns):
    """The machine says these lines and nothing else; the last one is its last word."""
    q.expect(rf"(?:{patterns[-1]})$")
    q.quit()
    lines = own_lines(q)
    assert len(lines) == len(patterns), lines
    for pattern, line in zip(patterns, lines):
        assert re.fullmatch(pattern, line), lines


def damaged(folder, packed, image, change):
    """mkbundle joins no damaged bundle, so the damage comes afterwards, where the good bundle lies in the image."""
    good, data = packed.read_bytes(), image.read_bytes()
    start = data.index(good[:HEADER.size])
    path = folder / "damaged.img"
    path.write_bytes(data[:start] + bytes(change(bytearray(data[start:start + len(good)]))))
    return path


def test_header_is_as_abi_says(packed):
    assert HEADER.size == 88
    listing = subprocess.run([board.MKBUNDLE, "--list", packed], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert re.search(r"^  kernel 0x040200000 ", listing, re.MULTILINE)
    data = packed.read_bytes()
    assert struct.unpack_from("<I", data, VM_ID_AT) == (1,)
    assert struct.unpack_from("<QQ", data, VM_MEM_AT) == (0x40000000, 16 << 20)
    assert struct.unpack_from("<Q", data, LOAD_IPA_AT) == (0x40200000,)


@pytest.mark.parametrize("what", HEADER_DAMAGE)
def test_refused_at_boot(boot, folder, packed, image, what):
    change, says, _ = HEADER_DAMAGE[what]
    refused(boot("probe", image=damaged(folder, packed, image, change)), says, HALTED)


@pytest.mark.parametrize("what", IMAGE_DAMAGE)
def test_vm_refused_at_boot(boot, folder, packed, image, what):
    change, says, _ = IMAGE_DAMAGE[what]
    q = boot("probe", image=damaged(folder, packed, image, change))
    refused(q, r"mem: .*", r"profile damaged: 1 VM", says, r"vm probe: not started: its images are damaged")


@pytest.mark.parametrize("what", [what for what in DAMAGE if DAMAGE[what][2]])
def test_refused_by_mkbundle(folder, packed, what):
    change, _, says = DAMAGE[what]
    path = folder / "damaged.bin"
    path.write_bytes(bytes(change(bytearray(packed.read_bytes()))))
    done = subprocess.run([board.MKBUNDLE, "--list", path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1 and says in done.stderr, done.stderr


def test_no_bundle_at_all(boot):
    """camber.bin alone, as somebody may boot it by mistake."""
    refused(boot("probe", image=board.CAMBER_BIN), r"bundle: no bundle found", HALTED)


# ---- machines ----

TREE_AT, IMAGE_AT = 0x4a000000, 0x40200000


def tree(folder, change=""):
    """QEMU's own tree for the profile, changed by lines of source; its path."""
    out = folder / "machine.dtb"
    subprocess.run([board.QEMU, *board.qemu_args("probe"), "-display", "none", "-M", f"dumpdtb={out}"],
                   stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, check=True)
    text = subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts", out], stdout=subprocess.PIPE, text=True,
                          check=True).stdout
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", out], input=f"{text}\n/ {{ {change} }};\n", text=True,
                   check=True)
    return out


def by_loader(folder, image, dtb, x0=TREE_AT):
    """Arguments of boot(): QEMU mends trees that it passes itself, so a loader of our own passes this one.

    ldr x0, tree; ldr x1, image; br x1; nop; tree: .quad; image: .quad
    """
    stub = folder / "loader"
    stub.write_bytes(struct.pack("<4I2Q", 0x58000080, 0x580000a1, 0xd61f0020, 0xd503201f, x0, IMAGE_AT))
    return {"image": stub, "extra": ["-device", f"loader,file={dtb},addr={TREE_AT:#x},force-raw=on",
                                     "-device", f"loader,file={image},addr={IMAGE_AT:#x},force-raw=on"]}


def test_loader_works(boot, folder, image):
    """With nothing wrong it boots: what the tests below see is due to their change."""
    q = boot("probe", **by_loader(folder, image, tree(folder)))
    q.expect(r"^\[probe\] probe: up$")


MACHINE = {
    "no-psci": ("/delete-node/ psci;", (r"boot: no PSCI node: .*",)),
    "psci-by-hvc": ('psci { method = "hvc"; };', (r"boot: PSCI's conduit isn't SMC: .*",)),
    "no-gic": ("/delete-node/ intc@8000000;", (r"no interrupt controller in the device tree: a GICv3 is needed .*", NO_GIC)),
    "no-memory": ("/delete-node/ memory@40000000;", (r"boot: no memory node",)),
}


@pytest.mark.parametrize("what", MACHINE)
def test_machine_refused(boot, folder, image, what):
    change, lines = MACHINE[what]
    refused(boot("probe", **by_loader(folder, image, tree(folder, change))), *lines)


def test_no_tree(boot, folder, image):
    refused(boot("probe", **by_loader(folder, image, tree(folder), x0=0)), r"boot: no device tree: .*")


def test_something_else_for_a_tree(boot, folder, image):
    q = boot("probe", **by_loader(folder, image, tree(folder), x0=0x60000000))
    refused(q, r"boot: what x0 points to is not a device tree .*")


def test_gicv2(boot, image):
    refused(boot("probe", image=image, extra=["-M", "gic-version=2"]), r"GICv2 found: this board needs GICv3 .*", NO_GIC)


def test_not_at_el2(boot, image):
    refused(boot("probe", image=image, extra=["-M", "virtualization=off"]), r"camber: not started at EL2; .*")


def profile(more, memory=16):
    return measure.profile(measure.vm(1, "probe", [0], memory=memory, more=more))


def test_too_little_ram(boot):
    q = boot("probe", dts=profile("", memory=64), memory="64M")
    refused(q, r"vm probe: no memory for 64 MiB at 0x40000000 \(\d+ MiB free\): .*", HALTED)


def test_too_little_ram_for_the_second(boot):
    """Not even the first VM is started."""
    dts = measure.profile(measure.vm(1, "probe", [0]), measure.vm(2, "second", [0], memory=64))
    refused(boot("probe", dts=dts, memory="80M"), r"vm second: no memory for 64 MiB .*", HALTED)


def test_cpu_not_there(boot):
    dts = measure.profile(measure.vm(1, "probe", [5]))
    refused(boot("probe", dts=dts, smp=2), r"vm probe: vCPU 0 may run on CPUs 0x20 only, and the machine has 2, of one kind with vCPU 0's", HALTED)


@pytest.mark.parametrize("at", ["0 0x40000000", "1 0x40000000"], ids=["taken", "beyond-ram"])
def test_static_memory_not_free(boot, at):
    q = boot("probe", dts=profile(f"xen,static-mem = <{at} 0 0x1000000>;"))
    refused(q, r"vm probe: 16 MiB at 0x1?40000000 of the board aren't all free RAM: .*", HALTED)


def test_device_not_there(boot):
    """The second serial line is there only if QEMU is told so."""
    q = boot("probe", dts=profile('device@9040000 { path = "/pl011@9040000"; };'))
    refused(q, r"vm probe: device /pl011@9040000 isn't in the firmware's device tree", HALTED)


# Where the loader says that the bundle lies (/chosen) -> what is there.
NOWHERE = {
    "beyond-ram": (0x10000000000, 0x10000100000),
    "devices": (0xc000000, 0xc001000),
    "crosses-end-of-ram": (0x7ffff000, 0x80100000),
    "wraps": (0xfffffffffffff000, 0xfffffffffffffff8),
}


def passed_at(start, end):
    cells = [f"{value >> 32:#x} {value & 0xffffffff:#x}" for value in (start, end)]
    return f"chosen {{ linux,initrd-start = <{cells[0]}>; linux,initrd-end = <{cells[1]}>; }};"


@pytest.mark.parametrize("where", NOWHERE)
def test_bundle_in_the_middle_of_nowhere(boot, folder, image, where):
    q = boot("probe", **by_loader(folder, image, tree(folder, passed_at(*NOWHERE[where]))))
    refused(q, r"bundle: .*\bRAM\b.*", HALTED)


@pytest.mark.parametrize("at", [0x60000000, 0x60000004], ids=["zeroes", "unaligned"])
def test_bundle_that_is_none(boot, folder, image, at):
    q = boot("probe", **by_loader(folder, image, tree(folder, passed_at(at, 0x60100000))))
    refused(q, r"bundle: no bundle found", HALTED)
