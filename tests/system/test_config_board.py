# SPDX-License-Identifier: Apache-2.0
"""boards/<board>/board.dts says what the firmware's tree says, and what a guest's tree has of it is right."""
import re
import struct
import subprocess

import pytest
from camber import board

PHANDLES = {"clocks", "interrupt-parent"}


def tree(data):
    """A compiled device tree as {path: {property: bytes}}."""
    _, _, structs, strings = struct.unpack_from(">4I", data)
    nodes, path, at = {}, [], structs
    while True:
        token, = struct.unpack_from(">I", data, at)
        at += 4
        if token == 1:
            end = data.index(0, at)
            path.append(data[at:end].decode())
            nodes["/".join(path) or "/"] = {}
            at = (end + 4) & ~3
        elif token == 2:
            path.pop()
        elif token == 3:
            length, name = struct.unpack_from(">II", data, at)
            name = data[strings + name:data.index(0, strings + name)].decode()
            nodes["/".join(path) or "/"][name] = data[at + 8:at + 8 + length]
            at = (at + 8 + length + 3) & ~3
        elif token == 9:
            return nodes


def cells(value):
    return struct.unpack(f">{len(value) // 4}I", value)


def resolved(nodes):
    """The same tree with paths instead of phandles."""
    targets = {cells(props["phandle"])[0]: path for path, props in nodes.items() if "phandle" in props}
    return {path: {name: [targets[cell] for cell in cells(value)] if name in PHANDLES else value
                   for name, value in props.items() if name != "phandle"} for path, props in nodes.items()}


@pytest.fixture(name="ours", scope="module")
def _ours(tmp_path_factory):
    out = tmp_path_factory.mktemp("board") / "board.dtb"
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", out, board.BOARD_DIR / "board.dts"], check=True)
    return out


@pytest.fixture(name="firmware", scope="module")
def _firmware(tmp_path_factory):
    """The tree of the machine that qemu.args describes, with all CPUs and the second serial line."""
    out = tmp_path_factory.mktemp("qemu") / "qemu.dtb"
    subprocess.run([board.QEMU, *board.qemu_args("default"), "-smp", "8", "-display", "none", "-serial", "null",
                    "-serial", "null", "-M", f"dumpdtb={out}"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   timeout=60, check=True)
    return tree(out.read_bytes())


def test_board_is_as_the_firmware_says(ours, firmware):
    """Every node and property that we write down is there, with the same value."""
    want, have = resolved(tree(ours.read_bytes())), resolved(firmware)
    assert len(want) > 20
    for path, props in want.items():
        assert path in have, path
        for name, value in props.items():
            assert have[path].get(name) == value, f"{path}: {name}"


def test_no_device_is_missing(ours, firmware):
    want = tree(ours.read_bytes())
    missing = [path for path, props in firmware.items() if "reg" in props and path not in want]
    assert [path for path in missing if not path.startswith("/virtio_mmio@")] == []
    assert len(missing) == 31


def pack(folder, ours, text):
    """The guest's tree of a profile with one VM, "a"."""
    (folder / "p.dts").write_text(
        '/dts-v1/;\n/ { compatible = "camber,config"; vm@1 { compatible = "camber,vm"; label = "a"; cpus = <1>; '
        f'memory-mib = <64>; kernel = "raw.bin"; load = <0x40200000>; {text} }}; }};')
    (folder / "raw.bin").write_bytes(bytes(4096))
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", "p.dtb", "p.dts"], cwd=folder, check=True)
    subprocess.run([board.MKBUNDLE, "-I", ".", "--board", ours, "--dump-dtb", "a=guest.dtb", "-o", "p.bundle", "p.dtb"],
                   cwd=folder, check=True)
    # dtc has an opinion on trees, too.
    done = subprocess.run(["dtc", "-I", "dtb", "-O", "dts", "guest.dtb"], cwd=folder, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=True)
    listing = subprocess.run([board.MKBUNDLE, "--list", "p.bundle"], cwd=folder, stdout=subprocess.PIPE, text=True,
                             check=True)
    return tree((folder / "guest.dtb").read_bytes()), done.stderr, listing.stdout


def test_device_as_on_the_board(folder, ours, firmware):
    guest, complaints, listing = pack(folder, ours, 'device@9040000 { path = "/pl011@9040000"; };')
    node = dict(resolved(guest)["/pl011@9040000"])
    assert node.pop("status") == b"okay\0"
    assert node == resolved(firmware)["/pl011@9040000"]
    assert complaints == ""
    assert "  device /pl011@9040000: 0x9040000 + 0x1000, interrupts 40\n" in listing


def test_device_elsewhere(folder, ours):
    guest, complaints, listing = pack(folder, ours, """no-rtc; nr_spis = <96>;
        device@9010000 { path = "/pl061@9030000"; reg = <0 0x9010000 0 0x1000>; interrupts = <95>; };
        device@9050000 { path = "/pl031@9010000"; reg = <0 0x9050000 0 0x1000>; clock-frequency = <1000000>; };""")
    assert cells(guest["/pl061@9010000"]["reg"]) == (0, 0x9010000, 0, 0x1000)
    assert cells(guest["/pl061@9010000"]["interrupts"]) == (0, 95, 4)
    assert "gpio-controller" in guest["/pl061@9010000"]
    clock, = cells(guest["/pl031@9050000"]["clocks"])
    own = [props for props in guest.values() if props.get("phandle") == struct.pack(">I", clock)]
    assert [cells(props["clock-frequency"]) for props in own] == [(1000000,)]
    assert cells(guest["/pl031@9050000"]["interrupts"]) == (0, 2, 4)
    assert complaints == ""
    assert re.search(r"device /pl061@9030000: 0x9010000 \+ 0x1000, interrupts 127$", listing, re.MULTILINE)


def test_nothing_else_can_be_given_away(folder, ours, firmware):
    given = set()
    for path, props in firmware.items():
        if "reg" not in props or path.startswith(("/cpus/", "/virtio_mmio@a00")) and path != "/virtio_mmio@a000000":
            continue
        at = path.rsplit("@", 1)[1]
        text = f'no-vpl011; no-rtc; device@{at} {{ path = "{path}"; }};'
        try:
            pack(folder, ours, text)
            given.add(path)
        except subprocess.CalledProcessError:
            pass
    assert given == {"/flash@0", "/pl031@9010000", "/pl061@9030000", "/pl011@9040000"}
