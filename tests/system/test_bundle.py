# SPDX-License-Identifier: Apache-2.0
"""Damaged bundles are refused: one clear line, no VM started, no fault. mkbundle --list says the same on the build machine."""
import re
import struct
import subprocess
import zlib

import pytest
from camber import board, measure
from camber.image import bundle, join

# struct bundle_header (hv/include/abi/bundle.h)
HEADER = struct.Struct("<IIQIIIIII32s2Q")
VERSION_AT, CRC_AT, HEAD_BYTES_AT, VM_COUNT_AT = 4, 16, 20, 24
IMAGES_AT = 4096  # the first image of a bundle with few VMs


def with_crc(data):
    """Bytes of a bundle, its header's checksum made right again."""
    head, = struct.unpack_from("<I", data, HEAD_BYTES_AT)
    struct.pack_into("<I", data, CRC_AT, 0)
    struct.pack_into("<I", data, CRC_AT, zlib.crc32(bytes(data[:head])))
    return data


def damage_magic(data):
    data[0] ^= 1
    return data


def damage_version(data):
    struct.pack_into("<I", data, VERSION_AT, 2)
    return with_crc(data)


def damage_header(data):
    data[HEADER.size + 3] ^= 0x40  # in the first VM's label: only the checksum can tell
    return data


def damage_count(data):
    struct.pack_into("<I", data, VM_COUNT_AT, 0xffffffff)
    return with_crc(data)


def damage_image(data):
    data[IMAGES_AT + 200] ^= 0x10
    return data


def cut_image(data):
    return data[:len(data) // 2 // 4096 * 4096]


def damage_lengths(data):
    struct.pack_into("<Q", data, 8, 1 << 40)                    # total_bytes: beyond any RAM
    struct.pack_into("<I", data, HEAD_BYTES_AT, 0xfffffff0)     # what the header's checksum claims to cover
    return data


def cut_header(data):
    return data[:60]


# What is done to the bundle -> what the line must say.
DAMAGE = {
    "magic": (damage_magic, r"magic|no bundle"),
    "version": (damage_version, r"version"),
    "header": (damage_header, r"checksum|CRC"),
    "lengths": (damage_lengths, r"bytes|short|trunc|length"),
    "count": (damage_count, r"table|VMs|count"),
    "image": (damage_image, r"checksum|CRC"),
    "cut-image": (cut_image, r"bytes|short|trunc|cut|checksum"),
    "cut-header": (cut_header, r"bytes|short|trunc|cut|magic|no bundle|checksum"),
}


@pytest.fixture
def packed(folder):
    path, _ = bundle(folder, "damaged", dts=measure.profile(measure.vm(1, "probe", [0])), bootargs={"probe": "then=stay"})
    return path


def test_header_is_as_abi_says():
    assert HEADER.size == 88


@pytest.mark.parametrize("what", DAMAGE)
def test_refused_at_boot(boot, folder, packed, what):
    change, says = DAMAGE[what]
    good = packed.read_bytes()
    # mkbundle joins no damaged bundle, so the damage comes afterwards, where the good bundle lies in the image.
    image = folder / "damaged.img"
    join(packed, image)
    data = image.read_bytes()
    start = data.index(good[:HEADER.size])
    image.write_bytes(data[:start] + bytes(change(bytearray(data[start:start + len(good)]))))
    q = boot("probe", image=image)
    q.expect(r"^.*\b(?:bundle|vm probe): .*(?:" + says + r").*$")
    # Without any VM there is nothing to do; with a damaged image only its VM is off.
    q.expect(r"\bvm probe: not started: its images are damaged$|\bboot: no guest can be started, halted$")
    assert "vm probe: loaded" not in q.text and "probe: up" not in q.text


@pytest.mark.parametrize("what", DAMAGE)
def test_refused_by_mkbundle(folder, packed, what):
    change, says = DAMAGE[what]
    damaged = folder / "damaged.bin"
    damaged.write_bytes(bytes(change(bytearray(packed.read_bytes()))))
    done = subprocess.run([board.MKBUNDLE, "--list", damaged], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1 and re.search(says, done.stderr), done.stderr


def test_no_bundle_at_all(boot):
    """camber.bin alone, as somebody may boot it by mistake."""
    q = boot("probe", image=board.CAMBER_BIN)
    q.expect(r"^.*\bbundle\b.*$")
