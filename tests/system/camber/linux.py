# SPDX-License-Identifier: Apache-2.0
"""The Linux guest: its variants, and what its first process (guests/linux/init) prints."""
from . import board

# Suffix of the files in build/guests/linux -> what `uname -r` must look like.
VARIANTS = {"": r"6\.1\.\d\S*", "-rt": r"6\.1\.\d\S*-rt\S*", "-6.12": r"6\.12\.\d\S*"}


def variant(suffix):
    """Arguments of boot() that put another kernel in the place of the profile's."""
    if not suffix:
        return {}
    folder = board.GUESTS / "linux"
    return {"replace": {"linux/vmlinuz": folder / f"vmlinuz{suffix}",
                        "linux/initramfs.cpio.gz": folder / f"initramfs{suffix}.cpio.gz"}}


def run(*steps, **settings):
    """Boot arguments: steps of guests/linux/tests, or shell commands; what the steps are told, as cyclictest="300,10000"."""
    words = ",".join(steps)
    told = "".join(f"{name}={value} " for name, value in settings.items())
    return "console=ttyAMA0 " + told + (f'camber.run="{words}"' if words else "")


def up(label="linux"):
    return rf"^\[{label}\] linux: up$"


def step_ok(q, step, label="linux"):
    """Wait for the end of a step; its failure ends the test with what it said."""
    verdict = q.expect(rf"^\[{label}\] linux: {step} (ok|FAILED .*)$")
    assert verdict.group(1) == "ok", q.tail()


def cyclictest(q, label="linux"):
    """The figures of the step cyclictest: threads, loops; interval, min, avg, max in ns."""
    found = q.expect(rf"^\[{label}\] cyclictest: (threads=\d+ loops=\d+ interval=\d+ min=\d+ avg=\d+ max=\d+)$")
    step_ok(q, "cyclictest", label)
    return {name: int(value) for name, value in (word.split("=") for word in found.group(1).split())}
