# SPDX-License-Identifier: Apache-2.0
"""What the checks look at: the tree's own files, as git sees them (ignored and generated ones are not there)."""
import pathlib
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[2]


def tree():
    """All files of the tree that are or could be committed, relative to its top."""
    names = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=TOP,
                           stdout=subprocess.PIPE, check=True).stdout.decode().split("\0")
    return sorted({pathlib.Path(name) for name in names if name and (TOP / name).is_file()})


def sources(*suffixes):
    return [path for path in tree() if path.suffix in suffixes]


def is_assembly_header(path):
    """Headers full of assembler macros: neither C nor formatted as C."""
    return path.name.startswith("asm") and path.suffix == ".h" and ".macro" in (TOP / path).read_text()
