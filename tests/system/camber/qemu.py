# SPDX-License-Identifier: Apache-2.0
"""One QEMU: its console on a unix socket, QMP on another, everything it printed in a log file.

A QEMU runs between `with Qemu(...) as q:` and the block's end, where it is asked to quit and, failing that, killed by its
process id. The console is read by a thread all the time, so that the guest never waits for a slow test.

Deadlines are in terms of progress: expect() gives up when nothing new was printed for QUIET_S seconds of a machine that
may be heavily loaded, or when something was printed that means the end. Both only tell a hang from work.
"""
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time

from . import board

QUIET_S = float(os.environ.get("CAMBER_QUIET_S", "120"))
TOTAL_S = float(os.environ.get("CAMBER_TOTAL_S", "900"))

ESCAPE = "\x01"  # Ctrl-A, three times in a row: the next VM, after the last one the monitor

# Whoever waits for something else needs to wait no longer than the rest of such a message takes.
REST_S = 3
FATAL = (r"EL2 fault:", r"panic:", r"Kernel panic - not syncing", r"Internal error: Oops")


class ExpectError(AssertionError):
    """What was expected did not come. Says why, and ends with the last lines of the console."""


# The trace's frames on the console's line (hv/include/abi/trace.h); and what may be the beginning of one.
TRACE_FRAME = re.compile(r"\x1b_Ct[A-Za-z0-9+/]*\x1b\\")
TRACE_BEGIN = re.compile(r"\x1b(_(C(t[A-Za-z0-9+/]*\x1b?)?)?)?\Z")


def compile_lines(pattern):
    """A regular expression whose $ is the end of a line that is wholly there, not of what was received so far."""
    return re.compile(re.sub(r"(?<!\\)\$(?=\||$)", r"(?=\\n)", pattern), re.MULTILINE)


class Qemu:
    """QEMU with one image, as the board's recipe wants it, changed by the arguments.

    image     an Image, or a path (then `profile` chooses the recipe's lines)
    icount    virtual time is the number of instructions; deterministic
    smp, memory, cpu, extra   replace or extend the recipe's options
    plugin    options of tests/plugin/insn.c, for instance "out=/tmp/x"
    quiet_s   for a machine that is silent for longer than usual
    uart2     the machine's second serial line is a socket: uart2()
    log       file for everything that was printed (default: build/tests/logs/<name>.log)
    """

    def __init__(self, image, *, profile=None, name="qemu", icount=False, smp=None, memory=None, cpu=None, plugin=None,
                 extra=(), log=None, echo=None, quiet_s=QUIET_S, uart2=False):
        path = getattr(image, "path", image)
        profile = profile or getattr(image, "profile", None)
        self.command = [board.QEMU, *board.qemu_args(profile)]
        if icount:
            self.command += board.ICOUNT
            cpu = cpu or board.ICOUNT_CPU
        for option, value in (("-smp", smp), ("-m", memory), ("-cpu", cpu)):
            if value is not None:
                self.command += [option, str(value)]
        if not icount and self._cpus() > board.HOST_CPUS:
            # The waiters of a fair lock get it in turn. Where the host has fewer CPUs than the machine, each hand-over
            # would wait for the host's scheduler; one thread that switches at YIELD is faster by orders of magnitude.
            self.command += ["-accel", "tcg,thread=single"]
        if plugin:
            self.command += ["-plugin", f"{board.PLUGIN},{plugin}"]
        self.command += ["-kernel", str(path), *extra]
        self.log_path = log or board.TESTS / "logs" / f"{name}.log"
        self.text = ""  # what a terminal shows: without the trace's frames
        self.raw = ""
        self.fatal = FATAL
        self._echo = echo
        self._quiet_s = quiet_s
        self._uart2 = uart2
        self._pos = 0
        self._changed = threading.Condition()
        self._closed = False
        self._fatal_at = None
        self._process = self._console = self._qmp = self._qmp_file = None

    def _cpus(self):
        last = max(i for i, word in enumerate(self.command) if word == "-smp")
        return int(self.command[last + 1].split(",")[0])

    # ---- life ----

    def __enter__(self):
        self._folder = tempfile.mkdtemp(prefix="camber-")
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        self._log = open(self.log_path, "w", encoding="utf-8", errors="replace")
        console, qmp = os.path.join(self._folder, "console"), os.path.join(self._folder, "qmp")
        command = self.command + [
            "-S", "-display", "none", "-monitor", "none",
            "-chardev", f"socket,id=console,path={console},server=on,wait=off", "-serial", "chardev:console",
            "-qmp", f"unix:{qmp},server=on,wait=off"]
        if self._uart2:
            command += ["-chardev", f"socket,id=uart2,path={self._folder}/uart2,server=on,wait=off",
                        "-serial", "chardev:uart2"]
        self._log.write("$ " + " ".join(command) + "\n")
        self._log.flush()
        try:
            # Killing the tests kills QEMU too, whatever way they die.
            self._process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", *command],
                                             stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
            self._qmp = self._connect(qmp)
            self._qmp_file = self._qmp.makefile("r", encoding="utf-8")
            self._qmp_read("QMP")
            self.qmp("qmp_capabilities")
            self._console = self._connect(console)
            self._reader = threading.Thread(target=self._read_console, daemon=True)
            self._reader.start()
            self.qmp("cont")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_):
        self.quit()
        for end in (self._qmp_file, self._qmp, self._console):
            if end:
                end.close()
        self._log.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def quit(self):
        """End QEMU in an orderly way (plugins write their results), whatever state it is in."""
        if not self._process:
            return
        if self._process.poll() is None:
            try:
                if self._qmp_file:
                    self._qmp.sendall(b'{"execute": "quit"}\n')
                    self._process.wait(30)
            except (OSError, subprocess.TimeoutExpired):
                pass
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        if self._console and self._reader.is_alive():
            self._reader.join(10)

    @property
    def pid(self):
        return self._process.pid

    def _connect(self, path):
        end = time.monotonic() + QUIET_S
        while True:
            s = socket.socket(socket.AF_UNIX)
            try:
                s.connect(path)
                return s
            except OSError:
                s.close()
                if self._process.poll() is not None:
                    raise ExpectError(f"QEMU did not start (exit {self._process.returncode}): {self._said()}") from None
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)

    def _said(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1]

    # ---- QMP ----

    def _qmp_read(self, key):
        for line in self._qmp_file:
            answer = json.loads(line)
            if "error" in answer:
                raise ExpectError(f"QMP: {answer['error'].get('desc')}")
            if key in answer:
                return answer[key]
        raise ExpectError(f"QEMU ended: {self._said()}")

    def qmp(self, command, **arguments):
        """Execute a QMP command and return its answer."""
        try:
            self._qmp.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
            return self._qmp_read("return")
        except OSError:
            raise ExpectError(f"QEMU ended: {self._said()}") from None

    # ---- console ----

    def _read_console(self):
        held = ""
        while True:
            try:
                data = self._console.recv(65536)
            except OSError:
                data = b""
            text = data.decode("utf-8", "replace").replace("\r", "")
            with self._changed:
                self.raw += text
                text, held = TRACE_FRAME.sub("", held + text), ""
                begin = TRACE_BEGIN.search(text)
                if begin and data:
                    text, held = text[:begin.start()], begin.group()
                self.text += text
                self._closed = not data
                self._changed.notify_all()
            if not data:
                return
            if not self._log.closed:
                self._log.write(text)
                self._log.flush()
            if self._echo:
                self._echo(text)

    def uart2_path(self):
        """The machine's second serial line, a socket."""
        return os.path.join(self._folder, "uart2")

    def uart2(self):
        """The other end of the machine's second serial line, a socket; close it."""
        return self._connect(self.uart2_path())

    def send(self, text):
        """Type text on the console."""
        self._console.sendall(text.encode())

    def line(self, text):
        """Type a line."""
        self.send(text + "\r")

    def focus(self, target):
        """Move the keyboard on, as a person does, until the console says that it goes to `target`."""
        for _ in range(32):
            self.send(ESCAPE * 3)
            if self.expect(r"^\[console\] input to (.*)$").group(1) == target:
                return
        raise ExpectError(f"the console never gives its input to {target}\n{self.tail()}")

    def monitor(self, command, answer):
        """A command for the hypervisor's monitor (which has the focus), and a regular expression for its answer."""
        self.line(command)
        return self.expect(answer)

    def _why_stop(self, start, changed_at, begun_at):
        """Why waiting is hopeless, or None. Called with the condition held."""
        for pattern in self.fatal:
            found = re.search(pattern + ".*", self.text[start:])
            if found and not self._fatal_at:
                self._fatal_at = time.monotonic()
            if found and (self._closed or time.monotonic() - self._fatal_at > REST_S):
                return f'"{found.group(0)}" was printed'
        if self._closed:
            return "QEMU ended"
        if time.monotonic() - changed_at > self._quiet_s:
            return f"nothing was printed for {self._quiet_s:.0f} s"
        if time.monotonic() - begun_at > TOTAL_S:
            return f"{TOTAL_S:.0f} s passed"
        return None

    def _wait(self, find, wanted):
        """Wait until find(text, start) gives something true."""
        with self._changed:
            begun_at = changed_at = time.monotonic()
            start, length = self._pos, len(self.text)
            while True:
                found = find(self.text, start)
                if found:
                    return found
                if len(self.text) != length:
                    length, changed_at = len(self.text), time.monotonic()
                why = self._why_stop(start, changed_at, begun_at)
                if why:
                    raise ExpectError(f"waiting for {wanted}: {why}\n{self.tail()}")
                self._changed.wait(1)

    def expect(self, pattern):
        """Wait for a regular expression in what comes after the previous match; returns the match."""
        regex = compile_lines(pattern)
        found = self._wait(regex.search, f'"{pattern}"')
        self._pos = found.end()
        return found

    def expect_all(self, patterns):
        """Wait for several, in whatever order they come; the next expect() looks after the last of them."""
        regexes = [compile_lines(pattern) for pattern in patterns]

        def find_all(text, start):
            found = [regex.search(text, start) for regex in regexes]
            return found if all(found) else None

        missing = ", ".join(f'"{pattern}"' for pattern in patterns)
        found = self._wait(find_all, f"all of {missing}")
        self._pos = max(match.end() for match in found)
        return found

    def expect_exit(self):
        """Wait until QEMU ends by itself: the machine was powered off."""
        self._wait(lambda _text, _start: self._closed, "the machine to power off")
        return self._process.wait(30)

    def mark(self):
        """The next expect() looks only at what is printed from now on."""
        with self._changed:
            self._pos = len(self.text)

    def since_mark(self):
        """What was printed after the last match."""
        with self._changed:
            return self.text[self._pos:]

    def tail(self, lines=25):
        """The console's last lines."""
        return "\n".join(self.text.splitlines()[-lines:])
