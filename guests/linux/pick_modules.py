#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pick the kernel image, and the listed modules with everything they need, out of an unpacked Debian kernel package.

Debian's package has no modules.dep (the installing system runs depmod), so dependencies, soft dependencies and
aliases are read from the modules, and modules.dep and modules.alias are written for busybox's modprobe. Compressed
modules are stored uncompressed: the initramfs is compressed as a whole. It never writes outside the output folder.
"""

import argparse
import lzma
import os
import shutil
import sys

import elf


class PickError(Exception):
	"""What is missing, in one line."""


def one(paths, what):
	paths = list(paths)
	if len(paths) != 1:
		raise PickError(f"expected one {what}, found {len(paths)}")
	return paths[0]


def canonical(name):
	"""The kernel takes - and _ in a module's name for the same."""
	return name.replace("-", "_")


def read_list(path):
	with open(path, encoding="utf-8") as lines:
		return [words[0] for words in (line.split("#")[0].split() for line in lines) if words]


def read_module(path):
	with open(path, "rb") as file:
		data = file.read()
	if path.endswith(".xz"):
		data = lzma.decompress(data)
	elif not path.endswith(".ko"):
		raise PickError(f"{path}: compressed in a way this tool doesn't know")
	return data


def find_modules(base):
	"""name -> path of every module of the package."""
	found = {}
	for folder, _, files in os.walk(os.path.join(base, "kernel")):
		for file in files:
			stem, dot, _ = file.partition(".ko")
			if dot:
				found[canonical(stem)] = os.path.join(folder, file)
	return found


def read_builtin(base):
	with open(os.path.join(base, "modules.builtin"), encoding="ascii") as lines:
		return {canonical(os.path.basename(line.strip())[:-len(".ko")]) for line in lines}


class Picker:
	"""Modules picked so far: .data, .deps and .aliases by canonical name."""

	def __init__(self, base):
		self.available = find_modules(base)
		self.builtin = read_builtin(base)
		self.data, self.deps, self.aliases = {}, {}, []

	def add(self, name, wanted_by):
		name = canonical(name)
		if name in self.data or name in self.builtin:
			return
		if name not in self.available:
			raise PickError(f"module {name}, wanted by {wanted_by}, is not in the kernel package")
		try:
			self.data[name] = read_module(self.available[name])
			info = elf.modinfo(self.data[name])
		except elf.ElfError as error:
			raise PickError(f"{self.available[name]}: {error}") from error
		needs = [canonical(n) for key, value in info if key == "depends" for n in value.split(",") if n]
		self.aliases += [(value, name) for key, value in info if key == "alias"]
		self.deps[name] = [n for n in needs if n not in self.builtin]
		for need in needs:
			self.add(need, name)
		# A soft dependency ("pre: a b post: c") may name what this kernel doesn't have.
		for key, value in info:
			if key == "softdep":
				for soft in value.split():
					if canonical(soft) in self.available:
						self.add(soft, name)

	def closure(self, name):
		"""Everything name needs, each before what it needs itself: the order of modules.dep."""
		order = []
		for need in self.deps[name]:
			for n in [need] + self.closure(need):
				if n in order:
					order.remove(n)
				order.append(n)
		return order


def write_text(path, lines):
	with open(path, "w", encoding="ascii") as file:
		file.writelines(line + "\n" for line in lines)


def pick(tree, wanted, out):
	boot = os.path.join(tree, "boot")
	image = os.path.join(boot, one((f for f in os.listdir(boot) if f.startswith("vmlinuz-")), "kernel image"))
	with open(image, "rb") as file:
		# "Booting AArch64 Linux": the magic of an uncompressed Image.
		if file.read(64)[56:60] != b"ARM\x64":
			raise PickError(f"{image} is not an uncompressed arm64 Image")
	versions = os.path.join(tree, "lib/modules")
	version = one(os.listdir(versions), "kernel version")
	picker = Picker(os.path.join(versions, version))
	for name in wanted:
		picker.add(name, "modules.list")

	shutil.rmtree(out, ignore_errors=True)
	target = os.path.join(out, "modules/lib/modules", version)
	os.makedirs(target)
	for name, data in sorted(picker.data.items()):
		with open(os.path.join(target, name + ".ko"), "wb") as file:
			file.write(data)
	dep = [" ".join([f"{name}.ko:"] + [f"{n}.ko" for n in picker.closure(name)]) for name in sorted(picker.data)]
	write_text(os.path.join(target, "modules.dep"), dep)
	write_text(os.path.join(target, "modules.alias"), [f"alias {a} {n}" for a, n in sorted(picker.aliases)])
	shutil.copyfile(image, os.path.join(out, "vmlinuz"))
	write_text(os.path.join(out, "version"), [version])


def main():
	parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
	parser.add_argument("--tree", required=True, help="the unpacked kernel package")
	parser.add_argument("--list", required=True, help="names of the modules wanted")
	parser.add_argument("--out", required=True, help="folder to make: vmlinuz, version, modules/")
	args = parser.parse_args()
	try:
		pick(args.tree, read_list(args.list), args.out)
	except (PickError, OSError, lzma.LZMAError) as error:
		sys.exit(f"pick_modules: {error}")


if __name__ == "__main__":
	main()
