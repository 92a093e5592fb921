# SPDX-License-Identifier: Apache-2.0
"""The little of ELF that the initramfs needs: a module's .modinfo, a program's interpreter and NEEDED libraries.

Reads 64-bit little-endian files only and says so otherwise; it never follows an offset without the slice being
checked by the length that comes back. No state, no locking.
"""

import struct

EM_AARCH64 = 183
PT_DYNAMIC = 2
PT_INTERP = 3
PT_LOAD = 1
DT_NEEDED = 1
DT_STRTAB = 5


class ElfError(Exception):
	"""A file is not the ELF file it has to be; the message names what is wrong."""


class Elf:
	"""One ELF file held in memory."""

	def __init__(self, data):
		self.data = data
		if len(data) < 64 or data[:6] != b"\x7fELF\x02\x01":
			raise ElfError("not a 64-bit little-endian ELF file")
		(machine, self.phoff, self.shoff, self.phentsize, self.phnum,
			self.shentsize, self.shnum, self.shstrndx) = struct.unpack_from("<18xH12xQQ6xHHHHH", data)
		if machine != EM_AARCH64:
			raise ElfError("not an AArch64 file")

	def _slice(self, offset, size):
		part = self.data[offset:offset + size]
		if len(part) != size:
			raise ElfError("truncated")
		return part

	def _string(self, offset):
		end = self.data.find(b"\0", offset)
		if end < 0:
			raise ElfError("truncated string table")
		return self.data[offset:end].decode("ascii")

	def _segments(self, kind):
		for i in range(self.phnum):
			header = self._slice(self.phoff + i * self.phentsize, 56)
			p_type, offset, vaddr, filesz = struct.unpack("<I4xQQ8xQ16x", header)
			if p_type == kind:
				yield offset, vaddr, filesz

	def section(self, name):
		"""Contents of the section called name, or b"" where there is none."""
		def header(i):
			return struct.unpack("<I20xQQ24x", self._slice(self.shoff + i * self.shentsize, 64))
		strings = header(self.shstrndx)[1]
		for i in range(self.shnum):
			sh_name, offset, size = header(i)
			if self._string(strings + sh_name) == name:
				return self._slice(offset, size)
		return b""

	def interpreter(self):
		"""Path of the dynamic loader, or None for a static program or a library."""
		for offset, _, _ in self._segments(PT_INTERP):
			return self._string(offset)
		return None

	def needed(self):
		"""Names of the libraries it is linked to, in order."""
		entries = []
		for offset, _, size in self._segments(PT_DYNAMIC):
			dynamic = self._slice(offset, size)
			entries += [struct.unpack_from("<QQ", dynamic, i) for i in range(0, size - 15, 16)]
		tables = [value for tag, value in entries if tag == DT_STRTAB]
		if not tables:
			return []
		for offset, vaddr, size in self._segments(PT_LOAD):
			if vaddr <= tables[0] < vaddr + size:
				strings = offset + tables[0] - vaddr
				return [self._string(strings + value) for tag, value in entries if tag == DT_NEEDED]
		raise ElfError("string table lies in no segment")


def modinfo(data):
	"""A kernel module's (key, value) pairs, in order."""
	pairs = []
	for item in Elf(data).section(".modinfo").split(b"\0"):
		key, found, value = item.decode("ascii", "replace").partition("=")
		if found:
			pairs.append((key, value))
	if not pairs:
		raise ElfError("no .modinfo: not a kernel module")
	return pairs
