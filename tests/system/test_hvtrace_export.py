# SPDX-License-Identifier: Apache-2.0
"""hvtrace's exports are read by the programs that they are for: babeltrace2, xenalyze, gnuplot, Python's csv;
trace-event JSON is checked against a schema of that format. The streams are made up (camber/trace_synth.py), so what they
have to say is known.
"""
import bisect
import collections
import csv
import fcntl
import json
import os
import re
import struct
import subprocess

import jsonschema
import pytest
from camber import board, trace_synth

HVTRACE = board.HVTRACE
# Debian's xenalyze, unpacked: installing its package brings a hypervisor's services with it.
XEN_PACKAGE, XEN_ARCH = "xen-utils-common", "amd64"
XEN = board.TESTS / "xen"
STAMPS_PER_TICK = 16  # export_xentrace.c
XEN_IDLE = 32767

VMS = {0: ("ivi", 2, 0), 1: ("rtos", 1, 1), 5: ('q"\\,x', 1, 0)}
# As hvtrace shows their labels: no format has to cope with what a damaged one has.
LABELS = {0: "ivi", 1: "rtos", 5: "q???x"}


def run(*args, **more):
    done = subprocess.run([str(arg) for arg in args], capture_output=True, text=True, timeout=120, check=False, **more)
    said = f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    assert done.returncode == 0, f"{args[0]}: exit status {done.returncode}\n{said}"
    return done


def fails(*args):
    """The one line that hvtrace refuses with."""
    done = subprocess.run([str(HVTRACE), *[str(arg) for arg in args]], capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode in (1, 2), done
    line, = done.stderr.splitlines()
    return line


class Trace:
    """A file with a stream, and its exports."""

    def __init__(self, folder, data, boot, machine=None, end=None):
        self.folder, self.boot, self.machine, self.end = folder, boot, machine, end
        self.path = folder / "trace"
        self.path.write_bytes(data)

    def export(self, form, name, *options):
        out = self.folder / name
        run(HVTRACE, "export", f"--{form}", "-o", out, *options, self.path)
        return out

    @property
    def records(self):
        """In the order of exports: by time; of one time, the lower CPU first."""
        return sorted(self.boot.records, key=lambda record: (record.time, record.cpu, record.number))


def made_by(machine, folder, **arguments):
    end = machine.finish()
    return Trace(folder, trace_synth.own_line(machine.trace.frames(end, **arguments)), machine.trace, machine, end)


@pytest.fixture(params=[1, 2, 3])
def whole(request, tmp_path):
    """Nothing is lost: 1, 2 and 3 CPUs, another counter for each."""
    cpus = request.param
    machine = trace_synth.Machine(cpus, cpus, VMS, boot=cpus, hz=(1_000_000_000, trace_synth.HZ, 54_000_000)[cpus - 1])
    return made_by(machine.run(1500), tmp_path)


def lossy_machine():
    """On CPU 0 records are overwritten twice, on CPU 1 some find the ring full; one event is from the future."""
    machine = trace_synth.Machine(7, 2, VMS)
    for count, losing in ((300, False), (60, True), (300, False), (40, True), (100, False)):
        machine.trace.losing[0] = losing
        machine.run(count)
        machine.trace.unknown(1, machine.now, 200, (1, 0xffffffff))
        machine.trace.unnumbered(1, 3)
    machine.run(300)
    return machine


@pytest.fixture
def lossy(tmp_path):
    return made_by(lossy_machine(), tmp_path)


def us(ticks, hz):
    """Microseconds with three decimals, rounded down, as text."""
    ns = ticks * 10**9 // hz
    return f"{ns // 1000}.{ns % 1000:03}"


# --- CSV ----------------------------------------------------------------------------------------------------

def test_csv(whole):
    with open(whole.export("csv", "trace.csv"), newline="", encoding="ascii") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(whole.records)
    for row, record in zip(rows, whole.records):
        event = trace_synth.table().events[record.name]
        assert None not in row and None not in row.values(), "columns don't match the header"
        assert (row["event"], int(row["ticks"]), int(row["cpu"]), int(row["number"]), row["lost"]) == \
            (record.name, record.time, record.cpu, record.number, "0")
        assert row["time_us"] == us(record.time, whole.boot.hz)
        filled = {name for name, value in row.items() if value != ""} - \
            {"time_us", "ticks", "cpu", "number", "lost", "event", "class_of_event"}
        for name, kind in event.fields:
            column = f"{name}_us" if kind == "ticks" else "wake_cpu" if (record.name, name) == ("wake", "cpu") else name
            filled.discard(column)
            value = record.values[name]
            if kind == "ticks":
                assert row[column] == ("max" if value == trace_synth.table().TICKS_MAX else us(value, whole.boot.hz))
            elif kind == "vcpu":
                label = LABELS[value >> 8] if value != trace_synth.table().NOBODY else "idle"
                assert row[column].split("/")[0] == label
            elif kind == "dec":
                assert row[column] == str(value)
            elif kind == "lo":
                assert int(row[column], 16) == value
        assert not filled, f"{record.name} fills {filled}"


def test_csv_of_losses(lossy):
    with open(lossy.export("csv", "trace.csv"), newline="", encoding="ascii") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(lossy.records)
    lost = collections.Counter()
    for row in rows:
        lost[int(row["cpu"])] += int(row["lost"])
    assert lost == {0: len(lossy.boot.lost), 1: 0}
    assert sum(row["event"] == "<200>" and row["words"] == "0x1 0xffffffff" for row in rows) == 5


@pytest.mark.parametrize("form,magic", [("svg", b"<?xml"), ("png", b"\x89PNG\r\n\x1a\n")],
                         ids=["svg", "png"])
def test_csv_in_gnuplot(whole, form, magic):
    """gnuplot reads it by the columns' names, and draws what it is asked for."""
    plot, table = whole.folder / f"plot.{form}", whole.folder / "table"
    columns = f'"{whole.export("csv", "trace.csv")}" using "time_us":"late_us"'
    run("gnuplot", "-e", f'set datafile separator ","; set terminal {form}; set output "{plot}"; plot {columns}; '
        f'set table "{table}"; plot {columns}')
    assert plot.read_bytes().startswith(magic)
    points = [float(line.split()[1]) for line in table.read_text().splitlines() if line.rstrip().endswith("i")]
    late = [float(us(record.values["late"], whole.boot.hz)) for record in whole.records if "late" in record.values]
    assert len(points) == len(late) > 100
    assert max(points) == pytest.approx(max(late), rel=1e-5)


# --- CTF ----------------------------------------------------------------------------------------------------

def babeltrace(folder):
    """Lines of babeltrace2, and what it says of losses."""
    done = run("babeltrace2", "--clock-cycles", "--no-delta", folder, env={**os.environ, "LC_ALL": "C", "TZ": "UTC"})
    return done.stdout.splitlines(), re.findall(r"Tracer discarded (\d+) events? between", done.stderr)


def test_ctf(whole):
    lines, lost = babeltrace(whole.export("ctf", "ctf"))
    records = whole.records
    assert not lost
    assert len(lines) == len(records)
    seen = collections.Counter(re.match(r"\[\d+\] (\w+): \{ cpu_id = (\d+) \}", line).groups() for line in lines)
    assert seen == collections.Counter((record.name, str(record.cpu)) for record in records)
    # babeltrace2 orders by time only.
    assert [int(line[1:21]) for line in lines] == [record.time for record in records]


def test_ctf_lines(tmp_path):
    """Every kind of word, to the letter."""
    boot = trace_synth.Boot(1, VMS, boot=255, hz=100_000_000)
    numbers = trace_synth.table()
    boot.record(0, 1000, "switch", prev=0x101, left=2, next=numbers.NOBODY, late=7, **{"class": 4})
    boot.record(0, 1001, "wake", vcpu=0x100, why=1, cpu=0, **{"class": 0})
    boot.record(0, 1002, "exit", vcpu=0x500, cause=0x5a000000, stay=numbers.TICKS_MAX, pc=0xffff800008000040)
    boot.record(0, 1003, "command", text="vm restart ivi and more"[:20])
    boot.record(0, 1004, "vm", vm=1, state=2, reason=77)
    boot.unknown(0, 1005, 200, (1, 0xffffffff))
    trace = Trace(tmp_path, trace_synth.own_line(boot.frames(2000)), boot)
    lines, lost = babeltrace(trace.export("ctf", "ctf"))
    assert not lost
    assert lines == [
        '[00000000000000001000] switch: { cpu_id = 0 }, { prev = ( <unknown> : container = 257 ), '
        'left = ( "queued" : container = 2 ), next = ( "idle" : container = 65535 ), class = ( "idle" : container = 4 ), late_ns = 70 }',
        '[00000000000000001001] wake: { cpu_id = 0 }, { vcpu = ( "rtos/0" : container = 256 ), '
        'why = ( "event" : container = 1 ), class = ( "rt" : container = 0 ), cpu = 0 }',
        '[00000000000000001002] exit: { cpu_id = 0 }, { vcpu = ( "q\\?\\?\\?x/0" : container = 1280 ), '
        'cause = 0x5A000000, cause_name = "hvc", stay_ns = 42949672950, pc = 0xFFFF800008000040 }',
        '[00000000000000001003] command: { cpu_id = 0 }, { text = "vm_restart_ivi_and_m" }',
        '[00000000000000001004] vm: { cpu_id = 0 }, { vm = ( "rtos" : container = 1 ), '
        'state = ( "running" : container = 2 ), reason = ( <unknown> : container = 77 ) }',
        '[00000000000000001005] unknown: { cpu_id = 0 }, { number = 200, count = 2, '
        'words = [ [0] = 0x1, [1] = 0xFFFFFFFF ] }',
    ]


def test_ctf_of_losses(lossy):
    """Two gaps on CPU 0, and in the end what found the ring of CPU 1 full and so has no place."""
    lines, lost = babeltrace(lossy.export("ctf", "ctf"))
    assert len(lines) == len(lossy.records)
    assert len(lost) == 3
    assert sum(map(int, lost)) == len(lossy.boot.lost) + lossy.boot.cpu[1].unnumbered
    assert str(lossy.boot.cpu[1].unnumbered) in lost


def test_ctf_wants_a_folder_of_its_own(whole):
    whole.export("ctf", "ctf")
    assert "is not empty" in fails("export", "--ctf", "-o", whole.folder / "ctf", whole.path)
    assert "--ctf writes a folder" in fails("export", "--ctf", "-o", "-", whole.path)


# --- trace-event JSON -----------------------------------------------------------------------------------------------

def phase(letter, properties, required):
    return {"if": {"properties": {"ph": {"const": letter}}},
            "then": {"properties": properties, "required": ["name", "pid", "tid", *required]}}


TIME = {"type": "number", "minimum": 0}
TEXT = {"type": "string", "minLength": 1}
# The public description is Google's "Trace Event Format"; phases that hvtrace doesn't use are left out.
TRACE_EVENT_SCHEMA = {
    "type": "object",
    "required": ["traceEvents"],
    "properties": {
        "displayTimeUnit": {"enum": ["ms", "ns"]},
        "otherData": {"type": "object"},
        "traceEvents": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["ph", "pid"],
                "properties": {
                    "ph": {"enum": ["X", "i", "C", "M"]},
                    "pid": {"type": "integer", "minimum": 0},
                    "tid": {"type": "integer", "minimum": 0},
                    "name": TEXT,
                    "args": {"type": "object"},
                },
                "allOf": [
                    phase("X", {"ts": TIME, "dur": TIME, "cname": TEXT}, ["ts", "dur"]),
                    phase("i", {"ts": TIME, "s": {"enum": ["g", "p", "t"]}}, ["ts"]),
                    phase("C", {"ts": TIME, "args": {"minProperties": 1, "additionalProperties": {"type": "number"}}},
                          ["ts", "args"]),
                    phase("M", {"name": {"pattern": "^(process|thread)_(name|sort_index)$"},
                                "args": {"oneOf": [
                                    {"required": ["name"], "properties": {"name": TEXT}, "additionalProperties": False},
                                    {"required": ["sort_index"], "properties": {"sort_index": {"type": "integer"}},
                                     "additionalProperties": False}]}}, ["args"]),
                ],
                "patternProperties": {"^(ph|pid|tid|name|args|ts|dur|s|cname)$": {}},
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}


def trace_events(path):
    """Events that keep to the format, and slices of a thread that follow each other or nest."""
    document = json.loads(path.read_text(encoding="ascii"))
    jsonschema.Draft7Validator(TRACE_EVENT_SCHEMA).validate(document)
    events = document["traceEvents"]
    named = {(event["pid"], event["tid"]) for event in events if event["name"] == "thread_name"}
    processes = {event["pid"] for event in events if event["name"] == "process_name"}
    threads = collections.defaultdict(list)
    for event in events:
        assert event["pid"] in processes
        if event["ph"] == "X":
            assert (event["pid"], event["tid"]) in named
            # Nanoseconds: sums of rounded decimals are exact then.
            begin = round(event["ts"] * 1000)
            threads[event["pid"], event["tid"]].append((begin, begin + round(event["dur"] * 1000)))
    for thread, slices in threads.items():
        open_until = []
        for begin, end in sorted(slices, key=lambda one: (one[0], -one[1])):
            while open_until and open_until[-1] <= begin:
                open_until.pop()
            assert not open_until or end <= open_until[-1], f"slices of {thread} overlap at {begin}"
            open_until.append(end)
    for thread, at in grouped(events, "C").items():
        assert at == sorted(at), f"the counter {thread} goes back in time"
    return document


def grouped(events, letter):
    groups = collections.defaultdict(list)
    for event in events:
        if event["ph"] == letter:
            groups[event["pid"], event["name"]].append(event["ts"])
    return groups


def thread_name(document, name):
    """(process, thread) of a name."""
    found, = {(event["pid"], event["tid"]) for event in document["traceEvents"]
              if event["name"] == "thread_name" and event["args"]["name"] == name}
    return found


def slices_of(document, thread, begins):
    """Nanoseconds in slices of a thread whose names begin so, and how many they are."""
    found = [event for event in document["traceEvents"]
             if event["ph"] == "X" and (event["pid"], event["tid"]) == thread and event["name"].startswith(begins)]
    return sum(round(event["dur"] * 1000) for event in found), len(found)


def gaps_in(document):
    return [event for event in document["traceEvents"] if event["ph"] == "X" and event["name"].endswith("records lost")]


def label(vcpu):
    return f"{LABELS[vcpu >> 8]}/{vcpu & 0xff}"


def test_perfetto(whole):
    """Who ran where, and who waited, is what the machine did: within a nanosecond's rounding at the ends of slices."""
    document = trace_events(whole.export("perfetto", "trace.json"))
    machine, hz = whole.machine, whole.boot.hz
    assert document["otherData"]["records_made"] == document["otherData"]["records_decoded"] == len(whole.records)
    for vcpu in machine.vcpus:
        told = machine.told(vcpu)
        thread = thread_name(document, label(vcpu))
        ran, count = slices_of(document, thread, "running")
        assert abs(ran - machine.ticks(vcpu, trace_synth.RUNNING, told) * 10**9 / hz) <= count + 1, label(vcpu)
        on_cpus = [slices_of(document, thread_name(document, f"CPU {cpu}"), label(vcpu)) for cpu in range(machine.cpus)]
        assert sum(ns for ns, _ in on_cpus) == ran
        # Who waited from the beginning, unseen, is known to have waited only since a record says it.
        waited = [i for i in machine.intervals if i.vcpu == vcpu and i.state == trace_synth.QUEUED and i.begin >= told]
        ns, count = slices_of(document, thread, "waiting")
        assert sum(i.end - i.begin for i in waited) * 10**9 / hz <= ns + count + 1
    for cls, name in enumerate(("rt", "boost", "under", "over", "idle")):
        ran = sum(machine.ticks(vcpu, trace_synth.RUNNING, machine.told(vcpu), cls) for vcpu in machine.vcpus)
        shown = [slices_of(document, thread_name(document, label(vcpu)), f"running {name}") for vcpu in machine.vcpus]
        first = sum(i.end - max(i.begin, machine.first_record(i.cpu)) for i in first_intervals(machine) if i.cls == cls)
        total, count = (sum(part) for part in zip(*shown))
        # What runs at the trace's beginning was given its class before.
        assert abs(total - (ran - first) * 10**9 / hz) <= count + 1, name


def first_intervals(machine):
    """Of those that run when the trace begins."""
    begin = min(i.begin for i in machine.intervals)
    return [i for i in machine.intervals
            if i.state == trace_synth.RUNNING and i.begin == begin and i.end > machine.first_record(i.cpu)]


def test_perfetto_records(whole):
    """Each record is there once, as an instant, a stay or a counter."""
    document = trace_events(whole.export("perfetto", "trace.json"))
    found = collections.Counter(event["name"] for event in document["traceEvents"] if event["ph"] == "i")
    made = collections.Counter(record.name for record in whole.records if record.name not in ("switch", "exit"))
    assert found == made
    stays = [record for record in whole.records if record.name == "exit"]
    threads = [thread_name(document, f"CPU {cpu} hypervisor") for cpu in range(whole.machine.cpus)]
    assert sum(slices_of(document, thread, "")[1] for thread in threads) == len(stays)
    late = [event for event in document["traceEvents"]
            if event["ph"] == "C" and event["name"].startswith("tick late (us), ")]
    assert sorted(f"{event['args']['late']:.3f}" for event in late) == \
        sorted(us(record.values["late"], whole.boot.hz) for record in whole.records if record.name == "tick")


def test_perfetto_of_losses(lossy):
    """A gap ends what was known of its CPU, and is shown; nothing runs there meanwhile."""
    document = trace_events(lossy.export("perfetto", "trace.json"))
    cpu0 = thread_name(document, "CPU 0")
    gaps = gaps_in(document)
    assert len(gaps) == 2 and {(event["pid"], event["tid"]) for event in gaps} == {cpu0}
    assert sum(int(event["name"].split()[0]) for event in gaps) == len(lossy.boot.lost)
    counted = [event for event in document["traceEvents"]
               if event["ph"] == "C" and event["name"] == "records lost, CPU 0"]
    assert counted[-1]["args"]["records"] == len(lossy.boot.lost)
    assert document["otherData"]["records_made"] == \
        len(lossy.records) + len(lossy.boot.lost) + sum(ring.unnumbered for ring in lossy.boot.cpu)
    check_only_truth(lossy, document)


def test_class_switched(tmp_path, xenalyze):
    """While scheduling isn't recorded nobody is said to run; from when it is on again, everybody as the records say."""
    machine = trace_synth.Machine(21, 2, VMS).run(400)
    machine.switch_off(1, "sched")
    off = machine.now
    machine.run(400).switch_off(0, "exit")
    on = machine.now
    trace = made_by(machine.run(400), tmp_path)
    document = trace_events(trace.export("perfetto", "trace.json"))
    check_only_truth(trace, document)
    begin, end = off * 10**6 / trace.boot.hz, on * 10**6 / trace.boot.hz
    for vcpu in machine.vcpus:
        slices = [event for event in document["traceEvents"]
                  if event["ph"] == "X" and (event["pid"], event["tid"]) == thread_name(document, label(vcpu))]
        assert any(event["ts"] < begin for event in slices) and any(event["ts"] > end for event in slices)
        assert not [event for event in slices if begin - 0.001 < event["ts"] < end]
    path = trace.export("xentrace", "trace.xen")
    assert "FATAL" not in xenalyze(trace, path, "--dump-all").stderr
    for vcpu, states in runstates(xenalyze(trace, path, "--summary").stdout).items():
        if vcpu[0] < XEN_IDLE:
            wanted = machine.ticks(vcpu[0] << 8 | vcpu[1], trace_synth.RUNNING)
            assert 0 < states["running"][0] <= wanted + states["running"][1]


def switch(boot, cpu, time, prev, following):
    left = 3 if prev == trace_synth.table().NOBODY else 2
    boot.record(cpu, time, "switch", prev=prev, left=left, next=following, late=0, **{"class": 2})


def running(trace):
    """(vCPU, begin, end) of the slices in which one runs, in ticks."""
    document, hz = trace_events(trace.export("perfetto", "trace.json")), trace.boot.hz
    named = {event["tid"]: event["args"]["name"] for event in document["traceEvents"] if event["name"] == "thread_name"}
    return sorted((named[event["tid"]], round(event["ts"] * hz / 10**6), round((event["ts"] + event["dur"]) * hz / 10**6))
                  for event in document["traceEvents"] if event["ph"] == "X" and event["name"].startswith("running"))


def test_nothing_after_the_class_is_off(tmp_path):
    """A CPU that says nothing more when the class sched goes off isn't shown as running what it ran."""
    boot, nobody = trace_synth.Boot(2, VMS), trace_synth.table().NOBODY
    switch(boot, 0, 1000, nobody, 0x000)
    switch(boot, 1, 2000, nobody, 0x100)
    every = sum(1 << bit for bit in trace_synth.table().classes.values())
    boot.record(0, 5000, "classes", **{"from": every, "to": every & ~(1 << trace_synth.table().classes["sched"])})
    boot.record(0, 90_000, "irq", intid=30)
    trace = Trace(tmp_path, trace_synth.own_line(boot.frames(100_000)), boot)
    assert running(trace) == [("ivi/0", 1000, 5000), ("rtos/0", 2000, 5000)]


def test_contradiction_is_not_shown(tmp_path):
    """Who left a CPU isn't who came: what is missing in between (a full ring) isn't anybody's time."""
    boot, nobody = trace_synth.Boot(1, VMS), trace_synth.table().NOBODY
    switch(boot, 0, 1000, nobody, 0x000)
    switch(boot, 0, 2000, 0x000, 0x001)
    boot.unnumbered(0, 2)
    switch(boot, 0, 9000, 0x100, 0x500)
    switch(boot, 0, 9500, 0x500, nobody)
    trace = Trace(tmp_path, trace_synth.own_line(boot.frames(10_000)), boot)
    assert running(trace) == [("ivi/0", 1000, 2000), (f"{LABELS[5]}/0", 9000, 9500)]


def test_alone_on_a_cpu(tmp_path, xenalyze):
    """A vCPU that never leaves its CPU makes no switch: its exits tell that it runs, from the first record on."""
    boot = trace_synth.Boot(1, {1: ("rtos", 1, 1)})
    for time in range(1000, 11_000, 1000):
        boot.record(0, time, "irq", intid=30)
        boot.record(0, time + 90, "exit", vcpu=0x100, cause=trace_synth.table().CAUSE_IRQ, stay=100, pc=0x40200000)
    trace = Trace(tmp_path, trace_synth.own_line(boot.frames(20_000)), boot)
    document = trace_events(trace.export("perfetto", "trace.json"))
    ns = 19_000 * 10**9 // boot.hz
    assert slices_of(document, thread_name(document, "rtos/0"), "running") == (ns, 1)
    assert slices_of(document, thread_name(document, "CPU 0"), "rtos/0") == (ns, 1)
    states = runstates(xenalyze(trace, trace.export("xentrace", "trace.xen"), "--summary").stdout)
    assert states == {(1, 0): {"running": (19_000, 1)}}


def check_only_truth(trace, document):
    """Whatever is shown as running or waiting did so."""
    hz = trace.boot.hz
    truth = collections.defaultdict(list)
    for i in sorted(trace.machine.intervals, key=lambda i: i.begin):
        if i.end > i.begin:
            truth[label(i.vcpu), {trace_synth.RUNNING: "running", trace_synth.QUEUED: "waiting"}.get(i.state)].append(
                (i.begin * 10**9 // hz, i.end * 10**9 // hz))
    checked = 0
    for vcpu in trace.machine.vcpus:
        thread = thread_name(document, label(vcpu))
        for event in document["traceEvents"]:
            if event["ph"] != "X" or (event["pid"], event["tid"]) != thread:
                continue
            begin, state = round(event["ts"] * 1000), event["name"].split()[0]
            end, intervals = begin + round(event["dur"] * 1000), truth[label(vcpu), state]
            at = bisect.bisect_right(intervals, (begin, 1 << 63)) - 1
            assert at >= 0 and intervals[at][0] <= begin and end <= intervals[at][1], f"{label(vcpu)} {event}"
            checked += 1
    assert checked > 100


def test_console_line(whole):
    """The same frames in a console's text, in full and with text in between, give the same export."""
    frames = whole.boot.frames(whole.end)
    text = trace_synth.console_line([piece for frame in frames for piece in ((frame,), b"[rtos] rtos: up\r\n")])
    console = whole.folder / "console"
    console.write_bytes(text)
    out = whole.folder / "console.csv"
    run(HVTRACE, "export", "--csv", "-o", out, console)
    assert out.read_bytes() == whole.export("csv", "trace.csv").read_bytes()


# --- xentrace ----------------------------------------------------------------------------------------------------

@pytest.fixture(scope="session")
def xenalyze():
    """xenalyze(file, options...) -> what it prints."""
    program = XEN / "usr" / "bin" / "xenalyze"
    if os.uname().machine != "x86_64":
        pytest.skip("Debian has xenalyze for amd64 only")
    board.TESTS.mkdir(parents=True, exist_ok=True)
    with open(board.TESTS / "xen.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            run(board.TOP / "tools" / "setup" / "guest-apt", board.BUILD / f"apt-{XEN_ARCH}", "fetch", XEN, XEN_PACKAGE,
                env={**os.environ, "GUEST_APT_ARCH": XEN_ARCH})

    def call(trace, path, *options):
        return run(program, "--cpu-hz", trace.boot.hz * STAMPS_PER_TICK, *options, path)
    return call


RUNSTATES = "running|runnable|blocked|offline|lost"


def runstates(summary):
    """(domain, vCPU) -> runstate -> (ticks, how many), from xenalyze --summary, which prints averages."""
    found, who, domain = collections.defaultdict(dict), None, None
    for line in summary.splitlines():
        if match := re.match(r"\|-- Domain (\d+) --\|", line):
            domain, who = int(match[1]), None
        elif match := re.match(r"-- v(\d+) --", line):
            who = domain, int(match[1])
        elif who and (match := re.match(rf" {{2,5}}({RUNSTATES}): +(\d+) +[\d.]+s +(\d+) ", line)):
            found[who][match[1]] = int(match[2]) * int(match[3]) / STAMPS_PER_TICK, int(match[2])
    return found


def test_xenalyze_summary(whole, xenalyze):
    """Each vCPU's time running, runnable, blocked is the machine's; averages are rounded down to 1/16 tick."""
    done = xenalyze(whole, whole.export("xentrace", "trace.xen"), "--summary")
    machine = whole.machine
    assert "FATAL" not in done.stderr and "trange" not in done.stderr, done.stderr
    assert re.search(r"^Total time: [0-9.]+ seconds \(using cpu speed [0-9.]+ [GM]Hz\)$", done.stdout, re.M)
    assert re.search(r"^\|-- Domain 1 --\|$", done.stdout, re.M)
    found = runstates(done.stdout)
    assert {who for who in found if who[0] != XEN_IDLE} == {(vcpu >> 8, vcpu & 0xff) for vcpu in machine.vcpus}
    for vcpu in machine.vcpus:
        for name, state in (("running", trace_synth.RUNNING), ("runnable", trace_synth.QUEUED),
                            ("blocked", trace_synth.BLOCKED), ("offline", trace_synth.OFF)):
            ticks, count = found[vcpu >> 8, vcpu & 0xff].get(name, (0, 0))
            wanted = machine.ticks(vcpu, state, machine.told(vcpu))
            assert abs(ticks - wanted) <= count, f"{label(vcpu)} {name}: xenalyze says {ticks}, it was {wanted}"


def test_xenalyze_and_report(tmp_path, xenalyze):
    """hvtrace's own report and xenalyze say the same, up to the last record."""
    machine = trace_synth.Machine(4, 3, VMS).run(2000)
    end = max(record.time for record in machine.trace.records)
    trace = Trace(tmp_path, trace_synth.own_line(machine.trace.frames(end)), machine.trace, machine, end)
    boot, = json.loads(run(HVTRACE, "report", "--json", trace.path).stdout)["boots"]
    found = runstates(xenalyze(trace, trace.export("xentrace", "trace.xen"), "--summary").stdout)
    reported = {(vm["vm"], vcpu["vcpu"]): vcpu["ran_ns"] for vm in boot["vms"] for vcpu in vm["vcpus"]}
    assert reported.keys() == {who for who in found if who[0] != XEN_IDLE} and len(reported) == len(machine.vcpus)
    for who, ns in reported.items():
        ticks, count = found[who]["running"]
        assert abs(ticks * 10**9 / trace.boot.hz - ns) <= (count + 1) * 10**9 / trace.boot.hz, who


def test_xenalyze_per_cpu(whole, xenalyze):
    """The CPUs' time running and idle, too."""
    done = xenalyze(whole, whole.export("xentrace", "trace.xen"), "--report-pcpu")
    machine = whole.machine
    for cpu in range(machine.cpus):
        part = re.search(rf"^pcpu {cpu}\n((?: .*\n)+)", done.stdout, re.M)[1]
        count, average = map(int, re.search(r" running: +(\d+) +[\d.]+s +(\d+) ", part).groups())
        wanted = sum(i.end - max(i.begin, machine.first_record(cpu)) for i in machine.intervals
                     if i.cpu == cpu and i.state == trace_synth.RUNNING and i.end > machine.first_record(cpu))
        assert abs(count * average / STAMPS_PER_TICK - wanted) <= count


def test_xenalyze_dump(whole, xenalyze):
    """Every record is dumped; a switch with both vCPUs, what Xen doesn't know by its number."""
    done = xenalyze(whole, whole.export("xentrace", "trace.xen"), "--dump-all")
    names = {"switch": "sched_switch", "wake": "vcpu_wake", "block": "vcpu_block", "irq": "irq_handled"}
    dumped = re.findall(rf" ({'|'.join(names.values())}|1f1[0-9a-f]{{2}})(?=[ (])", done.stdout)
    assert collections.Counter(dumped) == collections.Counter(
        names.get(record.name, f"{0x1f100 + record.event:x}") for record in whole.records)
    nobody = trace_synth.table().NOBODY
    first = next(record for record in whole.records
                 if record.name == "switch" and nobody not in (record.values["prev"], record.values["next"]))
    prev, following = (f"d{first.values[name] >> 8}v{first.values[name] & 0xff}" for name in ("prev", "next"))
    assert re.search(rf" {prev} sched_switch prev {prev} next {following}$", done.stdout, re.M)


def test_xenalyze_of_losses(lossy, xenalyze):
    """Lost records are told, with how many and how long; it goes on behind them."""
    path = lossy.export("xentrace", "trace.xen")
    done = xenalyze(lossy, path, "--dump-all")
    lost = [int(count) for count in re.findall(r" lost_records count (\d+) ", done.stdout)]
    assert len(lost) == 2 and sum(lost) == len(lossy.boot.lost)
    assert "FATAL" not in done.stderr, done.stderr
    kept, gaps = [record for record in lossy.records if record.cpu == 0], []
    for before, after in zip(kept, kept[1:]):
        if after.number != before.number + 1:
            gaps.append(after.time - before.time)
    part = re.search(r"^pcpu 0\n((?: .*\n)+)", xenalyze(lossy, path, "--report-pcpu").stdout, re.M)[1]
    count, average = map(int, re.search(r" lost: +(\d+) +[\d.]+s +(\d+) ", part).groups())
    assert count == len(gaps) and abs(count * average / STAMPS_PER_TICK - sum(gaps)) <= count
    for vcpu, states in runstates(xenalyze(lossy, path, "--summary").stdout).items():
        if vcpu[0] != XEN_IDLE:
            wanted = lossy.machine.ticks(vcpu[0] << 8 | vcpu[1], trace_synth.RUNNING)
            assert states["running"][0] <= wanted + states["running"][1]


# --- several boots, damage ------------------------------------------------------------------------------------------

def test_previous_boot(tmp_path):
    """A line that shows two boots: the one to export has to be named; both can be."""
    machines = [trace_synth.Machine(seed, 2, VMS, boot=boot).run(300) for seed, boot in ((11, 8), (12, 9))]
    data = b"".join(trace_synth.own_line(machine.trace.frames(machine.finish())) for machine in machines)
    trace = Trace(tmp_path, data, machines[0].trace)
    assert "has 2 boots" in fails("export", "--csv", "-o", tmp_path / "out", trace.path)
    for machine in machines:
        out = trace.export("csv", f"{machine.trace.boot}.csv", "--boot", machine.trace.boot)
        with open(out, newline="", encoding="ascii") as file:
            assert [int(row["ticks"]) for row in csv.DictReader(file)] == \
                sorted(record.time for record in machine.trace.records)


@pytest.mark.parametrize("form", ["csv", "perfetto", "ctf", "xentrace"])
def test_frames_lost_on_the_line(tmp_path, form, xenalyze):
    """Frames that the line damages leave gaps like any other; every export is still one."""
    trace = made_by(trace_synth.Machine(5, 2, VMS).run(1500), tmp_path, drop={(0, 4), (0, 5), (1, 7), (1, 20)})
    dropped = sum(len(trace.boot.cpu[cpu].frames[index]) for cpu, index in ((0, 4), (0, 5), (1, 7), (1, 20)))
    out = trace.export(form, "out")
    if form == "csv":
        with open(out, newline="", encoding="ascii") as file:
            rows = list(csv.DictReader(file))
        assert sum(int(row["lost"]) for row in rows) == dropped == len(trace.records) - len(rows)
    elif form == "perfetto":
        document = trace_events(out)
        assert sum(int(event["name"].split()[0]) for event in gaps_in(document)) == dropped
        check_only_truth(trace, document)
    elif form == "ctf":
        lines, lost = babeltrace(out)
        assert sum(map(int, lost)) == dropped == len(trace.records) - len(lines)
    else:
        done = xenalyze(trace, out, "--dump-all")
        assert sum(map(int, re.findall(r" lost_records count (\d+) ", done.stdout))) == dropped


@pytest.mark.parametrize("seed", range(5))
def test_nonsense(tmp_path, seed):
    """Records whose words mean nothing, and contradict each other: every export still keeps to its format."""
    random, table = trace_synth.random.Random(seed), trace_synth.table()
    boot, time = trace_synth.Boot(3, VMS, boot=seed), 0
    words = [0, 1, 2, 3, 0x100, 0x500, 0x1ff, table.NOBODY, 0x10000, 1 << 31, table.TICKS_MAX]
    for _ in range(2000):
        event = random.choice(list(table.events.values()))
        time += random.choice((0, 1, 1000, 1 << 20))
        boot.losing[0] = random.random() < 0.05
        cpu = random.randrange(3)
        values = {name: random.choice(words) for name, _ in event.fields}
        if any(kind == "text" for _, kind in event.fields):
            values = {"text": "".join(random.choices('ab "\\,<\x7f\n', k=20))}
        boot.record(cpu, time, event.name, **values)
    trace = Trace(tmp_path, trace_synth.own_line(boot.frames(time)), boot)
    assert trace_events(trace.export("perfetto", "trace.json"))
    lines, _ = babeltrace(trace.export("ctf", "ctf"))
    assert len(lines) == len(trace.records)
    with open(trace.export("csv", "trace.csv"), newline="", encoding="ascii") as file:
        assert sum(None not in row and None not in row.values() for row in csv.DictReader(file)) == len(trace.records)
    # xenalyze gives up on contradictions; the file is whole.
    data, at, count = trace.export("xentrace", "trace.xen").read_bytes(), 0, 0
    while at < len(data):
        head, = struct.unpack_from("<I", data, at)
        at += 4 + 4 * (head >> 28 & 7) + 8 * (head >> 31)
        count += head & 0xfffff00 == 0x1f100
    assert at == len(data)
    assert count == sum(record.name not in ("switch", "wake", "block", "irq") for record in trace.records)


@pytest.mark.parametrize("seed", range(10))
def test_ring_full(tmp_path, xenalyze, seed):
    """Records without a number are missing anywhere: the trace contradicts itself, and xenalyze doesn't stumble."""
    machine = trace_synth.Machine(seed, 2, VMS)
    for full in [False, True] * 8:
        machine.trace.full[seed % 2] = full
        machine.run(30 if full else 80)
    trace = made_by(machine, tmp_path)
    done = xenalyze(trace, trace.export("xentrace", "trace.xen"), "--dump-all")
    assert "FATAL" not in done.stderr, done.stderr
    _, lost = babeltrace(trace.export("ctf", "ctf"))
    assert sum(map(int, lost)) == trace.boot.cpu[seed % 2].unnumbered > 20
    document = trace_events(trace.export("perfetto", "trace.json"))
    assert document["otherData"]["records_made"] == len(trace.records) + trace.boot.cpu[seed % 2].unnumbered


def test_refusals(whole):
    """What can't work is one line."""
    assert "export: give one format" in fails("export", "-o", "x", whole.path)
    assert "export: give one format" in fails("export", "--csv", "--ctf", "-o", "x", whole.path)
    assert "-o" in fails("export", "--csv", whole.path)
    assert "no-such-folder" in fails("export", "--csv", "-o", whole.folder / "no-such-folder" / "x", whole.path)
    assert "no-such-trace" in fails("export", "--csv", "-o", whole.folder / "x", whole.folder / "no-such-trace")
    assert "/dev/full" in fails("export", "--csv", "-o", "/dev/full", whole.path)


def test_standard_output(whole):
    for form in ("csv", "perfetto", "xentrace"):
        out = whole.export(form, form)
        with open(whole.folder / "stdout", "wb") as file:
            subprocess.run([str(HVTRACE), "export", f"--{form}", "-o", "-", str(whole.path)], stdout=file, check=True,
                           timeout=60)
        assert (whole.folder / "stdout").read_bytes() == out.read_bytes()


# --- the document ---------------------------------------------------------------------------------------------------

def test_document_has_the_table():
    """docs/trace.md shows the header's table, as hvtrace prints it."""
    text = (board.TOP / "docs" / "trace.md").read_text(encoding="utf-8")
    begin, end = "<!-- hvtrace events --markdown -->\n", "<!-- end of hvtrace events -->\n"
    assert text.count(begin) == text.count(end) == 1
    shown = text[text.index(begin) + len(begin):text.index(end)]
    assert shown == run(HVTRACE, "events", "--markdown").stdout, \
        "docs/trace.md: not the table of hv/include/abi/trace.h; `hvtrace events --markdown` belongs between its markers"


def test_table_is_the_headers():
    """`hvtrace events` has every event of the header, with its number, fields and words."""
    table, text = trace_synth.table(), run(HVTRACE, "events").stdout
    for event in table.events.values():
        names = list(dict.fromkeys(name for name, _ in event.fields))
        assert re.search(rf"^{event.number} {event.name}, class \w+\n  {re.escape(event.what)}\n  " +
                         " ".join(rf"{name}:\w+" for name in names) + "$", text, re.M), event.name
    assert len(re.findall(r"^\d+ \w+, class", text, re.M)) == len(table.events)
