# SPDX-License-Identifier: Apache-2.0
"""The board's usual job: Linux and the real-time guest on one console, and `make run BATCH=1`."""
import subprocess
import sys

from camber import board
from camber.image import bundle, join


def test_default_profile(boot):
    q = boot("default")
    q.expect_all([r"^\[ivi\] linux: up$", r"^\[rtos\] rtos: up$"])


def test_run_batch(folder):
    path, _ = bundle(folder, "default")
    image = folder / "default.img"
    join(path, image)
    done = subprocess.run([sys.executable, "-B", board.TOP / "tools" / "run", "--batch", "--profile", "default", "--image",
                           image, "--bundle", path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                          check=False)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "camber: ready"
    assert "[ivi] linux: up\n" in done.stdout
    assert "[rtos] rtos: up\n" in done.stdout


def test_run_batch_says_why_it_fails(folder):
    path, _ = bundle(folder, "default")
    image = folder / "broken.img"
    image.write_bytes(b"\0" * 4096)
    done = subprocess.run([sys.executable, "-B", board.TOP / "tools" / "run", "--batch", "--profile", "default", "--image",
                           image, "--bundle", path, "-no-such-option"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert "camber: ready" not in done.stdout
    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("run: ")
