# SPDX-License-Identifier: Apache-2.0
"""Every mistake that mkbundle knows, with its exact message.

A mistake is a profile, the files beside it and a command line that give exactly that message. docs/config.md lists the
same names and messages; test_config_mistakes.py compares the three: sources, documents, and what mkbundle prints.
"""
from .base import Mistake  # noqa: F401
from .board import BOARD_MISTAKES
from .command import COMMAND_MISTAKES
from .images import IMAGE_MISTAKES
from .profile import PROFILE_MISTAKES

# Heading in docs/config.md -> its mistakes.
GROUPS = {
    "In a profile": PROFILE_MISTAKES,
    "Images": IMAGE_MISTAKES,
    "Between profile and board": BOARD_MISTAKES,
    "Command line and files": COMMAND_MISTAKES,
}
ALL = [mistake for group in GROUPS.values() for mistake in group]
