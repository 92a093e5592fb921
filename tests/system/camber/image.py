# SPDX-License-Identifier: Apache-2.0
"""Packs a profile into a bootable image with a test's own boot arguments: dtc, then mkbundle, as boards/build.mk does."""
import os
import pathlib
import re
import subprocess
import tempfile

from . import board


class PackError(Exception):
    """dtc or mkbundle refused; the text is what it said."""


class Image:
    """A packed image: its file, its profile's name and its VMs' labels in start order."""

    def __init__(self, path, profile, labels):
        self.path = pathlib.Path(path)
        self.profile = profile
        self.labels = labels


def _run(*command):
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise PackError(done.stdout.strip())
    return done.stdout


def labels_of(source):
    """The labels in a profile's source, in the order of its VMs."""
    return re.findall(r'\blabel\s*=\s*"([^"]+)"', source, re.MULTILINE)


def bundle_labels(path):
    """The labels of the VMs that a bundle starts by itself, in start order, as mkbundle reads them."""
    listing = _run(board.MKBUNDLE, "--list", path)
    return re.findall(r'^vm \d+ "([^"]+)": .*\bautostart\b', listing, re.MULTILINE)


def bundle(folder, profile, *, dts=None, bootargs=None, replace=None):
    """Make <folder>/<profile>.bundle from boards/<board>/<profile>.dts or from the text `dts`; returns path and labels."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / f"{profile}.dts"
    source.write_text(dts if dts is not None else (board.BOARD_DIR / f"{profile}.dts").read_text())
    dtb, out = source.with_suffix(".dtb"), source.with_suffix(".bundle")
    _run(os.environ.get("DTC", "dtc"), "-q", "-I", "dts", "-O", "dtb", "-o", dtb, source)
    options = ["-I", board.GUESTS, "-s", source]
    if "device@" in source.read_text():
        options += ["--board", board.OUT / "board.dtb"]
    for label, text in (bootargs or {}).items():
        options += ["--bootargs", f"{label}={text}"]
    for name, path in (replace or {}).items():
        options += ["--replace", f"{name}={path}"]
    _run(board.MKBUNDLE, *options, "-o", out, dtb)
    return out, labels_of(source.read_text())


def join(bundle_path, image_path):
    """camber.bin + a bundle -> an image."""
    _run(board.MKBUNDLE, "--image", board.CAMBER_BIN, "--bundle", bundle_path, "-o", image_path)


def pack(folder, profile, *, dts=None, bootargs=None, replace=None):
    """Like bundle(), then the whole image. `folder` is the caller's, and his to delete."""
    path, labels = bundle(folder, profile, dts=dts, bootargs=bootargs, replace=replace)
    image = path.with_suffix(".img")
    join(path, image)
    path.unlink()
    return Image(image, profile, labels)


def scratch():
    """A temporary folder in build/tests, to be used in a with statement."""
    (board.TESTS / "tmp").mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(dir=board.TESTS / "tmp")
