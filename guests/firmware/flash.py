#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Make the image of a virtual board's boot flash: firmware, what it boots, and U-Boot's environment, each at its place.

The environment's file has a line `name=value` for each variable; # begins a comment line. For each file that is put into
the flash as NAME=ADDRESS:FILE it gets two variables more, <NAME>_flash and <NAME>_size. Its format is U-Boot's for a flash
without a second copy: a little-endian CRC-32, then the variables, each ending with a zero byte, then zeros. Everything
that is not written is zero; the output is sparse where the file system can do that.
"""

import argparse
import binascii
import struct
import sys


class FlashError(Exception):
	"""What is wrong, in one line."""


def read(path):
	with open(path, "rb") as file:
		return file.read()


def read_variables(path):
	with open(path, encoding="ascii") as lines:
		for number, line in enumerate(lines, 1):
			line = line.strip()
			if not line or line.startswith("#"):
				continue
			name, equals, value = line.partition("=")
			if not name or not equals:
				raise FlashError(f"{path}:{number}: expected name=value")
			yield name, value


def environment(variables, size):
	data = b"".join(f"{name}={value}\0".encode("ascii") for name, value in variables) + b"\0"
	if len(data) > size - 4:
		raise FlashError(f"the environment takes {len(data)} bytes, and there is room for {size - 4}")
	data = data.ljust(size - 4, b"\0")
	return struct.pack("<I", binascii.crc32(data)) + data


def parse_part(text):
	"""NAME=ADDRESS:FILE"""
	name, _, rest = text.partition("=")
	address, _, path = rest.partition(":")
	if not name or not path:
		raise FlashError(f"{text}: expected NAME=ADDRESS:FILE")
	return name, int(address, 0), read(path)


def check(parts, size):
	"""In order of address, inside, apart."""
	end, before = 0, "the flash's start"
	for name, address, data in sorted(parts, key=lambda part: part[1]):
		if address < end:
			raise FlashError(f"{name} at {address:#x} overlaps {before}, which ends at {end:#x}")
		end, before = address + len(data), name
	if end > size:
		raise FlashError(f"{before} ends at {end:#x}, behind the flash's end at {size:#x}")


def main():
	parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
	parser.add_argument("--size", type=lambda text: int(text, 0), required=True)
	parser.add_argument("--part", action="append", default=[], metavar="NAME=ADDRESS:FILE")
	parser.add_argument("--env", metavar="FILE")
	parser.add_argument("--env-at", type=lambda text: int(text, 0))
	parser.add_argument("--env-size", type=lambda text: int(text, 0))
	parser.add_argument("--out", required=True)
	args = parser.parse_args()
	try:
		parts = [parse_part(text) for text in args.part]
		if args.env:
			variables = list(read_variables(args.env))
			for name, address, data in parts:
				variables += [(f"{name}_flash", f"{address:#x}"), (f"{name}_size", f"{len(data):#x}")]
			parts.append(("the environment", args.env_at, environment(variables, args.env_size)))
		check(parts, args.size)
		with open(args.out, "wb") as file:
			for _, address, data in parts:
				file.seek(address)
				file.write(data)
			file.truncate(args.size)
	except (FlashError, OSError, ValueError) as error:
		sys.exit(f"flash: {error}")


if __name__ == "__main__":
	main()
