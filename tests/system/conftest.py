# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the system tests: each test packs its own image and gets its own QEMU, which ends with the test."""
import contextlib
import pathlib
import re
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from camber import Qemu, board, pack  # noqa: E402
from camber.image import scratch  # noqa: E402


def pytest_sessionstart(session):
    missing = [str(path) for path in (board.CAMBER_BIN, board.MKBUNDLE, board.HVTRACE, board.PLUGIN)
               if not path.exists()]
    if missing and not session.config.option.collectonly:
        raise pytest.UsageError(f"not built: {', '.join(missing)}; `make test` builds what the tests need")


@pytest.fixture
def folder():
    """A folder for the test's images; gone when the test ends."""
    with scratch() as path:
        yield pathlib.Path(path)


@pytest.fixture
def boot(request, folder):
    """boot(profile, dts=, bootargs=, replace=, **arguments of Qemu) -> a running Qemu."""
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", request.node.nodeid.rsplit("/", 1)[-1]).strip("-")
    count = 0
    with contextlib.ExitStack() as stack:
        def start(profile, *, dts=None, bootargs=None, replace=None, image=None, **arguments):
            nonlocal count
            count += 1
            image = image or pack(folder, profile, dts=dts, bootargs=bootargs, replace=replace)
            return stack.enter_context(Qemu(image, profile=profile, name=f"{name}-{count}" if count > 1 else name,
                                            **arguments))
        yield start


@pytest.fixture
def icount():
    """Arguments of boot() for a deterministic machine: one instruction is one nanosecond."""
    return {"icount": True}
