# SPDX-License-Identifier: Apache-2.0
"""The probe guest: its registry of cases (guests/probe/*.def) and its lines; and what its real-time neighbour reports."""
import re

from . import board

FOLDER = board.TOP / "guests" / "probe"

BEGIN_LINE = r"^\[(?P<label>[a-z0-9_-]+)\] probe: begin (?P<name>\w+)$"
CASE_LINE = r"^(?:\[(?P<label>[a-z0-9_-]+)\] )?probe: case (?P<name>\w+) (?P<verdict>ok|FAIL|skip)(?P<why>.*)$"
DID_LINE = (r"^(?:\[(?P<label>[a-z0-9_-]+)\] )?probe: (?P<role>[a-z-]+) did=(?P<did>\d+) in=(?P<in>\d+)"
            r"(?: each=(?P<each>[0-9,]+))?$")
DEF_LINE = re.compile(r"^CASE\((\w+),\s*(\d+),\s*([A-Z0-9_| ]+?),", re.MULTILINE)
ACCESS_LINE = re.compile(r"^ACCESS\((\w+),", re.MULTILINE)

# The real-time guest's report=: so many periods, of which it missed so many.
REPORT_LINE = r"^\[rtos\] rtos: jitter n=(\d+) .*\bmissed=(\d+)$"


class Case:
    def __init__(self, name, cpus, flags):
        self.name, self.cpus, self.flags = name, cpus, flags

    @property
    def named_only(self):
        """Not part of run=all or run=hostile: it needs a partner VM or somebody outside."""
        return "CASE_NAMED_ONLY" in self.flags


def _cases(registry):
    text = (FOLDER / registry).read_text()
    return [Case(name, int(cpus), flags) for name, cpus, flags in DEF_LINE.findall(text)]


def cases():
    """What run=all runs, and the cases that have to be named."""
    return _cases("cases.def")


def accesses():
    """The instructions of the hostile accesses."""
    return ACCESS_LINE.findall((FOLDER / "access.def").read_text())


def hostile_cases():
    """What run=hostile runs: three cases for each access instruction, and the others."""
    return [Case(f"{kind}_{name}", 1, "H") for name in accesses() for kind in ("out", "el0", "dev")] + _cases("hostile.def")


def verdicts(text, label="probe"):
    """Case name -> (verdict, why) in a console's text."""
    return {m["name"]: (m["verdict"], m["why"].strip()) for m in re.finditer(CASE_LINE, text, re.MULTILINE)
            if m["label"] == label}


def did(match):
    """Of a DID_LINE: own work, the time it took, each CPU's work; in us, but wake-ups instead of work of the storms."""
    each = match["each"] or match["did"]
    return int(match["did"]), int(match["in"]), [int(n) for n in each.split(",")]


def spans(text, label="probe"):
    """Case name -> (position of its begin line, position of its verdict) in a console's text, for hostile cases."""
    begins = {m["name"]: m.start() for m in re.finditer(BEGIN_LINE, text, re.MULTILINE) if m["label"] == label}
    return {m["name"]: (begins[m["name"]], m.end()) for m in re.finditer(CASE_LINE, text, re.MULTILINE)
            if m["label"] == label and m["name"] in begins}


def reports(text):
    """(position, periods, missed) of each report of the real-time guest in a console's text."""
    return [(m.start(), int(m.group(1)), int(m.group(2))) for m in re.finditer(REPORT_LINE, text, re.MULTILINE)]


def missed_none(found):
    """Is there a report, and does each say that all its periods were kept?"""
    return bool(found) and all(periods > 0 and missed == 0 for _, periods, missed in found)


def reports_of(text, name):
    """The reports from the moment when a hostile case began to the first one after its verdict; none if that is missing."""
    begin, end = spans(text)[name]
    found = reports(text)
    last = next((at for at, _, _ in found if at > end), None)
    return [report for report in found if last is not None and begin <= report[0] <= last]
