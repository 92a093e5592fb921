# SPDX-License-Identifier: Apache-2.0
"""Interactive console: the focused guest writes through, the monitor edits its line; boot arguments and Kconfig choose."""
import os
import pty
import re
import subprocess
import sys

import pytest
from camber import board, measure
from camber.image import bundle, join

UP, LEFT = "\x1b[A", "\x1b[D"
ERASE = r"\x1b\[K"

DTS = measure.profile(measure.vm(1, "rtos", [0], kernel="rtos/rtos.elf"), measure.vm(2, "probe", [1]))
BOOTARGS = {"rtos": "quiet", "probe": "bench=empty then=stay"}
INTERACTIVE = ("-append", "console=interactive")


@pytest.fixture
def console(boot):
    q = boot("console-modes", dts=DTS, bootargs=BOOTARGS, smp=2, extra=INTERACTIVE)
    q.expect_all([r"^rtos: up$", r"^\[probe\] probe: done"])
    return q


def test_focused_guest_writes_through(console):
    q = console
    q.mark()
    q.send("help")
    q.expect(r"^.*\bhelp")  # its own echo, raw and at once: no end of line has been typed
    q.send("\r")
    q.expect(r"^(?!\[rtos\]).*\bstat\b.*$")
    assert "[rtos]" not in q.since_mark()
    q.focus("probe")
    q.focus("the monitor")
    q.expect(r"^camber> ")
    # Others come as whole lines again, with their labels.
    q.line("vm restart rtos")
    q.expect(r"^\[rtos\] rtos: up$")


def test_monitor_edits_its_line(console):
    q = console
    q.focus("the monitor")
    q.send("he\t")
    q.expect(rf"camber> help {ERASE}")
    q.send("\r")
    q.expect(r"^help +this list$")
    q.expect(r"^reboot +reset the board$")
    # Completion: a sub-command, then a VM.
    q.send("vm li\t")
    q.expect(rf"camber> vm list {ERASE}")
    q.send("\r")
    q.expect(r"^1 rtos +running .*$")
    q.send("vm \t")
    q.expect(r"^list  start  stop  restart  pause  resume  reset  rtos  probe$")
    q.send("res\t\x03")
    q.expect(r"\^C$")
    # History, and a correction in the middle.
    q.send("mme" + LEFT + "\x7f" + "e\x1b[C\x7fm\r")
    q.expect(r"^total \d+ KiB")
    q.send(UP + UP + "\r")
    q.expect(rf"camber> vm list {ERASE}$")
    q.expect(r"^2 probe +running .*$")
    # An answer that takes several turns, and one that is given up.
    q.send("log\r")
    q.expect(r"vm probe: started")


def test_mode_can_be_changed(console):
    q = console
    q.focus("the monitor")
    q.line("console")
    q.expect(r"^console: interactive$")
    q.line("console batch")
    q.line("console")
    q.expect(r"^camber> console$")
    q.expect(r"^console: batch$")
    q.focus("rtos")
    q.line("help")
    q.expect(r"^\[rtos\] .*\bstat\b.*$")


def test_boot_arguments(boot):
    q = boot("probe", bootargs={"probe": "bench=empty then=stay"},
             extra=("-append", "console=ttyAMA0 console=batch quiet console=interactive"))
    for word in ("console=ttyAMA0", "quiet"):
        q.expect(rf'\] boot argument "{word}" ignored; known: console=batch, console=interactive, sched=rt, sched=credit, '
                 r"trace=<class>\[,<class>\.\.\.\]$")
    q.expect(r"^probe: done")
    assert q.text.count("boot argument") == 2


@pytest.mark.xdist_group("make-run")  # they have one socket
def test_make_run_is_interactive(folder):
    """tools/run without --batch: a person's serial line; "Ctrl-] x" ends it."""
    path, labels = bundle(folder, "probe", bootargs={"probe": "bench=empty then=stay"})
    image = folder / "probe.img"
    join(path, image)
    try:
        master, slave = pty.openpty()
    except OSError as e:  # a container without devpts
        pytest.skip(str(e))
    command = [sys.executable, "-B", board.TOP / "tools" / "run", "--profile", "probe", "--image", image, "--bundle", path]
    text = ""
    with subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave) as run:
        os.close(slave)
        while not (done := re.search(r"^(.*)probe: done", text, re.MULTILINE)) and run.poll() is None:
            text += os.read(master, 4096).decode(errors="replace")
        os.write(master, b"\x01\x01\x01")
        while "camber> " not in text and run.poll() is None:
            text += os.read(master, 4096).decode(errors="replace")
        os.write(master, b"\x1dx")
    os.close(master)
    assert labels == ["probe"] and done and done.group(1) == "", text
    assert text.count("[console] input to the monitor") == 1
    assert run.returncode == 0


def test_batch_is_the_default(boot):
    q = boot("probe", bootargs={"probe": "bench=empty then=stay"})
    q.expect(r"^\[probe\] probe: done")
    q.focus("the monitor")
    q.mark()
    q.line("console")
    q.expect(r"^camber> console$")
    q.expect(r"^console: batch$")
    assert "\x1b" not in q.since_mark()


def test_configured_at_build_time(boot, folder):
    """CONFIG_CONSOLE_INTERACTIVE and CONFIG_CONSOLE_ESCAPE, in a hypervisor built with both changed."""
    out = folder / "build"
    (out / board.BOARD).mkdir(parents=True)
    for name in ("src", "apt", "guests", "newlib"):
        if (board.BUILD / name).exists():
            (out / name).symlink_to(board.BUILD / name)
    (out / board.BOARD / ".config").write_text((board.OUT / ".config").read_text().replace(
        "# CONFIG_CONSOLE_INTERACTIVE is not set", "CONFIG_CONSOLE_INTERACTIVE=y").replace(
        "CONFIG_CONSOLE_ESCAPE=0x01", "CONFIG_CONSOLE_ESCAPE=0x18"))
    binary = out / board.BOARD / "camber.bin"
    done = subprocess.run(["make", "-C", board.TOP, f"O={out}", f"BOARD={board.BOARD}", binary],
                          env={k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "O")},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    path, _ = bundle(folder, "console-modes", dts=DTS, bootargs=BOOTARGS)
    image = folder / "configured.img"
    subprocess.run([board.MKBUNDLE, "--image", binary, "--bundle", path, "-o", image], check=True)
    q = boot("console-modes", image=image, smp=2)
    q.expect_all([r"^rtos: up$", r"^\[probe\] probe: done"])
    q.send("\x01" * 6)
    q.send("\x18" * 2 + "\x18")
    q.expect(r"^\[console\] input to probe$")
    q.send("\x18" * 3)
    q.expect(r"^\[console\] input to the monitor$")
    q.expect(r"^camber> ")
    assert q.text.count("[console] input to") == 2
