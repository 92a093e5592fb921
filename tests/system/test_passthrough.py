# SPDX-License-Identifier: Apache-2.0
"""
Devices of the board driven by a guest's own driver: registers mapped, the board's interrupts delivered and ended in hardware.
The board here has a second PL011 and a PL031.
"""
import zlib

from camber import linux

UART_INTID = 32 + 8  # as on the board
RTC_INTID = 32 + 40  # as the profile says

DEVICES = {"linux": linux.run("true"), "clock": linux.run("true")}


def prompt(label):
    """The shell reads commands from here on; what is typed earlier is lost."""
    return rf"^\[{label}\] linux# "


def start(boot, **arguments):
    q = boot("passthrough", bootargs=DEVICES, uart2=True, **arguments)
    q.expect_all([linux.up("linux"), linux.up("clock"), prompt("linux"), prompt("clock")])
    return q


def shell(q, label, command, answer):
    """A command for the shell on a guest's console, which has the focus, and what it answers."""
    q.mark()
    q.line(command)
    return q.expect(rf"^\[{label}\] {answer}$")


def interrupts(q, label, intid):
    """How often the guest has taken an interrupt, on all of its CPUs."""
    found = shell(q, label, f"echo irqs: $(grep 'GICv3 *{intid} ' /proc/interrupts)", r"irqs: \d+: ([\d ]+)\D.*")
    return sum(int(word) for word in found.group(1).split())


class Line:
    """The far end of the second serial line."""

    def __init__(self, q):
        self._socket = q.uart2()
        self._socket.settimeout(120)
        self._text = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def send(self, data):
        self._socket.sendall(data)

    def until(self, end):
        while end not in self._text:
            more = self._socket.recv(4096)
            assert more, f"the line ended; so far: {self._text[-200:]!r}"
            self._text += more
        found, self._text = self._text.split(end, 1)
        return found


def echo_both_ways(q):
    """What is sent comes back, line by line, then a long text at once."""
    with Line(q) as line:
        q.line("stty -F /dev/ttyAMA1 raw -echo; exec 3<>/dev/ttyAMA1")
        before = interrupts(q, "linux", UART_INTID)
        q.line('echo ready >&3; (while read -r word; do echo "got $word"; done) <&3 >&3 &')
        line.until(b"ready\n")
        for i in range(100):
            line.send(f"{i}\n".encode())
            assert line.until(b"\n") == f"got {i}".encode()
        # An interrupt at least for each of them.
        assert interrupts(q, "linux", UART_INTID) >= before + 100
        q.line("kill $!; wait; head -c 30000 <&3 >/tmp/in & echo more >&3; wait; cat /tmp/in >&3; echo >&3; echo end >&3")
        line.until(b"more\n")
        text = bytes(ord("a") + zlib.crc32(i.to_bytes(4, "little")) % 26 for i in range(30000))
        line.send(text)
        assert line.until(b"\nend\n") == text


def test_second_uart(boot):
    q = start(boot)
    q.focus("linux")
    echo_both_ways(q)


def test_after_a_restart(boot):
    """The guest is stopped in the midst of it; the next life finds a device that works, and so does the one after a pause."""
    q = start(boot)
    q.focus("linux")
    echo_both_ways(q)
    q.line("cat /dev/zero >/dev/ttyAMA1 &")
    q.focus("the monitor")
    q.line("vm restart linux")
    q.expect(linux.up("linux"))
    q.expect(prompt("linux"))
    q.line("vm pause linux")
    q.line("vm resume linux")
    q.focus("linux")
    echo_both_ways(q)


def test_clock_at_another_address(boot):
    """The PL031 under another address and interrupt number: read, set, and an alarm that interrupts."""
    q = start(boot)
    q.focus("clock")
    shell(q, "clock", "cat /sys/class/rtc/rtc0/name", r"rtc-pl031 a100000\S*")
    assert interrupts(q, "clock", RTC_INTID) == 0
    q.line("echo +1 >/sys/class/rtc/rtc0/wakealarm")
    q.line(f"while grep -q ' 0 *GICv3 *{RTC_INTID} ' /proc/interrupts; do sleep 1; done; echo woken")
    q.expect(r"^\[clock\] woken$")
    assert interrupts(q, "clock", RTC_INTID) > 0
    shell(q, "clock", "date -u -s 2031-05-05\\ 00:00:00 >/dev/null; hwclock -w -u; hwclock -r -u", r".*2031.*")


def test_device_that_the_board_lacks(boot):
    """Without the second serial line there is no such node: refused with a line that says so, and nothing starts."""
    q = boot("passthrough", bootargs=DEVICES)
    q.expect(r"\bvm linux: device /pl011@9040000 isn't in the firmware's device tree$")
    q.expect(r"\bboot: no guest can be started, halted$")
    assert ": started" not in q.text
