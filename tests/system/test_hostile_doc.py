# SPDX-License-Identifier: Apache-2.0
"""docs/security.md: every test that it names exists, and every hostile case stands behind one of its lines."""
import os
import pathlib
import re
import subprocess
import sys

import pytest
from camber import board

DOCUMENT = board.TOP / "docs" / "security.md"
TEST_NAME = re.compile(r"`(test_\w+\.py::[^`]+)`")
FILE_NAME = re.compile(r"`((?:tests|guests|hv|docs)/[^`:]+\.\w+)(?:[^`]*)`")
HOSTILE = ("test_hostile.py::test_case[own-cpu-", "test_hostile_stop.py::test_ends[")


def pattern(name):
    """A name as the document has it: * stands for anything."""
    return re.compile(re.escape(name).replace(r"\*", ".*") + "$")


@pytest.fixture(scope="module")
def ids():
    """All tests of this folder, as pytest calls them."""
    folder = pathlib.Path(__file__).resolve().parent
    # -qq against pytest.ini's -v: one id a line. Not as a worker of the pytest that runs this.
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    done = subprocess.run([sys.executable, "-B", "-m", "pytest", "-p", "no:cacheprovider", "-c", folder / "pytest.ini",
                           "--collect-only", "-qq", "-m", "", folder], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False, env=clean)
    found = {line[line.rindex("test_", 0, line.index("::")):] for line in done.stdout.splitlines()
             if ".py::" in line}
    assert found, done.stdout
    return found


def names():
    return sorted(set(TEST_NAME.findall(DOCUMENT.read_text())))


@pytest.mark.parametrize("name", names())
def test_named_test_exists(ids, name):
    assert any(pattern(name).match(i) for i in ids), f"docs/security.md names {name}, which is no test"


def test_named_files_exist():
    missing = [name for name in FILE_NAME.findall(DOCUMENT.read_text()) if not (board.TOP / name).exists()]
    assert not missing


def test_every_case_has_a_line(ids):
    patterns = [pattern(name) for name in names()]
    cases = sorted(i for i in ids if i.startswith(HOSTILE))
    assert len(cases) >= 150, f"only {len(cases)} hostile cases"
    assert not [case for case in cases if not any(p.match(case) for p in patterns)]


def test_a_wrong_name_is_seen(ids):
    assert not any(pattern("test_hostile.py::test_case[own-cpu-no_such_*]").match(i) for i in ids)
