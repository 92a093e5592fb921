#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Make the Linux guest's initramfs: a gzipped cpio archive in the kernel's "newc" format.

Programs come with the loader and the libraries that their ELF headers ask for. The archive is written here rather
than by cpio, so that device nodes need no root and the same input gives the same bytes: sorted names, owner 0, time
0, inode numbers by position (format: Linux, Documentation/driver-api/early-userspace/buffer-format.rst). It reads
only what it is pointed to and never a library of the machine it runs on.
"""

import argparse
import gzip
import os
import stat
import sys

import elf

LIBRARY_DIR = "/lib/aarch64-linux-gnu"
SEARCH = ["/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/lib", "/usr/lib"]
FOLDERS = ["/bin", "/dev", "/etc", "/lib", "/mnt", "/proc", "/root", "/run", "/sbin", "/sys", "/tests", "/tmp", "/usr",
	"/usr/bin", "/usr/sbin", "/var"]
# Before /init mounts devtmpfs the kernel opens its console and programs may want null: (path, mode, major, minor).
NODES = [("/dev/console", 0o600, 5, 1), ("/dev/null", 0o666, 1, 3)]


class InitramfsError(Exception):
	"""What is missing or wrong, in one line."""


class Archive:
	"""The entries of an initramfs: path -> (mode, data, (major, minor))."""

	def __init__(self):
		self.entries = {}

	def folder(self, path):
		while path not in ("", "/"):
			self.entries.setdefault(path, (stat.S_IFDIR | 0o755, b"", (0, 0)))
			path = os.path.dirname(path)

	def file(self, path, data, mode):
		self.folder(os.path.dirname(path))
		self.entries[path] = (stat.S_IFREG | mode, data, (0, 0))

	def link(self, path, target):
		self.folder(os.path.dirname(path))
		self.entries[path] = (stat.S_IFLNK | 0o777, target.encode(), (0, 0))

	def node(self, path, mode, major, minor):
		self.folder(os.path.dirname(path))
		self.entries[path] = (stat.S_IFCHR | mode, b"", (major, minor))

	@staticmethod
	def _record(ino, name, mode, data, rdev):
		nlink = 2 if stat.S_ISDIR(mode) else 1
		fields = (ino, mode, 0, 0, nlink, 0, len(data), 0, 0, rdev[0], rdev[1], len(name) + 1, 0)
		head = b"070701" + b"".join(b"%08x" % field for field in fields) + name + b"\0"
		return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)

	def cpio(self):
		out = []
		for ino, (path, (mode, data, rdev)) in enumerate(sorted(self.entries.items()), 1):
			out.append(self._record(ino, path.lstrip("/").encode(), mode, data, rdev))
		out.append(self._record(0, b"TRAILER!!!", 0, b"", (0, 0)))
		return b"".join(out)


def read(path):
	with open(path, "rb") as file:
		return file.read()


def locate(tree, path):
	"""A path of the unpacked packages, following their symbolic links inside the tree only."""
	for _ in range(16):
		full = tree + path
		if not os.path.islink(full):
			return full if os.path.isfile(full) else None
		path = os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(full)))
	raise InitramfsError(f"{tree}{path}: too many symbolic links")


def find_library(tree, name):
	for folder in SEARCH:
		found = locate(tree, f"{folder}/{name}")
		if found:
			return found
	return None


def add_program(archive, tree, target, source):
	"""Add a program, its loader, and the libraries it needs, directly or not."""
	path = locate(tree, source)
	if not path:
		raise InitramfsError(f"{source} is in no unpacked package")
	data = read(path)
	archive.file(target, data, 0o755)
	try:
		image = elf.Elf(data)
		loader = image.interpreter()
		wanted = [(name, source) for name in image.needed()]
		if loader:
			found = locate(tree, loader)
			if not found:
				raise InitramfsError(f"{loader}, wanted by {source}, is in no unpacked package")
			archive.file(loader, read(found), 0o755)
		while wanted:
			name, by = wanted.pop()
			where = f"{LIBRARY_DIR}/{name}"
			if where in archive.entries or (loader and name == os.path.basename(loader)):
				continue
			found = find_library(tree, name)
			if not found:
				raise InitramfsError(f"{name}, wanted by {by}, is in no unpacked package")
			library = read(found)
			archive.file(where, library, 0o644)
			wanted += [(n, name) for n in elf.Elf(library).needed()]
	except elf.ElfError as error:
		raise InitramfsError(f"{source} or a library of it: {error}") from error


def add_listed(archive, tree, path):
	with open(path, encoding="utf-8") as lines:
		for number, line in enumerate(lines, 1):
			words = line.split("#")[0].split()
			if words and len(words) != 2:
				raise InitramfsError(f"{path}:{number}: expected two paths")
			if words:
				add_program(archive, tree, words[0], words[1])


def add_tree(archive, top):
	for folder, folders, files in os.walk(top):
		folders.sort()
		for name in files:
			full = os.path.join(folder, name)
			archive.file("/" + os.path.relpath(full, top), read(full), 0o644)


def build(args):
	archive = Archive()
	for folder in FOLDERS:
		archive.folder(folder)
	for node in NODES:
		archive.node(*node)
	archive.link("/bin/sh", "busybox")
	archive.file("/init", read(os.path.join(args.files, "init")), 0o755)
	tests = os.path.join(args.files, "tests")
	for name in os.listdir(tests):
		if name.endswith(".sh"):
			archive.file(f"/tests/{name}", read(os.path.join(tests, name)), 0o755)
	add_listed(archive, args.programs, args.list)
	add_tree(archive, args.modules)
	with open(args.out, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
		packed.write(archive.cpio())


def main():
	parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
	parser.add_argument("--list", required=True, help="programs to take")
	parser.add_argument("--programs", required=True, help="folder of the unpacked packages")
	parser.add_argument("--modules", required=True, help="folder with lib/modules")
	parser.add_argument("--files", required=True, help="folder with init and tests/")
	parser.add_argument("--out", required=True)
	try:
		build(parser.parse_args())
	except (InitramfsError, OSError) as error:
		sys.exit(f"mkinitramfs: {error}")


if __name__ == "__main__":
	main()
