# SPDX-License-Identifier: Apache-2.0
"""The probe guest: its registry of cases (guests/probe/cases.def) and its lines."""
import re

from . import board

CASE_LINE = r"^(?:\[(?P<label>[a-z0-9_-]+)\] )?probe: case (?P<name>\w+) (?P<verdict>ok|FAIL|skip)(?P<why>.*)$"
DEF_LINE = re.compile(r"^CASE\((\w+),\s*(\d+),\s*([A-Z0-9_| ]+?),", re.MULTILINE)


class Case:
    def __init__(self, name, cpus, flags):
        self.name, self.cpus, self.flags = name, cpus, flags

    @property
    def named_only(self):
        """Not part of run=all: it needs a partner VM or somebody outside."""
        return "CASE_NAMED_ONLY" in self.flags


def cases():
    text = (board.TOP / "guests" / "probe" / "cases.def").read_text()
    return [Case(name, int(cpus), flags) for name, cpus, flags in DEF_LINE.findall(text)]


def verdicts(text, label="probe"):
    """Case name -> (verdict, why) in a console's text."""
    return {m["name"]: (m["verdict"], m["why"].strip()) for m in re.finditer(CASE_LINE, text, re.MULTILINE)
            if m["label"] == label}
