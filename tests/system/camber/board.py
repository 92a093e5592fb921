# SPDX-License-Identifier: Apache-2.0
"""Where things are, and how QEMU becomes the board (boards/<board>/qemu.args)."""
import os
import pathlib
import shlex

TOP = pathlib.Path(__file__).resolve().parents[3]
BOARD = os.environ.get("BOARD", "qemu-virt")
BUILD = TOP / os.environ.get("O", "build")
OUT = BUILD / BOARD
BOARD_DIR = TOP / "boards" / BOARD
GUESTS = BUILD / "guests"
TESTS = BUILD / "tests"
MKBUNDLE = BUILD / "tools" / "mkbundle" / "mkbundle"
HVTRACE = BUILD / "tools" / "hvtrace" / "hvtrace"
CAMBER_BIN = OUT / "camber.bin"
CAMBER_ELF = OUT / "camber.elf"
PLUGIN = TESTS / "insn.so"
QEMU = os.environ.get("QEMU", "qemu-system-aarch64")
# CAMBER_HOST_CPUS=8 forces a thread per CPU on a small host: slow, but with races that one thread cannot have.
HOST_CPUS = int(os.environ.get("CAMBER_HOST_CPUS", os.cpu_count() or 1))

# Without a host's clock and randomness in it: the same run on every machine.
ICOUNT = ["-icount", "shift=0,sleep=off", "-M", "dtb-randomness=off", "-seed", "1", "-rtc", "clock=vm,base=2026-01-01T00:00:00"]
ICOUNT_CPU = "cortex-a72,cntfrq=1000000000"


def qemu_args(profile):
    """QEMU's options for a profile, without those that belong to a person's terminal."""
    args = []
    for line in (BOARD_DIR / "qemu.args").read_text().splitlines():
        words = shlex.split(line, comments=True)
        if words and words[0].startswith("@"):
            words = words[1:] if words[0] == f"@{profile}" else []
        args += words
    return [word for word in args if word != "-nographic"]
