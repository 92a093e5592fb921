# SPDX-License-Identifier: Apache-2.0
"""The trace of a machine that runs: what comes out of its second serial line, decoded after hv/include/abi/trace.h alone, so that
hvtrace can be compared with it.
"""
import base64
import json
import pathlib
import re
import subprocess
import threading
import time
import zlib

from . import board, qemu

RECORDS, STATUS, VM = 1, 2, 3
STOP, DUMP, DUMP_END, ENDED = 1, 2, 4, 8
STATUS_CPU = ("made", "overwritten", "unnumbered", "idle", "stays", "stay_ticks")
BAUD = 115200  # CONFIG_TRACE_BAUD
FRAME_BYTES, TURN_BYTES = 240, 32

HEADER = (board.TOP / "hv" / "include" / "abi" / "trace.h").read_text()
CLASSES = {name: int(bit) for _, name, bit in re.findall(r"\bCLASS\((\w+), (\w+), (\d+),", HEADER)}
EVENTS = {int(number): (name, klass.lower()) for name, number, klass in
          re.findall(r"\bEVENT\(\w+, (\w+), (\d+), (\w+), \d,", HEADER)}


def bits(*names):
    return sum(1 << CLASSES[name] for name in names)


class Bytes:
    def __init__(self, data):
        self.data, self.at = data, 0

    def byte(self):
        self.at += 1
        return self.data[self.at - 1]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7f) << shift
            if byte < 0x80:
                return value
            shift += 7

    def more(self):
        return self.at < len(self.data)


def cobs(block):
    out, at = bytearray(), 0
    while at < len(block):
        step = block[at]
        if at + step > len(block):
            return None
        out += block[at + 1:at + step]
        at += step
        if at < len(block) and step < 255:
            out.append(0)
    return bytes(out)


def parse(frame):
    """A frame as a dictionary; None: it is none."""
    if len(frame) < 6 or zlib.crc32(frame[:-4]) != int.from_bytes(frame[-4:], "little") or frame[0] >> 4 != 1:
        return None
    b = Bytes(frame[2:-4])
    f = {"kind": frame[0] & 15, "boot": frame[1]}
    if f["kind"] == RECORDS:
        f["cpu"] = b.byte()
        f["first"], f["overwritten"], f["unnumbered"], now = (b.varint() for _ in range(4))
        f["records"] = []
        while b.more():
            head, delta = b.varint(), b.varint()
            now += delta
            f["records"].append((now, head >> 3, [b.varint() for _ in range(head & 7)]))
    elif f["kind"] == STATUS:
        f["hz"], f["now"], f["classes"] = (b.varint() for _ in range(3))
        f["flags"] = b.byte()
        f["rate"], f["slots"], f["cpus"], first = (b.varint() for _ in range(4))
        f["cpu"] = {}
        while b.more():
            f["cpu"][first + len(f["cpu"])] = dict(zip(STATUS_CPU, (b.varint() for _ in STATUS_CPU)))
    elif f["kind"] == VM:
        f["vm"], f["vcpus"], f["rt"] = b.byte(), b.byte(), b.byte()
        f["label"] = b.data[b.at:].decode()
    return f


class Stream:
    """What has come, added to as it comes: frames with the number of bytes up to their end, records by boot, CPU and number."""

    def __init__(self):
        self.frames, self.records, self.bad, self.bytes, self.rest = [], {}, 0, 0, b""
        self.status = None  # the last one
        self.dumped = 0     # frames of records in dumps
        self.dumping = False
        self.dumps = 0      # that have ended

    def feed(self, data):
        *blocks, self.rest = (self.rest + data).split(b"\0")
        for block in blocks:
            self.bytes += len(block) + 1
            if block:
                self.add(cobs(block))
        return self

    def add(self, frame):
        f = parse(frame) if frame else None
        if not f:
            self.bad += 1
            return
        f["end"] = self.bytes
        self.frames.append(f)
        if f["kind"] == STATUS:
            self.status = f
            self.dumping = bool(f["flags"] & DUMP)
            self.dumps += bool(f["flags"] & DUMP_END)
        elif f["kind"] == RECORDS:
            f["dump"] = self.dumping
            of = self.records.setdefault((f["boot"], f["cpu"]), {})
            for i, record in enumerate(f["records"]):
                assert of.setdefault(f["first"] + i, record) == record, "a record that came again is another one"

    def decoded(self, cpu):
        return len(self.records.get((self.status["boot"], cpu), {}))

    def complete(self):
        """Whether everything that the last status knows of has come, or is counted as lost."""
        s = self.status
        return s is not None and not self.dumping and all(
            self.decoded(cpu) + of["overwritten"] == of["made"] for cpu, of in s["cpu"].items())


def console(text):
    """The stream between a console's text."""
    stream = Stream()
    for frame in qemu.TRACE_FRAME.findall(text):
        code = frame[4:-2]
        stream.add(base64.b64decode(code + "=" * (-len(code) % 4)))
    return stream


def console_wait(q, start, find, what):
    """Until find(stream) gives something true of what the console carried from the character `start` of its raw text on; returns that text."""
    with q._changed:
        size, begun, at = -1, time.monotonic(), 0
        while not find(console(q.raw[start:])):
            if len(q.raw) != size:
                size, at = len(q.raw), time.monotonic()
            if time.monotonic() - at > qemu.QUIET_S or time.monotonic() - begun > qemu.TOTAL_S or q._closed:
                raise qemu.ExpectError(f"waiting for {what} on the console\n{q.tail()}")
            q._changed.wait(1)
        return q.raw[start:]


class Line:
    """The machine's second serial line, read all the time; for a with statement."""

    def __init__(self, q):
        self.q, self.data, self.stream = q, bytearray(), Stream()
        self._changed = threading.Condition()
        self._socket = q.uart2()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        # What a UART has received when its driver starts is lost, at most a byte in QEMU's.
        self.send("")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def _read(self):
        while True:
            try:
                data = self._socket.recv(65536)
            except OSError:
                return
            if not data:
                return
            with self._changed:
                self.data += data
                self.stream.feed(data)
                self._changed.notify_all()

    def send(self, *lines):
        for line in lines:
            self._socket.sendall(line.encode() + b"\n")

    def wait(self, find, what):
        """Until find(stream) gives something true; gives up when nothing comes for as long as the console's tests wait."""
        with self._changed:
            size, begun, at = -1, time.monotonic(), 0
            while not (found := find(self.stream)):
                if len(self.data) != size:
                    size, at = len(self.data), time.monotonic()
                if time.monotonic() - at > qemu.QUIET_S or time.monotonic() - begun > qemu.TOTAL_S or self.q._closed:
                    raise qemu.ExpectError(f"waiting for {what}: {size} bytes of trace came, last status "
                                           f"{self.stream.status}\n{self.q.tail()}")
                self._changed.wait(1)
            return found

    def end(self):
        """Switches tracing off, waits for what is still in the rings, then ends the stream. Returns it."""
        self.send("trace off")
        self.wait(lambda s: s.status and s.status["classes"] == 1 and s.complete(), "what the rings hold")
        self.send("trace stream off")
        self.wait(lambda s: s.status["flags"] & ENDED, "the stream's end")
        return self.stream

    def write(self, path):
        with self._changed:
            pathlib.Path(path).write_bytes(self.data)
        return path


def hvtrace(*args, status=0, data=None):
    """What it writes to standard output."""
    done = subprocess.run([str(board.HVTRACE), *map(str, args)], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=300, check=False)
    assert done.returncode == status, f"hvtrace {' '.join(map(str, args))}: {done.returncode}: {done.stderr.decode()}"
    return done.stdout.decode()


def report(path, *args):
    """`hvtrace report --json` of a file with one boot."""
    boot, = json.loads(hvtrace("report", "--json", *args, path))["boots"]
    return boot


def texts(path, *args):
    """`hvtrace text --json`: records as dictionaries."""
    return [json.loads(line) for line in hvtrace("text", "--json", *args, path).splitlines()]
