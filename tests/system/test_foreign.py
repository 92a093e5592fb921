# SPDX-License-Identifier: Apache-2.0
"""Guests that nobody made for this hypervisor: Debian's U-Boot and EDK2 for QEMU's `virt`, as firmware in a boot flash."""
import re

from camber import linux

PROMPT = r"^\[uboot\] => "
STRAYS = r"outside the platform|access of a kind|without syndrome|read-only memory"


def at_prompt(q):
    q.expect(r"^\[uboot\] U-Boot 20")
    q.expect(r"^\[uboot\] Loading Environment from Flash\.\.\. OK$")
    q.expect(r"^\[uboot\] uboot: up$")
    q.expect(PROMPT)


def command(q, text, answer):
    """U-Boot reads its UART while it waits for a command, only."""
    q.line(text)
    found = q.expect(answer)
    q.expect(PROMPT)
    return found


def test_uboot(boot):
    """The prompt, and what U-Boot finds: its version, its memory, the tree that mkbundle made."""
    q = boot("uboot")
    at_prompt(q)
    command(q, "version", r"^\[uboot\] U-Boot \d+\.\d+\S* ")
    found = command(q, "bdinfo", r"-> start    = (0x\w+)\n.*-> size     = (0x\w+)(?s:.*)devicetree  = board$")
    assert [int(text, 16) for text in found.groups()] == [0x40000000, 128 << 20]
    command(q, "fdt addr $fdt_addr", r"Working FDT set to 40000000$")
    command(q, "fdt print /psci", r'method = "hvc";$')
    command(q, "fdt print /memory@40000000 reg", r"reg = <0x00000000 0x40000000 0x00000000 0x08000000>$")
    command(q, "cp.b $uboot_flash $loadaddr $uboot_size", r"uboot_size$")
    command(q, "cmp.b $uboot_flash $loadaddr $uboot_size", r"^\[uboot\] Total of \d+ byte\(s\) were the same$")
    assert not re.search(STRAYS, q.text)


def test_uboot_reset_and_poweroff(boot):
    q = boot("uboot")
    for _ in range(3):
        at_prompt(q)
        q.line("reset")
        q.expect(r"\bvm uboot: reset, starting again$")
    at_prompt(q)
    q.line("poweroff")
    q.expect(r"\bvm uboot: powered off$")


def test_uboot_boots_linux(boot):
    """Kernel and initramfs from the flash, on two vCPUs; reboot goes by way of the firmware again."""
    q = boot("uboot-linux")
    q.expect(r"^\[linux\] Starting kernel \.\.\.$")
    q.expect(r"^\[linux\] linux: cpus 2 online$")
    q.expect(linux.up())
    q.expect(r"linux# ")
    q.line("reboot -f")
    q.expect(r"\bvm linux: reset, starting again$")
    q.expect(r"^\[linux\] U-Boot 20")
    q.expect(linux.up())
    assert not re.search(STRAYS, q.text)


def test_edk2(boot):
    """As far as docs/caveats.md says: its first line, then a write to the flash that it runs from."""
    q = boot("edk2")
    q.expect(r"^\[edk2\] UEFI firmware \(version ")
    q.expect(r"\bvm edk2: vCPU 0: write to read-only memory at 0x")
