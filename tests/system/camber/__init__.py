# SPDX-License-Identifier: Apache-2.0
"""Starts the board's image under QEMU, talks to its console, packs images. Used by the tests, tests/bench and tools/run.

Nothing here asserts on wall-clock time: deadlines only tell a hang from progress.
"""
from .image import Image, pack
from .qemu import ExpectError, Qemu

__all__ = ["ExpectError", "Image", "Qemu", "pack"]
