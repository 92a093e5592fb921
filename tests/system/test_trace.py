# SPDX-License-Identifier: Apache-2.0
"""The trace of machines that run, out of a line of its own and between the console's text: what hvtrace shows, that nothing is lost
without being counted, that guests keep their deadlines, and what is left after a crash.
"""
import contextlib
import json
import os
import pty
import re
import socket
import subprocess
import sys
import threading

import pytest
from camber import board, measure, sched, trace
from camber.image import bundle, join, pack
from camber.qemu import TRACE_BEGIN, compile_lines

QUIET = "bench=empty then=stay"
PROBE_DONE = r"^\[probe\] probe: done"
LATE_NS = 20_000  # a deadline missed by less is kept: 0.2 % of the period
SLACK_BYTES = trace.FRAME_BYTES + 4 * trace.TURN_BYTES  # a frame is counted with its end; what stream.c makes good


def console_text(path, folder):
    """What hvtrace gives back of a console's bytes."""
    out = folder / "console.txt"
    trace.hvtrace("record", "--console", "--console-text", out, folder / "frames", path)
    return out.read_text()


# ---- live ----

BLOCKS = 6  # what is older than the first status comes first, for as long as the line needs for a ring of records


def check_live(blocks):
    """What `hvtrace live --json` has shown of Linux beside the real-time guest: who runs, how often it exits, how late it is."""
    assert len(blocks) == BLOCKS
    last = blocks[-3:]
    for block in last:
        assert block["begin_ns"] < block["end_ns"]
        vcpus = {v["vcpu"]: v for v in block["vcpus"]}
        assert {"ivi/0", "rtos/0"} <= set(vcpus) <= {"ivi/0", "ivi/1", "rtos/0"}  # a vCPU may sleep all the time
        assert 0 < vcpus["rtos/0"]["ran_ns"] and 0 <= vcpus["rtos/0"]["ran_permille"] < 500
        assert vcpus["rtos/0"]["exits_per_s"] > 0
        assert vcpus["rtos/0"]["tick_late"]["count"] > 0 and vcpus["rtos/0"]["tick_late"]["max_ns"] > 0
        assert [cpu["cpu"] for cpu in block["cpus"]] == [0, 1]
        assert block["records"] > 0
    for before, after in zip(last, last[1:]):
        assert before["end_ns"] == after["begin_ns"]
        assert before["vcpus"] != after["vcpus"], "nothing moves"
    of = blocks[-1]["records_since_begin"]
    assert of["made"] == of["decoded"] + of["overwritten"] + of["waiting"]


def test_live(boot, folder):
    """The usual job: `hvtrace live` on the line of its own, and then over the console's own line."""
    q = boot("default", uart2=True)
    q.expect_all([r"^\[ivi\] linux: up$", r"^\[rtos\] rtos: up$"])
    text = trace.hvtrace("live", "--plain", "--count", "2", "--on", "sched,rt,exit", f"unix:{q.uart2_path()}")
    assert re.search(r"^rtos/0 +\d+\.\d ", text, re.MULTILINE) and re.search(r"^ivi/0 +\d+\.\d ", text, re.MULTILINE)
    blocks = trace.hvtrace("live", "--json", "--count", BLOCKS, f"unix:{q.uart2_path()}")
    check_live([json.loads(line) for line in blocks.splitlines()])
    q.focus("the monitor")
    q.monitor("trace stream console", r"^trace: on meta exit sched rt .*, stream console, rate 115200, full overwrite$")
    with subprocess.Popen([board.HVTRACE, "live", "--console", "--json", "--count", str(BLOCKS), "-"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as live:
        def feed(at):
            try:
                while live.poll() is None:
                    with q._changed:
                        q._changed.wait(0.1)
                        text, at = q.raw[at:], len(q.raw)
                    live.stdin.write(text.encode())
                    live.stdin.flush()
            except BrokenPipeError:
                pass

        feeder = threading.Thread(target=feed, args=(len(q.raw),), daemon=True)
        feeder.start()
        blocks = live.stdout.read().decode()
        feeder.join()
        # Nobody reads the rest.
        with contextlib.suppress(BrokenPipeError):
            live.stdin.close()
    check_live([json.loads(line) for line in blocks.splitlines()])
    # A person can still use it.
    q.monitor("mem", r"^total \d+ KiB")


@pytest.mark.xdist_group("make-run")  # they have one socket
def test_make_run_has_a_line(folder):
    """tools/run prints what to type in another terminal, and that works; what a killed run has left there doesn't matter."""
    path, _ = bundle(folder, "probe", bootargs={"probe": "role=alive"})
    image = folder / "probe.img"
    join(path, image)
    with socket.socket(socket.AF_UNIX) as stale:
        (board.OUT / "trace.sock").unlink(missing_ok=True)
        stale.bind(os.path.relpath(board.OUT / "trace.sock"))
    try:
        master, slave = pty.openpty()
    except OSError as e:  # a container without devpts
        pytest.skip(str(e))
    command = [sys.executable, "-B", board.TOP / "tools" / "run", "--profile", "probe", "--image", image, "--bundle", path]
    text = ""
    with subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave) as run:
        os.close(slave)
        while "probe: alive" not in text and run.poll() is None:
            text += os.read(master, 4096).decode(errors="replace")
        told = re.search(r"^run: to look inside: (\S+) (live .* unix:\S+trace\.sock)\r?$", text, re.MULTILINE)
        assert told and os.path.samefile(told[1], board.HVTRACE), text
        block = json.loads(trace.hvtrace(*told[2].split(), "--json", "--count", "2").splitlines()[-1])
        os.write(master, b"\x1dx")
        run.wait(30)
    os.close(master)
    assert block["records"] > 0 and [v["vcpu"] for v in block["vcpus"]] == ["probe/0"]


COMMANDS = (("help", r"^reboot +reset the board\n"), ("vm", r"^1 probe .*$"), ("mem", r"^total .*$"),
            ("no-such-command", r"^unknown command .*$"), ("vm list -v", r"^  vCPU 0 .*$"))


def talk(q, begin):
    """Commands typed in the monitor; the console's text from there to the end of the last answer, and of all raw text the length there."""
    q.expect(PROBE_DONE)
    q.focus("the monitor")
    for line in begin:
        q.monitor(line, r"^trace: on .*$")
    start, raw = len(q.text), len(q.raw)
    for command, answer in COMMANDS:
        frames = len(trace.console(q.raw).frames)
        q.line(command)
        q.expect(answer)
        if begin:
            trace.console_wait(q, 0, lambda s, frames=frames: len(s.frames) > frames + 1, "frames")
    q.line("mem")
    q.expect(r"^total ")
    return q.text[start:q.text.index("camber> mem", q._pos - 40)], raw


def comparable(text):
    """Without figures that depend on the instant."""
    return re.sub(r"\d+ us, \d+ wake-ups, \d+ switches", "N", text)


def test_console_text_is_given_back(boot, folder, icount):
    """With all classes on, on the console's own line: frames between lines, and the rest is what it is without the trace."""
    image = pack(folder, "probe", bootargs={"probe": QUIET})
    q = boot("probe", image=image, **icount)
    plain, _ = talk(q, [])
    q.quit()
    q = boot("probe", image=image, **icount)
    text, raw = talk(q, ["trace on all", "trace stream console"])
    q.quit()
    path = folder / "console"
    path.write_text(q.raw)
    assert comparable(text) == comparable(plain)
    given = console_text(path, folder)
    # QEMU may have ended within a frame.
    rest = TRACE_BEGIN.search(q.raw)
    assert q.text == given + (rest.group() if rest else ""), "hvtrace takes away more, or less, than the frames"
    assert "\x1b" not in given
    # Between lines: behind the end of one, or behind another frame.
    assert not re.search(r"[^\n\\]\x1b_Ct", q.raw)
    assert "\x1b_Ct" in q.raw[raw:]
    report = trace.report(path)
    assert report["records"]["decoded"] > 10 and report["records"]["lost_on_line"] == 0


# ---- nothing is lost that isn't counted ----

def check_account(line, path):
    """After the stream's end: made = decoded + counted lost, for each CPU; hvtrace has the same figures."""
    s = line.stream
    assert s.bad == 0 and s.status["flags"] & trace.ENDED
    report = trace.report(line.write(path))
    for cpu, of in s.status["cpu"].items():
        numbers = s.records[s.status["boot"], cpu]
        assert set(numbers) <= set(range(of["made"]))
        assert of["made"] == len(numbers) + of["overwritten"]
        told = next(c for c in report["cpus"] if c["cpu"] == cpu)["records"]
        assert told == {"made": of["made"] + of["unnumbered"], "decoded": len(numbers), "overwritten": of["overwritten"],
                        "ring_full": of["unnumbered"], "lost_on_line": 0, "waiting": 0}
    return s


def check_rate(s, baud):
    """Never more on the line than it carries, from any status to any later one."""
    status = [f for f in s.frames if f["kind"] == trace.STATUS and f["rate"] == baud // 10]
    assert len(status) > 2
    for i, begin in enumerate(status):
        for end in status[i + 1:]:
            most = baud / 10 * (end["now"] - begin["now"]) / end["hz"]
            assert end["end"] - begin["end"] <= most + SLACK_BYTES


def check_deadlines(q, labels):
    for label in labels:
        m = re.search(compile_lines(rf"^\[{label}\] {sched.P1_LINE}"), q.text)
        assert m["overruns"] == "0" and int(m["max"]) < LATE_NS, m.group(0)


# -icount lets the CPUs run in turn, each for a share of the time to the machine's next timer. A guest that only ticks, on the
# other CPU, keeps that time short.
METRONOME = sched.Guest("metronome", "quiet period-us=200", mask=2, kernel="rtos/rtos.elf")


def experiment(folder, e, *, cpus=1, arguments="trace=all"):
    """The machine of an experiment, with a second serial line."""
    guests = e.others + e.rtos + [METRONOME] * (cpus - 1)
    return sched.machine(folder, f"trace-{e.name}", guests, smp=cpus, uart2=True, extra=["-append", arguments])


def up(q, e):
    """The guests have begun, the monitor has the keyboard."""
    q.expect_all([rf"^\[{guest.label}\] (p1|probe): up$" for guest in e.others + e.rtos])
    q.focus("the monitor")


def finished(q, e):
    q.expect_all([rf"^\[{guest.label}\] {sched.P1_LINE}" for guest in e.rtos])


@pytest.mark.parametrize("load, cpus, full", [("duty", 1, "overwrite"), ("burn", 1, "overwrite"), ("burn", 1, "stop"),
                                              ("duty", 2, "overwrite"), ("duty", 2, "stop")])
def test_all_classes_through_115200_baud(folder, load, cpus, full):
    """Far more records than the line carries: each is decoded or counted, the monitor answers, no deadline is missed."""
    e = sched.Experiment(load, "trans", "rel", rounds=100)
    with experiment(folder, e, cpus=cpus) as q, trace.Line(q) as line:
        if full == "stop":
            line.send("trace full stop")
        up(q, e)
        q.monitor("mem", r"^total \d+ KiB")
        finished(q, e)
        check_deadlines(q, ["rtos0"])
        q.monitor("vm", r"^4 rtos0 .*$")
        line.end()
        s = check_account(line, folder / "trace")
        check_rate(s, trace.BAUD)
        lost = {cpu: of["unnumbered" if full == "stop" else "overwritten"] for cpu, of in s.status["cpu"].items()}
        assert min(lost.values()) > 0, "the line carried everything: this shows nothing"
        if full == "stop":
            assert not any(of["overwritten"] for of in s.status["cpu"].values())
            assert s.status["flags"] & trace.STOP


def test_all_classes_on_the_console(folder):
    """The same where the trace shares the line: the console's text and the real-time guest are what they have to be."""
    e = sched.Experiment("duty", "trans", "rel", rounds=100)
    with sched.machine(folder, "trace-console", e.others + e.rtos, extra=["-append", "trace=all"]) as q:
        up(q, e)
        q.monitor("mem", r"^total \d+ KiB")
        finished(q, e)
        check_deadlines(q, ["rtos0"])
        q.monitor("trace off", r"^trace: on meta, stream console, .*$")
        q.monitor("vm", r"^4 rtos0 .*$")
        path = folder / "console"
        path.write_text(trace.console_wait(q, 0, lambda s: s.status and s.status["classes"] == 1 and s.complete(),
                                           "what the rings hold"))
    of = trace.console(path.read_text()).status["cpu"][0]
    assert of["overwritten"] > 0
    assert trace.report(path)["records"] == {"made": of["made"], "decoded": of["made"] - of["overwritten"], "ring_full": 0,
                                             "overwritten": of["overwritten"], "lost_on_line": 0, "waiting": 0}
    given = console_text(path, folder)
    assert q.text.startswith(given[:given.rindex("\n")])


# ---- lateness from the trace alone ----

SHORT = [("duty", "trans", "abs"), ("burn", "hyper", "rel")]


@pytest.mark.parametrize("load, mode, wait", [
    pytest.param(load, mode, wait, marks=[] if (load, mode, wait) in SHORT else pytest.mark.soak)
    for load in ("duty", "burn") for mode in ("hyper", "trans") for wait in sched.WAITS])
def test_lateness_is_what_the_guest_measured(folder, load, mode, wait):
    """The scheduler's experiment: the percentiles in `hvtrace report` are those that the real-time guest printed, within 1 us."""
    e = sched.Experiment(load, mode, wait, rounds=300)
    with experiment(folder, e, arguments="trace=rt,exit") as q, trace.Line(q) as line:
        line.send("trace rate 10000000")
        finished(q, e)
        m = re.search(compile_lines(rf"^\[rtos0\] {sched.P1_LINE}"), q.text)
        line.end()
        check_account(line, folder / "trace")
    report = trace.report(folder / "trace")
    assert report["records"]["made"] == report["records"]["decoded"], "records are missing, so it isn't all of the experiment"
    vm, = (vm for vm in report["vms"] if vm["label"] == "rtos0")
    late = vm["vcpus"][0]["tick_late"]
    # The guest's own rounds, and what its kernel's clock needed before.
    assert e.rounds <= late["count"] <= e.rounds + 5
    for key in ("p50", "p99", "max"):
        assert abs(late[f"{key}_ns"] - int(m[key])) <= 1000, f"{key}: {late}, the guest says {m.group(0)}"


# ---- classes ----

def test_classes_are_kept_apart(folder):
    """Switched one after the other while guests run: an event is there only while its class is on, and the switching is told."""
    e = sched.Experiment("duty", "trans", "rel", rounds=1000)
    seen = {}
    with experiment(folder, e, arguments="trace=meta") as q, trace.Line(q) as line:
        line.send("trace rate 10000000")
        up(q, e)
        for name in trace.CLASSES:
            if name == "meta":
                continue
            line.send("trace off", f"trace on {name}")
            line.wait(lambda s, mask=trace.bits("meta", name): s.status and s.status["classes"] == mask, name)
            if name == "monitor":
                q.monitor("mem", r"^total ")
            elif name == "life":
                q.monitor("vm pause hog0", r"^vm hog0: pause")
                q.monitor("vm resume hog0", r"^vm hog0: resume")
            if name in ("psci", "fault"):
                continue  # nobody calls, nobody does wrong
            line.wait(lambda s, name=name: any(trace.EVENTS[event][1] == name for _, event, _ in
                                               s.records.get((1, 0), {}).values()), f"an event of class {name}")
        s = line.end()
        check_account(line, folder / "trace")
    records = s.records[1, 0]
    on = None
    for number in sorted(records):
        _, event, words = records[number]
        name, klass = trace.EVENTS[event]
        if name == "classes":
            assert on is None or words[0] == on
            on = words[1]
        elif on is not None:
            assert on >> trace.CLASSES[klass] & 1, f"{name} with classes {on:#x}"
            seen[klass] = seen.get(klass, 0) + 1
    assert on == 1
    assert set(seen) == set(trace.CLASSES) - {"meta", "psci", "fault"}


# ---- the flight recorder ----

def fault_pc(text):
    return int(re.findall(r"^.*PC   0x([0-9a-f]+) ", text, re.MULTILINE)[-1], 16)


def check_fault(texts, pc, cpus):
    """The dump's records: of each CPU; the CPU that faulted made the fault's record last."""
    records = [t for t in texts if "event" in t]
    assert {t["cpu"] for t in records} == set(cpus)
    fault = [t for t in records if t["event"] == "hv_fault"]
    assert len(fault) == 1 and int(fault[0]["pc"], 16) == pc
    of_cpu = [t for t in records if t["cpu"] == fault[0]["cpu"]]
    assert of_cpu[-1] == fault[0] and len(of_cpu) > 1
    command = [t for t in of_cpu if t["event"] == "command"]
    assert command[-1]["text"] == "crash_data"


DTS = measure.profile(measure.vm(1, "probe", [0]), measure.vm(2, "rtos", [1], kernel="rtos/rtos.elf"))
TWO = {"dts": DTS, "bootargs": {"probe": QUIET, "rtos": "quiet"}, "smp": 2}


def two_up(q):
    q.expect_all([PROBE_DONE, r"^\[rtos\] rtos: up$"])


def two_crash(q):
    """A fault in the hypervisor on purpose; returns when the machine is up again, with the fault's PC."""
    q.fatal = ()
    two_up(q)
    q.focus("the monitor")
    start = len(q.text)
    q.line("crash data")
    q.expect(r"EL2 fault:")
    two_up(q)
    return fault_pc(q.text[start:])


@pytest.mark.parametrize("stream", ["off", "own"])
def test_a_fault_sends_the_last_records(boot, folder, stream):
    """Before the reset, out of the trace's line, whether or not somebody was looking; and after it once more, on request."""
    q = boot("trace-fault", uart2=True, **TWO)
    with trace.Line(q) as line:
        if stream == "own":
            q.expect(r"^\[rtos\] rtos: up$")
            line.send("trace on all")
        else:
            q.expect(r"^\[rtos\] rtos: up$")
            line.send("trace on sched")
            line.wait(lambda s: s.status, "a stream")
            line.send("trace stream off")
            line.wait(lambda s: s.status["flags"] & trace.ENDED, "its end")
        q._pos = 0
        pc = two_crash(q)
        boots = line.wait(lambda s: {boot for boot, _ in s.records}, "the dump")
        path = line.write(folder / "trace")
        first = min(boots)
        check_fault([json.loads(t) for t in trace.hvtrace("dump", "--json", "--boot", first, path).splitlines()], pc, (0, 1))
        # The boot after it has the next number, and can tell of the one before.
        before, dumps = len(line.data), line.stream.dumps
        line.send("trace dump previous")
        line.wait(lambda s: s.dumps > dumps and s.status["boot"] == first + 1, "the previous boot's dump")
        later = folder / "later"
        later.write_bytes(line.data[before:])
        check_fault([json.loads(t) for t in trace.hvtrace("dump", "--json", "--boot", first, later).splitlines()], pc, (0, 1))


def test_a_fault_on_the_consoles_line(boot, folder):
    """A board with one line."""
    q = boot("trace-fault", **TWO, extra=["-append", "trace=sched,exit"])
    pc = two_crash(q)
    path = folder / "console"
    path.write_text(q.raw)
    check_fault([json.loads(t) for t in trace.hvtrace("dump", "--json", "--boot", "1", path).splitlines()], pc, (0, 1))
    q.focus("the monitor")
    start = len(q.raw)
    q.line("trace dump previous")
    path.write_text(trace.console_wait(q, start, lambda s: s.dumps, "the previous boot's dump"))
    check_fault([json.loads(t) for t in trace.hvtrace("dump", "--json", "--boot", "1", path).splitlines()], pc, (0, 1))
    assert trace.console(path.read_text()).status["boot"] == 2


def test_there_is_no_previous_boot_at_first(boot):
    q = boot("probe", bootargs={"probe": QUIET}, uart2=True)
    q.expect(PROBE_DONE)
    q.focus("the monitor")
    q.monitor("trace dump previous", r"^trace: nothing was kept$")


@pytest.mark.parametrize("own", [True, False], ids=["own", "console"])
def test_a_vms_crash_is_in_the_dump(boot, folder, own):
    """Nothing was switched on: what is on by itself tells of a VM that ended."""
    dts = measure.profile(measure.vm(1, "probe", [0], more='stray-access = "stop";'))
    q = boot("trace-crash", dts=dts, bootargs={"probe": "crash=data"}, uart2=own)
    q.expect(r"\bvm probe: crashed")
    q.focus("the monitor")
    path = folder / "dump"
    if own:
        with trace.Line(q) as line:
            line.send("trace dump")
            line.wait(lambda s: s.dumps, "the dump")
            line.write(path)
    else:
        q.line("trace dump")
        path.write_text(trace.console_wait(q, 0, lambda s: s.dumps, "the dump"))
    records = [json.loads(t) for t in trace.hvtrace("dump", "--json", path).splitlines()]
    events = [t for t in records if "event" in t]
    states = [t["state"] for t in events if t["event"] == "vm"]
    assert states[:2] == ["loading", "running"] and states[-1] == "off"
    assert [t["reason"] for t in events if t["event"] == "vm"][-1] == "crash"
    fault, = (t for t in events if t["event"] == "guest_fault")
    assert fault["vcpu"] == "probe/0" and int(fault["addr"], 16) == 0x0b000000
    assert int(fault["esr"], 16) >> 26 == 0x24


# ---- what comes in ----

def test_hostile_line(boot):
    """Garbage on the trace's line: a line of log a second at most, and the machine goes on."""
    q = boot("probe", bootargs={"probe": "role=alive"}, uart2=True)
    q.expect(r"^\[probe\] probe: alive \d+")
    q.focus("the monitor")
    q.mark()
    with trace.Line(q) as line:
        for data in (bytes(range(256)) * 4, b"x" * 10_000, b"trace on " + b"exit " * 2000, b"trace", b"\n", b"reboot\nvm stop probe\n",
                     b"trace on everything\n", b"\0\0\0\n", b"trace rate 99999999999999999999\n"):
            line._socket.sendall(data)
        line.send("", "trace on psci")
        q.expect(r"^trace: on meta psci life fault monitor, stream own, rate 115200, full overwrite$")
        line.wait(lambda s: s.status, "the stream")
    q.monitor("mem", r"^total \d+ KiB")
    q.expect(r"^\[probe\] probe: alive \d+")
    said = [text for text in q.text.splitlines() if "none of its commands" in text]
    assert 1 <= len(said) <= 5
    assert "vm probe: stop" not in q.text and "monitor: reboot" not in q.text
    assert re.search(r'^trace on: unknown argument "everything"; allowed: ', q.text, re.MULTILINE)
    assert re.search(r"^trace rate: unknown argument ", q.text, re.MULTILINE)
