# SPDX-License-Identifier: Apache-2.0
"""A guest that floods its console keeps neither its neighbours nor the monitor from theirs."""
import re

from camber import linux, measure

FLOOD_LINE = r"\[flood\] probe: flood (\d+) [0-9a-zA-Z]{72}"

DTS = measure.profile(
    measure.vm(1, "linux", [0], kernel="linux/vmlinuz", memory=512, more='initrd = "linux/initramfs.cpio.gz";'),
    measure.vm(2, "rtos", [1], kernel="rtos/rtos.elf"),
    measure.vm(3, "flood", [0], more="no-autostart;"))

# A line of the hypervisor's, of the monitor's, or of one guest; nothing else, nothing mixed.
WHOLE_LINE = re.compile(r"\[ *\d+\.\d{6}\] .*|\[(?:linux|rtos|flood)\] .*|\[console\] input to .*|camber> .*|"
                        r"CPU \d: .*|  exits of class 0x[0-9a-f]{2}: \d+|\d [a-z]+ +[a-z]+ +starts .*|vm flood: .*|")


def check_lines(text):
    """Every line is one source's; the flood's are all there, once, in order."""
    lines = text.splitlines()[:-1]  # the last one may be on its way
    wrong = [line for line in lines if not WHOLE_LINE.fullmatch(line)]
    assert not wrong, wrong[:5]
    flood = [line for line in lines if line.startswith("[flood] probe: flood ")]
    for n, line in enumerate(flood[:-1]):
        found = re.fullmatch(FLOOD_LINE, line)
        assert found and int(found.group(1)) == n, line
    assert re.match(FLOOD_LINE.rsplit(" ", 1)[0], flood[-1]), flood[-1]  # it was stopped in the middle
    mixed = [line for line in lines if line.count("[flood]") + line.count("[rtos]") + line.count("[linux]") > 1]
    assert not mixed, mixed[:5]
    return len(flood)


def test_neighbours_and_monitor_come_through(boot, icount):
    q = boot("console-flood", dts=DTS, smp=2,
             bootargs={"linux": linux.run(), "flood": "role=flood", "rtos": "report=10"}, **icount)
    q.expect_all([linux.up(), r"^\[rtos\] rtos: up$", r"^\[linux\] linux# "])
    q.focus("the monitor")
    q.monitor("vm start flood", r"^\[flood\] probe: flood 100 ")
    # Linux writes lines of its own on the same CPU meanwhile.
    q.focus("linux")
    q.line("for i in $(seq 1 100); do echo line-$i-in-one-piece; done; echo written-$((6*7))")
    q.expect(r"^\[linux\] written-42$")
    q.focus("the monitor")
    q.monitor("vm", r"^camber> vm$")
    q.expect_all([r"^1 linux +running ", r"^2 rtos +running ", r"^3 flood +running "])
    q.monitor("stat", r"^CPU 1: .*longest stay \d+ ns")
    for _ in range(2):
        q.expect(r"^\[rtos\] rtos: jitter n=10 ")
    q.monitor("vm stop flood", r"^vm flood: stop, stopping$")
    q.expect(r"vm flood: stopped")
    q.mark()
    q.monitor("vm", r"^3 flood +off .* last stop: order$")
    q.expect(r"^\[rtos\] rtos: jitter n=10 ")
    assert "[flood]" not in q.since_mark()
    assert check_lines(q.text) > 500
    written = re.findall(r"^\[linux\] line-(\d+)-in-one-piece$", q.text, re.MULTILINE)
    assert [int(n) for n in written] == list(range(1, 101))
    since_flood = q.text[q.text.index("[flood] probe: up"):]
    missed = re.findall(r"^\[rtos\] rtos: jitter n=10 .*missed=(\d+)$", since_flood, re.MULTILINE)
    assert len(missed) > 2 and set(missed) == {"0"}, missed
    q.line("vm start flood")
    q.expect(r"^\[flood\] probe: flood 10 ")


def test_two_floods_on_two_cpus(boot):
    """Both write as fast as they can, at the same time: neither loses a byte, and each gets its turns."""
    dts = measure.profile(measure.vm(1, "one", [0]), measure.vm(2, "two", [1]))
    q = boot("console-floods", dts=dts, smp=2, bootargs={"one": "role=flood rounds=400", "two": "role=flood rounds=400"})
    q.expect_all([rf"^\[{label}\] probe: done 0 ok, 0 failed" for label in ("one", "two")])
    for label in ("one", "two"):
        numbers = re.findall(rf"^\[{label}\] probe: flood (\d+) [0-9a-zA-Z]{{72}}$", q.text, re.MULTILINE)
        assert [int(n) for n in numbers] == list(range(400))
