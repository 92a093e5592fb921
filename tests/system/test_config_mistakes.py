# SPDX-License-Identifier: Apache-2.0
"""Every mistake in a profile, an image, or on mkbundle's command line has one exact line (tests/system/mistakes).

No mistake without a test, and none that docs/config.md doesn't list: the texts in mkbundle's sources, the table in the
document and what mkbundle prints are compared with each other.
"""
import os
import re
import subprocess

import mistakes
import pytest
from camber import board
from mistakes.base import FILES, PACK

# list.c prints and judges nothing.
SOURCES = sorted(set((board.TOP / "tools" / "mkbundle").glob("*.c")) - {board.TOP / "tools" / "mkbundle" / "list.c"})
DTC = board.TOP / "tools" / "mkbundle" / "profile-dtc"
DOCUMENT = board.TOP / "docs" / "config.md"
NOT_MESSAGES = {
    "main.c": ["usage: mkbundle", "mkbundle: %s"],
    "util.c": ["mkbundle: out of memory"],  # of the build machine: no test can bring it about
}


def write(path, data):
    if isinstance(data, int):
        with open(path, "wb") as file:
            file.truncate(data)
    else:
        path.write_bytes(data)


def dtc(folder, name, text, program="dtc"):
    (folder / f"{name}.dts").write_text(text)
    return subprocess.run([DTC, f"{name}.dts", "-q", "-o", f"{name}.dtb"], cwd=folder, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
                          env={**os.environ, "DTC": program})


def run(folder, mistake):
    """What is printed, and the exit status."""
    for name, data in {**FILES, **mistake.files}.items():
        write(folder / name, data)
    options = list(mistake.more)
    if mistake.board:
        done = dtc(folder, "board", mistake.board)
        assert not done.returncode, done.stderr
        options += ["--board", "board.dtb"]
    if mistake.dts:
        done = dtc(folder, "p", mistake.dts, mistake.dtc)
        if mistake.by_dtc:
            return done
        assert not done.returncode, done.stderr
    arguments = PACK if mistake.args is None else mistake.args
    return subprocess.run([board.MKBUNDLE, *options, *arguments], cwd=folder, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)


@pytest.mark.parametrize("mistake", mistakes.ALL, ids=lambda mistake: mistake.name)
def test_message(folder, mistake):
    missing = [path for path in mistake.needs if not os.path.exists(path)]
    if missing:
        pytest.skip(f"this machine has no {missing[0]}")
    done = run(folder, mistake)
    assert done.stderr == f"mkbundle: {mistake.says}\n"
    assert done.returncode == mistake.status and not done.stdout
    assert not (folder / "out.bundle").exists(), "something was written all the same"


def test_names_are_unique():
    names = [mistake.name for mistake in mistakes.ALL]
    assert len(set(names)) == len(names)


def test_each_ends_with_a_remedy():
    """file: [node: property:] rule; remedy"""
    assert [m.says for m in mistakes.ALL if not re.fullmatch(r"\S.*: .*\S; \S.*[^.;]", m.says)] == []


def test_each_in_a_profile_names_the_place():
    inside = [m for m in mistakes.ALL if m.says.startswith("p.dts: ") and not m.by_dtc and m.name != "not-a-tree"]
    assert [m.says for m in inside if not re.match(r"p\.dts: /\S*: ", m.says)] == []
    assert len(inside) > 100


def literals(source):
    """The string literals of a C source, adjacent ones joined."""
    text = re.sub(r"_Static_assert\(.*?\);", "", source.read_text(), flags=re.DOTALL)
    joined, end = None, 0
    for found in re.finditer(r"""/\*.*?\*/|'(?:[^'\\]|\\.)+'|"((?:[^"\\]|\\.)*)\"""", text, re.DOTALL):
        if found.group(1) is None:
            continue
        if joined is not None and text[end:found.start()].strip():
            yield joined
            joined = None
        joined, end = (joined or "") + re.sub(r"\\(.)", r"\1", found.group(1)), found.end()
    yield joined or ""


def as_pattern(text):
    """A format string as a regular expression."""
    parts = re.split(r"%[-#0-9.*]*(?:ll|l|z)?[a-z]", text)
    return ".+".join(re.escape(part.replace("%%", "%")) for part in parts)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_every_text_in_the_source_has_a_mistake(source):
    exempt = NOT_MESSAGES.get(source.name, [])
    said = [mistake.says for mistake in mistakes.ALL]
    missing = []
    for text in literals(source):
        # Shorter ones are names of properties, and words that a longer text takes in.
        if " " not in text or len(text) < 12 or any(text.startswith(prefix) for prefix in exempt):
            continue
        if not any(re.search(as_pattern(text), line) for line in said):
            missing.append(text)
    assert missing == []


def test_every_text_of_profile_dtc_has_a_mistake():
    said = [mistake.says for mistake in mistakes.ALL]
    script = DTC.read_text().split("awk", 1)[1]
    remedies = re.findall(r'"((?:[^"\\]|\\.){7,})"\)', script) + re.findall(r'%s: dtc: ([^"]*)\\n', script)
    assert len(remedies) == 6
    assert [text for text in remedies if not any(text.replace('\\"', '"') in line for line in said)] == []


def test_sources_are_found():
    assert sum(1 for source in SOURCES for text in literals(source) if "; " in text) > 100


def table(group):
    rows = [f"| `{mistake.name}` | `{shown(mistake.says)}` |" for mistake in group]
    return ["| name | message |", "|---|---|", *rows]


def shown(says):
    """Long values are cut in the document."""
    return re.sub(r"(x)\1{20,}", "xxx...", says)


def document():
    lines = []
    for heading, group in mistakes.GROUPS.items():
        lines += [f"### {heading}", *table(group), ""]
    return lines[:-1]


def test_document_lists_them_all():
    """`python3 tests/system/test_config_mistakes.py` writes the tables."""
    text = DOCUMENT.read_text()
    begin, end = text.index("### In a profile"), text.index("<!-- end of the mistakes -->")
    assert text[begin:end].strip().splitlines() == document()


def main():
    text = DOCUMENT.read_text()
    begin, end = text.index("### In a profile"), text.index("<!-- end of the mistakes -->")
    DOCUMENT.write_text(text[:begin] + "\n".join(document()) + "\n\n" + text[end:])


if __name__ == "__main__":
    main()
