# SPDX-License-Identifier: Apache-2.0
"""Trace streams without a hypervisor: a table of events read from hv/include/abi/trace.h by a compiler, frames made as
that header says, and a small machine that makes records whose truth is known.

Nothing of the table is typed again here; what these streams say has been made up, by a seeded generator.
"""
import base64
import functools
import json
import os
import pathlib
import random
import struct
import subprocess
import tempfile
import zlib
from dataclasses import dataclass, field

from . import board

HZ = 62_500_000

# Prints the header's table and numbers as JSON.
PROGRAM = r"""
#include <stdio.h>
#include "abi/trace.h"
static void text(const char *s)
{
	putchar('"');
	for (; *s; s++)
		printf(*s == '"' || *s == '\\' || *s < ' ' ? "\\u%04x" : "%c", *s);
	putchar('"');
}
int main(void)
{
	printf("{\"classes\": {");
#define CLASS(NAME, name, bit, what) printf("%s\"%s\": %u", bit ? ", " : "", #name, bit);
	TRACE_CLASSES(CLASS)
	printf("}, \"events\": [");
#define EVENT(NAME, name, number, class, words, fields, what) \
	printf("[\"%s\", %u, %u, %u, \"%s\", ", #name, number, TRACE_CLASS_##class, words, fields); \
	text(what); \
	printf("], ");
	TRACE_EVENTS(EVENT)
	printf("null]");
#define NUMBER(name) printf(", \"%s\": %llu", #name, (unsigned long long)TRACE_##name);
	NUMBER(NOBODY) NUMBER(TICKS_MAX) NUMBER(CAUSE_IRQ) NUMBER(CAUSE_SERROR) NUMBER(WORDS)
	NUMBER(VERSION) NUMBER(FRAME_RECORDS) NUMBER(FRAME_STATUS) NUMBER(FRAME_VM) NUMBER(FRAME_BYTES)
	NUMBER(STATUS_STOP) NUMBER(STATUS_DUMP) NUMBER(STATUS_DUMP_END) NUMBER(STATUS_ENDED)
	printf(", \"CONSOLE_BEGIN\": ");
	text(TRACE_CONSOLE_BEGIN);
	printf(", \"CONSOLE_END\": ");
	text(TRACE_CONSOLE_END);
	printf("}\n");
	return 0;
}
"""


@dataclass(frozen=True)
class Event:
    name: str
    number: int
    cls: int
    words: int
    fields: tuple  # of (name, kind), one for each word
    what: str


class Table:
    """The header's events by name, classes by name, and its numbers as attributes."""

    def __init__(self, read):
        self.classes = read.pop("classes")
        self.events = {}
        for name, number, cls, words, fields, what in filter(None, read.pop("events")):
            fields = tuple(tuple(item.split(":")) for item in fields.split())
            assert len(fields) == words <= read["WORDS"], f"{name}: {words} words, fields {fields}"
            assert name not in self.events and number not in {e.number for e in self.events.values()}, name
            self.events[name] = Event(name, number, cls, words, fields, what)
        for name, value in read.items():
            setattr(self, name, value)


@functools.lru_cache
def table():
    with tempfile.TemporaryDirectory() as folder:
        source, program = pathlib.Path(folder, "table.c"), pathlib.Path(folder, "table")
        source.write_text(PROGRAM)
        subprocess.run([os.environ.get("HOSTCC", "gcc"), "-std=gnu11", "-I", str(board.TOP / "hv" / "include"),
                        "-o", str(program), str(source)], check=True)
        return Table(json.loads(subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout))


# --- frames ----------------------------------------------------------------------------------------------------

def varint(value):
    """Unsigned LEB128."""
    out = bytearray()
    while value > 0x7f:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def cobs(data):
    """Consistent Overhead Byte Stuffing, without the zero at the end."""
    out = bytearray()
    for block in data.split(b"\0"):
        while len(block) >= 254:
            out += b"\xff" + block[:254]
            block = block[254:]
        out += bytes([len(block) + 1]) + block
    return bytes(out)


def sealed(kind, boot, body):
    frame = bytes([table().VERSION << 4 | kind, boot & 0xff]) + body
    frame += struct.pack("<I", zlib.crc32(frame))
    assert len(frame) <= table().FRAME_BYTES
    return frame


def own_line(frames):
    """The frames as a line of their own has them."""
    return b"\0" + b"".join(cobs(frame) + b"\0" for frame in frames)


def console_line(pieces):
    """Text (bytes) and frames ((frame,) tuples) as the console's line has them."""
    begin, end = table().CONSOLE_BEGIN.encode(), table().CONSOLE_END.encode()
    return b"".join(piece if isinstance(piece, bytes) else begin + base64.b64encode(piece[0]).rstrip(b"=") + end
                    for piece in pieces)


# --- one boot's records ---------------------------------------------------------------------------------------------

@dataclass
class Record:
    cpu: int
    number: int
    time: int
    event: int
    words: tuple
    name: str  # "": not in the table
    values: dict = field(default_factory=dict)


@dataclass
class CpuRecords:
    frames: list = field(default_factory=list)   # of lists of records
    made: int = 0
    overwritten: int = 0
    unnumbered: int = 0
    fresh: bool = True                           # the next record begins a frame
    heads: list = field(default_factory=list)    # overwritten, unnumbered as each frame says them


def words_of(event, values):
    """A record's words from the values of its fields by name; lo and hi of one name are one number, as are texts."""
    words, rest = [], dict(values)
    for name, kind in event.fields:
        value = values[name]
        rest.pop(name, None)
        if kind == "text":
            at = sum(1 for done in words) * 4
            value = int.from_bytes(value.encode()[at:at + 4].ljust(4, b"\0"), "little")
        elif kind == "hi":
            value >>= 32
        words.append(value & 0xffffffff)
    assert not rest, f"{event.name}: no fields {', '.join(rest)}"
    return tuple(words)


class Boot:
    """Records of one boot, and the frames that bring them. vms: number -> (label, vCPUs, whether it is real-time)."""

    def __init__(self, cpus, vms, *, boot=0, hz=HZ):
        self.cpus, self.vms, self.boot, self.hz = cpus, vms, boot, hz
        self.cpu = [CpuRecords() for _ in range(cpus)]
        self.records = []      # those that are sent
        self.lost = []         # those that aren't
        self.losing = [False] * cpus  # what is recorded now will be overwritten
        self.full = [False] * cpus    # what is recorded now finds the ring full

    def record(self, cpu, time, name, /, **values):
        event = table().events[name]
        return self._add(Record(cpu, 0, time, event.number, words_of(event, values), name, values))

    def unknown(self, cpu, time, number, words):
        """An event that the table doesn't have."""
        assert number not in {event.number for event in table().events.values()}
        return self._add(Record(cpu, 0, time, number, tuple(words), ""))

    def unnumbered(self, cpu, count=1):
        """So many records found the ring full."""
        self.cpu[cpu].unnumbered += count
        self.cpu[cpu].fresh = True

    def _add(self, record):
        ring = self.cpu[record.cpu]
        if self.full[record.cpu]:
            self.unnumbered(record.cpu)
            return record
        record.number = ring.made
        ring.made += 1
        if self.losing[record.cpu]:
            ring.overwritten += 1
            ring.fresh = True
            self.lost.append(record)
            return record
        self.records.append(record)
        if ring.fresh or len(self._encoded(ring.frames[-1] + [record])) > table().FRAME_BYTES - 40:
            ring.frames.append([])
            ring.heads.append((ring.overwritten, ring.unnumbered))
            ring.fresh = False
        ring.frames[-1].append(record)
        return record

    @staticmethod
    def _encoded(records):
        out, time = b"", records[0].time
        for record in records:
            out += varint(record.event << 3 | len(record.words)) + varint(record.time - time)
            out += b"".join(varint(word) for word in record.words)
            time = record.time
        return out

    def _frame(self, cpu, index):
        records = self.cpu[cpu].frames[index]
        overwritten, unnumbered = self.cpu[cpu].heads[index]
        body = bytes([cpu]) + varint(records[0].number) + varint(overwritten) + varint(unnumbered)
        body += varint(records[0].time)
        return sealed(table().FRAME_RECORDS, self.boot, body + self._encoded(records))

    def status(self, now, *, flags=0, rate=0, slots=1024, sent=None):
        """A status; sent: at its time this many records of each CPU were made (default: all)."""
        classes = sum(1 << bit for bit in table().classes.values())
        body = varint(self.hz) + varint(now) + varint(classes) + bytes([flags])
        body += varint(rate) + varint(slots) + varint(self.cpus) + varint(0)
        for cpu, ring in enumerate(self.cpu):
            made, overwritten, unnumbered = sent[cpu] if sent else (ring.made, ring.overwritten, ring.unnumbered)
            body += b"".join(varint(n) for n in (made, overwritten, unnumbered, 0, 0, 0))
        return sealed(table().FRAME_STATUS, self.boot, body)

    def vm_frames(self):
        return [sealed(table().FRAME_VM, self.boot, bytes([number, vcpus, rt]) + label.encode())
                for number, (label, vcpus, rt) in self.vms.items()]

    def record_frames(self):
        """(time of the first record, CPU, frame), in the order in which a stream could send them."""
        return sorted((frame[0].time, cpu, self._frame(cpu, index))
                      for cpu, ring in enumerate(self.cpu) for index, frame in enumerate(ring.frames))

    def frames(self, end, *, drop=()):
        """All of the boot: a first status, records, a last status. drop: (CPU, n) of record frames that get lost."""
        begin = min((record.time for record in self.records), default=0)
        count, kept = [0] * self.cpus, []
        for _, cpu, frame in self.record_frames():
            if (cpu, count[cpu]) not in drop:
                kept.append(frame)
            count[cpu] += 1
        first = self.status(begin, sent=[(0, 0, 0)] * self.cpus)
        return [first] + self.vm_frames() + kept + [self.status(end, flags=table().STATUS_ENDED)]


# --- a machine that runs vCPUs --------------------------------------------------------------------------------------

OFF, BLOCKED, QUEUED, RUNNING = "off", "blocked", "queued", "running"
LEFT = {OFF: 0, BLOCKED: 1, QUEUED: 2}
NOBODY_RAN = 3
CAUSES = [0x16 << 26 | 0x56000000 & 0x3ffffff, 0x24 << 26 | 0x123, 0x18 << 26 | 7, 0x01 << 26]


@dataclass
class Vcpu:
    id: int
    cpu: int
    state: str = BLOCKED
    since: int = 0
    cls: int = 2


@dataclass
class Interval:
    vcpu: int
    state: str
    begin: int
    end: int
    cls: int
    cpu: int


class Machine:
    """CPUs with vCPUs that wake, run, block, are preempted and move, at random; and what they did.

    `step()` makes records and keeps the truth in `intervals`; `finish()` ends them.
    """

    def __init__(self, seed, cpus, vms, *, boot=0, hz=HZ, begin=1_000_000):
        self.random = random.Random(seed)
        self.trace = Boot(cpus, vms, boot=boot, hz=hz)
        self.now = begin
        self.vcpus = {}
        self.running = [None] * cpus
        self.intervals = []
        self.cpus = cpus
        self.off = 0  # classes that aren't recorded, a bit for each
        for number, (_, count, _) in vms.items():
            for index in range(count):
                self.vcpus[number << 8 | index] = Vcpu(number << 8 | index, (number + index) % cpus, since=begin)
        # The trace begins in the middle: somebody runs, somebody waits.
        for vcpu in self.vcpus.values():
            if self.running[vcpu.cpu] is None and self.random.random() < 0.7:
                vcpu.state, self.running[vcpu.cpu] = RUNNING, vcpu
            elif self.random.random() < 0.5:
                vcpu.state = QUEUED

    def _to(self, vcpu, state):
        self.intervals.append(Interval(vcpu.id, vcpu.state, vcpu.since, self.now, vcpu.cls, vcpu.cpu))
        vcpu.state, vcpu.since = state, self.now

    def _pass(self, ticks):
        self.now += self.random.randint(1, ticks)

    def _record(self, cpu, name, /, **values):
        if not self.off >> table().events[name].cls & 1:
            self.trace.record(cpu, self.now, name, **values)

    def switch_off(self, cpu, *names):
        """On a CPU somebody switches these classes off, and all others on."""
        every, before = sum(1 << bit for bit in table().classes.values()), self.off
        self.off = sum(1 << table().classes[name] for name in names)
        self._record(cpu, "classes", **{"from": every & ~before, "to": every & ~self.off})

    def switch(self, cpu, left):
        """Whoever runs leaves for `left`; somebody who waits for this CPU comes."""
        prev, nobody = self.running[cpu], table().NOBODY
        waiting = [vcpu for vcpu in self.vcpus.values() if vcpu.cpu == cpu and vcpu.state == QUEUED]
        following = self.random.choice(waiting) if waiting else None
        if prev is None and following is None or prev and left == QUEUED and not following:
            return
        late = self.random.randint(1, 5000) if following and self.random.random() < 0.5 else 0
        if following:
            self.now += late
        if prev:
            self._to(prev, left)
        if following:
            self._to(following, RUNNING)
        self.running[cpu] = following
        self._record(cpu, "switch", prev=prev.id if prev else nobody, left=LEFT[left] if prev else NOBODY_RAN,
                     next=following.id if following else nobody, late=late,
                     **{"class": following.cls if following else 4})

    def wake(self, cpu):
        sleeping = [vcpu for vcpu in self.vcpus.values() if vcpu.state in (BLOCKED, OFF)]
        if not sleeping:
            return
        vcpu = self.random.choice(sleeping)
        why = 4 if vcpu.state == OFF else self.random.randrange(4)
        self._to(vcpu, QUEUED)
        vcpu.cls = self.random.randrange(5)
        if self.random.random() < 0.2:
            vcpu.cpu = self.random.randrange(self.cpus)
        self._record(cpu, "wake", vcpu=vcpu.id, why=why, cpu=vcpu.cpu, **{"class": vcpu.cls})

    def small(self, cpu):
        """Something that changes nothing."""
        vcpu = self.running[cpu]
        self._pass(300)
        what = self.random.randrange(8)
        if what == 0 or not vcpu:
            self._record(cpu, "irq", intid=self.random.choice((27, 30, 33)))
        elif what == 1:
            self._record(cpu, "tick", vcpu=vcpu.id, late=self.random.randint(0, 4000))
        elif what == 2:
            self._record(cpu, "inject", vcpu=vcpu.id, intid=27)
        elif what == 3:
            self._record(cpu, "eoi", vcpu=vcpu.id, intid=27)
        elif what == 4:
            self._record(cpu, "timer_set", ahead=self.random.choice((625, table().TICKS_MAX)))
        elif what == 5:
            self._record(cpu, "psci", vcpu=vcpu.id, function=0x84000000, arg=0, result=0x10001)
        elif what == 6:
            self._record(cpu, "rt_expire", vcpu=vcpu.id, late=self.random.randint(0, 4000))
        else:
            self._record(cpu, "command", text=self.random.choice(("vm list", "sched stat", "a,\"b\\ c <d>")))
        if vcpu and self.random.random() < 0.5:
            stay = self.random.randint(10, 200)
            self.now += stay
            self._record(cpu, "exit", vcpu=vcpu.id, cause=self.random.choice(CAUSES + [table().CAUSE_IRQ]), stay=stay,
                         pc=0xffff800008000000 + 4 * self.random.randrange(1 << 20))

    def step(self):
        cpu, what = self.random.randrange(self.cpus), self.random.random()
        vcpu = self.running[cpu]
        self._pass(20_000)
        if what < 0.35:
            self.small(cpu)
        elif what < 0.6:
            self.wake(cpu)
        elif vcpu and what < 0.8:
            self._record(cpu, "block", vcpu=vcpu.id, sleep=0)
            self._pass(200)
            self.switch(cpu, BLOCKED)
        elif vcpu and what < 0.82:
            self.switch(cpu, OFF)
        else:
            self.switch(cpu, QUEUED)

    def run(self, steps):
        for _ in range(steps):
            self.step()
        return self

    def finish(self):
        """Ends what lasts; returns the time."""
        self._pass(1000)
        for vcpu in self.vcpus.values():
            self._to(vcpu, vcpu.state)
        return self.now

    def first_record(self, cpu):
        return min(record.time for record in self.trace.records if record.cpu == cpu)

    def told(self, vcpu):
        """The time from which on the records tell all about a vCPU: since it ran first, on a CPU with records."""
        return min((max(i.begin, self.first_record(i.cpu)) for i in self.intervals
                    if i.vcpu == vcpu and i.state == RUNNING and i.end > self.first_record(i.cpu)), default=None)

    def ticks(self, vcpu, state, begin=0, cls=None):
        return sum(max(0, i.end - max(i.begin, begin)) for i in self.intervals
                   if i.vcpu == vcpu and i.state == state and cls in (None, i.cls))
