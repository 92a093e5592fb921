# SPDX-License-Identifier: Apache-2.0
"""Mistakes that only the board's device tree shows."""
import re

from .base import Mistake, node, root, two, vm
from .profile import RT

# A board of its own: 256 MiB, 2 CPUs, and a device for every reason not to be given away.
BOARD = """/dts-v1/;
/ {
#address-cells = <2>;
#size-cells = <2>;
interrupt-parent = <&gic>;
aliases { serial0 = "/soc/serial@10000"; };
chosen { stdout-path = "serial0:115200n8"; };
memory@40000000 { device_type = "memory"; reg = <0 0x40000000 0 0x10000000>; };
cpus {
	#address-cells = <1>;
	#size-cells = <0>;
	cpu@0 { device_type = "cpu"; reg = <0>; };
	cpu@1 { device_type = "cpu"; reg = <1>; };
};
timer@2000000 { compatible = "arm,armv7-timer-mem"; reg = <0 0x2000000 0 0x1000>; };
gic: gic@1000000 {
	compatible = "arm,gic-v3";
	#interrupt-cells = <3>;
	interrupt-controller;
	reg = <0 0x1000000 0 0x10000>;
};
clk: clk { compatible = "fixed-clock"; #clock-cells = <0>; clock-frequency = <1000000>; };
pll: pll { compatible = "maker,pll"; #clock-cells = <0>; };
soc {
	#address-cells = <1>;
	#size-cells = <1>;
	ranges = <0 0 0x8000000 0x100000>;
	serial@10000 { compatible = "arm,pl011"; reg = <0x10000 0x1000>; interrupts = <0 1 4>; clocks = <&clk>; };
	good@20000 { compatible = "maker,good"; reg = <0x20000 0x1000>; interrupts = <0 7 4>; clocks = <&clk>; };
	two@30000 { compatible = "maker,two"; reg = <0x30000 0x1000>, <0x32000 0x1000>; interrupts = <0 8 4>, <0 9 4>; };
	high@40000 { compatible = "maker,high"; reg = <0x40000 0x1000>; interrupts = <0 70 4>; };
	pll@50000 { compatible = "maker,pll-user"; reg = <0x50000 0x1000>; clocks = <&pll>; };
	small@60000 { compatible = "maker,small"; reg = <0x60000 0x100>; };
	outer@70000 { compatible = "maker,outer"; reg = <0x70000 0x2000>; };
	inner@71000 { compatible = "maker,inner"; reg = <0x71000 0x1000>; };
	shared@80000 { compatible = "maker,shared"; reg = <0x80000 0x1000>; interrupts = <0 20 4>; };
	shared@81000 { compatible = "maker,shared"; reg = <0x81000 0x1000>; interrupts = <0 20 4>; };
	ppi@90000 { compatible = "maker,ppi"; reg = <0x90000 0x1000>; interrupts = <1 5 4>; };
	many@a0000 {
		reg = <0xa0000 0x1000>, <0xa1000 0x1000>, <0xa2000 0x1000>, <0xa3000 0x1000>, <0xa4000 0x1000>;
	};
	irqs@b0000 {
		reg = <0xb0000 0x1000>;
		interrupts = <0 40 4 0 41 4 0 42 4 0 43 4 0 44 4 0 45 4 0 46 4 0 47 4 0 48 4>;
	};
	off@e0000 { compatible = "maker,off"; reg = <0xe0000 0x1000>; status = "disabled"; };
	dma@c0000 { compatible = "maker,dma"; reg = <0xc0000 0x1000>; dmas = <&clk>; };
	fat@d0000 { compatible = "maker,fat"; reg = <0xd0000 0x1000>; table = /incbin/("64k"); };
	none { compatible = "maker,none"; };
};
virtio@a000000 { compatible = "virtio,mmio"; reg = <0 0xa000000 0 0x1000>; };
nobus { far@0 { reg = <0 0 0 0x1000>; }; };
};
"""
FILES = {"64k": 0x10000}

CPUS = "".join(f'cpu@{n} {{ device_type = "cpu"; reg = <{n}>; compatible = "maker,{kind}", "arm,armv8"; }};'
               for n, kind in enumerate(("big", "small", "big", "small")))
# Four CPUs of two kinds.
KINDS = re.sub(r"cpu@0 .*\n\tcpu@1 .*", CPUS, BOARD)


def board(name, says, dts, tree=BOARD, **more):
    return Mistake(name, says, dts, board=tree, files={**FILES, **more.pop("files", {})}, **more)


def device(name, says, path, at="9020000", more="", vm_more="", **profile):
    """A device at another address than the board's, so that only what is in `more` is wrong."""
    text = f'device@{at} {{ path = "{path}"; {more} }};'
    return board(name, says, vm(vm_more + text, **profile))


GOOD = "/soc/good@20000"
TWO = "/soc/two@30000"
REG = "reg = <0 %s 0 0x1000>;"

BOARD_MISTAKES = [
    # The board's tree
    board("board-missing",
          "nowhere.dtb: No such file or directory; name a file that can be read",
          vm(), more=("--board", "nowhere.dtb"), tree=None),
    board("board-not-a-tree",
          "raw.bin: not a compiled device tree; give the board's, compiled by dtc",
          vm(), more=("--board", "raw.bin"), tree=None),
    board("board-no-memory",
          "board.dtb: /: has no memory; add a node with 'device_type = \"memory\";'",
          vm(), BOARD.replace('device_type = "memory";', "")),
    board("board-no-cpus",
          "board.dtb: /cpus: has 0 CPUs; list the board's, from 1 to 32",
          vm(), BOARD.replace('device_type = "cpu";', "")),
    board("board-no-gic",
          "board.dtb: /: interrupt-parent: does not name the interrupt controller; add it",
          vm(), BOARD.replace("interrupt-parent = <&gic>;", "")),
    # CPUs and memory
    board("pinning-pcpus",
          "p.dts: /vm@1: pcpus: pinning impossible: names CPU 2, the board has 2 (from 0 on); choose one of them",
          vm("pcpus = <2>;")),
    board("pinning-pcpu-masks",
          "p.dts: /vm@1: pcpu-masks: pinning impossible: mask 0xc has none of the board's 2 CPUs; set one's bit",
          vm("pcpu-masks = <0xc>;")),
    board("rt-too-much-for-the-board",
          "p.dts: /vm@3/sched: rt-budget-us: CPU 0 is promised 60.0 % to vm@1 (600 of 1000 us) and 60.0 % to vm@3 "
          "(600 of 1000 us), 120.0 % in all; lower a budget, lengthen a period, or use another CPU",
          root("".join(node(i, RT % (600, 1000, ""), label=f'"v{i}"') for i in (1, 2, 3)))),
    board("rt-too-much-for-the-configured",
          "p.dts: /vm@2/sched: rt-budget-us: CPU 0 is promised 60.0 % to vm@1 (600 of 1000 us) and 60.0 % to vm@2 "
          "(600 of 1000 us), 120.0 % in all; lower a budget, lengthen a period, or use another CPU",
          two(*2 * (RT % (600, 1000, ""),)), more=("--limit", "cpus=1")),
    board("core-kinds",
          "p.dts: /vm@1: pcpus: vCPU 1 may run on CPU 1 (maker,small) only, those before it on CPU 0 (maker,big): a "
          "VM stays on one kind of core; choose CPUs of one kind", vm(cpus="<2>", pcpus="<0 1>"), KINDS),
    board("core-kinds-masks",
          "p.dts: /vm@1: pcpu-masks: vCPU 2 may run on CPUs 0 2 (maker,big) only, those before it on CPUs 1 3 "
          "(maker,small): a VM stays on one kind of core; choose CPUs of one kind",
          vm(cpus="<3>", pcpu_masks="<0xe 0x2 0x5>"), KINDS),
    board("memory-exceeded",
          "p.dts: /: memory-mib: the VMs have 256 MiB, the bundle 2, the hypervisor 2: 4 more than the board's "
          "256; lower it", two(memory_mib="<128>")),
    board("bundle-too-large",
          "p.dts: /: the bundle has 4 MiB and the hypervisor 2, the board only 4; use smaller images",
          vm(kernel='"k"', more="load = <0x40200000>;"), BOARD.replace("0 0x10000000>", "0 0x400000>"),
          files={"k": b"image" * 0xa0000}),
    board("static-mem-not-there",
          "p.dts: /vm@1: xen,static-mem: 0x4e000000..0x52000000 is not in the board's memory "
          "(0x40000000..0x50000000); move it", vm("xen,static-mem = <0 0x4e000000 0 0x4000000>;")),
    # The device
    Mistake("device-no-board",
            "p.dts: /vm@1/device@9040000: path: the board's tree is not known; give it with --board, as make does",
            vm('device@9040000 { path = "/pl011@9040000"; };')),
    device("device-unknown",
           'p.dts: /vm@1/device@9020000: path: board.dtb has no node "/soc/better@20000"; look there for its '
           "full path", "/soc/better@20000"),
    device("device-not-full-path",
           'p.dts: /vm@1/device@9020000: path: "/soc/good" is not the full path; write "/soc/good@20000"', "/soc/good"),
    device("device-console",
           "p.dts: /vm@1/device@9020000: path: \"/soc/serial@10000\" is the hypervisor's console, which no VM can "
           "own; choose another device", "/soc/serial@10000"),
    device("device-gic",
           'p.dts: /vm@1/device@9020000: path: "/gic@1000000" is the interrupt controller, which no VM can own; '
           "choose another device", "/gic@1000000"),
    device("device-timer",
           "p.dts: /vm@1/device@9020000: path: \"/timer@2000000\" is the hypervisor's timer, which no VM can own; "
           "choose another device", "/timer@2000000"),
    device("device-memory",
           'p.dts: /vm@1/device@9020000: path: "/memory@40000000" is memory, which no VM can own; choose another '
           "device", "/memory@40000000"),
    device("device-disabled",
           "p.dts: /vm@1/device@9020000: path: \"/soc/off@e0000\" is disabled in board.dtb ('status'); remove the "
           "node", "/soc/off@e0000"),
    device("device-dma",
           "p.dts: /vm@1/device@9020000: path: \"/soc/dma@c0000\" has DMA (its 'dmas' says so), and there is no "
           "IOMMU yet to confine it; remove the node", "/soc/dma@c0000"),
    device("device-virtio",
           "p.dts: /vm@1/device@9020000: path: \"/virtio@a000000\" has DMA (its 'compatible' says so), and there "
           "is no IOMMU yet to confine it; remove the node", "/virtio@a000000"),
    device("device-no-reg",
           "p.dts: /vm@1/device@9020000: path: \"/soc/none\" has no registers ('reg') that a CPU reaches; remove "
           "the node", "/soc/none"),
    device("device-out-of-reach",
           "p.dts: /vm@1/device@9020000: path: \"/nobus/far@0\" has no registers ('reg') that a CPU reaches; "
           "remove the node", "/nobus/far@0"),
    device("device-part-of-page",
           'p.dts: /vm@1/device@9020000: path: "/soc/small@60000" has 0x100 bytes at 0x8060000, not whole pages '
           "of 4 KiB: its neighbours would come along; remove the node", "/soc/small@60000"),
    device("device-shares-page",
           'p.dts: /vm@1/device@8071000: path: "/soc/inner@71000" shares pages of registers with '
           '"/soc/outer@70000"; remove the node', "/soc/inner@71000", at="8071000"),
    device("device-shares-spi",
           'p.dts: /vm@1/device@8080000: path: "/soc/shared@80000" shares SPI 20 with "/soc/shared@81000"; '
           "remove the node", "/soc/shared@80000", at="8080000"),
    device("device-no-spi",
           'p.dts: /vm@1/device@8090000: path: "/soc/ppi@90000" has an interrupt that is no SPI of the interrupt '
           "controller; remove the node", "/soc/ppi@90000", at="8090000"),
    device("device-too-many-ranges",
           'p.dts: /vm@1/device@9020000: path: "/soc/many@a0000" has more than 4 register ranges; it cannot be '
           "passed through: remove the node", "/soc/many@a0000"),
    device("device-too-many-interrupts",
           'p.dts: /vm@1/device@80b0000: path: "/soc/irqs@b0000" has more than 8 interrupts; it cannot be passed '
           "through: remove the node", "/soc/irqs@b0000", at="80b0000"),
    device("device-clock",
           'p.dts: /vm@1/device@9020000: clock-frequency: missing; the clock of "/soc/pll@50000" is no fixed '
           "one, so say its frequency", "/soc/pll@50000", more=REG % "0x9020000"),
    device("device-too-large-for-tree",
           "p.dts: /vm@1: device: the guest's device tree has no room for its devices (FDT_ERR_NOSPACE); remove some",
           "/soc/fat@d0000", more=REG % "0x9020000"),
    board("device-taken",
          'p.dts: /vm@2/device@9020000: path: "/soc/good@20000" is taken by /vm@1/device@9020000; give it to one '
          "of the two", two(f'device@9020000 {{ path = "{GOOD}"; {REG % "0x9020000"} }};',
                                 f'device@9020000 {{ path = "{GOOD}"; {REG % "0x9020000"} }};')),
    board("devices-too-many-in-all",
          "p.dts: /vm@2/device@9027000: path: a profile has at most 16 devices; remove one", root("".join(
        node(n, "".join(f'device@{at:x} {{ path = "/d{n}/d@{at >> 12 & 15:x}000"; {REG % hex(at)} }};'
                        for at in range(0x9020000, 0x9029000, 0x1000)), label=f'"v{n}"') for n in (1, 2))),
        BOARD + "/ { " + " ".join(
            f"d{n} {{ #address-cells = <1>; #size-cells = <1>; ranges = <0 0 {0x20000000 + n * 0x100000:#x} 0x10000>; "
            + " ".join(f"d@{i:x}000 {{ reg = <{i * 0x1000:#x} 0x1000>; }};" for i in range(9)) + " };" for n in (1, 2))
        + " };\n"),
    # Where the guest sees it
    device("device-address",
           "p.dts: /vm@1/device@9020000: reg: begins at 0x8020000, the node's name says 0x9020000; make them equal",
           GOOD),
    device("device-reg-count",
           "p.dts: /vm@1/device@9020000: reg: has 1 ranges, the device has 2; give an address and size for each",
           TWO, more=REG % "0x9020000"),
    device("device-reg-size",
           "p.dts: /vm@1/device@9020000: reg: range 0 has 0x2000 bytes, the device's has 0x1000; write that",
           GOOD, more="reg = <0 0x9020000 0 0x2000>;"),
    device("device-reg-alignment",
           "p.dts: /vm@1/device@9020800: reg: range 0 at 0x9020800 is not page-aligned; choose a multiple of 4096",
           GOOD, at="9020800", more=REG % "0x9020800"),
    device("device-reg-too-high",
           "p.dts: /vm@1/device@10000000000: reg: 0x10000000000 is beyond the guest's 40 address bits; choose a "
           "lower one", GOOD, at="10000000000", more="reg = <0x100 0 0 0x1000>;"),
    device("device-on-ram",
           "p.dts: /vm@1/device@41000000: reg: 0x41000000 overlaps RAM of the guest; choose another address with "
           "'reg'", GOOD, at="41000000", more=REG % "0x41000000"),
    device("device-on-rom",
           "p.dts: /vm@1/device@7fff000: reg: 0x7fff000 overlaps the ROM's space of the guest; choose another "
           "address with 'reg'",
           GOOD, at="7fff000", more=REG % "0x7fff000", vm_more='rom = "raw.bin";', without=("kernel",)),
    device("device-on-gicd",
           "p.dts: /vm@1/device@8000000: reg: 0x8000000 overlaps the GIC's distributor of the guest; choose "
           "another address with 'reg'", GOOD, at="8000000", more=REG % "0x8000000"),
    device("device-on-gicr",
           "p.dts: /vm@1/device@80a0000: reg: 0x80a0000 overlaps the GIC's redistributors of the guest; choose "
           "another address with 'reg'", GOOD, at="80a0000", more=REG % "0x80a0000"),
    device("device-on-uart",
           "p.dts: /vm@1/device@9000000: reg: 0x9000000 overlaps the PL011 of the guest; choose another address "
           "with 'reg'", GOOD, at="9000000", more=REG % "0x9000000"),
    device("device-on-rtc",
           "p.dts: /vm@1/device@9010000: reg: 0x9010000 overlaps the PL031 of the guest; choose another address "
           "with 'reg'", GOOD, at="9010000", more=REG % "0x9010000"),
    device("device-on-watchdog",
           "p.dts: /vm@1/device@9100000: reg: 0x9100000 overlaps the watchdog of the guest; choose another "
           "address with 'reg'", GOOD, at="9100000", more=REG % "0x9100000", vm_more="watchdog-ms = <1000>;"),
    device("device-on-stolen-time",
           "p.dts: /vm@1/device@90a0000: reg: 0x90a0000 overlaps the stolen-time page of the guest; choose another "
           "address with 'reg'", GOOD, at="90a0000", more=REG % "0x90a0000", vm_more='xen,enhanced = "disabled";'),
    device("device-on-device",
           "p.dts: /vm@1/device@9020000: reg: 0x9020000 overlaps range 0 of /vm@1/device@9020000; choose another "
           "address", TWO, more="reg = <0 0x9020000 0 0x1000>, <0 0x9020000 0 0x1000>;"),
    # Its interrupts
    device("device-irq-count",
           "p.dts: /vm@1/device@9020000: interrupts: has 2 numbers, the device has 1 interrupts; give one for each",
           GOOD, more=REG % "0x9020000" + "interrupts = <20 21>;"),
    device("device-irq-range",
           "p.dts: /vm@1/device@9020000: interrupts: SPI 70 is not one of the VM's 64; raise nr_spis or choose a "
           "lower one", "/soc/high@40000", more=REG % "0x9020000"),
    device("device-irq-uart",
           "p.dts: /vm@1/device@9020000: interrupts: SPI 1 is that of the PL011 of the guest; choose another: "
           "'interrupts = <...>;'", GOOD, more=REG % "0x9020000" + "interrupts = <1>;"),
    device("device-irq-rtc",
           "p.dts: /vm@1/device@9020000: interrupts: SPI 2 is that of the PL031 of the guest; choose another: "
           "'interrupts = <...>;'", GOOD, more=REG % "0x9020000" + "interrupts = <2>;"),
    device("device-irq-watchdog",
           "p.dts: /vm@1/device@9020000: interrupts: SPI 10 is that of the watchdog of the guest; choose "
           "another: 'interrupts = <...>;'",
           GOOD, more=REG % "0x9020000" + "interrupts = <10>;", vm_more="watchdog-ms = <1000>;"),
    device("device-irq-twice",
           "p.dts: /vm@1/device@9020000: interrupts: SPI 20 is that of another interrupt of it; choose another: "
           "'interrupts = <...>;'",
           TWO, more="reg = <0 0x9020000 0 0x1000 0 0x9030000 0 0x1000>; interrupts = <20 20>;"),
    device("device-irq-taken",
           "p.dts: /vm@1/device@9020000: interrupts: SPI 7 is that of /vm@1/device@9050000; choose another: "
           "'interrupts = <...>;'", GOOD, more=REG % "0x9020000",
           vm_more=f'device@9050000 {{ path = "{TWO}"; reg = <0 0x9050000 0 0x1000 0 0x9060000 0 0x1000>; '
                   "interrupts = <7 30>; };"),
]
