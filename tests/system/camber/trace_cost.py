# SPDX-License-Identifier: Apache-2.0
"""What the trace costs, in instructions (measure.py says why a nanosecond is one): guests' events with a class on, with all classes off,
and in a hypervisor without the trace; divided by how many trace events there are in what the guest measures, which the trace
itself tells.
"""
import collections
import os
import subprocess

from . import board, measure, trace
from .image import Image, bundle, pack, scratch
from .qemu import Qemu

CLASSES = ("exit", "sched", "rt", "irq")  # those that what is measured has events of
HVC, SYSREG = 0x16, 0x18
SECTIONS = 20  # to count events in, at least
ALONE, SHARED, PAIR = measure.SCENARIOS[:3]

# Event of guests/probe -> its machine, and which records are in what is measured: all of the stay with that cause; from a timer's deadline to
# the entry of the guest; all of a round. Of a round only those of the scheduler are counted: where exits are recorded as well, the yields
# that follow push the rounds out of the ring before the line has taken them.
EVENTS = {
    "hvc_null": (ALONE, ("stay", HVC)),
    "sgi_self": (ALONE, ("stay", SYSREG)),
    "vtimer_spin": (ALONE, ("tick", None)),
    "vtimer_wfi": (SHARED, ("tick", None)),
    "yield_round": (PAIR, ("round", None)),
}
SCENARIOS = (ALONE, SHARED, PAIR)


def without_trace():
    """camber.bin of the same configuration but CONFIG_TRACE=n."""
    out = board.TESTS / "no-trace"
    (out / board.BOARD).mkdir(parents=True, exist_ok=True)
    for name in ("src", "apt", "guests", "newlib"):
        link = out / name
        if (board.BUILD / name).exists() and not link.is_symlink():
            link.symlink_to(board.BUILD / name)
    config = out / board.BOARD / ".config"
    text = (board.OUT / ".config").read_text().replace("CONFIG_TRACE=y", "# CONFIG_TRACE is not set")
    if not config.exists() or config.read_text() != text:
        config.write_text(text)
    binary = out / board.BOARD / "camber.bin"
    done = subprocess.run(["make", "-C", board.TOP, f"O={out}", f"BOARD={board.BOARD}", binary],
                          env={k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "O")},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise measure.MeasureError(f"CONFIG_TRACE=n: {done.stdout}")
    return binary


def image_of(folder, s, keys, binary=None):
    arguments = {"dts": s.dts, "bootargs": {"probe": f"bench={','.join(keys)} then=stay", **s.others}}
    if not binary:
        return pack(folder, s.name, **arguments)
    path, labels = bundle(folder, s.name, **arguments)
    out = path.with_suffix(".img")
    subprocess.run([board.MKBUNDLE, "--image", binary, "--bundle", path, "-o", out], check=True)
    return Image(out, s.name, labels)


def run(s, keys, binary=None, classes=None, enough=None):
    """Medians of a scenario's events: key -> instructions. `enough`: whether what came out of the trace's line is; waited for."""
    with scratch() as folder:
        image = image_of(folder, s, keys, binary)
        with Qemu(image, name=f"bench-trace-{s.name}", icount=True, smp=1, memory="1G", uart2=True,
                  extra=["-append", f"trace={classes}"] if classes else ()) as q, trace.Line(q) as own:
            q.expect(r"^\[probe\] " + measure.DONE_LINE)
            events = measure.probe_events(q.text)
            if enough:
                own.wait(enough, "measured sections in the trace")
    missing = [key for key in keys if key not in events]
    if missing:
        raise measure.MeasureError(f"trace, {s.name}: no figure for {', '.join(missing)}")
    return {key: events[key]["p50"] for key in keys}


def neighbours(records):
    """Records in their order, in lists without a gap."""
    lists, last = [], None
    for number in sorted(records):
        if last is None or number != last + 1:
            lists.append([])
        lists[-1].append(records[number])
        last = number
    return lists


def windows(records, kind, cause, probe):
    """The records of each measured section, as lists of event names."""
    for part in neighbours(records):
        begin = None
        for i, (time, event, words) in enumerate(part):
            name = trace.EVENTS[event][0]
            if kind == "round" and name == "switch" and words[2] == probe:
                if begin is not None:
                    yield part[begin:i]
                begin = i
            elif kind == "stay" and name == "exit":
                if begin is not None and words[1] >> 26 == cause:
                    yield part[begin:i + 1]
                begin = i + 1
            elif kind == "tick" and name == "tick" and words[0] == probe:
                due = time - words[1]
                first = next((k for k, record in enumerate(part) if record[0] >= due), i)
                end = next((k for k in range(i, len(part)) if trace.EVENTS[part[k][1]][0] == "exit"), None)
                if end is not None and first > 0:
                    yield part[first:end + 1]


def count(s, key, kind, cause):
    """How many records of each class there are in the measured section: what most of them have."""
    counts = collections.Counter()

    def enough(stream):
        vms = {f["label"]: f["vm"] for f in stream.frames if f["kind"] == trace.VM}
        counts.clear()
        for part in windows(stream.records.get((1, 0), {}), kind, cause, vms.get("probe", 0) << 8):
            counts[tuple(sorted(trace.EVENTS[event][1] for _, event, _ in part))] += 1
        return sum(counts.values()) >= SECTIONS

    run(s, [key], classes="sched" if kind == "round" else "all", enough=enough)
    (usual, times), = counts.most_common(1)
    if times < SECTIONS / 2:
        raise measure.MeasureError(f"trace, {key}: no usual number of events: {counts.most_common(3)}")
    return collections.Counter(usual)


def table():
    """Rows: (guest's event, class or "all classes off", events, instructions of all of them)."""
    binary = without_trace()
    keys = {s: [key for key, (of, _) in EVENTS.items() if of is s] for s in SCENARIOS}
    counts = {key: count(s, key, *how) for key, (s, how) in EVENTS.items()}
    off = {key: value for s in SCENARIOS for key, value in run(s, keys[s]).items()}
    none = {key: value for s in SCENARIOS for key, value in run(s, keys[s], binary).items()}
    rows = [(key, "off", sum(counts[key].values()), off[key] - none[key]) for key in EVENTS]
    for name in CLASSES:
        for s in SCENARIOS:
            wanted = [key for key in keys[s] if counts[key][name]]
            if wanted:
                rows += [(key, name, counts[key][name], value - off[key])
                         for key, value in run(s, wanted, classes=name).items()]
    return rows


def costs(rows):
    """The keys: the most that an event costs, on and off."""
    def worst(of):
        return max(round(insns / events, 2) for _, name, events, insns in rows if (name == "off") == of)

    missing = set(CLASSES) - {name for _, name, _, _ in rows}
    if missing:
        raise measure.MeasureError(f"trace: no events of class {', '.join(missing)}")
    return {"trace_on_insns": worst(False), "trace_off_insns": worst(True)}
